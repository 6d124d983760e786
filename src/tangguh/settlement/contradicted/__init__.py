"""Breaks that come from a network's second word, before its file comes."""
