-- Codes of a log-in by the attempt that asked for them, and how many were sent on whose account.
-- Why: there was one code and one count of three an hour for a customer. Whoever knew the number
--      used the codes up, replaced the owner's by another, and tried hers wrong until it ended.
-- Locks: new tables only.
-- Back out: drop the tables.

CREATE TABLE login_attempts (
    book_id     smallint    NOT NULL,
    customer_id bigint      NOT NULL,
    sha256      bytea       NOT NULL,
    mac         bytea       NOT NULL,
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    tries       integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (book_id, customer_id, sha256),
    CONSTRAINT attempt_hash_is_a_sha256 CHECK (length(sha256) = 32),
    CONSTRAINT attempt_mac_is_a_sha256 CHECK (length(mac) = 32),
    CONSTRAINT attempt_tries_are_counted CHECK (tries >= 0)
);

CREATE TABLE login_budgets (
    book_id     smallint    NOT NULL,
    customer_id bigint      NOT NULL,
    whose       text        NOT NULL,
    spent       integer     NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (book_id, customer_id, whose),
    CONSTRAINT budget_is_spent_upwards CHECK (spent >= 1)
);
