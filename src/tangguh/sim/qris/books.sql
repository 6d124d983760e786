-- The switch's own books (SQLite). One file, one writer; amounts in minor units (sen).

-- name: schema
CREATE TABLE IF NOT EXISTS merchants (
  pan TEXT PRIMARY KEY,
  merchant_id TEXT NOT NULL,
  nmid TEXT NOT NULL,
  name TEXT NOT NULL,
  blocked INTEGER NOT NULL,
  balance_minor INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL UNIQUE,
  merchant_pan TEXT NOT NULL,
  merchant_id TEXT NOT NULL,
  amount_minor INTEGER NOT NULL,
  tip_minor INTEGER NOT NULL,
  rrn TEXT NOT NULL,
  terminal TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('paid', 'failed', 'cancelled', 'pending')),
  response_case TEXT NOT NULL,
  refunded_minor INTEGER NOT NULL DEFAULT 0,
  made_at TEXT NOT NULL,
  ended_at TEXT NOT NULL DEFAULT '',
  concludes_at TEXT NOT NULL DEFAULT '',
  becomes TEXT NOT NULL DEFAULT '',
  CONSTRAINT refunds_must_not_exceed_payment CHECK (refunded_minor <= amount_minor + tip_minor)
);
-- conclude_due finds the few pending ones without reading the paid
CREATE INDEX IF NOT EXISTS payments_pending ON payments (concludes_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS refunds (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL UNIQUE,
  payment_reference TEXT NOT NULL,
  amount_minor INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('paid', 'failed')),
  response_case TEXT NOT NULL,
  made_at TEXT NOT NULL
);
-- refunds_of lists the history of one payment
CREATE INDEX IF NOT EXISTS refunds_payment ON refunds (payment_reference);
CREATE TABLE IF NOT EXISTS external_ids (
  day TEXT NOT NULL,
  external_id TEXT NOT NULL,
  PRIMARY KEY (day, external_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  paid_count INTEGER NOT NULL,
  paid_minor INTEGER NOT NULL,
  refund_count INTEGER NOT NULL,
  refund_minor INTEGER NOT NULL
);
INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0, 0);

-- name: put_merchant
INSERT INTO merchants (pan, merchant_id, nmid, name, blocked)
VALUES (:pan, :merchant_id, :nmid, :name, :blocked)
ON CONFLICT (pan) DO UPDATE SET blocked = excluded.blocked;

-- name: merchant
SELECT pan, merchant_id, nmid, name, blocked, balance_minor FROM merchants WHERE pan = :pan;

-- name: merchants
SELECT pan, merchant_id, nmid, name, blocked, balance_minor FROM merchants ORDER BY name;

-- name: move_balance
UPDATE merchants SET balance_minor = balance_minor + :minor WHERE pan = :pan;

-- name: remember_external_id
INSERT OR IGNORE INTO external_ids (day, external_id) VALUES (:day, :external_id);

-- name: forget_external_ids
DELETE FROM external_ids WHERE day < :day;

-- name: put_payment
INSERT INTO payments (reference, merchant_pan, merchant_id, amount_minor, tip_minor, rrn, terminal,
  state, response_case, made_at, ended_at, concludes_at, becomes)
VALUES (:reference, :merchant_pan, :merchant_id, :amount_minor, :tip_minor, :rrn, :terminal,
  :state, :response_case, :made_at, :ended_at, :concludes_at, :becomes);

-- name: payment
SELECT * FROM payments WHERE reference = :reference;

-- name: payments
SELECT * FROM payments
WHERE (:reference = '' OR reference = :reference)
  AND (:state = '' OR state = :state)
  AND (:merchant_pan = '' OR merchant_pan = :merchant_pan)
ORDER BY number DESC LIMIT :limit;

-- name: due
SELECT * FROM payments WHERE state = 'pending' AND concludes_at <= :now ORDER BY number;

-- name: conclude
UPDATE payments SET state = :state, response_case = :response_case, ended_at = :ended_at
WHERE reference = :reference;

-- name: paid_between
-- What was paid from one instant on and before another.
SELECT * FROM payments
WHERE state = 'paid' AND ended_at >= :begins AND ended_at < :ends ORDER BY number;

-- name: refunded_between
-- What was given back in the same stretch.
SELECT * FROM refunds
WHERE state = 'paid' AND made_at >= :begins AND made_at < :ends ORDER BY number;

-- name: put_refund
INSERT INTO refunds (reference, payment_reference, amount_minor, state, response_case, made_at)
VALUES (:reference, :payment_reference, :amount_minor, :state, :response_case, :made_at);

-- name: refund
SELECT * FROM refunds WHERE reference = :reference;

-- name: refunds_of
SELECT * FROM refunds WHERE payment_reference = :payment_reference ORDER BY number;

-- name: give_back
UPDATE payments SET refunded_minor = refunded_minor + :minor WHERE reference = :reference;

-- name: count_payment
UPDATE totals SET paid_count = paid_count + 1, paid_minor = paid_minor + :minor;

-- name: count_refund
UPDATE totals SET refund_count = refund_count + 1, refund_minor = refund_minor + :minor;

-- name: totals
SELECT paid_count, paid_minor, refund_count, refund_minor FROM totals;

-- name: recount
-- The same four figures and the merchants' balances from the rows themselves.
SELECT
  (SELECT count(*) FROM payments WHERE state = 'paid') AS paid_count,
  (SELECT coalesce(sum(amount_minor + tip_minor), 0) FROM payments WHERE state = 'paid')
    AS paid_minor,
  (SELECT count(*) FROM refunds WHERE state = 'paid') AS refund_count,
  (SELECT coalesce(sum(amount_minor), 0) FROM refunds WHERE state = 'paid') AS refund_minor,
  (SELECT coalesce(sum(balance_minor), 0) FROM merchants) AS balance_minor,
  (SELECT coalesce(sum(refunded_minor), 0) FROM payments) AS given_back_minor;
