-- The statements behind known devices and the codes that make one known.

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

-- name: make_code
-- A fresh code in the place of the one before; nothing when so many were sent within the hour.
INSERT INTO login_codes AS kept (book_id, customer_id, mac, made_at, expires_at, sent_since)
VALUES ($1, $2, $3, $4, $5, $4)
ON CONFLICT (book_id, customer_id) DO UPDATE
   SET mac = excluded.mac, made_at = excluded.made_at, expires_at = excluded.expires_at, tries = 0,
       sent = CASE WHEN kept.sent_since <= $6 THEN 1 ELSE kept.sent + 1 END,
       sent_since = CASE WHEN kept.sent_since <= $6 THEN excluded.sent_since ELSE kept.sent_since END
 WHERE kept.sent < $7 OR kept.sent_since <= $6
RETURNING sent

-- name: try_code
-- Count a try of the code before it is judged. Primary key.
UPDATE login_codes SET tries = tries + 1
 WHERE book_id = $1 AND customer_id = $2 AND expires_at > $3 AND tries < $4
RETURNING mac

-- name: use_code
-- The code was right: it is right once. Primary key.
UPDATE login_codes SET expires_at = $3
 WHERE book_id = $1 AND customer_id = $2 AND mac = $4 AND expires_at > $3
RETURNING customer_id
