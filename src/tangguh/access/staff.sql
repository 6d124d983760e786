-- The statements behind staff: who they are, and the keys they are known by.

-- name: add_staff
-- Keep a new member of staff; nothing when the id is taken.
INSERT INTO staff
    (book_id, staff_id, full_name, hr_id, roles, reports_to, team, state, added_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (book_id, staff_id) DO NOTHING
RETURNING staff_id

-- name: list_staff
-- Everybody, frozen ones too: the same-person rule looks at all of them. Primary key.
SELECT staff_id, full_name, hr_id, roles, reports_to, team, state
  FROM staff WHERE book_id = $1 ORDER BY staff_id

-- name: find_staff
-- One member of staff. Primary key.
SELECT staff_id, full_name, hr_id, roles, reports_to, team, state
  FROM staff WHERE book_id = $1 AND staff_id = $2

-- name: freeze_staff
-- From now on it signs nothing. Whether it was active is what comes back. Primary key.
UPDATE staff SET state = 'frozen', frozen_at = $3
 WHERE book_id = $1 AND staff_id = $2 AND state = 'active'
RETURNING staff_id

-- name: add_key
-- Keep a key by its hash; nothing when that key is known already.
INSERT INTO staff_keys (book_id, sha256, staff_id, kind, public_key, added_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (book_id, sha256) DO NOTHING
RETURNING sha256

-- name: find_by_key
-- The active member of staff of a live key. Primary key of both.
SELECT s.staff_id, s.full_name, s.hr_id, s.roles, s.reports_to, s.team, s.state
  FROM staff_keys AS k
  JOIN staff AS s ON s.book_id = k.book_id AND s.staff_id = k.staff_id
 WHERE k.book_id = $1 AND k.sha256 = $2 AND k.kind = $3 AND k.state = 'active'
   AND k.expires_at > $4 AND s.state = 'active'

-- name: revoke_keys
-- No key of theirs opens anything any more. keys_of_staff.
UPDATE staff_keys SET state = 'revoked', revoked_at = $3
 WHERE book_id = $1 AND staff_id = $2 AND state = 'active'
RETURNING sha256

-- name: open_session
-- A browser session, as long as its key and its device are live.
INSERT INTO staff_sessions
    (book_id, sha256, key_sha256, opened_at, used_at, expires_at, device_sha256)
VALUES ($1, $2, $3, $4, $4, $5, $6)

-- name: use_session
-- The active member of staff of a live session that was used lately; its device is live and
-- theirs. That it is used now is written down only when its last use was before $5, so that a
-- reader's looks are not writes. Primary keys of all four.
WITH live AS (
    SELECT used.book_id, used.sha256, used.used_at,
           s.staff_id, s.full_name, s.hr_id, s.roles, s.reports_to, s.team, s.state
      FROM staff_sessions AS used
      JOIN staff_keys AS k ON k.book_id = used.book_id AND k.sha256 = used.key_sha256
      JOIN staff AS s ON s.book_id = k.book_id AND s.staff_id = k.staff_id
      JOIN staff_devices AS d ON d.book_id = k.book_id AND d.staff_id = k.staff_id
     WHERE used.book_id = $1 AND used.sha256 = $2 AND used.ended_at IS NULL
       AND used.expires_at > $3 AND used.used_at > $4
       AND k.state = 'active' AND k.expires_at > $3 AND s.state = 'active'
       AND d.sha256 = used.device_sha256 AND d.ended_at IS NULL
), noted AS (
    UPDATE staff_sessions AS used SET used_at = $3
      FROM live
     WHERE used.book_id = live.book_id AND used.sha256 = live.sha256 AND live.used_at < $5
)
SELECT staff_id, full_name, hr_id, roles, reports_to, team, state FROM live

-- name: end_session
-- Log out. Primary key.
UPDATE staff_sessions SET ended_at = $3 WHERE book_id = $1 AND sha256 = $2 AND ended_at IS NULL
