"""``docs/reference/words.md``: every refusal, state and notice as customers read it.

``python -m tangguh.web.reference.words`` prints the page; a test holds the file to what this makes.
Names in braces are filled with examples, as the bank fills them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from tangguh.core.format import happened, money, spoken
from tangguh.core.outcome import Refusal
from tangguh.disputes.case import Outcome
from tangguh.disputes.letters import words_of
from tangguh.notices.notice import CLOSING, OWN_LIMITS
from tangguh.notices.texts import Template, Texts
from tangguh.notices.values import VALUES, Filled
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST, Kind
from tangguh.web.words import LANGUAGES, Words, read_all

_NOW: Final = datetime(2026, 3, 20, 15, 18, tzinfo=UTC)
_NEXT: Final = _NOW + timedelta(minutes=21)
_MINOR: Final = 5_000_000
STATES: Final[dict[str, str]] = {
    "refused": "before any money was touched",
    "processing": "the first ten seconds",
    "parked": "ordered while its service was closed, sent when it opens",
    "unanswered": "no answer for ten seconds or more",
    "posted": "it has arrived; one sentence for each kind of payee",
    "received": "the same, as its payee reads it",
    "voided": "it certainly did not happen",
    "refunded": "all of it went back",
}
"""When each state of a payment's page is shown."""
NOTICES: Final[dict[str, str]] = {
    "payment_waiting": "a payment has had no answer for twenty seconds",
    "payment_still_waiting": "at each promised time, while it has none",
    "payment_still_parked": "at each promised time, while its service is closed",
    "payment_back": "a payment that was asked about did not happen",
    "payment_sent": "a payment that was asked about arrived",
    "payment_sent_token": "the same, with an electricity token",
    "refund_back": "money of a refund is in the account",
    "provisional_given": "the bank advanced the money of an unanswered payment",
    "provisional_taken": "an advanced payment arrived: before the advance is taken back",
    "compensation_paid": "the bank was late and paid for it",
    "case_received": "a report was opened",
    "case_needs_papers": "people need a document for a report",
    "case_extended": "a report's deadline was moved",
    "case_decided": "a report was answered and no money moved with the answer",
    "case_decided_back": "a report was answered and money came back",
    "case_decided_paid": "a report was answered and the bank paid",
    "case_decided_token": "a report was answered with an electricity token",
    "incident_begun": "to subscribers, when a trouble begins",
    "incident_begun_yours": "to whoever has uncertain payments in it",
    "incident_planned": "to subscribers, before a scheduled change",
    "incident_update": "to subscribers, when people write an update",
    "incident_update_yours": "the same, to whoever has uncertain payments in it",
    "incident_stage": "to subscribers, at each stage of the way back",
    "incident_stage_yours": "the same, to whoever has uncertain payments in it",
    "incident_restored": "to subscribers, when everybody can use it again",
    "incident_restored_yours": "the same, to whoever still has uncertain payments in it",
    "incident_money_resolved": "to subscribers, when the last payment has an end",
    "incident_money_resolved_yours": "to whoever had payments in it, when theirs have ends",
    "login_code": "a new device asks for a code",
    "login_device": "a new device was used to log in",
    "login_codes_spent": "too many codes were asked for by new devices",
    "subscription_confirm": "somebody subscribed an address to service updates",
}
"""When each notice is told."""


def examples(language: str) -> dict[str, str]:
    """A value for each name in the texts of pages, written as the bank writes it."""
    return {
        "money": money(_MINOR),
        "given": money(_MINOR),
        "time": happened(_NOW, _NOW, language),
        "day": "20 Mar 2026",
        "next": spoken(_NEXT, _NOW, language),
        "bank": "Bank Tujuan" if language == "id" else "Other Bank",
        "payee": "SARI",
        "payer": "SARI",
        "reference": "RRN000001",
        "reason": "rekening tujuan tidak ada di bank itu"
        if language == "id"
        else "the other bank has no account with this number",
        "seconds": "30",
    }


def refusals() -> Iterator[tuple[str, Kind, dict[str, str]]]:
    """Each code with its row of the table and its sentence, by language."""
    words = read_all()
    kinds = {str(code): OF_REFUSAL[code] for code in Refusal} | OF_REQUEST
    for code, kind in kinds.items():
        yield code, kind, {lang: _of_code(words[lang], code, kind) for lang in LANGUAGES}


def states() -> Iterator[tuple[str, dict[str, str]]]:
    """Each sentence of a payment's page, by its key and language."""
    words = read_all()
    for key in words["id"].texts:
        if key.startswith("state.") and ".label_" not in key:
            yield key, {lang: words[lang](key, **examples(lang)) for lang in LANGUAGES}


def notices() -> Iterator[tuple[str, dict[str, Template]]]:
    """Each notice by name, with its template by language, in order of the alphabet."""
    templates = Texts().templates
    for name in sorted({name for name, _ in templates}):
        yield name, {lang: templates[name, lang] for lang in LANGUAGES}


def told(template: Template, language: str) -> str:
    """A notice as it is read in the app, with examples."""
    return template.filled(_filled(language)).text


def sms(template: Template, language: str) -> str:
    """The same as one SMS."""
    return template.filled(_filled(language)).sms


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# What customers read"
    yield ""
    yield "Made by `python -m tangguh.web.reference.words`; not edited by hand. Names are filled"
    yield "with examples. The texts lie in `web/wording`, `notices/wording` and `disputes/wording`."
    yield ""
    yield "## Refusals and problems"
    yield ""
    yield "A sentence says why, where the money is and what to do. The code is for programs."
    yield ""
    yield "| code | status | when | Indonesian | English |"
    yield "|---|---|---|---|---|"
    for code, kind, said in refusals():
        yield f"| `{code}` | {kind.status} | {kind.title} | {said['id']} | {said['en']} |"
    yield from _of_states()
    yield from _of_notices()
    yield from _of_answers()


def _of_states() -> Iterator[str]:
    yield ""
    yield "## States of a payment and of a refund"
    yield ""
    yield "| state | when | Indonesian | English |"
    yield "|---|---|---|---|"
    for key, said in states():
        _, state, name = key.split(".")
        what = f"{state}, {name.replace('_', ' ')}"
        yield f"| {what} | {STATES[state]} | {said['id']} | {said['en']} |"


def _of_notices() -> Iterator[str]:
    yield ""
    yield "## Notices"
    yield ""
    yield "At most four an hour go out to one person by one way; an *end* always goes out."
    for name, said in notices():
        kind = (
            "an end" if name in CLOSING else "limited by itself" if name in OWN_LIMITS else "a word"
        )
        yield ""
        yield f"### {name}"
        yield ""
        yield f"When: {NOTICES[name]}. {kind.capitalize()}."
        for language, template in said.items():
            yield ""
            yield f"- *{language}* **{template.filled(_filled(language)).title}** " + " ".join(
                told(template, language).split("\n")
            )
            yield f"- *{language}, SMS* {sms(template, language)}"


def _of_answers() -> Iterator[str]:
    yield ""
    yield "## Answers to reports"
    yield ""
    yield "| answer | Indonesian | English |"
    yield "|---|---|---|"
    for outcome in Outcome:
        said = [_answer(str(outcome), language) for language in LANGUAGES]
        yield f"| {str(outcome).replace('_', ' ')} | {said[0]} | {said[1]} |"


def _answer(outcome: str, language: str) -> str:
    text = words_of(language)["outcome"][outcome]
    return text.format(**(examples(language) | {"token": "1234 5678 9012 3456 7890"}))


def _of_code(words: Words, code: str, kind: Kind) -> str:
    why = words(f"problem.{code}.reason")
    do = words(f"problem.{code}.do", **examples(words.language))
    return f"{why[:1].upper()}{why[1:]}. {words(f'money.{kind.money}')} {do}"


def _filled(language: str) -> dict[str, Filled]:
    own = {
        "amount": money(_MINOR),
        "total": money(_MINOR + 250_000),
        "count": "3",
        "arrived": "2",
        "returned": "1",
        "stage": "2",
        "stages": "7",
        "at": happened(_NOW, _NOW, language),
        "since": spoken(_NOW, _NOW, language),
        "by": spoken(_NEXT, _NOW, language),
    }
    found = {name: own.get(name) or value.example(language) for name, value in VALUES.items()}
    return {name: Filled(text, text) for name, text in found.items()}


if __name__ == "__main__":
    sys.stdout.write(page())
