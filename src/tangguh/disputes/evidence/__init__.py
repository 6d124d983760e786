"""Evidence: what is taken, how it is looked at without anybody opening it, where it is kept."""
