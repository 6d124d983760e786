"""How much the bank keeps with a network, and what is moved to keep it there."""
