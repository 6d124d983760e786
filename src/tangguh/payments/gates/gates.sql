-- The statements behind gates.

-- name: load_gates
-- The board of closures in force: one row. Primary key.
SELECT board_json FROM gates WHERE book_id = $1 AND board_id = ANY($2::smallint[])

-- name: change_gates
-- The board after a batch.
UPDATE gates AS g SET version = u.version, board_json = u.board_json
  FROM unnest($2::smallint[], $3::bigint[], $4::text[]) AS u(board_id, version, board_json)
 WHERE g.book_id = $1 AND g.board_id = u.board_id

-- name: load_gate_rates
-- How many payments limited gates have let through in a minute. Primary key.
SELECT r.closure_id, r.minute, r.used
  FROM unnest($2::uuid[], $3::timestamptz[]) AS u(closure_id, minute)
  JOIN gate_rates AS r
    ON r.book_id = $1 AND r.closure_id = u.closure_id AND r.minute = u.minute

-- name: change_gate_rates
-- What a batch let through.
UPDATE gate_rates AS r SET used = u.used
  FROM unnest($2::uuid[], $3::timestamptz[], $4::integer[]) AS u(closure_id, minute, used)
 WHERE r.book_id = $1 AND r.closure_id = u.closure_id AND r.minute = u.minute

-- name: the_board
-- The board, for readers beside the writer. Primary key.
SELECT version, board_json FROM gates WHERE book_id = $1 AND board_id = 0

-- name: gate_events
-- The history of gates, newest first. Primary key.
SELECT event_id, at, closure_id, version, what, made_by, closure_json FROM gate_events
 WHERE book_id = $1 ORDER BY event_id DESC LIMIT $2

-- name: events_of_closure
-- The history of one closure, oldest first. gate_events_of_closure.
SELECT event_id, at, closure_id, version, what, made_by, closure_json FROM gate_events
 WHERE book_id = $1 AND closure_id = $2 ORDER BY event_id
