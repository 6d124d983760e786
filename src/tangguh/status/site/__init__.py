"""The public page as static files: made from what the bank signed, its age, and nothing else."""
