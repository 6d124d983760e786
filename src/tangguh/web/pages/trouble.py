"""A problem as a page: what did not happen, where the money is, what to do. Never only "error"."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from starlette.responses import Response

from tangguh.core.format import spoken
from tangguh.web.pages.screen import show
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST, Problem
from tangguh.web.words import Words

FORM_FOREIGN: Final = "form_foreign"
REVIEW_CHANGED: Final = "review_changed"
CODES: Final = (*map(str, OF_REFUSAL), *OF_REQUEST, FORM_FOREIGN, REVIEW_CHANGED)
"""Every code that has a page of its own; the last two belong to the pages alone."""


def trouble_page(words: Words, shared: dict[str, Any], found: Problem) -> Response:
    """The problem as a page with its status; ``Retry-After`` when there is a time."""
    after = found.retry_after_seconds
    answer = show(
        "problem.html",
        words.language,
        status=403 if found.code == FORM_FOREIGN else found.status,
        reason=sentence(words, f"problem.{found.code}.reason"),
        money_words=words(f"money.{found.money}"),
        advice=words(f"problem.{found.code}.do", seconds=after if after is not None else 30),
        code=found.code,
        field=found.field if found.code == "body_invalid" else "",
        **shared,
    )
    if after is not None:
        answer.headers["Retry-After"] = str(after)
    return answer


def sentence(words: Words, key: str) -> str:
    """A reason as a sentence of its own; inside other sentences it begins in lower case."""
    text = words(key)
    return f"{text[0].upper()}{text[1:]}."


def pin_words(words: Words, found: Problem, now: datetime, key: str = "pin.wrong") -> str:
    """What is said beside the PIN field: tries left, or when the lock opens."""
    if found.code == "pin_locked" and found.until is not None:
        until = datetime.fromisoformat(found.until)
        return words("pin.locked", time=spoken(until, now, words.language))
    if found.code == "pin_wrong" and found.tries_left is None:
        return words("pin.wrong_stranger")
    if found.code == "pin_wrong":
        return words(key, left=found.tries_left)
    if found.code == "code_needed":
        return words("login.code_needed")
    if found.code == "code_wrong":
        return words("login.code_wrong")
    if found.code == "parameter_invalid" and found.field == "phone":
        return words("login.number_malformed")
    return words(f"problem.{found.code}.do", seconds=found.retry_after_seconds or 30)
