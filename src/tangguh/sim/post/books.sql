-- What the post took (SQLite): the newest messages, and how many there ever were.

-- name: schema
CREATE TABLE IF NOT EXISTS messages (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  via TEXT NOT NULL CHECK (via IN ('email', 'sms')),
  -- the sender's own id: the same for every try
  key TEXT NOT NULL,
  reference TEXT NOT NULL,
  recipient TEXT NOT NULL,
  sender TEXT NOT NULL,
  title TEXT NOT NULL,
  words TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('taken', 'arrived', 'lost')),
  taken_at TEXT NOT NULL,
  ended_at TEXT NOT NULL DEFAULT '',
  repeats INTEGER NOT NULL DEFAULT 0,
  UNIQUE (via, key)
);
-- receipts name a message by the reference it was answered with
CREATE INDEX IF NOT EXISTS messages_by_reference ON messages (reference);
CREATE TABLE IF NOT EXISTS totals (
  via TEXT PRIMARY KEY,
  taken INTEGER NOT NULL DEFAULT 0,
  forgotten INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
INSERT OR IGNORE INTO totals (via) VALUES ('email'), ('sms');

-- name: add
INSERT INTO messages (via, key, reference, recipient, sender, title, words, state, taken_at, ended_at)
VALUES (:via, :key, :reference, :recipient, :sender, :title, :words, :state, :taken_at, :ended_at)

-- name: count_taken
UPDATE totals SET taken = taken + 1 WHERE via = :via

-- name: count_forgotten
UPDATE totals SET forgotten = forgotten + (
  SELECT count(*) FROM messages
   WHERE messages.via = totals.via
     AND number <= (SELECT number FROM messages ORDER BY number DESC LIMIT 1 OFFSET :kept)
)

-- name: forget
DELETE FROM messages
 WHERE number <= (SELECT number FROM messages ORDER BY number DESC LIMIT 1 OFFSET :kept)

-- name: find
SELECT * FROM messages WHERE via = :via AND key = :key

-- name: find_reference
SELECT * FROM messages WHERE reference = :reference

-- name: repeat
UPDATE messages SET repeats = repeats + 1 WHERE via = :via AND key = :key

-- name: conclude
UPDATE messages SET state = :state, ended_at = :ended_at WHERE reference = :reference

-- name: list
SELECT * FROM messages
 WHERE (:via = '' OR via = :via) AND (:to = '' OR instr(lower(recipient), lower(:to)) > 0)
   AND (:state = '' OR state = :state)
 ORDER BY number DESC LIMIT :limit

-- name: people
SELECT recipient, count(*) AS messages FROM messages GROUP BY recipient ORDER BY recipient

-- name: totals
SELECT via, taken, forgotten FROM totals ORDER BY via

-- name: count
SELECT via, count(*) AS messages FROM messages GROUP BY via
