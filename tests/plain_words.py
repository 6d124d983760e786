"""What nobody should read: figures, dates, numbers and codes as a machine writes them."""

from __future__ import annotations

import re

from tangguh.core.service import SERVICES
from tangguh.ledger import chart

_OWN = "|".join(sorted(str(number) for number in chart.OWN_ACCOUNTS))
RULES: dict[str, re.Pattern[str]] = {
    "an amount without its form": re.compile(r"(?<![\d.,])\d{4,}\.\d{2}(?![\d.])"),
    "a date of a machine": re.compile(r"\b20\d{2}-\d{2}-\d{2}(?:T|\b)"),
    "a number of the bank's own accounts": re.compile(rf"(?<![\d.,-])(?:{_OWN})(?![\d.,-])"),
    "Rp without a sum": re.compile(r"\bRp(?!\s?\d)"),
    "a sum that is ungrouped": re.compile(r"Rp\d{4,}"),
    "a name of the code": re.compile(r"\b[a-z]+(?:_[a-z]+)+\b"),
    "a service's id": re.compile("|".join(re.escape(one) for one in SERVICES)),
    "a placeholder": re.compile(r"\{[a-z_]+\}|\bNone\b|\bnull\b|\bundefined\b|\bNaN\b"),
}


def unread(text: str) -> list[str]:
    """Every such place in a text, with what is wrong about it."""
    return [
        f"{rule}: {text[max(found.start() - 20, 0) : found.end() + 20]!r}"
        for rule, pattern in RULES.items()
        for found in pattern.finditer(text)
    ]
