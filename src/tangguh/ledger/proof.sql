-- What would break the ledger's invariants. No row: the invariant holds. ($1 = book_id)

-- name: every_posting_balances
-- A posting is two or more entries that add up to zero.
SELECT p.posting_id, count(e.seq) AS entries, coalesce(sum(e.amount_minor), 0) AS difference
  FROM postings AS p
  LEFT JOIN entries AS e ON e.book_id = p.book_id AND e.posting_id = p.posting_id
 WHERE p.book_id = $1
 GROUP BY p.posting_id HAVING count(e.seq) < 2 OR sum(e.amount_minor) <> 0

-- name: every_entry_has_its_posting
-- No entry stands alone.
SELECT e.account_id, e.seq, e.posting_id
  FROM entries AS e
  LEFT JOIN postings AS p ON p.book_id = e.book_id AND p.posting_id = e.posting_id
 WHERE e.book_id = $1 AND p.posting_id IS NULL

-- name: running_balances_follow
-- Entries count 1, 2, 3 and each balance is the one before plus the amount.
SELECT account_id, seq, balance_minor, expected_minor FROM (
    SELECT account_id, seq, balance_minor,
           coalesce(lag(balance_minor) OVER w, 0) + amount_minor AS expected_minor,
           coalesce(lag(seq) OVER w, 0) + 1 AS expected_seq
      FROM entries WHERE book_id = $1
    WINDOW w AS (PARTITION BY account_id ORDER BY seq)) AS walked
 WHERE balance_minor <> expected_minor OR seq <> expected_seq

-- name: accounts_equal_their_entries
-- An account's posted balance is the sum of its entries, and its counter their number.
SELECT a.account_id, a.posted_minor, coalesce(e.total, 0) AS entries_minor
  FROM accounts AS a
  LEFT JOIN (SELECT account_id, sum(amount_minor) AS total, max(seq) AS last
               FROM entries WHERE book_id = $1 GROUP BY account_id) AS e USING (account_id)
 WHERE a.book_id = $1
   AND (a.posted_minor <> coalesce(e.total, 0) OR a.entry_seq <> coalesce(e.last, 0))

-- name: every_entry_has_its_account
-- No entry is on an account that does not exist.
SELECT DISTINCT e.account_id
  FROM entries AS e LEFT JOIN accounts AS a ON a.book_id = e.book_id AND a.account_id = e.account_id
 WHERE e.book_id = $1 AND a.account_id IS NULL

-- name: held_sums_equal_open_holds
-- What an account says is held is the sum of its open holds.
SELECT a.account_id, a.held_minor, coalesce(h.total, 0) AS holds_minor
  FROM accounts AS a
  LEFT JOIN (SELECT account_id, sum(amount_minor) AS total
               FROM holds WHERE book_id = $1 AND state = 'held' GROUP BY account_id) AS h
       USING (account_id)
 WHERE a.book_id = $1 AND a.held_minor <> coalesce(h.total, 0)

-- name: no_account_is_below_its_floor
-- Nobody spends what is not there, but for what an advice said was gone already.
SELECT account_id, posted_minor, held_minor, floor_minor, overdrawn_minor FROM accounts
 WHERE book_id = $1 AND floor_minor IS NOT NULL
   AND posted_minor - held_minor < floor_minor - overdrawn_minor

-- name: only_advices_overdraw
-- An account below its floor has a posting that was forced upon it.
SELECT a.account_id, a.overdrawn_minor FROM accounts AS a
 WHERE a.book_id = $1 AND a.overdrawn_minor > 0
   AND NOT EXISTS (SELECT FROM entries AS e JOIN postings AS p
                       ON p.book_id = e.book_id AND p.posting_id = e.posting_id
                    WHERE e.book_id = $1 AND e.account_id = a.account_id AND p.kind = 'advice')

-- name: the_book_adds_up_to_zero
-- All balances together: what the bank owes is what it owns.
SELECT sum(posted_minor) AS difference FROM accounts
 WHERE book_id = $1 HAVING sum(posted_minor) <> 0

-- name: every_reversal_is_the_opposite
-- A reversal has the original's entries with the sign turned, and nothing else.
SELECT r.posting_id, r.reverses
  FROM postings AS r
 WHERE r.book_id = $1 AND r.reverses IS NOT NULL
   AND EXISTS (
       SELECT account_id FROM entries
        WHERE book_id = $1 AND posting_id IN (r.posting_id, r.reverses)
        GROUP BY account_id HAVING sum(amount_minor) <> 0)

-- name: floors_follow_the_chart
-- How low an account may go follows from its kind (chart.floor_of), whatever its row says; a
-- customer's number is never one of the bank's own accounts, which have none.
SELECT account_id, kind, floor_minor FROM accounts
 WHERE book_id = $1
   AND (floor_minor IS DISTINCT FROM CASE
            WHEN kind IN ('customer', 'merchant', 'emoney_float', 'payable', 'purse') THEN 0 END
        OR overdrawn_minor > greatest(floor_minor - (posted_minor - held_minor), 0))

-- name: accounts_are_what_the_chain_says
-- Kind, owner, state, floor, opening and tier are those of the account's newest terms.
SELECT a.account_id, a.kind, a.owner_id, a.state, a.floor_minor, a.tier
  FROM accounts AS a
  LEFT JOIN (SELECT DISTINCT ON (t.account_id) t.account_id, t.kind, t.owner_id, t.state,
                    t.floor_minor, t.opened_at, t.tier
               FROM account_terms AS t
              WHERE t.book_id = $1 /* of these: t.account_id = ANY($2::bigint[]) */
              ORDER BY t.account_id, t.batch_no DESC, t.ordinal DESC) AS n USING (account_id)
 WHERE a.book_id = $1 /* of these: a.account_id = ANY($2::bigint[]) */
   AND (a.kind, a.owner_id, a.state, a.floor_minor, a.opened_at, a.tier)
       IS DISTINCT FROM (n.kind, n.owner_id, n.state, n.floor_minor, n.opened_at, n.tier)

-- name: no_account_is_gone
-- Whatever was opened is still there.
SELECT DISTINCT t.account_id FROM account_terms AS t
  LEFT JOIN accounts AS a ON a.book_id = t.book_id AND a.account_id = t.account_id
 WHERE t.book_id = $1 /* of these: t.account_id = ANY($2::bigint[]) */ AND a.account_id IS NULL

-- name: the_book_is_in_rupiah
-- Every amount of this book is in its one currency.
SELECT currency FROM books WHERE book_id = $1 AND currency <> 'IDR'

-- name: read_counts
-- How large the book is.
SELECT (SELECT count(*) FROM accounts WHERE book_id = $1) AS accounts,
       (SELECT count(*) FROM entries WHERE book_id = $1) AS entries
