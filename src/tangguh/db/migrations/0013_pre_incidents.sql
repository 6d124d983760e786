-- Incidents, the list of open ones, people's words on components, and their journal.
-- Why: what the public was told, when and by whom, is as provable as the money (status/book.py).
-- Locks: new tables only. Back out: drop the tables.

CREATE TABLE incidents (
    book_id       smallint NOT NULL,
    incident_id   uuid     NOT NULL,
    state         text     NOT NULL,
    begun_at      timestamptz NOT NULL,
    incident_json text     NOT NULL,
    PRIMARY KEY (book_id, incident_id),
    CONSTRAINT incident_state_is_known CHECK (state IN (
        'detected', 'published', 'recovering', 'monitoring', 'service_restored',
        'money_resolved', 'post_mortem', 'discarded'))
) WITH (fillfactor = 50);
-- What the incident desk and the public snapshot look at.
CREATE INDEX incidents_open ON incidents (book_id, begun_at, incident_id)
    WHERE state IN ('detected', 'published', 'recovering', 'monitoring', 'service_restored');
CREATE INDEX incidents_by_time ON incidents (book_id, begun_at DESC, incident_id);

-- One row: an open incident is found by whoever would open a second one for the same trouble.
CREATE TABLE open_incidents (
    book_id  smallint NOT NULL,
    list_id  smallint NOT NULL,
    ids_json text     NOT NULL,
    PRIMARY KEY (book_id, list_id)
) WITH (fillfactor = 10);

CREATE TABLE component_overrides (
    book_id       smallint NOT NULL,
    component     text     NOT NULL,
    override_json text     NOT NULL,
    PRIMARY KEY (book_id, component)
) WITH (fillfactor = 50);

CREATE TABLE incident_events (
    book_id    smallint NOT NULL,
    event_id   uuid     NOT NULL,
    batch_no   bigint   NOT NULL,
    at         timestamptz NOT NULL,
    subject    text     NOT NULL,
    what       text     NOT NULL,
    made_by    text     NOT NULL,
    event_json text     NOT NULL,
    PRIMARY KEY (book_id, event_id)
);
CREATE INDEX incident_events_by_batch ON incident_events USING brin (batch_no);
-- One incident's history: the incident desk, the post-mortem.
CREATE INDEX incident_events_of_subject ON incident_events (book_id, subject, event_id);
CREATE TRIGGER the_book_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_events
    FOR EACH STATEMENT EXECUTE FUNCTION the_book_is_append_only();
