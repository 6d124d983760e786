-- The statements behind settlement.

-- name: records_of_window
-- A network's payments of a time, with what other cycles listed of each. Primary key (ids are time-ordered).
SELECT p.payment_id, p.kind, p.state, p.debtor, p.creditor, p.accepted_at, p.concluded_at,
       p.amount_minor + p.tip_minor AS payee_minor, p.fee_minor, p.wire_reference, p.order_key,
       p.service, o.payment_id AS original_id, o.wire_reference AS original_wire,
       o.order_key AS original_key, o.service AS original_service, o.creditor AS original_creditor,
       m.net_minor AS before_minor
  FROM payments AS p
  LEFT JOIN payments AS o ON o.book_id = p.book_id AND o.payment_id = p.original_id
  LEFT JOIN LATERAL (
       SELECT sum(s.net_minor)::bigint AS net_minor FROM settlement_matches AS s
        WHERE s.book_id = p.book_id AND s.payment_id = p.payment_id
          AND (s.day, s.cycle) <> ($5, $6)) AS m ON true
 WHERE p.book_id = $1 AND p.payment_id BETWEEN $2 AND $3
   AND (p.creditor = ANY($4::bigint[]) OR p.debtor = ANY($4::bigint[]))
 ORDER BY p.payment_id

-- name: records_of_references
-- The payments some references name, however old. payment_of_wire_reference and the primary key.
SELECT p.payment_id, p.kind, p.state, p.debtor, p.creditor, p.accepted_at, p.concluded_at,
       p.amount_minor + p.tip_minor AS payee_minor, p.fee_minor, p.wire_reference, p.order_key,
       p.service, o.payment_id AS original_id, o.wire_reference AS original_wire,
       o.order_key AS original_key, o.service AS original_service, o.creditor AS original_creditor,
       m.net_minor AS before_minor
  FROM (SELECT payment_id FROM payments WHERE book_id = $1 AND payment_id = ANY($2::uuid[])
         UNION
        SELECT payment_id FROM payments
         WHERE book_id = $1 AND rail = ANY($3::text[]) AND wire_reference = ANY($4::text[])
           AND wire_reference <> '') AS named
  JOIN payments AS p ON p.book_id = $1 AND p.payment_id = named.payment_id
  LEFT JOIN payments AS o ON o.book_id = p.book_id AND o.payment_id = p.original_id
  LEFT JOIN LATERAL (
       SELECT sum(s.net_minor)::bigint AS net_minor FROM settlement_matches AS s
        WHERE s.book_id = p.book_id AND s.payment_id = p.payment_id
          AND (s.day, s.cycle) <> ($6, $7)) AS m ON true
 WHERE p.creditor = ANY($5::bigint[]) OR p.debtor = ANY($5::bigint[])
 ORDER BY p.payment_id

-- name: open_before
-- A network's open payments that were accepted before an instant. open_payments.
SELECT payment_id, accepted_at FROM payments
 WHERE book_id = $1 AND resolve_at IS NOT NULL AND accepted_at < $2
   AND (creditor = ANY($3::bigint[]) OR debtor = ANY($3::bigint[]))
 ORDER BY payment_id LIMIT 10000

-- name: given_back_since
-- What of an account's sales before an instant was given back, or paid out, after it. Primary keys,
-- from the entry before it.
SELECT coalesce(sum(-e.amount_minor), 0)::bigint AS given_back_minor
  FROM entries AS e
  JOIN postings AS w ON w.book_id = e.book_id AND w.posting_id = e.posting_id
  LEFT JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.posting_id
  LEFT JOIN payments AS o ON o.book_id = p.book_id AND o.payment_id = p.original_id
 WHERE e.book_id = $1 AND e.account_id = $2
   AND e.seq > coalesce((SELECT b.seq FROM entries AS b
                          WHERE b.book_id = $1 AND b.account_id = $2 AND b.posted_at < $3
                          ORDER BY b.seq DESC LIMIT 1), 0)
   AND (w.kind = 'payout'
        OR p.kind = 'refund' AND coalesce(o.concluded_at, o.accepted_at) < $3)

-- name: listed_at_all
-- Which of some payments any cycle listed. Primary key.
SELECT DISTINCT payment_id FROM settlement_matches
 WHERE book_id = $1 AND payment_id = ANY($2::uuid[])

-- name: take_cycle
-- One run of a cycle at a time, wherever it runs. Let go with the connection.
SELECT pg_try_advisory_lock($1::bigint) AS taken

-- name: leave_cycle
-- The run is over.
SELECT pg_advisory_unlock($1::bigint)

-- name: file_in_force
-- The file that counts for a cycle. file_in_force.
SELECT revision, sha256, lines, owed_minor, due_minor, fee_minor, received_at, state, matched,
       breaks, posting_id
  FROM settlement_files
 WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4 AND state <> 'superseded'

-- name: revisions
-- Every file a cycle has had, and what each posted. Primary key.
SELECT revision, posting_id FROM settlement_files
 WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4 ORDER BY revision

-- name: cycles_posted
-- The cycles of a day that are done. file_in_force.
SELECT DISTINCT cycle FROM settlement_files
 WHERE book_id = $1 AND network = $2 AND day = $3 AND state = 'posted'

-- name: add_file
-- A file was received.
INSERT INTO settlement_files (book_id, network, day, cycle, revision, sha256, lines, owed_minor,
                              due_minor, fee_minor, received_at, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'received')

-- name: supersede_file
-- The file that counted counts no more. file_in_force.
UPDATE settlement_files SET state = 'superseded'
 WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4 AND state <> 'superseded'

-- name: post_file
-- The cycle is done: its position stands in the book.
UPDATE settlement_files SET state = 'posted', matched = $6, breaks = $7, posting_id = $8
 WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4 AND revision = $5
   AND state <> 'superseded'

-- name: forget_matches
-- What a cycle listed, before it is written again. matches_of_cycle.
DELETE FROM settlement_matches WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4

-- name: settle_by_repair
-- A repair settles the difference of its payment.
INSERT INTO settlement_matches (book_id, payment_id, day, cycle, network, net_minor)
VALUES ($1, $2, $3, 0, $4, $5)
ON CONFLICT (book_id, payment_id, day, cycle)
DO UPDATE SET net_minor = settlement_matches.net_minor + excluded.net_minor

-- name: breaks_of_cycle
-- The breaks a cycle has had. breaks_of_cycle.
SELECT * FROM settlement_breaks
 WHERE book_id = $1 AND network = $2 AND day = $3 AND cycle = $4 ORDER BY break_id

-- name: breaks_listed_since
-- Open breaks of payments that some cycle lists after all. breaks_open.
SELECT b.break_id FROM settlement_breaks AS b
 WHERE b.book_id = $1 AND b.state = 'open' AND b.network = $2 AND b.kind = 'missing_in_file'
   AND EXISTS (SELECT FROM settlement_matches AS m
                WHERE m.book_id = $1 AND m.payment_id = b.payment_id AND m.cycle > 0
                  AND m.net_minor <> 0)

-- name: open_breaks
-- What is open, the oldest first. breaks_open.
SELECT * FROM settlement_breaks
 WHERE book_id = $1 AND state = 'open' ORDER BY found_at LIMIT $2

-- name: find_break
-- One break. Primary key.
SELECT * FROM settlement_breaks WHERE book_id = $1 AND break_id = $2

-- name: add_breaks
-- Breaks as they are found; one that is there already stays as it is.
INSERT INTO settlement_breaks (book_id, break_id, network, day, cycle, kind, reference, payment_id,
                               account_id, ours_minor, theirs_minor, found_at, owner, proposal, state)
SELECT $1, u.break_id, $2, $3, $4, u.kind, u.reference, u.payment_id, u.account_id, u.ours_minor,
       u.theirs_minor, $5, $6, u.proposal, 'open'
  FROM unnest($7::uuid[], $8::text[], $9::text[], $10::uuid[], $11::bigint[], $12::bigint[],
              $13::bigint[], $14::text[])
    AS u(break_id, kind, reference, payment_id, account_id, ours_minor, theirs_minor, proposal)
ON CONFLICT (book_id, break_id) DO NOTHING

-- name: close_breaks
-- Breaks that are none any more, with why. Primary key.
UPDATE settlement_breaks SET state = 'closed', reason = $3, ended_at = $4
 WHERE book_id = $1 AND break_id = ANY($2::uuid[]) AND state = 'open'

-- name: repair_break
-- A break whose repair stands in the book. Primary key.
UPDATE settlement_breaks
   SET state = 'repaired', posting_id = $3, repaired_by = $4, approved_by = $5, reason = $6,
       ended_at = $7
 WHERE book_id = $1 AND break_id = $2 AND state = 'open'
RETURNING break_id

-- name: repair_in_book
-- The repair of a break the book has and the list has not: a crash came between. Primary keys.
SELECT p.posted_at, a.detail
  FROM postings AS p
  JOIN acts AS a ON a.book_id = p.book_id AND a.batch_no = p.batch_no
 WHERE p.book_id = $1 AND p.posting_id = $2 AND a.what = 'break.repaired' AND a.subject = $3

-- name: days_of_account
-- What came to and went from an account on each day, the newest first. Primary key.
SELECT (posted_at AT TIME ZONE 'Asia/Jakarta')::date AS day,
       coalesce(sum(amount_minor) FILTER (WHERE amount_minor > 0), 0)::bigint AS credit_minor,
       coalesce(-sum(amount_minor) FILTER (WHERE amount_minor < 0), 0)::bigint AS debit_minor
  FROM entries WHERE book_id = $1 AND account_id = $2
 GROUP BY 1 ORDER BY 1 DESC

-- name: suspense_entries
-- Every entry on a suspense account with its posting and whether it was reversed. Primary keys.
SELECT e.posting_id, e.amount_minor, e.posted_at, p.kind, p.note, r.posting_id AS reversed_by
  FROM entries AS e
  JOIN postings AS p ON p.book_id = e.book_id AND p.posting_id = e.posting_id
  LEFT JOIN postings AS r ON r.book_id = e.book_id AND r.reverses = e.posting_id
       AND r.reverses IS NOT NULL
 WHERE e.book_id = $1 AND e.account_id = $2 ORDER BY e.seq

-- name: breaks_of_postings
-- The breaks some postings repaired.
SELECT posting_id, break_id, owner FROM settlement_breaks
 WHERE book_id = $1 AND posting_id = ANY($2::uuid[])

-- name: owners_of_payments
-- Which accounts some payments stand between, to tell whose suspense they are. Primary key.
SELECT payment_id, debtor, creditor FROM payments
 WHERE book_id = $1 AND payment_id = ANY($2::uuid[])

-- name: balances
-- The bank's own accounts with the networks. Primary key.
SELECT account_id, posted_minor FROM accounts
 WHERE book_id = $1 AND account_id = ANY($2::bigint[]) ORDER BY account_id
