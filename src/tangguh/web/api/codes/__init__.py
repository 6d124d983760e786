"""One-time codes in the customers' API."""
