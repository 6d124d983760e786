"""What a SNAP request must say: each field there and of its form, or refused by name. Pure.

Source: ASPI's SNAP developer site: 400/02 for a mandatory field that is missing, 400/01 for one
whose form is wrong, each message naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tangguh.core.json_once import RepeatedName, load_once
from tangguh.core.money import MINOR_MAX
from tangguh.core.text import unfit_in
from tangguh.rails.snap_amount import minor_of

TEXT_LENGTH_MAX: Final = 64
NAME: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]*")
"""What names a payment, a bank or a shop: it stands in files and lists, apart from all else."""
DIGITS: Final = re.compile(r"[0-9]{1,19}")


class NoticeRefused(msgspec.Struct, frozen=True):
    """Why a request was not taken: the SNAP code to answer with, and the field it is about."""

    response_code: str
    field: str
    detail: str

    @property
    def message(self) -> str:
        """The standard's own words for the two commonest cases, with what is wrong."""
        case = self.response_code[:3] + self.response_code[5:]
        begins = {"40002": "Invalid Mandatory Field ", "40001": "Invalid Field Format "}.get(case)
        if begins is None:
            return f"{self.field} {self.detail}".strip()
        return f"{begins}{self.field}: {self.detail}"


def object_of(body: bytes, service: str) -> dict[str, Any] | NoticeRefused:
    """The object a body is: every member named once, every text fit to be kept."""
    try:
        # UTF-8 alone: in any other encoding the blanks a signature leaves out are parts of letters.
        fields = load_once(body)
    except RepeatedName as fault:
        return NoticeRefused(f"400{service}01", fault.name[:TEXT_LENGTH_MAX], "is given twice")
    except (ValueError, RecursionError):
        return NoticeRefused(f"400{service}00", "body", "not a JSON object")
    if not isinstance(fields, dict):
        return NoticeRefused(f"400{service}00", "body", "not a JSON object")
    if found := unfit_in(fields):
        return NoticeRefused(f"400{service}01", found.field or "body", found.rule)
    return fields


class Wants:
    """Reads the fields of one request, the mandatory ones first; the first no is kept."""

    def __init__(self, fields: Mapping[str, Any], service: str) -> None:
        self._fields = fields
        self._service = service
        self.refused: NoticeRefused | None = None
        more = fields.get("additionalInfo")
        if more is not None and not isinstance(more, dict):
            self._no("01", "additionalInfo", "is an object")
        self._more: Mapping[str, Any] = more if isinstance(more, dict) else {}

    def text(
        self,
        name: str,
        form: re.Pattern[str] | None = None,
        *,
        must: bool = False,
        inner: bool = False,
    ) -> str:
        """A text of at most 64 characters, of this form; empty when it is not there or refused."""
        value = (self._more if inner else self._fields).get(name)
        path = f"additionalInfo.{name}" if inner else name
        if value is None or value == "":
            if must:
                self._no("02", path, "is mandatory")
            return ""
        if not isinstance(value, str) or len(value) > TEXT_LENGTH_MAX:
            self._no("01", path, f"is text of at most {TEXT_LENGTH_MAX} characters")
            return ""
        if form is not None and form.fullmatch(value) is None:
            self._no("01", path, "is digits" if form is DIGITS else "is letters and digits")
            return ""
        return value

    def minor(self, name: str, *, must: bool = False) -> int:
        """An amount of rupiah in minor units; zero when it is not there or is refused."""
        value = self._fields.get(name)
        if value is None:
            if must:
                self._no("02", name, "is mandatory")
            return 0
        minor = minor_of(value)
        if minor is None or minor > MINOR_MAX // 2:
            self._no("01", name, "is a value with two decimals and the currency IDR")
            return 0
        return minor

    def _no(self, case: str, field: str, detail: str) -> None:
        if self.refused is None:
            self.refused = NoticeRefused(f"400{self._service}{case}", field, detail)
