"""Drills of people who are nobody's customers, at every listener."""
