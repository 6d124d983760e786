"""The settlement file's layout: what it counts, sums and seals."""

from __future__ import annotations

from datetime import date
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from tangguh.sim.settlement import SettlementLine, file_of

DAY = date(2026, 3, 20)


def line(**changes: object) -> SettlementLine:
    """Rp100 the participant owes."""
    plain = {
        "kind": "PAY",
        "side": "O",
        "reference": "R1",
        "network_reference": "N1",
        "amount_minor": 100_00,
        "at": "2026-03-20T05:00:00.000000+00:00",
    }
    return SettlementLine(**{**plain, **changes})


def test_the_whole_file() -> None:
    text = file_of(
        "gopay",
        "TGH",
        DAY,
        0,
        [line(), line(kind="REV", side="I", reference="R2", amount_minor=5, fee_minor=1_50)],
    )
    body, trailer = text.rsplit("T|", 1)
    assert body == (
        "H|1|gopay|TGH|2026-03-20|0|IDR\n"
        "D|1|PAY|O|R1|N1|100.00|0.00|2026-03-20T05:00:00.000000+00:00\n"
        "D|2|REV|I|R2|N1|0.05|1.50|2026-03-20T05:00:00.000000+00:00\n"
    )
    assert trailer == f"2|100.00|0.05|{sha256(body.encode()).hexdigest()}\n"


def test_a_day_without_anything() -> None:
    text = file_of("qris", "TGH", DAY, 2, [])
    assert text.startswith("H|1|qris|TGH|2026-03-20|2|IDR\nT|0|0.00|0.00|")


_LINES = st.lists(
    st.builds(
        line,
        kind=st.sampled_from(["PAY", "CRE", "REV", "REF"]),
        side=st.sampled_from("OI"),
        reference=st.text("ABC0123", min_size=1, max_size=30),
        amount_minor=st.integers(0, 10**15),
    ),
    max_size=20,
)


@given(_LINES)
def test_sums_and_seal(lines: list[SettlementLine]) -> None:
    """Amounts survive to the sen, the trailer counts and adds up, one byte changes the hash."""
    text = file_of("net", "TGH", DAY, 1, lines)
    rows = [row.split("|") for row in text.splitlines()]
    details, trailer = rows[1:-1], rows[-1]
    assert [int(row[1]) for row in details] == list(range(1, len(lines) + 1))
    assert [int(row[6].replace(".", "")) for row in details] == [one.amount_minor for one in lines]
    for place, side in ((2, "O"), (3, "I")):
        owed = sum(one.amount_minor for one in lines if one.side == side)
        assert int(trailer[place].replace(".", "")) == owed
    body = text[: text.rindex("T|")].encode()
    assert trailer[4] == sha256(body).hexdigest()
    assert sha256(body + b" ").hexdigest() != trailer[4]
