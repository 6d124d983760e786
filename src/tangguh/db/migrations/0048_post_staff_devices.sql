-- What clients called their devices is forgotten.
-- Why: it was text of theirs, and decides nothing any more (0047).
-- Locks: takes staff for the moment of the change; no rewrite.
-- Back out: add the column again, with an empty list.

ALTER TABLE staff DROP COLUMN devices;
