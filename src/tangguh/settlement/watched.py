"""What the watch says of itself, for whoever reads it: the ladder of recovery, a page, a drill."""

from __future__ import annotations

from typing import Final

import aiohttp
import msgspec

from tangguh.settlement.watch.matching import Unmatched

PATH: Final = "/status"
_SECONDS_MAX: Final = 2.0


class WatchState(msgspec.Struct, frozen=True, kw_only=True):
    """``feed_age_seconds``: since the feed answered last, with or without rows. ``lag_seconds``:
    from the newest row's settlement until it was judged. ``blind``: why outflows cannot be matched
    now; empty: they can. ``unmatched`` are the newest; ``closed`` the orders, oldest first, and
    when they were taken by gateway and bank (empty: not yet). ``faults``: of the statement itself.
    """

    rail: str
    at: str
    last_seq: int
    last_row_at: str
    lag_seconds: float
    lag_p99_seconds: float
    feed_age_seconds: float
    silent: bool
    blind: str
    balance_minor: int
    over_exposed: bool
    matched: int
    unmatched_count: int
    unmatched: list[Unmatched]
    closed: list[dict[str, str]]
    faults: list[str]


async def read_watch(url: str) -> WatchState | None:
    """The watch's state; None when it does not answer, which is no news of any kind."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS_MAX)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(url + PATH) as answer,
        ):
            if answer.status != 200:
                return None
            return msgspec.json.decode(await answer.read(), type=WatchState)
    except (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
