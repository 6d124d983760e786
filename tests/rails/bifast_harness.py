"""BI-FAST under test: the rail and the receiver on one side, the simulated hub on the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rails.harness import NOON, PATIENCE_SECONDS, Far, Keys, WatchedClock, place_of
from rails.traits import TRAITS
from rails.wire import Wire
from tangguh.core.clock import HandClock
from tangguh.core.order import Payee, ToBank
from tangguh.core.outcome import Accepted, Declined, Outcome, Refusal, Unanswered
from tangguh.rails.bifast.rail import BifastRail
from tangguh.rails.bifast.receiver import BifastReceiver
from tangguh.rails.bifast.settings import BifastSettings
from tangguh.rails.rail import NO_FACTS, Asked, Facts, Incoming, Instruction, Rail
from tangguh.sim.bifast.hub import Hub, HubSettings
from tangguh.sim.faults import AnyFault, Plan
from tangguh.sim.listener import Listener

SARI = ToBank(bank="998", account="9980000001", name="SARI WULANDARI")
SARI_BY_PHONE = ToBank(bank="", account="", proxy_type="01", proxy="6281299980001")


class Till:
    """A bank that keeps what it was told in lists: no book, but the book's manners."""

    def __init__(self) -> None:
        self.names = {"108": "BUDI SANTOSO", "109": "CITRA AYU"}
        self.announced: dict[str, Incoming] = {}
        self.announcements = 0
        self.ended: list[tuple[str, Outcome]] = []
        self.facts: list[Facts] = []
        self.doubted: list[str] = []
        self.says: Accepted | Declined | Unanswered | None = None

    @property
    def credited_minor(self) -> int:
        """What was credited: announced, and then settled, once each."""
        settled = {ref for ref, said in self.ended if isinstance(said, Accepted)}
        return sum(one.amount_minor for ref, one in self.announced.items() if ref in settled)

    async def name_of(self, account: str) -> str | Declined | Unanswered:
        """Whose account it is."""
        return self.names.get(account) or Declined(Refusal.PAYEE_NOT_FOUND)

    async def announce(self, incoming: Incoming) -> Accepted | Declined | Unanswered:
        """Idempotent by reference; another content under a known one is refused."""
        self.announcements += 1
        if self.says is not None:
            return self.says
        if incoming.creditor not in self.names:
            return Declined(Refusal.PAYEE_NOT_FOUND)
        if self.announced.setdefault(incoming.reference, incoming) != incoming:
            return Declined(Refusal.IDEMPOTENCY_KEY_REUSED)
        return Accepted("reserved")

    async def settled(
        self, rail: str, reference: str, outcome: Outcome, facts: Facts = NO_FACTS
    ) -> Accepted | Declined | Unanswered:
        """Write it down; what was settled otherwise than announced is kept apart."""
        assert rail == "bifast"
        if isinstance(self.says, Unanswered):
            return self.says
        self.facts.append(facts)
        known = self.announced.get(reference)
        if known is not None and (
            facts.bank
            or facts.amount_minor not in (None, known.amount_minor)
            or facts.account not in ("", known.creditor)
        ):
            self.doubted.append(reference)
            return Accepted(reference)
        self.ended.append((reference, outcome))
        return Accepted(reference)


class BifastHarness(Far):
    """The rail over real TCP to a simulated hub, which calls back a till, in this event loop."""

    rail: BifastRail

    def __init__(self, keys: Keys, folder: Path, form: str = "json", **changes: Any) -> None:
        self.traits = TRAITS[f"bifast_{form}"]
        self.clock = HandClock(NOON)
        self.sim_clock = WatchedClock(NOON)
        self.keys = keys
        self.folder = folder
        self.form = form
        self.changes = changes
        self.till = Till()
        self.hub_public = keys.switch_private.replace(".pem", ".pub.pem")
        self._rails: list[BifastRail] = []

    async def open(self) -> BifastHarness:
        """The till listens, then the hub, then the rail calls."""
        self.receiver = BifastReceiver(
            self.settings("http://127.0.0.1:1"), self.clock, self.till, self.till, Random(9)
        )
        self._listener = Listener(
            Starlette(routes=[Route("/in", self._take, methods=["POST"])]), "127.0.0.1", 0
        )
        await self._listener.open()
        plain = HubSettings(
            bank_public_key_path=self.keys.bank_public,
            hub_private_key_path=self.keys.switch_private,
            books_path=str(self.folder / "hub.sqlite"),
            bank_url=f"{self._listener.url}/in",
            form=self.form,
        )
        self.hub = Hub(msgspec.structs.replace(plain, **self.changes), self.sim_clock)
        self.network = self.hub
        await self.hub.open()
        self.rail = self.another_rail()
        return self

    def settings(self, url: str, **changes: Any) -> BifastSettings:
        """Settings whose patience is beyond any test's."""
        plain = BifastSettings(
            url=url,
            private_key_path=self.keys.bank_private,
            hub_public_key_path=self.hub_public,
            wire=self.form,
        )
        return msgspec.structs.replace(plain, **changes)

    def another_rail(self, **changes: Any) -> BifastRail:
        """One more rail, with these settings changed."""
        rail = BifastRail(
            self.settings(**{"url": self.hub.address, **changes}),
            self.clock,
            Random(len(self._rails)),
        )
        self._rails.append(rail)
        return rail

    async def hurried(self) -> Rail:
        """Three tenths of a second."""
        return self.another_rail(total_timeout_seconds=PATIENCE_SECONDS)

    async def stranger(self) -> Rail:
        """One that signs with another key."""
        return self.another_rail(private_key_path=self.keys.switch_private)

    async def restarted(self) -> Rail:
        """The next rail."""
        return self.another_rail()

    async def over(self, wire: Wire) -> Rail:
        """The same by that port."""
        return self.another_rail(url=f"http://127.0.0.1:{wire.port}")

    def whereabouts(self) -> tuple[str, int]:
        """The hub's port."""
        return place_of(self.hub.address)

    def other_payee(self) -> Payee:
        """Agus, at another bank."""
        return ToBank(bank="014", account="0149990001", name="AGUS SETIAWAN")

    def instruction(self, **changes: Any) -> Instruction:
        """Rp600.000 to Sari; another reference is another payment."""
        reference = changes.get("reference", "20250329TGHFST000000000001")
        plain = Instruction(
            payment_id=UUID(bytes=sha256(reference.encode()).digest()[:16]),
            reference=reference,
            payee=SARI,
            amount_minor=600_000_00,
            tip_minor=0,
            currency="IDR",
            debtor_account=108,
            accepted_at=NOON,
            debtor_name="BUDI SANTOSO",
            note="uang kos bulan ini",
        )
        return msgspec.structs.replace(plain, **changes)

    def asked(self, payee: ToBank = SARI) -> Asked:
        """Who is that?"""
        return Asked(
            reference="LOOK",
            payee=payee,
            amount_minor=600_000_00,
            debtor_account=108,
            debtor_name="BUDI SANTOSO",
            asked_at=NOON,
        )

    async def advance(self, seconds: float) -> None:
        """Both sides' clocks."""
        self.clock.advance(seconds)
        self.sim_clock.advance(seconds)

    async def asleep(self) -> None:
        """The hub's clock tells."""
        await self.sim_clock.sleeper.acquire()

    async def settle(self) -> None:
        """Nothing is under way, and the till knows all."""
        await self.hub.settle()

    async def break_with(self, *faults: AnyFault) -> None:
        """Put a plan of these faults."""
        await self.hub.put_plan(Plan(faults=faults))

    def paid_minor(self) -> int:
        """What the hub's books say other banks' customers got, proven first."""
        proof = self.hub.prove()
        assert proof.holds, proof
        return proof.totals.in_minor

    def sent_minor(self) -> int:
        """What the hub's books say other banks' customers paid to ours, proven first."""
        proof = self.hub.prove()
        assert proof.holds, proof
        return proof.totals.out_minor

    def paid_count(self) -> int:
        """Rows."""
        return self.hub.passbook.totals().in_count

    async def shut_the_bank(self) -> None:
        """The bank's own door closes; the rail stays."""
        await self._listener.shut()

    async def open_the_bank(self) -> None:
        """And opens again."""
        await self._listener.open()

    async def close(self) -> None:
        """The bank first."""
        for rail in self._rails:
            await rail.close()
        await self.hub.close()
        await self._listener.close(0.0)

    async def _take(self, request: Request) -> Response:
        status, body = await self.receiver.take(await request.body(), request.headers)
        return Response(body, status)


@asynccontextmanager
async def running(
    keys: Keys, folder: Path, form: str = "json", **changes: Any
) -> AsyncIterator[BifastHarness]:
    """A rail, a receiver and their hub."""
    harness = await BifastHarness(keys, folder, form, **changes).open()
    try:
        yield harness
    finally:
        await asyncio.sleep(0)
        await harness.close()
