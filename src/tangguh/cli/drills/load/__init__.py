"""Drills of too much: one account, one shop, one question or one answer, many times over."""
