-- The statements behind PINs and sessions.

-- name: set_pin
-- Keep a PIN's hash; a new PIN forgives earlier failures.
INSERT INTO pins (book_id, customer_id, argon2id) VALUES ($1, $2, $3)
ON CONFLICT (book_id, customer_id)
DO UPDATE SET argon2id = excluded.argon2id, failures = 0, locked_until = NULL

-- name: pin_of
-- A customer's hash. Primary key.
SELECT argon2id FROM pins WHERE book_id = $1 AND customer_id = $2

-- name: begin_attempt
-- Count a try of one session before it is judged, so that parallel guesses cannot outrun the lock.
-- Every so many lock that session, each time twice as long. Primary key.
UPDATE sessions
   SET pin_failures = pin_failures + 1,
       pin_locked_until = CASE WHEN (pin_failures + 1) % $4::integer = 0 THEN $3::timestamptz
           + make_interval(secs => least($5::float8 * power(2, (pin_failures + 1) / $4::integer - 1), 86400))
       END
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL
   AND (pin_locked_until IS NULL OR pin_locked_until <= $3)
RETURNING pin_failures, pin_locked_until

-- name: forgive
-- The PIN was right. Primary key.
UPDATE sessions SET pin_failures = 0, pin_locked_until = NULL
 WHERE book_id = $1 AND token_sha256 = $2

-- name: locked_until
-- Until when a session may not try a PIN. Primary key.
SELECT pin_locked_until FROM sessions WHERE book_id = $1 AND token_sha256 = $2

-- name: open_session
-- Remember a session by its token's hash.
INSERT INTO sessions (book_id, token_sha256, customer_id, signing_key, kind, opened_at, expires_at,
                      device_known_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: find_session
-- The live session of a token. Primary key.
SELECT customer_id, signing_key, kind, opened_at, expires_at, device_known_at FROM sessions
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL AND expires_at > $3

-- name: extend_session
-- A session that was used lives on. Primary key.
UPDATE sessions SET expires_at = $3
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL AND expires_at > $4 AND expires_at < $3
RETURNING expires_at

-- name: lapsed_session
-- The session of a token that ended by itself since. Primary key.
SELECT customer_id, signing_key, kind, opened_at, expires_at, device_known_at FROM sessions
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL
   AND expires_at <= $3 AND expires_at > $4

-- name: end_session
-- Log out.
UPDATE sessions SET ended_at = $3
 WHERE book_id = $1 AND token_sha256 = $2 AND ended_at IS NULL

-- name: end_sessions_of_customer
-- Log out everywhere. sessions_of_customer.
UPDATE sessions SET ended_at = $3 WHERE book_id = $1 AND customer_id = $2 AND ended_at IS NULL
RETURNING token_sha256
