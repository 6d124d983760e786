-- What would break the rules of what customers have beside accounts. No row: the rule holds. ($1)

-- name: every_account_is_shown_to_its_owner
-- An account is in the app of the customer whom the book names as its owner.
SELECT c.customer_id, c.account_id, a.owner_id
  FROM customer_accounts AS c
  LEFT JOIN accounts AS a ON a.book_id = c.book_id AND a.account_id = c.account_id
 WHERE c.book_id = $1 AND a.owner_id IS DISTINCT FROM c.customer_id

-- name: every_card_pays_from_its_holders_account
-- A card's account belongs to the card's customer.
SELECT c.last_four, c.customer_id, c.account_id, a.owner_id
  FROM cards AS c
  LEFT JOIN accounts AS a ON a.book_id = c.book_id AND a.account_id = c.account_id
 WHERE c.book_id = $1 AND a.owner_id IS DISTINCT FROM c.customer_id

-- name: every_merchant_is_paid_to_its_own_account
-- A merchant's accounts are a merchant's, and what waits for its cut-off is a payable, both its own.
SELECT m.merchant_id, m.account_id, m.waiting_id, a.owner_id, a.kind
  FROM merchants AS m
  LEFT JOIN accounts AS a ON a.book_id = m.book_id AND a.account_id = m.account_id
  LEFT JOIN accounts AS w ON w.book_id = m.book_id AND w.account_id = m.waiting_id
 WHERE m.book_id = $1
   AND ((a.owner_id, a.kind) IS DISTINCT FROM (m.customer_id, 'merchant')
        OR m.waiting_id <> 0
           AND (w.owner_id, w.kind) IS DISTINCT FROM (m.customer_id, 'payable'))

-- name: every_purse_is_its_holders
-- A purse, and what waits for its card, are accounts of their own kind, product and owner.
SELECT p.number, p.account_id, p.pending_id, p.customer_id, a.owner_id, a.kind
  FROM purses AS p
  LEFT JOIN accounts AS a ON a.book_id = p.book_id AND a.account_id = p.account_id
  LEFT JOIN accounts AS w ON w.book_id = p.book_id AND w.account_id = p.pending_id
 WHERE p.book_id = $1
   AND ((a.owner_id, a.kind) IS DISTINCT FROM (p.customer_id, 'purse')
        OR p.account_id / 1000000000 <> CASE p.product WHEN 'server' THEN 31
                                                       WHEN 'touristpass' THEN 32 ELSE 33 END
        OR (p.pending_id <> 0) <> (p.product = 'card')
        OR p.pending_id <> 0
           AND ((w.owner_id, w.kind) IS DISTINCT FROM (p.customer_id, 'purse')
                OR p.pending_id / 1000000000 <> 34))
