"""The steps of a payment in words for whoever is on call. Pure.

The bank keeps of a network's messages what they said: an answer, a reference, a code, no answer.
The messages themselves are not kept, since nothing is decided by them afterwards; with the names in
the trace the network finds its own copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tangguh.core.format import money
from tangguh.core.money import format_decimal
from tangguh.core.outcome import Refusal
from tangguh.core.service import BILL
from tangguh.payments.payment import Payment
from tangguh.work.tracing import masks

_INSIDE: Final = frozenset({"onus", "emoney"})
_NOT_SENT: Final = Refusal.PARTNER_UNREACHABLE
_OUR_OWN_NO: Final = frozenset(
    {
        Refusal.SERVICE_CLOSED,
        Refusal.PROTECTIVE_CLOSURE,
        Refusal.PROTECTIVE_LIMIT,
        Refusal.WAY_BACK_TAKEN,
    }
)
_SUMS: Final = frozenset({"advanced", "advance_back", "advance_kept", "late_paid"})
_Said = Callable[[Payment, str], str]


def _sum(words: str) -> _Said:
    return lambda _payment, detail: words.format(money(int(detail)) if detail.isdigit() else detail)


def _with(words: str) -> _Said:
    return lambda _payment, detail: f"{words}: {detail}" if detail else words


def _posted(payment: Payment, detail: str) -> str:
    whose = "it came in" if payment.kind == "credit" else "it was paid"
    return f"{whose}; the money was posted" + (f" ({detail})" if detail else "")


STEPS: Final[dict[str, _Said]] = {
    "held": lambda _payment, _detail: "its money was set aside; then it was sent",
    "parked": lambda _payment, _detail: "its service is closed: set aside, not sent",
    "released": lambda _payment, _detail: "its service opened: sent",
    "announced": lambda _payment, _detail: "the network announced money for us",
    "unanswered": _with("nobody knows its end"),
    "posted": _posted,
    "voided": _with("it did not happen; its money is free again"),
    "refused": _with("it was refused before anything was sent"),
    "refund_asked": _with("money is on its way back, by refund"),
    "refunded": _with("money came back, by refund"),
    "refund_called_off": _with("a refund of it came to nothing"),
    "contradicted": _with("the network said something else than the book has"),
    "advanced": _sum("the bank advanced {} of its own money to the payer"),
    "advance_back": _sum("{} of the advance came back to the bank"),
    "advance_kept": _sum("{} of the advance was written off: the bank bears it"),
    "late_paid": _sum("the bank paid {} for being late"),
}
"""Every step a payment's timeline has, in words."""

BESIDE: Final[dict[str, str]] = {
    "advance_refused": "no advance was given",
    "advance_owed": "it was paid after all: the payer owes the bank the advance",
    "advance_written_off": "what could not be taken back of the advance is the bank's loss",
    "chargeback": "the bank claims the money back from the network",
    "chargeback_lost": "the network did not give the claimed money back",
    "chargeback_overtaken": "the claim ended: the money came back another way",
    "came_back": "money came back to the payer",
}
"""What was done beside the payment and is no step of its own timeline."""


def says(payment: Payment, what: str, detail: str) -> str:
    """One step in words. A step nobody has put into words is told by its own name."""
    found = STEPS.get(what)
    if what not in _SUMS:
        detail = shown_detail(payment, what, detail)
    return found(payment, detail) if found is not None else f"{what}: {detail}".rstrip(": ")


def network_in(payment: Payment, what: str, detail: str) -> str:
    """What of a step went to the network or came from it; empty for what the bank did alone."""
    if payment.rail in _INSIDE:
        return ""
    match what:
        case "held" | "released":
            return f"sent as {payment.reference}"
        case "unanswered":
            return f"asked, no answer that decides ({detail})" if detail else "asked, no answer"
        case "posted":
            reference = payment.network_reference
            return f"answered yes, as {reference}" if reference else "answered yes"
        case "voided":
            return _no_of_network(payment, detail)
        case "announced":
            return f"announced as {payment.reference}"
        case "contradicted":
            return detail
    return ""


def _no_of_network(payment: Payment, detail: str) -> str:
    if payment.refusal in _OUR_OWN_NO:
        return ""
    words = "it was not reached" if payment.refusal is _NOT_SENT else "answered no"
    return f"{words} ({detail})" if detail else words


def shown_detail(payment: Payment, what: str, detail: str) -> str:
    """A step's detail as it may be shown: a sum as a decimal, and no power token, which is as good
    as money.
    """
    if what in _SUMS and detail.isdecimal():
        return format_decimal(int(detail))
    is_token = what == "posted" and payment.service == BILL["prepaid"]
    return masks.number(detail) if is_token and detail else detail
