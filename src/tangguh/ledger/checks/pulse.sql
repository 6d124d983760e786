-- What the guard looks at all day long. Reads only.

-- name: accounts_that_differ
-- Accounts whose balance or counter is not what their newest entry says, whose held sum is not that
-- of their open holds, or whose floor is not their kind's. Primary key of entries.
SELECT a.account_id, a.posted_minor - coalesce(newest.balance_minor, 0) AS differs_minor
  FROM accounts AS a
  LEFT JOIN LATERAL (SELECT e.seq, e.balance_minor FROM entries AS e
                      WHERE e.book_id = $1 AND e.account_id = a.account_id
                      ORDER BY e.seq DESC LIMIT 1) AS newest ON true
  LEFT JOIN (SELECT h.account_id, sum(h.amount_minor) AS held_minor FROM holds AS h
              WHERE h.book_id = $1 AND h.state = 'held' AND h.account_id BETWEEN $3 AND $4
              GROUP BY h.account_id) AS open
         ON open.account_id = a.account_id
 WHERE a.book_id = $1 AND a.account_id BETWEEN $3 AND $4
   AND (a.posted_minor <> coalesce(newest.balance_minor, 0)
        OR a.entry_seq <> coalesce(newest.seq, 0)
        OR a.held_minor <> coalesce(open.held_minor, 0)
        OR a.overdrawn_minor > greatest(a.floor_minor - (a.posted_minor - a.held_minor), 0)
        OR a.floor_minor IS DISTINCT FROM CASE
           WHEN a.kind IN ('customer', 'merchant', 'emoney_float', 'payable', 'purse') THEN 0 END)
 ORDER BY a.account_id LIMIT $2

-- name: sum_of_balances
-- All balances together; zero when nobody wrote beside the book.
SELECT coalesce(sum(posted_minor), 0)::bigint FROM accounts WHERE book_id = $1

-- name: span_of_accounts
-- The lowest and the highest account number. Primary key.
SELECT coalesce(min(account_id), 0) AS lowest, coalesce(max(account_id), 0) AS highest
  FROM accounts WHERE book_id = $1

-- name: database_clock
-- What time the database thinks it is.
SELECT clock_timestamp()
