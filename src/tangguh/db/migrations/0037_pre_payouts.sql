-- Until which instant the sales of a merchant who is paid at the cut-off have been paid out.
-- Why: a refund is taken from where the sale's money is: from what waits for the cut-off before the
--      payout, from the shop's own account after it.
-- Locks: a new table; filling it reads the payouts. Back out: drop the table.

CREATE TABLE merchant_payouts (
    book_id    smallint NOT NULL,
    waiting_id bigint   NOT NULL,
    account_id bigint   NOT NULL,
    paid_until timestamptz NOT NULL,
    PRIMARY KEY (book_id, waiting_id)
) WITH (fillfactor = 50);

INSERT INTO merchant_payouts (book_id, waiting_id, account_id, paid_until)
SELECT w.book_id, w.account_id, min(o.account_id), max(p.posted_at)
  FROM postings AS p
  JOIN entries AS w ON w.book_id = p.book_id AND w.posting_id = p.posting_id AND w.amount_minor < 0
  JOIN entries AS o ON o.book_id = p.book_id AND o.posting_id = p.posting_id AND o.amount_minor > 0
 WHERE p.kind = 'payout'
 GROUP BY w.book_id, w.account_id;
