-- Payments: what became of each order, its events, and the day's use of limits.
-- Why: the resolver is promised in the payment's own row (resolve_at), in the batch that holds the
--      money, so money cannot be held without somebody whose duty it is to find its end (ADR-0005).
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE payments (
    book_id           smallint NOT NULL,
    payment_id        uuid     NOT NULL,
    kind              text     NOT NULL,
    customer_id       bigint   NOT NULL,
    service           text     NOT NULL,
    rail              text     NOT NULL,
    state             text     NOT NULL,
    debtor            bigint   NOT NULL,
    creditor          bigint   NOT NULL,
    amount_minor      bigint   NOT NULL,
    tip_minor         bigint   NOT NULL,
    fee_minor         bigint   NOT NULL,
    currency          text     NOT NULL,
    order_key         text     NOT NULL,
    order_json        json     NOT NULL,
    original_id       uuid,
    network_reference text     NOT NULL,
    refusal           text     NOT NULL,
    refusal_field     text     NOT NULL,
    refusal_detail    text     NOT NULL,
    refunded_minor    bigint   NOT NULL,
    refunding_minor   bigint   NOT NULL,
    business_date     date     NOT NULL,
    accepted_at       timestamptz NOT NULL,
    concluded_at      timestamptz,
    resolve_at        timestamptz,
    attempts          integer  NOT NULL,
    events            integer  NOT NULL,
    wire_reference    text     NOT NULL DEFAULT '',
    PRIMARY KEY (book_id, payment_id),
    CONSTRAINT payment_kind_is_known CHECK (kind IN ('payment', 'refund', 'credit')),
    CONSTRAINT payment_state_is_known
        CHECK (state IN ('refused', 'held', 'unanswered', 'posted', 'voided', 'refunded')),
    CONSTRAINT resolver_is_promised
        CHECK ((state IN ('held', 'unanswered')) = (resolve_at IS NOT NULL)),
    CONSTRAINT conclusion_has_a_time
        CHECK ((state IN ('held', 'unanswered')) = (concluded_at IS NULL)),
    CONSTRAINT refusal_says_why
        CHECK ((state IN ('refused', 'voided')) = (refusal <> '')),
    CONSTRAINT refunds_must_not_exceed_payment
        CHECK (refunded_minor >= 0 AND refunding_minor >= 0
               AND refunded_minor + refunding_minor <= amount_minor + tip_minor),
    CONSTRAINT only_a_refund_names_an_original
        CHECK (kind = 'refund' OR original_id IS NULL)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
-- The resolver's list: what is open, by when it wants to be looked at.
CREATE INDEX payments_to_resolve ON payments (book_id, resolve_at) WHERE resolve_at IS NOT NULL;
-- A customer's own payments, newest first (ids are time-ordered).
CREATE INDEX payments_of_customer ON payments (book_id, customer_id, payment_id);
-- One payment per idempotency key of a customer (``customer:key``), whatever the application
-- thinks. One text, so that no index but this one can find it: on a young table, without
-- statistics, PostgreSQL took the customer's whole history instead.
CREATE UNIQUE INDEX payment_of_order_key ON payments (book_id, order_key);
-- The refunds of one payment.
CREATE INDEX refunds_of_payment ON payments (book_id, original_id) WHERE original_id IS NOT NULL;

-- What an account received on a day: a merchant's takings.
CREATE INDEX payments_of_merchant ON payments (book_id, creditor, business_date)
    WHERE service IN ('mobile.qris.onus', 'in.qris.merchant', 'emoney.qris.server',
                      'emoney.qris.touristpass');
-- The payment a network names by a reference that is not our id; each names one.
CREATE UNIQUE INDEX payment_of_wire_reference ON payments (book_id, rail, wire_reference)
    WHERE wire_reference <> '';

CREATE TABLE payment_events (
    book_id    smallint NOT NULL,
    payment_id uuid     NOT NULL,
    seq        integer  NOT NULL,
    batch_no   bigint   NOT NULL,
    at         timestamptz NOT NULL,
    state      text     NOT NULL,
    what       text     NOT NULL,
    detail     text     NOT NULL,
    PRIMARY KEY (book_id, payment_id, seq)
);
CREATE INDEX payment_events_by_batch ON payment_events USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

CREATE TABLE limit_usage (
    book_id       smallint NOT NULL,
    account_id    bigint   NOT NULL,
    service       text     NOT NULL,
    business_date date     NOT NULL,
    used_minor    bigint   NOT NULL,
    PRIMARY KEY (book_id, account_id, service, business_date),
    CONSTRAINT usage_must_not_be_negative CHECK (used_minor >= 0)
) WITH (fillfactor = 70);

-- The last number given to a payment on a rail that names payments by a number of the day.
CREATE TABLE wire_sequences (
    book_id       smallint NOT NULL,
    rail          text     NOT NULL,
    business_date date     NOT NULL,
    last_number   bigint   NOT NULL,
    PRIMARY KEY (book_id, rail, business_date),
    CONSTRAINT a_sequence_counts_from_one CHECK (last_number >= 1)
) WITH (fillfactor = 10);
