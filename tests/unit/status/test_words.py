"""The model texts: whole in both languages, short, and clean of what may not be said."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from itertools import product
from pathlib import Path

import msgspec
import pytest

import tangguh.web
from tangguh.core.service import SERVICES, TOPUP, TRANSFER_BIFAST
from tangguh.status.component import COMPONENTS
from tangguh.status.incident import Incident, Kind, refuse_texts, say
from tangguh.status.site.labels import LABELS
from tangguh.status.source import Extent, Source
from tangguh.status.words.model import Facts, Step, counted, joined, step_of, write
from unit.status.drafts import NOW, SOON, STAGE, S, at_state, draft, no_lint
from unit.status.drafts import counted as paid

LINT = tomllib.loads((Path(tangguh.web.__file__).parent / "wording" / "lint.toml").read_text())
OTHERS = tuple(one for one in COMPONENTS if one != TRANSFER_BIFAST)


def facts(kind: Kind = Kind.PROTECTIVE_RESTRICTION, **changes: object) -> Facts:
    whole = Facts(
        kind=kind, now=NOW + timedelta(minutes=20), since=NOW, about=(TRANSFER_BIFAST,),
        works=OTHERS, broken=(TRANSFER_BIFAST,), stage=STAGE, unanswered_permille=310,
        restored_at=NOW + timedelta(hours=4, minutes=33), ticket="CHG-7",
        until=NOW + timedelta(hours=1), source=Source.MONEY, extent=Extent.ALL, worst=Extent.ALL,
    )  # fmt: skip
    return msgspec.structs.replace(whole, **changes)


EVERY = list(product(Kind, Step))
EVERY_WORD = list(product(Kind, Step, Source, Extent))


@pytest.mark.parametrize(("kind", "step", "source", "extent"), EVERY_WORD)
def test_every_word_of_every_kind_may_be_said(
    kind: Kind, step: Step, source: Source, extent: Extent
) -> None:
    """Both languages, no forbidden word, no long sentence outside lists of names."""
    told = write(step, facts(kind, source=source, extent=extent, worst=extent))
    assert refuse_texts(told, "CHG-7", no_lint) is None
    for language, text in told.items():
        assert "{" not in "".join(text.parts)
        for part in text.parts:
            for word in LINT["forbidden"][language]:
                assert not re.search(rf"\b{re.escape(word)}\b", part, re.IGNORECASE), part
        for part in (text.headline, text.happened, text.money, text.do):
            for sentence in re.split(r"[.;:?,]\s", part):
                assert len(sentence.split()) <= LINT["length"]["words_max"], sentence


@pytest.mark.parametrize(("kind", "step"), EVERY)
def test_it_fits_even_when_everything_is_named(kind: Kind, step: Step) -> None:
    """The longest lists there can be: all but one of every group works, and the others do not."""
    groups = {one.group: one.id for one in COMPONENTS.values()}
    broken = tuple(groups.values())
    works = tuple(one for one in SERVICES if one not in broken)
    worst = facts(kind, about=tuple(SERVICES), works=works, broken=broken)
    assert refuse_texts(write(step, worst), "CHG-7", no_lint) is None


def test_the_first_word_of_a_restriction() -> None:
    told = write(Step.PUBLISHED, facts(assurance_id="Semua cocok pukul 12.15 WIB."))
    text = told["id"]
    assert text.headline == "Transfer BI-FAST kami tutup sementara."
    assert text.happened == (
        "Sejak pukul 12.00 WIB sistem kami melihat pergerakan yang harus dicocokkan dengan pembukuan."
    )
    assert text.broken == "Belum bisa: Transfer BI-FAST."
    assert "QRIS, Isi saldo dompet digital, Tagihan" in text.works
    assert text.money.startswith("Semua cocok pukul 12.15 WIB.")
    assert told["en"].headline == "BI-FAST transfer: closed for now."


def test_stage_share_and_cap_are_said() -> None:
    told = write(Step.RECOVERING, facts())
    assert told["id"].headline == "Transfer BI-FAST dibuka bertahap: tahap 2 dari 7."
    assert "1% nasabah, maksimal Rp50.000 per pembayaran" in told["id"].happened
    half = msgspec.structs.replace(STAGE, amount_max_minor=None, limits_percent=50)
    assert "50% dari batas biasa" in write(Step.RECOVERING, facts(stage=half))["id"].happened
    usual = msgspec.structs.replace(STAGE, amount_max_minor=None)
    assert "at the usual limits" in write(Step.RECOVERING, facts(stage=usual))["en"].happened


def test_where_the_money_is_follows_the_count() -> None:
    def money(**changes: object) -> str:
        return write(Step.PUBLISHED, facts(**changes))["id"].money

    assert money() == "Pembayaran yang terdampak sedang kami hitung."
    assert money(money=paid()) == (
        "Tidak ada pembayaran yang menunggu kepastian karena kejadian ini."
    )
    assert money(money=paid(open=1204)).startswith("1.204 pembayaran senilai Rp1.204 masih")
    assert money(money=paid(arrived=29, came_back=8)) == (
        "Dari 37 pembayaran, 29 sampai ke tujuan (Rp29) dan 8 kembali ke pemiliknya (Rp8)."
    )


def test_how_long_it_took_and_how_many_tries_failed() -> None:
    assert "4 jam 33 menit" in write(Step.RESTORED, facts())["id"].happened
    short = facts(restored_at=NOW + timedelta(minutes=9))
    assert "lasted 9 min" in write(Step.RESTORED, short)["en"].happened
    outage = facts(Kind.PARTNER_OUTAGE, source=Source.SEEN)
    assert "31% pembayaran" in write(Step.PUBLISHED, outage)["id"].happened
    every = msgspec.structs.replace(outage, unanswered_permille=1000)
    assert "Semua pembayaran belum mendapat jawaban." in write(Step.PUBLISHED, every)["id"].happened
    few = msgspec.structs.replace(outage, unanswered_permille=None)
    assert write(Step.PUBLISHED, few)["id"].happened.endswith("tidak datang.")
    open_end = facts(Kind.SCHEDULED_CHANGE, source=Source.PLANNED, until=None)
    assert "kabar berikutnya" in write(Step.PUBLISHED, open_end)["id"].happened


def test_many_services_are_counted_and_a_whole_group_is_named() -> None:
    about = (*TOPUP.values(), TRANSFER_BIFAST)
    assert write(Step.UNCHANGED, facts(about=about))["en"].headline == (
        "BI-FAST transfer and Wallet top-up: no change yet."
    )
    many = write(Step.UNCHANGED, facts(about=OTHERS[:9]))["id"].headline
    assert many == "9 layanan: belum ada perubahan."
    everything = facts(works=tuple(COMPONENTS), broken=())
    assert write(Step.RESTORED, everything)["id"].works == "Semua layanan bisa dipakai."


@pytest.mark.parametrize(
    ("step", "changes"),
    [
        (Step.RECOVERING, {"stage": None}),
        (Step.PUBLISHED, {"kind": Kind.SCHEDULED_CHANGE, "ticket": ""}),
        (Step.RESTORED, {"restored_at": None}),
        (Step.RESOLVED, {"restored_at": None}),
    ],
)
def test_no_word_is_made_up_from_missing_facts(step: Step, changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="has"):
        write(step, facts(**changes))


def test_each_step_of_an_incident_has_its_word() -> None:
    whole = Extent.NONE
    assert step_of(draft(), S.PUBLISHED, whole, NOW) is Step.PUBLISHED
    assert step_of(at_state(S.PUBLISHED), S.PUBLISHED, whole, NOW) is Step.UNCHANGED
    assert step_of(at_state(S.PUBLISHED), S.PUBLISHED, Extent.ALL, NOW) is Step.PUBLISHED
    assert step_of(at_state(S.RECOVERING), S.PUBLISHED, whole, NOW) is Step.PUBLISHED
    before = NOW - timedelta(minutes=1)
    assert step_of(draft(), S.PUBLISHED, whole, before) is Step.ANNOUNCED
    ways = {
        S.RECOVERING: Step.RECOVERING, S.MONITORING: Step.MONITORING,
        S.SERVICE_RESTORED: Step.RESTORED, S.MONEY_RESOLVED: Step.RESOLVED,
    }  # fmt: skip
    for to, step in ways.items():
        assert step_of(draft(), to, whole, NOW) is step


def test_a_model_text_can_be_published_as_it_is() -> None:
    unticketed = msgspec.structs.replace(facts(), ticket="")
    moved = say(
        draft(), S.PUBLISHED, write(Step.PUBLISHED, unticketed), NOW, by="bank", lint=no_lint,
        next_update_at=NOW + SOON,
    )  # fmt: skip
    assert isinstance(moved, Incident)


def test_small_words() -> None:
    assert counted(1204, "id") == "1.204"
    assert counted(1204, "en") == "1,204"
    assert joined([], "id") == ""
    assert joined(["a"], "id") == "a"
    assert joined(["a", "b", "c"], "en") == "a, b and c"


def test_the_pages_labels_are_the_same_in_both_languages() -> None:
    first, second = LABELS["id"].texts, LABELS["en"].texts
    assert set(first) == set(second)
    names = re.compile(r"\{(\w+)\}")
    for key, text in first.items():
        assert sorted(names.findall(text)) == sorted(names.findall(second[key])), key
        for language, said in (("id", text), ("en", second[key])):
            for word in LINT["forbidden"][language]:
                if key not in ("answer.money",):  # the reader's own question
                    assert not re.search(rf"\b{re.escape(word)}\b", said, re.IGNORECASE), key
