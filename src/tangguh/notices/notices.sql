-- The statements behind notices: told once, claimed by one sender, every try written down.

-- name: add_notices
-- Tell many people at once; whoever was told this step of this matter before is left out.
INSERT INTO notices
    (book_id, notice_id, person, language, matter, step, template, urgency, channels, in_app,
     title, body, sms, made_at, state, via, attempts, due_at, reason)
SELECT $1, one.*
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
              $9::text[], $10::boolean[], $11::text[], $12::text[], $13::text[],
              $14::timestamptz[], $15::text[], $16::text[], $17::integer[], $18::timestamptz[],
              $19::text[]) AS one
ON CONFLICT DO NOTHING
RETURNING notice_id

-- name: claim_notices
-- Due by one way, or left behind by a sender that died; nobody else's. notices_open.
SELECT notice_id, person, language, matter, step, template, urgency, channels, in_app, title, body,
       sms, made_at, via, attempts, tried, reason
  FROM notices
 WHERE book_id = $1 AND via = $2 AND state IN ('due', 'sending') AND due_at <= $3
 ORDER BY due_at
 LIMIT $4
   FOR UPDATE SKIP LOCKED

-- name: take_turns
-- One sender at a time decides about a person, so that how often is counted exactly.
SELECT pg_advisory_xact_lock($1::integer, key)
  FROM (SELECT DISTINCT hashtext(person) AS key FROM unnest($2::text[]) AS person ORDER BY 1)
       AS persons

-- name: lose_deliveries
-- Tries whose sender died before it wrote down what became of them. Primary key.
UPDATE notice_deliveries SET outcome = 'lost', ended_at = $3
 WHERE book_id = $1 AND notice_id = ANY($2::uuid[]) AND outcome = 'under_way'

-- name: list_addresses
-- Where people can be reached by one way. an_address_is_a_persons_once.
SELECT person, address_id, address, confirmed_at IS NOT NULL AS confirmed
  FROM notice_addresses
 WHERE book_id = $1 AND person = ANY($2::text[]) AND via = $3 AND gone_at IS NULL
 ORDER BY address_id

-- name: list_recent
-- What may have reached people by one way since a moment, each notice once; not what has limits of
-- its own. deliveries_of_person, and the primary key of notices.
SELECT d.person, d.notice_id, min(d.began_at) AS began_at
  FROM notice_deliveries AS d
  JOIN notices AS n ON n.book_id = d.book_id AND n.notice_id = d.notice_id
 WHERE d.book_id = $1 AND d.person = ANY($2::text[]) AND d.via = $3 AND d.began_at > $4
   AND d.outcome IN ('under_way', 'delivered', 'lost') AND n.template <> ALL($5::text[])
 GROUP BY d.person, d.notice_id

-- name: move_notices
-- Write down what becomes of many notices. Primary key.
UPDATE notices AS n
   SET state = one.state, via = one.via, attempts = one.attempts, due_at = one.due_at,
       reason = one.reason, tried = n.tried OR one.state = 'sending'
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[], $7::text[])
       AS one (notice_id, state, via, attempts, due_at, reason)
 WHERE n.book_id = $1 AND n.notice_id = one.notice_id

-- name: begin_deliveries
-- A try is written down before it is made.
INSERT INTO notice_deliveries
    (book_id, notice_id, via, attempt, address_id, person, began_at, outcome)
SELECT $1, one.notice_id, $2, one.attempt, one.address_id, one.person, $3, 'under_way'
  FROM unnest($4::uuid[], $5::integer[], $6::uuid[], $7::text[])
       AS one (notice_id, attempt, address_id, person)

-- name: end_deliveries
-- What became of many tries; one that was given up for lost is told after all. Primary key.
UPDATE notice_deliveries AS d
   SET outcome = one.outcome, ended_at = $3, reference = one.reference, said = one.said
  FROM unnest($4::uuid[], $5::integer[], $6::uuid[], $7::text[], $8::text[], $9::text[])
       AS one (notice_id, attempt, address_id, outcome, reference, said)
 WHERE d.book_id = $1 AND d.notice_id = one.notice_id AND d.via = $2
   AND d.attempt = one.attempt AND d.address_id = one.address_id

-- name: conclude_notices
-- After a try: each only while it is still the same try of the same way. Primary key.
UPDATE notices AS n
   SET state = one.state, via = one.via, attempts = one.attempts, due_at = one.due_at,
       reason = one.reason
  FROM unnest($3::uuid[], $4::integer[], $5::text[], $6::text[], $7::integer[],
              $8::timestamptz[], $9::text[])
       AS one (notice_id, attempt, state, via, attempts, due_at, reason)
 WHERE n.book_id = $1 AND n.notice_id = one.notice_id AND n.state = 'sending' AND n.via = $2
   AND n.attempts = one.attempt

-- name: lose_addresses
-- Addresses that take nothing any more. Primary key.
UPDATE notice_addresses AS a SET gone_at = $2, gone_why = one.why
  FROM unnest($3::uuid[], $4::text[]) AS one (address_id, why)
 WHERE a.book_id = $1 AND a.address_id = one.address_id AND a.gone_at IS NULL

-- name: note_arrival
-- A provider's later word on a message it took, found by its reference. deliveries_by_reference.
UPDATE notice_deliveries SET arrival = $4, arrival_at = $5
 WHERE book_id = $1 AND via = $2 AND reference = $3 AND reference <> ''
   AND outcome = 'delivered' AND arrival NOT IN ('arrived', 'lost')
RETURNING notice_id

-- name: find_delivered
-- A notice that was taken by one way, to move it on when it did not arrive. Primary key.
SELECT notice_id, person, template, channels, via, attempts, tried, urgency, in_app, reason
  FROM notices
 WHERE book_id = $1 AND notice_id = $2 AND via = $3 AND state = 'delivered'
   FOR UPDATE

-- name: list_inbox
-- What a customer finds in the app, newest first, before one of them. notices_inbox.
SELECT notice_id, matter, step, title, body, made_at, read_at
  FROM notices
 WHERE book_id = $1 AND person = $2 AND in_app
   AND ($3::uuid IS NULL
        OR (made_at, notice_id) < (SELECT b.made_at, b.notice_id FROM notices AS b
                                    WHERE b.book_id = $1 AND b.notice_id = $3 AND b.person = $2))
 ORDER BY made_at DESC, notice_id DESC
 LIMIT $4

-- name: count_unread
-- How many of them are new. notices_unread.
SELECT count(*) AS unread FROM notices
 WHERE book_id = $1 AND person = $2 AND in_app AND read_at IS NULL

-- name: mark_read
-- Its reader has seen it; only its own reader, and only the first time. notices_unread.
UPDATE notices SET read_at = $4
 WHERE book_id = $1 AND notice_id = ANY($2::uuid[]) AND person = $3 AND in_app AND read_at IS NULL
RETURNING notice_id

-- name: list_undelivered
-- Of one matter, whom nothing has reached yet: not taken outside, not read in the app.
-- a_step_of_a_matter_is_told_once.
SELECT notice_id, person, step, state, via, attempts, due_at, reason
  FROM notices
 WHERE book_id = $1 AND matter = $2 AND state <> 'delivered' AND read_at IS NULL
 ORDER BY step, person
 LIMIT $3

-- name: count_notices
-- Of one matter: how many are where, by step. a_step_of_a_matter_is_told_once.
SELECT step, state, via, count(*) AS notices,
       count(*) FILTER (WHERE read_at IS NOT NULL) AS read
  FROM notices WHERE book_id = $1 AND matter = $2
 GROUP BY step, state, via ORDER BY step, state, via

-- name: list_deliveries
-- Every try of one notice, oldest first: the proof. Primary key.
SELECT via, attempt, address_id, began_at, outcome, ended_at, reference, said, arrival, arrival_at
  FROM notice_deliveries WHERE book_id = $1 AND notice_id = $2
 ORDER BY began_at, via, attempt, address_id

-- name: know_address
-- Where a person can be reached; known again: it is back, and was confirmed if it is now.
INSERT INTO notice_addresses
    (book_id, address_id, person, via, address, language, known_at, confirmed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (book_id, person, via, address) DO UPDATE
   SET gone_at = NULL, gone_why = '', known_at = EXCLUDED.known_at,
       language = CASE WHEN notice_addresses.confirmed_at IS NULL
                         OR EXCLUDED.confirmed_at IS NOT NULL
                       THEN EXCLUDED.language ELSE notice_addresses.language END,
       confirmed_at = coalesce(notice_addresses.confirmed_at, EXCLUDED.confirmed_at)
RETURNING address_id

-- name: take_browser
-- One browser tells one person: whoever used it before is not told there any more. browsers.
DELETE FROM notice_addresses
 WHERE book_id = $1 AND via = 'push' AND address = $2 AND person <> $3

-- name: keep_newest
-- So many addresses of one person and way at most; the oldest go. an_address_is_a_persons_once.
DELETE FROM notice_addresses AS a
 WHERE a.book_id = $1 AND a.person = $2 AND a.via = $3
   AND a.address_id NOT IN (SELECT k.address_id FROM notice_addresses AS k
                             WHERE k.book_id = $1 AND k.person = $2 AND k.via = $3
                             ORDER BY k.known_at DESC, k.address_id DESC LIMIT $4)

-- name: forget_address
-- A person takes an address back. an_address_is_a_persons_once.
DELETE FROM notice_addresses
 WHERE book_id = $1 AND person = $2 AND via = $3 AND address = $4
RETURNING address_id

-- name: find_subscriber
-- Whose address it is, among subscribers. a_subscriber_is_an_address.
SELECT person FROM notice_addresses
 WHERE book_id = $1 AND via = $2 AND address = $3 AND person LIKE 'subscriber:%'

-- name: add_subscription
-- Somebody asks to be told; nothing is told before it is confirmed.
INSERT INTO notice_subscriptions
    (book_id, subscription_id, person, components, asked_at, expires_at, confirm_sha256,
     unsubscribe_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: confirm_subscription
-- The token came back in time; confirming twice changes nothing. subscriptions_to_confirm.
UPDATE notice_subscriptions SET confirmed_at = coalesce(confirmed_at, $3)
 WHERE book_id = $1 AND confirm_sha256 = $2 AND ended_at IS NULL
   AND (confirmed_at IS NOT NULL OR expires_at > $3)
RETURNING person, components

-- name: confirm_address
-- Whoever answered from an address has it. an_address_is_a_persons_once.
UPDATE notice_addresses SET confirmed_at = coalesce(confirmed_at, $3)
 WHERE book_id = $1 AND person = $2
RETURNING via, address

-- name: end_subscription
-- No more word about some components, or ($3 empty) about any. subscriptions_to_end.
UPDATE notice_subscriptions
   SET components = kept.list, ended_at = CASE WHEN cardinality(kept.list) = 0 THEN $4::timestamptz END
  FROM (SELECT s.subscription_id AS id,
               CASE WHEN cardinality($3::text[]) = 0 THEN '{}'::text[] ELSE
                    ARRAY(SELECT c FROM unnest(s.components) AS c WHERE NOT c = ANY($3::text[]))
               END AS list
          FROM notice_subscriptions AS s
         WHERE s.book_id = $1 AND s.unsubscribe_sha256 = $2 AND s.ended_at IS NULL
           FOR UPDATE) AS kept
 WHERE notice_subscriptions.book_id = $1 AND subscription_id = kept.id
RETURNING person

-- name: lock_subscriber
-- Whoever asks again at this moment is waited for. an_address_is_a_persons_once.
SELECT 1 AS known FROM notice_addresses WHERE book_id = $1 AND person = $2 FOR UPDATE

-- name: forget_subscriber
-- Whoever wants no word any more is not kept. an_address_is_a_persons_once.
DELETE FROM notice_addresses AS a
 WHERE a.book_id = $1 AND a.person = $2 AND a.person LIKE 'subscriber:%'
   AND NOT EXISTS (SELECT 1 FROM notice_subscriptions AS s
                    WHERE s.book_id = a.book_id AND s.person = a.person AND s.ended_at IS NULL)

-- name: list_subscribers
-- Everybody to be told about one of some components, each once. subscriptions_live.
SELECT DISTINCT a.person, a.language, a.via
  FROM notice_subscriptions AS s
  JOIN notice_addresses AS a ON a.book_id = s.book_id AND a.person = s.person
 WHERE s.book_id = $1 AND s.components && $2::text[] AND s.confirmed_at IS NOT NULL
   AND s.ended_at IS NULL AND a.confirmed_at IS NOT NULL AND a.gone_at IS NULL
 ORDER BY a.person

-- name: forget_unanswered
-- Questions whose time is over, at most $3 at a time; whose they were. subscriptions_unanswered.
DELETE FROM notice_subscriptions AS s
 WHERE s.book_id = $1
   AND s.subscription_id IN (SELECT o.subscription_id FROM notice_subscriptions AS o
                              WHERE o.book_id = $1 AND o.confirmed_at IS NULL AND o.expires_at < $2
                              LIMIT $3)
RETURNING s.person

-- name: forget_notices
-- Word older than the bank keeps it, with its tries, at most $3 at a time; never what is still on
-- its way. notices_by_age.
WITH old AS (
    SELECT n.notice_id FROM notices AS n
     WHERE n.book_id = $1 AND n.made_at < $2 AND n.state NOT IN ('due', 'sending')
     LIMIT $3 FOR UPDATE SKIP LOCKED
), tries AS (
    DELETE FROM notice_deliveries AS d USING old
     WHERE d.book_id = $1 AND d.notice_id = old.notice_id
)
DELETE FROM notices AS n USING old
 WHERE n.book_id = $1 AND n.notice_id = old.notice_id
RETURNING n.notice_id
