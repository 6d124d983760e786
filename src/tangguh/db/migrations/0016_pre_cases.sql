-- Complaints: cases, every step of them, and beside the book what people wrote and who they are.
-- Why: the book's chain is for ever and personal data is not, so texts and addresses lie apart; the
--      chain has their hash (ADR-0025).
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE cases (
    book_id     smallint NOT NULL,
    case_id     uuid     NOT NULL,
    number      text     NOT NULL,
    customer_id bigint   NOT NULL,
    payment_id  uuid,
    incident_id uuid,
    about       text     NOT NULL,
    channel     text     NOT NULL,
    opened_at   timestamptz NOT NULL,
    state       text     NOT NULL,
    act_by      timestamptz NOT NULL,
    due_at      timestamptz NOT NULL,
    case_json   text     NOT NULL,
    PRIMARY KEY (book_id, case_id),
    CONSTRAINT case_state_is_known CHECK (state IN
        ('received', 'waiting', 'with_staff', 'needs_papers', 'escalated', 'decided', 'closed'))
) WITH (fillfactor = 50);
-- A number is one case's.
CREATE UNIQUE INDEX case_of_number ON cases (book_id, number);
CREATE INDEX cases_of_customer ON cases (book_id, customer_id, case_id) WHERE customer_id <> 0;
CREATE INDEX cases_of_payment ON cases (book_id, payment_id, case_id) WHERE payment_id IS NOT NULL;
CREATE INDEX cases_of_incident ON cases (book_id, incident_id, case_id)
    WHERE incident_id IS NOT NULL;
-- The queue, and the clock: whatever is not closed, by when somebody must act.
CREATE INDEX cases_to_act_on ON cases (book_id, act_by) WHERE state <> 'closed';
-- The monthly figures.
CREATE INDEX cases_by_day ON cases (book_id, opened_at);

CREATE TABLE case_events (
    book_id  smallint NOT NULL,
    case_id  uuid     NOT NULL,
    seq      integer  NOT NULL,
    batch_no bigint   NOT NULL,
    at       timestamptz NOT NULL,
    state    text     NOT NULL,
    what     text     NOT NULL,
    detail   text     NOT NULL,
    made_by  text     NOT NULL,
    PRIMARY KEY (book_id, case_id, seq)
);
CREATE INDEX case_events_by_batch ON case_events USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

-- Beside the book, since a person may ask for it to be deleted.
CREATE TABLE case_messages (
    book_id    smallint NOT NULL,
    message_id uuid     NOT NULL,
    case_id    uuid     NOT NULL,
    at         timestamptz NOT NULL,
    made_by    text     NOT NULL,
    body       text     NOT NULL,
    PRIMARY KEY (book_id, message_id)
);
CREATE INDEX messages_of_case ON case_messages (book_id, case_id, message_id);

-- What settlement found of a payment somebody complains of.
CREATE INDEX breaks_of_payment ON settlement_breaks (book_id, payment_id)
    WHERE payment_id IS NOT NULL;

CREATE TABLE case_contacts (
    book_id     smallint NOT NULL,
    case_id     uuid     NOT NULL,
    address     text     NOT NULL,
    code_sha256 bytea    NOT NULL,
    PRIMARY KEY (book_id, case_id)
);
