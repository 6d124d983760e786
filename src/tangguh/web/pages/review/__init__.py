"""The last look before money moves: what a slip orders, what is known of it, and the PIN."""

from tangguh.web.pages.review.page import PAGES

__all__ = ["PAGES"]
