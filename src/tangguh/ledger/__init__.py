"""The double-entry book: accounts, postings, holds, one writer. Knows nothing of payments."""
