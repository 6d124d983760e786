-- Payments and holds fill their pages; their old versions are cleared away sooner.
-- Why: an ending changes columns that partial indexes ask for (state, resolve_at), so none of
--      these updates can stay in its page without touching the indexes. The three tenths of each
--      page that were kept free for such updates only cost space (docs/benchmarks.md, `bench size`).
--      The room of old versions is what later rows are written into, so vacuum has to be prompt.
-- Locks: a SHARE UPDATE EXCLUSIVE lock for a moment; no row is rewritten, old pages stay as they
--      are. Back out: set the fill factor to 70 again.

ALTER TABLE payments SET (fillfactor = 100);
ALTER TABLE holds SET (fillfactor = 100, autovacuum_vacuum_scale_factor = 0.02);
