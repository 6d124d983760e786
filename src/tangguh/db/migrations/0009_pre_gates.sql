-- Gates: the board of closures, their history, rates, and payments that wait with their money.
-- Why: a closure is judged in the step that holds the money, so the board is a row of the book; its
--      history is append-only and in the hash chain (ADR-0019).
-- Locks: new tables; a short exclusive lock on payments to let one more state be. The constraint is
--      validated afterwards without blocking writes. Time on 10 M rows: some 5 s for the index.
-- Back out: drop the tables; the constraint may stay.

CREATE TABLE gates (
    book_id    smallint NOT NULL,
    board_id   smallint NOT NULL,
    version    bigint   NOT NULL,
    board_json text     NOT NULL,
    PRIMARY KEY (book_id, board_id)
) WITH (fillfactor = 10);

CREATE TABLE gate_rates (
    book_id    smallint NOT NULL,
    closure_id uuid     NOT NULL,
    minute     timestamptz NOT NULL,
    used       integer  NOT NULL,
    PRIMARY KEY (book_id, closure_id, minute),
    CONSTRAINT a_rate_counts_up CHECK (used >= 1)
) WITH (fillfactor = 50);

CREATE TABLE gate_events (
    book_id      smallint NOT NULL,
    event_id     uuid     NOT NULL,
    batch_no     bigint   NOT NULL,
    at           timestamptz NOT NULL,
    closure_id   uuid     NOT NULL,
    version      bigint   NOT NULL,
    what         text     NOT NULL,
    made_by      text     NOT NULL,
    closure_json text     NOT NULL,
    PRIMARY KEY (book_id, event_id)
);
CREATE INDEX gate_events_by_batch ON gate_events USING brin (batch_no);
-- One closure's history: the staff page, the post-mortem.
CREATE INDEX gate_events_of_closure ON gate_events (book_id, closure_id, event_id);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gate_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

ALTER TABLE payments DROP CONSTRAINT payment_state_is_known;
ALTER TABLE payments ADD CONSTRAINT payment_state_is_known
    CHECK (state IN ('refused', 'parked', 'held', 'unanswered', 'posted', 'voided', 'refunded'))
    NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT payment_state_is_known;
ALTER TABLE payments DROP CONSTRAINT resolver_is_promised;
ALTER TABLE payments ADD CONSTRAINT resolver_is_promised
    CHECK ((state IN ('parked', 'held', 'unanswered')) = (resolve_at IS NOT NULL)) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT resolver_is_promised;
ALTER TABLE payments DROP CONSTRAINT conclusion_has_a_time;
ALTER TABLE payments ADD CONSTRAINT conclusion_has_a_time
    CHECK ((state IN ('parked', 'held', 'unanswered')) = (concluded_at IS NULL)) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT conclusion_has_a_time;
-- What waits for a gate, the oldest first: the drain.
CREATE INDEX payments_parked ON payments (book_id, payment_id) WHERE state = 'parked';
