"""What the API takes and gives for payees beyond the bank, one-time codes and merchants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from tangguh.core.numbers import TYPED_MAX
from tangguh.web.api.views import AccountText, AmountText, Rupiah, ShutView, one_of

BankCode = Annotated[str, Meta(pattern=r"^[0-9]{3}$(?!\n)", description="Clearing code, e.g. 014")]
FarAccount = Annotated[str, Meta(pattern=r"^[0-9]{4,34}$(?!\n)")]
ProxyText = Annotated[
    str,
    Meta(
        min_length=5,
        max_length=140,
        description="A phone number or e-mail address; other spellings of a number are read too",
        extra_json_schema={
            "pattern": "^([1-9][0-9]{7,14}|[a-z0-9]{1,30}@[a-z0-9]{1,30}\\.[a-z]{2,6})$"
        },
    ),
]
WalletNumber = Annotated[
    str,
    Meta(
        min_length=8,
        max_length=TYPED_MAX,
        description="62 and the number; other spellings of it are read too",
        extra_json_schema={"pattern": "^62[1-9][0-9]{7,11}$"},
    ),
]
CustomerNo = Annotated[str, Meta(pattern=r"^[0-9]{4,20}$(?!\n)")]
PurseNumber = Annotated[str, Meta(pattern=r"^[0-9]{12,19}$(?!\n)")]
MERCHANT = "^[A-Z0-9]{1,15}$"
"""A shop's own name at this bank."""


CodeKind = Annotated[str, Meta(extra_json_schema=one_of("cash", "qris"))]
PaidWhen = Annotated[str, Meta(extra_json_schema=one_of("now", "cut_off"))]


class AskBank(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="bank"
):
    """Whose account it is at another bank. ``via``: bifast, or the card switch."""

    bank: BankCode
    account: FarAccount
    amount: AmountText
    via: Literal["bifast", "cards"] = "bifast"


class AskProxy(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="proxy"
):
    """Whose account a phone number or e-mail address stands for (BI-FAST)."""

    proxy: ProxyText
    amount: AmountText


class AskWallet(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="wallet"
):
    """Whose e-wallet a phone number is."""

    wallet: Literal["gopay", "ovo", "dana", "isaku"]
    number: WalletNumber
    amount: AmountText


class AskBill(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="bill"
):
    """What is owed. ``amount`` only for prepaid and open bills."""

    biller: Literal["electricity", "prepaid", "water", "tax", "school", "va"]
    customer_no: CustomerNo
    amount: AmountText | None = None


class AskPurse(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, tag_field="kind", tag="emoney"
):
    """Whether an e-money number can be topped up."""

    number: PurseNumber


NewInquiry = AskBank | AskProxy | AskWallet | AskBill | AskPurse


class LineView(msgspec.Struct, frozen=True):
    """One thing to read before saying yes."""

    name: str
    value: str


class InquiryView(msgspec.Struct, frozen=True):
    """Who would be paid. ``amount`` null: say how much. ``inquiry`` goes into the payment."""

    inquiry: str
    service: str
    name: str
    amount: Rupiah | None
    fee: Rupiah
    lines: list[LineView]
    expires_at: datetime


class NewCode(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A one-time code: ``cash`` at our ATMs (for exactly ``amount``), or ``qris`` to be shown."""

    kind: Literal["cash", "qris"]
    from_account: AccountText
    amount: AmountText | None = None


class CodeView(msgspec.Struct, frozen=True):
    """The code: eight digits for cash, the text of a QRIS code to be shown as a picture."""

    kind: CodeKind
    code: str
    expires_at: datetime


class LiveCode(msgspec.Struct, frozen=True):
    """A code for cash that can still be used: its money is held. Its digits are not repeated."""

    id: UUID
    kind: CodeKind
    from_account: str
    amount: Rupiah
    expires_at: datetime


class Codes(msgspec.Struct, frozen=True):
    """A customer's codes for cash that can still be used, the newest first; at most 20."""

    codes: list[LiveCode]


class ShopView(msgspec.Struct, frozen=True):
    """A shop of the customer: its QRIS static code, when it is paid, and today's takings."""

    merchant_id: str
    name: str
    nmid: str
    criteria: str
    paid: PaidWhen
    static_code: str
    today: Rupiah
    payments_today: int
    discount_today: Rupiah
    waiting: Rupiah


class Shops(msgspec.Struct, frozen=True):
    """A customer's shops."""

    shops: list[ShopView]


class NewBill(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A dynamic code: an amount, a number of the shop's own, how long it may be paid."""

    amount: AmountText
    bill_no: Annotated[str, Meta(pattern=r"^[A-Za-z0-9\-]{1,25}$(?!\n)")]
    minutes: Annotated[int, Meta(ge=1, le=1440)] = 15


class BillView(msgspec.Struct, frozen=True):
    """The code to be shown, until when, and a picture of it (SVG)."""

    bill_no: str
    code: str
    amount: Rupiah
    expires_at: datetime
    picture: str


class ServiceView(msgspec.Struct, frozen=True):
    """Something the customer can do. ``is_open`` false: not at all now; ``shut`` says why."""

    id: str
    name_id: str
    name_en: str
    is_open: bool
    shut: ShutView | None


class Services(msgspec.Struct, frozen=True):
    """Every service of the app, open or not: a closed one stays visible."""

    services: list[ServiceView]
