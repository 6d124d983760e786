-- The statements behind changes that people sign.

-- name: load_changes
-- Changes by id. Primary key.
SELECT change_json FROM changes WHERE book_id = $1 AND change_id = ANY($2::uuid[])

-- name: change_changes
-- The changes a batch moved on.
UPDATE changes AS c SET state = u.state, change_json = u.change_json
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS u(change_id, state, change_json)
 WHERE c.book_id = $1 AND c.change_id = u.change_id

-- name: load_newest_changes
-- The newest change of a kind and subject. Primary key.
SELECT n.kind, n.subject, n.change_id
  FROM unnest($2::text[], $3::text[]) AS u(kind, subject)
  JOIN newest_changes AS n ON n.book_id = $1 AND n.kind = u.kind AND n.subject = u.subject

-- name: change_newest_changes
-- The newest change of a kind and subject is another one now.
UPDATE newest_changes AS n SET change_id = u.change_id
  FROM unnest($2::text[], $3::text[], $4::uuid[]) AS u(kind, subject, change_id)
 WHERE n.book_id = $1 AND n.kind = u.kind AND n.subject = u.subject

-- name: list_changes
-- Changes, newest first. Primary key.
SELECT change_json FROM changes WHERE book_id = $1 ORDER BY change_id DESC LIMIT $2

-- name: changed_rules
-- The guard's rules as they were changed, oldest first. Primary key.
SELECT rule_json FROM rule_changes WHERE book_id = $1 ORDER BY change_id
