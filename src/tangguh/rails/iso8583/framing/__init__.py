"""How messages lie on a line: lengths, headers, and the presets of those in use."""
