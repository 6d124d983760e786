-- A code for cash holds its money until it is collected, cancelled or over.
-- Why: the money a code stood for could be spent before it was collected, and the machine said no.
-- Locks: a column without a default, for a moment; the index on a small table.
-- Back out: drop the index and the column.

ALTER TABLE one_time_codes ADD COLUMN hold_id uuid;
-- A customer's live codes, for the page that lists and cancels them.
CREATE INDEX codes_of_customer ON one_time_codes (book_id, customer_id, expires_at);
