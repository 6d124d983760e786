"""What the API, the pages and the public form do alike with the complaints desk."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from tangguh.core import numbers
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.text import shown
from tangguh.disputes.case import EVIDENCE_MAX, TEXT_LENGTH_MAX, Case
from tangguh.disputes.complaints import Complaint, Complaints
from tangguh.disputes.letters import letter
from tangguh.disputes.store import text_hash
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment
from tangguh.web.api.operations import rate_limited
from tangguh.web.door import Door
from tangguh.web.problems import trouble

FILE_HEADERS: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}
"""A stranger's picture, though drawn by us, may do nothing in a browser but be looked at."""
COUNT_MAX: Final = 99
_COMPLAINTS: Final = uuid5(NAMESPACE_URL, "tangguh:complaints")


def complaints_of(door: Door) -> Complaints:
    """The complaints desk. Raises Trouble(not_found) in a bank that has none."""
    if door.complaints is None:
        raise trouble("not_found")
    return door.complaints


def case_id_of(who: str, key: str) -> UUID:
    """The id of the case somebody opens with a key: the same key is the same case."""
    return uuid5(_COMPLAINTS, f"{who}\n{key}")


def clean(text: str) -> str:
    """What somebody typed, as it can be kept and shown; at most the length that is kept."""
    return shown(text, TEXT_LENGTH_MAX, lines=True)


async def own_case(door: Door, customer_id: int, text: str) -> Case:
    """A customer's case. Another's looks like none. Raises Trouble."""
    try:
        case_id = UUID(text)
    except ValueError as fault:
        raise trouble("parameter_invalid", "a UUID", "complaint_id") from fault
    case = await complaints_of(door).store.find(case_id)
    if case is None or case.customer_id == 0 or case.customer_id != customer_id:
        raise trouble("case_not_found", "", "complaint_id")
    return case


async def payment_of(door: Door, case: Case) -> Payment | None:
    """The payment a case is about."""
    if case.payment_id is None:
        return None
    return await payments.find(door.pool, door.book_id, case.payment_id)


async def token_of(door: Door, payment: Payment | None) -> str:
    """The power token of the payment a case is about; empty where there is none."""
    return await payments.token_of(door.pool, door.book_id, payment) if payment else ""


async def open_once(door: Door, said: Complaint) -> Case | Refused:
    """Open a case; the same id with other words is refused as IDEMPOTENCY_KEY_REUSED."""
    desk = complaints_of(door)
    known = await desk.store.find(said.case_id)
    if known is not None:
        is_same = known.text_sha256 == text_hash(said.text) and known.about is said.about
        if not is_same or known.payment_id != said.payment_id:
            return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "Idempotency-Key", "other words")
    return await desk.open(said)


async def take_file(door: Door, case: Case, content: bytes, by: str, rate: str) -> Case | Refused:
    """Take one file as evidence. ``rate``: whose turn it is. Raises Trouble(rate_limited).

    What could not be kept anyway is refused before it is drawn.
    """
    if len(case.evidence) >= EVIDENCE_MAX:
        return Refused(Refusal.EVIDENCE_REFUSED, "file", f"at most {EVIDENCE_MAX} files for a case")
    if wait := door.files.seconds_until_allowed(rate):
        raise rate_limited(wait)
    return await complaints_of(door).attach(case, content, by)


async def file_page(door: Door, case: Case, file: str, page: str) -> bytes:
    """One page of one file of a case as a JPEG, both counted from 1. Raises Trouble(not_found)."""
    number, place = _count(file), _count(page)
    if not 1 <= number <= len(case.evidence):
        raise trouble("not_found", "", "file")
    evidence = case.evidence[number - 1]
    drawn = None
    if 1 <= place <= evidence.pages:
        drawn = await complaints_of(door).locker.page(evidence.sha256, place - 1)
    if drawn is None:
        raise trouble("not_found", "", "page")
    return drawn


def page_headers(case: Case, file: str, page: str) -> dict[str, str]:
    """What a browser is told about one page of evidence."""
    name = f"{case.number}-{_count(file)}-{_count(page)}.jpg"
    return FILE_HEADERS | {"Content-Disposition": f'inline; filename="{name}"'}


async def letter_pdf(door: Door, case: Case, language: str) -> bytes:
    """The letter about a case as PDF."""
    payment = await payment_of(door, case)
    token = await token_of(door, payment)
    return await asyncio.to_thread(letter, case, payment, door.bank_name, language, token)


def letter_headers(case: Case) -> dict[str, str]:
    """The letter's name is the report's number, never an account's."""
    return {"Content-Disposition": f'inline; filename="{case.number}.pdf"'}


def _count(text: str) -> int:
    return numbers.whole(text, COUNT_MAX) or 0
