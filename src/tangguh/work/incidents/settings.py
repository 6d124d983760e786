"""How the incident desk works."""

from __future__ import annotations

from typing import Literal

import msgspec


class IncidentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``words``: ``bank`` writes every word by itself; ``people``: the first and each step are the
    bank's, the words between are theirs, and overdue shows itself when they give none.

    ``next_word_seconds`` of a major incident, and of a minor one. A service must be well for
    ``monitor_seconds`` before it is called restored. ``affected_seconds``: a payment without an
    answer for so long counts as touched; after ``waiting_seconds`` its owner is told, incident or
    none. ``proof_seconds``: between whole proofs, at least.
    ``review_days``: by when cause and fixes are published.
    """

    words: Literal["bank", "people"] = "bank"
    next_word_seconds: float = 15 * 60
    minor_word_seconds: float = 30 * 60
    monitor_seconds: float = 5 * 60
    affected_seconds: float = 10.0
    waiting_seconds: float = 20.0
    sweep_seconds: float = 2.0
    probe_seconds: float = 5.0
    proof_seconds: float = 60.0
    review_days: int = 14
