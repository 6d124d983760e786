-- The statements behind payments.

-- name: load_payments
-- Payments the writer does not have in memory. Primary key.
SELECT * FROM payments WHERE book_id = $1 AND payment_id = ANY($2::uuid[])

-- name: change_payments
-- The payments a batch moved on.
UPDATE payments AS p
   SET state = u.state, network_reference = u.network_reference, refusal = u.refusal,
       refusal_field = u.refusal_field, refusal_detail = u.refusal_detail,
       refunded_minor = u.refunded_minor, refunding_minor = u.refunding_minor,
       concluded_at = u.concluded_at, resolve_at = u.resolve_at, attempts = u.attempts,
       events = u.events, advanced_minor = u.advanced_minor
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::bigint[], $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::integer[],
              $13::integer[], $14::bigint[])
    AS u(payment_id, state, network_reference, refusal, refusal_field, refusal_detail,
         refunded_minor, refunding_minor, concluded_at, resolve_at, attempts, events,
         advanced_minor)
 WHERE p.book_id = $1 AND p.payment_id = u.payment_id

-- name: taken_payments
-- What a new payment would be the second of: its key, or its reference on the wire.
-- payment_of_order_key, payment_of_wire_reference.
-- Key by key, whatever the statistics of a young table say: never from the table's side.
SELECT FROM payments WHERE book_id = $1 AND order_key = ANY($2::text[])
 UNION ALL
SELECT FROM unnest($3::text[], $4::text[]) AS u(rail, wire_reference)
 CROSS JOIN LATERAL (
       SELECT FROM payments AS p
        WHERE p.book_id = $1 AND p.rail = u.rail AND p.wire_reference = u.wire_reference
          AND p.wire_reference <> '' LIMIT 1) AS taken
 WHERE u.wire_reference <> ''

-- name: load_order_keys
-- Which payment each key made. payment_of_order_key.
SELECT order_key, payment_id FROM payments WHERE book_id = $1 AND order_key = ANY($2::text[])

-- name: load_wire_names
-- Which payment each network's name means. payment_of_wire_reference.
-- Name by name, as taken_payments.
SELECT u.rail, u.wire_reference, p.payment_id
  FROM unnest($2::text[], $3::text[]) AS u(rail, wire_reference)
 CROSS JOIN LATERAL (
       SELECT payment_id FROM payments
        WHERE book_id = $1 AND rail = u.rail AND wire_reference = u.wire_reference
          AND wire_reference <> '' LIMIT 1) AS p

-- name: load_limit_usage
-- What accounts have used of a service today. Primary key.
SELECT l.account_id, l.service, l.business_date, l.used_minor
  FROM unnest($2::bigint[], $3::text[], $4::date[]) AS u(account_id, service, business_date)
  JOIN limit_usage AS l
    ON l.book_id = $1 AND l.account_id = u.account_id AND l.service = u.service
   AND l.business_date = u.business_date

-- name: change_limit_usage
-- What a batch added to (or gave back of) the day's use.
UPDATE limit_usage AS l SET used_minor = u.used_minor
  FROM unnest($2::bigint[], $3::text[], $4::date[], $5::bigint[])
    AS u(account_id, service, business_date, used_minor)
 WHERE l.book_id = $1 AND l.account_id = u.account_id AND l.service = u.service
   AND l.business_date = u.business_date

-- name: load_wire_sequences
-- The last number given on each rail today. Primary key.
SELECT w.rail, w.business_date, w.last_number
  FROM unnest($2::text[], $3::date[]) AS u(rail, business_date)
  JOIN wire_sequences AS w
    ON w.book_id = $1 AND w.rail = u.rail AND w.business_date = u.business_date

-- name: change_wire_sequences
-- The numbers a batch gave out.
UPDATE wire_sequences AS w SET last_number = u.last_number
  FROM unnest($2::text[], $3::date[], $4::bigint[]) AS u(rail, business_date, last_number)
 WHERE w.book_id = $1 AND w.rail = u.rail AND w.business_date = u.business_date

-- name: load_merchant_bills
-- Bills of our merchants. Primary key.
SELECT b.merchant_id, b.bill_no, b.amount_minor, b.expires_at, b.paid_by
  FROM unnest($2::text[], $3::text[]) AS u(merchant_id, bill_no)
  JOIN merchant_bills AS b
    ON b.book_id = $1 AND b.merchant_id = u.merchant_id AND b.bill_no = u.bill_no

-- name: change_merchant_bills
-- The bills a batch saw paid.
UPDATE merchant_bills AS b SET paid_by = u.paid_by
  FROM unnest($2::text[], $3::text[], $4::uuid[]) AS u(merchant_id, bill_no, paid_by)
 WHERE b.book_id = $1 AND b.merchant_id = u.merchant_id AND b.bill_no = u.bill_no

-- name: load_paid_once
-- What has paid and does so once. Primary key.
SELECT thing, payment_id FROM paid_once WHERE book_id = $1 AND thing = ANY($2::text[])

-- name: find_by_wire
-- The payment a network's reference names. payment_of_wire_reference.
SELECT * FROM payments
 WHERE book_id = $1 AND rail = $2 AND wire_reference = $3 AND wire_reference <> ''

-- name: find_payment
-- One payment. Primary key.
SELECT * FROM payments WHERE book_id = $1 AND payment_id = $2

-- name: payments_of_customer
-- A customer's payments before a cursor, newest first. payments_of_customer.
SELECT * FROM payments
 WHERE book_id = $1 AND customer_id = $2 AND payment_id < $3
 ORDER BY payment_id DESC LIMIT $4

-- name: spent_since
-- What a customer has ordered since a payment's id and did not get back. payments_of_customer.
SELECT coalesce(sum(greatest(amount_minor + tip_minor - refunded_minor, 0)), 0)::bigint AS minor
  FROM payments
 WHERE book_id = $1 AND customer_id = $2 AND payment_id >= $3 AND kind = 'payment'
   AND state NOT IN ('refused', 'voided')

-- name: open_payments_of_customer
-- A customer's payments whose end nobody knows yet. open_payments.
SELECT * FROM payments
 WHERE book_id = $1 AND customer_id = $2 AND resolve_at IS NOT NULL
 ORDER BY payment_id DESC LIMIT $3

-- name: events_of_payment
-- One payment's timeline. Primary key.
SELECT seq, at, state, what, detail FROM payment_events
 WHERE book_id = $1 AND payment_id = $2 ORDER BY seq

-- name: refunds_of_payment
-- The refunds of one payment. refunds_of_payment.
SELECT * FROM payments WHERE book_id = $1 AND original_id = $2 ORDER BY payment_id

-- name: payments_to_resolve
-- What the resolver owes a look now. payments_to_resolve.
SELECT * FROM payments WHERE book_id = $1 AND resolve_at <= $2 ORDER BY resolve_at LIMIT $3

-- name: used_today
-- What an account has used of a service on a day. Primary key.
SELECT used_minor FROM limit_usage
 WHERE book_id = $1 AND account_id = $2 AND service = $3 AND business_date = $4

-- name: every_payment
-- All payments of a book, for proofs and drills of a size that fits in memory.
SELECT * FROM payments WHERE book_id = $1 ORDER BY payment_id

-- name: tariff_changes
-- Every change of limits, fees and discounts, oldest first. Primary key.
SELECT at, kind, name, value_json, changed_by, approved_by, reason FROM tariff_changes
 WHERE book_id = $1 ORDER BY at, change_id

-- name: takings_of_day
-- What an account received by QRIS on a day. payments_of_merchant.
SELECT count(*) AS payments,
       coalesce(sum(amount_minor + tip_minor - refunded_minor), 0)::bigint AS gross_minor,
       coalesce(sum(discount_minor), 0)::bigint AS discount_minor,
       coalesce(sum(refunded_minor), 0)::bigint AS refunded_minor
  FROM payments
 WHERE book_id = $1 AND creditor = $2 AND business_date = $3 AND kind <> 'refund'
   AND state IN ('posted', 'refunded')
   AND service IN ('mobile.qris.onus', 'in.qris.merchant', 'emoney.qris.server',
                   'emoney.qris.touristpass')

-- name: parked_payments
-- What waits for a gate, the oldest first. open_payments.
SELECT * FROM payments
 WHERE book_id = $1 AND state = 'parked' AND payment_id > $2 ORDER BY payment_id LIMIT $3
