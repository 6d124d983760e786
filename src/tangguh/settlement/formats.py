"""The networks we settle with: how each writes its file, when it cuts off, who owns its breaks.

A network is a row of this table, not code: another layout is another ``Layout``. The layout here is
our own, because the real ones are not public; cut-offs are our choice for the same reason. Pure.
"""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.service import CARD_CASH
from tangguh.ledger import chart

OWED: Final = 1
DUE: Final = -1
"""The two signs of a line: what we owe the network is positive, what is due to us negative."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is written: the order of the columns and the codes in them.

    ``kinds`` tells our word for each kind code (payment, credit, reversal, refund), ``sides`` the
    sign of each side code. A kind in ``may_repeat`` may come several times for one reference (a
    payment given back in parts), told apart by the network's own reference and the instant.
    """

    separator: str = "|"
    header: tuple[str, ...] = (
        "tag",
        "version",
        "network",
        "participant",
        "day",
        "cycle",
        "currency",
    )
    line: tuple[str, ...] = (
        "tag",
        "number",
        "kind",
        "side",
        "reference",
        "network_reference",
        "amount",
        "fee",
        "at",
    )
    trailer: tuple[str, ...] = ("tag", "lines", "owed", "due", "sha256")
    header_tag: str = "H"
    line_tag: str = "D"
    trailer_tag: str = "T"
    version: str = "1"
    kinds: tuple[tuple[str, str], ...] = (
        ("PAY", "payment"),
        ("CRE", "credit"),
        ("REV", "reversal"),
        ("REF", "refund"),
    )
    sides: tuple[tuple[str, int], ...] = (("O", OWED), ("I", DUE))
    may_repeat: tuple[str, ...] = ("REV",)


OURS: Final = Layout()


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """One network: its file, its cycles, our accounts with it, and who looks after its breaks.

    ``accounts``: where its payments stand in the book; a line nobody knows stands on the first.
    ``rails``: the rails whose payments carry references of this network. ``named_by_key``: services
    it knows by their idempotency key. ``trace_in_parts``: what comes from it stands in the book as
    acquirer-DE7-DE11-DE37, in its file as the last three in a row. ``deposit_floor_minor``: not
    zero when the network is paid in advance; then a position moves nothing, and a deposit below
    this is to be filled up to twice it. ``absence_proves``: a payment in none of the files of its
    day and the next never took place.
    """

    name: str
    participants: tuple[str, ...]
    accounts: tuple[int, ...]
    rails: tuple[str, ...]
    owner: str
    layout: Layout = OURS
    cut_offs: tuple[str, ...] = ("24:00",)
    named_by_key: tuple[str, ...] = ()
    trace_in_parts: bool = False
    deposit_floor_minor: int = 0
    absence_proves: bool = True

    @property
    def is_prefunded(self) -> bool:
        """Whether our money is there before a payment is."""
        return self.deposit_floor_minor > 0


PARTNER: Final = "BANKTANGGUH"
"""What the demo's SNAP partners call this bank."""
_DEPOSIT_FLOOR_MINOR: Final = 250_000_000_00

NETWORKS: Final[dict[str, Network]] = {
    network.name: network
    for network in (
        Network(
            name="qris",
            participants=(PARTNER,),
            accounts=(chart.SETTLEMENT_QRIS,),
            rails=("qris", "onus"),
            owner="qris desk",
            cut_offs=("12:00", "24:00"),
        ),
        Network(
            name="bifast",
            participants=("TGUHIDJ1",),
            accounts=(chart.SETTLEMENT_BIFAST,),
            rails=("bifast",),
            owner="transfer desk",
        ),
        Network(
            name="cards",
            participants=("999",),
            accounts=(chart.SETTLEMENT_CARDS,),
            rails=("iso8583", "onus"),
            owner="card desk",
            named_by_key=(CARD_CASH,),
            trace_in_parts=True,
        ),
        *(
            Network(
                name=wallet,
                participants=(PARTNER,),
                accounts=(account,),
                rails=("ewallet",),
                owner="partner desk",
                deposit_floor_minor=_DEPOSIT_FLOOR_MINOR,
                absence_proves=False,
            )
            for wallet, account in chart.PARTNER_OF_WALLET.items()
        ),
        Network(
            name="billers",
            participants=(PARTNER,),
            accounts=tuple(chart.SETTLEMENT_OF_BILLER.values()),
            rails=("billers",),
            owner="partner desk",
            absence_proves=False,
        ),
    )
}

OUR_MACHINES: Final = "atm"
"""Stands for a network in breaks of our own machines' cassettes: they have no file."""
OWNER_OF_CASH: Final = "cash desk"

OWNER_OF_THE_REST: Final = "finance desk"
"""Who looks after suspense that belongs to no network."""


def owner_of_account(account_id: int) -> str:
    """Who looks after one of the bank's own accounts."""
    for network in NETWORKS.values():
        if account_id in network.accounts:
            return network.owner
    return OWNER_OF_THE_REST
