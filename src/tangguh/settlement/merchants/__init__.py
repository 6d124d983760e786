"""Merchants of ours who wait for a cut-off: what they are paid."""
