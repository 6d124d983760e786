-- A network's own books (SQLite): accounts and what moved on them. Amounts in minor units (sen).

-- name: schema
CREATE TABLE IF NOT EXISTS accounts (
  number TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'blocked', 'closed')),
  opening_minor INTEGER NOT NULL,
  balance_minor INTEGER NOT NULL,
  detail TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transfers (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  account TEXT NOT NULL,
  counterpart TEXT NOT NULL,
  amount_minor INTEGER NOT NULL,
  fee_minor INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('paid', 'failed', 'cancelled', 'pending')),
  code TEXT NOT NULL,
  network_reference TEXT NOT NULL,
  given_back_minor INTEGER NOT NULL DEFAULT 0,
  made_at TEXT NOT NULL,
  ended_at TEXT NOT NULL DEFAULT '',
  given_back_at TEXT NOT NULL DEFAULT '',
  concludes_at TEXT NOT NULL DEFAULT '',
  becomes TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '{}',
  CONSTRAINT no_more_back_than_came CHECK (given_back_minor BETWEEN 0 AND amount_minor)
);
-- each part that was given back, since each settles in the cycle it was given back in
CREATE TABLE IF NOT EXISTS give_backs (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  minor INTEGER NOT NULL CHECK (minor > 0),
  at TEXT NOT NULL
);
-- conclude_due finds the few pending ones without reading the paid
CREATE INDEX IF NOT EXISTS transfers_pending ON transfers (concludes_at) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS seen (
  day TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (day, key)
) WITHOUT ROWID;

-- name: open_account
INSERT INTO accounts (number, name, state, opening_minor, balance_minor, detail)
VALUES (:number, :name, :state, :opening_minor, :opening_minor, :detail)
ON CONFLICT (number) DO UPDATE SET state = excluded.state;

-- name: account
SELECT number, name, state, balance_minor, detail FROM accounts WHERE number = :number;

-- name: accounts
SELECT number, name, state, balance_minor, detail FROM accounts ORDER BY number;

-- name: move_balance
UPDATE accounts SET balance_minor = balance_minor + :minor WHERE number = :number;

-- name: remember
INSERT OR IGNORE INTO seen (day, key) VALUES (:day, :key);

-- name: forget
DELETE FROM seen WHERE day < :day;

-- name: put_transfer
INSERT INTO transfers (reference, kind, direction, account, counterpart, amount_minor, fee_minor,
  state, code, network_reference, made_at, ended_at, concludes_at, becomes, detail)
VALUES (:reference, :kind, :direction, :account, :counterpart, :amount_minor, :fee_minor,
  :state, :code, :network_reference, :made_at, :ended_at, :concludes_at, :becomes, :detail);

-- name: transfer
SELECT * FROM transfers WHERE reference = :reference;

-- name: transfers
SELECT * FROM transfers
WHERE (:reference = '' OR reference = :reference)
  AND (:state = '' OR state = :state)
  AND (:kind = '' OR kind = :kind)
  AND (:account = '' OR account = :account)
ORDER BY number DESC LIMIT :limit;

-- name: due
SELECT * FROM transfers WHERE state = 'pending' AND concludes_at <> '' AND concludes_at <= :now
ORDER BY number;

-- name: conclude
UPDATE transfers SET state = :state, code = :code, ended_at = :ended_at, concludes_at = ''
WHERE reference = :reference;

-- name: give_back
UPDATE transfers SET given_back_minor = given_back_minor + :minor, given_back_at = :at
WHERE reference = :reference;

-- name: note_give_back
INSERT INTO give_backs (reference, minor, at) VALUES (:reference, :minor, :at);

-- name: paid_between
-- What was paid from one instant on and before another, in the order of the rows.
SELECT * FROM transfers
WHERE state = 'paid' AND ended_at >= :begins AND ended_at < :ends
ORDER BY number;

-- name: given_back_between
-- The same of what was given back: the transfer's row, with this part and its instant.
SELECT t.number, t.reference, t.kind, t.direction, t.account, t.counterpart, t.amount_minor,
  t.fee_minor, t.state, t.code, t.network_reference, t.made_at, t.ended_at, t.detail,
  b.minor AS given_back_minor, b.at AS given_back_at
FROM give_backs AS b JOIN transfers AS t ON t.reference = b.reference
WHERE b.at >= :begins AND b.at < :ends
ORDER BY t.number, b.number;

-- name: totals
SELECT
  count(*) FILTER (WHERE state = 'paid' AND direction = 'in') AS in_count,
  coalesce(sum(amount_minor) FILTER (WHERE state = 'paid' AND direction = 'in'), 0) AS in_minor,
  count(*) FILTER (WHERE state = 'paid' AND direction = 'out') AS out_count,
  coalesce(sum(amount_minor) FILTER (WHERE state = 'paid' AND direction = 'out'), 0) AS out_minor,
  coalesce(sum(given_back_minor) FILTER (WHERE direction = 'in'), 0) AS in_back_minor,
  coalesce(sum(given_back_minor) FILTER (WHERE direction = 'out'), 0) AS out_back_minor
FROM transfers;

-- name: recount
-- Accounts whose balance is not their opening plus what the rows say.
SELECT a.number, a.balance_minor, a.opening_minor + coalesce(t.moved, 0) AS expected_minor
FROM accounts AS a
LEFT JOIN (
  SELECT account,
    sum(CASE WHEN direction = 'in' THEN amount_minor - given_back_minor
             ELSE given_back_minor - amount_minor END) AS moved
  FROM transfers WHERE state = 'paid' GROUP BY account) AS t ON t.account = a.number
WHERE a.balance_minor <> a.opening_minor + coalesce(t.moved, 0);
