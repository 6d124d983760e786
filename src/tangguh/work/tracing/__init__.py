"""What the bank's own records say of one payment, case or customer, for whoever is on call."""
