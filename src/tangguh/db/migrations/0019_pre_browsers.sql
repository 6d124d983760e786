-- Whose a browser is.
-- Why: a browser tells one person; whoever agreed there before is found by the browser's address.
-- Locks: writes to notice_addresses wait while the index is built over the few browsers there are.
-- Back out: drop the index.

CREATE INDEX browsers ON notice_addresses (book_id, address) WHERE via = 'push';
