"""Secrets in what people write: each comes out, and nothing else is touched."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.redaction.redact import BULLET, Secret, is_card, redact

TAKEN_OUT = [
    ("PIN saya 482913", "PIN saya ••••••", "pin"),
    ("pin: 482913", "pin: ••••••", "pin"),
    ("PIN482913", "PIN••••••", "pin"),
    ("PIN saya 482 913", "PIN saya ••••••", "pin"),
    ("PIN saya 4 8 2 9 1 3", "PIN saya ••••••", "pin"),
    ("PIN ATM saya adalah 4-8-2-9-1-3, tolong", "PIN ATM saya adalah ••••••, tolong", "pin"),
    ("PIN 482.913 saya", "PIN •••••• saya", "pin"),
    ("４８２９１３ itu PIN saya", "•••••• itu PIN saya", "pin"),
    ("ＰＩＮ saya ４８２９１３", "ＰＩＮ saya ••••••", "pin"),
    ("PIN saya ٤٨٢٩١٣", "PIN saya ••••••", "pin"),
    ("p.i.n saya 482913", "p.i.n saya ••••••", "pin"),
    ("PIN:\n482913", "PIN:\n••••••", "pin"),
    ("PIN saya empat delapan dua sembilan satu tiga", "PIN saya ••••••", "pin"),
    ("My PIN is 4829.", "My PIN is ••••.", "pin"),
    ("kata sandi saya 482913", "kata sandi saya ••••••", "pin"),
    ("password mobile banking = 482913", "password mobile banking = ••••••", "pin"),
    ("PIN yang saya masukkan di mesin 482913", "PIN yang saya masukkan di mesin ••••••", "pin"),
    ("saya sebut PIN saya ke penelpon, 482913", "saya sebut PIN saya ke penelpon, ••••••", "pin"),
    ("PIN lama 111222 dan PIN baru 333444", "PIN lama •••••• dan PIN baru ••••••", "pin"),
    ("(482913 PIN)", "(•••••• PIN)", "pin"),
    ("482913 PIN saya", "•••••• PIN saya", "pin"),
    ("Kode OTP yang masuk ke SMS saya 123456", "Kode OTP yang masuk ke SMS saya ••••••", "code"),
    ("Tadi CS minta OTP, saya kasih 482913", "Tadi CS minta OTP, saya kasih ••••••", "code"),
    ("482913 adalah kode OTP saya", "•••••• adalah kode OTP saya", "code"),
    ("OTP 1234 dan 5678", "OTP •••• dan ••••", "code"),
    ("kode verifikasi saya: 4829", "kode verifikasi saya: ••••", "code"),
    ("kodenya 482913", "kodenya ••••••", "code"),
    ("the code I got by SMS is 482913", "the code I got by SMS is ••••••", "code"),
    ("CVV nya 123", "CVV nya •••", "card_code"),
    ("kartu 4111 1111 1111 1111 tertelan", "kartu •••• 1111 tertelan", "card"),
    ("4111-1111-1111-1111", "•••• 1111", "card"),
    ("５５５５５５５５５５５５４４４４", "•••• 4444", "card"),
    ("kartu 9360099811111111119 hilang", "kartu •••• 1119 hilang", "card"),
    ("9360 0998 1111 1111 119", "•••• 1119", "card"),
    ("salah ketik 9360099811111111118", "salah ketik •••• 1118", "card"),
    ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "•••• 1111", "card"),
    ("4111111111111111 250000", "•••• 1111 250000", "card"),
    ("PIN:\n\n482913", "PIN:\n\n••••••", "pin"),
    ("P.I.N. saya 482913", "P.I.N. saya ••••••", "pin"),
    ("kode verifikasinya 482913", "kode verifikasinya ••••••", "code"),
    ("penipu minta kode, saya kasih 482913", "penipu minta kode, saya kasih ••••••", "code"),
    ("4111\n1111\n1111\n1111", "•••• 1111", "card"),
    ("4111, 1111, 1111, 1111", "•••• 1111", "card"),
    ("4111/1111/1111/1111", "•••• 1111", "card"),
    ("4111\u200b1111\u200b1111\u200b1111", "•••• 1111", "card"),
    ("4\u200d111111111111111", "•••• 1111", "card"),
    ("kartu 4111 1111 1111 1111, PIN 482913, CVV 123", "kartu •••• 1111, PIN ••••••, CVV •••",
     "pin card card_code"),
]  # fmt: skip

LEFT_ALONE = [
    "Saya lupa P I N. Lalu 500000 hilang",
    "token 4111\n1111\n1111\n1111\n0225",
    "500000\n500000\n500000",
    "Tahun 2019, 2020, 2021, 2022",
    "Rp250.000 pakai PIN",
    "Saya tarik 250000 pakai PIN",
    "transfer 250000 PIN salah",
    "PIN saya salah lalu saldo 250000 hilang",
    "PIN benar tetapi transfer Rp150000 tidak sampai",
    "bayar 150000. PIN saya salah",
    "Biaya ganti PIN 5000",
    "PIN salah 3 kali",
    "PIN diblokir pada 29032025",
    "PIN saya ditolak di mesin 482913",
    "Lupa PIN. 482913 adalah nomor pesanan",
    "pin sudah benar, struk nomor 004829",
    "OTP tidak masuk ke 081234567890",
    "OTP 6 digit tidak datang setelah 10 menit",
    "kode pos 12345",
    "kode booking 123456",
    "kode bayar 482913",
    "kode QR 482913",
    "kode unik 123",
    "Ref. 7K3M-9QXD-482913",
    "laporan TG26-7K3M-9QXD",
    "invoice INV482913",
    "INV/2026/11/000123",
    "nomor transaksi 123456789012",
    "token listrik 1234 5678 9012 3456 7890",
    "token listrik 4111 1111 1111 1111 0225",
    "rekening 10100000011",
    "Rp4.111.111.111.111.111",
    "20250329TNGHIDJA010O0112345678",
    "0000000000000000",
    "toko 936009990000000003",
    "Tunai Rp1.250.000 tidak keluar pukul 12.05 di ATM 482913",
    "makan siang 25000",
    "satu dua tiga empat lima enam",
]


@pytest.mark.parametrize(("text", "kept", "kinds"), TAKEN_OUT)
def test_a_secret_is_taken_out_and_named(text: str, kept: str, kinds: str) -> None:
    found = redact(text)
    assert found.text == kept
    assert found.removed == tuple(Secret(kind) for kind in kinds.split())
    assert redact(kept).text == kept


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_a_number_that_is_no_secret_stays(text: str) -> None:
    assert redact(text).text == text
    assert redact(text).removed == ()


_DIGITS = st.text("0123456789", min_size=6, max_size=6)
_AROUND = st.text(st.characters(codec="utf-8", exclude_characters="0123456789"), max_size=40)


@given(_DIGITS, st.sampled_from(["", " ", "-", "  ", ". "]), _AROUND)
def test_six_digits_after_the_word_pin_never_stay(digits: str, between: str, around: str) -> None:
    kept = redact(f"PIN saya {between.join(digits)}\n\n{around}").text
    assert digits not in re.sub(r"\D", "", kept.partition("\n\n")[0])


def _with_check_digit(rest: str) -> str:
    return next(rest + last for last in "0123456789" if is_card(rest + last))


_CARDS = st.tuples(
    st.sampled_from(["4", "51", "2221", "34", "6013", "93600999"]),
    st.text("0123456789", min_size=12, max_size=18),
).map(lambda parts: _with_check_digit((parts[0] + parts[1])[:15]))


@given(_CARDS, st.sampled_from(["", " ", "-", "."]))
def test_a_card_number_never_stays_whole(card: str, between: str) -> None:
    written = between.join(card[at : at + 4] for at in range(0, 16, 4))
    found = redact(f"Kartu saya {written} tertelan")
    assert found.text == f"Kartu saya {BULLET * 4} {card[-4:]} tertelan"
    assert found.removed == (Secret.CARD,)


@given(st.integers(1, 10**12), st.sampled_from(["Rp{}", "Rp {}", "IDR {}", "{} rupiah"]))
def test_an_amount_stays(rupiah: int, pattern: str) -> None:
    amount = pattern.format(f"{rupiah:,}".replace(",", "."))
    text = f"PIN saya benar, tetapi {amount} belum kembali"
    assert redact(text).text == text


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=12, max_size=12))
def test_a_reference_of_this_bank_stays(reference: str) -> None:
    grouped = f"{reference[:4]}-{reference[4:8]}-{reference[8:]}"
    text = f"Pembayaran Ref. {grouped} belum sampai"
    assert redact(text).text == text


@given(st.text(max_size=120) | st.text("PINpin0123456789 .-satudua:\n", max_size=120))
def test_a_second_time_changes_nothing_and_nothing_grows(text: str) -> None:
    once = redact(text)
    assert redact(once.text) == type(once)(once.text)
    assert len(once.text) <= len(text)
    assert (once.text == text) == (once.removed == ())


@pytest.mark.parametrize(
    "piece", ["1 ", "pin ", "pin 1", "p.i.", "rp1.", "satu ", "kode ", "4111-"]
)
def test_a_long_text_made_to_be_slow_is_not(piece: str) -> None:
    text = (piece * 2_000)[:2_000]
    began = time.perf_counter()
    redact(text)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "apart", ["\u200b", "\u200d", "\u2060", "\ufeff", "\n", "\t", "/", ",", "\u2013", "\u2009"]
)
def test_a_card_number_goes_whatever_stands_between_its_groups(apart: str) -> None:
    written = apart.join(("4111", "1111", "1111", "1111"))
    assert redact(f"kartu {written} hilang").removed == (Secret.CARD,)
