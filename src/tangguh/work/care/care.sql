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

-- name: limit_over_without_case
-- Unanswered payments whose limit is over and that no case is about. payments_to_resolve (what is
-- open is few).
SELECT p.* FROM payments AS p
  JOIN redress AS r ON r.book_id = p.book_id AND r.payment_id = p.payment_id
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.kind = 'payment' AND r.advance <> 'none'
   AND NOT EXISTS (SELECT 1 FROM cases AS c
                    WHERE c.book_id = p.book_id AND c.payment_id = p.payment_id)
 ORDER BY p.payment_id LIMIT 10000
