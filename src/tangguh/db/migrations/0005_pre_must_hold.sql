-- A word for "this must be so, or nothing of the statement happens".
-- Why: a batch of the book is one statement; a lost fence or a missing row must undo all of it.
-- Locks: none. Back out: drop the function.

CREATE FUNCTION must_hold(holds boolean, rule text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF holds IS NOT TRUE THEN
        RAISE EXCEPTION '%', rule USING ERRCODE = 'TG001', CONSTRAINT = rule;
    END IF;
    RETURN true;
END $$;
