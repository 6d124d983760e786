"""Acts: who did what to what, append-only and in the hash chain beside the money."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.ids import Ids

ACTS: Final = JournalPlan(
    table="acts",
    columns=(
        "act_id",
        "batch_no",
        "at",
        "actor",
        "what",
        "subject",
        "detail",
    ),
    order_by="act_id",
    sort_key=lambda row: row[0].int,
)


class Notebook(Protocol):
    """What an act needs of the book it is written in."""

    ids: Ids
    now: datetime
    batch_no: int

    def note(self, plan: JournalPlan, row: Row) -> None:
        """Add a row to an append-only table."""
        ...


class Remember(msgspec.Struct, frozen=True):
    """Write one act down. ``actor`` and ``subject`` are ids (``customer:17``), never names.

    ``what`` is noun.past (``session.opened``); ``detail`` holds no secret and no personal data.
    """

    names_keys_at_once: ClassVar[bool] = True

    actor: str
    what: str
    subject: str = ""
    detail: str = ""

    def keys(self, _book: Any) -> Iterable[tuple[str, Any]]:
        """An act reads nothing."""
        return ()

    def decide(self, book: Notebook) -> None:
        """Keep it, in the same batch as whatever else is decided now."""
        act_id = book.ids.next()
        row = (act_id, book.batch_no, book.now, self.actor, self.what, self.subject, self.detail)
        book.note(ACTS, row)
