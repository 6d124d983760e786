"""What every page and every API call needs of the bank behind the door."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from tangguh.access.attempts import Attempts
from tangguh.access.consent import Consent
from tangguh.access.devices import Devices, DeviceSettings
from tangguh.access.one_by_one import OneByOne
from tangguh.access.rate import Backoff, Rate
from tangguh.access.sealing import seals_of
from tangguh.access.session import Session, Sessions
from tangguh.audit.trail import Remember
from tangguh.core.clock import Clock
from tangguh.core.errors import Ambiguous, Overloaded, StoreUnavailable
from tangguh.core.ids import Ids
from tangguh.core.order import Origin, PaymentOrder, RefundOrder
from tangguh.core.outcome import Refused
from tangguh.core.supervision import TaskHealth
from tangguh.db.pool import Pool
from tangguh.db.space import Space
from tangguh.disputes.complaints import Complaints
from tangguh.ledger.writer import Writer
from tangguh.notices.desk import Notices
from tangguh.payments import flow
from tangguh.payments import store as payments
from tangguh.payments.desk import Desk
from tangguh.payments.gates.facts import NO_ORIGIN
from tangguh.payments.payment import Decided
from tangguh.payments.record import answer_again
from tangguh.web.cooling import Cooling
from tangguh.web.crowd import Crowd
from tangguh.web.live import Live
from tangguh.web.names import Names
from tangguh.web.settings import WebSettings
from tangguh.web.shutters import Shutters
from tangguh.work.incidents.desk import IncidentDesk

if TYPE_CHECKING:
    from tangguh.web.pages.demo.stories import Stories

T = TypeVar("T")


class Door:
    """The bank as the web sees it. Payments once begun go on, whether or not anybody waits."""

    def __init__(
        self,
        *,
        pool: Pool,
        book_id: int,
        desk: Desk,
        writer: Writer,
        sessions: Sessions,
        clock: Clock,
        ids: Ids,
        settings: WebSettings,
        bank_name: str,
        devices: DeviceSettings,
    ) -> None:
        self.pool = pool
        self.book_id = book_id
        self.desk = desk
        self.writer = writer
        self.sessions = sessions
        self.devices = Devices(pool, book_id, clock, devices)
        self.attempts = Attempts(pool, book_id, clock)
        self.one_by_one = OneByOne()
        """Log-ins of one known device are judged one after another."""
        self.clock = clock
        self.ids = ids
        self.settings = settings
        self.bank_name = bank_name
        self.live = Live(settings.live_streams_max, settings.live_streams_each_max)
        self.logins = Rate(
            clock, burst=settings.logins_burst, per_minute=settings.logins_per_minute
        )
        self.guesses = Backoff(clock, free=10, first=2.0, most=900.0, memory=24 * 3600.0)
        """Wrong PINs of strangers by where they come from."""
        self.guessed = Backoff(clock, free=5, first=60.0, most=24 * 3600.0, memory=7 * 24 * 3600.0)
        """Wrong PINs of strangers by the number they were for, whether anybody has it or not."""
        self.requests = Rate(
            clock, burst=settings.requests_burst, per_minute=settings.requests_per_minute
        )
        self.files = Rate(clock, burst=settings.files_burst, per_minute=settings.files_per_minute)
        self.strangers = Rate(
            clock, burst=settings.strangers_burst, per_minute=settings.strangers_per_minute
        )
        self.name_checks = Rate(
            clock,
            burst=settings.name_checks_burst,
            per_minute=settings.name_checks_per_minute,
        )
        """Names looked up by one customer, in the app and by the API alike."""
        self.names = Names(clock, self.name_checks)
        self.seals = seals_of(settings.sealing_key)
        """What is handed to a client and must be known again, under keys of the bank's own."""
        self._walking: set[asyncio.Task[Any]] = set()
        self.notice: Callable[[str, str], None] = lambda _name, _key: None
        """Tells the guard of a signal that is no payment; set by whoever has one."""
        self.complaints: Complaints | None = None
        """The complaints desk; set by whoever has one."""
        self.notices: Notices | None = None
        """Word to people; set by whoever has it."""
        self.incidents: IncidentDesk | None = None
        """What the public is told of, for banners; set by whoever has it."""
        self.stories: Stories | None = None
        """What the demo's guide can make happen; set by a bank that is a demo."""
        self.space: Space | None = None
        """The database's disk; set by whoever measures it."""
        self.tasks: Callable[[], list[TaskHealth]] = list
        """Every long-running task as it is now; set by whoever supervises them."""
        self.cooling = Cooling(pool, book_id, clock, self.devices)
        self.crowd = Crowd(pool, book_id, writer, clock)
        self.shutters = Shutters(desk, pool, book_id, clock)
        desk.watch(self.live.tell)

    async def pay(
        self,
        consent: Consent,
        order: PaymentOrder,
        origin: Origin = NO_ORIGIN,
        *,
        session: Session | None = None,
    ) -> Decided | Refused:
        """Begin a payment its customer said yes to, and wait a while for its end.

        When the rail is slow the answer is the payment as the book has it, and the walk goes on
        behind. Raises Overloaded when the book has too much waiting: this key has paid nothing
        then, nor has it when StoreUnavailable is raised; Ambiguous when that cannot be known.
        Refuses LIMIT_PER_TRANSACTION for what is too much on a ``session`` of a device still new.
        """
        consent.must_be_of(order.customer_id)
        with self.crowd.asking(order) as is_alone:
            if session is None or not self.cooling.is_cooling(session):
                return await self._pay_in_crowd(order, origin, is_alone)
            return await self._pay_cooling(order, origin, session, is_alone)

    async def _pay_cooling(
        self, order: PaymentOrder, origin: Origin, session: Session, is_alone: Callable[[], bool]
    ) -> Decided | Refused:
        """On a device still new: as ``pay``, within what may leave on its first day."""
        spent = order.amount_minor + order.tip_minor  # a tip goes to the payee as the amount does
        async with self.cooling.place(session, spent) as place:
            if isinstance(place, Refused):
                was_alone = is_alone()
                before = await payments.find_by_key(self.pool, self.book_id, order)
                if before is not None:
                    return answer_again(before, order)
                if not (was_alone and is_alone()):
                    raise Ambiguous  # the same order is under way: what fills the place may be it
                return place
            try:
                decided = await self._pay_in_crowd(order, origin, is_alone)
            except Overloaded:
                place.give_back()
                raise
            if isinstance(decided, Refused) or decided.repeated or decided.payment.came_to_nothing:
                place.give_back()
            return decided

    async def _pay_in_crowd(
        self, order: PaymentOrder, origin: Origin, is_alone: Callable[[], bool]
    ) -> Decided | Refused:
        try:
            return await self._pay(order, origin)
        except (Overloaded, StoreUnavailable) as error:
            return await self.crowd.answer(order, error, is_alone)

    async def _pay(self, order: PaymentOrder, origin: Origin) -> Decided | Refused:
        self.crowd.must_have_room(self.settings)
        if self.desk.rules.settles_inside(order.service):
            return await flow.pay(self.desk, order, origin)  # nobody outside to wait for
        walk = self._start(flow.pay(self.desk, order, origin))
        done, _ = await asyncio.wait({walk}, timeout=self.settings.answer_seconds)
        if done:
            return walk.result()
        # Asking again with the same key gives the payment as it stands; nothing is sent twice.
        try:
            return _asked_once(await flow.pay(self.desk, order, origin))
        except (Overloaded, StoreUnavailable) as error:
            raise Ambiguous from error  # the first asking goes on: it may pay yet

    async def refund(self, consent: Consent, order: RefundOrder) -> Decided | Refused:
        """Begin a refund; the same manners as ``pay``, but never turned away for load."""
        consent.must_be_of(order.requested_by)
        walk = self._start(flow.refund(self.desk, order))
        done, _ = await asyncio.wait({walk}, timeout=self.settings.answer_seconds)
        return walk.result() if done else _asked_once(await flow.refund(self.desk, order))

    async def remember(self, actor: str, what: str, subject: str = "", detail: str = "") -> None:
        """Write an act into the audit trail; durable when this returns."""
        await self.desk.decide(Remember(actor, what, subject, detail))

    async def close(self) -> None:
        """Let the walks that are under way come to their end."""
        self.live.close()
        await self.settle()

    async def settle(self) -> None:
        """Wait for whatever goes on behind answers that were given."""
        if self._walking:
            await asyncio.wait(self._walking, timeout=self.settings.answer_seconds * 4)

    def go_on(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something behind the answer: how long it takes, and whether, shows nobody anything."""
        self._start(work)

    def _start(self, walk: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(walk)
        self._walking.add(task)
        task.add_done_callback(self._walking.discard)
        return task


def _asked_once(answer: Decided | Refused) -> Decided | Refused:
    """The customer asked once; it was the door that asked again."""
    return answer if isinstance(answer, Refused) else Decided(answer.payment)
