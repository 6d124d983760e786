-- What the control room reads.

-- name: orders_of_hour
-- What was asked for since, at this hour of the Jakarta day. Ids are time-ordered. Primary key.
SELECT order_json FROM payments
 WHERE book_id = $1 AND payment_id >= $2 AND kind = 'payment'
   AND refusal NOT IN ('protective_closure', 'protective_limit')
   AND extract(hour FROM accepted_at AT TIME ZONE 'Asia/Jakarta') = $3
 ORDER BY payment_id DESC LIMIT $4

-- name: open_orders
-- What is open now. open_payments.
SELECT order_json FROM payments WHERE book_id = $1 AND resolve_at IS NOT NULL LIMIT $2

-- name: history
-- Payments with their ends, oldest first, for a back-test. Ids are time-ordered. Primary key.
SELECT * FROM payments
 WHERE book_id = $1 AND payment_id >= $2 AND kind IN ('payment', 'credit')
 ORDER BY payment_id LIMIT $3
