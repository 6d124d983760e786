-- The statements behind devices of staff.

-- name: issue_first
-- The first device of an account; nothing for one that had any since it was last reset.
-- devices_of_staff.
INSERT INTO staff_devices (book_id, sha256, staff_id, is_first, issued_at)
SELECT $1, $2, $3, true, $4
 WHERE NOT EXISTS (SELECT 1 FROM staff_devices AS had
                    WHERE had.book_id = $1 AND had.staff_id = $3 AND had.reset_at IS NULL)
ON CONFLICT DO NOTHING
RETURNING sha256

-- name: issue_another
-- One more, as long as the one it is asked from is live and theirs, and there are not too many.
-- devices_of_staff.
INSERT INTO staff_devices (book_id, sha256, staff_id, is_first, issued_at)
SELECT $1, $2, $3, false, $4
  FROM staff_devices AS asked
 WHERE asked.book_id = $1 AND asked.sha256 = $5 AND asked.staff_id = $3 AND asked.ended_at IS NULL
   AND (SELECT count(*) FROM staff_devices AS live
         WHERE live.book_id = $1 AND live.staff_id = $3 AND live.ended_at IS NULL AND live.reset_at IS NULL) < $6
RETURNING sha256

-- name: replace_device
-- A new secret for a device, in the place of the old one, which ends: both, or neither. Primary key.
WITH ended AS (
    UPDATE staff_devices SET ended_at = $4
     WHERE book_id = $1 AND sha256 = $5 AND staff_id = $3 AND ended_at IS NULL
    RETURNING sha256
)
INSERT INTO staff_devices (book_id, sha256, staff_id, is_first, issued_at)
SELECT $1, $2, $3, false, $4 FROM ended
RETURNING sha256

-- name: owner_of_device
-- Whose a device is, and whether it is live. Primary key.
SELECT staff_id, ended_at IS NULL AS is_live FROM staff_devices WHERE book_id = $1 AND sha256 = $2

-- name: end_device
-- One device opens nothing any more. Primary key.
UPDATE staff_devices SET ended_at = $4
 WHERE book_id = $1 AND sha256 = $2 AND staff_id = $3 AND ended_at IS NULL
RETURNING sha256

-- name: reset_devices
-- No device of an account opens anything any more, and it begins anew. devices_of_staff.
UPDATE staff_devices SET ended_at = coalesce(ended_at, $3), reset_at = $3
 WHERE book_id = $1 AND staff_id = $2 AND reset_at IS NULL
RETURNING sha256

-- name: end_devices
-- No device of an account opens anything any more. devices_of_staff.
UPDATE staff_devices SET ended_at = $3
 WHERE book_id = $1 AND staff_id = $2 AND ended_at IS NULL AND reset_at IS NULL
RETURNING sha256
