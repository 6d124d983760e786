"""Ring 1 in-process: a rail sends what the ledger signed, once, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from paper import PaperRail
from tangguh.core.authorisation import AuthorisationKey, Facts, creditor_of
from tangguh.core.clock import HandClock
from tangguh.core.order import ToBank
from tangguh.core.outcome import Accepted, NotSent, Unanswered
from tangguh.rails.gatekeeper import Gatekeeper, behind
from tangguh.rails.onus import OnUs
from tangguh.rails.rail import Announcing, Asked, Enquirer, Instruction, Refunding

NOON = datetime(2025, 3, 29, 5, 0, tzinfo=UTC)
KEY = AuthorisationKey.fresh()
SARI = ToBank(bank="998", account="9980000001", name="SARI WULANDARI")
AGUS = ToBank(bank="014", account="0149990001", name="AGUS SETIAWAN")
BARE = Instruction(
    payment_id=UUID(int=7), reference="REF1", payee=SARI, amount_minor=600_000_00, tip_minor=5_00,
    currency="IDR", debtor_account=108, accepted_at=NOON,
)  # fmt: skip


def signed(instruction: Instruction = BARE, key: AuthorisationKey = KEY) -> Instruction:
    """The instruction with the ledger's leave, for two minutes."""
    facts = Facts(
        reference=instruction.reference,
        rail="bifast",
        debtor=instruction.debtor_account,
        creditor=creditor_of(instruction.payee),
        amount_minor=instruction.amount_minor + instruction.tip_minor,
    )
    token = key.authorise(facts, NOON + timedelta(seconds=120))
    return msgspec.structs.replace(instruction, authorisation=token)


class Gate:
    """A gatekeeper before a rail of paper, and what it raised the alarm for."""

    def __init__(self) -> None:
        self.clock = HandClock(NOON)
        self.paper = PaperRail()
        self.alarms: list[tuple[str, str, str]] = []
        self.rail = Gatekeeper("bifast", self.paper, KEY.public, self.clock, self._alarm)

    def _alarm(self, *said: str) -> None:
        self.alarms.append(said)  # type: ignore[arg-type]


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_what_is_signed_is_sent(gate: Gate) -> None:
    """And the network's word comes back."""
    gate.paper.will("send", Accepted("N1"))
    assert await gate.rail.send(signed()) == Accepted("N1")
    assert gate.paper.asked == [("send", "REF1")]
    assert gate.alarms == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"authorisation": ""}, "missing"),
        ({"authorisation": signed(key=AuthorisationKey.fresh()).authorisation}, "bad signature"),
        ({"reference": "REF2"}, "reference"),
        ({"debtor_account": 109}, "debtor"),
        ({"payee": AGUS}, "creditor"),
        ({"payee": msgspec.structs.replace(SARI, account="9980000003")}, "creditor"),
        ({"amount_minor": 600_000_01}, "amount_minor"),
        ({"tip_minor": 0}, "amount_minor"),
    ],
)
async def test_forged_or_altered_is_not_sent(
    gate: Gate, change: dict[str, object], why: str
) -> None:
    """NotSent, the network hears nothing, and the alarm says which field."""
    altered = msgspec.structs.replace(signed(), **change)
    assert await gate.rail.send(altered) == NotSent(f"not authorised: {why}")
    assert gate.paper.asked == []
    assert gate.alarms == [("bifast", altered.reference, why)]


async def test_signed_for_another_rail_is_not_sent() -> None:
    """A leave for BI-FAST opens no other gate."""
    paper, clock = PaperRail(), HandClock(NOON)
    rail = Gatekeeper("iso8583", paper, KEY.public, clock, lambda *_: None)
    assert await rail.send(signed()) == NotSent("not authorised: rail")
    assert paper.asked == []


async def test_expired_is_not_sent(gate: Gate) -> None:
    """Two minutes after it was accepted a payment stays at home."""
    gate.clock.advance(120)
    assert await gate.rail.send(signed()) == NotSent("not authorised: expired")
    assert gate.paper.asked == []


async def test_reused_does_not_leave_and_is_no_no(gate: Gate) -> None:
    """The first one may have paid: a second is Unanswered, so that nobody releases the money."""
    gate.paper.will("send", Unanswered("lost"))
    await gate.rail.send(signed())
    assert await gate.rail.send(signed()) == Unanswered("not authorised: reused")
    assert gate.paper.asked == [("send", "REF1")]
    assert gate.alarms == [("bifast", "REF1", "reused")]


async def test_used_references_are_forgotten_when_they_expire(gate: Gate) -> None:
    """The memory does not grow with the days."""
    gate.paper.will("send", Accepted("N1"))
    await gate.rail.send(signed())
    gate.clock.advance(120)
    assert await gate.rail.send(signed()) == NotSent("not authorised: expired")
    later = msgspec.structs.replace(BARE, reference="REF2")
    token = KEY.authorise(
        Facts(
            reference="REF2", rail="bifast", debtor=108, creditor=creditor_of(SARI),
            amount_minor=600_005_00,
        ),
        NOON + timedelta(seconds=300),
    )  # fmt: skip
    await gate.rail.send(msgspec.structs.replace(later, authorisation=token))
    assert list(gate.rail._used) == ["REF2"]


async def test_other_calls_pass(gate: Gate) -> None:
    """Whoever asks, cancels or takes back needs no leave."""
    for kind in ("inquire", "reverse", "refund", "inquire_refund"):
        gate.paper.will(kind, Accepted(kind))
    back = Refunding(reference="RF1", amount_minor=1, reason="", original=BARE)
    assert await gate.rail.inquire(BARE) == Accepted("inquire")
    assert await gate.rail.reverse(BARE) == Accepted("reverse")
    assert await gate.rail.refund(back) == Accepted("refund")
    assert await gate.rail.inquire_refund(back) == Accepted("inquire_refund")
    assert gate.rail.capabilities() == gate.paper.capabilities()
    asked = Asked(
        reference="L", payee=SARI, amount_minor=1, debtor_account=1, debtor_name="", asked_at=NOON
    )
    assert (await gate.rail.look_up(asked)).name == "PENERIMA UJI"
    assert gate.alarms == []
    await gate.rail.close()


def test_is_what_its_rail_is(gate: Gate) -> None:
    """Optional abilities are asked for by isinstance; a gatekeeper has its rail's, no others."""
    assert isinstance(gate.rail, Enquirer)
    assert not isinstance(gate.rail, Announcing)
    plain = Gatekeeper("onus", OnUs(), KEY.public, gate.clock)
    assert not isinstance(plain, Enquirer)
    assert behind(gate.rail) is gate.paper
    assert behind(gate.paper) is gate.paper
    assert behind(None) is None
    assert gate.rail.asked is gate.paper.asked
    with pytest.raises(AttributeError):
        gate.rail.nothing_of_the_kind  # noqa: B018
