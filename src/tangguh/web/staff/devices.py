"""The staff API of devices: one's first, one more, a new secret, an end; and two people's reset."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.routing import BaseRoute

from tangguh.access.acts import Act
from tangguh.access.approval import Change
from tangguh.audit.trail import Remember
from tangguh.core.outcome import Refusal, Refused
from tangguh.payments.people.changes import Carry
from tangguh.web.staff.door import Call, StaffDoor, route
from tangguh.web.staff.views import change_view


class NewDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``replaces``: the device this comes from gets a new secret, instead of one more device."""

    replaces: bool = False


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty body."""


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose devices all end, and why."""

    staff: str
    why: str


class DeviceRoutes:
    """The handlers, over what they need."""

    def __init__(self, staff: StaffDoor) -> None:
        self._staff = staff
        self._devices = staff.room.staff.devices

    async def issue(self, call: Call) -> Any:
        """A device's secret, told here only. Refuses APPROVER_NOT_ALLOWED (device)."""
        asked = call.read(NewDevice)
        if not call.device:
            what, secret = "first", await self._devices.issue_first(call.by.id)
        elif asked.replaces:
            what, secret = "replaced", await self._devices.replace(call.by.id, call.device)
        else:
            what, secret = "another", await self._devices.issue_another(call.by.id, call.device)
        if isinstance(secret, Refused):
            self._staff.guardian.notice("staff.denied", call.by.id, "device")
            return secret
        await self._staff.door.remember(call.by.id, "staff.device_issued", call.by.id, what)
        return {"device": secret}

    async def end(self, call: Call) -> Any:
        """The device this comes from opens nothing any more."""
        call.read(Nothing)
        await self._devices.end(call.by.id, call.device)
        await self._staff.door.remember(call.by.id, "staff.device_ended", call.by.id)
        return {"ended": True}

    async def reset(self, call: Call) -> Any:
        """Propose to end every device of an account, so that it begins anew."""
        asked = call.read(Reset)
        if not asked.why.strip():
            return Refused(Refusal.ORDER_INVALID, "why", "say why")
        if await call.staff.room.staff.find(asked.staff) is None:
            return Refused(Refusal.ORDER_INVALID, "staff", "there is no such account")
        payload = {"staff": asked.staff, "why": asked.why}
        done = await call.staff.room.propose(call.by, Act.DEVICE_RESET, asked.staff, payload)
        return done if isinstance(done, Refused) else {"change": change_view(done, done.made_at)}

    async def carry_reset(self, change: Change) -> Any:
        """Two people said so: once."""
        said = msgspec.json.decode(change.payload)
        told = Remember(change.maker.id, "staff.devices_reset", said["staff"])
        used = await self._staff.door.desk.decide(
            Carry(change_id=change.id, payload=change.payload, command=told)
        )
        return used if isinstance(used, Refused) else await self._devices.reset(said["staff"])


def routes(staff: StaffDoor) -> list[BaseRoute]:
    """Everything staff do about their devices by HTTP."""
    found = DeviceRoutes(staff)
    staff.room.carriers[Act.DEVICE_RESET] = found.carry_reset
    here = "/staff/v1/devices"
    return [
        route(staff, "POST", here, found.issue, Act.DEVICE_ISSUE),
        route(staff, "POST", f"{here}/end", found.end, Act.DEVICE_END),
        route(staff, "POST", f"{here}/reset", found.reset, Act.DEVICE_RESET),
    ]
