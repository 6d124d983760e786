-- A code for cash holds its money until it is collected, cancelled or over.
ALTER TABLE one_time_codes ADD COLUMN hold_id uuid;
-- A customer's live codes, for the page that lists and cancels them.
CREATE INDEX codes_of_customer ON one_time_codes (book_id, customer_id, expires_at);
