-- name: find_role
-- Whether there is a role of this name in the cluster.
SELECT 1 FROM pg_roles WHERE rolname = $1

-- name: quote_name
-- A name as SQL has it.
SELECT quote_ident($1)

-- name: quote_secret
-- A password as SQL has it.
SELECT quote_literal($1)

-- name: name_database
-- The database we are in, as SQL has it.
SELECT quote_ident(current_database())
