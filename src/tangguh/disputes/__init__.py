"""Complaints: cases with clocks, evidence, decisions from the bank's own records, letters."""
