"""The composition root: settings in, a running bank out. The only room that knows every other."""

from __future__ import annotations

from tangguh.app.bank import BESIDE, JOURNALS, SHELVES, Bank

__all__ = ["BESIDE", "JOURNALS", "SHELVES", "Bank"]
