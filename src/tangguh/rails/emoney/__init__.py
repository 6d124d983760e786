"""Card e-money: what readers and their operator tell the bank."""
