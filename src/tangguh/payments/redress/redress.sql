-- The statements behind money that comes back.

-- name: load_redress
-- What was done about payments. Primary key.
SELECT payment_id, account_id, advance, advance_minor, advanced_at, take_back_at, why_not,
       late_days, late_minor, chargeback, came_back_by
  FROM redress WHERE book_id = $1 AND payment_id = ANY($2::uuid[])

-- name: change_redress
-- What a batch did about them.
UPDATE redress AS r
   SET advance = u.advance, advance_minor = u.advance_minor, advanced_at = u.advanced_at,
       take_back_at = u.take_back_at, why_not = u.why_not, late_days = u.late_days,
       late_minor = u.late_minor, chargeback = u.chargeback, came_back_by = u.came_back_by
  FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[],
              $7::text[], $8::integer[], $9::bigint[], $10::uuid[], $11::text[])
    AS u(payment_id, advance, advance_minor, advanced_at, take_back_at, why_not, late_days,
         late_minor, chargeback, came_back_by)
 WHERE r.book_id = $1 AND r.payment_id = u.payment_id

-- name: load_advanced
-- What accounts have of the bank's advances. Primary key.
SELECT account_id, count, minor FROM advanced
 WHERE book_id = $1 AND account_id = ANY($2::bigint[])

-- name: change_advanced
-- What a batch added to it or took.
UPDATE advanced AS a SET count = u.count, minor = u.minor
  FROM unnest($2::bigint[], $3::integer[], $4::bigint[]) AS u(account_id, count, minor)
 WHERE a.book_id = $1 AND a.account_id = u.account_id

-- name: to_advance
-- Unanswered payments old enough for an advance that got none and were refused none.
-- open_payments (few).
SELECT p.payment_id FROM payments AS p
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.state = 'unanswered'
   AND p.kind = 'payment' AND p.advanced_minor = 0 AND p.accepted_at <= $2
   AND NOT EXISTS (SELECT 1 FROM redress AS r
                    WHERE r.book_id = p.book_id AND r.payment_id = p.payment_id
                      AND r.advance <> 'none')
 ORDER BY p.accepted_at LIMIT $3

-- name: to_pay_late
-- Unanswered payments past the limit whose begun days are not all paid. open_payments.
SELECT p.payment_id FROM payments AS p
  LEFT JOIN redress AS r ON r.book_id = p.book_id AND r.payment_id = p.payment_id
 WHERE p.book_id = $1 AND p.resolve_at IS NOT NULL AND p.state = 'unanswered'
   AND p.kind IN ('payment', 'refund') AND p.advanced_minor = 0 AND p.accepted_at <= $2
   AND coalesce(r.late_days, 0) < least($3::integer,
       1 + floor(extract(epoch FROM $2::timestamptz - p.accepted_at) / 86400)::integer)
 ORDER BY p.accepted_at LIMIT $4

-- name: to_take_back
-- Advances that are owed, told of, and due. redress_to_take_back.
SELECT payment_id FROM redress
 WHERE book_id = $1 AND take_back_at <= $2 ORDER BY take_back_at LIMIT $3

-- name: redress_of_payments
-- What was done about some payments, for whoever shows them. Primary key.
SELECT payment_id, account_id, advance, advance_minor, advanced_at, take_back_at, why_not,
       late_days, late_minor, chargeback, came_back_by
  FROM redress WHERE book_id = $1 AND payment_id = ANY($2::uuid[])
