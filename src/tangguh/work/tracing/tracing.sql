-- The statements behind looking up a payment by whatever somebody calls it.

-- name: payments_named
-- Those a name means at once: by id, order's key, the name on the wire, or their case's number.
-- payment_of_order_key, payment_of_wire_reference, case_of_number and the primary key.
SELECT p.*
  FROM (SELECT payment_id FROM payments WHERE book_id = $1 AND payment_id = ANY($2::uuid[])
         UNION
        SELECT payment_id FROM payments WHERE book_id = $1 AND order_key = ANY($3::text[])
         UNION
        SELECT payment_id FROM payments
         WHERE book_id = $1 AND rail = ANY($4::text[]) AND wire_reference = ANY($5::text[])
           AND wire_reference <> ''
         UNION
        SELECT payment_id FROM cases
         WHERE book_id = $1 AND number = $6 AND payment_id IS NOT NULL
         UNION
        SELECT payment_id FROM cases
         WHERE book_id = $1 AND case_id = ANY($2::uuid[]) AND payment_id IS NOT NULL) AS named
  JOIN payments AS p ON p.book_id = $1 AND p.payment_id = named.payment_id
 ORDER BY p.payment_id DESC LIMIT $7

-- name: payments_holding
-- Those of a time that hold a text where a reference may stand. Primary key (ids are time-ordered).
SELECT * FROM payments
 WHERE book_id = $1 AND payment_id BETWEEN $2 AND $3
   AND (network_reference = $4
        OR right(order_key, length($4) + 1) = ':' || $4
        OR ($5 <> '' AND right(payment_id::text, 12) = $5)
        OR (rail = 'iso8583' AND (right(wire_reference, 12) = $4
                                  OR substr(wire_reference, 11, 6) = $4))
        OR position($6 in order_json::text) > 0)
 ORDER BY payment_id DESC LIMIT $7

-- name: payments_like
-- Those of a time by what is known of them: an account's end, a sum, a state, a rail, a customer.
-- Primary key (ids are time-ordered).
SELECT * FROM payments
 WHERE book_id = $1 AND payment_id BETWEEN $2 AND $3
   AND ($4 = '' OR right(debtor::text, length($4)) = $4 OR right(creditor::text, length($4)) = $4
        OR order_json::text ~ $5)
   AND ($6::bigint IS NULL OR $6 IN (amount_minor, amount_minor + tip_minor,
                                     amount_minor + tip_minor + fee_minor))
   AND ($7 = '' OR state = $7) AND ($8 = '' OR rail = $8)
   AND ($9::bigint IS NULL OR customer_id = $9)
 ORDER BY payment_id DESC LIMIT $10

-- name: steps_of_payment
-- One payment's timeline with the batch of each step. Primary key.
SELECT seq, at, state, what, detail, batch_no FROM payment_events
 WHERE book_id = $1 AND payment_id = $2 ORDER BY seq

-- name: hold_of_payment
-- What was set aside for a payment. Primary key.
SELECT account_id, amount_minor, posted_minor, state, placed_at, ended_at, expires_at
  FROM holds WHERE book_id = $1 AND hold_id = $2

-- name: postings_of_payment
-- What the book posted for a payment and its refunds: under their ids, and in the batches of their
-- steps what names them. Primary key, postings_by_batch, entries_by_posting.
SELECT p.posting_id, p.kind, p.posted_at, p.business_date, p.batch_no, p.note,
       array_agg(e.account_id ORDER BY e.amount_minor) AS account_ids,
       array_agg(e.amount_minor ORDER BY e.amount_minor) AS amounts_minor
  FROM (SELECT posting_id FROM postings WHERE book_id = $1 AND posting_id = ANY($2::uuid[])
         UNION
        SELECT posting_id FROM postings
         WHERE book_id = $1 AND batch_no = ANY($3::bigint[]) AND note = ANY($4::text[])) AS named
  JOIN postings AS p ON p.book_id = $1 AND p.posting_id = named.posting_id
  JOIN entries AS e ON e.book_id = p.book_id AND e.posting_id = p.posting_id
 GROUP BY p.book_id, p.posting_id
 ORDER BY p.batch_no, p.ordinal

-- name: redress_steps
-- What was done about one payment beside it. redress_events_of_payment.
SELECT at, what, amount_minor, made_by, batch_no FROM redress_events
 WHERE book_id = $1 AND payment_id = $2 ORDER BY event_id

-- name: lines_of_payment
-- What each cycle's file listed of some payments, and which file that was. Primary key.
SELECT m.payment_id, m.network, m.day, m.cycle, m.net_minor, f.revision, f.sha256, f.received_at,
       f.state
  FROM settlement_matches AS m
  LEFT JOIN settlement_files AS f
    ON f.book_id = m.book_id AND f.network = m.network AND f.day = m.day AND f.cycle = m.cycle
   AND f.state <> 'superseded'
 WHERE m.book_id = $1 AND m.payment_id = ANY($2::uuid[]) ORDER BY m.day, m.cycle

-- name: breaks_of_payment
-- What settlement found of some payments. breaks_of_payment.
SELECT break_id, network, day, cycle, kind, reference, ours_minor, theirs_minor, found_at, owner,
       proposal, state, posting_id, reason, ended_at
  FROM settlement_breaks
 WHERE book_id = $1 AND payment_id = ANY($2::uuid[]) ORDER BY found_at, break_id

-- name: notices_of_matter
-- What people were told of one matter, in which order, by which way. a_step_of_a_matter_is_told_once.
SELECT n.person, n.step, n.template, n.made_at, n.state, n.via, n.attempts, n.reason, n.read_at,
       coalesce((SELECT d.reference FROM notice_deliveries AS d
                  WHERE d.book_id = n.book_id AND d.notice_id = n.notice_id AND d.reference <> ''
                  ORDER BY d.began_at DESC LIMIT 1), '') AS proof
  FROM notices AS n WHERE n.book_id = $1 AND n.matter = $2 ORDER BY n.made_at, n.notice_id

-- name: incidents_of_payment
-- The incidents that touched a payment. affected_by_payment.
SELECT a.incident_id, i.state, i.begun_at
  FROM affected_payments AS a
  LEFT JOIN incidents AS i ON i.book_id = a.book_id AND i.incident_id = a.incident_id
 WHERE a.book_id = $1 AND a.payment_id = $2 ORDER BY i.begun_at

-- name: log_in_of_customer
-- Whether a customer's PIN is locked, and how many sessions and devices they have. Primary key,
-- sessions_of_customer.
SELECT (SELECT failures FROM pins WHERE book_id = $1 AND customer_id = $2) AS failures,
       (SELECT locked_until FROM pins WHERE book_id = $1 AND customer_id = $2) AS locked_until,
       (SELECT count(*) FROM sessions
         WHERE book_id = $1 AND customer_id = $2 AND ended_at IS NULL AND expires_at > $3) AS open
