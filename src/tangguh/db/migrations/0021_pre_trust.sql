-- What decides about money is kept with its history: merchants' terms, the discount of a payment,
-- the tariff's opening rows; and a one-time code remembers the request that made it.
-- Why: a client's word decided them before (ADR-0027); what is kept can be proved.
-- Locks: short ones for new columns with a constant default. The discounts of earlier payments are
--        copied from their orders: one UPDATE of the payments to our own merchants.
-- Back out: drop the new columns and table.

ALTER TABLE payments ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0;
UPDATE payments
   SET discount_minor = coalesce((order_json #>> '{payee,mdr_minor}')::bigint,
                                 (order_json ->> 'mdr_minor')::bigint, 0)
 WHERE service IN ('mobile.qris.onus', 'in.qris.merchant', 'emoney.qris.server',
                   'emoney.qris.touristpass', 'emoney.spend.card')
   AND coalesce((order_json #>> '{payee,mdr_minor}')::bigint,
                (order_json ->> 'mdr_minor')::bigint, 0) <> 0;
-- Rows written before are not judged here (NOT VALID): `tangguh prove` finds what is wrong in them.
ALTER TABLE payments ADD CONSTRAINT discount_is_part_of_the_amount
    CHECK (discount_minor >= 0 AND discount_minor <= amount_minor + tip_minor) NOT VALID;

-- Who is behind a merchant's number, what it is charged as and where it is paid: every row a change.
CREATE TABLE merchant_terms (
    book_id       smallint NOT NULL,
    terms_id      uuid     NOT NULL,
    batch_no      bigint   NOT NULL,
    in_force_from timestamptz NOT NULL,
    merchant_id   text     NOT NULL,
    account_id    bigint   NOT NULL,
    waiting_id    bigint   NOT NULL,
    customer_id   bigint   NOT NULL,
    category_code text     NOT NULL,
    criteria      text     NOT NULL,
    PRIMARY KEY (book_id, terms_id)
);
CREATE INDEX merchant_terms_by_batch ON merchant_terms USING brin (batch_no);
-- The terms of a merchant at an instant.
CREATE INDEX terms_of_merchant ON merchant_terms (book_id, merchant_id, in_force_from);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON merchant_terms
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

ALTER TABLE tariff_changes DROP CONSTRAINT tariff_kind_is_known;
ALTER TABLE tariff_changes ADD CONSTRAINT tariff_kind_is_known
    CHECK (kind IN ('limit', 'fee', 'discount'));

ALTER TABLE one_time_codes ADD COLUMN order_key text NOT NULL DEFAULT '';
-- A repeat of a request finds the code it made (``customer:key``).
CREATE UNIQUE INDEX code_of_order_key ON one_time_codes (book_id, order_key) WHERE order_key <> '';
