"""One room per outside network, all of one shape; ``onus`` is the one that never leaves the bank."""
