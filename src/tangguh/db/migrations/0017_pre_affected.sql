-- Which payments an incident touched: whose owners are told, and whose money must be clear before
-- the incident may be closed.
-- Why: found once and never forgotten, also when the payment has ended since.
-- Locks: a new table; an index on acts that holds writers back while it is built, of few rows.
-- Back out: drop the table and the index.

CREATE TABLE affected_payments (
    book_id     smallint NOT NULL,
    incident_id uuid     NOT NULL,
    payment_id  uuid     NOT NULL,
    customer_id bigint   NOT NULL,
    minor       bigint   NOT NULL,
    noted_at    timestamptz NOT NULL,
    PRIMARY KEY (book_id, incident_id, payment_id)
);
-- Whether a payment is in an incident: its owner is told once, by one of the two.
CREATE INDEX affected_by_payment ON affected_payments (book_id, payment_id);

-- Acts for many that were begun and not finished: looked for at each start.
CREATE INDEX acts_of_bulk ON acts (book_id, subject) WHERE what IN ('bulk.begun', 'bulk.done');
-- What people said they sent to authorities.
CREATE INDEX acts_of_reports ON acts (book_id, subject) WHERE what = 'report.sent';
