-- How far in the book people have been told.
-- Why: an end is told by the process that heard it. If that process dies, or its message finds no
--      database, the next round reads on from here in the book's own log (ADR-0026).
-- Locks: a new table only. Back out: drop the table.

CREATE TABLE word_told (
    book_id  smallint NOT NULL,
    batch_no bigint   NOT NULL,
    PRIMARY KEY (book_id),
    CONSTRAINT a_batch_is_not_negative CHECK (batch_no >= 0)
) WITH (fillfactor = 10);
