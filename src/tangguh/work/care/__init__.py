"""Care for people: what the bank sees of their payments, and what it does for many at once."""
