"""``python -m tangguh``."""

from tangguh.cli.main import main

main()
