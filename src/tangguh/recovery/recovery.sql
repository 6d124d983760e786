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
-- How many payments over a rail are open for longer than they should be. open_payments.
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

-- name: overdue_seconds
-- How long the oldest payment that is due a look has waited for it; nought when none is due.
-- payments_to_resolve.
SELECT coalesce(extract(epoch FROM $2::timestamptz - min(resolve_at)), 0)::double precision
           AS seconds
  FROM payments WHERE book_id = $1 AND resolve_at < $2

-- name: baseline
-- How a rail did between two ids (ids are time-ordered): seconds to a clear end, and its noes.
SELECT percentile_cont(0.99) WITHIN GROUP
           (ORDER BY extract(epoch FROM concluded_at - accepted_at)::double precision) AS p99,
       avg(CASE WHEN state = 'voided' THEN 1.0 ELSE 0.0 END)::double precision AS declined,
       count(*) AS payments
  FROM payments
 WHERE book_id = $1 AND payment_id >= $2 AND payment_id < $3 AND kind = 'payment'
   AND rail = $4 AND state IN ('posted', 'refunded', 'voided')

-- name: blocked_since
-- What closures have refused since, for the replay. Ids are time-ordered.
SELECT order_json FROM payments
 WHERE book_id = $1 AND payment_id >= $2 AND state = 'refused'
   AND refusal IN ('protective_closure', 'protective_limit') ORDER BY payment_id LIMIT $3

-- name: parked_on_rail
-- How many payments wait for a gate. open_payments.
SELECT count(*) AS payments FROM payments
 WHERE book_id = $1 AND state = 'parked' AND ($2 = '' OR rail = $2)

-- name: open_breaks
-- Breaks of networks that nobody has ended: money their files know and our book does not.
SELECT count(*) AS breaks FROM settlement_breaks
 WHERE book_id = $1 AND network = ANY($2::text[]) AND state = 'open'
   AND kind = 'missing_in_book'

-- name: newest_files
-- The newest day of each network whose file was posted. file_in_force.
SELECT network, max(day) AS day FROM settlement_files
 WHERE book_id = $1 AND network = ANY($2::text[]) AND state = 'posted' GROUP BY network

-- name: paid_between
-- Whether anything was paid over these accounts between two ids (ids are time-ordered).
SELECT EXISTS (
    SELECT FROM payments
     WHERE book_id = $1 AND payment_id >= $2 AND payment_id < $3
       AND (creditor = ANY($4::bigint[]) OR debtor = ANY($4::bigint[]))
       AND state IN ('posted', 'refunded')) AS is_any

-- name: every_outflow_booked
-- How many outflows without a payment stand in suspense in all. Reads the postings once.
SELECT count(*) AS postings FROM postings WHERE book_id = $1 AND kind = 'outflow'

-- name: outflows_booked
-- How many of these outflows stand in suspense. Primary key.
SELECT count(*) AS postings FROM postings
 WHERE book_id = $1 AND posting_id = ANY($2::uuid[]) AND kind = 'outflow'
