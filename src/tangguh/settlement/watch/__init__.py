"""Ring 3: an independent process that matches what leaves the settlement account to the book."""
