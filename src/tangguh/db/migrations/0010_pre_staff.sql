-- Staff: who may sign what, and the keys they are known by.
-- Why: two-person rules are about persons; an account names the person behind it (hr_id), the line
--      it reports in and the devices it was used from. Keys are kept as hashes only.
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE staff (
    book_id    smallint NOT NULL,
    staff_id   text     NOT NULL,
    full_name  text     NOT NULL,
    hr_id      text     NOT NULL,
    roles      text[]   NOT NULL,
    reports_to text     NOT NULL,
    devices    text[]   NOT NULL,
    team       text     NOT NULL,
    state      text     NOT NULL,
    added_at   timestamptz NOT NULL,
    frozen_at  timestamptz,
    PRIMARY KEY (book_id, staff_id),
    CONSTRAINT staff_id_is_numbered CHECK (staff_id ~ '^staff:[1-9][0-9]*$'),
    CONSTRAINT staff_state_is_known CHECK (state IN ('active', 'frozen')),
    CONSTRAINT who_is_frozen_says_since_when CHECK ((state = 'frozen') = (frozen_at IS NOT NULL)),
    CONSTRAINT an_account_names_its_person CHECK (btrim(hr_id) <> ''),
    CONSTRAINT nobody_reports_to_themselves CHECK (reports_to <> staff_id)
);

CREATE TABLE staff_keys (
    book_id    smallint NOT NULL,
    sha256     bytea    NOT NULL,
    staff_id   text     NOT NULL,
    kind       text     NOT NULL,
    public_key bytea,
    state      text     NOT NULL DEFAULT 'active',
    added_at   timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (book_id, sha256),
    FOREIGN KEY (book_id, staff_id) REFERENCES staff (book_id, staff_id),
    CONSTRAINT key_hash_is_a_sha256 CHECK (length(sha256) = 32),
    CONSTRAINT key_kind_is_known CHECK (kind IN ('token', 'ed25519')),
    CONSTRAINT key_state_is_known CHECK (state IN ('active', 'revoked')),
    CONSTRAINT what_is_revoked_says_when CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
    CONSTRAINT only_a_public_key_is_kept CHECK
        ((kind = 'ed25519') = (public_key IS NOT NULL) AND length(public_key) = 32
         OR kind = 'token' AND public_key IS NULL)
);
-- All keys of one member of staff, to revoke them at once.
CREATE INDEX keys_of_staff ON staff_keys (book_id, staff_id) WHERE state = 'active';
