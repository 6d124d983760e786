"""Billers of the outside world behind one aggregator, with their customers and their bills."""
