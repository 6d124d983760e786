"""Parameters of a path, a query and of headers: the row that states one is what reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.requests import Request

from tangguh.core import numbers
from tangguh.core.assertions import OF_THE_BANK
from tangguh.web.problems import Trouble, trouble

PATH: Final = "path"
QUERY: Final = "query"
HEADER: Final = "header"
_ID: Final = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
# ISO 8601 as RFC 3339 narrows it, with its offset. That the day exists is judged when it is read.
_INSTANT: Final = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?"
    "([Zz]|[+-][0-9]{2}:?[0-9]{2})$"
)


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter. ``place`` is the path, the query or a header; ``about`` is for people.

    A query is said once or not at all; of a name that is said twice neither is believed.
    """

    name: str
    place: str = QUERY
    about: str
    is_required: bool = False
    example: Any = None

    @property
    def schema(self) -> dict[str, Any]:
        """What the document states: the rule that ``text_of`` and its readers hold."""
        raise NotImplementedError

    def text_of(self, request: Request) -> str | None:
        """As it was sent; None when it was not. Raises Trouble(parameter_invalid)."""
        if self.place == PATH:
            return str(request.path_params[self.name])
        said = request.query_params.getlist(self.name)
        if len(said) > 1:
            raise self.malformed("say it once")
        if not said and self.is_required:
            raise self.malformed("it is missing")
        return said[0] if said else None

    def malformed(self, rule: str) -> Trouble:
        """The no to a parameter that cannot be meant."""
        return trouble("parameter_invalid", rule, self.name)


class WholeNumber(Parameter, frozen=True, kw_only=True):
    """A whole number in plain digits, from ``least`` to ``most``."""

    least: int = 1
    most: int
    default: int | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """An integer with its bounds."""
        stated = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return stated if self.default is None else {**stated, "default": self.default}

    def of(self, request: Request, default: int = 0) -> int:
        """The number. Raises Trouble(parameter_invalid)."""
        text = self.text_of(request)
        if text is None:
            return default if self.default is None else self.default
        found = numbers.whole(text, self.most, self.least)
        if found is None:
            raise self.malformed(f"a whole number from {self.least} to {self.most}")
        return found


class Id(Parameter, frozen=True, kw_only=True):
    """A UUID in its usual spelling (RFC 9562 section 4)."""

    @property
    def schema(self) -> dict[str, Any]:
        """A string of this form."""
        return {"type": "string", "format": "uuid"}

    def of(self, request: Request) -> UUID | None:
        """The id; None when none was sent. Raises Trouble(parameter_invalid)."""
        text = self.text_of(request)
        return None if text is None else self.read(text)

    def read(self, text: str) -> UUID:
        """The id a text spells. Raises Trouble(parameter_invalid)."""
        if re.fullmatch(_ID, text, re.ASCII) is None:
            raise self.malformed("a UUID")
        return UUID(text)


class Instant(Parameter, frozen=True, kw_only=True):
    """An instant with its offset (RFC 3339)."""

    @property
    def schema(self) -> dict[str, Any]:
        """A string of this form."""
        return {"type": "string", "format": "date-time"}

    def of(self, request: Request) -> datetime:
        """The instant in UTC. Raises Trouble(parameter_invalid)."""
        text = self.text_of(request) or ""
        if re.fullmatch(_INSTANT, text, re.ASCII) is None:
            raise self.malformed("an RFC 3339 instant with its offset, e.g. Z")
        try:
            return msgspec.convert(text, datetime).astimezone(UTC)
        except (msgspec.ValidationError, OverflowError) as fault:
            raise self.malformed("an instant of the years 1 to 9999") from fault


class Choice(Parameter, frozen=True, kw_only=True):
    """One of some words."""

    words: tuple[str, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """The words."""
        return {"type": "string", "enum": list(self.words)}

    def of(self, request: Request, default: str) -> str:
        """The word. Raises Trouble(parameter_invalid)."""
        text = self.text_of(request)
        if text is None:
            return default
        if text not in self.words:
            raise self.malformed(" or ".join(self.words))
        return text


class Text(Parameter, frozen=True, kw_only=True):
    """A text of one form. ``code``: how it is refused when it has another."""

    pattern: str
    length_max: int | None = None
    code: str = "parameter_invalid"

    @property
    def schema(self) -> dict[str, Any]:
        """A string of this form."""
        stated: dict[str, Any] = {"type": "string", "pattern": self.pattern}
        return stated if self.length_max is None else {**stated, "maxLength": self.length_max}

    def of(self, request: Request, default: str = "") -> str:
        """The text. Raises Trouble with its own code."""
        text = self.text_of(request)
        if text is None:
            return default
        if not self.fits(text):
            raise trouble(self.code, "", self.name)
        return text

    def fits(self, text: str) -> bool:
        """Whether a text has the form, from its first character to its last."""
        is_long = self.length_max is not None and len(text) > self.length_max
        # A pattern has its own ends, as in the document; only a line feed behind them is no part.
        return (
            not is_long
            and re.search(self.pattern, text, re.ASCII) is not None
            and not (self.pattern.endswith("$") and text.endswith("\n"))
        )


KEY: Final = Text(
    name="Idempotency-Key",
    place=HEADER,
    about="Made by the device for this order; the same key and order give the same payment",
    is_required=True,
    # Printable ASCII without the mark that keys of the bank's own have.
    pattern=f"^[ -{chr(ord(OF_THE_BANK) - 1)}{chr(ord(OF_THE_BANK) + 1)}-~]{{1,64}}$",
    length_max=64,
    code="header_invalid",
    example="order-2026-03-20-0001",
)
TIMESTAMP: Final = Text(
    name="X-Timestamp",
    place=HEADER,
    about="Seconds since 1970 on the device, at most five minutes off",
    is_required=True,
    pattern="^[0-9]{1,12}$",
    code="header_invalid",
    example="1773982800",
)
SIGNATURE: Final = Text(
    name="X-Signature",
    place=HEADER,
    about="base64 HMAC-SHA256 by the session's signing key over method, path, body hash, "
    "timestamp and key, joined by newlines",
    is_required=True,
    pattern="^[!-~]{1,128}$",
    length_max=128,
    code="signature_wrong",
    example="q0pWb2E1c2lnbmF0dXJlIG9mIGFuIG9yZGVyIGJ5IGE=",
)
VERSION: Final = Text(
    name="X-App-Version",
    place=HEADER,
    about="The app's version; kept with the order for whoever looks into trouble",
    pattern="^[ -~]*$",
    example="4.2.0",
)
