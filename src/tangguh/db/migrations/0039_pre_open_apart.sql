-- What is open lies apart from what has ended: payments and holds get two partitions by state.
-- Why: an ending wrote a payment's row a second time into the same table and into every index of
--      it, and the place of the first version came back only with the next vacuum. Now a row is
--      written into the small table of what is open, and once into the large one when it ends: that
--      one has no old versions, and what is open is found without walking what is not
--      (ADR-0036, docs/benchmarks.md `bench size`). Statements see one table, as before.
-- A unique index sees one part. Across both, each batch of the writer asks first whether what it
--      adds is new (`taken_payments`, `taken_holds`), and the proof asks of all.
-- What is open is often nothing, and the statistics say so: one row, by whatever index. One look
--      by key went so through all that had just ended, 8 ms of it. So each index there is partial:
--      only who names its column can be led to it.
-- Locks: an exclusive lock on both tables, to move the open rows and to read the ended ones once:
--      some 15 s for 10 M rows. Grants are made anew when the bank starts.
-- Back out: create plain tables from a SELECT of each, with the indexes of 0001, 0003 and 0009.

-- ---- payments -------------------------------------------------------------------------------
DROP INDEX payments_to_resolve, payments_parked;
ALTER TABLE payments RENAME TO ended_payments;
CREATE TABLE payments (LIKE ended_payments INCLUDING DEFAULTS) PARTITION BY LIST (state);

CREATE TABLE open_payments (
    LIKE ended_payments INCLUDING DEFAULTS INCLUDING CONSTRAINTS
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO open_payments SELECT * FROM ended_payments
 WHERE state IN ('parked', 'held', 'unanswered');
DELETE FROM ended_payments WHERE state IN ('parked', 'held', 'unanswered');
CREATE UNIQUE INDEX open_payment ON open_payments (book_id, payment_id)
    WHERE payment_id IS NOT NULL;
-- The resolver's list: by when each wants to be looked at.
CREATE INDEX payments_to_resolve ON open_payments (book_id, resolve_at)
    WHERE resolve_at IS NOT NULL;
-- What waits for a service that is closed.
CREATE INDEX payments_parked ON open_payments (book_id, rail) WHERE state = 'parked';
-- The same questions as of those that ended.
CREATE INDEX open_payments_of_customer ON open_payments (book_id, customer_id, payment_id)
    WHERE customer_id IS NOT NULL;
CREATE UNIQUE INDEX open_payment_of_order_key ON open_payments (book_id, order_key)
    WHERE order_key IS NOT NULL;
CREATE INDEX open_refunds_of_payment ON open_payments (book_id, original_id)
    WHERE original_id IS NOT NULL;
CREATE UNIQUE INDEX open_payment_of_wire_reference ON open_payments (book_id, rail, wire_reference)
    WHERE wire_reference <> '';

-- So that whoever asks for what is open need not look here.
ALTER TABLE ended_payments ADD CONSTRAINT what_ended_is_not_open
    CHECK (resolve_at IS NULL AND state IS NOT NULL
           AND state <> ALL (ARRAY['parked', 'held', 'unanswered']));
ALTER TABLE payments ATTACH PARTITION open_payments
    FOR VALUES IN ('parked', 'held', 'unanswered');
-- Whatever is no open state, also one that is not known, so that a constraint can say so by name.
ALTER TABLE payments ATTACH PARTITION ended_payments DEFAULT;

-- The watch sees both; a view that is replaced keeps its grants.
CREATE OR REPLACE VIEW watched_payments AS
SELECT book_id, rail, wire_reference AS reference, kind, state,
       amount_minor + tip_minor AS amount_minor
  FROM payments WHERE wire_reference <> '';

-- ---- holds ----------------------------------------------------------------------------------
DROP INDEX holds_open, holds_to_expire;
ALTER TABLE holds RENAME TO ended_holds;
CREATE TABLE holds (LIKE ended_holds INCLUDING DEFAULTS) PARTITION BY LIST (state);

CREATE TABLE open_holds (
    LIKE ended_holds INCLUDING DEFAULTS INCLUDING CONSTRAINTS
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
INSERT INTO open_holds SELECT * FROM ended_holds WHERE state = 'held';
DELETE FROM ended_holds WHERE state = 'held';
CREATE UNIQUE INDEX open_hold ON open_holds (book_id, hold_id) WHERE hold_id IS NOT NULL;
-- What is held on one account: the customer's list of held money, and the proof.
CREATE INDEX holds_of_account ON open_holds (book_id, account_id)
    WHERE account_id IS NOT NULL;
-- Holds whose time is over: the expiry job.
CREATE INDEX holds_to_expire ON open_holds (book_id, expires_at) WHERE expires_at IS NOT NULL;

ALTER TABLE ended_holds ADD CONSTRAINT what_ended_is_not_open
    CHECK (state IS NOT NULL AND state <> ALL (ARRAY['held']));
ALTER TABLE holds ATTACH PARTITION open_holds FOR VALUES IN ('held');
ALTER TABLE holds ATTACH PARTITION ended_holds DEFAULT;
