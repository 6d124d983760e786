-- The participant's settlement account at the hub (SQLite). Amounts in minor units (sen).

-- name: statement_schema
CREATE TABLE IF NOT EXISTS statement (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('out', 'in')),
  kind TEXT NOT NULL CHECK (kind IN ('transfer', 'fund', 'sweep')),
  reference TEXT NOT NULL UNIQUE,
  amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
  balance_minor INTEGER NOT NULL
);

-- name: statement_enter
INSERT INTO statement (seq, at, direction, kind, reference, amount_minor, balance_minor)
VALUES (:seq, :at, :direction, :kind, :reference, :amount_minor, :balance_minor);

-- name: statement_last
SELECT * FROM statement ORDER BY seq DESC LIMIT 1;

-- name: statement_after
SELECT * FROM statement WHERE seq > :after ORDER BY seq LIMIT :limit;

-- name: statement_find
SELECT * FROM statement WHERE reference = :reference;

-- name: statement_count
SELECT count(*) FROM statement WHERE kind = :kind;

-- name: reserved
SELECT coalesce(sum(amount_minor), 0) FROM transfers
WHERE state = 'pending' AND direction = 'in';

-- name: statement_recount
-- References that are settled and not entered, entered and not settled, or not for the same.
SELECT t.reference FROM transfers AS t
LEFT JOIN statement AS s ON s.reference = t.reference AND s.kind = 'transfer'
WHERE t.state = 'paid' AND (s.reference IS NULL OR s.amount_minor <> t.amount_minor
  OR s.direction <> CASE t.direction WHEN 'in' THEN 'out' ELSE 'in' END)
UNION ALL
SELECT s.reference FROM statement AS s
LEFT JOIN transfers AS t ON t.reference = s.reference AND t.state = 'paid'
WHERE s.kind = 'transfer' AND t.reference IS NULL;
