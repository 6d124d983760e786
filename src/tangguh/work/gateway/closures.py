"""The gateway's closures: the newest board the bank signed, and what the watch ordered.

Both lie in one file as they came, sealed, and are verified again when they are read: a gateway that
starts while the bank is dead goes on enforcing what it knew, and a file somebody wrote is nothing.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.board import Board
from tangguh.guard.closure import Closure
from tangguh.guard.scope import Facts
from tangguh.guard.snapshot import Snapshot, open_order, open_snapshot
from tangguh.guard.watching import (
    in_force_at_edge,
    refuse_order,
    shown,
    stands_for,
    still_own,
    stopped_at_edge,
)

log = structlog.get_logger("work.gateway.closures")

NO_VERSION: Final = -1
_ORDERS_MAX: Final = 100


class Closures(Protocol):
    """What the gateway asks, and tells."""

    def stops(self, facts: Facts, now: datetime) -> str | None:
        """Why this message does not go now; None when it may."""
        ...

    def obey(self, data: bytes, now: datetime) -> str | Refused:
        """Take a sealed order of the watch: in force, on disk, when this returns.

        The id of the closure that stands for it; or why it is not obeyed.
        """
        ...

    def in_force(self) -> dict[str, Any]:
        """Every closure, and how old the bank's word is."""
        ...


class _Kept(msgspec.Struct):
    """The file. Sealed texts, as they came."""

    snapshot: str = ""
    orders: list[str] = []


class KeptClosures:
    """Closures in a file. One process, one thread.

    ``path`` empty keeps them in memory; a key that is None believes nobody.
    """

    def __init__(
        self,
        path: str,
        *,
        book_id: int,
        bank: Ed25519PublicKey | None,
        watch: Ed25519PublicKey | None,
        rail: str,
    ) -> None:
        self._path = Path(path) if path else None
        self._book_id = book_id
        self._bank = bank
        self._watch = watch
        self._rail = rail
        self._kept = _Kept()
        self._snapshot: Snapshot | None = None
        self._orders: dict[str, Closure] = {}
        self._taken: dict[str, str] = {}
        self._effective: tuple[Closure, ...] = ()
        self._heard_at: datetime | None = None
        self._load()

    @property
    def version(self) -> int:
        """Of the board that is enforced; NO_VERSION before the first."""
        return self._snapshot.board.version if self._snapshot is not None else NO_VERSION

    def stops(self, facts: Facts, now: datetime) -> str | None:
        """The reason of the closure that stops it."""
        closure = stopped_at_edge(self._effective, facts, now) if self._effective else None
        return closure.reason if closure is not None else None

    def adopt(self, data: bytes, now: datetime) -> str:
        """Take a snapshot of the bank; why not, when it is not believed. Older ones are not."""
        if self._bank is None:
            return "nobody's snapshots are believed here"
        found = open_snapshot(data, self._bank, self.version)
        if isinstance(found, str):
            return found
        if found.book_id != self._book_id:
            return f"a snapshot of book {found.book_id}"
        self._heard_at = now
        is_new = self._snapshot is None or found.board != self._snapshot.board
        self._snapshot = found
        if is_new:
            kept = {str(one.id) for one in still_own(self._orders.values(), found.board)}
            self._orders = {key: one for key, one in self._orders.items() if key in kept}
            self._kept.snapshot = data.decode()
            self._kept.orders = [text for text in self._kept.orders if self._is_kept(text)]
            self._change(now)
        return ""

    def obey(self, data: bytes, now: datetime) -> str | Refused:
        """As asked. The same order again changes nothing."""
        order = open_order(data, self._watch) if self._watch is not None else "nobody may order"
        if isinstance(order, str):
            return Refused(Refusal.ORDER_INVALID, "signature", order)
        closure = order.closure
        if (refused := refuse_order(closure, now)) is not None:
            return refused
        if closure.scope.rail != self._rail:
            return Refused(Refusal.ORDER_INVALID, "rail", f"this is the gateway of {self._rail}")
        board = self._board
        if closure.id in board.ended:
            return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "id", "it has been in force and ended")
        if (other := stands_for(board, closure)) is not None:
            return str(other.id)
        if str(closure.id) not in self._orders:
            if len(self._orders) >= _ORDERS_MAX:
                return Refused(Refusal.GATE_STEP_NOT_ALLOWED, "orders", "too many at once")
            self._orders[str(closure.id)] = closure
            self._kept.orders.append(data.decode())
            self._change(now)
        return str(closure.id)

    def in_force(self) -> dict[str, Any]:
        """Version and age of the bank's word; each closure, since when it is enforced here."""
        return {
            "version": self.version,
            "taken_at": self._snapshot.taken_at.isoformat() if self._snapshot else "",
            "heard_at": self._heard_at.isoformat() if self._heard_at else "",
            "in_force": [
                shown(one) | {"since": self._taken.get(str(one.id), "")} for one in self._effective
            ],
            "own_orders": sorted(self._orders),
        }

    @property
    def _board(self) -> Board:
        return self._snapshot.board if self._snapshot is not None else Board()

    def _change(self, now: datetime) -> None:
        self._reckon(now)
        self._save()

    def _reckon(self, now: datetime) -> None:
        self._effective = in_force_at_edge(self._board, self._orders.values())
        names = [str(one.id) for one in self._effective]
        self._taken = {name: self._taken.get(name, now.isoformat()) for name in names}

    def _is_kept(self, text: str) -> bool:
        order = open_order(text.encode(), self._watch) if self._watch is not None else ""
        return not isinstance(order, str) and str(order.closure.id) in self._orders

    def _save(self) -> None:
        if self._path is None:
            return
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with aside.open("wb") as file:
            file.write(msgspec.json.encode(self._kept))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path)

    def _load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("gateway.closures_unreadable", path=str(self._path))
            return
        if kept.snapshot and self._bank is not None:
            found = open_snapshot(kept.snapshot.encode(), self._bank)
            if isinstance(found, str) or found.book_id != self._book_id:
                log.error("gateway.snapshot_not_believed", why=str(found))
            else:
                self._snapshot, self._kept.snapshot = found, kept.snapshot
        for text in kept.orders:
            order = open_order(text.encode(), self._watch) if self._watch is not None else "no key"
            if isinstance(order, str):
                log.error("gateway.order_not_believed", why=order)
                continue
            self._orders[str(order.closure.id)] = order.closure
            self._kept.orders.append(text)
        self._reckon_at_load()

    def _reckon_at_load(self) -> None:
        self._effective = in_force_at_edge(self._board, self._orders.values())
        self._taken = {str(one.id): "before this start" for one in self._effective}
