"""People and companies, their accounts as products, and how the demo bank is filled."""
