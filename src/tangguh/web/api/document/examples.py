"""Examples of the customers' API: whole values of its own shapes, of one day of one customer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec.structs import replace

from tangguh.disputes.case import About
from tangguh.rails.qris.shop import Shop, static_text
from tangguh.web.api import care_views as care
from tangguh.web.api import service_views as service
from tangguh.web.api import views

_NOON: Final = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
_NEXT: Final = _NOON + timedelta(minutes=15)
_ACCOUNT: Final = "10100000011"
_PAYMENT: Final = UUID("019d0a5e-6b00-7a3c-8f21-5d1f3c9a0b11")
_OPEN: Final = UUID("019d0a5f-0a10-7bd1-9a44-0c2e7f61d822")
_REFUND: Final = UUID("019d0a60-11c8-7e05-8c77-92aa10b3e433")
_CASE: Final = UUID("019d0a61-77f0-7c19-b1de-44e0f2d5a744")
_NOTICE: Final = UUID("019d0a62-03b4-7f52-a8c3-6ef1097bc855")
_TOKEN: Final = "Zk9uY2UgdG9sZCwgbmV2ZXIgYWdhaW4gYnkgdGhlIGI"  # noqa: S105
_QR: Final = static_text(
    Shop(
        pan="936009990000000015",
        merchant_id="TGH000000001",
        nmid="ID1020000000001",
        criteria="UMI",
        name="WARUNG CONTOH",
        city="BANDUNG",
        postal_code="40111",
        category_code="5812",
    )
)
_SHUT: Final = views.ShutView(
    state="limited",
    message_id="QRIS dibuka bertahap. Saldo Anda tercatat.",
    message_en="QRIS opens step by step. Your balance is recorded.",
    next_word_at=_NEXT,
    since=_NOON,
    alternative="mobile.transfer.bifast",
)
_PAID: Final = views.PaymentView(
    id=_PAYMENT,
    kind="payment",
    service="mobile.transfer.internal",
    state="posted",
    from_account=_ACCOUNT,
    to=views.PayeeView(kind="account", name="Penerima Contoh", account="10100000021"),
    amount="25000.00",
    tip="0.00",
    fee="0.00",
    total="25000.00",
    refunded="0.00",
    advanced="0.00",
    currency="IDR",
    reference="5D1F-3C9A-0B11",
    network_reference="",
    accepted_at=_NOON,
    concluded_at=_NOON + timedelta(milliseconds=12),
    next_word_at=None,
    refusal=None,
    original_id=None,
    repeated=False,
    timeline=[],
)
_UNANSWERED: Final = replace(
    _PAID,
    id=_OPEN,
    service="mobile.transfer.bifast",
    state="unanswered",
    to=views.PayeeView(
        kind="bank", name="Penerima Contoh", account="0140000123", city="Bank Contoh"
    ),
    fee="2500.00",
    total="27500.00",
    reference="0C2E-7F61-D822",
    concluded_at=None,
    next_word_at=_NEXT,
)
_REFUSED: Final = replace(
    _PAID,
    state="refused",
    refusal=views.RefusalView(code="insufficient_funds", field="", detail=""),
)
_GIVEN_BACK: Final = replace(
    _PAID,
    id=_REFUND,
    kind="refund",
    amount="5000.00",
    total="5000.00",
    reference="92AA-10B3-E433",
    original_id=_PAYMENT,
)
_LINE: Final = care.CaseLine(
    id=_CASE,
    number="P-2603-000017",
    state="waiting",
    words="Menunggu jawaban jaringan. Dana Anda masih ditahan; kabar berikutnya pukul 12.15 WIB.",
    about=About.NO_WORD,
    payment_id=_OPEN,
    opened_at=_NOON,
    due_at=_NOON + timedelta(days=7),
    decided_at=None,
    outcome=None,
)
_COMPLAINT: Final = care.CaseView(
    **{name: getattr(_LINE, name) for name in _LINE.__struct_fields__},
    act_by=_NEXT,
    answer="",
    reason="",
    may_object=False,
    laps=False,
    timeline=[care.CaseStepView(at=_NOON, what="received", words="Pengaduan diterima")],
    messages=[care.MessageView(at=_NOON, mine=True, text="Uang saya belum sampai.")],
    evidence=[
        care.EvidenceView(file=1, media="image/jpeg", size_bytes=48_213, pages=1, given_at=_NOON)
    ],
)
_MESSAGE: Final = {"a word more": care.NewMessage(text="Penerima bilang belum ada dana masuk.")}
_POINT: Final = (
    "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM"
)
"""The public point of RFC 8291's own example."""
_PUSH: Final = care.NewPush(
    endpoint="https://push.example/send/kd83hf0aLq",
    keys=care.NewPushKeys(
        p256dh=_POINT,
        auth="tBHItJI5svbpez7KI4CCXg",
    ),
)
_SHOP: Final = service.ShopView(
    merchant_id="TGH000000001",
    name="WARUNG CONTOH",
    nmid="ID1020000000001",
    criteria="UMI",
    paid="now",
    static_code=_QR,
    today="1250000.00",
    payments_today=42,
    discount_today="0.00",
    waiting="0.00",
)
_ASK_BANK: Final = service.AskBank(bank="014", account="0140000123", amount="25000.00")
_ASKS: Final[dict[str, dict[str, Any]]] = {
    "openSession": {
        "a device that is known": views.OpenSession("628110000001", "123456", device=_TOKEN),
        "a new device with its code": views.OpenSession(
            "628110000001", "123456", code="482913", attempt="bHAx0vTq5m0eWq2n"
        ),
    },
    "readQr": {"a code": views.ReadQr(qr=_QR)},
    "createPayment": {
        "a transfer": views.PayTransfer(_ACCOUNT, "10100000021", "25000.00", "makan siang"),
        "a QRIS code": views.PayQris(_ACCOUNT, _QR, amount="25000.00", tip="2000.00"),
        "what was inquired": views.PayInquired(_ACCOUNT, f"{_TOKEN}.{_TOKEN}"),
    },
    "createRefund": {"a part": views.NewRefund(amount="5000.00", reason="salah ukuran")},
    "createInquiry": {
        "an account at another bank": _ASK_BANK,
        "whose account a number stands for": service.AskProxy("628110000042", "25000.00"),
        "an e-wallet": service.AskWallet("gopay", "628110000042", "25000.00"),
        "a bill": service.AskBill("electricity", "530000000012"),
        "an e-money card": service.AskPurse("9360099930000001"),
    },
    "createCode": {"cash without a card": service.NewCode("cash", _ACCOUNT, "500000.00")},
    "createBill": {"a bill for the table": service.NewBill("25000.00", "MEJA-7", 15)},
    "openComplaint": {
        "no word of a payment": care.NewComplaint(
            About.NO_WORD, "Uang saya belum sampai.", payment_id=_OPEN
        )
    },
    "addMessage": _MESSAGE,
    "readNotices": {"one notice": care.Seen(ids=[_NOTICE])},
    "addPush": {"a browser": _PUSH},
    "forgetPush": {"a browser": _PUSH},
}
_TOLD: Final[dict[str, dict[int, dict[str, Any]]]] = {
    "openSession": {
        201: {
            "a session": views.SessionView(
                token=_TOKEN,
                signing_key="c2lnbmluZyBrZXkgb2YgMzIgYnl0ZXMsIHRvbGQgb24=",
                customer_id=1,
                expires_at=_NOON + timedelta(days=30),
                device=_TOKEN,
            )
        }
    },
    "getMe": {200: {"a customer": views.Me(1, "Nasabah Contoh", "id")}},
    "listAccounts": {
        200: {
            "one account with money set aside": views.Accounts(
                [
                    views.AccountView(
                        account=_ACCOUNT,
                        product="current",
                        currency="IDR",
                        posted="1250000.00",
                        held="27500.00",
                        available="1222500.00",
                        state="open",
                        as_of=_NOON,
                    )
                ]
            )
        }
    },
    "getHistory": {
        200: {
            "the last page": views.History(
                [
                    views.EntryView(
                        seq=2,
                        amount="-25000.00",
                        balance="1225000.00",
                        posted_at=_NOON,
                        kind="payment",
                        payment_id=_PAYMENT,
                        note="makan siang",
                    )
                ],
                None,
            )
        }
    },
    "getBalanceAt": {200: {"at noon": views.BalanceAt(_ACCOUNT, "1225000.00", _NOON)}},
    "readQr": {
        200: {
            "a shop's code": views.ReadingView(
                valid=True,
                kind="static",
                merchant_name="WARUNG CONTOH",
                merchant_city="BANDUNG",
                acquirer="Bank Contoh",
                nmid="ID1020000000001",
                amount=None,
                tip="none",
                errors=[],
                warnings=[],
            ),
            "no QRIS code": views.ReadingView(
                valid=False,
                kind="static",
                merchant_name="",
                merchant_city="",
                acquirer="",
                nmid="",
                amount=None,
                tip="none",
                errors=[views.FindingView("crc_wrong", "63", "the checksum does not fit")],
                warnings=[],
            ),
        }
    },
    "createPayment": {
        200: {"the same order again": replace(_PAID, repeated=True)},
        201: {"it arrived": _PAID, "it was refused": _REFUSED},
        202: {"nobody knows its end yet": _UNANSWERED},
    },
    "listPayments": {200: {"two payments": views.Payments([_UNANSWERED, _PAID], None)}},
    "getPayment": {
        200: {
            "with its timeline": replace(
                _PAID, timeline=[views.EventView(at=_NOON, state="posted", what="posted")]
            )
        }
    },
    "createRefund": {
        200: {"the same order again": replace(_GIVEN_BACK, repeated=True)},
        201: {"it was given back": _GIVEN_BACK},
        202: {
            "nobody knows its end yet": replace(_GIVEN_BACK, state="unanswered", concluded_at=None)
        },
    },
    "listServices": {
        200: {
            "one open in part": service.Services(
                [service.ServiceView("mobile.qris.offus", "QRIS", "QRIS", is_open=True, shut=_SHUT)]
            )
        }
    },
    "createInquiry": {
        201: {
            "who would be paid": service.InquiryView(
                inquiry=f"{_TOKEN}.{_TOKEN}",
                service="mobile.transfer.bifast",
                name="Penerima Contoh",
                amount="25000.00",
                fee="2500.00",
                lines=[service.LineView("bank", "Bank Contoh")],
                expires_at=_NEXT,
            )
        }
    },
    "createCode": {201: {"eight digits": service.CodeView("cash", "48291377", _NEXT)}},
    "listCodes": {
        200: {
            "one code": service.Codes(
                [service.LiveCode(_PAYMENT, "cash", _ACCOUNT, "500000.00", _NEXT)]
            )
        }
    },
    "listShops": {200: {"one shop": service.Shops([_SHOP])}},
    "createBill": {
        201: {
            "a code to be shown": service.BillView(
                bill_no="MEJA-7",
                code=_QR,
                amount="25000.00",
                expires_at=_NEXT,
                picture='<svg width="148" height="148"><path d="M4 4h7"/></svg>',
            )
        }
    },
    "openComplaint": {
        200: {"the same complaint again": _COMPLAINT},
        201: {"it was received": _COMPLAINT},
    },
    "listComplaints": {200: {"one complaint": care.Cases([_LINE])}},
    "getComplaint": {200: {"it waits for the network": _COMPLAINT}},
    "addMessage": {200: {"it was added": _COMPLAINT}},
    "addEvidence": {201: {"it was taken": _COMPLAINT}},
    "listNotices": {
        200: {
            "one new notice": care.Inbox(
                1,
                [
                    care.NoticeView(
                        id=_NOTICE,
                        matter=f"payment:{_PAYMENT}",
                        title="Transfer berhasil",
                        text="Rp25.000 sudah sampai pada 20 Maret 2026 pukul 12.00 WIB.",
                        made_at=_NOON,
                        read_at=None,
                    )
                ],
            )
        }
    },
    "readNotices": {200: {"one was new": care.SeenView(1)}},
    "getPush": {200: {"the bank's key": care.PushKey(_POINT)}},
}


def of(operation_id: str) -> tuple[Mapping[str, Any], Mapping[int, Mapping[str, Any]]]:
    """What is asked of an operation, and what it answers by status; each by what it shows."""
    return _ASKS.get(operation_id, {}), _TOLD.get(operation_id, {})
