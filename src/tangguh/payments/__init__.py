"""A payment's life, from order to outcome: the only place where ledger and rails meet."""
