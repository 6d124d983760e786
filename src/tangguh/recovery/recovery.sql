-- The statements behind the way back.

-- name: load_climbs
-- Climbs by closure. Primary key.
SELECT climb_json FROM climbs WHERE book_id = $1 AND closure_id = ANY($2::uuid[])

-- name: change_climbs
-- The climbs a batch moved on.
UPDATE climbs AS c SET state = u.state, climb_json = u.climb_json
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS u(closure_id, state, climb_json)
 WHERE c.book_id = $1 AND c.closure_id = u.closure_id

-- name: climbs_under_way
-- Climbs that go on. climbs_climbing.
SELECT climb_json FROM climbs WHERE book_id = $1 AND state = 'climbing' ORDER BY closure_id

-- name: climb_events
-- The history of one climb, oldest first. climb_events_of_closure.
SELECT at, what, why, made_by, climb_json FROM climb_events
 WHERE book_id = $1 AND closure_id = $2 ORDER BY event_id

-- name: aged_in_flight
-- How many payments over a rail are open for longer than they should be. payments_to_resolve.
SELECT count(*) AS payments FROM payments
 WHERE book_id = $1 AND resolve_at IS NOT NULL AND state <> 'parked' AND kind = 'payment'
   AND accepted_at < $2 AND ($3 = '' OR rail = $3)

-- name: contradicted_since
-- Payments whose network changed its word since. payment_events is read by its batches.
SELECT count(*) AS payments FROM payment_events AS e
  JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.payment_id
 WHERE e.book_id = $1 AND e.what = 'contradicted' AND e.at >= $2 AND ($3 = '' OR p.rail = $3)

-- name: below_floor
-- Accounts that have less than they may. Reads the accounts once.
SELECT count(*) AS accounts FROM accounts
 WHERE book_id = $1 AND floor_minor IS NOT NULL
   AND posted_minor - held_minor < floor_minor - overdrawn_minor
