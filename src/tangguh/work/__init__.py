"""The doors networks and terminals come in by, and what runs by the clock."""
