"""Words to everybody that lead people away: another site, a number to call or pay, a PIN."""

from __future__ import annotations

import pytest

from tangguh.notices.traps import traps_in


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Buka http://evil.example untuk memulihkan akun.", "link"),
        ("Kunjungi bank-tangguh.co dan masuk.", "link"),
        ("Write to help@bank.example.", "link"),
        ("Pindahkan saldo ke 0812 3456 7890.", "number"),
        ("Pindahkan saldo ke 10100000081.", "number"),
        ("Ketik PIN Anda di aplikasi.", "secret"),
        ("Tell our staff your login code.", "secret"),
        ("Your m\u043eney is s\u0430fe.", "alphabet"),
        ("a" * 401, "long"),
    ],
)
def test_what_robs_people_is_named(text: str, rule: str) -> None:
    assert rule in {found for found, _ in traps_in(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Transfer BI-FAST ditutup sementara. Saldo Anda tetap tercatat.",
        "807 orders of Rp227.100.000.000 left between 20.00 and 20.20 on 28 Nov 2026.",
        "Kabar berikutnya paling lambat 13.45 WIB, 28 Nov 2026.",
        "QRIS, kartu, dan dompet berjalan; BI-FAST keluar tidak.",
        "Résumé: closed for now. The next word is at 14:05.",
    ],
)
def test_what_says_what_is_closed_may_be_said(text: str) -> None:
    assert list(traps_in(text)) == []
