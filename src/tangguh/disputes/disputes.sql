-- The statements behind cases.

-- name: load_cases
-- Cases the writer does not have in memory. Primary key.
SELECT case_json FROM cases WHERE book_id = $1 AND case_id = ANY($2::uuid[])

-- name: change_cases
-- The cases a batch moved on.
UPDATE cases AS c
   SET state = u.state, act_by = u.act_by, due_at = u.due_at, case_json = u.case_json
  FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[])
    AS u(case_id, state, act_by, due_at, case_json)
 WHERE c.book_id = $1 AND c.case_id = u.case_id

-- name: load_case_of_payment
-- The newest case of payments. cases_of_payment.
SELECT DISTINCT ON (payment_id) payment_id, case_id FROM cases
 WHERE book_id = $1 AND payment_id = ANY($2::uuid[]) ORDER BY payment_id, opened_at DESC

-- name: load_case_of_number
-- Which case has a number already. case_of_number.
SELECT number, case_id FROM cases WHERE book_id = $1 AND number = ANY($2::text[])

-- name: find_case
-- One case. Primary key.
SELECT case_json FROM cases WHERE book_id = $1 AND case_id = $2

-- name: find_by_number
-- One case by the number people were told. case_of_number.
SELECT case_json FROM cases WHERE book_id = $1 AND number = $2

-- name: cases_of_customer
-- A customer's cases, newest first. cases_of_customer.
SELECT case_json FROM cases
 WHERE book_id = $1 AND customer_id = $2 AND customer_id <> 0 ORDER BY opened_at DESC LIMIT $3

-- name: cases_of_payment
-- The cases of one payment, newest first. cases_of_payment.
SELECT case_json FROM cases WHERE book_id = $1 AND payment_id = $2 ORDER BY opened_at DESC

-- name: cases_of_incident
-- The cases an incident brought. cases_of_incident.
SELECT case_json FROM cases WHERE book_id = $1 AND incident_id = $2 ORDER BY case_id LIMIT $3

-- name: waited_for
-- The payments that cases wait for. cases_to_act_on.
SELECT payment_id FROM cases
 WHERE book_id = $1 AND state <> 'closed' AND state = 'waiting' AND payment_id IS NOT NULL

-- name: queue
-- What people must act on, the most urgent first. cases_to_act_on.
SELECT case_json FROM cases
 WHERE book_id = $1 AND state <> 'closed'
   AND state IN ('with_staff', 'escalated', 'needs_papers', 'received')
 ORDER BY act_by LIMIT $2

-- name: waiting_cases
-- What waits for its payment's own clock, the soonest first. cases_to_act_on.
SELECT case_json FROM cases
 WHERE book_id = $1 AND state <> 'closed' AND state = 'waiting' ORDER BY act_by LIMIT $2

-- name: cases_due
-- Cases whose time to act is over. cases_to_act_on.
SELECT case_json FROM cases
 WHERE book_id = $1 AND state <> 'closed' AND act_by <= $2 ORDER BY act_by LIMIT $3

-- name: counts_between
-- Complaints opened in a time, by what they are about and where they are, for the monthly figures.
-- cases_by_day.
SELECT about, state, case_json::json ->> 'outcome' AS outcome, count(*) AS cases,
       count(*) FILTER (WHERE state NOT IN ('decided', 'closed') AND due_at < $4) AS overdue
  FROM cases WHERE book_id = $1 AND opened_at >= $2 AND opened_at < $3
 GROUP BY 1, 2, 3

-- name: events_of_case
-- One case's timeline. Primary key.
SELECT seq, at, state, what, detail, made_by FROM case_events
 WHERE book_id = $1 AND case_id = $2 ORDER BY seq

-- name: add_message
-- What somebody wrote in a case. Twice the same id: once.
INSERT INTO case_messages (book_id, message_id, case_id, at, made_by, body)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING

-- name: messages_of_case
-- What was written in a case, oldest first. messages_of_case.
SELECT at, made_by, body FROM case_messages
 WHERE book_id = $1 AND case_id = $2 ORDER BY at, message_id

-- name: add_contact
-- How to reach somebody without an account; the code they follow their case with, by its hash.
INSERT INTO case_contacts (book_id, case_id, address, code_sha256)
VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- name: contact_of_case
-- How to reach them. Primary key.
SELECT address, code_sha256 FROM case_contacts WHERE book_id = $1 AND case_id = $2
