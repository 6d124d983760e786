-- The statements behind customers.

-- name: add_customers
-- Enrol people; a repeat changes nothing.
INSERT INTO customers (book_id, customer_id, phone, full_name, language)
SELECT $1, u.* FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
    AS u(customer_id, phone, full_name, language)
ON CONFLICT DO NOTHING

-- name: add_customer_accounts
-- Give accounts to people; a repeat changes nothing.
INSERT INTO customer_accounts (book_id, customer_id, account_id, product)
SELECT $1, u.* FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS u(customer_id, account_id, product)
ON CONFLICT DO NOTHING

-- name: customer_of_phone
-- Who logs in. customer_of_phone.
SELECT customer_id, phone, full_name, language FROM customers WHERE book_id = $1 AND phone = $2

-- name: customer
-- One customer. Primary key.
SELECT customer_id, phone, full_name, language FROM customers WHERE book_id = $1 AND customer_id = $2

-- name: accounts_of_customer
-- A customer's accounts with balances. Primary keys.
SELECT c.account_id, c.product, a.posted_minor, a.held_minor, a.floor_minor, a.state,
       a.tier
  FROM customer_accounts AS c
  JOIN accounts AS a ON a.book_id = c.book_id AND a.account_id = c.account_id
 WHERE c.book_id = $1 AND c.customer_id = $2 ORDER BY c.account_id

-- name: owner_of_account
-- The payee's name before the PIN. customer_of_account.
SELECT c.customer_id, c.full_name, a.product
  FROM customer_accounts AS a
  JOIN customers AS c ON c.book_id = a.book_id AND c.customer_id = a.customer_id
 WHERE a.book_id = $1 AND a.account_id = $2

-- name: receiver_at_account
-- Whose the money on an account is, also while it waits for a cut-off. Primary keys.
SELECT c.customer_id, c.full_name, a.kind
  FROM accounts AS a
  JOIN customers AS c ON c.book_id = a.book_id AND c.customer_id = a.owner_id
 WHERE a.book_id = $1 AND a.account_id = $2

-- name: set_language
-- The language a customer reads.
UPDATE customers SET language = $3 WHERE book_id = $1 AND customer_id = $2

-- name: demo_customers
-- The seeded people, for the page that says how to log in.
SELECT c.customer_id, c.phone, c.full_name, a.account_id, a.product, b.posted_minor
  FROM customers AS c
  JOIN customer_accounts AS a ON a.book_id = c.book_id AND a.customer_id = c.customer_id
  JOIN accounts AS b ON b.book_id = a.book_id AND b.account_id = a.account_id
 WHERE c.book_id = $1 ORDER BY c.customer_id, a.account_id LIMIT $2
