"""How money, times and account numbers are written for people: the same on every page.

Money is ``Rp1.500.000`` in both languages; times are WIB, with a dot in Indonesian and a colon in
English. Libraries disagree about both (spaces, zone names), so the rules are written out here and
once more in ``static/format.js``; the same golden cases test the two.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from tangguh.core.clock import JAKARTA
from tangguh.core.money import MINOR_MAX

_MONTHS: Final = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_CLOCK_WORD: Final = {"id": "pukul ", "en": ""}
_HAPPENED: Final = {"id": ("pada", "pukul"), "en": ("on", "at")}
_DAYS: Final = {"id": ("Hari ini", "Kemarin"), "en": ("Today", "Yesterday")}
_RUPIAH: Final = re.compile(r"^rp\.?", re.IGNORECASE)
_TYPED: Final = re.compile(r"(\d{1,16}|\d{1,3}(?:\.\d{3}){1,5})(?:,(\d{1,2}))?", re.ASCII)
_ENGLISH: Final = re.compile(
    r"(\d{1,3}(?:,\d{3}){2,5}|\d{1,3}(?:,\d{3}){1,5}(?=\.))(?:\.(\d{1,2}))?", re.ASCII
)
"""With two groups at least, or with a point behind them: one comma alone may be a decimal mark."""
_UNCLEAR: Final = re.compile(r"(\d{1,15}|\d{1,3}(?:\.\d{3})+)[.,](\d{1,6})", re.ASCII)


def money(minor: int) -> str:
    """``Rp1.500.000``, ``-Rp2.500``; sen only when there are some: ``Rp35,50``."""
    whole, sen = divmod(abs(minor), 100)
    sign = "-" if minor < 0 else ""
    grouped = f"{whole:,}".replace(",", ".")
    return f"{sign}Rp{grouped}" + (f",{sen:02d}" if sen else "")


def signed_money(minor: int) -> str:
    """Money that came in has a plus, money that went out a minus."""
    return f"+{money(minor)}" if minor > 0 else money(minor)


def spoken_money(minor: int, language: str) -> str:
    """What a screen reader says: the number in the reader's own grouping, and the word."""
    whole, sen = divmod(abs(minor), 100)
    sign = "minus " if minor < 0 else ""
    number = f"{whole:,}" + (f".{sen:02d}" if sen else "")
    if language == "id":
        number = number.translate({ord(","): ".", ord("."): ","})
    return f"{sign}{number} rupiah"


def percent(basis_points: int, language: str) -> str:
    """``0,7%`` or ``0.7%``: a share of the amount, without useless zeros."""
    mark = "," if language == "id" else "."
    whole, rest = divmod(basis_points, 100)
    return f"{whole}{mark}{rest:02d}".rstrip("0").rstrip(mark) + "%"


def clock_time(at: datetime, language: str, *, seconds: bool = False) -> str:
    """``14.05 WIB`` or ``14:05 WIB``."""
    mark = "." if language == "id" else ":"
    local = at.astimezone(JAKARTA)
    return local.strftime(f"%H{mark}%M{mark}%S" if seconds else f"%H{mark}%M") + " WIB"


def day(at: datetime, language: str) -> str:
    """``29 Mar 2025``, by the Jakarta calendar."""
    local = at.astimezone(JAKARTA)
    return f"{local.day} {_MONTHS[language][local.month - 1]} {local.year}"


def instant(at: datetime, language: str) -> str:
    """``29 Mar 2025 14.05 WIB`` or ``29 Mar 2025, 14:05 WIB``."""
    comma = "" if language == "id" else ","
    return f"{day(at, language)}{comma} {clock_time(at, language)}"


def moment(at: datetime, now: datetime, language: str) -> str:
    """An instant as a person says it: the time alone today, day and time otherwise."""
    same_day = at.astimezone(JAKARTA).date() == now.astimezone(JAKARTA).date()
    return clock_time(at, language) if same_day else instant(at, language)


def spoken(at: datetime, now: datetime, language: str) -> str:
    """An instant inside a sentence: ``pukul 14.05 WIB``, ``29 Mar 2025 pukul 14.05 WIB``."""
    same_day = at.astimezone(JAKARTA).date() == now.astimezone(JAKARTA).date()
    if same_day:
        return f"{_CLOCK_WORD[language]}{clock_time(at, language)}"
    return spoken_instant(at, language)


def spoken_instant(at: datetime, language: str) -> str:
    """Day and time inside a sentence; in English as it stands alone."""
    if language != "id":
        return instant(at, language)
    return f"{day(at, language)} {_CLOCK_WORD[language]}{clock_time(at, language)}"


def happened(at: datetime, now: datetime, language: str) -> str:
    """When something happened, with its preposition: ``pukul 14.05 WIB``, ``at 14:05 WIB``; on
    another day ``pada 29 Mar 2025 pukul 14.05 WIB``, ``on 29 Mar 2025 at 14:05 WIB``.
    """
    same_day = at.astimezone(JAKARTA).date() == now.astimezone(JAKARTA).date()
    if same_day:
        return f"{_HAPPENED[language][1]} {clock_time(at, language)}"
    return happened_on(at, language)


def happened_on(at: datetime, language: str) -> str:
    """The same with the day, whatever day it is: for letters."""
    on, by = _HAPPENED[language]
    return f"{on} {day(at, language)} {by} {clock_time(at, language)}"


def heading_day(at: datetime, now: datetime, language: str) -> str:
    """The heading over one day's lines: today and yesterday by name."""
    ago = (now.astimezone(JAKARTA).date() - at.astimezone(JAKARTA).date()).days
    return _DAYS[language][ago] if 0 <= ago <= 1 else day(at, language)


def masked(account_id: int) -> str:
    """An account number nobody can read over a shoulder: ``····1234``."""
    return "····" + str(account_id)[-4:]


def masked_aloud(account_id: int, language: str) -> str:
    """The same for a screen reader: the last four digits one by one."""
    digits = " ".join(str(account_id)[-4:])
    return f"berakhiran {digits}" if language == "id" else f"ending in {digits}"


def local_phone(phone: str) -> str:
    """An Indonesian number as people write it: ``0811 000 0001``. Others keep their country."""
    if not phone.startswith("62"):
        return f"+{phone}"
    return f"0{phone[2:5]} {phone[5:8]} {phone[8:]}"


def typed_minor(text: str) -> int | None:
    """What somebody typed as rupiah: ``25000``, ``25.000``, ``Rp 25.000,50``. None when unclear.

    ``25.00`` is unclear (twenty-five, or two thousand five hundred mistyped?) and never guessed.
    """
    meant = sums_meant(text)
    return meant[0] if len(meant) == 1 else None


def sums_meant(text: str) -> tuple[int, ...]:
    """Every sum a typed text may mean, in minor units, the smallest first; none when it is no sum.

    One where it follows the Indonesian form (``1.250.000,50``) or can only be the English one
    (``1,250,000.50``). Two where a mark may be a decimal mark or a misplaced group: ``2500.00``.
    """
    bare = _RUPIAH.sub("", re.sub(r"\s", "", text))
    if match := _TYPED.fullmatch(bare):
        found = {_minor(match[1].replace(".", ""), match[2] or "")}
    elif match := _ENGLISH.fullmatch(bare):
        found = {_minor(match[1].replace(",", ""), match[2] or "")}
    elif match := _UNCLEAR.fullmatch(bare):
        whole = match[1].replace(".", "")
        found = {_minor(whole + match[2], "")}
        if not match[2][2:].strip("0"):
            found.add(_minor(whole, match[2][:2]))
    else:
        return ()
    return tuple(sorted(minor for minor in found if minor <= MINOR_MAX))


def _minor(whole: str, sen: str) -> int:
    return int(whole) * 100 + int(sen.ljust(2, "0"))
