-- Devices of staff: each a secret the bank issued to one account, kept by its hash.
-- Why: a device was whatever text its client sent. Who wrote a colleague's into the header was
--      taken for the colleague, and both accounts froze. Browser sessions belong to a device too.
-- Locks: new table only, and a column without a default on staff_sessions (no rewrite).
-- Back out: drop the table and the column.

CREATE TABLE staff_devices (
    book_id   smallint    NOT NULL,
    sha256    bytea       NOT NULL,
    staff_id  text        NOT NULL,
    is_first  boolean     NOT NULL,
    issued_at timestamptz NOT NULL,
    ended_at  timestamptz,
    reset_at  timestamptz,
    PRIMARY KEY (book_id, sha256),
    FOREIGN KEY (book_id, staff_id) REFERENCES staff (book_id, staff_id),
    CONSTRAINT staff_device_hash_is_a_sha256 CHECK (length(sha256) = 32),
    CONSTRAINT what_was_reset_has_ended CHECK (reset_at IS NULL OR ended_at IS NOT NULL)
);
-- An account begins with one device; the others are added from one it has.
CREATE UNIQUE INDEX an_account_begins_once ON staff_devices (book_id, staff_id)
    WHERE is_first AND reset_at IS NULL;
-- All devices of one account since it last began.
CREATE INDEX devices_of_staff ON staff_devices (book_id, staff_id) WHERE reset_at IS NULL;

ALTER TABLE staff_sessions ADD COLUMN device_sha256 bytea;
