"""Theft at the settlement account: forged orders, and the week of March 2025."""
