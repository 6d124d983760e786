"""E-wallets of the outside world: each a network of its own, with its customers and its books."""
