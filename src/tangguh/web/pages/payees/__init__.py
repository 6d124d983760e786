"""Pages for everybody else who can be paid, for one-time codes, and for a merchant's own shop."""

from __future__ import annotations

from tangguh.web.pages.payees import ask, codes, menu, shops

PAGES = (*menu.PAGES, *ask.PAGES, *codes.PAGES, *shops.PAGES)
