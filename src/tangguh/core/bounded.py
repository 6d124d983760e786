"""A memory that cannot grow: bounded by size and by age, the oldest forgotten first. Pure."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """What was kept lately. ``size_max`` entries at most, none older than ``age_max``.

    Keeping a key again makes it the newest. Forgetting costs the same however much is kept: one
    full memory never forgets everything at once.
    """

    def __init__(self, size_max: int, age_max: timedelta) -> None:
        self._size_max = size_max
        self._age_max = age_max
        self._kept: OrderedDict[K, tuple[datetime, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K, now: datetime) -> V | None:
        """What was kept under a key; None when nothing was, or too long ago."""
        self._forget(now)
        found = self._kept.get(key)
        return None if found is None else found[1]

    def keep(self, key: K, value: V, now: datetime) -> None:
        """Keep a value as the newest."""
        self._kept[key] = (now, value)
        self._kept.move_to_end(key)
        self._forget(now)

    def _forget(self, now: datetime) -> None:
        while self._kept:
            at, _ = next(iter(self._kept.values()))
            if len(self._kept) <= self._size_max and now - at <= self._age_max:
                return
            self._kept.popitem(last=False)
