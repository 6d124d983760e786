"""Reporting without an account: a public form, then a number and a code to follow it with.

Whoever asks for a report is answered the same, whether the number is unknown or the code is wrong,
and the same work is done. The code is told once and kept as a hash.
"""

from __future__ import annotations

import hmac
import re
from typing import Final
from uuid import UUID

from starlette.responses import Response

from tangguh.access.sealing import Purpose
from tangguh.core.outcome import Refused
from tangguh.disputes.case import TEXT_LENGTH_MAX, About, Case
from tangguh.disputes.complaints import Complaint
from tangguh.disputes.store import code_hash
from tangguh.notices.address import address_of
from tangguh.notices.notice import Via
from tangguh.web.api.operations import rate_limited
from tangguh.web.care import desk as care
from tangguh.web.cookies import cookie, drop_cookie, put_cookie
from tangguh.web.door import Door
from tangguh.web.login import host_of
from tangguh.web.pages.care import track
from tangguh.web.pages.frame import Page, Visit, redirect
from tangguh.web.problems import Trouble, of_refused

COOKIE: Final = "tangguh_report"
HOME: Final = "/report/track"
_COOKIE_SECONDS: Final = 30 * 60
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH: Final = 8
_ALIKE: Final = str.maketrans("OIL", "011")
_LINE_MAX: Final = 60
_ADDRESS_MAX: Final = 300
_NOBODY: Final = UUID(int=0)
_REASONS: Final = tuple(About)


async def show_form(visit: Visit) -> Response:
    """The public form, and the other ways to us."""
    return _form(visit, {})


async def send_form(visit: Visit) -> Response:
    """Take the report; its number and code are on the answer, and nowhere again."""
    told = _wrong(visit)
    if told:
        return _form(visit, told)
    _take_turn(visit)
    door = visit.door
    case_id = _case_id(door, visit.typed("key"))
    code = _code_of(door, case_id)
    said = Complaint(
        case_id=case_id,
        customer_id=0,
        about=About(visit.typed("about")),
        text=_whole_text(visit),
        channel="public",
        language=visit.language,
        address=_address(visit.typed("contact")),
        code=code,
    )
    opened = await care.complaints_of(door).open(said)
    if isinstance(opened, Refused):
        raise Trouble(of_refused(opened))
    told_file = ""
    if visit.photo:
        host = f"host {host_of(visit.request)}"
        taken = await care.take_file(door, opened, visit.photo, "public", host)
        told_file = track.file_words(visit, taken) if isinstance(taken, Refused) else ""
    answer = visit.page(
        "stranger_done.html",
        number=opened.number,
        code=f"{code[:4]}-{code[4:]}",
        due_at=opened.due_at,
        told_file=told_file,
    )
    _remember(visit, answer, opened.id)
    return answer


async def show_track(visit: Visit) -> Response:
    """The report this browser has proved to be its own, or the form that asks for the proof."""
    case = await _known(visit)
    if case is None:
        return visit.page("stranger_track.html", number="", told="")
    return await track.case_page(visit, case, HOME, "case.html")


async def prove(visit: Visit) -> Response:
    """Number and code. Both wrong answers are one answer."""
    _take_turn(visit)
    store = care.complaints_of(visit.door).store
    number = _number_of(visit.typed("number"))
    case = await store.find_by_number(number)
    contact = await store.contact(case.id if case is not None else _NOBODY)
    kept = contact[1] if contact is not None else bytes(32)
    fits = hmac.compare_digest(kept, code_hash(_bare(visit.typed("code"))))
    if case is None or contact is None or not fits:
        told = visit.words("stranger.unknown")
        return visit.page("stranger_track.html", status=422, number=number, told=told)
    answer = redirect(HOME)
    _remember(visit, answer, case.id)
    return answer


async def leave(visit: Visit) -> Response:
    """Forget the report on this device."""
    answer = redirect(HOME)
    drop_cookie(visit.request, answer, COOKIE, path=HOME)
    return answer


async def add_message(visit: Visit) -> Response:
    """Write more, or object."""
    case = await _known(visit)
    if case is None:
        return redirect(HOME)
    _take_turn(visit)
    return await track.take_message(visit, case, "public", HOME, "case.html")


async def add_file(visit: Visit) -> Response:
    """Take one more file."""
    case = await _known(visit)
    if case is None:
        return redirect(HOME)
    host = f"host {host_of(visit.request)}"
    return await track.take_upload(visit, case, "public", HOME, "case.html", rate=host)


async def show_file(visit: Visit) -> Response:
    """One page of a file."""
    case = await _known(visit)
    return redirect(HOME) if case is None else await track.file_answer(visit, case)


async def show_letter(visit: Visit) -> Response:
    """The letter as PDF."""
    case = await _known(visit)
    return redirect(HOME) if case is None else await track.letter_answer(visit, case)


def _form(visit: Visit, told: dict[str, str]) -> Response:
    key = visit.typed("key")
    if _case_of_key(visit.door, key) is None:
        fresh = visit.door.ids.next().hex
        key = f"{fresh}.{_mac(visit.door, 'form', fresh)}"
    names = ("about", "text", "when", "amount", "contact")
    return visit.page(
        "stranger_report.html",
        status=422 if told else 200,
        reasons=[(str(one), visit.words(f"report.about_{one}")) for one in _REASONS],
        typed={name: visit.typed(name)[:TEXT_LENGTH_MAX] for name in names},
        told={name: told.get(name, "") for name in names},
        key=key,
    )


def _wrong(visit: Visit) -> dict[str, str]:
    """What is missing or malformed, in words, by field."""
    told = {}
    if visit.typed("about") not in {str(one) for one in _REASONS}:
        told["about"] = visit.words("report.about_missing")
    if not care.clean(visit.typed("text")):
        told["text"] = visit.words("report.text_missing")
    if not _address(visit.typed("contact")):
        told["contact"] = visit.words("stranger.contact_wrong")
    return told


def _whole_text(visit: Visit) -> str:
    when = care.clean(visit.typed("when"))[:_LINE_MAX].replace("\n", " ")
    amount = care.clean(visit.typed("amount"))[:_LINE_MAX].replace("\n", " ")
    lines = [care.clean(visit.typed("text"))]
    lines += [f"{visit.words('stranger.when')}: {when}"] if when else []
    lines += [f"{visit.words('stranger.amount')}: {amount}"] if amount else []
    return "\n".join(lines)


def _address(text: str) -> str:
    """An e-mail address or a phone number in one spelling; empty for neither."""
    if len(text) > _ADDRESS_MAX:
        return ""
    found = address_of(Via.EMAIL if "@" in text else Via.SMS, text)
    return "" if isinstance(found, Refused) else found


def _take_turn(visit: Visit) -> None:
    if wait := visit.door.strangers.seconds_until_allowed(f"host {host_of(visit.request)}"):
        raise rate_limited(wait)


# ---- what this process hands to a browser and knows again ----------------------------------------


def _mac(door: Door, purpose: str, text: str) -> str:
    return hmac.digest(
        door.seals.key(Purpose.STRANGER), f"{purpose}\n{text}".encode(), "sha256"
    ).hex()


def _opened(door: Door, purpose: str, sealed: str) -> UUID | None:
    """The id behind something we sealed, or None."""
    text, _, given = sealed.partition(".")
    made = _mac(door, purpose, text)
    if not hmac.compare_digest(given.encode(errors="replace"), made.encode()):
        return None
    return UUID(text)


def _case_of_key(door: Door, key: str) -> UUID | None:
    return _opened(door, "form", key)


def _case_id(door: Door, key: str) -> UUID:
    """The form's own id, so that a double click is one report; nobody can name another's."""
    return _case_of_key(door, key) or door.ids.next()


def _code_of(door: Door, case_id: UUID) -> str:
    number = int(_mac(door, "code", case_id.hex), 16)
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(_CODE_LENGTH))


def _remember(visit: Visit, answer: Response, case_id: UUID) -> None:
    value = f"{case_id.hex}.{_mac(visit.door, 'case', case_id.hex)}"
    put_cookie(visit.request, answer, COOKIE, value, path=HOME, seconds=_COOKIE_SECONDS)


async def _known(visit: Visit) -> Case | None:
    case_id = _opened(visit.door, "case", cookie(visit.request, COOKIE, path=HOME))
    return await care.complaints_of(visit.door).store.find(case_id) if case_id else None


def _bare(text: str) -> str:
    """Letters and digits as Crockford reads them: small letters, dashes, O, I and L are fine."""
    return re.sub(r"[^0-9A-Z]", "", text.upper()[:_LINE_MAX]).translate(_ALIKE)


def _number_of(text: str) -> str:
    """A report's number however it was typed: ``tg26 7k3m 9qxd``."""
    bare = _bare(text)
    rest = bare[4:]
    return f"TG{bare[2:4]}-{rest[:4]}-{rest[4:8]}"


PAGES: Final = (
    Page(path="/report", get=show_form, post=send_form, needs_login=False, takes_photo=True),
    Page(path=HOME, get=show_track, post=prove, needs_login=False),
    Page(path=f"{HOME}/leave", post=leave, needs_login=False),
    Page(path=f"{HOME}/messages", post=add_message, needs_login=False),
    Page(path=f"{HOME}/files", post=add_file, needs_login=False, takes_photo=True),
    Page(path=f"{HOME}/files/{{file}}/{{page}}.jpg", get=show_file, needs_login=False),
    Page(path=f"{HOME}/letter.pdf", get=show_letter, needs_login=False),
)
