"""Badges: one component, or the bank, as a small picture with its words in it. Pure."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from tangguh.status.component import Condition
from tangguh.status.site.view import UNREACHABLE

_COLOURS: Final = {
    Condition.OPERATIONAL: "#1b6b3a",
    Condition.SCHEDULED_CHANGE: "#1a4f9c",
    Condition.DEGRADED: "#7a4b00",
    Condition.PARTNER_OUTAGE: "#7a4b00",
    Condition.PROTECTIVE_RESTRICTION: "#4b3a9e",
    Condition.DOWN: "#a61b1b",
    UNREACHABLE: "#a61b1b",
    Condition.NOT_MEASURED: "#4a5763",
}
_CHARACTER: Final = 6.8
_PAD: Final = 9


def badge(name: str, condition: str, word: str, language: str) -> bytes:
    """An SVG of a name and its state, readable without seeing it."""
    left = round(len(name) * _CHARACTER) + 2 * _PAD
    right = round(len(word) * _CHARACTER) + 2 * _PAD
    said = f"{name}: {word}"
    colour = _COLOURS.get(condition, "#4a5763")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="24" '
        f'viewBox="0 0 {left + right} 24" role="img" aria-label={quoteattr(said)} '
        f'xml:lang="{language}"><title>{escape(said)}</title>'
        f'<rect width="{left + right}" height="24" rx="5" fill="#14202b"/>'
        f'<path d="M{left} 0h{right - 5}a5 5 0 0 1 5 5v14a5 5 0 0 1-5 5H{left}z" fill="{colour}"/>'
        '<g fill="#fff" font-family="system-ui,-apple-system,Segoe UI,Roboto,sans-serif" '
        'font-size="12" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="16">{escape(name)}</text>'
        f'<text x="{left + right / 2:g}" y="16" font-weight="600">{escape(word)}</text>'
        "</g></svg>\n"
    ).encode()
