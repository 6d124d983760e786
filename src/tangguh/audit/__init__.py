"""Who did what, append-only and hash-chained: one link per batch of the book."""
