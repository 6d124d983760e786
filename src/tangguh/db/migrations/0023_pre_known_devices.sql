-- Devices a customer is known by, the codes that make one known, and browser sessions of staff.
-- Why: a PIN alone is six digits. A device that has proved itself once is counted apart from
--      strangers, so that nobody's guesses lock its owner out; a new one needs a second factor.
--      A staff page's cookie was the token itself, which a log-out did not end.
-- Locks: new tables only, and columns with constant defaults on sessions (no rewrite).
-- Back out: drop the tables and the columns.

CREATE TABLE known_devices (
    book_id     smallint    NOT NULL,
    customer_id bigint      NOT NULL,
    sha256      bytea       NOT NULL,
    known_at    timestamptz NOT NULL,
    used_at     timestamptz NOT NULL,
    failures    integer     NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    PRIMARY KEY (book_id, customer_id, sha256),
    CONSTRAINT device_hash_is_a_sha256 CHECK (length(sha256) = 32),
    CONSTRAINT device_failures_are_counted CHECK (failures >= 0)
);

-- One code at a time for one customer; kept by HMAC.
CREATE TABLE login_codes (
    book_id     smallint    NOT NULL,
    customer_id bigint      NOT NULL,
    mac         bytea       NOT NULL,
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    tries       integer     NOT NULL DEFAULT 0,
    sent        integer     NOT NULL DEFAULT 1,
    sent_since  timestamptz NOT NULL,
    PRIMARY KEY (book_id, customer_id),
    CONSTRAINT code_mac_is_a_sha256 CHECK (length(mac) = 32),
    CONSTRAINT code_tries_are_counted CHECK (tries >= 0 AND sent >= 0)
);

CREATE TABLE staff_sessions (
    book_id    smallint    NOT NULL,
    sha256     bytea       NOT NULL,
    key_sha256 bytea       NOT NULL,
    opened_at  timestamptz NOT NULL,
    used_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    PRIMARY KEY (book_id, sha256),
    CONSTRAINT staff_session_hash_is_a_sha256 CHECK (length(sha256) = 32)
);

-- A session counts its own wrong PINs: nobody else's do.
ALTER TABLE sessions ADD COLUMN device_known_at timestamptz;
ALTER TABLE sessions ADD COLUMN pin_failures integer NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN pin_locked_until timestamptz;
