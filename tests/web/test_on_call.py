"""Whoever is on call finds a payment by whatever somebody calls it, and reads its whole story."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from paper import PaperRail
from stories import ANA, BUDI, CITRA, RUPIAH, account_of, pay, scan, transfer
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.order import CreditOrder, PaymentOrder, ToBank, ToBiller
from tangguh.core.outcome import Accepted, Unanswered
from tangguh.core.service import BILL, IN_BIFAST, TRANSFER_BIFAST, TRANSFER_CARDS
from tangguh.customers import store as customers
from tangguh.disputes.case import About, Case
from tangguh.disputes.complaints import Complaint
from tangguh.payments.decide import Conclude
from tangguh.payments.incoming.receive import ReceiveCredit
from tangguh.payments.payment import Decided, Payment, State
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.rails.iso8583.trace import named_in
from tangguh.work.naming import bifast_naming, card_naming
from web.test_staff_api import Desk
from web.test_staff_api import desk as desk
from web.test_staff_devices import trail

COMMANDER, RAIL_OWNER, CARE = "staff:1", "staff:2", "staff:6"
FAR = ToBank(bank="014", account="7700112233", name="RINA WIJAYA", inquiry="INQ20260320-77")


async def lost_and_repaid(bank: Bank, paper: PaperRail, clock: HandClock) -> Payment:
    """Lost, advanced after a quarter of an hour, paid after all, the advance taken back."""
    paper.will("send", Unanswered("timeout"))
    payment = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    assert payment.state is State.UNANSWERED
    clock.advance(15 * 60)
    assert await bank.redress.round() == 1
    clock.advance(60)
    await bank.desk.decide(Conclude(payment.id, Accepted("RRN260320000117"), bank.desk.rules))
    clock.advance(RedressPolicy().notice_seconds)
    assert await bank.redress.round() == 1
    return payment


def as_networks_count(bank: Bank) -> None:
    """Let the book name payments as it does at work: these two networks know no ids of ours."""
    namings = {"bifast": bifast_naming("TANGIDJA"), "iso8583": card_naming}
    ways = {
        name: msgspec.structs.replace(way, naming=namings.get(way.rail))
        for name, way in bank.desk.rules.ways.items()
    }
    bank.desk.rules = msgspec.structs.replace(bank.desk.rules, ways=ways)


async def to_bank(bank: Bank, service: str, key: str) -> Payment:
    """A transfer to another bank."""
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key=key,
        service=service,
        debtor=await account_of(bank, ANA),
        payee=FAR,
        amount_minor=25_000 * RUPIAH,
        note="for the roof, call 081234567890",
    )
    return await pay(bank, order)


async def complain(bank: Bank, ids: Ids, payment: Payment) -> Case:
    """Its payer says that something is wrong with it."""
    said = Complaint(
        case_id=ids.next(),
        customer_id=payment.customer_id,
        about=About.TRANSFER,
        text="Uang saya ke mana?",
        channel="app",
        payment_id=payment.id,
    )
    assert bank.door.complaints is not None
    opened = await bank.door.complaints.open(said)
    assert isinstance(opened, Case)
    return opened


async def named(desk: Desk, text: str, **more: Any) -> dict[str, Any]:
    """What a reference names."""
    status, found = await desk.ask("GET", f"/payments/named?{urlencode({'ref': text, **more})}")
    assert status == 200, found
    return dict(found)


def ids_of(found: dict[str, Any]) -> list[str]:
    return [one["id"] for one in found["payments"]]


async def test_a_payment_lost_advanced_and_repaid_is_told_whole(
    desk: Desk, bank: Bank, paper: PaperRail, clock: HandClock, ids: Ids
) -> None:
    payment = await lost_and_repaid(bank, paper, clock)
    case = await complain(bank, ids, payment)
    status, told = await desk.ask("GET", f"/payments/{payment.id}")
    assert status == 200, told
    assert [step["what"] for step in told["steps"]] == [
        "held", "unanswered", "advanced", "posted", "advance_owed", "advance_back",
    ]  # fmt: skip
    assert told["steps"][1]["network"] == "asked, no answer that decides (timeout)"
    assert told["steps"][2]["says"] == "the bank advanced Rp54.000 of its own money to the payer"
    assert told["hold"]["state"] == "posted"
    kinds = [
        (one["kind"], [entry["amount"] for entry in one["entries"]]) for one in told["postings"]
    ]
    there_and_back = ["-54000.00", "54000.00"]
    assert kinds == [
        ("advance", there_and_back),
        ("payment", there_and_back),
        ("advance_back", there_and_back),
    ]
    redress = told["redress"]
    assert (redress["advance"], redress["advanced"], redress["still_out"]) == (
        "settled", "54000.00", "0.00",
    )  # fmt: skip
    assert [one["number"] for one in told["cases"]] == [case.number]
    assert told["names"]["the network's reference"] == "RRN260320000117"


async def test_nothing_that_is_told_shows_a_number_or_a_name_whole(
    desk: Desk, bank: Bank, paper: PaperRail, clock: HandClock, ids: Ids
) -> None:
    as_networks_count(bank)
    paper.will("send", Unanswered(f"to {FAR.account} of {FAR.name}, card 4111111111111111"))
    lost = await to_bank(bank, TRANSFER_BIFAST, "b-1")
    case = await complain(bank, ids, lost)
    inside = await pay(bank, await transfer(bank, 5_000 * RUPIAH))
    secrets = ["RINA WIJAYA", FAR.account, "4111111111111111", "081234567890"]
    for person in (ANA, BUDI):
        found = await customers.find(bank.pool, bank.book_id, person)
        assert found is not None
        secrets += [found.full_name, found.phone, str(await account_of(bank, person))]
    for path in (
        f"/payments/{lost.id}",
        f"/payments/{inside.id}",
        f"/payments/named?ref={lost.wire}",
        "/payments?amount=25000",
        f"/cases/{case.number}/outline",
        f"/customers/{ANA}",
    ):
        status, told = await desk.ask("GET", path)
        assert status == 200, told
        whole = json.dumps(told, ensure_ascii=False)
        assert [secret for secret in secrets if secret in whole] == [], path
        assert "\N{MIDDLE DOT}" in whole, path


async def test_every_name_a_payment_goes_by_finds_it(
    desk: Desk, bank: Bank, paper: PaperRail, ids: Ids
) -> None:
    """The customer's, the letter's, the partner's, the switch's, the network's."""
    as_networks_count(bank)
    paper.will("send", Accepted("HUB-REF-0042"))
    far = await to_bank(bank, TRANSFER_BIFAST, "b-1")
    card = await to_bank(bank, TRANSFER_CARDS, "c-1")
    trace = named_in(card.wire, card.accepted_at)
    case = await complain(bank, ids, far)
    assert trace is not None
    short = far.id.hex[-12:].upper()
    wanted = {
        str(far.id): (far, "payment id"),
        far.id.hex.upper(): (far, "payment id"),
        f"{short[:4]}-{short[4:8]}-{short[8:]}": (far, "short reference"),
        f" {short.lower()} ": (far, "short reference"),
        far.wire: (far, "the network's name of it"),
        FAR.inquiry: (far, "the inquiry before it"),
        "b-1x": (None, ""),
        "1:b-1": (far, "the order's key"),
        case.number.lower(): (far, "its complaint"),
        str(case.id): (far, "its complaint"),
        card.wire: (card, "the network's name of it"),
        trace.rrn: (card, "RRN"),
        trace.stan: (card, "STAN"),
    }
    for text, (payment, why) in wanted.items():
        found = await named(desk, text)
        if payment is None:
            assert found["payments"] == [], text
            assert found["looked_from"] is not None
            continue
        says = {one["id"]: one["found_as"] for one in found["payments"]}
        assert says.get(str(payment.id)) == why, (text, found)


async def test_several_are_listed_and_none_is_guessed(
    desk: Desk, bank: Bank, paper: PaperRail
) -> None:
    """Two customers' devices may make the same key, two terminals the same number."""
    first = await pay(bank, await transfer(bank, 5_000 * RUPIAH, key="again-7"))
    second = await pay(bank, await transfer(bank, 5_000 * RUPIAH, key="again-7", by=BUDI, to=CITRA))
    found = await named(desk, "again-7")
    assert ids_of(found) == [str(second.id), str(first.id)]
    assert {one["found_as"] for one in found["payments"]} == {"the order's key"}


async def test_what_a_network_or_a_biller_calls_it(
    desk: Desk, bank: Bank, paper: PaperRail
) -> None:
    credit = CreditOrder(
        rail="bifast",
        idempotency_key="bifast:20260320BMRIIDJA010O0100000042",
        service=IN_BIFAST,
        creditor=await account_of(bank, ANA),
        amount_minor=70_000 * RUPIAH,
        sender_name="SRI LESTARI",
        sender_bank="008",
        sender_account="1230001112",
    )
    decided = await bank.desk.decide(ReceiveCredit(credit, bank.desk.rules))
    assert isinstance(decided, Decided), decided
    for text in ("20260320BMRIIDJA010O0100000042", credit.idempotency_key):
        assert ids_of(await named(desk, text)) == [str(decided.payment.id)], text
    paper.will("send", Accepted("PLN77001", "11112222333344445555"))
    order = PaymentOrder(
        customer_id=ANA,
        idempotency_key="e-1",
        service=BILL["prepaid"],
        debtor=await account_of(bank, ANA),
        payee=ToBiller(biller="prepaid", customer_no="536612345678", name="ANA", bill="INV-99001"),
        amount_minor=50_000 * RUPIAH,
    )
    power = await pay(bank, order)
    for text in ("536612345678", "INV-99001", "PLN77001"):
        assert ids_of(await named(desk, text)) == [str(power.id)], text
    _, told = await desk.ask("GET", f"/payments/{power.id}")
    assert "11112222333344445555" not in json.dumps(told), "a token is as good as money"
    assert told["steps"][-1]["detail"].endswith("5555")


async def test_old_payments_are_found_by_the_day_their_name_says_or_by_looking_further(
    desk: Desk, bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    as_networks_count(bank)
    paper.will("send", Accepted("HUB-REF-0042"))
    card = await to_bank(bank, TRANSFER_CARDS, "c-1")
    trace = named_in(card.wire, card.accepted_at)
    assert trace is not None
    clock.advance(40 * 24 * 3600)
    assert ids_of(await named(desk, trace.rrn)) == [str(card.id)], "an RRN has its day in it"
    assert ids_of(await named(desk, trace.stan)) == []
    assert ids_of(await named(desk, trace.stan, days=60)) == [str(card.id)]


async def test_payments_are_found_by_what_is_known_of_them(
    desk: Desk, bank: Bank, paper: PaperRail, clock: HandClock
) -> None:
    paper.will("send", Unanswered("timeout"))
    lost = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    clock.advance(60)
    moved = await pay(bank, await transfer(bank, 5_000 * RUPIAH))
    paper.will("send", Accepted("X"))
    far = await to_bank(bank, TRANSFER_BIFAST, "b-1")
    tail = str(await account_of(bank, BUDI))[-4:]
    for query, wanted in {
        "": [far, moved, lost],
        "state=unanswered": [lost],
        "amount=54000": [lost],
        "amount=54000.00&state=posted": [],
        f"account={tail}": [moved],
        f"account={FAR.account[-4:]}": [far],
        "rail=bifast": [far],
        "customer=1": [far, moved, lost],
        "customer=2": [],
        "until=2026-03-20T05:00:30Z": [lost],
        "since=2026-03-20T05:00:30%2B00:00": [far, moved],
    }.items():
        status, found = await desk.ask("GET", f"/payments?{query}")
        assert status == 200, found
        assert ids_of(found) == [str(one.id) for one in wanted], query


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/payments?account=12", "account"),
        ("/payments?account=1234x", "account"),
        ("/payments?account=.*.*", "account"),
        ("/payments?amount=-1", "amount"),
        ("/payments?amount=", "amount"),
        ("/payments?account=", "account"),
        ("/payments/named?ref=", "ref"),
        ("/payments?state=lost", "state"),
        ("/payments?rail=x", "rail"),
        ("/payments?customer=x", "customer"),
        ("/payments?since=yesterday", "since"),
        ("/payments?since=2026-03-21T00:00:00Z", "since"),
        ("/payments?days=0", "days"),
        ("/payments?days=9999", "days"),
        ("/payments/named", "ref"),
        ("/payments/named?ref=abc", "ref"),
        (f"/payments/named?ref={'x' * 129}", "ref"),
        ("/payments/1234", "payment"),
    ],
)
async def test_what_cannot_be_looked_for_is_said_by_its_field(
    desk: Desk, path: str, field: str
) -> None:
    status, no = await desk.ask("GET", path)
    assert (status, no["code"], no["field"]) == (422, "parameter_invalid", field)


async def test_who_looked_at_what_is_in_the_trail_and_not_what_was_typed(
    desk: Desk, bank: Bank, ids: Ids
) -> None:
    payment = await pay(bank, await transfer(bank, 5_000 * RUPIAH))
    case = await complain(bank, ids, payment)
    person = await customers.find(bank.pool, bank.book_id, ANA)
    assert person is not None
    account = str(await account_of(bank, ANA))
    await named(desk, account)
    await named(desk, str(payment.id))
    await desk.ask("GET", f"/payments/{payment.id}", by=RAIL_OWNER)
    await desk.ask("GET", f"/payments?account={account}")
    assert await trail(bank, "read.payment") == [
        (COMMANDER, "nothing", "by reference: 0"),
        (COMMANDER, f"payment:{payment.id}", "by reference: 1"),
        (RAIL_OWNER, f"payment:{payment.id}", ""),
        (COMMANDER, "payments", "by account: 1"),
    ]
    await desk.ask("GET", f"/customers/{person.phone}", by=CARE)
    await desk.ask("GET", f"/customers/{account}", by=CARE)
    await desk.ask("GET", "/customers/628119999999", by=CARE)
    assert await trail(bank, "read.customer") == [
        (CARE, f"customer:{ANA}", ""),
        (CARE, f"customer:{ANA}", ""),
        (CARE, "nothing", ""),
    ]
    for path in (f"/cases/{case.number}/outline", f"/cases/{case.id}"):
        assert (await desk.ask("GET", path, by=CARE))[0] == 200
    assert await trail(bank, "read.case") == [(CARE, f"case:{case.id}", "")] * 2
    rows = await bank.pool.fetch("SELECT acts::text AS row FROM acts WHERE what LIKE 'read.%'")
    assert not any(account in row["row"] or person.phone in row["row"] for row in rows)


async def test_customers_and_cases_are_for_those_who_answer_for_them(desk: Desk) -> None:
    for path in ("/customers/1", "/cases/TG26-0000-0000/outline"):
        status, no = await desk.ask("GET", path, by=RAIL_OWNER)
        assert (status, no["code"]) == (403, "approver_not_allowed")
    for path, code in (
        ("/customers/999999", "not_found"),
        ("/cases/TG26-0000-0000/outline", "case_not_found"),
        (f"/payments/{'0' * 32}", "payment_not_found"),
    ):
        status, no = await desk.ask("GET", path)
        assert (status, no["code"]) == (404, code)


async def test_a_customer_is_told_by_accounts_what_is_open_and_how_they_log_in(
    desk: Desk, bank: Bank, paper: PaperRail
) -> None:
    paper.will("send", Unanswered("timeout"))
    lost = await pay(bank, await scan(bank, 54_000 * RUPIAH))
    status, told = await desk.ask("GET", f"/customers/{ANA}", by=CARE)
    assert status == 200, told
    assert ids_of({"payments": told["open_payments"]}) == [str(lost.id)]
    assert ids_of({"payments": told["newest_payments"]}) == [str(lost.id)]
    assert told["accounts"][0]["held"] == "54000.00"
    assert told["pin_locked_until"] is None
