-- What pays once whatever request brings it: the codes of cash without a card.
-- Why: a payment from a terminal is named by the terminal's own trace, so that its reversal finds it
--      when the code is long over; that the code pays once has to be written elsewhere. A code is
--      here as a hash.
-- Locks: a new table only. Back out: drop the table.

CREATE TABLE paid_once (
    book_id    smallint NOT NULL,
    thing      text     NOT NULL,
    payment_id uuid     NOT NULL,
    PRIMARY KEY (book_id, thing)
);
