-- The statements behind the partners' doors.

-- name: claim_request
-- The content a partner's name stands for today: ours, if nobody had it before. Primary key.
INSERT INTO partner_requests (book_id, partner, day, external_id, sha256)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (book_id, partner, day, external_id) DO UPDATE SET sha256 = partner_requests.sha256
RETURNING sha256

-- name: forget_requests
-- Names of days that are over. Primary key.
DELETE FROM partner_requests WHERE book_id = $1 AND partner = $2 AND day < $3
