"""Lines of a list: an entry of the book or a payment, as home and history show them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import UUID

import msgspec

from tangguh.core.format import money, spoken
from tangguh.core.service import SERVICES
from tangguh.ledger.statement import Line
from tangguh.payments import store as payments
from tangguh.payments.merchant.shop import is_own_sale
from tangguh.payments.payment import Payment, next_word_at
from tangguh.web.pages.frame import Visit
from tangguh.web.pages.people import People
from tangguh.web.pages.story import LOOKS, Look, Side, fate_of, label_of, phase_of


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line: whose name, what it was, how much, how it stands. ``href`` empty: leads nowhere.

    ``fate`` of the money: ``in`` and ``out`` are signed; ``held`` and ``void`` moved nothing.
    """

    href: str
    name: str
    detail: str
    amount_minor: int
    fate: str
    at: datetime
    look: Look
    label: str = ""
    balance_minor: int | None = None
    next_word: str = ""


async def entry_rows(visit: Visit, lines: list[Line]) -> list[Row]:
    """Entries with the payment behind each. A posting's id is its payment's."""
    people = People(visit.door, visit.me.customer_id)
    found = await asyncio.gather(*(_payment(visit, line.posting_id) for line in lines))
    return [
        await _entry_row(visit, people, line, payment)
        for line, payment in zip(lines, found, strict=True)
    ]


async def payment_rows(visit: Visit, found: list[Payment]) -> list[Row]:
    """Payments as their customer made them."""
    people = People(visit.door, visit.me.customer_id)
    return [await _payment_row(visit, people, payment) for payment in found]


async def _entry_row(visit: Visit, people: People, line: Line, payment: Payment | None) -> Row:
    words, now = visit.words, visit.door.clock.now()
    side = Side.PAYEE if line.amount_minor > 0 else Side.PAYER
    if payment is None:
        kind = f"entry.{line.kind}"
        name = words(kind if words.has(kind) else "entry.other")
        detail, href, label = line.note if line.kind != "opening" else "", "", ""
        look = LOOKS["received" if side is Side.PAYEE else "posted"]
    else:
        name = await _other_side(visit, people, payment, side)
        detail = _detail(visit, payment, side)
        href = f"/payments/{payment.id}"
        phase = phase_of(payment, now, side)
        look = LOOKS[phase]
        label = label_of(words, payment, now, side) if phase == "refunded" else ""
        label = "" if payment.kind == "refund" else label
    return Row(
        href=href,
        name=name,
        detail=detail,
        amount_minor=line.amount_minor,
        fate="in" if line.amount_minor > 0 else "out",
        at=line.posted_at,
        look=look,
        label=label,
        balance_minor=line.balance_minor,
    )


async def _payment_row(visit: Visit, people: People, payment: Payment) -> Row:
    words, now = visit.words, visit.door.clock.now()
    phase = phase_of(payment, now)
    fate = fate_of(payment).replace("moved", "out")
    word_at = next_word_at(payment, now)
    next_word = ""
    if word_at is not None:
        next_word = words("payment.next_word", time=spoken(word_at, now, visit.language))
    return Row(
        href=f"/payments/{payment.id}",
        name=await _other_side(visit, people, payment, Side.PAYER),
        detail=_detail(visit, payment, Side.PAYER),
        amount_minor=-payment.total_minor if fate == "out" else payment.total_minor,
        fate=fate,
        at=payment.accepted_at,
        look=LOOKS[phase],
        label=label_of(words, payment, now, Side.PAYER),
        next_word=next_word,
    )


def _detail(visit: Visit, payment: Payment, side: Side) -> str:
    """What kind of movement it was, and the fee that the payer's sum includes."""
    kind = _kind(visit, payment, side)
    if side is Side.PAYER and payment.fee_minor:
        return f"{kind} · {visit.words('entry.with_fee', fee=money(payment.fee_minor))}"
    return kind


def _kind(visit: Visit, payment: Payment, side: Side) -> str:
    """The service's own name where the reader chose it."""
    words = visit.words
    service = SERVICES.get(payment.service)
    rail = "qris" if is_own_sale(payment.order) else payment.rail  # a code was scanned
    if payment.rail in {"onus", "qris"} and payment.kind != "credit":
        key = f"entry.{payment.kind}_{rail}_{side}"
        if service is None or service.channel == "mobile":
            return words(key)
    if payment.kind == "refund":
        return words(f"entry.refund_onus_{side}")
    if service is None:
        return words("entry.other")
    return service.name_id if visit.language == "id" else service.name_en


async def _other_side(visit: Visit, people: People, payment: Payment, side: Side) -> str:
    original = None
    if payment.original_id is not None and payment.rail != "onus":
        original = await _payment(visit, payment.original_id)
    ends = await people.ends(payment, original)
    name = ends.payee.name if side is Side.PAYER else ends.payer.name
    return name or visit.words("entry.unknown_party")


async def _payment(visit: Visit, payment_id: UUID) -> Payment | None:
    return await payments.find(visit.door.pool, visit.door.book_id, payment_id)
