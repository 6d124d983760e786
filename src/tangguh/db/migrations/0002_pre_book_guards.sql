-- The book's invariants as PostgreSQL states them: entries balance, nothing written is rewritten.
-- Why: each invariant is stated twice, once in Python and once here (ADR-0008). One check per
--      statement over its transition table, not one per row: measured at 4 to 11 % of a batch.
-- Locks: triggers on new tables. Citus refuses triggers on distributed tables; there the proof
--      is the only second statement of these rules (docs/adr/0008-the-book.md).
-- Back out: drop the triggers and functions.

CREATE FUNCTION entries_must_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written GROUP BY book_id, posting_id
        HAVING sum(amount_minor) <> 0 OR count(*) < 2
    ) THEN
        RAISE EXCEPTION 'entries_must_balance' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'entries_must_balance';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER entries_must_balance AFTER INSERT ON entries
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION entries_must_balance();

CREATE FUNCTION the_book_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the_book_is_append_only: % on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = 'the_book_is_append_only';
END $$;

CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON batches
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
