-- What is kept no longer than it is needed.
-- Why: an address whose owner never agreed, and word that nobody can dispute any more, are other
--      people's data without a use (UU 27/2022, article 16: kept no longer than the purpose needs).
-- Locks: writes to both tables wait while their indexes are built; a BRIN index reads the table
--      once. Back out: drop the indexes.

-- Questions nobody answered.
CREATE INDEX subscriptions_unanswered ON notice_subscriptions (book_id, expires_at)
    WHERE confirmed_at IS NULL;
-- Word older than the bank keeps it: rows lie in the order they were made.
CREATE INDEX notices_by_age ON notices USING brin (made_at);
