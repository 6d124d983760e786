"""The whole story of one payment, case or customer, put together from every record. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tangguh.core.format import local_phone
from tangguh.core.money import format_decimal
from tangguh.customers import cards as card_rows
from tangguh.customers import store as customers
from tangguh.db.pool import Pool, Record
from tangguh.disputes.case import Case
from tangguh.disputes.store import CaseStore
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment
from tangguh.payments.redress.clock import redress_of
from tangguh.payments.redress.rows import Redress
from tangguh.rails.iso8583.trace import named_in
from tangguh.work.tracing import masks, steps
from tangguh.work.tracing.finding import TRACING
from tangguh.work.tracing.lines import case_line, from_whom, is_late, line_of, to_whom
from tangguh.work.tracing.shapes import (
    AccountTold,
    BreakTold,
    CardTold,
    CaseStep,
    CaseTold,
    CustomerTold,
    EntryTold,
    FileLine,
    HoldTold,
    IncidentTold,
    NoticeTold,
    PostingTold,
    RedressTold,
    Step,
    Trace,
)

_NEWEST_MAX = 10


class Records:
    """Where a story is read from."""

    def __init__(self, pool: Pool, book_id: int, cases: CaseStore) -> None:
        self.pool = pool
        self.book_id = book_id
        self.cases = cases

    async def rows(self, block: str, *values: object) -> list[Record]:
        """The rows of one block about this book."""
        return await self.pool.fetch(TRACING[block], self.book_id, *values)


async def trace_of(records: Records, payment: Payment) -> Trace:
    """Everything the bank's records say of one payment, masked."""
    pool, book_id = records.pool, records.book_id
    refunds = await payments.refunds(pool, book_id, payment.id)
    own = await records.rows("steps_of_payment", payment.id)
    beside = await records.rows("redress_steps", payment.id)
    cases = await records.cases.of_payment(payment.id)
    redress = (await redress_of(pool, book_id, [payment.id])).get(payment.id)
    family = [payment.id, *(refund.id for refund in refunds)]
    batches = sorted({row["batch_no"] for row in (*own, *beside)})
    notes = [f"payment {payment.id}", *(f"case {case.number}" for case in cases)]
    postings = await records.rows("postings_of_payment", family, batches, notes)
    refusal = [payment.refusal or "", payment.refusal_field, payment.refusal_detail]
    told = Trace(
        payment=line_of(payment),
        names=names_of(payment),
        payee=to_whom(payment),
        payer=from_whom(payment),
        refusal=": ".join(part for part in refusal if part),
        refunded=format_decimal(payment.refunded_minor),
        refunding=format_decimal(payment.refunding_minor),
        attempts=payment.attempts,
        next_look_at=payment.resolve_at,
        business_date=payment.business_date,
        original_id=payment.original_id,
        steps=steps_of(payment, own, beside),
        hold=_hold(await records.rows("hold_of_payment", payment.id)),
        postings=[_posting(row) for row in postings],
        file_lines=[_file_line(row) for row in await records.rows("lines_of_payment", family)],
        breaks=[_break(row) for row in await records.rows("breaks_of_payment", family)],
        refunds=[line_of(refund) for refund in refunds],
        redress=_redress(payment, redress) if redress is not None else None,
        notices=await _notices(records, payment.id, cases),
        cases=[case_line(case) for case in cases],
        incidents=[
            IncidentTold(id=row["incident_id"], state=row["state"] or "", begun_at=row["begun_at"])
            for row in await records.rows("incidents_of_payment", payment.id)
        ],
    )
    secrets = [*masks.secrets_of(payment), *[one for r in refunds for one in masks.secrets_of(r)]]
    secrets += await _owners(records, payment)
    return masks.Masks(secrets).clean(told)


async def case_of(records: Records, case: Case, now: datetime) -> CaseTold:
    """One case without what people wrote, masked."""
    payment = None
    if case.payment_id is not None:
        payment = await payments.find(records.pool, records.book_id, case.payment_id)
    told = CaseTold(
        case=case_line(case),
        customer_id=case.customer_id,
        payment=line_of(payment) if payment is not None else None,
        incident_id=case.incident_id,
        is_late=is_late(case, now),
        is_overdue=case.is_overdue(now),
        messages=len(await records.cases.messages(case.id)),
        files=len(case.evidence),
        steps=[
            CaseStep(at=one.at, state=one.state, what=one.what, detail=one.detail, by=one.by)
            for one in await records.cases.timeline(case.id)
        ],
    )
    secrets = list(masks.secrets_of(payment)) if payment is not None else []
    secrets += await _person(records, case.customer_id)
    return masks.Masks(secrets).clean(told)


async def customer_of(records: Records, customer_id: int, now: datetime) -> CustomerTold | None:
    """A customer, masked; None when there is none."""
    pool, book_id = records.pool, records.book_id
    person = await customers.find(pool, book_id, customer_id)
    if person is None:
        return None
    held = await customers.accounts_of(pool, book_id, customer_id)
    (log_in,) = await records.rows("log_in_of_customer", customer_id, now)
    newest = await payments.of_customer(pool, book_id, customer_id, count_max=_NEWEST_MAX)
    told = CustomerTold(
        customer_id=customer_id,
        name=masks.name(person.full_name),
        phone=_phone(person.phone),
        language=person.language,
        pin_failures=log_in["failures"] or 0,
        pin_locked_until=log_in["locked_until"],
        sessions_open=log_in["open"],
        accounts=[
            AccountTold(
                account=masks.account(one.account_id),
                product=one.product,
                state=one.state,
                tier=one.tier,
                posted=format_decimal(one.posted_minor),
                held=format_decimal(one.held_minor),
                available=format_decimal(one.available_minor),
            )
            for one in held
        ],
        cards=[
            CardTold(last_four=card.last_four, state=card.state, tries_left=card.tries_left)
            for card in await card_rows.of_customer(pool, book_id, customer_id)
        ],
        open_payments=[
            line_of(one) for one in await payments.open_of_customer(pool, book_id, customer_id)
        ],
        newest_payments=[line_of(one) for one in newest],
        cases=[case_line(one) for one in await records.cases.of_customer(customer_id)],
    )
    return masks.Masks(await _person(records, customer_id)).clean(told)


def names_of(payment: Payment) -> dict[str, str]:
    """Every name a payment goes by. What to tell a network's desk is among them."""
    order = payment.order
    found = {
        "payment id": str(payment.id),
        "short reference": line_of(payment).short_reference,
        "sent to the network as": payment.reference if payment.rail != "onus" else "",
        "the network's reference": payment.network_reference,
        "the order's key": order.idempotency_key,
    }
    named = named_in(payment.wire, payment.accepted_at) if payment.rail == "iso8583" else None
    if named is not None:
        found |= {"STAN (DE11)": named.stan, "RRN (DE37)": named.rrn}
    return {what: name for what, name in found.items() if name}


def steps_of(payment: Payment, own: Sequence[Record], beside: Sequence[Record]) -> list[Step]:
    """What happened, in order: the payment's own steps, and what was done beside it."""
    found = [
        Step(
            at=row["at"],
            what=row["what"],
            says=steps.says(payment, *_said(row)),
            network=steps.network_in(payment, *_said(row)),
            state=row["state"],
            detail=steps.shown_detail(payment, *_said(row)),
            by="bank",
            batch_no=row["batch_no"],
        )
        for row in own
    ]
    found += [
        Step(
            at=row["at"],
            what=row["what"],
            says=steps.BESIDE[row["what"]],
            network="",
            state="",
            detail=format_decimal(row["amount_minor"]) if row["amount_minor"] else "",
            by=row["made_by"],
            batch_no=row["batch_no"],
        )
        for row in beside
        if row["what"] in steps.BESIDE
    ]
    return sorted(found, key=lambda step: (step.at, step.batch_no))


def _said(row: Record) -> tuple[str, str]:
    return row["what"], masks.cards(row["detail"])


async def _notices(records: Records, payment_id: UUID, cases: Sequence[Case]) -> list[NoticeTold]:
    matters = (f"payment:{payment_id}", *(f"case:{case.id}" for case in cases))
    rows = [row for one in matters for row in await records.rows("notices_of_matter", one)]
    return [
        NoticeTold(
            step=row["step"],
            template=row["template"],
            to=row["person"],
            made_at=row["made_at"],
            state=row["state"],
            via=row["via"],
            attempts=row["attempts"],
            reason=row["reason"],
            proof=row["proof"],
            read_at=row["read_at"],
        )
        for row in rows
    ]


async def _owners(records: Records, payment: Payment) -> list[tuple[str, str]]:
    """The names and phones of whoever of ours is on either side."""
    found: list[tuple[str, str]] = []
    for account_id in (payment.debtor, payment.creditor):
        owner = await customers.owner_of(records.pool, records.book_id, account_id)
        if owner is not None:
            found += await _person(records, owner.customer_id)
    return found


async def _person(records: Records, customer_id: int) -> list[tuple[str, str]]:
    person = await customers.find(records.pool, records.book_id, customer_id)
    if person is None:
        return []
    held = await customers.accounts_of(records.pool, records.book_id, customer_id)
    return [
        (person.full_name, masks.name(person.full_name)),
        (person.phone, _phone(person.phone)),
        (local_phone(person.phone), _phone(person.phone)),
        *((str(one.account_id), masks.number(one.account_id)) for one in held),
    ]


def _phone(phone: str) -> str:
    return masks.number(phone)


def _hold(rows: Sequence[Record]) -> HoldTold | None:
    if not rows:
        return None
    row = rows[0]
    return HoldTold(
        account=masks.account(row["account_id"]),
        amount=format_decimal(row["amount_minor"]),
        posted=format_decimal(row["posted_minor"]),
        state=row["state"],
        placed_at=row["placed_at"],
        ended_at=row["ended_at"],
    )


def _posting(row: Record) -> PostingTold:
    sides = zip(row["account_ids"], row["amounts_minor"], strict=True)
    return PostingTold(
        id=row["posting_id"],
        kind=row["kind"],
        posted_at=row["posted_at"],
        business_date=row["business_date"],
        batch_no=row["batch_no"],
        note=row["note"] if row["note"].startswith(("payment ", "case ")) else "",
        entries=[
            EntryTold(account=masks.account(account), amount=format_decimal(minor))
            for account, minor in sides
        ],
    )


def _file_line(row: Record) -> FileLine:
    return FileLine(
        network=row["network"],
        day=row["day"],
        cycle=row["cycle"],
        net=format_decimal(row["net_minor"]),
        file_sha256=row["sha256"] or "",
        file_state=row["state"] or "",
        received_at=row["received_at"],
    )


def _break(row: Record) -> BreakTold:
    return BreakTold(
        id=row["break_id"],
        network=row["network"],
        day=row["day"],
        cycle=row["cycle"],
        kind=row["kind"],
        reference=row["reference"],
        ours=format_decimal(row["ours_minor"]),
        theirs=format_decimal(row["theirs_minor"]),
        owner=row["owner"],
        proposal=row["proposal"],
        state=row["state"],
        reason=row["reason"],
        found_at=row["found_at"],
        ended_at=row["ended_at"],
    )


def _redress(payment: Payment, found: Redress) -> RedressTold:
    return RedressTold(
        advance=found.advance,
        advanced=format_decimal(found.advance_minor),
        advanced_at=found.advanced_at,
        still_out=format_decimal(payment.advanced_minor),
        take_back_at=found.take_back_at,
        why_not=found.why_not,
        late_days=found.late_days,
        late_paid=format_decimal(found.late_minor),
        came_back_by=found.came_back_by,
    )
