-- The statements behind incidents and overrides.

-- name: load_incidents
-- Incidents by id. Primary key.
SELECT incident_json FROM incidents WHERE book_id = $1 AND incident_id = ANY($2::uuid[])

-- name: change_incidents
-- The incidents a batch moved on.
UPDATE incidents AS i SET state = u.state, incident_json = u.incident_json
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS u(incident_id, state, incident_json)
 WHERE i.book_id = $1 AND i.incident_id = u.incident_id

-- name: load_open_incidents
-- The list of open incidents: one row. Primary key.
SELECT ids_json FROM open_incidents WHERE book_id = $1 AND list_id = ANY($2::smallint[])

-- name: change_open_incidents
-- The list after a batch.
UPDATE open_incidents AS o SET ids_json = u.ids_json
  FROM unnest($2::smallint[], $3::text[]) AS u(list_id, ids_json)
 WHERE o.book_id = $1 AND o.list_id = u.list_id

-- name: load_overrides
-- People's words on components. Primary key.
SELECT component, override_json FROM component_overrides
 WHERE book_id = $1 AND component = ANY($2::text[])

-- name: change_overrides
-- The words a batch changed.
UPDATE component_overrides AS c SET override_json = u.override_json
  FROM unnest($2::text[], $3::text[]) AS u(component, override_json)
 WHERE c.book_id = $1 AND c.component = u.component

-- name: open_incidents
-- Incidents that are open, oldest first. incidents_open.
SELECT incident_json FROM incidents
 WHERE book_id = $1 AND state IN ('detected', 'published', 'recovering', 'monitoring',
                                  'service_restored')
 ORDER BY begun_at, incident_id

-- name: recent_incidents
-- The newest incidents since an instant, whatever became of them. incidents_by_time.
SELECT incident_json FROM incidents
 WHERE book_id = $1 AND begun_at >= $2 ORDER BY begun_at DESC, incident_id LIMIT $3

-- name: find_incident
-- One incident. Primary key.
SELECT incident_json FROM incidents WHERE book_id = $1 AND incident_id = $2

-- name: all_overrides
-- Every word of people on a component. Primary key.
SELECT override_json FROM component_overrides WHERE book_id = $1 ORDER BY component

-- name: events_of_subject
-- What was said and done about one incident or component, oldest first. incident_events_of_subject.
SELECT at, what, made_by, event_json FROM incident_events
 WHERE book_id = $1 AND subject = $2 ORDER BY event_id
