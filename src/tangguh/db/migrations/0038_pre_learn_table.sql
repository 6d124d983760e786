-- What: the writer's way to let PostgreSQL look at a table that has grown.
-- Why: the bank's role owns no table, and ANALYZE is the owner's; older servers have no right to
--      give for it. The function runs as its owner and can do nothing but that.
-- Locks: none. Back out: drop the function.

CREATE FUNCTION learn_table(name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ANALYZE public.%I', name);
END
$$;

REVOKE ALL ON FUNCTION learn_table(text) FROM PUBLIC;
