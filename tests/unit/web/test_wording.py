"""The texts customers read: complete in both languages, honest, and used."""

from __future__ import annotations

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest

import tangguh.web
from tangguh.core.outcome import Refusal
from tangguh.core.redaction.redact import Secret
from tangguh.core.service import BILL, TOPUP
from tangguh.disputes.case import About, CaseState, Outcome
from tangguh.disputes.steps import Step
from tangguh.disputes.verdict import WaitsFor
from tangguh.notices.desk import SUBSCRIBABLE
from tangguh.web import pages
from tangguh.web.care.story import because_key
from tangguh.web.pages.care.track import _FILE_RULES
from tangguh.web.pages.demo.guide import CODES as DEMO_CODES
from tangguh.web.pages.demo.stories import NAMES as STORIES
from tangguh.web.pages.story import LOOKS
from tangguh.web.pages.trouble import CODES
from tangguh.web.problems import OF_REFUSAL, OF_REQUEST
from tangguh.web.staff.cases import ACTS
from tangguh.web.words import LANGUAGES, Words, choose, read_all
from unit.web.test_because import reasons

HERE = Path(tangguh.web.__file__).parent
LINT = tomllib.loads((HERE / "wording" / "lint.toml").read_text())
WORDS = read_all()
_NAMES = re.compile(r"\{(\w+)\}")


def test_both_languages_say_the_same_things() -> None:
    """The same keys, and the same facts inside each text."""
    first, second = (WORDS[language].texts for language in LANGUAGES)
    assert set(first) == set(second)
    for key, text in first.items():
        assert sorted(_NAMES.findall(text)) == sorted(_NAMES.findall(second[key])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_hides_behind_forbidden_words(language: str) -> None:
    """No bare failure, no promise without a time, no exclamation in money matters."""
    for key, text in WORDS[language].texts.items():
        for word in LINT["forbidden"][language]:
            assert not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE), (key, word)
        for mark in LINT["forbidden"]["marks"]:
            assert mark not in text, (key, mark)
        assert not re.search(r"[\U0001F000-\U0001FAFF\u2600-\u27BF]", text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_about_trouble_say_where_the_money_is(language: str) -> None:
    """Held, not debited, released, recorded: one of these, always."""
    rules = LINT["must_say_where_the_money_is"]
    for key in rules["keys"]:
        text = WORDS[language](key, **_any(WORDS[language], key)).lower()
        assert any(word in text for word in rules[language]), (key, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_short(language: str) -> None:
    """One thought a sentence."""
    most = LINT["length"]["words_max"]
    for key, text in WORDS[language].texts.items():
        for sentence in re.split(r"[.;:?]\s", text):
            assert len(sentence.split()) <= most, (key, sentence)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_reason_and_an_advice(language: str) -> None:
    """Each refusal and each request problem has its page; no code is left without words."""
    words = WORDS[language]
    assert set(CODES) >= {*map(str, Refusal), *OF_REQUEST}
    for code in CODES:
        reason = words(f"problem.{code}.reason")
        assert (
            reason[0].islower()
            or not reason[0].isalpha()
            or reason.startswith(("QRIS", "Anda", "PIN"))
        ), code
        assert not reason.endswith("."), code
        assert words(f"problem.{code}.do", seconds=30).endswith("."), code
    for kind in [*OF_REFUSAL.values(), *OF_REQUEST.values()]:
        assert words.has(f"money.{kind.money}")
        assert words.has(f"retry.{kind.retry}")


def test_every_text_asked_for_exists_and_every_text_is_asked_for() -> None:
    """Keys in templates and code are in the files, and the files hold nothing dead."""
    known = set(WORDS["id"].texts)
    asked = _literal_keys() | _computed_keys(known)
    assert asked - known == set()
    assert known - asked == set()


def test_every_step_of_a_case_has_its_words() -> None:
    """Whatever the book writes into a timeline, and wherever the clock moves it, can be told."""
    tags = {step.__struct_config__.tag for step in Step.__args__}  # type: ignore[attr-defined]
    for what in {*tags, "opened"} - {"look_again", "clock"}:
        assert WORDS["id"].has(f"case.did_{what}"), what
    for state in ("with_staff", "escalated", "decided", "closed"):
        assert WORDS["id"].has(f"case.did_{state}"), state


def test_indonesian_addresses_the_reader_with_a_capital() -> None:
    """Anda, always."""
    for key, text in WORDS["id"].texts.items():
        assert not re.search(r"\banda\b", text), key


@pytest.mark.parametrize(
    ("wish", "accepted", "language"),
    [
        (None, "", "id"),
        (None, "en-US,en;q=0.9,id;q=0.8", "en"),
        (None, "de-DE,de;q=0.9,en;q=0.5", "en"),
        (None, "in-ID", "id"),
        ("en", "id-ID", "en"),
        ("xx", "id-ID", "id"),
    ],
)
def test_a_stranger_is_spoken_to_in_their_language(
    wish: str | None, accepted: str, language: str
) -> None:
    """Their own choice first, then the browser's, then Indonesian."""
    assert choose(wish, accepted) == language


def _any(words: Words, key: str) -> dict[str, str]:
    return dict.fromkeys(_NAMES.findall(words.texts[key]), "x")


def _literal_keys() -> set[str]:
    sources = [
        *(HERE / "templates").glob("*.html"),
        *Path(pages.__file__).parent.rglob("*.py"),
        *(HERE / "care").glob("*.py"),
        *(HERE / "staff").glob("*.py"),
    ]
    found: set[str] = set()
    for source in sources:
        text = source.read_text()
        found |= set(re.findall(r"""\bt\(\s*["']([a-z_]+\.[a-z_.]+[a-z_])["']\s*[,)]""", text))
        found |= set(re.findall(r"""words\(\s*"([a-z_]+\.[a-z_.]+[a-z_])"\s*[,)]""", text))
    return found


def _computed_keys(known: set[str]) -> set[str]:
    """Families whose keys are put together from a code, a state or a path."""
    families = {f"problem.{code}.{part}" for code, part in product(CODES, ("reason", "do"))}
    families |= {f"frame.{name}" for name in ("home", "pay", "transfer", "history")}
    families |= {f"demo.kind_{name}" for name in DEMO_CODES}
    families |= _of_demo()
    families |= {f"review.tip_{kind}" for kind in ("none", "prompt", "fixed", "percent")}
    families |= {f"login.why_{why}" for why in ("ended", "unsent", "kept", "out")}
    families |= {"pin.wrong", "pin.wrong_again"}
    families |= {f"removed.{secret}" for secret in Secret}
    families |= {
        f"ask.{part}_{kind}"
        for part, kind in product(
            ("title", "amount_hint", "go"), ("bank", "wallet", "bill", "emoney")
        )
    }
    families |= {
        f"ask.{part}_{kind}"
        for part, kind in product(("number", "number_hint"), ("wallet", "bill", "emoney"))
    }
    families |= {f"ask.name_{name}" for name in (*TOPUP, *BILL)}
    families |= {f"services.{group}" for group in ("banks", "wallets", "bills", "emoney")}
    families |= _of_care()
    families |= {f"payment.total_{fate}" for fate in ("moved", "held", "void")}
    families |= {f"payment.part_refunded_{side}" for side in ("payer", "payee")}
    families |= {key for key in known if key.startswith(("money.", "retry.", "event.", "entry."))}
    families |= {key for key in known if key.startswith(("qr.", "photo.", "amount."))}
    return families | {key for key in known if key.split(".")[0] == "state" and _is_state(key)}


def _of_demo() -> set[str]:
    """What the demo's guide puts together: stories, products, and where its index leads."""
    parts = ("", "_what", "_look", "_ends", "_go", "_end")
    families = {f"demo.story_{name}{part}" for name, part in product(STORIES, parts)}
    families.discard("demo.story_flood_end")  # it ends by itself, and nothing else ends it
    places = ("people", "codes", "stories", "banks", "wallets", "bills", "emoney", "cards")
    families |= {f"demo.{place}" for place in (*places, "shops", "staff")}
    return families | {f"demo.purse_{name}" for name in ("card", "server", "touristpass")}


def _of_care() -> set[str]:
    """Families about reports, the staff's desk and subscriptions."""
    did = {
        "opened", "opened_bank", "waiting", "with_staff", "papers_asked", "papers_came", "extended",
        "escalated", "decided", "objected", "evidence", "closed",
    }  # fmt: skip
    waiting = {f"waiting_{reason.name.lower()}" for reason in WaitsFor}
    families = {f"case.state_{state}" for state in {*CaseState, *waiting}}
    families |= {f"case.next_{state}" for state in {*CaseState, *waiting, "decided_again"}}
    families |= {f"case.did_{what}" for what in did | waiting}
    families |= {"case.by_answer", "case.by_papers"}
    families |= {f"report.about_{about}" for about in About}
    families |= {f"report.file_{key}" for _, key in _FILE_RULES}
    families |= {f"desk.outcome_{outcome}" for outcome in Outcome}
    families |= {f"desk.channel_{channel}" for channel in ("app", "staff", "public", "bank")}
    families |= {f"desk.verdict_{says}" for says in ("decide", "wait", "ask_network", "ask_staff")}
    families |= {f"desk.act_{act}{part}" for act, part in product(ACTS, ("", "_hint"))}
    families |= {because_key(why) for why in reasons()}
    families |= {f"subscribe.via_{via}" for via in SUBSCRIBABLE}
    return families | {
        f"subscribe.{what}{part}"
        for what, part in product(("asked", "confirmed", "unknown", "ended"), ("", "_hint"))
    }


def _is_state(key: str) -> bool:
    _, phase, part = key.split(".")
    return phase in LOOKS and part.split("_")[0] in ("label", "payment", "refund")
