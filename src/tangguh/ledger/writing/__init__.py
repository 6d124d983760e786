"""What the writer is made of: its lines to PostgreSQL, loading, and what its callers see."""
