-- The statements behind the ledger. Every one begins with the book_id: one book, one node.

-- name: load_accounts
-- Accounts the writer does not have in memory. Leans on the primary keys. The balance is that of
-- the newest entry and what the account is stands in its newest terms, which nobody can change: a
-- row that was changed beside the book buys nothing. (An old account has its terms when the bank
-- has started once.)
SELECT a.account_id, coalesce(t.kind, a.kind) AS kind, coalesce(t.owner_id, a.owner_id) AS owner_id,
       coalesce(t.state, a.state) AS state, coalesce(newest.balance_minor, 0) AS posted_minor,
       a.held_minor,
       CASE WHEN t.account_id IS NULL THEN a.floor_minor ELSE t.floor_minor END AS floor_minor,
       coalesce(newest.seq, 0) AS entry_seq, coalesce(t.opened_at, a.opened_at) AS opened_at,
       a.overdrawn_minor, coalesce(t.tier, a.tier) AS tier
  FROM accounts AS a
  LEFT JOIN LATERAL (SELECT n.account_id, n.kind, n.owner_id, n.state, n.floor_minor, n.opened_at,
                            n.tier
                       FROM account_terms AS n
                      WHERE n.book_id = $1 AND n.account_id = a.account_id
                      ORDER BY n.batch_no DESC, n.ordinal DESC LIMIT 1) AS t ON true
  LEFT JOIN LATERAL (SELECT e.seq, e.balance_minor FROM entries AS e
                      WHERE e.book_id = $1 AND e.account_id = a.account_id
                      ORDER BY e.seq DESC LIMIT 1) AS newest ON true
 WHERE a.book_id = $1 AND a.account_id = ANY($2::bigint[])

-- name: change_accounts
-- The accounts a batch touched, as they are after it. One row each, however many entries.
UPDATE accounts AS a
   SET state = u.state, posted_minor = u.posted_minor, held_minor = u.held_minor,
       floor_minor = u.floor_minor, entry_seq = u.entry_seq,
       overdrawn_minor = u.overdrawn_minor, tier = u.tier
  FROM unnest($2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bigint[], $9::text[])
    AS u(account_id, state, posted_minor, held_minor, floor_minor, entry_seq, overdrawn_minor, tier)
 WHERE a.book_id = $1 AND a.account_id = u.account_id

-- name: load_holds
-- Holds by id. Leans on the primary key.
SELECT hold_id, account_id, amount_minor, posted_minor, state, placed_at, ended_at, expires_at
  FROM holds WHERE book_id = $1 AND hold_id = ANY($2::uuid[])

-- name: change_holds
-- The holds a batch ended.
UPDATE holds AS h
   SET posted_minor = u.posted_minor, state = u.state, ended_at = u.ended_at
  FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::timestamptz[])
    AS u(hold_id, posted_minor, state, ended_at)
 WHERE h.book_id = $1 AND h.hold_id = u.hold_id

-- name: taken_holds
-- Those of some new holds that there are already, open or ended. Primary key.
SELECT FROM holds WHERE book_id = $1 AND hold_id = ANY($2::uuid[])

-- name: load_postings
-- Postings by id with their entries, for repeats and reversals. Primary key, entries_by_posting.
SELECT p.posting_id, p.kind, p.posted_at, p.reverses, p.note, e.account_ids, e.amounts_minor
  FROM postings AS p
  CROSS JOIN LATERAL (
       SELECT array_agg(account_id ORDER BY account_id, seq) AS account_ids,
              array_agg(amount_minor ORDER BY account_id, seq) AS amounts_minor
         FROM entries WHERE book_id = p.book_id AND posting_id = p.posting_id) AS e
 WHERE p.book_id = $1 AND p.posting_id = ANY($2::uuid[])

-- name: load_reversals
-- Which postings were reversed, and by which. Leans on posting_reversed_once.
SELECT reverses, posting_id FROM postings
 WHERE book_id = $1 AND reverses = ANY($2::uuid[])

-- name: take_book
-- Become the book's writer: the next million of epochs is this writer's, and fences every earlier
-- one. Waits for a batch in flight.
UPDATE books SET epoch = (epoch / 1000000 + 1) * 1000000 WHERE book_id = $1
RETURNING epoch, batch_no, head_hash

-- name: retake_book
-- Become the writer again after a lost connection, unless somebody else did meanwhile: whatever lies
-- between what the writer knows ($2) and what it asks for ($3) is an attempt of its own that it gave
-- up and PostgreSQL carried out all the same. One that comes too late changes nothing.
UPDATE books SET epoch = $3
 WHERE book_id = $1 AND epoch >= $2 AND epoch < $3 AND epoch / 1000000 = $3 / 1000000
RETURNING epoch, batch_no, head_hash

-- name: advance_book
-- The fence: only the holder of the epoch may move the head, and only by one link.
UPDATE books SET batch_no = $3, head_hash = $4
 WHERE book_id = $1 AND epoch = $2 AND batch_no = $3 - 1 AND head_hash = $5

-- name: confirm_book
-- Whether this writer still holds the fence and the head is where it left it. Writes nothing.
SELECT 1 FROM books WHERE book_id = $1 AND epoch = $2 AND head_hash = $3

-- name: add_batch
-- The batch's own row: one link of the chain. Same parameters as advance_book, and $6, $7.
INSERT INTO batches (book_id, batch_no, epoch, decided_at, commands, previous, hash)
VALUES ($1, $3, $2, $6, $7, $5, $4)

-- name: create_book
-- Open a book if it is not there.
INSERT INTO books (book_id, currency) VALUES ($1, $2) ON CONFLICT (book_id) DO NOTHING

-- name: balance
-- One account as it is now, from the truth. Primary key.
SELECT account_id, kind, owner_id, state, posted_minor, held_minor, floor_minor, entry_seq, opened_at,
       overdrawn_minor, tier
  FROM accounts WHERE book_id = $1 AND account_id = $2

-- name: balance_at
-- The posted balance just after the last entry at or before an instant. Primary key, backwards.
SELECT balance_minor, seq FROM entries
 WHERE book_id = $1 AND account_id = $2 AND posted_at <= $3
 ORDER BY seq DESC LIMIT 1

-- name: history
-- Entries of one account before a cursor, newest first, with running balance. Primary key.
SELECT e.seq, e.posting_id, e.amount_minor, e.balance_minor, e.posted_at, p.kind, p.note, p.reverses
  FROM entries AS e JOIN postings AS p ON p.book_id = e.book_id AND p.posting_id = e.posting_id
 WHERE e.book_id = $1 AND e.account_id = $2 AND e.seq < $3
 ORDER BY e.seq DESC LIMIT $4

-- name: open_holds
-- What is held on one account now. open_holds, holds_of_account.
SELECT hold_id, account_id, amount_minor, posted_minor, state, placed_at, ended_at, expires_at
  FROM holds WHERE book_id = $1 AND account_id = $2 AND state = 'held' ORDER BY placed_at

-- name: holds_to_expire
-- Holds whose time is over. holds_to_expire.
SELECT hold_id FROM holds
 WHERE book_id = $1 AND state = 'held' AND expires_at <= $2 ORDER BY expires_at LIMIT $3

-- name: learn_table
-- Let PostgreSQL look at one table; run as its owner, since the writer's role owns none.
SELECT learn_table($1)
