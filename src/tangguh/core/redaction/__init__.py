"""Secrets that people write where they do not belong, and how they are taken out."""
