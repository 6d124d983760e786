-- What the watch reads of payments: references, amounts and states; no customer, account or name.
-- Why: its role may read this and nothing else (ring 3). A view and not a grant on columns, since
--      Citus grants on relations only; it is read with its owner's rights.
-- Locks: none on what is there. Back out: drop the view.

CREATE VIEW watched_payments AS
SELECT book_id, rail, wire_reference AS reference, kind, state,
       amount_minor + tip_minor AS amount_minor
  FROM payments WHERE wire_reference <> '';
