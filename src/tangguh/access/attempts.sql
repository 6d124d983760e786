-- The statements behind codes of log-ins: by attempt, and counted by whose account they go.

-- name: spend
-- One more of a budget, counted before anything is sent; nothing when it is used up. Primary key.
INSERT INTO login_budgets AS kept (book_id, customer_id, whose, spent, since)
VALUES ($1, $2, $3, 1, $4)
ON CONFLICT (book_id, customer_id, whose) DO UPDATE
   SET spent = CASE WHEN kept.since <= $5 THEN 1 ELSE kept.spent + 1 END,
       since = CASE WHEN kept.since <= $5 THEN excluded.since ELSE kept.since END
 WHERE kept.spent < $6 OR kept.since <= $5
RETURNING spent

-- name: keep_code
-- The code of one attempt, in the place of the one it had. Primary key.
INSERT INTO login_attempts AS kept (book_id, customer_id, sha256, mac, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (book_id, customer_id, sha256) DO UPDATE
   SET mac = excluded.mac, made_at = excluded.made_at, expires_at = excluded.expires_at, tries = 0

-- name: try_code
-- Count a try of an attempt's code before it is judged. Primary key.
UPDATE login_attempts SET tries = tries + 1
 WHERE book_id = $1 AND customer_id = $2 AND sha256 = $3 AND expires_at > $4 AND tries < $5
RETURNING mac

-- name: use_code
-- The code was right: it is right once. Primary key.
UPDATE login_attempts SET expires_at = $4
 WHERE book_id = $1 AND customer_id = $2 AND sha256 = $3 AND mac = $5 AND expires_at > $4
RETURNING customer_id

-- name: forget_attempts
-- What of one customer's attempts is over. Primary key, by its beginning.
DELETE FROM login_attempts WHERE book_id = $1 AND customer_id = $2 AND expires_at <= $3

-- name: forget_budgets
-- What of one customer's budgets is over. Primary key, by its beginning.
DELETE FROM login_budgets WHERE book_id = $1 AND customer_id = $2 AND since <= $3
