"""Closes the smallest scope that stops the harm: scopes, closures, gates, signals, rules."""
