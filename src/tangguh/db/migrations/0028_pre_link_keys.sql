-- Keys that the card switch gave us, each sealed by the security module: nobody else can use one.
-- Why: a key received by 0800/161 was in memory only, so a restart went back to the one before and
--      no message could be verified until people had set it by hand.
-- Locks: a new table only. Back out: drop the table.

CREATE TABLE link_keys (
    book_id    smallint    NOT NULL,
    key_name   text        NOT NULL,
    sealed     text        NOT NULL,
    instead_of text        NOT NULL,
    kept_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, key_name)
);
