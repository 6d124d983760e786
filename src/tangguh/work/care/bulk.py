"""One act of two people for everybody an incident touched: a case, the bank's money, one word each.

What two people sign is the exact list of payments, by its hash; when the list has grown since, they
are asked again. The act is done payment by payment, each once, and goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec
import structlog

from tangguh.access.acts import Act
from tangguh.access.approval import Change
from tangguh.access.people import Staff
from tangguh.audit.trail import Remember
from tangguh.core.clock import Clock
from tangguh.core.errors import TangguhError
from tangguh.core.format import money
from tangguh.core.ids import Ids
from tangguh.core.outcome import Refusal, Refused
from tangguh.customers import store as customers
from tangguh.db.pool import Pool
from tangguh.db.queries import Queries
from tangguh.disputes.case import About
from tangguh.disputes.complaints import BANK, Complaint, Complaints
from tangguh.notices.desk import Notices, to_customer
from tangguh.notices.notice import Notice
from tangguh.payments.desk import Desk
from tangguh.payments.payment import Payment, State
from tangguh.payments.people.changes import Carry
from tangguh.payments.people.store import find_changes
from tangguh.payments.redress.advance import GiveAdvance
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.status import store
from tangguh.work.control.room import ControlRoom
from tangguh.work.incidents.affected import Affected
from tangguh.work.incidents.telling import CHANNELS, subject

log = structlog.get_logger("care.bulk")

KIND: Final = str(Act.CARE_BULK)
BEGUN: Final = "bulk.begun"
DONE: Final = "bulk.done"
_CASE: Final = UUID("62756c6b-0000-5700-8000-000000000001")
_AT_ONCE: Final = 16
_RETRY_SECONDS: Final = 1.0
_RETRY_SECONDS_MAX: Final = 60.0
_QUERIES: Final = Queries("tangguh.work.care", "care.sql")
_SAID: Final = {
    "id": {
        "happened": "kami membuka laporan untuk setiap pembayaran yang tersentuh.",
        "we_do": "Kami menalangi yang dapat ditalangi, lalu menagihnya sendiri ke jaringan.",
        "you_do": "Tidak ada yang perlu dilakukan. Jangan kirim ulang.",
        "money_is": "Uang dari pembayaran yang belum pasti ditahan di rekening Anda.",
    },
    "en": {
        "happened": "we have opened a report for each payment that was touched.",
        "we_do": "We advance what can be advanced, and settle it with the network ourselves.",
        "you_do": "There is nothing to do. Please do not send it again.",
        "money_is": "Money of payments not yet certain is on hold in your account.",
    },
}


class BulkPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What the act would do. Sums in minor units; ``sha256`` is that of the list of payments.

    ``advances``: unanswered payments of at most ``advance_max_minor`` without an advance.
    """

    incident: str
    payments: int
    people: int
    minor: int
    states: dict[str, int]
    advance_max_minor: int
    advances: int
    advances_minor: int
    sha256: str


class Bulk:
    """The act for many, over one bank."""

    def __init__(
        self,
        *,
        desk: Desk,
        pool: Pool,
        book_id: int,
        clock: Clock,
        ids: Ids,
        room: ControlRoom,
        complaints: Complaints,
        affected: Affected,
        notices: Notices,
    ) -> None:
        self._desk = desk
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._ids = ids
        self._room = room
        self._complaints = complaints
        self._affected = affected
        self._notices = notices
        self._going: set[asyncio.Task[None]] = set()
        room.carriers[KIND] = self.carry

    async def preview(self, incident_id: UUID, advance_max_minor: int) -> BulkPreview | Refused:
        """Whom it would reach and what it would pay. Changes nothing."""
        if await store.find_incident(self._pool, self._book_id, incident_id) is None:
            return Refused(Refusal.INCIDENT_NOT_FOUND, "incident", "there is no such incident")
        if advance_max_minor < 0:
            return Refused(Refusal.AMOUNT_NOT_POSITIVE, "advance_max", "nought or more")
        found = await self._affected.payments(incident_id)
        advanced = [one for one in found if _may_advance(one, advance_max_minor)]
        states: dict[str, int] = {}
        for one in found:
            states[str(one.state)] = states.get(str(one.state), 0) + 1
        return BulkPreview(
            incident=str(incident_id),
            payments=len(found),
            people=len({one.customer_id for one in found}),
            minor=sum(one.total_minor for one in found),
            states=states,
            advance_max_minor=advance_max_minor,
            advances=len(advanced),
            advances_minor=sum(one.total_minor for one in advanced),
            sha256=list_hash(found),
        )

    async def propose(
        self, by: Staff, incident_id: UUID, advance_max_minor: int
    ) -> Change | Refused:
        """Propose exactly what the preview shows. Refuses ORDER_INVALID when it reaches nobody."""
        seen = await self.preview(incident_id, advance_max_minor)
        if isinstance(seen, Refused):
            return seen
        if not seen.payments:
            return Refused(Refusal.ORDER_INVALID, "incident", "it has touched no payment")
        return await self._room.propose(by, KIND, str(incident_id), msgspec.to_builtins(seen))

    async def carry(self, change: Change) -> Refused | None:
        """Use up the approval and begin. Refuses CHANGE_DIFFERS when the list has changed since."""
        wanted = _payload_of(change)
        found = await self._affected.payments(UUID(wanted.incident))
        if list_hash(found) != wanted.sha256:
            return Refused(Refusal.CHANGE_DIFFERS, "payments", "the list has changed; propose anew")
        ids = " ".join(one.id.hex for one in found)
        begun = Remember(change.maker.id, BEGUN, str(change.id), f"{wanted.sha256} {ids}")
        done = await self._desk.decide(
            Carry(change_id=change.id, payload=change.payload, command=begun)
        )
        if isinstance(done, Refused):
            return done
        self._start(change, found)
        return None

    async def resume(self) -> int:
        """Go on with acts that were begun and not finished; how many there were.

        With the payments that were signed: what the incident has touched since is another list.
        """
        rows = await self._pool.fetch(_QUERIES["bulk_unfinished"], self._book_id)
        signed = {UUID(row["subject"]): set(row["detail"].split()[1:]) for row in rows}
        changes = await find_changes(self._pool, self._book_id, signed)
        for change in changes:
            found = await self._affected.payments(UUID(_payload_of(change).incident))
            self._start(change, [one for one in found if one.id.hex in signed[change.id]])
        return len(changes)

    async def finish(self, seconds_max: float | None = None) -> None:
        """Wait for what is under way. At an orderly end not for ever: the next start goes on."""
        if self._going:
            _, left = await asyncio.wait(self._going, timeout=seconds_max)
            for task in left:
                task.cancel()

    def _start(self, change: Change, found: Sequence[Payment]) -> None:
        task = asyncio.create_task(self._do(change, found), name=f"bulk {change.id}")
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _do(self, change: Change, found: Sequence[Payment]) -> None:
        wanted = _payload_of(change)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(payment: Payment) -> None:
            async def made_good() -> None:
                async with gate:  # let go while it waits: a line in trouble keeps no other line
                    await self._make_good(change, wanted, payment)

            await self._until_done(change, made_good)

        async with asyncio.TaskGroup() as group:
            for payment in found:
                group.create_task(one(payment))
        await self._until_done(change, lambda: self._tell(change, wanted, found))
        end = Remember(change.maker.id, DONE, str(change.id), f"{len(found)} payments")
        await self._until_done(change, lambda: self._desk.decide(end))
        log.info("care.bulk_done", change=str(change.id), payments=len(found))

    async def _until_done(self, change: Change, step: Callable[[], Awaitable[object]]) -> None:
        """One line of the act, again with longer and longer waits until it has an answer.

        A refusal is an answer. A restart goes on with what is left: each line is done once.
        """
        wait = _RETRY_SECONDS
        while True:
            try:
                await step()
                return
            except TangguhError as trouble:
                log.warning("care.bulk_again", change=str(change.id), why=str(trouble))
            except Exception:
                log.exception("care.bulk_broken", change=str(change.id))
            await self._clock.sleep(wait)
            wait = min(2 * wait, _RETRY_SECONDS_MAX)

    async def _make_good(self, change: Change, wanted: BulkPreview, payment: Payment) -> None:
        said = Complaint(
            case_id=uuid5(_CASE, f"{change.id}:{payment.id}"),
            customer_id=payment.customer_id,
            about=About.FAILED_DEBITED,
            text="",
            channel=BANK,
            language=await self._language_of(payment.customer_id),
            payment_id=payment.id,
            incident_id=UUID(wanted.incident),
        )
        opened = await self._complaints.open(said)
        if isinstance(opened, Refused):
            log.error("care.bulk_no_case", payment=str(payment.id), why=opened.detail)
        if not _may_advance(payment, wanted.advance_max_minor):
            return
        policy: RedressPolicy = msgspec.structs.replace(
            self._desk.rules.redress,
            advance_after_seconds=0.0,
            advance_max_minor=wanted.advance_max_minor,
            advances_per_account_max=wanted.payments,
            advances_minor_max=wanted.minor,
        )
        give = GiveAdvance(payment_id=payment.id, policy=policy, by=f"change:{change.id}")
        answer = await self._desk.decide(give)
        if isinstance(answer, Refused):
            log.info("care.bulk_no_advance", payment=str(payment.id), why=answer.detail)

    async def _tell(self, change: Change, wanted: BulkPreview, found: Sequence[Payment]) -> None:
        incident = await store.find_incident(self._pool, self._book_id, UUID(wanted.incident))
        if incident is None:
            return
        people: dict[int, list[Payment]] = {}
        for payment in found:
            if payment.is_open:
                people.setdefault(payment.customer_id, []).append(payment)
        now = self._clock.now()
        made = []
        for customer_id, theirs in people.items():
            language = await self._language_of(customer_id)
            said = _SAID[language]
            values: dict[str, Any] = {
                "service": subject(incident.components, language),
                "count": len(theirs),
                "amount": sum(one.total_minor for one in theirs),
                "happened": said["happened"],
                "we_do": said["we_do"],
                "you_do": said["you_do"],
                "by": (incident.next_update_at or now).isoformat(),
            }
            made.append(
                Notice(
                    id=self._ids.next(),
                    to=to_customer(customer_id, language),
                    matter=f"incident:{incident.id}",
                    step=f"bulk-{str(change.id)[:8]}",
                    template="incident_update_yours",
                    values=values,
                    channels=CHANNELS,
                    made_at=now,
                    ticket=incident.ticket,
                )
            )
        told = await self._notices.tell(made)
        for refused in told.refused.values():
            log.error("care.bulk_not_told", field=refused.field, why=refused.detail)

    async def _language_of(self, customer_id: int) -> str:
        customer = await customers.find(self._pool, self._book_id, customer_id)
        return customer.language if customer is not None else "id"


def list_hash(found: Sequence[Payment]) -> str:
    """SHA-256 of a list of payments: their ids and sums, in order of id."""
    lines = sorted(f"{one.id}:{one.total_minor}" for one in found)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def summary(seen: BulkPreview) -> str:
    """The act in one line, for whoever signs it."""
    return (
        f"{seen.payments} payments of {seen.people} people, {money(seen.minor)}; "
        f"{seen.advances} advances, {money(seen.advances_minor)}"
    )


def _payload_of(change: Change) -> BulkPreview:
    return msgspec.json.decode(change.payload, type=BulkPreview)


def _may_advance(payment: Payment, most: int) -> bool:
    waits = payment.state is State.UNANSWERED and not payment.advanced_minor
    return waits and payment.total_minor <= most
