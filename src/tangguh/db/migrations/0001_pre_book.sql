-- The book: accounts, postings, entries, holds, batches.
-- Why: the ledger of one book has one writer (ADR-0008); every key begins with book_id, so that a
--      book can live on any node of a Citus cluster.
-- Locks: new tables only. Time on 10 M rows: none. Back out: drop the tables.

CREATE TABLE books (
    book_id     smallint PRIMARY KEY,
    currency    text     NOT NULL,
    epoch       bigint   NOT NULL DEFAULT 0,
    batch_no    bigint   NOT NULL DEFAULT 0,
    head_hash   bytea    NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    opened_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT head_is_a_sha256 CHECK (octet_length(head_hash) = 32)
) WITH (fillfactor = 10);

CREATE TABLE accounts (
    book_id      smallint NOT NULL,
    account_id   bigint   NOT NULL,
    kind         text     NOT NULL,
    owner_id     bigint   NOT NULL DEFAULT 0,
    state        text     NOT NULL,
    posted_minor bigint   NOT NULL,
    held_minor   bigint   NOT NULL,
    floor_minor  bigint,
    entry_seq    bigint   NOT NULL,
    opened_at    timestamptz NOT NULL,
    overdrawn_minor bigint NOT NULL DEFAULT 0,
    tier         text     NOT NULL DEFAULT '',
    PRIMARY KEY (book_id, account_id),
    CONSTRAINT account_state_is_known CHECK (state IN ('open', 'frozen', 'closed')),
    CONSTRAINT held_must_not_be_negative CHECK (held_minor >= 0),
    CONSTRAINT overdrawn_must_not_be_negative CHECK (overdrawn_minor >= 0),
    CONSTRAINT hold_must_not_exceed_available
        CHECK (floor_minor IS NULL OR posted_minor - held_minor >= floor_minor - overdrawn_minor)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

CREATE TABLE postings (
    book_id       smallint NOT NULL,
    posting_id    uuid     NOT NULL,
    batch_no      bigint   NOT NULL,
    ordinal       integer  NOT NULL,
    kind          text     NOT NULL,
    posted_at     timestamptz NOT NULL,
    business_date date     NOT NULL,
    reverses      uuid,
    note          text     NOT NULL,
    PRIMARY KEY (book_id, posting_id)
);
-- One reversal per posting, whatever the application thinks.
CREATE UNIQUE INDEX posting_reversed_once ON postings (book_id, reverses) WHERE reverses IS NOT NULL;
-- Walking the chain: every posting of a batch, in order.
CREATE INDEX postings_by_batch ON postings USING brin (batch_no);

CREATE TABLE entries (
    book_id       smallint NOT NULL,
    account_id    bigint   NOT NULL,
    seq           bigint   NOT NULL,
    batch_no      bigint   NOT NULL,
    posting_id    uuid     NOT NULL,
    amount_minor  bigint   NOT NULL,
    balance_minor bigint   NOT NULL,
    posted_at     timestamptz NOT NULL,
    PRIMARY KEY (book_id, account_id, seq),
    CONSTRAINT entry_must_not_be_zero CHECK (amount_minor <> 0),
    CONSTRAINT entry_seq_starts_at_one CHECK (seq >= 1)
);
-- The entries of one posting: reversals, the payment's page, investigators.
CREATE INDEX entries_by_posting ON entries (book_id, posting_id);
CREATE INDEX entries_by_batch ON entries USING brin (batch_no);

CREATE TABLE holds (
    book_id      smallint NOT NULL,
    hold_id      uuid     NOT NULL,
    account_id   bigint   NOT NULL,
    amount_minor bigint   NOT NULL,
    posted_minor bigint   NOT NULL,
    state        text     NOT NULL,
    placed_at    timestamptz NOT NULL,
    ended_at     timestamptz,
    expires_at   timestamptz,
    PRIMARY KEY (book_id, hold_id),
    CONSTRAINT hold_state_is_known CHECK (state IN ('held', 'posted', 'voided', 'expired')),
    CONSTRAINT hold_amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT post_must_not_exceed_hold CHECK (posted_minor BETWEEN 0 AND amount_minor),
    CONSTRAINT only_a_posted_hold_has_posted CHECK ((state = 'posted') = (posted_minor > 0)),
    CONSTRAINT a_hold_that_ended_says_when CHECK ((state = 'held') = (ended_at IS NULL))
) WITH (fillfactor = 70);
-- What is held on one account: the customer's list of held money, and the proof.
CREATE INDEX holds_open ON holds (book_id, account_id) WHERE state = 'held';
-- Holds whose time is over: the expiry job.
CREATE INDEX holds_to_expire ON holds (book_id, expires_at)
    WHERE state = 'held' AND expires_at IS NOT NULL;

CREATE TABLE batches (
    book_id    smallint NOT NULL,
    batch_no   bigint   NOT NULL,
    epoch      bigint   NOT NULL,
    decided_at timestamptz NOT NULL,
    commands   integer  NOT NULL,
    previous   bytea    NOT NULL,
    hash       bytea    NOT NULL,
    PRIMARY KEY (book_id, batch_no)
);
