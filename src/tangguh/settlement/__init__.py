"""Settlement: cycles, networks' files, what does not match, and its repair by two people."""
