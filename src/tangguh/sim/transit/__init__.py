"""A transit operator with readers, gates and chip cards that spend without asking the bank."""
