"""Each process of the bank as a command: the bank itself, the gateway, the outside world."""
