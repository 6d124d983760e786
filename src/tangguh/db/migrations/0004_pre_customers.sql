-- People, their accounts as products, their PINs and sessions, and acts worth remembering.
-- Why: money is the book's; who may move it is not. Secrets are stored as hashes only.
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE customers (
    book_id     smallint NOT NULL,
    customer_id bigint   NOT NULL,
    phone       text     NOT NULL,
    full_name   text     NOT NULL,
    language    text     NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book_id, customer_id),
    CONSTRAINT phone_is_e164_without_plus CHECK (phone ~ '^[1-9][0-9]{7,14}$'),
    CONSTRAINT language_is_known CHECK (language IN ('id', 'en'))
);
-- Logging in: one customer per phone number.
CREATE UNIQUE INDEX customer_of_phone ON customers (book_id, phone);

CREATE TABLE customer_accounts (
    book_id     smallint NOT NULL,
    customer_id bigint   NOT NULL,
    account_id  bigint   NOT NULL,
    product     text     NOT NULL,
    PRIMARY KEY (book_id, customer_id, account_id)
);
-- Whose account is this number? The payee's name before the PIN.
CREATE UNIQUE INDEX customer_of_account ON customer_accounts (book_id, account_id);

CREATE TABLE pins (
    book_id      smallint NOT NULL,
    customer_id  bigint   NOT NULL,
    argon2id     text     NOT NULL,
    failures     integer  NOT NULL DEFAULT 0,
    locked_until timestamptz,
    PRIMARY KEY (book_id, customer_id),
    CONSTRAINT pin_is_hashed CHECK (argon2id LIKE '$argon2id$%')
);

CREATE TABLE sessions (
    book_id      smallint NOT NULL,
    token_sha256 bytea    NOT NULL,
    customer_id  bigint   NOT NULL,
    signing_key  bytea    NOT NULL,
    kind         text     NOT NULL,
    opened_at    timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (book_id, token_sha256)
);
-- All of one customer's sessions: "log out everywhere", newest login wins.
CREATE INDEX sessions_of_customer ON sessions (book_id, customer_id) WHERE ended_at IS NULL;

CREATE TABLE acts (
    book_id  smallint NOT NULL,
    act_id   uuid     NOT NULL,
    batch_no bigint   NOT NULL,
    at       timestamptz NOT NULL,
    actor    text     NOT NULL,
    what     text     NOT NULL,
    subject  text     NOT NULL,
    detail   text     NOT NULL,
    PRIMARY KEY (book_id, act_id)
);
CREATE INDEX acts_by_batch ON acts USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acts
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
