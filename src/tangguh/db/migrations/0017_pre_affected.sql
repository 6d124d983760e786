-- Which payments an incident touched: whose owners are told, and whose money must be clear before
-- the incident may be closed.
-- Why: found once and never forgotten, also when the payment has ended since.
-- Locks: new table only. Back out: drop the table.

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
