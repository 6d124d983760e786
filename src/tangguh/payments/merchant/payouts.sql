-- The statements behind merchants' payouts.

-- name: load_merchant_payouts
-- Until when the sales of merchants are paid out. Primary key.
SELECT waiting_id, account_id, paid_until FROM merchant_payouts
 WHERE book_id = $1 AND waiting_id = ANY($2::bigint[])

-- name: change_merchant_payouts
-- The merchants a batch paid out.
UPDATE merchant_payouts AS m SET account_id = u.account_id, paid_until = u.paid_until
  FROM unnest($2::bigint[], $3::bigint[], $4::timestamptz[]) AS u(waiting_id, account_id, paid_until)
 WHERE m.book_id = $1 AND m.waiting_id = u.waiting_id
