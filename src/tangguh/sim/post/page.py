"""The page that shows everybody's phone, and what a browser lets it do."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("page.html").read_text("utf-8")


def _hash_of(start: str, end: str) -> str:
    inside = PAGE.split(start, 1)[1].split(end, 1)[0]
    return f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"


_SCRIPT: Final = _hash_of('<script type="module">', "</script>")
_STYLE: Final = _hash_of("<style>", "</style>")
POLICY: Final = (
    f"default-src 'none'; script-src {_SCRIPT}; style-src {_STYLE}; img-src data:;"
    " connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
"""Only the one script of this file runs: words that were taken for a script would not."""
