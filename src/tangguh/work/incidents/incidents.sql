-- What incidents touched, and what settlement says of the whole bank.

-- name: book_is_there
-- Whether the book can be read, and its server takes writes. Primary key.
SELECT book_id FROM books
 WHERE book_id = $1 AND current_setting('transaction_read_only') = 'off'

-- name: sign_of_life
-- Write to the disk and wait for it, in no table: a message in the log that nobody reads.
SELECT pg_logical_emit_message(true, 'tangguh', 'the book can be written')

-- name: settlement_now
-- When the newest file was matched, and how many breaks nobody has repaired. breaks_open.
SELECT (SELECT max(received_at) FROM settlement_files
         WHERE book_id = $1 AND state = 'posted') AS matched_at,
       (SELECT count(*) FROM settlement_breaks
         WHERE book_id = $1 AND state = 'open') AS open_breaks

-- name: sweep
-- Payments of some services that an incident leaves without an end. A payment is one incident's: its
-- owner is told of it once. The bank's own probes ($7) are nobody's. open_payments (few).
INSERT INTO affected_payments (book_id, incident_id, payment_id, customer_id, minor, noted_at)
SELECT p.book_id, $2, p.payment_id, p.customer_id,
       p.amount_minor + p.tip_minor + p.fee_minor, $6
  FROM payments AS p
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.kind = 'payment'
   AND p.service = ANY($3::text[]) AND p.accepted_at >= $4 AND p.accepted_at <= $5
   AND p.debtor <> $7
   AND NOT EXISTS (SELECT 1 FROM affected_payments AS a
                    WHERE a.book_id = p.book_id AND a.payment_id = p.payment_id)
ON CONFLICT DO NOTHING

-- name: heaps
-- What became of the payments an incident touched, for each of its people. Primary key.
SELECT a.customer_id, c.language,
       count(*) AS affected, sum(a.minor)::bigint AS affected_minor,
       count(*) FILTER (WHERE p.resolve_at IS NOT NULL) AS open,
       coalesce(sum(a.minor) FILTER (WHERE p.resolve_at IS NOT NULL), 0)::bigint AS open_minor,
       array_agg(p.accepted_at) FILTER (WHERE p.resolve_at IS NOT NULL) AS open_since,
       count(*) FILTER (WHERE p.state IN ('voided', 'refunded', 'refused')) AS came_back,
       coalesce(sum(a.minor) FILTER (WHERE p.state IN ('voided', 'refunded', 'refused')), 0)::bigint
           AS came_back_minor,
       count(*) FILTER (WHERE p.state = 'posted') AS arrived,
       coalesce(sum(a.minor) FILTER (WHERE p.state = 'posted'), 0)::bigint AS arrived_minor
  FROM affected_payments AS a
  JOIN payments AS p ON p.book_id = a.book_id AND p.payment_id = a.payment_id
  LEFT JOIN customers AS c ON c.book_id = a.book_id AND c.customer_id = a.customer_id
 WHERE a.book_id = $1 AND a.incident_id = $2
 GROUP BY a.customer_id, c.language

-- name: payments_of_incident
-- The payments an incident touched. Primary key.
SELECT p.* FROM affected_payments AS a
  JOIN payments AS p ON p.book_id = a.book_id AND p.payment_id = a.payment_id
 WHERE a.book_id = $1 AND a.incident_id = $2 ORDER BY a.payment_id LIMIT $3

-- name: incident_of_payment
-- Whether an incident has told a payment's owner of it already. affected_by_payment.
SELECT incident_id FROM affected_payments WHERE book_id = $1 AND payment_id = $2 LIMIT 1

-- name: waiting_payments
-- Payments without an end for so long. open_payments.
SELECT p.* FROM payments AS p
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.kind = 'payment'
   AND p.state IN ('unanswered', 'held', 'parked') AND p.accepted_at <= $2 AND p.payment_id > $3
 ORDER BY p.payment_id LIMIT $4

-- name: reports_sent
-- What people said they sent to authorities about an incident. acts_of_reports.
SELECT at, actor, detail FROM acts
 WHERE book_id = $1 AND what = 'report.sent' AND subject = $2 ORDER BY at

-- name: people_of_incident
-- How many people an incident touched. Primary key.
SELECT count(DISTINCT customer_id) AS people FROM affected_payments
 WHERE book_id = $1 AND incident_id = $2
