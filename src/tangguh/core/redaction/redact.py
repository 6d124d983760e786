"""Takes PINs, one-time codes, card numbers and card codes out of what somebody wrote. Pure.

People write them into complaints and notes because they believe it helps. What is stored can leak,
and is read by staff: so it goes before anything is kept or logged, and the writer is told.

A card number is found by its digits: 13 to 19 of them, a prefix that cards have, and a check digit
(ISO/IEC 7812-1); its last four stay, as on any receipt (PCI DSS 4.0, requirement 3.4.1). A PIN or a
code looks like any number: it is found by the word that names it, with nothing between them that
says the number is something else. References, amounts, accounts and power tokens stay whole.

What is taken out becomes bullets, the same in every language, so that a text has one hash.
``redact`` of its own result changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

import msgspec

from tangguh.core.redaction import vocabulary as words

BULLET: Final = "\N{BULLET}"


class Secret(StrEnum):
    """What was taken out. The value is told to programs; its words are the pages'."""

    PIN = "pin"
    CODE = "code"
    CARD = "card"
    CARD_CODE = "card_code"


class Redacted(msgspec.Struct, frozen=True):
    """A text without its secrets, and which kinds there were, in the order of ``Secret``."""

    text: str
    removed: tuple[Secret, ...] = ()


_FAR_WORDS: Final = 8
_NEAR_WORDS: Final = 7
_LENGTH_MIN: Final = 4
_LENGTH: Final = 6
"""Digits of this bank's PINs and codes; other banks' have four to eight."""
_LENGTH_MAX: Final = 8
_CARD_LENGTHS: Final = range(13, 20)
_NATIONAL: Final = "9360"
"""Cards of Indonesian banks begin with this and the bank's number (Bank Indonesia, GPN)."""
_NATIONAL_LENGTH: Final = 19
"""A merchant's public number begins alike and has eighteen digits; it is no secret."""
_CARD: Final = re.compile(
    r"4|5[0-8]|6|222[1-9]|22[3-9]|2[3-6]|27[01]|2720|3[47]|35[2-8]|30[0-5]|3[68]"
)
_RUN: Final = re.compile(r"[0-9]+(?:[ \-._\u00a0]{1,2}[0-9]+)*")
_FOURS: Final = re.compile(r"(?<![0-9])[0-9]{4}(?:[\s\-._,/]{1,3}[0-9]{4}){3,}(?![0-9])")
"""A card as it is printed, each four on a line of its own or apart by commas: other numbers that
stand so, such as sums below each other, are no groups of four.
"""
_TOKEN: Final = re.compile(
    r"(?P<word>[a-z]+)|(?P<number>[0-9]+)|(?P<stop>[.!?;]+(?=\s|$)|\n\s*\n)|(?P<mark>\S)"
)
_SPELLED_OUT: Final = re.compile(
    r"(?<![a-z])(?:p\.i\.n\.|o\.t\.p\.|c\.v\.v\.|p[\s.\-_*]{1,2}i[\s.\-_*]{1,2}n"
    r"|o[\s.\-_*]{1,2}t[\s.\-_*]{1,2}p|c[\s.\-_*]{1,2}v[\s.\-_*]{1,2}v"
    r"|m-pin|kata sandi|pass ?word|pass code)(?![a-z])"
)
"""A name written apart: read as one word in its place."""
_GLUE: Final = re.compile(r"[\s\-._,/*|]{0,3}")
_AMOUNT: Final = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    start: int
    end: int


class _Number(msgspec.Struct, frozen=True):
    """Digits that may be one secret. ``after``: the first token behind them."""

    start: int
    end: int
    digits: int
    after: int
    is_grouped: bool


def redact(text: str) -> Redacted:
    """The text without its secrets. The length never grows."""
    plain = _plain(text)
    if not _may_hold(plain):
        return Redacted(text)
    found = _cards(plain)
    hidden = _blanked(plain, found)
    found += _named(hidden)
    if not found:
        return Redacted(text)
    kinds = {kind for _, _, kind in found}
    for start, end, kind in sorted(found, reverse=True):
        text = f"{text[:start]}{_mask(plain[start:end], kind)}{text[end:]}"
    return Redacted(text, tuple(kind for kind in Secret if kind in kinds))


def is_card(digits: str) -> bool:
    """Whether digits are a card's: length, prefix and check digit.

    A national card's prefix is eight digits long: it is one with a wrong check digit too.
    """
    if digits.startswith(_NATIONAL):
        return len(digits) == _NATIONAL_LENGTH or (len(digits) == 16 and _luhn(digits))
    return (
        len(digits) in _CARD_LENGTHS
        and _CARD.match(digits) is not None
        and len(set(digits)) > 1
        and _luhn(digits)
    )


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _plain(text: str) -> str:
    """The same text in small ASCII letters and digits wherever a character stands for one."""
    if text.isascii():
        return text.lower()
    return "".join(_plain_character(one) for one in text)


def _plain_character(one: str) -> str:
    if one.isascii():
        return one.lower()
    digit = unicodedata.decimal(one, None)
    if digit is not None:
        return str(digit)
    apart = _APART.get(unicodedata.category(one))
    if apart is not None:
        return apart
    simple = unicodedata.normalize("NFKC", one).lower()
    return simple if len(simple) == 1 else one


_APART: Final = {"Cf": " ", "Zs": " ", "Pd": "-"}
"""What is unseen, or a space or a dash in another dress, parts digits like the plain one."""
_HINTS: Final = re.compile(r"[0-9]{3}|[0-9][\s\-._,/*|]{1,3}[0-9]")
_SPOKEN: Final = re.compile(rf"\b(?:{'|'.join(words.DIGITS)})\b")


def _may_hold(plain: str) -> bool:
    return _HINTS.search(plain) is not None or len(_SPOKEN.findall(plain)) >= _LENGTH_MIN


def _mask(secret: str, kind: Secret) -> str:
    if kind is Secret.CARD:
        return BULLET * 4 + " " + re.sub(r"\D", "", secret)[-4:]
    return BULLET * min(len(secret), _LENGTH)


def _blanked(plain: str, found: list[tuple[int, int, Secret]]) -> str:
    for start, end, _ in found:
        plain = f"{plain[:start]}{BULLET * (end - start)}{plain[end:]}"
    return plain


# ---- card numbers --------------------------------------------------------------------------------


def _cards(plain: str) -> list[tuple[int, int, Secret]]:
    found: list[tuple[int, int, Secret]] = []
    for run in _RUN.finditer(plain):
        if run.end() - run.start() < _CARD_LENGTHS.start or _is_glued(
            plain, run.start(), run.end()
        ):
            continue
        if plain[: run.start()].rstrip(" .:").endswith(("rp", "idr")):
            continue
        found += _cards_in(run)
    for fours in _FOURS.finditer(plain):
        digits = re.sub(r"[^0-9]", "", fours[0])  # five fours are a power token
        if is_card(digits) and not any(
            start < fours.end() and fours.start() < end for start, end, _ in found
        ):
            found.append((fours.start(), fours.end(), Secret.CARD))
    return found


def _cards_in(run: re.Match[str]) -> list[tuple[int, int, Secret]]:
    """Cards in digits that stand apart only by spaces, dots and dashes, by whole groups."""
    groups = [(one.start() + run.start(), one[0]) for one in re.finditer(r"[0-9]+", run[0])]
    if [len(digits) for _, digits in groups] == [4] * 5:
        return []  # a power token: twenty digits in five groups
    found: list[tuple[int, int, Secret]] = []
    first = 0
    while first < len(groups):
        last = _card_from(groups, first)
        if last is None:
            first += 1
            continue
        start = groups[first][0]
        found.append((start, groups[last][0] + len(groups[last][1]), Secret.CARD))
        first = last + 1
    return found


def _card_from(groups: list[tuple[int, str]], first: int) -> int | None:
    """The last group of the longest card that begins at a group; None where none does."""
    digits, found = "", None
    for place in range(first, len(groups)):
        digits += groups[place][1]
        if len(digits) >= _CARD_LENGTHS.stop:
            break
        if is_card(digits):
            found = place
    return found


def _is_glued(plain: str, start: int, end: int) -> bool:
    """Whether letters touch it: then it is a part of a reference."""
    before = plain[start - 1 : start] if start else ""
    return before.isalpha() or plain[end : end + 1].isalpha()


# ---- what a word names ---------------------------------------------------------------------------


def _named(plain: str) -> list[tuple[int, int, Secret]]:
    tokens = _tokens(plain)
    found: list[tuple[int, int, Secret]] = []
    taken = -1
    for place, token in enumerate(tokens):
        if token.kind != "word" or (kind := _kind_of(tokens, place)) is None:
            continue
        if place > taken and (number := _before(plain, tokens, place)) is not None:
            found.append((number.start, number.end, kind))
        after = _after(plain, tokens, place, kind)
        found += [(one.start, one.end, kind) for one in after]
        if after:
            taken = after[-1].after
    unique = {(start, end): kind for start, end, kind in reversed(found)}
    return [(start, end, kind) for (start, end), kind in unique.items()]


def _tokens(plain: str) -> list[_Token]:
    joined = _SPELLED_OUT.sub(_joined, plain)
    return [
        _Token(one.lastgroup or "", one[0].rstrip("\0"), one.start(), one.end())
        for one in _TOKEN.finditer(joined)
    ]


def _joined(name: re.Match[str]) -> str:
    """The name as one word of the same length."""
    bare = re.sub(r"[^a-z]", "", name[0])
    short = "sandi" if bare == "katasandi" else bare
    return short + " " * (len(name[0]) - len(short))


def _kind_of(tokens: list[_Token], place: int) -> Secret | None:
    word = tokens[place].text
    if word in words.PIN:
        return Secret.PIN
    if word in words.CODE or word in words.UNSURE:
        return Secret.CODE
    if word in words.CARD_CODE:
        return Secret.CARD_CODE
    return None


def _after(plain: str, tokens: list[_Token], place: int, kind: Secret) -> list[_Number]:
    """The digits behind a name that it is said of: near ones of any length, far ones of six."""
    is_unsure = tokens[place].text in words.UNSURE
    found: list[_Number] = []
    near, passed, at = True, 0, place + 1
    says_code = was_typed = False
    while at < len(tokens) and passed <= _FAR_WORDS:
        token = tokens[at]
        number = _number_at(plain, tokens, at)
        if (
            number is not None
            and _fits(plain, tokens, number, place, at, kind, near=near)
            and (not is_unsure or number.digits == _LENGTH or says_code)
        ):
            found.append(number)
            near, passed, at = True, 0, number.after
            continue
        is_apart = token.text in words.APART or (token.text in words.MACHINES and not was_typed)
        is_below = passed == 0 and not found and token.text.isspace()
        if (token.kind == "stop" and not is_below) or is_apart or (found and not near):
            break
        if token.kind == "word":
            passed += 1
            bare = words.bare(token.text)
            says_code = says_code or bare in words.OF_A_CODE
            was_typed = was_typed or bare in words.TYPED
            near = near and bare in words.BETWEEN and passed <= _NEAR_WORDS
            if is_unsure and not near and not says_code:
                break
            if found and token.text not in {"dan", "atau", "lalu", "and", "or", "then"}:
                break
        elif token.kind == "number" and found:
            break
        at += 1
    return found


def _fits(
    plain: str,
    tokens: list[_Token],
    number: _Number,
    place: int,
    at: int,
    kind: Secret,
    *,
    near: bool,
) -> bool:
    if _is_amount(plain, tokens, at, number, near=near) or _is_masked(plain, number.start):
        return False
    if kind is Secret.CARD_CODE:
        return near and number.digits in {3, 4}
    if not near:
        return number.digits == _LENGTH
    costs = any(one.text in words.COSTS for one in tokens[max(place - 3, 0) : place])
    return _LENGTH_MIN <= number.digits <= _LENGTH_MAX and not (costs and number.digits < _LENGTH)


def _before(plain: str, tokens: list[_Token], place: int) -> _Number | None:
    """Digits in front of the name that say what they are: "482913 itu PIN saya"."""
    if tokens[place].text in words.UNSURE:
        return None
    at = place - 1
    linked = False
    while at >= 0 and (tokens[at].text in words.IS or tokens[at].text in "(=-,\"'"):
        linked = linked or tokens[at].text in words.IS or tokens[at].text in "(="
        at -= 1
    if at < 0 or place - at > 5 or not _is_digits(tokens[at]):
        return None
    while at > 0 and _is_digits(tokens[at - 1]) and _is_glue(plain, tokens[at - 1], tokens[at]):
        at -= 1
    number = _number_at(plain, tokens, at)
    if number is None or number.after > place or not _LENGTH_MIN <= number.digits <= _LENGTH_MAX:
        return None
    begins = at == 0 or tokens[at - 1].kind == "stop" or tokens[at - 1].text in ":("
    if not linked and not begins:
        return None
    is_other = _is_amount(plain, tokens, at, number, near=False) or _is_masked(plain, number.start)
    spoken_of = at > 0 and tokens[at - 1].text in words.APART
    return None if is_other or spoken_of else number


def _is_digits(token: _Token) -> bool:
    return token.kind == "number" or token.text in words.DIGITS


def _is_glue(plain: str, left: _Token, right: _Token) -> bool:
    return _GLUE.fullmatch(plain, left.end, right.start) is not None


def _number_at(plain: str, tokens: list[_Token], at: int) -> _Number | None:
    """The digits that begin at a token, in figures or words, groups taken together up to six."""
    if not _is_digits(tokens[at]):
        return None
    digits, last, place = _count(tokens[at]), at, at + 1
    while place < len(tokens) and digits < _LENGTH:
        token = tokens[place]
        if token.kind in {"mark", "stop"} and _GLUE.fullmatch(token.text):
            place += 1
            continue
        more = _count(token) if _is_digits(token) else 0
        if not more or digits + more > _LENGTH_MAX or not _is_glue(plain, tokens[last], token):
            break
        digits, last, place = digits + more, place, place + 1
    if tokens[at].kind == "number" and _touches_letters(plain, tokens, at, last):
        return None
    return _Number(tokens[at].start, tokens[last].end, digits, last + 1, last > at)


def _touches_letters(plain: str, tokens: list[_Token], at: int, last: int) -> bool:
    """Whether it is a part of a reference, such as INV482913; PIN482913 is none."""
    end = tokens[last].end
    if tokens[last].kind == "number" and plain[end : end + 1].isalpha():
        return plain[end:].partition(" ")[0] not in words.AFTER_AMOUNT
    before = tokens[at - 1] if at else None
    if before is None or before.end != tokens[at].start or before.kind != "word":
        return False
    return before.text not in words.PIN | words.CODE | words.CARD_CODE | words.UNSURE


def _count(token: _Token) -> int:
    return len(token.text) if token.kind == "number" else 1


def _is_amount(plain: str, tokens: list[_Token], at: int, number: _Number, *, near: bool) -> bool:
    before = tokens[at - 1].text if at else ""
    if before == "." and at > 1:
        before = tokens[at - 2].text
    if before in words.BEFORE_AMOUNT:
        return True
    behind = tokens[number.after].text if number.after < len(tokens) else ""
    if behind in words.AFTER_AMOUNT or behind == "%":
        return True
    return not near and _AMOUNT.match(plain, number.start) is not None


def _is_masked(plain: str, start: int) -> bool:
    """The last four of a card that was taken out already."""
    return plain[:start].rstrip(" ").endswith(BULLET)
