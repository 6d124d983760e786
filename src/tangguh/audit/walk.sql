-- The hash chain as it lies in PostgreSQL. Reads only.

-- name: read_head
-- Where the book says it stands.
SELECT batch_no, head_hash FROM books WHERE book_id = $1

-- name: read_batches
-- Some links of the chain. Primary key.
SELECT batch_no, epoch, decided_at, commands, previous, hash FROM batches
 WHERE book_id = $1 AND batch_no BETWEEN $2 AND $3 ORDER BY batch_no

-- name: last_batch
-- The newest link there is, whatever the book says. Primary key, backwards.
SELECT batch_no, hash FROM batches WHERE book_id = $1 ORDER BY batch_no DESC LIMIT 1

-- name: one_batch
-- The hash of one link. Primary key.
SELECT hash FROM batches WHERE book_id = $1 AND batch_no = $2
