"""Templates to HTML: what every page may use, and nothing else. Escapes everything it is given."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tangguh.core import format as written
from tangguh.web.words import Words, read_all

_HERE: Final = Path(__file__).parent.parent
_STATIC: Final = _HERE / "static"

WORDS: Final[dict[str, Words]] = read_all()

_environment: Final = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(
    money=written.money,
    signed_money=written.signed_money,
    spoken_money=written.spoken_money,
    percent=written.percent,
    instant=written.instant,
    clock_time=written.clock_time,
    moment=written.moment,
    spoken=written.spoken,
    local_phone=written.local_phone,
    masked=written.masked,
    masked_aloud=written.masked_aloud,
)


def render(template: str, language: str, **values: Any) -> str:
    """A template in a language. Raises UndefinedError when it needs what it was not given."""
    found = _environment.get_template(template)
    return found.render(t=WORDS[language], lang=language, **values)


def show(template: str, language: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A template as an answer."""
    return HTMLResponse(render(template, language, **values), status)


def _static_url(name: str) -> str:
    """Where a static file is; a changed file has another address, so caches never lie."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


_environment.globals["static"] = {
    path.name: _static_url(path.name) for path in sorted(_STATIC.iterdir()) if path.is_file()
}
