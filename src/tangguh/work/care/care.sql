-- What settlement says of payments somebody complains of.

-- name: seen_of_payment
-- What files listed of one payment, and the breaks it is in. breaks_of_payment.
SELECT (SELECT sum(m.net_minor)::bigint FROM settlement_matches AS m
         WHERE m.book_id = $1 AND m.payment_id = $2) AS listed_minor,
       ARRAY(SELECT b.kind FROM settlement_breaks AS b
              WHERE b.book_id = $1 AND b.payment_id = $2 AND b.state = 'open') AS open_breaks

-- name: loaded_since
-- Whether a card was tapped after an instant: a tap loads everything that waits. Primary key.
SELECT 1 FROM entries AS e
  JOIN postings AS p ON p.book_id = e.book_id AND p.posting_id = e.posting_id AND p.kind = 'tap'
 WHERE e.book_id = $1 AND e.account_id = $2 AND e.amount_minor < 0 AND e.posted_at >= $3 LIMIT 1

-- name: bulk_unfinished
-- Acts for many that were begun and not finished. acts_of_bulk.
SELECT b.subject, b.detail FROM acts AS b
 WHERE b.book_id = $1 AND b.what = 'bulk.begun'
   AND NOT EXISTS (SELECT 1 FROM acts AS d
                    WHERE d.book_id = $1 AND d.what = 'bulk.done' AND d.subject = b.subject)

-- name: limit_over_without_case
-- Unanswered payments whose limit is over and that no case is about. open_payments (few).
SELECT p.* FROM payments AS p
  JOIN redress AS r ON r.book_id = p.book_id AND r.payment_id = p.payment_id
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.kind = 'payment' AND r.advance <> 'none'
   AND NOT EXISTS (SELECT 1 FROM cases AS c
                    WHERE c.book_id = p.book_id AND c.payment_id = p.payment_id)
 ORDER BY p.payment_id LIMIT 10000

-- name: begin_word
-- A book without a place to read on from begins at its newest batch.
INSERT INTO word_told (book_id, batch_no)
SELECT book_id, batch_no FROM books WHERE book_id = $1
ON CONFLICT DO NOTHING

-- name: word_so_far
-- The last batch that is told, and the newest. Primary keys.
SELECT w.batch_no AS told, b.batch_no AS head
  FROM word_told AS w JOIN books AS b ON b.book_id = w.book_id
 WHERE w.book_id = $1

-- name: word_told
-- Everything up to this batch is told; never back.
UPDATE word_told SET batch_no = $2 WHERE book_id = $1 AND batch_no < $2

-- name: payments_ended
-- Payments that ended within these batches after somebody waited, and money that came back.
-- payment_events_by_batch, then the primary key.
SELECT p.* FROM payment_events AS e
  JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.payment_id
 WHERE e.book_id = $1 AND e.batch_no > $2 AND e.batch_no <= $3
   AND e.state IN ('posted', 'voided')
   AND p.state IN ('posted', 'voided')
   AND (p.attempts > 0 OR p.kind = 'refund' OR p.advanced_minor > 0)

-- name: redress_done
-- What the clock of money back did within these batches. redress_events_by_batch.
SELECT r.what AS redress_what, p.* FROM redress_events AS r
  JOIN payments AS p ON p.book_id = r.book_id AND p.payment_id = r.payment_id
 WHERE r.book_id = $1 AND r.batch_no > $2 AND r.batch_no <= $3
   AND r.what IN ('advanced', 'late_paid')

-- name: cases_moved
-- Steps of cases within these batches. case_events_by_batch.
SELECT e.what, e.state, e.seq, c.case_json FROM case_events AS e
  JOIN cases AS c ON c.book_id = e.book_id AND c.case_id = e.case_id
 WHERE e.book_id = $1 AND e.batch_no > $2 AND e.batch_no <= $3
 ORDER BY e.seq
