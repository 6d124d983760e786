"""A payload opened into its levels, and the list of what the rules found on it. Never raises."""

from __future__ import annotations

from typing import Final

import msgspec

from tangguh.core.money import NotMoney, parse_decimal
from tangguh.rails.qris.message import Finding
from tangguh.rails.qris.tlv import Level, walk

PAYLOAD_LENGTH_MAX: Final = 512
ACCOUNT_FIELDS: Final = frozenset(f"{field}" for field in range(26, 46) if field != 40)
TRANSFER_FIELD: Final = "40"
_TEMPLATES: Final = frozenset({"62", "64"})
_TEMPLATES_DOMESTIC: Final = _TEMPLATES | ACCOUNT_FIELDS | {TRANSFER_FIELD, "51"}
_PAYLOAD_BYTES_MAX: Final = PAYLOAD_LENGTH_MAX * 4


class Page(msgspec.Struct, frozen=True):
    """A payload opened: its own fields and those inside its templates.

    ``inner`` is 62.99. ``domestic`` is whether Indonesian layout applies; the account templates of
    a foreign code stay closed, since their layout is that country's affair.
    """

    payload: str
    root: Level
    templates: dict[str, Level]
    inner: Level | None
    domestic: bool

    @property
    def values(self) -> dict[str, str]:
        """The fields of the payload itself."""
        return self.root.values

    @property
    def whole(self) -> bool:
        """Whether all of the payload could be read, so that a field not seen is truly missing."""
        return self.root.broken is None

    @property
    def transfer(self) -> bool:
        """Whether this is a QRIS transfer."""
        return self.domestic and TRANSFER_FIELD in self.root.values


class Found:
    """Collects what the rules find on one page."""

    def __init__(self) -> None:
        self.errors: list[Finding] = []
        self.warnings: list[Finding] = []

    def refuse(self, code: str, field: str, detail: str) -> None:
        """Note an error: the code must not be paid."""
        self.errors.append(Finding(code, field, detail))

    def warn(self, code: str, field: str, detail: str) -> None:
        """Note a warning: unusual, but payable."""
        self.warnings.append(Finding(code, field, detail))

    def check_length(self, value: str, path: str, length_max: int) -> None:
        """Refuse a value longer than its field may be."""
        if len(value) > length_max:
            self.refuse(
                f"field_{flat(path)}_too_long",
                path,
                f"Field {path} has {len(value)} characters; it may have {length_max}.",
            )

    def require(self, level: Level, template: str, fields: tuple[str, ...]) -> None:
        """Refuse a template in which a mandatory field is missing."""
        if level.broken is not None:
            return
        for field in fields:
            if field not in level.values:
                path = f"{template}.{field}"
                self.refuse(f"field_{flat(path)}_missing", path, f"Field {path} is missing.")


def open_text(payload: str | bytes) -> str | Finding:
    """The payload as text, or why it cannot be one. Any oversize is refused in the same time."""
    if len(payload) > (_PAYLOAD_BYTES_MAX if isinstance(payload, bytes) else PAYLOAD_LENGTH_MAX):
        return _TOO_LONG
    try:
        text = payload.decode() if isinstance(payload, bytes) else payload
        text.encode()
    except UnicodeError:
        return Finding("payload_not_text", "payload", "The payload is not readable as UTF-8 text.")
    if len(text) > PAYLOAD_LENGTH_MAX:
        return _TOO_LONG
    if not text:
        return Finding("payload_empty", "payload", "There is nothing to read.")
    return text


_TOO_LONG: Final = Finding(
    "payload_too_long", "payload", f"A code holds at most {PAYLOAD_LENGTH_MAX} characters."
)


def walk_any(payload: str) -> Level:
    """One level whose lengths count characters, or bytes of UTF-8 where its writer counted those.

    A code that walks to its end by characters is never read another way.
    """
    by_characters = walk(payload)
    if by_characters.broken is None or payload.isascii():
        return by_characters
    by_bytes = walk(payload.encode().decode("latin-1"))
    if by_bytes.broken is not None:
        return by_characters
    try:
        values = {
            field: value.encode("latin-1").decode() for field, value in by_bytes.values.items()
        }
    except UnicodeDecodeError:
        return by_characters
    return Level(values, by_bytes.repeated)


def open_page(payload: str) -> Page:
    """Walk the payload and every template in it that we know."""
    root = walk_any(payload)
    country = root.values.get("58", "ID")
    domestic = country == "ID" or not is_country(country)
    known = _TEMPLATES_DOMESTIC if domestic else _TEMPLATES
    templates = {field: walk(value) for field, value in root.values.items() if field in known}
    additional = templates.get("62")
    inner = additional.values.get("99") if additional else None
    return Page(payload, root, templates, None if inner is None else walk(inner), domestic)


def is_country(text: str) -> bool:
    """Whether the text has the shape of an ISO 3166-1 country code."""
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def is_proprietary(inner: Level) -> bool:
    """Whether 62.99 has the standard's layout: 00 and 01, each once, filled, nothing else."""
    if inner.broken is not None or inner.repeated or "" in inner.values.values():
        return False
    return inner.values.keys() == {"00", "01"}


def is_digits(text: str) -> bool:
    """Whether the text is ASCII digits only, and at least one."""
    return text.isascii() and text.isdigit()


def minor_of(text: str | None) -> int | None:
    """Hundredths of a decimal as written, or None where it is absent or malformed."""
    if text is None:
        return None
    try:
        return parse_decimal(text)
    except NotMoney:
        return None


def flat(path: str) -> str:
    """A field's path as part of an error code: 26.01 becomes 26_01."""
    return path.replace(".", "_")


def show(text: str) -> str:
    """A short, harmless rendering for a sentence: whatever the text holds, it is plain ASCII."""
    return ascii(text if len(text) <= 20 else text[:20] + "...")
