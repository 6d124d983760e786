"""The simulator's own pages: one script, one style each, and what a browser lets them do."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


class OwnPage:
    """One page, read once. Only the script and the style of its file run, whatever it shows."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        script = self._hash_of('<script type="module">', "</script>")
        style = self._hash_of("<style>", "</style>")
        self.policy = (
            f"default-src 'none'; script-src {script}; style-src {style}; img-src data:;"
            " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )

    def _hash_of(self, start: str, end: str) -> str:
        inside = self.text.split(start, 1)[1].split(end, 1)[0]
        return f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"


NETWORKS: Final = OwnPage(HERE / "networks.html")
POST: Final = OwnPage(HERE / "post" / "page.html")
