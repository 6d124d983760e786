"""The staff API for whoever is on call: payments, cases and customers, masked."""
