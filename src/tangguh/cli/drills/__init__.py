"""Rehearsed failures against real processes: each asks something and measures the answer."""
