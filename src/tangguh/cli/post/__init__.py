"""The household's post: how the bank and the simulated post know each other, and a walk by it."""
