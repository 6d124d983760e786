"""The way money comes back by, as the book remembers it: taken, overtaken, ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from tangguh.core.errors import InvariantBroken
from tangguh.core.order import RefundOrder
from tangguh.core.outcome import Refusal, Refused
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.payments.payment import Payment, State
from tangguh.payments.plans import PAYMENTS
from tangguh.payments.record import record
from tangguh.payments.redress.arbiter import WayBack, overtakes, refuse_way, way_of
from tangguh.payments.redress.rows import REDRESS, Redress, keep, redress_of


def way_keys(book: Book, original: Payment) -> Iterable[Key]:
    """What the arbiter reads: the payment's row, and the chargeback that is open."""
    yield REDRESS.name, original.id
    if book.is_loaded(REDRESS.name, original.id):
        redress = book.shelf(REDRESS).get(original.id)
        if redress is not None and redress.chargeback is not None:
            yield "payments", redress.chargeback


def refuse_by_way(
    book: Book, original: Payment, order: RefundOrder, *, forced: bool
) -> Refused | None:
    """What the arbiter says of an order to give back."""
    redress = redress_of(book, original.id, original.debtor)
    claim = _open_claim(book, redress)
    claimed = claim.amount_minor if claim is not None else 0
    way = way_of(order, forced=forced)
    return refuse_way(original, redress, way, order.amount_minor, claimed)


def take_way(book: Book, original: Payment, refund: Payment, *, forced: bool) -> Payment:
    """Begin a way back that the arbiter allowed; the original, as calling off a claim leaves it."""
    assert isinstance(refund.order, RefundOrder)
    way = way_of(refund.order, forced=forced)
    redress = redress_of(book, original.id, original.debtor)
    if overtakes(redress, way):
        original = _call_off(book, original, redress, way)
    elif way is WayBack.CHARGEBACK:
        keep(
            book,
            msgspec.structs.replace(redress, chargeback=refund.id),
            "chargeback",
            refund.amount_minor,
        )
    return original


def end_way(book: Book, original: Payment, refund: Payment, *, came_back: bool) -> None:
    """A way back has ended: the money is there, or it was called off."""
    redress = book.shelf(REDRESS).get(original.id)
    is_claim = redress is not None and redress.chargeback == refund.id
    if not came_back and not is_claim:
        return
    redress = redress or redress_of(book, original.id, original.debtor)
    forced = refund.kind == "refund" and getattr(refund.order, "with_fee", False)
    assert isinstance(refund.order, RefundOrder)
    ended = msgspec.structs.replace(
        redress,
        chargeback=None if is_claim else redress.chargeback,
        came_back_by=str(way_of(refund.order, forced=forced))
        if came_back
        else redress.came_back_by,
    )
    keep(book, ended, "came_back" if came_back else "chargeback_lost", refund.amount_minor)


def _call_off(book: Book, original: Payment, redress: Redress, way: WayBack) -> Payment:
    claim = _open_claim(book, redress)
    if claim is None:
        raise InvariantBroken(f"the chargeback of {original.id} is not there")
    overtaken = Refused(Refusal.WAY_BACK_TAKEN, "", f"overtaken by a {way}")
    over = claim.to(State.VOIDED, book.now, refused=overtaken)
    record(book, over, "voided", overtaken.detail)
    keep(
        book,
        msgspec.structs.replace(redress, chargeback=None),
        "chargeback_overtaken",
        claim.amount_minor,
    )
    after = original.with_refund(
        refunding_change=-claim.amount_minor, refunded_change=0, at=book.now
    )
    return record(book, after, "refund_called_off", claim.reference).payment


def _open_claim(book: Book, redress: Redress) -> Payment | None:
    if redress.chargeback is None:
        return None
    claim = book.shelf(PAYMENTS).get(redress.chargeback)
    return claim if claim is not None and claim.is_open else None
