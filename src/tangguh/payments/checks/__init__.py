"""Looking at rows that may change: whether each is what the chain says it became."""
