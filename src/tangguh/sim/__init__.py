"""The outside world: networks with books of their own, which can be told to fail."""
