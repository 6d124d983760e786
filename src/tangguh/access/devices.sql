-- The statements behind known devices.

-- name: begin_attempt
-- Count a try of a device before it is judged; nothing for one that is not known or used up.
-- Primary key.
UPDATE known_devices SET failures = failures + 1
 WHERE book_id = $1 AND customer_id = $2 AND sha256 = $3 AND ended_at IS NULL AND failures < $4
RETURNING failures, known_at

-- name: forgive
-- The PIN was right. Primary key.
UPDATE known_devices SET failures = 0, used_at = $4
 WHERE book_id = $1 AND customer_id = $2 AND sha256 = $3

-- name: enrol
-- A device that has proved itself.
INSERT INTO known_devices (book_id, customer_id, sha256, known_at, used_at)
VALUES ($1, $2, $3, $4, $4)

-- name: is_known
-- A device of the customer's, whether or not its tries are used up. Primary key.
SELECT known_at FROM known_devices
 WHERE book_id = $1 AND customer_id = $2 AND sha256 = $3 AND ended_at IS NULL

-- name: first_new
-- Since when the oldest of a customer's new devices is known, an ended one too. Primary key.
SELECT min(known_at) AS known_at FROM known_devices
 WHERE book_id = $1 AND customer_id = $2 AND known_at > $3
