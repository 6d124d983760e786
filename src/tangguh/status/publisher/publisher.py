"""The publisher at work: one look at the bank, one page. What it cannot reach it says so of.

It has no database but its own file, and believes nothing that the bank's key did not sign. Killed
and started again it shows the last good word, with its age.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Final

import aiohttp
import msgspec
import structlog

from tangguh.core.clock import Clock, business_date
from tangguh.core.errors import StoreCannotWrite
from tangguh.core.supervision import beat
from tangguh.db.objects import ObjectSettings
from tangguh.status.publisher.memory import Memory, Spent
from tangguh.status.publisher.settings import PublisherSettings, key_of
from tangguh.status.publisher.target import Target
from tangguh.status.site.pages import (
    File,
    render_fixed,
    render_history,
    render_missing,
    render_now,
    render_story,
)
from tangguh.status.site.view import NOT_KNOWN, UNKNOWN, UNREACHABLE, Seen, Silence, looked_lately
from tangguh.status.snapshot import PublicIncident, PublicStatus, verify

log = structlog.get_logger("status.publisher")

_BYTES_MAX: Final = 4_000_000
_FLUSH_SECONDS: Final = 10.0
_GAP_LOOKS: Final = 5
"""So many looks missed and the time between counts as nothing known."""
_AHEAD_MAX: Final = timedelta(minutes=5)
"""So far the bank's clock may be ahead of ours."""


class Publisher:
    """One public page. ``run`` until cancelled; ``files`` is the page as it is now."""

    def __init__(self, settings: PublisherSettings, clock: Clock) -> None:
        """Raises Misconfigured for a key, a file or a place that cannot be used."""
        self._settings = settings
        self._clock = clock
        self._key = key_of(settings)
        self._memory = Memory(settings.memory_path)
        self._status: PublicStatus | None = None
        self._heard_at = clock.now()
        self._heard = clock.monotonic()
        self._recall()
        self._stories = {one.id: one for one in self._memory.stories()}
        self._rendered: dict[str, tuple[PublicIncident, date]] = {}
        self._spent: dict[Spent, float] = {}
        self._looked = self._flushed = clock.monotonic()
        self._history_at: float | None = None
        self._why = ""
        self._unsaved = b""
        self._untold: dict[str, PublicIncident] = {}
        self.unwritten = ""
        """Why what is known could not be written down at the last try; empty: it was."""
        self.files: dict[str, File] = dict(render_fixed())
        self.home = Target(ObjectSettings(url=settings.directory))
        self.targets = [Target(one) for one in settings.targets]
        self.missing = render_missing(self.seen())
        self._render()

    async def run(self) -> None:
        """Look, render and push on and on."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            for target in self.targets:
                group.create_task(self._push_on(target))
            while True:
                beat(self._settings.look_seconds)
                await self.round(http)
                await self._clock.sleep(self._settings.look_seconds)

    async def round(self, http: aiohttp.ClientSession) -> None:
        """One look at the bank, and the page that follows from it, on our own disk."""
        await self._look(http)
        self._account()
        self._render()
        await self.home.push(self.files)

    def close(self) -> None:
        """Write down what is not yet, and let go of the file."""
        self._flush()
        self._memory.close()

    def seen(self) -> Seen:
        """What the page is made from now."""
        silence = self._silence()
        since = None if silence is Silence.NONE else self._heard_at
        if silence is Silence.BLIND and self._status is not None:
            since = self._status.looked_at or self._status.made_at
        return Seen(
            now=self._clock.now(),
            status=self._status,
            silence=silence,
            silent_since=since,
            heard_ago=self._heard_ago,
            stories=tuple(self._stories.values()),
            public_url=self._settings.public_url,
            refresh_seconds=self._settings.refresh_seconds,
        )

    @property
    def _heard_ago(self) -> timedelta:
        return timedelta(seconds=self._clock.monotonic() - self._heard)

    def _silence(self) -> Silence:
        quiet = self._heard_ago.total_seconds()
        if quiet >= self._settings.down_seconds:
            return Silence.DOWN
        if self._status is None or quiet >= self._settings.silent_seconds:
            return Silence.SHORT
        is_seeing = looked_lately(self._status, self._heard_ago)
        return Silence.NONE if is_seeing else Silence.BLIND

    def _recall(self) -> None:
        kept = self._memory.word()
        if kept is None:
            return
        status = verify(kept[0], self._key)
        if isinstance(status, str):
            log.warning("memory.not_believed", why=status)
            return
        self._status, self._heard_at = status, kept[1]
        # Heard by an earlier process: how long ago only the wall clock knows, which may jump.
        age = max((self._clock.now() - kept[1]).total_seconds(), self._settings.silent_seconds)
        self._heard -= age

    # ---- the bank --------------------------------------------------------------------------------

    async def _look(self, http: aiohttp.ClientSession) -> None:
        body = await self._pull(http)
        if isinstance(body, str):
            self._note(body)
            return
        now = self._clock.now()
        known = self._status.made_at if self._status else None
        if known is not None and known > now + _AHEAD_MAX:
            # Our clock was ahead when that was believed, and has been put right since.
            known = None
        status = verify(body, self._key, newer_than=known)
        if isinstance(status, str):
            self._note(status)
        elif status.made_at > now + _AHEAD_MAX:
            self._note("made in the future")
        elif known is not None and status.made_at == known:
            self._note("the same word again")
        else:
            self._note("")
            is_news = _differs(self._status, status)
            self._status, self._heard_at, self._unsaved = status, now, body
            self._heard = self._clock.monotonic()
            changed = {one.id: one for one in status.incidents if self._stories.get(one.id) != one}
            self._stories.update(changed)
            self._untold.update(changed)
            if is_news or changed:
                self._flush()

    async def _pull(self, http: aiohttp.ClientSession) -> bytes | str:
        """The bank's answer, or why there is none."""
        try:
            async with (
                asyncio.timeout(self._settings.timeout_seconds),
                http.get(self._settings.snapshot_url, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    return f"the bank answers {answer.status}"
                body = bytearray()
                async for part in answer.content.iter_chunked(65_536):
                    body += part
                    if len(body) > _BYTES_MAX:
                        return "the answer is too long"
                return bytes(body)
        except (aiohttp.ClientError, TimeoutError, OSError) as lost:
            return f"not reached: {type(lost).__name__}"

    def _note(self, why: str) -> None:
        if why != self._why and why != "the same word again":
            log.warning("bank.answers" if not why else "bank.silent", why=why)
        self._why = why

    # ---- the days --------------------------------------------------------------------------------

    def _account(self) -> None:
        """Count the time since the last look to what each component was."""
        now = self._clock.monotonic()
        passed, self._looked = now - self._looked, now
        longest = _GAP_LOOKS * (self._settings.look_seconds + self._settings.timeout_seconds)
        if self._status is None or passed > longest:
            return
        today = business_date(self._clock.now())
        silence = self._silence()
        for one in self.seen().components:
            condition = str(one.condition)
            if silence is not Silence.NONE:
                condition = UNKNOWN if silence is Silence.BLIND else UNREACHABLE
            why = "" if condition in NOT_KNOWN else str(one.why)
            key = (one.id, today, condition, why)
            self._spent[key] = self._spent.get(key, 0.0) + passed
        if now - self._flushed >= _FLUSH_SECONDS:
            self._flush()

    def _save_word(self) -> None:
        if self._unsaved:
            self._memory.keep_word(self._unsaved, self._heard_at)
            self._unsaved = b""

    def _save_stories(self) -> None:
        if self._untold:
            self._memory.keep_stories(self._untold.values())
            self._untold = {}

    def _save_days(self) -> None:
        if self._spent:
            self._memory.spend(self._spent)
            self._spent = {}

    def _flush(self, *more: Callable[[], None]) -> None:
        """Write down what is not yet. What the disk does not take is kept and tried again.

        The page goes on from what is in memory: it must not end with the disk.
        """
        self._flushed = self._clock.monotonic()
        why = ""
        for save in (self._save_word, self._save_stories, self._save_days, *more):
            try:
                save()
            except StoreCannotWrite as fault:
                why = str(fault)
        if why != self.unwritten:
            log.warning("memory.written" if not why else "memory.unwritten", why=why)
        self.unwritten = why

    # ---- the page --------------------------------------------------------------------------------

    def _render(self) -> None:
        seen = self.seen()
        self.files.update(render_now(seen))
        for one in seen.stories:
            # What is under way shows its clock; what is over is rendered once a day, since a time
            # of today is written without its date.
            now = (one, business_date(seen.now))
            if one.state.owes_word or self._rendered.get(one.id) != now:
                self.files.update(render_story(seen, one))
                self._rendered[one.id] = now
        self._render_history(seen)
        self.missing = render_missing(seen)

    def _render_history(self, seen: Seen) -> None:
        now = self._clock.monotonic()
        is_due = self._history_at is None or (
            now - self._history_at >= self._settings.history_seconds
        )
        if not is_due and "history/index.html" in self.files:
            return
        self._flush(partial(self._memory.forget, seen.now))
        try:
            stories, days = self._memory.stories(), self._memory.days()
        except sqlite3.Error as fault:
            log.warning("page.history_not_read", error=str(fault))
            self.unwritten = str(fault)
            return  # what was known stays on the page
        self._stories = {one.id: one for one in stories} | self._untold
        for gone in self._rendered.keys() - self._stories.keys():
            del self._rendered[gone]
            for path in [one for one in self.files if one.endswith(f"incident/{gone}.html")]:
                del self.files[path]
        self._history_at = now
        self.files.update(render_history(msgspec.structs.replace(seen, days=days)))

    async def _push_on(self, target: Target) -> None:
        while True:
            await target.push(self.files)
            await self._clock.sleep(self._settings.push_seconds)


def _differs(known: PublicStatus | None, status: PublicStatus) -> bool:
    """Whether the bank says anything new besides the time."""
    return known is None or msgspec.structs.replace(known, made_at=status.made_at) != status
