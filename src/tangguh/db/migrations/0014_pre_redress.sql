-- Money that comes back: the bank's advances, what it pays for being late, one way back at a time.
-- Why: whether the bank's own money is out on a payment is decided in the step that moves the
--      payment, so it is a column of the payment; the rest is read only when there is some (ADR-0024).
-- Locks: a constant default rewrites nothing; the new check is validated apart. Back out: drop the
--      tables and the column, once every advance is settled.

ALTER TABLE payments ADD COLUMN advanced_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE payments ADD CONSTRAINT an_advance_is_not_negative
    CHECK (advanced_minor >= 0) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT an_advance_is_not_negative;

CREATE TABLE redress (
    book_id       smallint NOT NULL,
    payment_id    uuid     NOT NULL,
    account_id    bigint   NOT NULL,
    advance       text     NOT NULL,
    advance_minor bigint   NOT NULL,
    advanced_at   timestamptz,
    take_back_at  timestamptz,
    why_not       text     NOT NULL,
    late_days     integer  NOT NULL,
    late_minor    bigint   NOT NULL,
    chargeback    uuid,
    came_back_by  text     NOT NULL,
    PRIMARY KEY (book_id, payment_id),
    CONSTRAINT advance_is_known CHECK
        (advance IN ('none', 'refused', 'given', 'owed', 'settled', 'written_off')),
    CONSTRAINT what_is_owed_has_its_time CHECK ((advance = 'owed') = (take_back_at IS NOT NULL))
) WITH (fillfactor = 70);
-- What is to be taken back, by when.
CREATE INDEX redress_to_take_back ON redress (book_id, take_back_at)
    WHERE take_back_at IS NOT NULL;

CREATE TABLE advanced (
    book_id    smallint NOT NULL,
    account_id bigint   NOT NULL,
    count      integer  NOT NULL,
    minor      bigint   NOT NULL,
    PRIMARY KEY (book_id, account_id),
    CONSTRAINT advances_are_counted CHECK (count >= 0 AND minor >= 0)
) WITH (fillfactor = 70);

CREATE TABLE redress_events (
    book_id      smallint NOT NULL,
    event_id     uuid     NOT NULL,
    batch_no     bigint   NOT NULL,
    at           timestamptz NOT NULL,
    payment_id   uuid     NOT NULL,
    what         text     NOT NULL,
    amount_minor bigint   NOT NULL,
    made_by      text     NOT NULL,
    PRIMARY KEY (book_id, event_id)
);
CREATE INDEX redress_events_by_batch ON redress_events USING brin (batch_no);
-- What was done about one payment: its page, a case, the auditor.
CREATE INDEX redress_events_of_payment ON redress_events (book_id, payment_id, event_id);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redress_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
