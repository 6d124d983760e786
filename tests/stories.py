"""What the customers' stories share: orders as the door makes them, and questions to the book."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import msgspec

from tangguh.app import Bank
from tangguh.core.order import PaymentOrder, RefundOrder, ToAccount, ToQris
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import QRIS_OFFUS, TRANSFER_ONUS
from tangguh.customers.store import accounts_of
from tangguh.ledger import statement
from tangguh.ledger.account import Account, AccountState
from tangguh.ledger.book import Book
from tangguh.payments import flow
from tangguh.payments import store as payments
from tangguh.payments.payment import Decided, Payment

MERCHANT = ToQris(
    payload="(scanned)",
    merchant_pan="936009143280099914",
    merchant_id="G280099914",
    nmid="ID1099999000014",
    acquirer="93600914",
    merchant_name="KOPI CONTOH",
    merchant_city="JEPARA",
    category_code="5499",
)
ANA, BUDI, CITRA = 1, 2, 3
"""Three of the demo's people, by customer id."""
RUPIAH = 100


async def account_of(bank: Bank, customer_id: int) -> int:
    """The number of a customer's account."""
    return (await accounts_of(bank.pool, bank.book_id, customer_id))[0].account_id


async def balance(bank: Bank, account_id: int) -> Account:
    """An account as PostgreSQL has it."""
    found = await statement.balance(bank.pool, bank.book_id, account_id)
    assert found is not None
    return found


async def transfer(
    bank: Bank, amount_minor: int, *, key: str = "t-1", by: int = ANA, to: int = BUDI, **more: Any
) -> PaymentOrder:
    """An order to send money to another customer of the bank."""
    order = PaymentOrder(
        customer_id=by,
        idempotency_key=key,
        service=TRANSFER_ONUS,
        debtor=await account_of(bank, by),
        payee=ToAccount(await account_of(bank, to)),
        amount_minor=amount_minor,
    )
    return msgspec.structs.replace(order, **more)


async def scan(
    bank: Bank, amount_minor: int, *, key: str = "q-1", by: int = ANA, **more: Any
) -> PaymentOrder:
    """An order to pay the merchant's QRIS code."""
    order = PaymentOrder(
        customer_id=by,
        idempotency_key=key,
        service=QRIS_OFFUS,
        debtor=await account_of(bank, by),
        payee=MERCHANT,
        amount_minor=amount_minor,
    )
    return msgspec.structs.replace(order, **more)


def give_back(payment: Payment, amount_minor: int, *, key: str = "r-1", by: int = 0) -> RefundOrder:
    """An order to give back so much of a payment; by the bank itself if nobody is named."""
    return RefundOrder(
        requested_by=by, idempotency_key=key, payment_id=payment.id, amount_minor=amount_minor
    )


async def pay(bank: Bank, order: PaymentOrder) -> Payment:
    """Pay, when the key is not in question; the payment as it stands afterwards."""
    decided = await flow.pay(bank.desk, order)
    assert isinstance(decided, Decided), decided
    return decided.payment


async def refund(bank: Bank, order: RefundOrder) -> Payment:
    """Give money back, when it is not to be refused."""
    decided = await flow.refund(bank.desk, order)
    assert isinstance(decided, Decided), decided
    return decided.payment


async def refused_by(bank: Bank, order: PaymentOrder) -> Refusal | None:
    """The refusal the order got, whether or not it was written down; None when it was taken."""
    decided = await flow.pay(bank.desk, order)
    return decided.code if isinstance(decided, Refused) else decided.payment.refusal


async def now_is(bank: Bank, payment: Payment) -> Payment:
    """The payment as PostgreSQL has it."""
    found = await payments.find(bank.pool, bank.book_id, payment.id)
    assert found is not None
    return found


async def told(bank: Bank, payment: Payment) -> list[str]:
    """The payment's timeline: what happened, in order."""
    events = await payments.timeline(bank.pool, bank.book_id, payment.id)
    return [event.what for event in events]


async def count_of(bank: Bank, table: str) -> int:
    """How many rows a table has."""
    row = await bank.pool.fetchrow(f"SELECT count(*) AS rows FROM {table}")
    assert row is not None
    return int(row["rows"])


async def newest_change(dsn: str) -> dict[str, tuple[int, int]]:
    """Of every table: its rows, and the newest transaction that wrote one of them.

    ``dsn``: the owner's, who may read them all.
    """
    connection = await asyncpg.connect(dsn)
    found = {}
    for row in await connection.fetch("SELECT relname::text AS name FROM pg_stat_user_tables"):
        name = row["name"]
        seen = await connection.fetchrow(
            f"SELECT count(*) AS rows, coalesce(max(xmin::text::bigint), 0) AS newest FROM {name}"
        )
        found[name] = (seen["rows"], seen["newest"])
    await connection.close()
    return found


async def proved(bank: Bank) -> None:
    """Every money invariant holds."""
    proof = await bank.prove()
    assert [one for one in proof.invariants if not one.holds] == []


class PutState(msgspec.Struct, frozen=True):
    """Freeze, close or open an account, as an officer of the bank would."""

    names_keys_at_once: ClassVar[bool] = True

    account_id: int
    state: AccountState

    def keys(self, _: Book) -> Iterable[tuple[str, Any]]:
        return [("accounts", self.account_id)]

    def decide(self, book: Book) -> None:
        account = book.accounts.get(self.account_id)
        assert account is not None
        book.set_terms(msgspec.structs.replace(account, state=self.state))


class PutTier(PutState, frozen=True):
    """Have an account read its limits and fees by another class."""

    tier: str = ""

    def decide(self, book: Book) -> None:
        account = book.accounts.get(self.account_id)
        assert account is not None
        book.set_terms(msgspec.structs.replace(account, tier=self.tier))


async def put_state(bank: Bank, account_id: int, state: AccountState) -> None:
    """Have the account in this state from now on."""
    await bank.writer.decide(PutState(account_id, state))


def is_refused(answer: Decided | Refused, code: Refusal) -> bool:
    """Whether the answer is this refusal."""
    return isinstance(answer, Refused) and answer.code is code


def only(found: list[UUID]) -> UUID:
    """The one id that all of them are."""
    assert len(set(found)) == 1, f"{len(set(found))} different payments"
    return found[0]
