-- The way back: climbs, what people sign, rules of the guard, what the watch has seen.
-- Why: an approval and what it is for are used up in one step of the book (ADR-0021).
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE climbs (
    book_id    smallint NOT NULL,
    closure_id uuid     NOT NULL,
    state      text     NOT NULL,
    climb_json text     NOT NULL,
    PRIMARY KEY (book_id, closure_id),
    CONSTRAINT climb_state_is_known CHECK (state IN ('climbing', 'finished', 'abandoned'))
) WITH (fillfactor = 50);
-- What the climber looks at.
CREATE INDEX climbs_climbing ON climbs (book_id, closure_id) WHERE state = 'climbing';

CREATE TABLE climb_events (
    book_id    smallint NOT NULL,
    event_id   uuid     NOT NULL,
    batch_no   bigint   NOT NULL,
    at         timestamptz NOT NULL,
    closure_id uuid     NOT NULL,
    what       text     NOT NULL,
    why        text     NOT NULL,
    made_by    text     NOT NULL,
    climb_json text     NOT NULL,
    PRIMARY KEY (book_id, event_id)
);
CREATE INDEX climb_events_by_batch ON climb_events USING brin (batch_no);
-- One climb's history: the staff page, the post-mortem.
CREATE INDEX climb_events_of_closure ON climb_events (book_id, closure_id, event_id);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON climb_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

CREATE TABLE changes (
    book_id     smallint NOT NULL,
    change_id   uuid     NOT NULL,
    kind        text     NOT NULL,
    subject     text     NOT NULL,
    state       text     NOT NULL,
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    change_json text     NOT NULL,
    PRIMARY KEY (book_id, change_id),
    CONSTRAINT change_state_is_known CHECK (state IN ('pending', 'approved', 'denied', 'used'))
) WITH (fillfactor = 50);

CREATE TABLE newest_changes (
    book_id   smallint NOT NULL,
    kind      text     NOT NULL,
    subject   text     NOT NULL,
    change_id uuid     NOT NULL,
    PRIMARY KEY (book_id, kind, subject)
) WITH (fillfactor = 50);

CREATE TABLE change_events (
    book_id   smallint NOT NULL,
    event_id  uuid     NOT NULL,
    batch_no  bigint   NOT NULL,
    at        timestamptz NOT NULL,
    change_id uuid     NOT NULL,
    sha256    text     NOT NULL,
    what      text     NOT NULL,
    made_by   text     NOT NULL,
    PRIMARY KEY (book_id, event_id)
);
CREATE INDEX change_events_by_batch ON change_events USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON change_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

CREATE TABLE rule_changes (
    book_id     smallint NOT NULL,
    change_id   uuid     NOT NULL,
    batch_no    bigint   NOT NULL,
    at          timestamptz NOT NULL,
    rule_id     text     NOT NULL,
    rule_json   text     NOT NULL,
    test_json   text     NOT NULL,
    changed_by  text     NOT NULL,
    approved_by text     NOT NULL,
    reason      text     NOT NULL,
    PRIMARY KEY (book_id, change_id)
);
CREATE INDEX rule_changes_by_batch ON rule_changes USING brin (batch_no);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_changes
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();

-- Whether the keys of a closure were changed: the ladder's second rung.
CREATE INDEX acts_keys_rotated ON acts (book_id, subject) WHERE what = 'keys.rotated';
