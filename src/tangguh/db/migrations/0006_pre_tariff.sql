-- Limits and fees: every change with two names and a reason; the newest of a name is in force.
-- Why: operating values belong to the database, with their history (ADR-0011); append-only and in
--      the hash chain, because whoever can raise a limit unseen can empty an account.
-- Locks: new table only. Back out: drop the table.

CREATE TABLE tariff_changes (
    book_id     smallint NOT NULL,
    change_id   uuid     NOT NULL,
    batch_no    bigint   NOT NULL,
    at          timestamptz NOT NULL,
    kind        text     NOT NULL,
    name        text     NOT NULL,
    value_json  text     NOT NULL,
    changed_by  text     NOT NULL,
    approved_by text     NOT NULL,
    reason      text     NOT NULL,
    PRIMARY KEY (book_id, change_id),
    CONSTRAINT tariff_kind_is_known CHECK (kind IN ('limit', 'fee')),
    CONSTRAINT two_people_sign CHECK (changed_by <> '' AND approved_by <> ''
                                      AND changed_by <> approved_by)
);
CREATE INDEX tariff_changes_by_batch ON tariff_changes USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tariff_changes
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
