"""One room per outside network, all of one shape; ``onus`` never leaves the bank."""
