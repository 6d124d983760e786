-- The requests partners have named: a name (X-EXTERNAL-ID) counts once a day, for one content.
-- Why: the same name with another body was taken as if it were the first; SNAP calls it a conflict.
-- Locks: a new table only. Back out: drop the table.

CREATE TABLE partner_requests (
    book_id     smallint NOT NULL,
    partner     text     NOT NULL,
    day         date     NOT NULL,
    external_id text     NOT NULL,
    sha256      bytea    NOT NULL,
    PRIMARY KEY (book_id, partner, day, external_id),
    CONSTRAINT request_hash_is_a_sha256 CHECK (length(sha256) = 32)
);
