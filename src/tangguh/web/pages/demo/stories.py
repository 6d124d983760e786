"""Stories of the demo: a button makes each happen on the running bank and its networks.

Each goes by a door that is there anyway: faults by the networks' control port, a closure and its
opening by the control room as two named members of the demo's staff, payments by the customers'
door. How far a story is is asked of the networks and of the book each time, never remembered.
"""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import msgspec
from starlette.responses import Response

from tangguh.access.people import Staff
from tangguh.core.outcome import Refused
from tangguh.core.service import TOPUP
from tangguh.guard.closure import Closure, SignalClass
from tangguh.guard.scope import Scope, scope_of
from tangguh.web.door import Door
from tangguh.web.pages.demo.flood import Count, flood
from tangguh.web.pages.demo.guide import must_be_demo
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.problems import trouble
from tangguh.work.control.room import CloseOrder, ControlRoom

NAMES: Final = ("replies", "down", "closure", "flood")
STATES: Final = ("ready", "under_way", "over", "unreachable")
_FAULTS: Final = {"replies": ("qris", "drop_reply", 300.0), "down": ("ovo", "down", 180.0)}
"""The network, the fault as its menu has it, and how long it lasts."""
_SCOPE: Final = f"service={TOPUP['dana']}"
_MAKER, _CHECKER = "staff:1", "staff:3"
_MINUTES: Final = 30
_TIMEOUT: Final = aiohttp.ClientTimeout(total=3.0)
_LOST: Final = (aiohttp.ClientError, TimeoutError, OSError, msgspec.MsgspecError)


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """One story as it is now. ``seconds_left`` None: it has no time of its own."""

    name: str
    state: str
    seconds_left: int | None = None
    count: Count | None = None


class Stories:
    """Begins and ends stories. One per demo bank; ``networks_url`` empty: its networks are real."""

    def __init__(
        self, door: Door, room: ControlRoom, *, networks_url: str, status_url: str
    ) -> None:
        self._door = door
        self._room = room
        self.networks_url = networks_url
        self.status_url = status_url
        self._flood: Count | None = None

    async def told(self) -> list[Story]:
        """Every story and how far it is."""
        wrong = await self._wrong()
        return [
            *(self._fault_story(name, wrong) for name in _FAULTS),
            await self._closure_story(),
            self._flood_story(),
        ]

    async def begin(self, name: str) -> bool:
        """Make it happen; False when it cannot be now."""
        match name:
            case "closure":
                return await self._close()
            case "flood":
                return self._begin_flood()
            case _:
                return await self._break(*_FAULTS[name])

    async def end(self, name: str) -> bool:
        """End it before its time, if it is under way."""
        match name:
            case "closure":
                return await self._open_again()
            case "flood":
                return False
            case _:
                network = _FAULTS[name][0]
                return await self._ask("DELETE", f"/networks/{network}/faults") is not None

    # ---- networks --------------------------------------------------------------------------

    def _fault_story(self, name: str, wrong: dict[str, float | None] | None) -> Story:
        if wrong is None:
            return Story(name=name, state="unreachable")
        network = _FAULTS[name][0]
        if network not in wrong:
            return Story(name=name, state="ready")
        left = wrong[network]
        return Story(
            name=name, state="under_way", seconds_left=None if left is None else round(left)
        )

    async def _wrong(self) -> dict[str, float | None] | None:
        """How long each network that is at fault still is; None when nobody can be asked."""
        lines = await self._ask("GET", "/overview")
        if not isinstance(lines, list):
            return None
        return {line["name"]: line["wrong"][0]["seconds_left"] for line in lines if line["wrong"]}

    async def _break(self, network: str, fault: str, seconds: float) -> bool:
        menu = await self._ask("GET", "/menu")
        if not isinstance(menu, dict) or network not in menu:
            return False
        offered = [one["fault"] for one in menu[network]["offers"]]
        chosen = next(one for one in offered if one["name"] == fault)
        plan = {"faults": [{**chosen, "for_seconds": seconds}]}
        return await self._ask("PUT", f"/networks/{network}/faults", plan) is not None

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """What the networks' control port says; None when it says nothing or no."""
        if not self.networks_url:
            return None
        content = None if body is None else msgspec.json.encode(body)
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as http,
                http.request(method, self.networks_url + path, data=content) as answer,
            ):
                return msgspec.json.decode(await answer.read()) if answer.status == 200 else None
        except _LOST:
            return None

    # ---- the closure -----------------------------------------------------------------------

    async def _closure_story(self) -> Story:
        if await self._room.staff.find(_MAKER) is None:
            return Story(name="closure", state="unreachable")
        closure = await self._closure()
        if closure is None:
            return Story(name="closure", state="ready")
        left = (closure.expires_at - self._door.clock.now()).total_seconds()
        return Story(name="closure", state="under_way", seconds_left=max(round(left), 0))

    async def _closure(self) -> Closure | None:
        """The one this story made, while it is in force."""
        scope = scope_of(_SCOPE)
        assert isinstance(scope, Scope)
        found = (await self._room.board()).closures
        return next((one for one in found if one.scope == scope and one.made_by == _MAKER), None)

    async def _close(self) -> bool:
        maker = await self._room.staff.find(_MAKER)
        if maker is None or await self._closure() is not None:
            return False
        order = CloseOrder(
            scope=_SCOPE,
            reason="demo_story",
            cause="the demo's story of a closure",
            signal_class=SignalClass.ABUSE,
            minutes=_MINUTES,
        )
        return not isinstance(await self._room.close(maker, order), Refused)

    async def _open_again(self) -> bool:
        """Two people: the commander calls it wrong, the risk officer agrees to exactly that."""
        maker, checker = await self._staff()
        closure = await self._closure()
        if maker is None or checker is None or closure is None:
            return False
        change = await self._room.declare_wrong(maker, closure.id, "the story has been told")
        if isinstance(change, Refused):
            return False
        done = await self._room.approve(checker, change.id, change.sha256)
        return not isinstance(done, Refused)

    async def _staff(self) -> tuple[Staff | None, Staff | None]:
        return await self._room.staff.find(_MAKER), await self._room.staff.find(_CHECKER)

    # ---- the flood -------------------------------------------------------------------------

    def _flood_story(self) -> Story:
        if self._flood is None:
            return Story(name="flood", state="ready")
        state = "over" if self._flood.is_over else "under_way"
        return Story(name="flood", state=state, count=self._flood)

    def _begin_flood(self) -> bool:
        if self._flood is not None and not self._flood.is_over:
            return False
        self._flood = Count()
        self._door.go_on(flood(self._door, self._flood))
        return True


def attach(door: Door, room: ControlRoom, *, status_url: str) -> None:
    """Give a demo bank its stories; any other gets none."""
    if door.settings.demo:
        networks_url = door.settings.demo_networks_url
        door.stories = Stories(door, room, networks_url=networks_url, status_url=status_url)


async def begin(visit: Visit) -> Response:
    """Make a story happen, or end it, and show the guide where it stands."""
    must_be_demo(visit)
    name, stories = visit.request.path_params["name"], visit.door.stories
    if stories is None or name not in NAMES:
        raise trouble("not_found")
    done = await (stories.end(name) if visit.typed("act") == "end" else stories.begin(name))
    outcome = "" if done else "&story_not=1"
    return redirect(f"/demo?story={name}{outcome}#story-{name}")


PAGES: Final = (Page(path="/demo/stories/{name}", post=begin, needs_login=False),)
