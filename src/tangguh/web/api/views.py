"""What the API takes and gives: the shapes behind the OpenAPI document.

Amounts are decimal strings in rupiah with two decimals (``"25000.00"``), as in SNAP; instants are
RFC 3339 in UTC. Nothing here decides anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from tangguh.core.money import format_decimal
from tangguh.core.numbers import TYPED_MAX
from tangguh.core.order import (
    PaymentOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.customers.store import Held
from tangguh.ledger.statement import Line
from tangguh.payments.payment import Payment, State, next_word_at
from tangguh.payments.store import Event, receipt_of
from tangguh.rails.banks import name_of_bank
from tangguh.rails.qris.message import Reading
from tangguh.rails.qris.nns import MEMBERS
from tangguh.web.gate import FREE_TEXT
from tangguh.web.shutters import Shut
from tangguh.web.words import LANGUAGES
from tangguh.work.tracing.lines import short_reference

# A dollar sign alone would let a newline through at the end.
AmountText = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$(?!\n)",
        max_length=16,
        description="Rupiah, e.g. 25000.00",
    ),
]
ACCOUNT = "^[0-9]{6,16}$"
AccountText = Annotated[
    str,
    Meta(pattern=rf"{ACCOUNT}(?!\n)", description="An account number", examples=["10100000011"]),
]
PhoneText = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=TYPED_MAX,
        description="E.164 without the plus; other spellings of a number are read too",
        extra_json_schema={"pattern": "^[1-9][0-9]{7,14}$"},
    ),
]
DeviceText = Annotated[
    str,
    Meta(max_length=128, description="What an earlier session said of this device"),
]
CodeText = Annotated[
    str, Meta(pattern=r"^([0-9]{6})?$(?!\n)", description="What was sent to the customer's address")
]
AttemptText = Annotated[
    str, Meta(max_length=128, description="What `code_needed` said the code belongs to")
]
PinText = Annotated[str, Meta(pattern=r"^[0-9]{6}$(?!\n)", description="Six digits")]
NoteText = Annotated[
    str,
    Meta(
        max_length=100,
        description="Free text. A PIN, a one-time code or a card number in it is taken out",
        extra=FREE_TEXT,
    ),
]
SealedText = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=4096,
        description="From an inquiry, unchanged",
        extra_json_schema={"pattern": r"^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$"},
    ),
]
QrText = Annotated[str, Meta(min_length=1, max_length=512, description="The text of a QRIS code")]


def one_of(*words: str) -> dict[str, Any]:
    """What the document says of a word that is one of these."""
    return {"enum": list(words)}


Rupiah = Annotated[
    str,
    Meta(
        description="Rupiah, e.g. 25000.00", extra_json_schema={"pattern": r"^[0-9]+[.][0-9]{2}$"}
    ),
]
"""A sum of ours: two decimals, always."""
SignedRupiah = Annotated[
    str,
    Meta(
        description="Rupiah; below zero: out of the account",
        extra_json_schema={"pattern": r"^-?[0-9]+[.][0-9]{2}$"},
    ),
]
PaymentState = Annotated[str, Meta(extra_json_schema=one_of(*State))]
Language = Annotated[str, Meta(extra_json_schema=one_of(*LANGUAGES))]
PayeeKind = Annotated[
    str,
    Meta(extra_json_schema=one_of("account", "qris", "bank", "wallet", "bill", "cash", "emoney")),
]
ShutState = Annotated[str, Meta(extra_json_schema=one_of("closed", "limited", "waiting"))]


class OpenSession(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who wants to log in."""

    phone: PhoneText
    pin: PinText
    device: DeviceText = ""
    code: CodeText = ""
    attempt: AttemptText = ""


class SessionView(msgspec.Struct, frozen=True):
    """A session: the bearer token and the signing key are told this once.

    ``signing_key`` is base64; orders are signed with it (header ``X-Signature``). ``device`` is
    sent with the next log-in: by it the device is known.
    """

    token: str
    signing_key: str
    customer_id: int
    expires_at: datetime
    device: str


class Me(msgspec.Struct, frozen=True):
    """The customer behind the session."""

    customer_id: int
    full_name: str
    language: Language


class AccountView(msgspec.Struct, frozen=True):
    """An account: posted (booked), held (set aside) and available balances."""

    account: str
    product: str
    currency: str
    posted: SignedRupiah
    held: Rupiah
    available: SignedRupiah
    state: str
    as_of: datetime


class Accounts(msgspec.Struct, frozen=True):
    """A customer's accounts."""

    accounts: list[AccountView]


class BalanceAt(msgspec.Struct, frozen=True):
    """The posted balance of an account at an instant."""

    account: str
    posted: SignedRupiah
    at: datetime


class EntryView(msgspec.Struct, frozen=True):
    """One line of an account's history: a signed amount and the balance after it."""

    seq: int
    amount: SignedRupiah
    balance: SignedRupiah
    posted_at: datetime
    kind: str
    payment_id: UUID
    note: str


class History(msgspec.Struct, frozen=True):
    """A page of an account's history, newest first. ``next`` is the cursor of the next page."""

    entries: list[EntryView]
    next: int | None


class PayTransfer(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="transfer"
):
    """A transfer to another account of this bank."""

    from_account: AccountText
    to_account: AccountText
    amount: AmountText
    note: NoteText = ""


class PayQris(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="qris"
):
    """A payment of a QRIS code. ``amount`` may be left out when the code has one; ``tip`` is only
    for codes that ask the payer for one.
    """

    from_account: AccountText
    qr: QrText
    amount: AmountText | None = None
    tip: AmountText | None = None
    note: NoteText = ""


class PayInquired(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="inquired"
):
    """A payment of what was inquired, unchanged."""

    from_account: AccountText
    inquiry: SealedText
    amount: AmountText | None = None
    note: NoteText = ""


NewPayment = PayTransfer | PayQris | PayInquired


class NewRefund(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much of a received payment to give back, and why."""

    amount: AmountText
    reason: NoteText = ""


class ReadQr(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The text of a QRIS code, to be judged before anything is paid."""

    qr: Annotated[str, Meta(min_length=1, max_length=4096)]


class PayeeView(msgspec.Struct, frozen=True):
    """Who gets the money. ``kind``: account, qris, bank, wallet, bill, cash or emoney.

    ``city`` is the merchant's; for the others the bank, wallet, biller or product.
    """

    kind: PayeeKind
    name: str
    account: str = ""
    city: str = ""
    nmid: str = ""


class ShutView(msgspec.Struct, frozen=True):
    """A service that is closed or limited for protection, in the words for its customers.

    ``state``: closed, limited, or waiting (taken now, sent when it opens). ``next_word_at``: by
    when there is news. ``alternative``: a service that works now, or empty.
    """

    state: ShutState
    message_id: str
    message_en: str
    next_word_at: datetime | None
    since: datetime
    alternative: str


class RefusalView(msgspec.Struct, frozen=True):
    """Why nothing was paid. ``shut``: the closure's own words, when that was the reason."""

    code: str
    field: str
    detail: str
    shut: ShutView | None = None


class EventView(msgspec.Struct, frozen=True):
    """One line of a payment's timeline."""

    at: datetime
    state: PaymentState
    what: str


class PaymentView(msgspec.Struct, frozen=True):
    """A payment as it stands. ``receipt``: what the payee gave for it, such as a power token.

    ``state``: refused, parked (a closed gate; not sent yet), held, unanswered, posted, voided,
    refunded. ``amount`` and ``tip`` are the sum to the payee, ``fee`` is the bank's, ``total`` is
    what leaves the account. ``advanced``: the bank's own money the payer has for it now.
    ``next_word_at``: by when we tell more, while nobody knows the end. ``repeated``: this key had
    been used for this very order.
    """

    id: UUID
    kind: str
    service: str
    state: PaymentState
    from_account: str
    to: PayeeView
    amount: Rupiah
    tip: Rupiah
    fee: Rupiah
    total: Rupiah
    refunded: Rupiah
    advanced: Rupiah
    currency: str
    reference: str
    network_reference: str
    accepted_at: datetime
    concluded_at: datetime | None
    next_word_at: datetime | None
    refusal: RefusalView | None
    original_id: UUID | None
    repeated: bool
    timeline: list[EventView]
    receipt: str = ""


class Payments(msgspec.Struct, frozen=True):
    """A page of a customer's payments, newest first. ``next`` is the cursor of the next page."""

    payments: list[PaymentView]
    next: UUID | None


class FindingView(msgspec.Struct, frozen=True):
    """A rule a QRIS code breaks or bends."""

    code: str
    field: str
    detail: str


class ReadingView(msgspec.Struct, frozen=True):
    """What a QRIS code says, and whether it may be paid."""

    valid: bool
    kind: str
    merchant_name: str
    merchant_city: str
    acquirer: str
    nmid: str
    amount: Rupiah | None
    tip: str
    errors: list[FindingView]
    warnings: list[FindingView]


def account_view(held: Held, as_of: datetime, currency: str) -> AccountView:
    """An account as the API shows it."""
    return AccountView(
        str(held.account_id),
        held.product,
        currency,
        format_decimal(held.posted_minor),
        format_decimal(held.held_minor),
        format_decimal(held.available_minor),
        held.state,
        as_of,
    )


def entry_view(line: Line) -> EntryView:
    """A line of history as the API shows it. A posting's id is its payment's."""
    return EntryView(
        line.seq,
        format_decimal(line.amount_minor),
        format_decimal(line.balance_minor),
        line.posted_at,
        line.kind,
        line.posting_id,
        line.note,
    )


def payment_view(
    payment: Payment,
    now: datetime,
    *,
    payee_name: str = "",
    events: list[Event] | None = None,
    repeated: bool = False,
    shut: Shut | None = None,
) -> PaymentView:
    """A payment as the API shows it to its customer (or its payee)."""
    refusal = None
    if payment.refusal is not None:
        refusal = RefusalView(
            payment.refusal, payment.refusal_field, payment.refusal_detail, shut_view(shut)
        )
    return PaymentView(
        id=payment.id,
        kind=payment.kind,
        service=payment.service,
        state=payment.state,
        from_account=str(payment.debtor),
        to=_payee_view(payment, payee_name),
        amount=format_decimal(payment.amount_minor),
        tip=format_decimal(payment.tip_minor),
        fee=format_decimal(payment.fee_minor),
        total=format_decimal(payment.total_minor),
        refunded=format_decimal(payment.refunded_minor),
        advanced=format_decimal(payment.advanced_minor),
        currency=payment.currency,
        reference=short_reference(payment),
        network_reference=payment.network_reference,
        accepted_at=payment.accepted_at,
        concluded_at=payment.concluded_at,
        next_word_at=next_word_at(payment, now),
        refusal=refusal,
        original_id=payment.original_id,
        repeated=repeated,
        timeline=[EventView(event.at, event.state, event.what) for event in events or []],
        receipt=receipt_of(events or []),
    )


def shut_view(shut: Shut | None) -> ShutView | None:
    """A closed service as the API shows it."""
    return None if shut is None else ShutView(**msgspec.structs.asdict(shut))


def _payee_view(payment: Payment, payee_name: str) -> PayeeView:
    order = payment.order
    if isinstance(order, PaymentOrder):
        match order.payee:
            case ToAccount(account_id):
                return PayeeView("account", payee_name, str(account_id))
            case ToQris() as merchant:
                return PayeeView(
                    "qris", merchant.merchant_name, "", merchant.merchant_city, merchant.nmid
                )
            case ToMerchant() as shop:
                return PayeeView("qris", shop.merchant_name, "", shop.merchant_city, shop.nmid)
            case ToBank() as far:
                bank = name_of_bank(far.bank)
                return PayeeView("bank", far.name, far.account or far.proxy, bank)
            case ToWallet() as wallet:
                return PayeeView("wallet", wallet.name, wallet.number, wallet.wallet)
            case ToBiller() as bill:
                return PayeeView("bill", bill.name, bill.customer_no, bill.biller)
            case ToCash() as cash:
                return PayeeView("cash", cash.location, cash.terminal, name_of_bank(cash.acquirer))
            case ToPurse() as purse:
                return PayeeView("emoney", "", f"•••• {purse.number[-4:]}", purse.product)
    return PayeeView("account", payee_name, str(payment.creditor))


def reading_view(reading: Reading) -> ReadingView:
    """A judged QRIS code as the API shows it."""
    code = reading.seen
    return ReadingView(
        not reading.errors,
        code.kind,
        code.merchant_name,
        code.merchant_city,
        MEMBERS.get(code.nns, code.nns),
        code.repository.nmid if code.repository else "",
        format_decimal(code.amount_minor) if code.amount_minor is not None else None,
        code.tip.kind,
        [FindingView(one.code, one.field, one.detail) for one in reading.errors],
        [FindingView(one.code, one.field, one.detail) for one in reading.warnings],
    )
