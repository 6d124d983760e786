"""Reporting trouble: from a payment in three taps, or about anything else."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.responses import Response

from tangguh.core.format import happened, money
from tangguh.core.outcome import Refused
from tangguh.disputes.case import About, Case
from tangguh.disputes.complaints import Complaint
from tangguh.payments.payment import Payment, State
from tangguh.web.api.mobile import visible_payment
from tangguh.web.care import desk as care
from tangguh.web.care.story import tell
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.pages.people import People
from tangguh.web.problems import Trouble, of_refused
from tangguh.work.tracing.lines import short_reference

_BY_OPERATION: Final = {
    "transfer": About.TRANSFER,
    "topup": About.TOPUP,
    "cash": About.CASH,
}
_NO_PAYMENT: Final = (
    About.CANNOT_OPEN,
    About.SAFETY,
    About.NO_WORD,
    About.TRANSFER,
    About.CASH,
    About.OTHER,
)
_KEY_MAX: Final = 64


class ReportLine(msgspec.Struct, frozen=True):
    """The report about a payment, as the payment's page tells of it."""

    href: str
    number: str
    label: str
    by: str
    sentence: str


async def report_line(visit: Visit, payment: Payment) -> ReportLine | None:
    """The reader's newest report about a payment that is not closed, or None."""
    case = await _open_case(visit, payment)
    if case is None:
        return None
    story = tell(visit.words, case, payment, visit.door.clock.now())
    return ReportLine(f"/reports/{case.id}", case.number, story.label, story.by, story.sentence)


async def show_report(visit: Visit) -> Response:
    """The form with the likeliest reason chosen and the payment's facts written already."""
    payment = await _payment(visit)
    case = await _open_case(visit, payment)
    if case is not None and case.is_open:
        return redirect(f"/reports/{case.id}")
    reasons = reasons_of(payment, is_payer=_is_payer(visit, payment))
    text = await _facts_of(visit, payment)
    return _form(visit, f"/payments/{payment.id}/report", reasons, str(reasons[0]), text)


async def send_report(visit: Visit) -> Response:
    """Open the case; a payment that was received is named in the text, it is another's order."""
    payment = await _payment(visit)
    is_payer = _is_payer(visit, payment)
    reasons = reasons_of(payment, is_payer=is_payer)
    text = care.clean(visit.typed("text"))
    reference = short_reference(payment)
    if text and not is_payer and reference not in text:
        text = f"{text}\nRef. {reference}"
    action = f"/payments/{payment.id}/report"
    return await _send(visit, action, reasons, text, payment if is_payer else None)


async def show_new(visit: Visit) -> Response:
    """A report about no payment."""
    return _form(visit, "/reports/new", _NO_PAYMENT, "", "")


async def send_new(visit: Visit) -> Response:
    """Open a case that names no payment."""
    return await _send(visit, "/reports/new", _NO_PAYMENT, care.clean(visit.typed("text")), None)


def reasons_of(payment: Payment, *, is_payer: bool) -> tuple[About, ...]:
    """What somebody may want to say about a payment, the likeliest first."""
    if not is_payer:
        return About.TRANSFER, About.NOT_MINE, About.OTHER
    operation = payment.service.split(".")[1] if payment.service.count(".") else ""
    own = _BY_OPERATION.get(operation)
    failed = (
        About.FAILED_NOT_DEBITED
        if payment.state in {State.REFUSED, State.VOIDED}
        else About.FAILED_DEBITED
    )
    first = own if own is not None and payment.state is State.POSTED else failed
    every = (first, failed, own, About.NOT_MINE, About.OTHER)
    return tuple(dict.fromkeys(one for one in every if one is not None))


async def _send(
    visit: Visit, action: str, reasons: tuple[About, ...], text: str, payment: Payment | None
) -> Response:
    words, me = visit.words, visit.me
    chosen = visit.typed("about")
    told_about = "" if chosen in reasons else words("report.about_missing")
    told_text = "" if text else words("report.text_missing")
    if told_about or told_text:
        return _form(visit, action, reasons, chosen, text, told_about, told_text)
    who = f"customer:{me.customer_id}"
    said = Complaint(
        case_id=care.case_id_of(who, visit.typed("key")[:_KEY_MAX] or visit.door.ids.next().hex),
        customer_id=me.customer_id,
        about=About(chosen),
        text=text,
        channel="app",
        language=visit.language,
        payment_id=payment.id if payment is not None else None,
    )
    opened = await care.complaints_of(visit.door).open(said)
    if isinstance(opened, Refused):
        raise Trouble(of_refused(opened))
    return redirect(f"/reports/{opened.id}")


async def _payment(visit: Visit) -> Payment:
    return await visible_payment(visit.door, visit.me.customer_id, visit.request.path_params["id"])


def _is_payer(visit: Visit, payment: Payment) -> bool:
    return payment.customer_id == visit.me.customer_id


async def _open_case(visit: Visit, payment: Payment) -> Case | None:
    if visit.door.complaints is None:
        return None
    found = await visit.door.complaints.store.of_payment(payment.id)
    mine = [case for case in found if case.customer_id == visit.me.customer_id]
    return mine[0] if mine else None


async def _facts_of(visit: Visit, payment: Payment) -> str:
    ends = await People(visit.door, visit.me.customer_id).ends(payment)
    is_payer = _is_payer(visit, payment)
    return visit.words(
        "report.facts",
        money=money(payment.to_payee_minor),
        name=(ends.payee if is_payer else ends.payer).name or visit.words("entry.unknown_party"),
        time=happened(payment.accepted_at, visit.door.clock.now(), visit.language),
        reference=short_reference(payment),
    )


def _form(
    visit: Visit,
    action: str,
    reasons: tuple[About, ...],
    chosen: str,
    text: str,
    told_about: str = "",
    told_text: str = "",
) -> Response:
    return visit.page(
        "report.html",
        status=422 if told_about or told_text else 200,
        action=action,
        back=action.removesuffix("/report") if action != "/reports/new" else "/reports",
        reasons=[(str(one), visit.words(f"report.about_{one}")) for one in reasons],
        chosen=chosen,
        text=text,
        key=visit.typed("key")[:_KEY_MAX] or visit.door.ids.next().hex,
        told_about=told_about,
        told_text=told_text,
    )


PAGES: Final = (
    Page(path="/payments/{id}/report", get=show_report, post=send_report),
    Page(path="/reports/new", get=show_new, post=send_new),
)
