-- The statements behind breaks of a network's second word.

-- name: contradicted_since
-- What networks said otherwise than the book has it. payment_events_contradicted.
SELECT e.payment_id, e.seq, e.at, e.detail, p.kind, p.state, p.debtor, p.creditor,
       p.amount_minor + p.tip_minor AS payee_minor, p.fee_minor, p.wire_reference
  FROM payment_events AS e
  JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.payment_id
 WHERE e.book_id = $1 AND e.what = 'contradicted' AND e.at >= $2
 ORDER BY e.at, e.payment_id, e.seq LIMIT 10000

-- name: listed_by_a_file
-- Which of some payments a file has listed, or has a break of its own for, and until when that was
-- the last word: a break that is open is, now. Primary key, breaks_of_payment.
SELECT m.payment_id, f.received_at AS at
  FROM settlement_matches AS m
  JOIN settlement_files AS f ON f.book_id = m.book_id AND f.network = m.network AND f.day = m.day
       AND f.cycle = m.cycle AND f.state = 'posted'
 WHERE m.book_id = $1 AND m.payment_id = ANY($2::uuid[]) AND m.cycle > 0
UNION ALL
SELECT b.payment_id, coalesce(b.ended_at, $3::timestamptz)
  FROM settlement_breaks AS b
 WHERE b.book_id = $1 AND b.payment_id = ANY($2::uuid[]) AND b.cycle > 0

-- name: undone_now
-- What of some payments has been taken back. Primary key.
SELECT p.payment_id, p.state, p.debtor, p.creditor, p.fee_minor, p.refunded_minor,
       p.amount_minor + p.tip_minor AS payee_minor
  FROM payments AS p WHERE p.book_id = $1 AND p.payment_id = ANY($2::uuid[])

-- name: breaks_known
-- Which of some breaks are there. Primary key.
SELECT break_id FROM settlement_breaks WHERE book_id = $1 AND break_id = ANY($2::uuid[])

-- name: postings_known
-- Which of some postings are in the book. Primary key.
SELECT posting_id FROM postings WHERE book_id = $1 AND posting_id = ANY($2::uuid[])
