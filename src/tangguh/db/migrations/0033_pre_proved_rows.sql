-- What the hash chain says of rows that may change: payments, what accounts are, and a few others.
-- Why: a row that changes cannot be in the chain, but its digest after each change can. A row that
--      is changed beside the book then no longer is what the chain says it became (ADR-0033).
-- Locks: a column without a default rewrites nothing; new tables. Rows made before have no digest
--      until they change or the bank starts. Back out: drop the tables and the column; the chain
--      of the batches made since cannot be walked without them.

ALTER TABLE payment_events ADD COLUMN row_digest bytea;

-- What an account is: each version of it. Its balance is its entries'.
CREATE TABLE account_terms (
    book_id     smallint NOT NULL,
    account_id  bigint   NOT NULL,
    batch_no    bigint   NOT NULL,
    ordinal     integer  NOT NULL,
    kind        text     NOT NULL,
    owner_id    bigint   NOT NULL,
    state       text     NOT NULL,
    floor_minor bigint,
    opened_at   timestamptz NOT NULL,
    tier        text     NOT NULL,
    PRIMARY KEY (book_id, account_id, batch_no, ordinal),
    CONSTRAINT account_state_is_known CHECK (state IN ('open', 'frozen', 'closed'))
);
CREATE INDEX account_terms_by_batch ON account_terms USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_terms
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

-- The digest of a row after each change of it, by table and key.
CREATE TABLE row_seals (
    book_id  smallint NOT NULL,
    relation text     NOT NULL,
    row_key  text     NOT NULL,
    batch_no bigint   NOT NULL,
    ordinal  integer  NOT NULL,
    digest   bytea    NOT NULL,
    PRIMARY KEY (book_id, relation, row_key, batch_no),
    CONSTRAINT seal_is_a_digest CHECK (octet_length(digest) = 16)
);
CREATE INDEX row_seals_by_batch ON row_seals USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON row_seals
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
