"""Drills in which the machine under the bank fails: its database, its disk."""
