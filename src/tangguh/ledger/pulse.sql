-- What the guard looks at all day long. Reads only.

-- name: accounts_that_differ
-- Accounts whose balance or counter is not what their newest entry says. Primary key of entries.
SELECT a.account_id, a.posted_minor - coalesce(newest.balance_minor, 0) AS differs_minor
  FROM accounts AS a
  LEFT JOIN LATERAL (SELECT e.seq, e.balance_minor FROM entries AS e
                      WHERE e.book_id = $1 AND e.account_id = a.account_id
                      ORDER BY e.seq DESC LIMIT 1) AS newest ON true
 WHERE a.book_id = $1
   AND (a.posted_minor <> coalesce(newest.balance_minor, 0) OR a.entry_seq <> coalesce(newest.seq, 0))
 ORDER BY a.account_id LIMIT $2

-- name: sum_of_balances
-- All balances together; zero when nobody wrote beside the book.
SELECT coalesce(sum(posted_minor), 0)::bigint FROM accounts WHERE book_id = $1

-- name: database_clock
-- What time the database thinks it is.
SELECT clock_timestamp()
