-- What would break the invariants of payments. No row: the invariant holds. ($1 = book_id)

-- name: every_hold_has_its_resolver
-- Money is held for an open payment, which has a time to be looked at, or until its own expiry.
SELECT h.hold_id, h.account_id, p.state
  FROM holds AS h
  LEFT JOIN payments AS p ON p.book_id = h.book_id AND p.payment_id = h.hold_id
 WHERE h.book_id = $1 AND h.state = 'held' AND h.expires_at IS NULL
   AND p.resolve_at IS NULL

-- name: every_open_payment_holds_its_money
-- An open payment has its whole sum held; a payment that ended holds nothing.
SELECT p.payment_id, p.state, p.amount_minor + p.tip_minor + p.fee_minor AS total, h.amount_minor
  FROM payments AS p
  LEFT JOIN holds AS h
    ON h.book_id = p.book_id AND h.hold_id = p.payment_id AND h.state = 'held'
 WHERE p.book_id = $1 AND p.kind IN ('payment', 'credit')
   /* of these: p.payment_id = ANY($2::uuid[]) */
   AND CASE WHEN p.resolve_at IS NOT NULL
            THEN coalesce(h.amount_minor, 0) <> p.amount_minor + p.tip_minor + p.fee_minor
            ELSE h.hold_id IS NOT NULL END

-- name: every_hold_is_its_payments
-- A payment's hold is on its debtor, of its sum, from when it was taken to when it ended, and ended
-- as the payment did.
SELECT h.hold_id, h.state, h.account_id, h.amount_minor, p.state AS payment_is, p.debtor
  FROM payments AS p
  JOIN holds AS h ON h.book_id = p.book_id AND h.hold_id = p.payment_id
 WHERE p.book_id = $1 /* of these: p.payment_id = ANY($2::uuid[]) */
   AND (h.account_id <> p.debtor
        OR h.amount_minor <> p.amount_minor + p.tip_minor + p.fee_minor
        OR h.placed_at <> p.accepted_at
        OR h.ended_at IS DISTINCT FROM p.concluded_at
        OR h.expires_at IS NOT NULL
        OR h.state <> CASE WHEN p.state IN ('posted', 'refunded') THEN 'posted'
                           WHEN p.state = 'voided' THEN 'voided'
                           WHEN p.resolve_at IS NOT NULL THEN 'held' ELSE 'none' END
        OR h.posted_minor <> CASE WHEN p.state IN ('posted', 'refunded') THEN h.amount_minor
                                  ELSE 0 END)

-- name: every_completed_payment_moved_its_money_once
-- A posted payment debited its whole sum and credited the payee's part; no other state posted.
SELECT * FROM (
    SELECT p.payment_id, p.state, p.amount_minor + p.tip_minor + p.fee_minor AS total,
           sum(e.amount_minor) FILTER (WHERE e.account_id = p.debtor) AS debited,
           sum(e.amount_minor) FILTER (WHERE e.account_id <> p.debtor) AS credited
      FROM payments AS p
      LEFT JOIN entries AS e ON e.book_id = p.book_id AND e.posting_id = p.payment_id
     WHERE p.book_id = $1 /* of these: p.payment_id = ANY($2::uuid[]) */
     GROUP BY p.payment_id, p.state, total) AS moved
 WHERE CASE WHEN state IN ('posted', 'refunded')
            THEN coalesce(debited, 0) <> -total OR coalesce(credited, 0) <> total
            ELSE debited IS NOT NULL OR credited IS NOT NULL END

-- name: every_payment_is_credited_as_ordered
-- What a posted payment's creditor got and what its merchant was charged (401002) are amount and
-- tip, the bank's fee (401001) is the payment's; money that could not reach its account lies in
-- suspense (209001) whole. A refund may bring the fee of its original back.
SELECT * FROM (
    SELECT p.payment_id, p.creditor, p.amount_minor + p.tip_minor AS to_payee, p.fee_minor AS fee,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.account_id = p.creditor), 0) AS got,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.account_id = 401002), 0) AS discount,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.account_id = 401001), 0) AS fees,
           coalesce(sum(e.amount_minor) FILTER (WHERE e.account_id = 209001), 0) AS kept,
           CASE WHEN p.kind = 'refund' THEN coalesce(o.fee_minor, 0) ELSE 0 END AS fee_back
      FROM payments AS p
      LEFT JOIN entries AS e ON e.book_id = p.book_id AND e.posting_id = p.payment_id
      LEFT JOIN payments AS o ON o.book_id = p.book_id AND o.payment_id = p.original_id
     WHERE p.book_id = $1 AND p.state IN ('posted', 'refunded')
       /* of these: p.payment_id = ANY($2::uuid[]) */
     GROUP BY p.payment_id, p.creditor, to_payee, fee, fee_back) AS moved
 WHERE discount < 0 OR discount > to_payee
    OR CASE WHEN creditor <> 209001 AND kept <> 0
            THEN kept <> to_payee OR got <> 0 OR discount <> 0 OR fees <> fee
            WHEN fees < 0 THEN fees <> -fee_back OR got + discount <> to_payee + fee_back
            ELSE fees <> fee OR got + discount <> to_payee END

-- name: no_money_leaves_without_an_order
-- Every payment or refund posting belongs to a payment somebody ordered.
SELECT po.posting_id, po.kind
  FROM postings AS po
  LEFT JOIN payments AS p ON p.book_id = po.book_id AND p.payment_id = po.posting_id
 WHERE po.book_id = $1 AND po.kind IN ('payment', 'refund', 'credit', 'advice') AND p.payment_id IS NULL

-- name: refunds_add_up
-- What a payment says was refunded (or is on its way) is the sum of its refunds.
SELECT p.payment_id, p.refunded_minor, p.refunding_minor
  FROM payments AS p
  LEFT JOIN (SELECT original_id,
                    sum(amount_minor) FILTER (WHERE state = 'posted') AS posted,
                    sum(amount_minor) FILTER (WHERE resolve_at IS NOT NULL) AS open
               FROM payments WHERE book_id = $1 AND kind = 'refund' GROUP BY original_id) AS r
    ON r.original_id = p.payment_id
 WHERE p.book_id = $1 AND p.kind <> 'refund'
   AND (p.refunded_minor <> coalesce(r.posted, 0) OR p.refunding_minor <> coalesce(r.open, 0))

-- name: no_idempotency_key_has_two_payments
-- No order was carried out twice under one key.
SELECT min(payment_id::text) AS payment_id, count(*) AS payments FROM payments
 WHERE book_id = $1 GROUP BY order_key HAVING count(*) > 1

-- name: no_network_name_has_two_payments
-- A network's name for a payment means one payment, whether it is open or has ended.
SELECT rail, wire_reference, count(*) AS payments FROM payments
 WHERE book_id = $1 AND wire_reference <> '' GROUP BY rail, wire_reference HAVING count(*) > 1

-- name: timelines_are_whole
-- A payment counts its events, and its last event shows its state.
SELECT p.payment_id, p.events, count(e.seq) AS found
  FROM payments AS p
  LEFT JOIN payment_events AS e ON e.book_id = p.book_id AND e.payment_id = p.payment_id
 WHERE p.book_id = $1 GROUP BY p.payment_id, p.events HAVING count(e.seq) <> p.events

-- name: every_float_equals_its_purses
-- What an e-money product holds for its customers is the sum of their purses, and of its memo.
SELECT f.account_id, f.posted_minor, coalesce(p.total, 0) AS purses_minor, m.posted_minor AS memo
  FROM (VALUES (203001, 903001, 31, 31), (203002, 903002, 32, 32), (203003, 903003, 33, 34))
       AS product(float_id, memo_id, first, last)
  JOIN accounts AS f ON f.book_id = $1 AND f.account_id = product.float_id
  JOIN accounts AS m ON m.book_id = $1 AND m.account_id = product.memo_id
  LEFT JOIN LATERAL (
       SELECT sum(a.posted_minor) AS total FROM accounts AS a
        WHERE a.book_id = $1
          AND a.account_id BETWEEN product.first * 1000000000::bigint
                               AND product.last * 1000000000::bigint + 999999999) AS p ON true
 WHERE f.posted_minor <> coalesce(p.total, 0) OR m.posted_minor <> -f.posted_minor

-- name: advances_add_up
-- What the bank has out on payments is what its advances account says, and each is counted once.
SELECT a.account_id, a.posted_minor, coalesce(p.total, 0) AS on_payments_minor,
       coalesce(d.total, 0) AS on_accounts_minor
  FROM accounts AS a
  LEFT JOIN LATERAL (SELECT sum(advanced_minor)::bigint AS total FROM payments
                      WHERE book_id = $1 AND advanced_minor > 0) AS p ON true
  LEFT JOIN LATERAL (SELECT sum(minor)::bigint AS total FROM advanced WHERE book_id = $1) AS d
         ON true
 WHERE a.book_id = $1 AND a.account_id = 106001
   AND (a.posted_minor <> -coalesce(p.total, 0) OR a.posted_minor <> -coalesce(d.total, 0))

-- name: nobody_is_paid_back_twice
-- No advance stays out on a payment whose own money has come back: voided, or refunded in whole.
SELECT payment_id, state, advanced_minor, refunded_minor FROM payments
 WHERE book_id = $1 AND advanced_minor > 0
   AND (state NOT IN ('unanswered', 'held', 'posted')
        OR advanced_minor > amount_minor + tip_minor + fee_minor - refunded_minor)

-- name: advances_are_counted_by_account
-- What each account is said to have of the bank's advances is what its payments say.
SELECT d.account_id, d.count, d.minor, coalesce(p.count, 0) AS payments, coalesce(p.minor, 0) AS total
  FROM advanced AS d
  LEFT JOIN (SELECT debtor, count(*) AS count, sum(advanced_minor) AS minor FROM payments
              WHERE book_id = $1 AND advanced_minor > 0 GROUP BY debtor) AS p
    ON p.debtor = d.account_id
 WHERE d.book_id = $1 AND (d.count <> coalesce(p.count, 0) OR d.minor <> coalesce(p.minor, 0))

-- name: used_limits_follow_payments
-- What is said to be used of a limit is no more than was paid in its time, and no less than what was
-- paid and has not come back; less only where the limit was changed meanwhile.
SELECT * FROM (
    SELECT u.account_id, u.service, u.business_date, u.used_minor,
           coalesce(sum(p.amount_minor + p.tip_minor) FILTER (WHERE p.state <> 'refused'), 0) AS most,
           coalesce(sum(p.amount_minor + p.tip_minor - p.refunded_minor - p.refunding_minor)
                    FILTER (WHERE p.state IN ('parked', 'held', 'unanswered', 'posted')), 0) AS least
      FROM limit_usage AS u
      LEFT JOIN payments AS p
        ON p.book_id = u.book_id AND p.kind = 'payment' AND p.debtor = u.account_id
       AND split_part(u.service, ':', 1) IN (p.service, split_part(p.service, '.', 1))
       AND CASE WHEN u.service LIKE '%:month'
                THEN p.business_date BETWEEN u.business_date
                     AND (u.business_date + interval '1 month' - interval '1 day')::date
                ELSE p.business_date = u.business_date END
     WHERE u.book_id = $1 /* of these: u.account_id = ANY($2::bigint[]) */
     GROUP BY u.account_id, u.service, u.business_date, u.used_minor) AS used
 WHERE used_minor > most
    OR used_minor < least
   AND NOT EXISTS (SELECT FROM tariff_changes AS t
                    WHERE t.book_id = $1 AND t.kind = 'limit'
                      AND split_part(t.name, '/', 1) = split_part(used.service, ':', 1)
                      AND t.at >= used.business_date - interval '1 day')

-- name: no_used_limit_is_forgotten
-- A payment that was not refused has used its service's limit on its day.
SELECT DISTINCT p.debtor, p.service, p.business_date
  FROM payments AS p
  JOIN payment_events AS e
    ON e.book_id = p.book_id AND e.payment_id = p.payment_id AND e.seq = 1 AND e.state <> 'refused'
  LEFT JOIN postings AS po
    ON po.book_id = p.book_id AND po.posting_id = p.payment_id AND po.kind = 'advice'
  LEFT JOIN limit_usage AS u
    ON u.book_id = p.book_id AND u.account_id = p.debtor AND u.service = p.service
   AND u.business_date = p.business_date
 WHERE p.book_id = $1 AND p.kind = 'payment' AND po.posting_id IS NULL AND u.account_id IS NULL
   /* of these: p.debtor = ANY($2::bigint[]) */

-- name: every_event_has_its_payment
-- No payment is gone that the chain speaks of.
SELECT DISTINCT e.payment_id FROM payment_events AS e
  LEFT JOIN payments AS p ON p.book_id = e.book_id AND p.payment_id = e.payment_id
 WHERE e.book_id = $1 AND p.payment_id IS NULL

-- name: only_what_left_us_is_returned
-- A network returns what a payment of ours sent, never what a credit had brought.
SELECT r.payment_id, r.wire_reference, o.payment_id AS original_id, o.kind
  FROM payments AS r
  JOIN payments AS o ON o.book_id = r.book_id AND o.payment_id = r.original_id
 WHERE r.book_id = $1 AND r.kind = 'refund' AND r.wire_reference <> '' AND o.kind <> 'payment'
