-- The statements behind the link's keys.

-- name: keep_key
-- A key from now on; the one before it is nobody's.
INSERT INTO link_keys (book_id, key_name, sealed, instead_of, kept_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (book_id, key_name)
DO UPDATE SET sealed = excluded.sealed, instead_of = excluded.instead_of, kept_at = excluded.kept_at

-- name: kept_keys
-- Every key of a book's link. Primary key.
SELECT key_name, sealed, instead_of FROM link_keys WHERE book_id = $1 ORDER BY key_name
