-- What customers have beside accounts: e-money purses, merchants' QRIS codes, cards, one-time codes.
-- Why: who may use what is not money; the money behind each is an account of the book.
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE purses (
    book_id     smallint NOT NULL,
    account_id  bigint   NOT NULL,
    pending_id  bigint   NOT NULL,
    product     text     NOT NULL,
    number      text     NOT NULL,
    customer_id bigint   NOT NULL,
    expires_on  date     NOT NULL,
    issued_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, account_id),
    CONSTRAINT purse_product_is_known CHECK (product IN ('card', 'server', 'touristpass')),
    CONSTRAINT purse_number_is_digits CHECK (number ~ '^[0-9]{12,19}$')
);
-- The number printed on a card or shown in the app.
CREATE UNIQUE INDEX purse_of_number ON purses (book_id, number);

CREATE TABLE merchants (
    book_id       smallint NOT NULL,
    merchant_id   text     NOT NULL,
    account_id    bigint   NOT NULL,
    waiting_id    bigint   NOT NULL,
    customer_id   bigint   NOT NULL,
    nmid          text     NOT NULL,
    pan           text     NOT NULL,
    name          text     NOT NULL,
    city          text     NOT NULL,
    postal_code   text     NOT NULL,
    category_code text     NOT NULL,
    criteria      text     NOT NULL,
    opened_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, merchant_id),
    CONSTRAINT criteria_is_known CHECK (criteria IN ('UMI', 'UKE', 'UME', 'UBE', 'URE', 'PSO', 'BLU'))
);
-- A scanned code names its merchant by PAN.
CREATE UNIQUE INDEX merchant_of_pan ON merchants (book_id, pan);
CREATE UNIQUE INDEX merchant_of_nmid ON merchants (book_id, nmid);
-- A merchant's own page.
CREATE INDEX merchants_of_customer ON merchants (book_id, customer_id);

CREATE TABLE cards (
    book_id     smallint NOT NULL,
    card_token  text     NOT NULL,
    sealed_pan  text     NOT NULL,
    last_four   text     NOT NULL,
    expires     text     NOT NULL,
    account_id  bigint   NOT NULL,
    customer_id bigint   NOT NULL,
    pvv         text     NOT NULL,
    state       text     NOT NULL,
    tries_left  smallint NOT NULL,
    issued_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, card_token),
    CONSTRAINT card_state_is_known CHECK (state IN ('active', 'blocked', 'lost')),
    CONSTRAINT card_expires_is_yymm CHECK (expires ~ '^[0-9]{4}$'),
    CONSTRAINT tries_are_counted CHECK (tries_left BETWEEN 0 AND 3)
) WITH (fillfactor = 80);
-- A customer's own cards.
CREATE INDEX cards_of_customer ON cards (book_id, customer_id);

CREATE TABLE one_time_codes (
    book_id      smallint NOT NULL,
    code_hash    text     NOT NULL,
    kind         text     NOT NULL,
    customer_id  bigint   NOT NULL,
    account_id   bigint   NOT NULL,
    amount_minor bigint,
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (book_id, code_hash),
    CONSTRAINT code_kind_is_known CHECK (kind IN ('cpm', 'cash'))
);

-- Bills of our own merchants: dynamic codes, each paid once. In the book's hands, so that two
-- payers of one code cannot both pay it.
CREATE TABLE merchant_bills (
    book_id      smallint NOT NULL,
    merchant_id  text     NOT NULL,
    bill_no      text     NOT NULL,
    amount_minor bigint   NOT NULL,
    expires_at   timestamptz NOT NULL,
    paid_by      uuid,
    PRIMARY KEY (book_id, merchant_id, bill_no),
    CONSTRAINT bill_amount_is_positive CHECK (amount_minor > 0)
) WITH (fillfactor = 80);
