"""Money back on a clock: the bank's advance, its payment for being late, one way back at a time."""
