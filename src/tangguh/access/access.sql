-- The statements behind PINs and sessions.

-- name: set_pin
-- Keep a PIN's hash; a new PIN forgives earlier failures.
INSERT INTO pins (book_id, customer_id, argon2id) VALUES ($1, $2, $3)
ON CONFLICT (book_id, customer_id)
DO UPDATE SET argon2id = excluded.argon2id, failures = 0, locked_until = NULL

-- name: begin_attempt
-- Count a try before it is judged, so that parallel guesses cannot outrun the lock. The last try
-- locks at once; a right PIN unlocks. After a lock has passed the count starts anew.
UPDATE pins
   SET failures = CASE WHEN locked_until <= $3 THEN 1 ELSE failures + 1 END,
       locked_until = CASE WHEN locked_until <= $3 THEN NULL
                           WHEN failures + 1 >= $4 THEN $5::timestamptz END
 WHERE book_id = $1 AND customer_id = $2 AND (locked_until IS NULL OR locked_until <= $3)
RETURNING argon2id, failures

-- name: forgive
-- The PIN was right.
UPDATE pins SET failures = 0, locked_until = NULL WHERE book_id = $1 AND customer_id = $2

-- name: locked_until
-- Until when a customer's PIN is locked.
SELECT locked_until FROM pins WHERE book_id = $1 AND customer_id = $2

-- name: open_session
-- Remember a session by its token's hash.
INSERT INTO sessions (book_id, token_sha256, customer_id, signing_key, kind, opened_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: find_session
-- The live session of a token. Primary key.
SELECT customer_id, signing_key, kind, opened_at, expires_at FROM sessions
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL AND expires_at > $3

-- name: end_session
-- Log out.
UPDATE sessions SET ended_at = $3
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL

-- name: end_sessions_of_customer
-- Log out everywhere. sessions_of_customer.
UPDATE sessions SET ended_at = $3 WHERE book_id = $1 AND customer_id = $2 AND ended_at IS NULL
RETURNING token_sha256
