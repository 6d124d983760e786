-- Settlement: the networks' files, what each settled, and the breaks with their owners.
-- Why: a cycle is run from these rows, and running it twice must change nothing; a break is closed
--      only by a posting with two names. Every step is also an act in the hash chain.
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE settlement_files (
    book_id     smallint NOT NULL,
    network     text     NOT NULL,
    day         date     NOT NULL,
    cycle       smallint NOT NULL,
    revision    smallint NOT NULL,
    sha256      text     NOT NULL,
    lines       integer  NOT NULL,
    owed_minor  bigint   NOT NULL,
    due_minor   bigint   NOT NULL,
    fee_minor   bigint   NOT NULL,
    received_at timestamptz NOT NULL,
    state       text     NOT NULL,
    matched     integer  NOT NULL DEFAULT 0,
    breaks      integer  NOT NULL DEFAULT 0,
    posting_id  uuid,
    PRIMARY KEY (book_id, network, day, cycle, revision),
    CONSTRAINT file_state_is_known CHECK (state IN ('received', 'posted', 'superseded')),
    CONSTRAINT cycles_count_from_one CHECK (cycle >= 1 AND revision >= 1),
    CONSTRAINT file_hash_is_a_sha256 CHECK (sha256 ~ '^[0-9a-f]{64}$')
);
-- One file of a cycle counts, whatever the application thinks.
CREATE UNIQUE INDEX file_in_force ON settlement_files (book_id, network, day, cycle)
    WHERE state <> 'superseded';

-- What each cycle listed of each payment, net. Cycle 0: what a repair settled.
CREATE TABLE settlement_matches (
    book_id    smallint NOT NULL,
    payment_id uuid     NOT NULL,
    day        date     NOT NULL,
    cycle      smallint NOT NULL,
    network    text     NOT NULL,
    net_minor  bigint   NOT NULL,
    PRIMARY KEY (book_id, payment_id, day, cycle)
);
-- A file that is superseded takes back what it said.
CREATE INDEX matches_of_cycle ON settlement_matches (book_id, network, day, cycle);

CREATE TABLE settlement_breaks (
    book_id      smallint NOT NULL,
    break_id     uuid     NOT NULL,
    network      text     NOT NULL,
    day          date     NOT NULL,
    cycle        smallint NOT NULL,
    kind         text     NOT NULL,
    reference    text     NOT NULL,
    payment_id   uuid,
    account_id   bigint   NOT NULL,
    ours_minor   bigint   NOT NULL,
    theirs_minor bigint   NOT NULL,
    found_at     timestamptz NOT NULL,
    owner        text     NOT NULL,
    proposal     text     NOT NULL,
    state        text     NOT NULL,
    posting_id   uuid,
    repaired_by  text     NOT NULL DEFAULT '',
    approved_by  text     NOT NULL DEFAULT '',
    reason       text     NOT NULL DEFAULT '',
    ended_at     timestamptz,
    PRIMARY KEY (book_id, break_id),
    CONSTRAINT break_kind_is_known CHECK (kind IN ('missing_in_file', 'missing_in_book',
        'amount_differs', 'state_differs', 'duplicate')),
    CONSTRAINT break_state_is_known CHECK (state IN ('open', 'repaired', 'closed')),
    CONSTRAINT a_break_that_ended_says_when CHECK ((state = 'open') = (ended_at IS NULL)),
    CONSTRAINT a_break_has_an_owner CHECK (owner <> ''),
    CONSTRAINT two_people_repair CHECK (state <> 'repaired' OR (posting_id IS NOT NULL
        AND reason <> '' AND repaired_by <> '' AND approved_by <> ''
        AND repaired_by <> approved_by))
) WITH (fillfactor = 80);
-- The list people work from: what is open, the oldest first.
CREATE INDEX breaks_open ON settlement_breaks (book_id, found_at) WHERE state = 'open';
-- The breaks of one cycle, when it is run again or superseded.
CREATE INDEX breaks_of_cycle ON settlement_breaks (book_id, network, day, cycle);
