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
   AND CASE WHEN p.resolve_at IS NOT NULL
            THEN coalesce(h.amount_minor, 0) <> p.amount_minor + p.tip_minor + p.fee_minor
            ELSE h.hold_id IS NOT NULL END

-- name: every_completed_payment_moved_its_money_once
-- A posted payment debited its whole sum and credited the payee's part; no other state posted.
SELECT * FROM (
    SELECT p.payment_id, p.state, p.amount_minor + p.tip_minor + p.fee_minor AS total,
           sum(e.amount_minor) FILTER (WHERE e.account_id = p.debtor) AS debited,
           sum(e.amount_minor) FILTER (WHERE e.account_id <> p.debtor) AS credited
      FROM payments AS p
      LEFT JOIN entries AS e ON e.book_id = p.book_id AND e.posting_id = p.payment_id
     WHERE p.book_id = $1
     GROUP BY p.book_id, p.payment_id) AS moved
 WHERE CASE WHEN state IN ('posted', 'refunded')
            THEN coalesce(debited, 0) <> -total OR coalesce(credited, 0) <> total
            ELSE debited IS NOT NULL OR credited IS NOT NULL END

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
