"""Two people at one terminal, for commands on a bank that is stopped."""

from __future__ import annotations

import getpass
import sys

from tangguh.app import Bank
from tangguh.config import two_staff_tokens
from tangguh.core.errors import Misconfigured
from tangguh.work.control.present import TwoPresent

_ASKED = (
    ("TANGGUH_STAFF_TOKEN", "Token of who proposes: "),
    ("TANGGUH_SECOND_STAFF_TOKEN", "Token of who signs: "),
)


def two_present(bank: Bank) -> TwoPresent:
    """Both, by their tokens from the environment or typed unseen. Raises Misconfigured."""
    tokens = [
        token or _typed(name, words)
        for token, (name, words) in zip(two_staff_tokens(), _ASKED, strict=True)
    ]
    return TwoPresent(bank.desk, bank.staff, bank.ids, *tokens)


def _typed(name: str, words: str) -> str:
    if not sys.stdin.isatty():
        raise Misconfigured(f"{name}: two people sign this, each by their own token")
    return getpass.getpass(words).strip()
