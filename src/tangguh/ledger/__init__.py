"""The double-entry book: accounts, postings, holds and their one writer. Knows nothing of payments."""
