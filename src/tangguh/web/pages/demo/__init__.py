"""The guide of the demo bank: who to be, every number, stories to make happen, the demo's staff.

Only where the settings say demo; anywhere else none of these pages is there.
"""

from __future__ import annotations

from tangguh.web.pages.demo import guide, stories, tokens

PAGES = (*guide.PAGES, *stories.PAGES, *tokens.PAGES)
