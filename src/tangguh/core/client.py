"""The kinds of client that speak to the bank; each proves itself in a way of its own. Pure."""

from __future__ import annotations

from enum import StrEnum


class Client(StrEnum):
    """Who sends. The bank sets it from how the sender proved itself, never from what it says."""

    DEVICE = "device"
    """A customer's app: a session's token, and a signature under every order."""
    BROWSER = "browser"
    """A customer's browser: a cookie, a form of ours, and the PIN at every order."""
    TERMINAL = "terminal"
    """One of our machines: a signed-on line, a card and its PIN, or a one-time code."""
    CARD_SWITCH = "card_switch"
    """The card network: a signed-on line, message authentication."""
    QRIS_SWITCH = "qris_switch"
    """The QRIS network: SNAP's signature."""
    HUB = "hub"
    """The BI-FAST hub: a signed message."""
    OPERATOR = "operator"
    """A transit operator: a signed call and a signed file, every line with its own MAC."""
    STAFF = "staff"
    """People of the bank: acts, by the table of acts; no orders."""
    WATCH = "watch"
    """The process beside the bank that compares settlement: signed closures; no orders."""
    BANK = "bank"
    """The bank itself: payments to itself by which a rail is rehearsed, repairs, advances."""
