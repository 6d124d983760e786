"""The people on duty in a rehearsal: they sign what they are shown, by the staff API."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final

import aiohttp
import msgspec

from tangguh.access.people import Staff
from tangguh.access.staff import StaffRegister
from tangguh.cli.household import Household
from tangguh.core.clock import Clock
from tangguh.db.pool import Pool
from tangguh.web.staff.door import DEVICE_HEADER

COMMANDER, RAIL_OWNER, RISK, CISO, RECON = (f"staff:{number}" for number in range(1, 6))
_BY_ROLE: Final = {
    "incident_commander": COMMANDER,
    "rail_owner": RAIL_OWNER,
    "risk_officer": RISK,
    "ciso": CISO,
    "recon_owner": RECON,
}
_LOOK_SECONDS: Final = 0.05
_SIGN_SECONDS: Final = 0.25


class Crew:
    """Five people at their terminals."""

    def __init__(self, household: Household, clock: Clock) -> None:
        self._url = f"{household.addresses['bank']}/staff/v1"
        self._tokens: dict[str, str] = msgspec.json.decode(household.place.crew_path.read_bytes())
        self._clock = clock
        self._http: aiohttp.ClientSession | None = None
        self._devices: dict[str, str] = {}
        self.signed: list[tuple[str, str]] = []

    async def __aenter__(self) -> Crew:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def ask(
        self, by: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """One act of one person at their device; the answer, also when it is a no."""
        assert self._http is not None
        headers = {"Authorization": f"Bearer {self._tokens[by]}"}
        if method != "GET" and path != "/devices" and by not in self._devices:
            issued = await self.ask(by, "POST", "/devices", {})
            self._devices[by] = issued.get("device", "")
        if device := self._devices.get(by):
            headers[DEVICE_HEADER] = device
        async with self._http.request(
            method, f"{self._url}{path}", headers=headers, json=body
        ) as answer:
            found: dict[str, Any] = msgspec.json.decode(await answer.read())
        return found

    async def enrol(self, household: Household, who: Staff) -> None:
        """A further account, as whoever administers staff could make; its token is known here."""
        pool = await Pool.open(household.dsn, size_max=1)
        try:
            register = StaffRegister(pool, household.settings.book.book_id, self._clock)
            await register.add(who)
            self._tokens[who.id] = await register.add_token(who.id)
        finally:
            await pool.close()

    def share(self, owner: str, other: str) -> None:
        """From now on the second account is used from the first one's device."""
        self._devices[other] = self._devices[owner]

    async def closure_of(self, scope: str, seconds_max: float) -> dict[str, Any] | None:
        """The closure of a scope, as soon as it is in force; None when it never is."""
        deadline = self._clock.monotonic() + seconds_max
        while self._clock.monotonic() < deadline:
            board = await self.ask(COMMANDER, "GET", "/gates")
            for one in board["closures"]:
                if one["scope"] == scope:
                    return dict(one)
            await self._clock.sleep(_LOOK_SECONDS)
        return None

    async def agree(self, proposed: dict[str, Any], by: str) -> dict[str, Any]:
        """A second person says yes to what was proposed, as it was shown."""
        change = proposed.get("change")
        if change is None:
            return proposed
        path = f"/changes/{change['id']}/approve"
        return await self.ask(by, "POST", path, {"sha256": change["sha256"]})

    async def climb(
        self, closure: str, rung: str, seconds_max: float, on_rung: Callable[[str], None]
    ) -> bool:
        """Sign what the ladder asks for, as soon as it asks, until a rung is reached."""
        deadline = self._clock.monotonic() + seconds_max
        here = ""
        while self._clock.monotonic() < deadline:
            ladders = (await self.ask(COMMANDER, "GET", "/ladders"))["ladders"]
            mine = next((one for one in ladders if one["closure_id"] == closure), None)
            if mine is None:
                return False
            if mine["rung"] != here:
                here = mine["rung"]
                on_rung(here)
            if here == rung:
                return True
            if mine["needs"]:
                await self._sign(closure)
            await self._clock.sleep(_SIGN_SECONDS)
        return False

    async def _sign(self, closure: str) -> None:
        for change in (await self.ask(COMMANDER, "GET", "/changes"))["changes"]:
            if change["subject"] != closure or change["state"] != "pending":
                continue
            if change["kind"] != "ladder.climb" or not change["is_live"]:
                continue
            for role in change["lacking_roles"]:
                who = _BY_ROLE[role]
                path = f"/changes/{change['id']}/approve"
                await self.ask(who, "POST", path, {"sha256": change["sha256"]})
                self.signed.append((change["payload"]["to"], who))
