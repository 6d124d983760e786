"""The texts that come along: complete in both languages, within the rules, one SMS each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tangguh.notices
from plain_words import unread
from tangguh.core.errors import Misconfigured
from tangguh.core.money import MINOR_MAX
from tangguh.core.outcome import Refused
from tangguh.notices.gsm7 import fits
from tangguh.notices.lint import FIELDS
from tangguh.notices.texts import LANGUAGES, Texts, Words
from tangguh.notices.values import LINK, VALUES

WORDING = Path(tangguh.notices.__file__).parent / "wording"
TEXTS = Texts()
NAMES = sorted({name for name, _ in TEXTS.templates})
NOW = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
FAMILIES = {
    "incident_begun", "incident_update", "incident_stage", "incident_restored",
    "incident_money_resolved", "payment_waiting", "payment_back", "payment_sent",
    "payment_still_waiting", "payment_still_parked",
    "provisional_given", "provisional_taken", "compensation_paid", "refund_back",
    "case_received", "case_decided", "case_needs_papers", "subscription_confirm",
    "login_code", "login_device",
}  # fmt: skip

ANY: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(min_size=1, max_size=300).filter(str.strip).map(lambda text: "x" + text),
    "money": st.integers(0, MINOR_MAX),
    "count": st.integers(0, 999_999_999),
    "few": st.integers(0, 999),
    "time": st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)).map(
        datetime.isoformat
    ),
}
ANY["when"] = ANY["time"]
PROSE = {
    "id": {
        "happened": "Mitra belum menjawab.", "money_is": "Uang ditahan di rekening Anda.",
        "we_do": "Kami mencocokkan transaksi.", "you_do": "Jangan kirim ulang.",
    },
    "en": {
        "happened": "Our partner is silent.", "money_is": "The money is on hold in your account.",
        "we_do": "We match every payment.", "you_do": "Please do not send again.",
    },
}  # fmt: skip
UNPROVED = {"proved_at": None, "proof_holds": False, "matched_at": None, "match_holds": False}


def values_of(name: str, language: str, make: Callable[[str, str], Any]) -> dict[str, Any]:
    """Values for a text; ``make`` gives one of a kind."""
    found = {}
    for need in TEXTS.templates[name, language].needs:
        kind = VALUES[need].kind
        if kind == "prose":
            found[need] = PROSE[language][need]
        elif kind == "assurance":
            found[need] = UNPROVED
        elif kind != "link":
            found[need] = make(need, kind)
    return found


def plain_value(need: str, kind: str) -> Any:
    if kind in {"time", "when"}:
        return (NOW + timedelta(hours=2)).isoformat()
    return {"money": 5_400_000, "count": 3, "few": 2}.get(kind, f"<{need}>")


def test_what_was_asked_for_is_there() -> None:
    assert set(NAMES) >= FAMILIES
    personal = {name for name in NAMES if name.endswith("_yours")}
    assert len(personal) == 5


def test_both_languages_say_the_same_things() -> None:
    """The same texts, and in each the same facts and the same parts."""
    for name in NAMES:
        first, second = (TEXTS.templates[name, language] for language in LANGUAGES)
        assert sorted(first.needs) == sorted(second.needs), name
        for field in FIELDS:
            assert bool(getattr(first, field)) == bool(getattr(second, field)), (name, field)
            if field not in ("title", "sms"):
                assert first.names_in(field) == second.names_in(field), (name, field)


def test_only_a_subscription_is_not_about_money() -> None:
    without = {name for (name, _), one in TEXTS.templates.items() if not one.about_money}
    assert without == {"subscription_confirm", "login_code", "login_codes_spent", "login_device"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_whatever_the_values_it_is_one_sms(name: str, language: str, data: st.DataObject) -> None:
    """The longest amounts, counts and dates, and names of any length in any script."""
    values = values_of(name, language, lambda _, kind: data.draw(ANY[kind]))
    words = TEXTS.render(name, language, values, now=NOW)
    assert isinstance(words, Words), words
    assert fits(words.sms.replace(LINK, VALUES["link"].example(language))), words.sms
    assert "\n" not in words.title
    assert not re.search(r"\{(?!link\})", words.text + words.sms + words.title)


def test_a_personal_message_as_it_is_read() -> None:
    values = {
        "service": "Transfer BI-FAST", "since": "2026-03-20T04:07:00+00:00", "count": 3,
        "amount": 5_400_000, "by": "2026-03-20T07:05:00+00:00",
    }  # fmt: skip
    words = TEXTS.render("incident_begun_yours", "id", values, now=NOW)
    assert words == Words(
        title="Pembayaran Anda sedang kami pastikan",
        text=(
            "Transfer BI-FAST: ada gangguan atau pembatasan sejak pukul 11.07 WIB. "
            "3 pembayaran Anda belum pasti, seluruhnya Rp54.000.\n"
            "Uang itu ditahan di rekening Anda dan belum berpindah.\n"
            "Kami menanyakan setiap pembayaran ke jaringan; yang tidak sampai kembali ke saldo "
            "Anda tanpa diminta.\n"
            "Kabar paling lambat pukul 14.05 WIB.\n"
            "Jangan kirim ulang. Anda tidak perlu melapor."
        ),
        sms=(
            "3 pembayaran Anda, Rp54.000, ditahan di rekening Anda. "
            "Kabar paling lambat pukul 14.05 WIB. Jangan kirim ulang."
        ),
    )


def test_safe_is_said_with_its_times_or_not_at_all() -> None:
    values = values_of("incident_begun", "en", plain_value)
    without = TEXTS.render("incident_begun", "en", values, now=NOW)
    at = (NOW - timedelta(minutes=1)).isoformat()
    green = {
        "proved_at": at,
        "proof_holds": True,
        "matched_at": at,
        "match_holds": True,
        "sight": {"value": "yes", "known_at": NOW.isoformat()},
    }
    proved = TEXTS.render("incident_begun", "en", values | {"assurance": green}, now=NOW)
    assert isinstance(without, Words)
    assert isinstance(proved, Words)
    assert "safe" not in without.text
    assert "Your money is safe: the books balanced at 20 Mar 2026, 11:59 WIB" in proved.text
    assert "safe" not in proved.sms


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "Rp54.000"}, "amount"),
        ({"amount": MINOR_MAX + 1}, "amount"),
        ({"count": 1.5}, "count"),
        ({"by": "14.05"}, "by"),
        ({"by": "2026-03-20T07:05:00"}, "by"),
        ({"by": "0001-01-01T00:00:00+00:00"}, "by"),
        ({"by": None}, "by"),
        ({"service": " \n "}, "service"),
        ({"service": {"x": 1}}, "service"),
        ({"happened": "Sistem sibuk."}, "what"),
        ({"we_do": "Kami segera memperbaikinya."}, "next"),
        ({"we_do": "x"}, "next"),
        ({"you_do": "Tenang, uang Anda aman."}, "do"),
        ({"happened": "Ada pemeliharaan."}, "what"),
        ({"more": "x"}, "more"),
    ],
)
def test_values_that_are_none_and_words_that_break_a_rule_are_refused(
    changes: dict[str, Any], field: str
) -> None:
    values = values_of("incident_update_yours", "id", plain_value) | changes
    refused = TEXTS.render("incident_update_yours", "id", values, now=NOW)
    assert isinstance(refused, Refused), refused
    assert refused.field == field


def test_maintenance_has_its_ticket_and_a_text_its_name() -> None:
    values = values_of("incident_update", "id", plain_value)
    values["happened"] = "Ada pemeliharaan sejak 09.00 WIB."
    assert isinstance(TEXTS.render("incident_update", "id", values, now=NOW), Refused)
    assert isinstance(
        TEXTS.render("incident_update", "id", values, now=NOW, ticket="CHG-17"), Words
    )
    assert isinstance(TEXTS.render("nothing", "id", {}, now=NOW), Refused)
    assert isinstance(TEXTS.render("incident_update", "jv", values, now=NOW), Refused)


def test_a_value_cannot_name_another_nor_break_a_line() -> None:
    values = values_of("payment_back", "id", plain_value)
    values["payee"] = "Toko {link}\r\nBcc: x@y\u202e\x00\udcff"
    words = TEXTS.render("payment_back", "id", values, now=NOW)
    assert isinstance(words, Words)
    assert "kepada Toko link Bcc: x@y tidak" in words.text


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('by_when = "Kabar paling lambat {by}."', "", "by_when: missing"),
        ("Anda tidak perlu melapor.", "Sistem sibuk.", "do: banned sistem sibuk"),
        ("Anda tidak perlu melapor.", "Uang Anda aman.", "do: without_proof aman"),
        ("Anda tidak perlu melapor.", "{nobody}", "not_the_names_used nobody"),
        ("Anda tidak perlu melapor.", "{by.x}", "do: brace"),
        ('title = "Pembayaran Anda sedang', 'title = "{amount} sedang', "title: not_here amount"),
        ("{amount}, ditahan di rekening Anda.", "{amount}, ditahan." + " x" * 60, "sms: long"),
        ("[payment_back]", "[payment_gone]", "there is none in en"),
        ("needs = [", "neds = [", "neds"),
        ("needs = [", "needs = [[", "id/"),
    ],
)
def test_a_folder_with_a_fault_is_not_taken(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    """What an editor may get wrong is named, with language, text, part and rule."""
    folder = tmp_path / "wording"
    shutil.copytree(WORDING, folder)
    Texts(folder)
    for path in (folder / "id").iterdir():
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(Misconfigured, match=re.escape(complaint)):
        Texts(folder)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_no_text_shows_what_only_a_machine_reads(name: str, language: str) -> None:
    """Amounts, times and names are written for people in every text."""
    words = TEXTS.render(name, language, values_of(name, language, plain_value), now=NOW)
    assert isinstance(words, Words), words
    told = f"{words.title} {words.text} {words.sms}".replace(LINK, "")
    for need in VALUES:
        told = told.replace(f"<{need}>", "")
    assert unread(told) == []
