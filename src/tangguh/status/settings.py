"""What the bank is told about its public side. The page's own process has settings of its own."""

from __future__ import annotations

import msgspec


class StatusSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``snapshot_key_path`` (Ed25519, PEM) signs what the public page is made from.

    ``page_url`` is where customers find the page. Components are looked at every ``look_seconds``
    over the outcomes of ``window_seconds``.
    """

    snapshot_key_path: str
    page_url: str = ""
    look_seconds: float = 5.0
    window_seconds: float = 120.0
