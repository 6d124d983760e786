-- The statements behind purses, merchants, cards and one-time codes.

-- name: add_purse
-- Issue a purse; a repeat changes nothing.
INSERT INTO purses (book_id, account_id, pending_id, product, number, customer_id, expires_on)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING

-- name: purse_of_number
-- The purse with this printed number. purse_of_number.
SELECT account_id, pending_id, product, number, customer_id, expires_on
  FROM purses WHERE book_id = $1 AND number = $2

-- name: purse_of_account
-- The purse of an account. Primary key.
SELECT account_id, pending_id, product, number, customer_id, expires_on
  FROM purses WHERE book_id = $1 AND account_id = $2

-- name: load_merchants
-- Merchants the writer does not have in memory. Primary key.
SELECT merchant_id, account_id, waiting_id, customer_id, nmid, pan, name, city, postal_code,
       category_code, criteria
  FROM merchants WHERE book_id = $1 AND merchant_id = ANY($2::text[])

-- name: change_merchants
-- What a merchant is called and where it is: nothing about money.
UPDATE merchants AS m SET name = u.name, city = u.city
  FROM unnest($2::text[], $3::text[], $4::text[]) AS u(merchant_id, name, city)
 WHERE m.book_id = $1 AND m.merchant_id = u.merchant_id

-- name: merchants_without_terms
-- Those enrolled before terms were kept. Reads all merchants, once at each start.
SELECT m.merchant_id, m.account_id, m.waiting_id, m.customer_id, m.nmid, m.pan, m.name, m.city,
       m.postal_code, m.category_code, m.criteria
  FROM merchants AS m
 WHERE m.book_id = $1
   AND NOT EXISTS (SELECT 1 FROM merchant_terms AS t
                    WHERE t.book_id = m.book_id AND t.merchant_id = m.merchant_id)
 ORDER BY m.merchant_id

-- name: merchant_of_pan
-- The merchant a scanned code names. merchant_of_pan.
SELECT merchant_id, account_id, waiting_id, customer_id, nmid, pan, name, city, postal_code,
       category_code, criteria
  FROM merchants WHERE book_id = $1 AND pan = $2

-- name: merchants_of_customer
-- A customer's shops. merchants_of_customer.
SELECT merchant_id, account_id, waiting_id, customer_id, nmid, pan, name, city, postal_code,
       category_code, criteria
  FROM merchants WHERE book_id = $1 AND customer_id = $2 ORDER BY merchant_id

-- name: waiting_merchants
-- Merchants who are paid at their cut-off and have something waiting. Reads all merchants.
SELECT m.merchant_id, m.account_id, m.waiting_id, a.posted_minor
  FROM merchants AS m
  JOIN accounts AS a ON a.book_id = m.book_id AND a.account_id = m.waiting_id
 WHERE m.book_id = $1 AND m.waiting_id <> 0 AND a.posted_minor > 0 ORDER BY m.merchant_id

-- name: add_card
-- Issue a card; a repeat changes nothing.
INSERT INTO cards (book_id, card_token, sealed_pan, last_four, expires, account_id, customer_id,
                   pvv, state, tries_left)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'active', 3) ON CONFLICT DO NOTHING

-- name: card
-- One card by the token of its number. Primary key.
SELECT card_token, sealed_pan, last_four, expires, account_id, customer_id, pvv, state, tries_left
  FROM cards WHERE book_id = $1 AND card_token = $2

-- name: cards_by_token
-- Several cards at once, for terminals that ask side by side. Primary key.
SELECT card_token, sealed_pan, last_four, expires, account_id, customer_id, pvv, state, tries_left
  FROM cards WHERE book_id = $1 AND card_token = ANY($2::text[])

-- name: cards_of_customer
-- A customer's cards. cards_of_customer.
SELECT card_token, sealed_pan, last_four, expires, account_id, customer_id, pvv, state, tries_left
  FROM cards WHERE book_id = $1 AND customer_id = $2 ORDER BY card_token

-- name: take_try
-- One wrong PIN: one try less; the last one blocks the card.
UPDATE cards SET tries_left = greatest(tries_left - 1, 0),
                 state = CASE WHEN tries_left <= 1 THEN 'blocked' ELSE state END
 WHERE book_id = $1 AND card_token = $2
RETURNING tries_left

-- name: give_tries
-- A right PIN: all tries again. Writes only when one was lost.
UPDATE cards SET tries_left = 3 WHERE book_id = $1 AND card_token = $2 AND tries_left < 3

-- name: set_pvv
-- A new PIN.
UPDATE cards SET pvv = $3, tries_left = 3 WHERE book_id = $1 AND card_token = $2

-- name: add_code
-- Keep a one-time code by its hash.
INSERT INTO one_time_codes (book_id, code_hash, kind, customer_id, account_id, amount_minor,
                            made_at, expires_at, order_key, hold_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING code_hash

-- name: code_of_order
-- The code a request made. code_of_order_key.
SELECT code_hash, kind, customer_id, account_id, amount_minor, expires_at, hold_id
  FROM one_time_codes WHERE book_id = $1 AND order_key = $2 AND order_key <> ''

-- name: code
-- A one-time code. Primary key.
SELECT kind, customer_id, account_id, amount_minor, expires_at, hold_id
  FROM one_time_codes WHERE book_id = $1 AND code_hash = $2

-- name: cash_codes
-- A customer's codes for cash whose money is still held, the newest first. codes_of_customer.
SELECT c.code_hash, c.kind, c.customer_id, c.account_id, c.amount_minor, c.expires_at, c.hold_id,
       c.order_key
  FROM one_time_codes AS c
  JOIN holds AS h ON h.book_id = c.book_id AND h.hold_id = c.hold_id AND h.state = 'held'
 WHERE c.book_id = $1 AND c.customer_id = $2 AND c.expires_at > $3 AND c.kind = 'cash'
 ORDER BY c.made_at DESC LIMIT 20

-- name: open_codes_minor
-- What the codes a customer made since then may still take; one that was cancelled takes nothing.
-- codes_of_customer.
SELECT coalesce(sum(c.amount_minor), 0)::bigint AS minor FROM one_time_codes AS c
 WHERE c.book_id = $1 AND c.customer_id = $2 AND c.made_at >= $3 AND c.expires_at > $4
   AND (c.hold_id IS NULL OR EXISTS (SELECT 1 FROM holds AS h
                                      WHERE h.book_id = c.book_id AND h.hold_id = c.hold_id
                                        AND h.state = 'held'))

-- name: forget_codes
-- Codes whose time is long over.
DELETE FROM one_time_codes WHERE book_id = $1 AND expires_at < $2
