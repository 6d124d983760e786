"""Drills about people: money that comes back, and what they complain of."""
