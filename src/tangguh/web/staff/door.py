"""Who comes in by the staff's door, what they may send, and how they are answered.

A bearer token names a member of staff. Bodies are JSON of an exact shape; a no is a problem with
its code, field and rule, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tangguh.access.acts import ACTS, Act, Kind, refuse_begin
from tangguh.access.people import Staff
from tangguh.access.rate import Rate
from tangguh.access.staff_devices import Standing
from tangguh.core.errors import TangguhError
from tangguh.core.json_once import RepeatedName
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.redaction.redact import Secret
from tangguh.listeners.limits import SMALL, Limit, limited
from tangguh.recovery.climber import Climber
from tangguh.web.api.operations import (
    decode_once,
    of_error,
    problem_response,
    rate_limited,
    read_body,
)
from tangguh.web.door import Door
from tangguh.web.gate import check_body, removed_header, words_without_secrets
from tangguh.web.problems import Trouble, of_refused, trouble
from tangguh.work.control.room import ControlRoom
from tangguh.work.guardian import Guardian

_BODY_BYTES_MAX: Final = 64 * 1024
_ACT_SECONDS: Final = 60.0
DEVICE_HEADER: Final = "X-Staff-Device"
"""The secret the bank issued to the device somebody of staff sits at."""
NO_DEVICE: Final = "nothing is done without a device the bank knows: tangguh staff enrol"
_WHYS: Final = {
    Standing.ENDED: "this device has ended",
    Standing.ANOTHERS: "this device is another account's",
    Standing.NOBODYS: "the bank does not know this device",
}
NOTHING: Final = "nothing"
"""The subject of an act that found nothing."""
B = TypeVar("B")


class StaffDoor:
    """What the staff's handlers need."""

    def __init__(self, door: Door, room: ControlRoom, guardian: Guardian, climber: Climber) -> None:
        self.door = door
        self.room = room
        self.guardian = guardian
        self.climber = climber
        self._tries = Rate(door.clock, burst=30, per_minute=60)
        self._written = Rate(door.clock, burst=10, per_minute=10)

    async def refuse_device(self, act: Act, by: Staff, device: str) -> Refused | None:
        """Whether an account may do an act from a device, as the bank knows devices.

        From none it only reads, and asks for its first. What is not its own is refused and written
        down, and changes nothing of anybody: whose it is may know nothing of it.
        """
        if not device:
            if ACTS[act].kind is Kind.READS or act is Act.DEVICE_ISSUE:
                return None
            return Refused(Refusal.APPROVER_NOT_ALLOWED, "device", NO_DEVICE)
        held = await self.room.staff.devices.held_by(by.id, device)
        if held.standing is Standing.OWN:
            return None
        self.guardian.notice("staff.denied", by.id, f"device {held.standing}")
        if not self._written.seconds_until_allowed(by.id):
            subject = held.owner or by.id
            await self.door.remember(by.id, "staff.device_refused", subject, held.standing)
        return Refused(Refusal.APPROVER_NOT_ALLOWED, "device", _WHYS[held.standing])


class Call:
    """One request of one member of staff."""

    def __init__(self, request: Request, staff: StaffDoor, by: Staff, body: bytes) -> None:
        self.request = request
        self.staff = staff
        self.by = by
        self._body = body
        self.removed: tuple[Secret, ...] = ()
        self.subject = ""
        """What was read, by its id; set by handlers of acts that are noted."""
        self.detail = ""
        """By what it was asked for, without anybody's data."""

    def read(self, shape: type[B]) -> B:
        """The body in its shape. Raises Trouble(json_invalid, body_invalid) naming the field."""
        raw = self._body or b"{}"
        try:
            body = decode_once(raw, shape)
        except RepeatedName as fault:
            raise trouble("json_invalid", str(fault), fault.name) from fault
        except msgspec.ValidationError as fault:
            message, _, path = str(fault).partition(" - at `")
            field = path.rstrip("`").removeprefix("$.")
            raise trouble("body_invalid", message, field) from fault
        except (msgspec.DecodeError, ValueError, RecursionError) as fault:
            raise trouble("json_invalid", "not JSON") from fault
        check_body(raw, body, lines=None)
        body, self.removed = words_without_secrets(body)
        return body

    @property
    def device(self) -> str:
        """The secret of the device this comes from, judged already; empty when it named none."""
        return self.request.headers.get(DEVICE_HEADER, "").strip()

    @property
    def file(self) -> bytes:
        """The body as it is, for routes that take a file."""
        return self._body

    def id(self, name: str) -> UUID:
        """An id in the path. Raises Trouble(parameter_invalid)."""
        try:
            return UUID(self.request.path_params[name])
        except ValueError as fault:
            raise trouble("parameter_invalid", f"{name} is an id", name) from fault


Handler = Callable[[Call], Awaitable[Any]]


def route(
    staff: StaffDoor,
    method: str,
    path: str,
    handler: Handler,
    act: Act,
    *,
    bytes_max: int = _BODY_BYTES_MAX,
) -> Route:
    """A route behind the staff's door: one act of the table, asked before the body is read.

    What the handler gives becomes JSON, Refused a problem, a Response goes as it is.
    """

    async def answer(request: Request) -> Response:
        try:
            by = await _who(request, staff)
            device = request.headers.get(DEVICE_HEADER, "").strip()
            refused = refuse_begin(act, by) or await staff.refuse_device(act, by, device)
            if refused is not None:
                return problem_response(of_refused(refused))
            body = await read_body(request, bytes_max)
            call = Call(request, staff, by, body)
            found = await _noted(act, call, handler)
        except Trouble as said:
            return problem_response(said.problem)
        except TangguhError as error:
            return problem_response(of_error(error))
        if isinstance(found, Refused):
            return problem_response(of_refused(found))
        if isinstance(found, Response):
            return found
        headers = removed_header(call.removed)
        return Response(msgspec.json.encode(found), headers=headers, media_type="application/json")

    answer.act = act  # type: ignore[attr-defined]
    answer.handler = handler  # type: ignore[attr-defined]
    # A body of staff is read after who sends it is known; what may be long is their acts' affair.
    return limited(
        Route(path, answer, methods=[method]),
        Limit(
            body_bytes_max=bytes_max,
            seconds=_ACT_SECONDS,
            nesting_max=0 if bytes_max > _BODY_BYTES_MAX else SMALL.nesting_max,
        ),
    )


async def _noted(act: Act, call: Call, handler: Handler) -> Any:
    """What the handler gives, once the act is in the trail, if the table says that it is noted.

    Also what found nothing was asked for. What cannot be written down is not shown.
    """
    if not ACTS[act].is_noted:
        return await handler(call)
    try:
        found = await handler(call)
    except Trouble as said:
        found = problem_response(said.problem)
    await note_reading(call.staff, call.by, act, call.subject or NOTHING, call.detail)
    return found


async def note_reading(
    staff: StaffDoor, by: Staff, act: Act, subject: str, detail: str = ""
) -> None:
    """Write into the trail what somebody of staff looked at."""
    await staff.door.remember(by.id, act, subject, detail)


async def _who(request: Request, staff: StaffDoor) -> Staff:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise trouble("not_logged_in", "a bearer token of staff is asked for")
    return await find_staff(request, staff, token)


async def find_staff(request: Request, staff: StaffDoor, token: str) -> Staff:
    """Whose token it is. Raises Trouble(not_logged_in, rate_limited); the guard hears of it."""
    host = request.client.host if request.client else "unknown"
    found = await staff.room.staff.find_by_token(token)
    if found is None:
        wait = staff._tries.seconds_until_allowed(f"host {host}")  # noqa: SLF001
        staff.guardian.notice("login.failed", f"staff {host}")
        if wait:
            raise rate_limited(wait)
        raise trouble("not_logged_in", "this token is nobody's")
    return found
