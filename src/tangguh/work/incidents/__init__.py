"""Incidents: what is looked at, when the public and the affected are told, whose money is open."""
