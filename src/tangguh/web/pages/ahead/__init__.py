"""What is known before a PIN is asked for: the account, the order, what stands in its way."""
