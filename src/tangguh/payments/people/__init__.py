"""Changes that people sign, as rows of the book: proposed, approved or denied, used once."""
