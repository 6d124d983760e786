"""Cases as rows of the book, and every step of one in the hash chain. Pure decisions.

What people wrote and who they are is not in the book: names and texts may have to be deleted one
day, the chain never. The chain keeps their hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final
from uuid import UUID

import msgspec

from tangguh.audit.journal import JournalPlan, Row
from tangguh.core.outcome import Refusal, Refused
from tangguh.disputes.case import Case
from tangguh.disputes.steps import Step
from tangguh.ledger.book import Book
from tangguh.ledger.command import Key
from tangguh.ledger.shelf import Loaded, ShelfPlan

_SQL: Final = ("tangguh.disputes", "disputes.sql")
_encode: Final = msgspec.json.Encoder().encode
decode_case: Final = msgspec.json.Decoder(Case).decode


def _read(row: Loaded) -> tuple[UUID, Case]:
    case = decode_case(row["case_json"])
    return case.id, case


def _change(case: Case) -> Row:
    return case.id, str(case.state), case.act_by, case.due_at, _encode(case).decode()


def _row(case: Case) -> Row:
    return (
        case.id,
        case.number,
        case.customer_id,
        case.payment_id,
        case.incident_id,
        str(case.about),
        case.channel,
        case.opened_at,
        str(case.state),
        case.act_by,
        case.due_at,
        _encode(case).decode(),
    )


CASES: Final[ShelfPlan[UUID, Case]] = ShelfPlan(
    name="cases",
    sql=_SQL,
    load="load_cases",
    key_arrays=lambda keys: (list(keys),),
    read=_read,
    table="cases",
    columns=(
        "case_id",
        "number",
        "customer_id",
        "payment_id",
        "incident_id",
        "about",
        "channel",
        "opened_at",
        "state",
        "act_by",
        "due_at",
        "case_json",
    ),
    to_row=_row,
    update="change_cases",
    to_change=_change,
    rows_max=20_000,
    sealed_by=1,
)
CASE_EVENTS: Final = JournalPlan(
    table="case_events",
    columns=("case_id", "seq", "batch_no", "at", "state", "what", "detail", "made_by"),
    order_by="case_id, seq",
    sort_key=lambda row: (row[0].int, row[1]),
)
CASE_OF_PAYMENT: Final[ShelfPlan[UUID, UUID]] = ShelfPlan(
    name="case_of_payment",
    sql=_SQL,
    load="load_case_of_payment",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["payment_id"], row["case_id"]),
    rows_max=20_000,
)
"""The newest case of a payment. Written as a column of the case; here for looking it up."""

CASE_OF_NUMBER: Final[ShelfPlan[str, UUID]] = ShelfPlan(
    name="case_of_number",
    sql=_SQL,
    load="load_case_of_number",
    key_arrays=lambda keys: (list(keys),),
    read=lambda row: (row["number"], row["case_id"]),
    rows_max=20_000,
)
"""Whose a number is: somebody who chooses ids must not choose one that is taken."""

CASE_SHELVES: Final[tuple[ShelfPlan[Any, Any], ...]] = (CASES, CASE_OF_PAYMENT, CASE_OF_NUMBER)


class OpenCase(msgspec.Struct, frozen=True, kw_only=True):
    """Open a case, once for its id; a payment has one open case at a time, whoever opens it."""

    names_keys_at_once: ClassVar[bool] = False

    case: Case
    by: str

    def keys(self, book: Book) -> Iterable[Key]:
        yield CASES.name, self.case.id
        yield CASE_OF_NUMBER.name, self.case.number
        payment_id = self.case.payment_id
        if payment_id is not None:
            yield CASE_OF_PAYMENT.name, payment_id
            if book.is_loaded(CASE_OF_PAYMENT.name, payment_id):
                known = book.shelf(CASE_OF_PAYMENT).get(payment_id)
                if known is not None:
                    yield CASES.name, known

    def decide(self, book: Book) -> Case | Refused:
        """The case; or the one that is open for this payment already.

        Refuses IDEMPOTENCY_KEY_REUSED for an id whose number another case has.
        """
        known = book.shelf(CASES).get(self.case.id)
        if known is not None:
            return known
        if book.shelf(CASE_OF_NUMBER).get(self.case.number) is not None:
            return Refused(Refusal.IDEMPOTENCY_KEY_REUSED, "number", "make another key")
        payment_id = self.case.payment_id
        if payment_id is not None:
            before = book.shelf(CASE_OF_PAYMENT).get(payment_id)
            open_one = book.shelf(CASES).get(before) if before is not None else None
            if open_one is not None and open_one.is_open:
                return open_one
            book.shelf(CASE_OF_PAYMENT).put(payment_id, self.case.id)
        book.shelf(CASE_OF_NUMBER).put(self.case.number, self.case.id)
        return keep(book, self.case, "opened", self.case.channel, self.by)


class MoveCase(msgspec.Struct, frozen=True, kw_only=True):
    """Take one step of a case. ``was``: the events it had when the step was decided; None: as it
    is now.
    """

    names_keys_at_once: ClassVar[bool] = True

    case_id: UUID
    step: Step
    by: str
    was: int | None = None

    def keys(self, _book: Book) -> Iterable[Key]:
        return ((CASES.name, self.case_id),)

    def decide(self, book: Book) -> Case | Refused:
        """The case after it; a step that changes nothing: as it is.

        Refuses CASE_NOT_FOUND, CASE_STEP_NOT_ALLOWED (also when it has moved meanwhile), and what
        the step refuses.
        """
        case = book.shelf(CASES).get(self.case_id)
        if case is None:
            return Refused(Refusal.CASE_NOT_FOUND, "case", "there is no such case")
        if self.was is not None and case.events != self.was:
            return Refused(Refusal.CASE_STEP_NOT_ALLOWED, "state", "it has moved meanwhile")
        moved = self.step.take(case, book.now)
        if isinstance(moved, Refused) or moved is case:
            return moved
        what = self.step.__struct_config__.tag
        return keep(book, moved, str(what), moved.why, self.by)


def keep(book: Book, case: Case, what: str, detail: str, by: str) -> Case:
    """Write a case as it is now, and the step into the chain."""
    book.shelf(CASES).put(case.id, case)
    row = (case.id, case.events, book.batch_no, book.now, str(case.state), what, detail, by)
    book.note(CASE_EVENTS, row)
    return case
