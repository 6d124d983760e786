"""Drills of one partner in trouble while the guard is at work."""
