-- What settlement says of payments somebody complains of.

-- name: seen_of_payment
-- What files listed of one payment, and the breaks it is in. breaks_of_payment.
SELECT (SELECT sum(m.net_minor)::bigint FROM settlement_matches AS m
         WHERE m.book_id = $1 AND m.payment_id = $2) AS listed_minor,
       ARRAY(SELECT b.kind FROM settlement_breaks AS b
              WHERE b.book_id = $1 AND b.payment_id = $2 AND b.state = 'open') AS open_breaks

-- name: bulk_unfinished
-- Acts for many that were begun and not finished. acts_of_bulk.
SELECT b.subject FROM acts AS b
 WHERE b.book_id = $1 AND b.what = 'bulk.begun'
   AND NOT EXISTS (SELECT 1 FROM acts AS d
                    WHERE d.book_id = $1 AND d.what = 'bulk.done' AND d.subject = b.subject)
