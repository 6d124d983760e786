"""Tangguh: a digital bank in which every payment has exactly one outcome."""

__version__ = "0.1.0"
