-- What tables weigh and how they were updated, for ``tangguh bench size``.

-- name: sizes
-- Each table's heap (with its TOAST), its indexes, its updates and those that touched no index.
SELECT c.relname AS name,
       pg_table_size(c.oid) AS heap,
       pg_indexes_size(c.oid) AS indexes,
       coalesce(s.n_tup_upd, 0) AS updates,
       coalesce(s.n_tup_hot_upd, 0) AS hot_updates
  FROM pg_class AS c
  LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace

-- name: flush_statistics
-- Counters lag behind by a second; this connection is to see them as they are.
SELECT pg_stat_clear_snapshot()

-- name: vacuum
-- What changes after it was written: the room of old versions becomes free.
VACUUM payments, holds, limit_usage, accounts
