-- A network's second word that differs from the first is a break with an owner at once, not only
-- when its file comes.
-- Why: an amount or an account that was settled otherwise than announced, and a payment that a
--      network first declined and then settled, waited for the day's file without anybody's name.
-- Locks: the break kinds are few rows; the index is partial and small. Back out: drop the index, and
--      the kind once no row has it.

ALTER TABLE settlement_breaks DROP CONSTRAINT break_kind_is_known;
ALTER TABLE settlement_breaks ADD CONSTRAINT break_kind_is_known CHECK (kind IN (
    'missing_in_file', 'missing_in_book', 'amount_differs', 'state_differs', 'duplicate',
    'account_differs'));
-- The few lines of all timelines that contradict: read every minute.
CREATE INDEX payment_events_contradicted ON payment_events (book_id, at)
    WHERE what = 'contradicted';
