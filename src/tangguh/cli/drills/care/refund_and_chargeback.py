"""refund-and-chargeback: for the same payments the bank claims and the network gives back.

QRIS payments are claimed and given back by the payee, BI-FAST transfers claimed and returned, cash
at other banks' machines claimed and reversed: in either order, at once and late, some of it twice,
while QRIS loses answers and lies about refunds, and the bank is killed again and again, also right
after a claim is in its book. What was called late comes when the first way has ended.

Asked, beside the standard oracles:
O2 each payment comes back at most once, whole; nobody has more of it than before;
O4 what came back is what the networks' books say, but for what settlement finds as a break;
O5 a payment that was told as made is there;
O8 every claim, return and reversal has ended.
The arbiter is what is rehearsed, so the guard only says what it would do (shadow).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import aiohttp
import msgspec

from tangguh.cli.drills.care.claiming import DOOR, open_door
from tangguh.cli.drills.care.gave_back import GaveBack, gave_back
from tangguh.cli.drills.care.money import Has, Whereabouts, report_of_money, settled
from tangguh.cli.drills.partners import (
    Payer,
    all_payments,
    break_partner,
    payers,
    rehearsal,
    struck,
    until_ended,
)
from tangguh.cli.drills.report import Notes, Report
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.ending import Ending, ask_plan, broken_words, ending_of
from tangguh.cli.household import Household
from tangguh.cli.smoke_walks import Control
from tangguh.core.clock import SystemClock, business_date
from tangguh.core.errors import StoreUnavailable
from tangguh.core.money import RUPIAH, format_decimal
from tangguh.core.order import PaymentOrder
from tangguh.core.outcome import Refusal
from tangguh.customers.demo import card_number
from tangguh.customers.seed import DEMO_PIN
from tangguh.payments.payment import Payment, State
from tangguh.settlement.breaks import Break

_PEOPLE: Final = 6
_HOLDERS: Final = 3
"""So many of them have a card; they make the others' withdrawals."""
_NETWORKS: Final = ("qris", "bifast", "cards")
_KILLS: Final = 3
_BETWEEN_KILLS_SECONDS: Final = (1.0, 3.0)
_NOTICE_SECONDS: Final = 2.0
_OVERRIDES: Final[dict[str, Any]] = {
    "guard": {"mode": "shadow"},
    "redress": {"notice_seconds": _NOTICE_SECONDS, "retry_seconds": 0.5, "round_seconds": 0.2},
    "qris": {"inquiry_delays_seconds": (1.0, 2.0, 3.0), "total_timeout_seconds": 2.0},
    "bifast": {
        "inquiry_delays_seconds": (1.0, 2.0, 3.0),
        "not_found_apart_seconds": 2.0,
        "total_timeout_seconds": 10.0,
    },
    "sim": {"cards": {"repeat_seconds": 1.0}},
}
_REFUNDS: Final = "78"
_LOSING: Final[list[dict[str, Any]]] = [
    {"name": "lie", "services": [_REFUNDS], "books": "paid", "probability": 0.15},
    {"name": "lie", "services": [_REFUNDS], "books": "failed", "probability": 0.15},
    {"name": "drop_reply", "services": [_REFUNDS, "51"], "probability": 0.35, "seconds": 0.1},
    {"name": "drop_request", "services": [_REFUNDS, "51"], "probability": 0.2, "seconds": 0.1},
]
_ENDED_SECONDS_MAX: Final = 45.0
_HEARD_SECONDS_MAX: Final = 40.0
_AGAIN_SECONDS: Final = 0.3


class Script(msgspec.Struct, frozen=True):
    """One payment and what happens to it.

    ``ways``: claim and back, in the order they come. ``late``: the later one comes when the first
    has ended. ``twice``: each is said twice. ``dies``: the bank dies of its claim.
    """

    network: str
    payer: int
    minor: int
    ways: tuple[str, ...]
    late: bool
    twice: bool
    dies: bool = False


class _Made(msgspec.Struct, frozen=True):
    """A script whose payment was made. ``telegram``: of cash, what its reversal names."""

    script: Script
    payment: Payment
    telegram: dict[str, str] = {}


def plan_of(seed: int, times: int) -> list[Script]:
    """What happens to every payment; on each network the bank dies of one claim."""
    dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
    scripts = []
    for network in _NETWORKS:
        for number in range(_PEOPLE * times):
            payer = number % (_HOLDERS if network == "cards" else _PEOPLE)
            dies = not number
            ways = dice.choice(
                (("claim", "back"), ("back", "claim"), ("claim",), ("claim", "back"))
            )
            scripts.append(
                Script(
                    network,
                    payer,
                    dice.randrange(5, 40) * 10_000 * RUPIAH,
                    ("claim", "back") if dies else ways,
                    not dies and dice.random() < 0.4,
                    dice.random() < 0.4,
                    dies,
                )
            )
    return scripts


async def run(seed: int, times: int) -> Report:
    """Rehearse it; each customer pays each network ``times`` times."""
    clock = SystemClock()
    notes = Notes(clock)
    plan = plan_of(seed, times)
    days = {business_date(clock.now())}
    async with rehearsal(notes, _OVERRIDES) as (household, control):
        await open_door(household)
        books = await Whereabouts.of(household, clock)
        try:
            async with payers(household, control, clock, _PEOPLE) as people:
                accounts = [int(payer.account) for payer in people]
                before = await books.balances(accounts)
                made = await _buy(household, control, people, plan)
                notes.add(f"{len(made)} payments were made")
                storm = _Storm(household, control, notes, books, seed)
                await storm.rage(made)
                ending = await ending_of(household, control, clock, people, [], _ENDED_SECONDS_MAX)
            came_back = await gave_back(control)
            after = await books.balances(accounts)
            days.add(business_date(clock.now()))
            assert household.bank is not None
            restarts = household.bank.restarts
            await household.bank.stop()
            tomorrow = clock.now() + timedelta(days=1)
            breaks = await settled(household, household.addresses["control"], days, tomorrow)
            notes.add(f"the files are settled: {len(breaks)} breaks")
            still = await books.balances(accounts)
            card = Card()
            seen = _Seen(made, ending, came_back, breaks)
            _ask_once(card, seen, await books.gained())
            _ask_balances(card, seen, before, after, unchanged=after == still)
            _ask_ends(card, seen, people, await books.advances_minor())
            happened = await books.happened()
        finally:
            await books.close()
    measures = seen.measures() | {
        "scaled": _OVERRIDES["redress"],
        "bank_died": restarts,
        "unheard": storm.unheard,
        "answers_to_claims_and_refunds": dict(sorted(storm.answers.items())),
        "refunds_lost_or_lied_about": storm.struck,
        "happened": happened,
    }
    sometimes = {
        "a_return_overtook_a_claim": happened.get("chargeback_overtaken", 0) > 0,
        "a_way_was_refused": measures["refused"] > 0,
        "a_claim_was_lost": happened.get("chargeback_lost", 0) > 0,
        "the_bank_died": restarts >= _KILLS,
        "somebody_was_not_heard": storm.unheard > 0,
        "settlement_found_a_break": bool(breaks),
    }
    return report_of_money(
        "refund-and-chargeback", seed, card, ending, notes,
        sometimes=sometimes, measures=measures,
        plan=ask_plan(card, plan, plan_of(seed, times)),
    )  # fmt: skip


# ---- what happens -----------------------------------------------------------------------------


async def _buy(
    household: Household, control: Control, people: list[Payer], plan: list[Script]
) -> list[_Made]:
    """Everybody buys what the plan says; nothing is wrong yet."""
    named: list[tuple[Script, str, dict[str, str]]] = []
    for script in plan:
        payer = people[script.payer]
        if script.network == "cards":
            pan = card_number(int(payer.account))
            fields = {"pan": pan, "pin": DEMO_PIN, "amount_minor": script.minor}
            said = await control.act("cards", "withdraw", fields)
            telegram = said["telegram"]
            reference = telegram["7"] + telegram["11"] + telegram["37"]
            named.append((script, reference, telegram))
            continue
        order = payer.order_over(script.network, format_decimal(script.minor))
        named.append((script, (await payer.order(order)).payment_id, {}))
    there = {_called(one): one for one in await all_payments(household)}
    made = [
        _Made(script, there[name], telegram)
        for script, name, telegram in named
        if name in there and there[name].state is State.POSTED
    ]
    if len(made) < len(plan):
        raise StoreUnavailable(f"{len(plan) - len(made)} payments were not made")
    return made


def _called(payment: Payment) -> str:
    """What the buyer calls it: its id; of cash, what the card switch calls it."""
    at_atm = isinstance(payment.order, PaymentOrder) and payment.order.network_reference
    return at_atm or str(payment.id)


class _Storm:
    """Claims, returns and reversals over each other, and a bank that dies."""

    def __init__(
        self,
        household: Household,
        control: Control,
        notes: Notes,
        books: Whereabouts,
        seed: int,
    ) -> None:
        self._household = household
        self._control = control
        self._notes = notes
        self._books = books
        self._seed = seed
        self._dice = random.Random(seed)  # noqa: S311 - a drill must be repeatable
        self._url = household.addresses["bank"] + DOOR
        self.unheard = 0
        self.struck = 0
        self.answers: Counter[str] = Counter()

    async def rage(self, made: list[_Made]) -> None:
        """Everything that comes at once, under kills; then, when that has ended, what is late."""
        clock = self._notes.clock
        watching = asyncio.create_task(self._household.watch())
        for one in made:
            if one.script.dies:
                await self._die_of(one)
        self._notes.add("the bank died of a claim on each network, and heard the other way first")
        await break_partner(self._control, "qris", self._seed, *_LOSING)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill())
            for one in made:
                script = one.script
                ways = ("claim",) if script.dies else script.ways[: 1 if script.late else 2]
                group.create_task(self._act(one, ways))
        self.struck = await struck(self._control, "qris")
        await break_partner(self._control, "qris", self._seed)
        self._notes.add("everybody has said what they had to say")
        await self._deliver()
        await until_ended(self._household.dsn, clock, _ENDED_SECONDS_MAX)
        self._notes.add("the first ways have ended")
        late = [one for one in made if one.script.late]
        await asyncio.gather(*(self._act(one, one.script.ways[1:]) for one in late))
        await self._deliver()
        await until_ended(self._household.dsn, clock, _ENDED_SECONDS_MAX)
        await self._books.until_advances_are(0, _ENDED_SECONDS_MAX)
        self._notes.add("the late ways have ended")
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    async def _kill(self) -> None:
        bank = self._household.bank
        assert bank is not None
        for number in range(_KILLS):
            await self._notes.clock.sleep(self._dice.uniform(*_BETWEEN_KILLS_SECONDS))
            bank.kill()
            self._notes.add(f"kill {number + 1}")

    async def _die_of(self, one: _Made) -> None:
        """The bank dies with a claim in its book that nobody was asked about, and wakes up to the
        other way. The claim is said again in the storm.
        """
        await self._claim(one, dies=True)
        await self._heard("ready", {})
        await self._go(one, "back")

    async def _act(self, one: _Made, ways: tuple[str, ...]) -> None:
        """These ways, at once when there are two."""
        times = 2 if one.script.twice else 1
        await asyncio.gather(*(self._go(one, way) for way in ways for _ in range(times)))

    async def _go(self, one: _Made, way: str) -> None:
        if way == "claim":
            await self._claim(one)
        elif one.script.network == "qris":
            await self._heard("refund", {"payment_id": str(one.payment.id)})
        elif one.script.network == "bifast":
            await self._control.act("bifast", "return", {"reference": one.payment.reference})
        else:
            await self._control.act("cards", "reverse", {"telegram": one.telegram})

    async def _claim(self, one: _Made, *, dies: bool = False) -> None:
        asked = {"payment_id": str(one.payment.id), "dies": dies}
        await self._heard("claim", asked, tries=1 if dies else 0)

    async def _heard(self, what: str, asked: dict[str, Any], tries: int = 0) -> None:
        """Say it until the bank has heard it; or only so many times."""
        clock = self._notes.clock
        deadline, said = clock.monotonic() + _HEARD_SECONDS_MAX, 0
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
            while clock.monotonic() < deadline:
                body = msgspec.json.encode(asked)
                try:
                    async with http.post(f"{self._url}/{what}", data=body) as answer:
                        text = await answer.read()
                        if answer.status == 200:
                            code = msgspec.json.decode(text)["code"] or "done"
                            self.answers[f"{what}: {code}"] += 1
                            return
                except (aiohttp.ClientError, TimeoutError):
                    self.unheard += 1
                    said += 1
                    if said == tries:
                        return
                await clock.sleep(_AGAIN_SECONDS)
        raise StoreUnavailable(f"the bank heard no {what}")

    async def _deliver(self) -> None:
        """What the networks could not tell a dead bank is told again."""
        clock = self._notes.clock
        deadline = clock.monotonic() + _HEARD_SECONDS_MAX
        while clock.monotonic() < deadline:
            stored = await self._control.act("bifast", "redeliver", {})
            cards = await self._control.get("/networks/cards/books?limit=0")
            if not stored["delivered"] and not cards["owed_reversals"]:
                return
            await clock.sleep(_AGAIN_SECONDS)


# ---- what is asked ----------------------------------------------------------------------------


class _Seen:
    """Both sides' books in the end, payment by payment."""

    def __init__(
        self,
        made: list[_Made],
        ending: Ending,
        there: GaveBack,
        breaks: list[Break],
    ) -> None:
        now = {payment.id: payment for payment in ending.payments}
        self.ending = ending
        self.breaks = breaks
        self.payments = [now[one.payment.id] for one in made]
        self.network_of = {one.payment.id: one.script.network for one in made}
        self.refunds: dict[UUID, list[Payment]] = {one.id: [] for one in self.payments}
        for payment in ending.payments:
            if payment.original_id is not None:
                self.refunds[payment.original_id].append(payment)
        self.there = {
            one.id: there.minor.get(_called(one), there.minor.get(one.reference, 0))
            for one in self.payments
        }
        self.differing = {one.id for one in self.payments if self._differs(one, there)}
        originals = {one.id: one.original_id or one.id for one in ending.payments}
        self.broken = {originals[one.payment_id] for one in breaks if one.payment_id in originals}
        self.not_owned = [one for one in breaks if one.payment_id not in originals or not one.owner]

    def _differs(self, payment: Payment, there: GaveBack) -> bool:
        ways = {one.reference for one in self.credits_of(payment)}
        is_sum_wrong = payment.refunded_minor != self.there[payment.id]
        return is_sum_wrong or there.refunds.get(payment.reference, ways) != ways

    def credits_of(self, payment: Payment) -> list[Payment]:
        """The ways by which it came back."""
        return [one for one in self.refunds[payment.id] if one.state is State.POSTED]

    def measures(self) -> dict[str, Any]:
        """What came back on each network, by which way."""
        ways: dict[str, dict[str, int]] = {}
        for payment in self.payments:
            found = ways.setdefault(self.network_of[payment.id], {})
            by = [_name_of(one) for one in self.credits_of(payment)] or ["nothing"]
            for way in by:
                found[way] = found.get(way, 0) + 1
        ended = [one for refunds in self.refunds.values() for one in refunds]
        return {
            "came_back_by": ways,
            "claims_and_refunds": len(ended),
            "refused": sum(one.state is State.VOIDED for one in ended),
            "overtaken": sum(one.refusal is Refusal.WAY_BACK_TAKEN for one in ended),
            "networks_gave_back": sum(minor > 0 for minor in self.there.values()),
            "breaks": [f"{one.network} {one.kind}" for one in self.breaks],
        }


def _name_of(refund: Payment) -> str:
    order = refund.order
    if getattr(order, "claims", False):
        return "chargeback"
    if getattr(order, "returned_as", ""):
        return "return"
    return "reversal" if getattr(order, "with_fee", False) else "refund"


def _ask_once(card: Card, seen: _Seen, gained: int) -> None:
    twice = [one for one in seen.payments if len(seen.credits_of(one)) > 1]
    card.ask(
        "once", "each payment comes back at most once", f"{len(twice)} did not",
        holds=not twice, oracle="O2",
    )  # fmt: skip
    parts = [one for one in seen.payments if one.refunded_minor not in (0, one.to_payee_minor)]
    card.ask("whole", "what comes back is all of it", f"{len(parts)} in part", holds=not parts,
             oracle="O2")  # fmt: skip
    card.ask(
        "one way back", "no payer has more of a payment than before it", f"{gained} have",
        holds=not gained, oracle="O2",
    )  # fmt: skip
    kept = [
        one for one in seen.payments
        if seen.there[one.id] and not one.refunded_minor and one.id not in seen.broken
    ]  # fmt: skip
    card.ask(
        "nothing kept", "what a network gave back is the customer's, or a break with an owner",
        f"{len(kept)} kept", holds=not kept,
    )  # fmt: skip


def _ask_balances(
    card: Card, seen: _Seen, before: dict[int, Has], after: dict[int, Has], *, unchanged: bool
) -> None:
    """By the networks' own books; where they lied about a refund, by what they answered."""
    expected = {account: has.posted_minor for account, has in before.items()}
    for payment in seen.payments:
        is_known = payment.id in seen.broken
        back = payment.refunded_minor if is_known else seen.there[payment.id]
        undone = [one for one in seen.credits_of(payment) if _name_of(one) == "reversal"]
        fee = payment.fee_minor if undone else 0
        expected[payment.debtor] += back + fee - payment.total_minor
    wrong = [account for account, minor in expected.items() if after[account].posted_minor != minor]
    card.ask(
        "balances", "each is what the networks' own books say was bought and came back",
        f"{len(wrong)} of {len(expected)} differ", holds=not wrong, oracle="O2",
    )  # fmt: skip
    below = [account for account, has in after.items() if has.posted_minor < has.held_minor]
    card.ask("nobody below zero", "0 customers", len(below), holds=not below, oracle="O3")
    card.ask(
        "networks agree", "a payment differs exactly where settlement found a break with an owner",
        f"{len(seen.differing)} differ, {len(seen.broken)} broken, {len(seen.not_owned)} nobody's",
        holds=seen.differing == seen.broken and not seen.not_owned, oracle="O4",
    )  # fmt: skip
    card.ask(
        "settlement", "moves no customer's money", "none" if unchanged else "some",
        holds=unchanged,
    )  # fmt: skip


def _ask_ends(card: Card, seen: _Seen, people: list[Payer], advances_minor: int) -> None:
    lost, deceived = broken_words(people, seen.ending.payments)
    card.ask(
        "nothing told is lost", "0 acknowledged lost, 0 told failed and debited",
        f"{lost} lost, {deceived} debited", oracle="O5", holds=not lost and not deceived,
    )  # fmt: skip
    card.ask(
        "all ended", "nothing open", "nothing" if seen.ending.ended else "something",
        oracle="O8", holds=seen.ending.ended,
    )  # fmt: skip
    card.ask(
        "advances", "nothing is out", f"{advances_minor // RUPIAH} rupiah",
        holds=not advances_minor,
    )  # fmt: skip
