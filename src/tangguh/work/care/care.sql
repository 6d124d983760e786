-- What settlement says of payments somebody complains of.

-- name: seen_of_payment
-- What files listed of one payment, and the breaks it is in. breaks_of_payment.
SELECT (SELECT sum(m.net_minor)::bigint FROM settlement_matches AS m
         WHERE m.book_id = $1 AND m.payment_id = $2) AS listed_minor,
       ARRAY(SELECT b.kind FROM settlement_breaks AS b
              WHERE b.book_id = $1 AND b.payment_id = $2 AND b.state = 'open') AS open_breaks
