-- What the watch reads of the book, through a view that shows these columns and no others.

-- name: decided
-- Payments by the references a network knows them by. payment_of_wire_reference.
SELECT reference, amount_minor, state FROM watched_payments
 WHERE book_id = $1 AND rail = $2 AND reference = ANY($3::text[])
