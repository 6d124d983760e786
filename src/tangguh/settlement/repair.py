"""What people do about breaks: inquire, repair with two names, clear suspense, fill a deposit.

The book decides; the list of breaks follows it. Should the bank die between the two, ``catch_up``
finds the repair in the book and writes the list again.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import json

from tangguh.audit.trail import Remember
from tangguh.core.clock import business_date
from tangguh.core.outcome import Outcome, Refusal, Refused, Unanswered
from tangguh.ledger import chart
from tangguh.ledger.posting import Entry, Posting
from tangguh.payments import store as payments
from tangguh.payments.desk import instruction_of
from tangguh.payments.merchant.shop import is_own_sale
from tangguh.settlement import store
from tangguh.settlement.breaks import OPEN, Break, repair_id_of, subject_of
from tangguh.settlement.contradicted.agreeing import agree
from tangguh.settlement.cycle import BackOffice
from tangguh.settlement.formats import NETWORKS
from tangguh.settlement.mend import ClearSuspense, RepairBreak
from tangguh.settlement.position import FillDeposit
from tangguh.settlement.signed import Signed
from tangguh.settlement.store import SETTLEMENT


async def repair(
    office: BackOffice,
    break_id: UUID,
    signed: Signed,
    *,
    to_customer: bool = False,
    entries: tuple[Entry, ...] = (),
) -> Break | Refused:
    """Repair one break as proposed, or by ``entries`` of the same sum; the break as it is then.

    ``to_customer``: the customer of the payment takes the difference, not suspense. Refuses
    ORDER_INVALID naming ``break`` (none such, closed, or repaired before), ``by``,
    ``approved_by``, ``reason`` or ``entries``, and what a posting refuses.
    """
    broken = await catch_up(office, break_id)
    if broken is None:
        return Refused(Refusal.ORDER_INVALID, "break", "there is no such break")
    if broken.state == "closed":
        return Refused(Refusal.ORDER_INVALID, "break", f"it is none: {broken.reason}")
    if broken.difference_minor == 0:
        return await agree(office, broken, signed)
    to = chart.SUSPENSE
    if to_customer:
        customer = await _customer_of(office, broken)
        if customer is None:
            return Refused(Refusal.ORDER_INVALID, "entries", "no customer of ours is known for it")
        to = customer
    posted = await office.desk.decide(
        RepairBreak(broken=broken, entries=entries or broken.entries(to), signed=signed)
    )
    if isinstance(posted, Refused):
        return posted
    return await _write(office, broken, signed, posted.posted_at)


async def catch_up(office: BackOffice, break_id: UUID) -> Break | None:
    """A break as the book has it: one that was repaired there is repaired in the list too."""
    broken = await store.find_break(office.pool, office.book_id, break_id)
    if broken is None or broken.state != OPEN:
        return broken
    row = await office.pool.fetchrow(
        SETTLEMENT["repair_in_book"],
        office.book_id,
        repair_id_of(break_id),
        subject_of(break_id),
    )
    if row is None:
        return broken
    signed = json.decode(row["detail"], type=Signed)
    return await _write(office, broken, signed, row["posted_at"])


async def inquire(office: BackOffice, break_id: UUID, by: str) -> Outcome | Refused:
    """Ask the network once more about a break's payment. The answer is kept as an act only."""
    broken = await store.find_break(office.pool, office.book_id, break_id)
    if broken is None or broken.payment_id is None:
        return Refused(Refusal.ORDER_INVALID, "break", "there is no payment to ask about")
    payment = await payments.find(office.pool, office.book_id, broken.payment_id)
    if payment is None or payment.kind != "payment":
        return Refused(Refusal.ORDER_INVALID, "break", "only a payment can be asked about")
    outcome: Outcome = Unanswered("it settles inside and nobody can be asked")
    if payment.rail != "onus" and not is_own_sale(payment.order):
        outcome = await office.desk.rail_of(payment).inquire(instruction_of(payment))
    told = json.encode(outcome).decode()
    await office.desk.decide(Remember(f"staff:{by}", "break.inquired", subject_of(break_id), told))
    return outcome


async def clear(office: BackOffice, posting_id: UUID, to: int, signed: Signed) -> Posting | Refused:
    """Give what one posting put in suspense to the account it belongs to, once, by two people."""
    return await office.desk.decide(ClearSuspense(posting_id=posting_id, to=to, signed=signed))


async def fill_deposit(
    office: BackOffice, network: str, amount_minor: int, signed: Signed
) -> Posting | Refused:
    """Fill up what we have with a partner that is paid in advance: once a day, by two people."""
    known = NETWORKS.get(network)
    if known is None or not known.is_prefunded:
        return Refused(Refusal.ORDER_INVALID, "network", "it holds no deposit of ours")
    day = business_date(office.clock.now())
    return await office.desk.decide(
        FillDeposit(
            network=network,
            account_id=known.accounts[0],
            day=day,
            amount_minor=amount_minor,
            signed=signed,
        )
    )


async def _write(office: BackOffice, broken: Break, signed: Signed, at: datetime) -> Break:
    """Let the list follow the book, and count the difference of its payment as settled. Once."""
    async with office.pool.transaction() as connection:
        changed = await connection.fetchrow(
            SETTLEMENT["repair_break"],
            office.book_id,
            broken.break_id,
            repair_id_of(broken.break_id),
            signed.by,
            signed.approved_by,
            signed.reason,
            at,
        )
        if changed is not None and broken.payment_id is not None:
            await connection.execute(
                SETTLEMENT["settle_by_repair"],
                office.book_id,
                broken.payment_id,
                broken.day,
                broken.network,
                -broken.difference_minor,
            )
    return msgspec.structs.replace(
        broken,
        state="repaired",
        posting_id=repair_id_of(broken.break_id),
        repaired_by=signed.by,
        approved_by=signed.approved_by,
        reason=signed.reason,
        ended_at=at,
    )


async def _customer_of(office: BackOffice, broken: Break) -> int | None:
    if broken.payment_id is None:
        return None
    payment = await payments.find(office.pool, office.book_id, broken.payment_id)
    if payment is None:
        return None
    far = payment.debtor if payment.creditor == broken.account_id else payment.creditor
    return far if far > chart.OWN_ACCOUNT_MAX else None
