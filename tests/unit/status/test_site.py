"""The page as files: what it says, how big it is, and whether machines can read it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tangguh.core.clock import business_date
from tangguh.core.service import SERVICES, TRANSFER_BIFAST
from tangguh.status.component import Condition, Reach
from tangguh.status.incident import count_money
from tangguh.status.site.pages import (
    HTML,
    SVG,
    File,
    render_fixed,
    render_history,
    render_missing,
    render_now,
    render_story,
)
from tangguh.status.site.view import NOT_KNOWN, Day, Seen, Silence, filled, good_share, measured_by
from tangguh.status.snapshot import Assurance
from unit.status.drafts import (
    NOW,
    SOON,
    S,
    all_of,
    all_well,
    at_state,
    counted,
    draft,
    longest,
    shown,
    told,
)

INDEX_BYTES_MAX = 50_000
ATOM = "{http://www.w3.org/2005/Atom}"


def site(seen: Seen) -> dict[str, File]:
    """Every file of the page."""
    files = dict(render_fixed()) | dict(render_now(seen)) | dict(render_history(seen))
    for one in seen.stories:
        files |= dict(render_story(seen, one))
    return files


class Reading(HTMLParser):
    """A page as a machine reads it: headings, links, text, and what has no name."""

    def __init__(self, file: File) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._quiet = 0
        self.feed(file.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name in ("href", "src"):
            if tag != "use" and given.get(name):
                self.links.append(str(given[name]))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self._quiet += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("style", "script")
        self.text += " " if tag in ("dt", "dd", "th", "td", "li", "p") else ""

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


def read(seen: Seen, path: str = "index.html") -> Reading:
    return Reading(site(seen)[path])


BUSY = shown(told(all_of(Condition.DOWN), *[longest(number) for number in range(1, 6)]))
STORY = f"incident/{draft().id}.html"


def test_the_worst_day_fits_a_phone_on_2g() -> None:
    """Every component down, five incidents with the longest words: still a small page."""
    for path in ("index.html", "en/index.html"):
        assert len(site(BUSY)[path].content) <= INDEX_BYTES_MAX
    silent = msgspec.structs.replace(BUSY, silence=Silence.DOWN, silent_since=NOW)
    assert len(site(silent)["index.html"].content) <= INDEX_BYTES_MAX


def test_more_incidents_than_fit_are_linked() -> None:
    many = shown(told(all_of(Condition.DOWN), *[longest(number) for number in range(1, 60)]))
    page = read(many)
    assert len(site(many)["index.html"].content) <= INDEX_BYTES_MAX
    assert "54 kejadian lain" in page.words


@pytest.mark.parametrize(
    "seen",
    [
        BUSY,
        shown(told(all_well())),
        shown(None, silence=Silence.SHORT),
        shown(told(all_well(), at_state(S.POST_MORTEM)), silence=Silence.DOWN, silent_since=NOW),
    ],
    ids=["busy", "well", "never", "silent"],
)
def test_every_link_leads_to_a_file_and_every_page_can_be_read_aloud(seen: Seen) -> None:
    """Landmarks, one h1, no heading skipped, names for pictures, ids once; links lead somewhere."""
    files = site(seen)
    never = {"history/index.html", "en/history/index.html"} if seen.status is None else set()
    assert never <= set(files)
    for path, file in files.items():
        if file.content_type != HTML:
            continue
        page = Reading(file)
        tags = [tag for tag, _ in page.tags]
        language = "en" if path.startswith("en/") else "id"
        assert dict(page.tags)["html"] == {"lang": language}
        assert {"header", "main", "footer", "nav"} <= set(tags)
        assert page.headings.count(1) == 1, path
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), path
        assert len(page.ids) == len(set(page.ids)), path
        for tag, attributes in page.tags:
            if tag == "img":
                assert "alt" in attributes
            if tag == "svg":
                assert "aria-hidden" in attributes or "aria-labelledby" in attributes, path
            assert not any(name.startswith("on") or name == "style" for name in attributes), path
        for link in page.links:
            assert not link.startswith("/")
            if link.startswith("#"):
                assert link[1:] in page.ids
            elif "://" not in link:
                assert normpath(join(dirname(path), link)) in files, (path, link)


def test_what_machines_read_is_well_formed() -> None:
    files = site(shown(told(all_of(Condition.DEGRADED), longest(1), at_state(S.POST_MORTEM))))
    for path, file in files.items():
        if file.content_type == SVG or path.endswith(".atom"):
            ElementTree.fromstring(file.content)


def test_the_headline_says_how_many_work() -> None:
    assert f"Semua {len(SERVICES)} layanan bekerja" in read(shown(told(all_well()))).words
    states = all_well()
    states[TRANSFER_BIFAST] = msgspec.structs.replace(
        states[TRANSFER_BIFAST], condition=Condition.PROTECTIVE_RESTRICTION, reach=Reach.NONE
    )
    page = read(shown(told(states)))
    assert f"{len(SERVICES) - 1} dari {len(SERVICES)} layanan bekerja penuh" in page.words
    assert "Apa yang belum bisa? Transfer BI-FAST" in page.words
    assert "Ditutup atau dibatasi bank sejak pukul 12.00 WIB" in page.words
    english = read(shown(told(states)), "en/index.html")
    assert "What does not work? BI-FAST transfer" in english.words
    assert "Closed or limited by the bank since 12:00 WIB" in english.words


def test_is_my_money_safe_is_the_banks_own_sentence() -> None:
    proved = Assurance(text_id="Cocok pukul pukul 12.15 WIB.", text_en="Matched.", proved_at=NOW)
    seen = shown(told(all_well(), assurance=proved))
    assert "Apakah uang saya aman? Cocok pukul pukul 12.15 WIB." in read(seen).words
    assert "sedang kami cocokkan" in read(shown(told(all_well()))).words


def test_the_age_is_written_out_for_those_without_scripts() -> None:
    page = read(shown(told(all_well()), NOW + timedelta(seconds=7)))
    assert "Data bank per pukul 12.00.00 WIB. Halaman ini dibuat pukul 12.00.07 WIB." in page.words
    assert "jangan percaya halaman ini" in page.words


def test_no_page_reloads_itself_and_each_says_when_it_was_made() -> None:
    """A page that reloads under its reader cannot be read slowly: there is a link instead."""
    story = at_state(S.RECOVERING)
    files = site(shown(told(all_well(), story), NOW + timedelta(seconds=7)))
    pages = {path: Reading(one) for path, one in files.items() if one.content_type == HTML}
    assert len(pages) > 2 * len(SERVICES)
    for path, page in pages.items():
        assert not [one for tag, one in page.tags if one.get("http-equiv") == "refresh"], path
        made, again = (
            ("This page was made", "Reload")
            if path.startswith("en/")
            else ("Halaman ini dibuat", "Muat ulang")
        )
        assert made in page.words, path
        assert again in page.words, path


def test_a_word_that_is_late_says_so() -> None:
    seen = shown(told(all_well(), at_state(S.PUBLISHED)), NOW + SOON + timedelta(seconds=1))
    late = read(seen)
    assert "Terlambat: kabar dijanjikan pukul 12.10 WIB dan belum datang." in late.words
    assert ("p", {"class": "late"}) in late.tags
    assert "Terlambat" in read(seen, STORY).words
    punctual = read(msgspec.structs.replace(seen, now=NOW + SOON))
    assert "Terlambat" not in punctual.words
    assert "Paling lambat pukul 12.10 WIB" in punctual.words


def test_a_bank_that_is_away_is_said_with_the_age_of_what_is_shown() -> None:
    seen = shown(
        told(all_well()), NOW + timedelta(minutes=9), silence=Silence.SHORT, silent_since=NOW
    )
    words = read(seen).words
    assert "Sistem bank belum menjawab halaman ini sejak pukul 12.00 WIB" in words
    assert "keadaan terakhir yang kami ketahui, per pukul 12.00.00 WIB" in words
    assert "Terakhir diketahui: Semua layanan." in words
    assert "jangan dikirim ulang" in words
    assert "Semua 35 layanan bekerja" not in words
    down = msgspec.structs.replace(seen, silence=Silence.DOWN)
    assert "Kami tidak dapat menghubungi sistem bank sejak pukul 12.00 WIB" in read(down).words
    assert "Tidak terhubung" in site(down)["badge/bank.svg"].content.decode()
    assert b"cannot reach" in site(down)["en/feed.atom"].content


def test_before_the_first_word_the_page_is_there() -> None:
    seen = shown(None, silence=Silence.DOWN, silent_since=NOW)
    assert "Belum ada data dari bank" in read(seen).words
    assert b'"data_made_at":null' in site(seen)["status.json"].content


def test_the_story_has_its_words_its_stage_and_its_money() -> None:
    restored = at_state(S.SERVICE_RESTORED)
    money = count_money(restored, counted(open=3, arrived=29, came_back=5))
    seen = shown(told(all_well(), money))
    page = read(seen, STORY)
    assert "Layanan pulih, uang sedang dipastikan" in page.words
    assert "Masih dipastikan 3 Rp3" in page.words
    assert "Tersentuh 37 Rp37" in page.words
    assert page.words.count("Tahap 2 dari 7") == 2  # its recovering and its monitoring word
    assert "Semua uang jelas Belum" in page.words
    closed = shown(told(all_well(), at_state(S.POST_MORTEM)))
    assert "Sebab dan perbaikan Sebab." in read(closed, STORY).words
    assert "Cause and fixes Cause." in read(closed, f"en/{STORY}").words


def test_what_people_write_is_text_and_never_markup() -> None:
    known = at_state(S.PUBLISHED)
    word = known.updates[0]
    texts = {
        language: msgspec.structs.replace(text, headline="<script>alert(1)</script>&{x}")
        for language, text in word.texts.items()
    }
    spoiled = msgspec.structs.replace(known, updates=(msgspec.structs.replace(word, texts=texts),))
    files = site(shown(told(all_well(), spoiled, app_url="https://x.example/")))
    for path in ("index.html", STORY, "history/index.html", "feed.atom"):
        assert b"<script>alert" not in files[path].content
        assert b"&lt;script&gt;alert(1)" in files[path].content


def test_the_feed_has_a_stable_entry_for_every_word() -> None:
    seen = shown(told(all_well(), at_state(S.MONITORING)), public_url="https://status.example")
    first = ElementTree.fromstring(site(seen)["feed.atom"].content)
    again = ElementTree.fromstring(
        site(msgspec.structs.replace(seen, now=NOW + timedelta(hours=1)))["feed.atom"].content
    )
    ids = [one.findtext(f"{ATOM}id") for one in first.iter(f"{ATOM}entry")]
    assert ids == [one.findtext(f"{ATOM}id") for one in again.iter(f"{ATOM}entry")]
    assert len(ids) == len(set(ids)) == 3
    for needed in ("id", "title", "updated", "author"):
        assert first.find(f"{ATOM}{needed}") is not None
    for entry in first.iter(f"{ATOM}entry"):
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert link.get("href") == f"https://status.example/{STORY}"
        assert re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", str(entry.findtext(f"{ATOM}updated")))


def test_a_badge_says_its_state_in_words() -> None:
    files = site(shown(told(all_of(Condition.PROTECTIVE_RESTRICTION))))
    root = ElementTree.fromstring(files[f"badge/{TRANSFER_BIFAST}.svg"].content)
    assert root.get("aria-label") == "Transfer BI-FAST: Ditutup atau dibatasi bank"
    assert "0 dari 35" in str(
        ElementTree.fromstring(files["badge/bank.svg"].content).get("aria-label")
    )
    assert len([path for path in files if path.startswith("badge/")]) == len(SERVICES) + 1


def test_what_is_not_there_has_a_page() -> None:
    assert "404" in Reading(render_missing(shown(told(all_well())))).words


def test_a_fresh_word_about_old_facts_is_an_old_word() -> None:
    """The envelope is of now; what is in it was known when the database still answered."""
    late = NOW + timedelta(seconds=40)
    proved = Assurance(text_id="Uang Anda aman.", text_en="Safe.", proved_at=NOW)
    old = told(all_well(), made_at=late, looked_at=late, read_at=NOW, assurance=proved)
    page = read(shown(old, late))
    assert "Pembukuan bank tidak terbaca sejak pukul 12.00.00 WIB" in page.words
    assert "Uang Anda aman" not in page.words
    assert "Saat ini belum dapat kami pastikan dari sini" in page.words
    data = msgspec.json.decode(site(shown(old, late))["status.json"].content)
    assert (data["bank_answers"], data["bank_sees"]) == (True, False)
    assert "aman" not in data["assurance"]["text_id"]


def test_a_bank_that_does_not_look_at_itself_is_said_to_be_blind() -> None:
    seen = shown(told(all_well()), silence=Silence.BLIND, silent_since=NOW)
    page = read(seen)
    assert "belum memeriksa layanannya sendiri sejak pukul 12.00 WIB" in page.words
    assert "has not checked its own services" in read(seen, "en/index.html").words
    assert "Semua 35 layanan bekerja" not in page.words
    assert "Tidak ada data" in site(seen)["badge/bank.svg"].content.decode()


def test_what_nobody_has_measured_is_said_and_not_called_well() -> None:
    states = all_well()
    states[TRANSFER_BIFAST] = msgspec.structs.replace(
        states[TRANSFER_BIFAST], condition=Condition.NOT_MEASURED, reach=Reach.UNKNOWN
    )
    page = read(shown(told(states)))
    assert "34 dari 35 layanan bekerja penuh; 1 belum diukur" in page.words
    assert "Apa yang belum diukur? Transfer BI-FAST." in page.words
    assert "Apa yang belum bisa? Tidak ada." in page.words
    assert "Apa yang belum diukur?" not in read(shown(told(all_well()))).words
    english = read(shown(told(states)), "en/index.html").words
    assert "34 of 35 services work fully; 1 not measured yet" in english


def test_a_good_word_that_rests_on_a_fact_of_long_ago_is_not_shown_as_good() -> None:
    late = NOW + timedelta(minutes=5)
    page = read(shown(told(all_well(), made_at=late), late))
    assert "0 dari 35 layanan bekerja penuh; 35 belum diukur" in page.words
    heard_long_ago = shown(told(all_well()), heard_ago=timedelta(minutes=5))
    assert "35 belum diukur" in read(heard_long_ago).words


# ---- ninety days -----------------------------------------------------------------------------


def day(number: int, **seconds: int) -> Day:
    return Day(business_date(NOW) - timedelta(days=number), seconds)


def test_ninety_days_are_bars_with_their_meaning_in_words() -> None:
    days = (day(2, down=600, operational=85_800), day(1, operational=86_400), day(0, unreachable=5))
    seen = shown(told(all_well()), days={TRANSFER_BIFAST: days})
    page = read(seen, f"history/{TRANSFER_BIFAST}.html")
    assert (
        len([tag for tag, attributes in page.tags if tag == "rect" and "class" in attributes]) == 90
    )
    assert "1 hari normal, 1 hari dengan gangguan, 88 hari tidak terukur" in page.words
    assert "18 Mar 2026 Tidak dapat dipakai 10 menit" in page.words
    assert "Normal: 99,65%" in page.words
    rows = read(seen, "en/history/index.html").words
    assert "BI-FAST transfer How it was measured was not recorded 99.65%" in rows
    assert "No data yet" in rows


def test_each_figure_of_ninety_days_says_how_it_was_measured() -> None:
    """By payments, by our own questions, by what the bank decided; and what nobody measured."""
    measured = (
        day(1, operational=600, down=200, not_measured=200),
        day(0, operational=100, protective_restriction=100),
    )
    how = ({"outcomes": 700, "probe": 100}, {"probe": 100, "protection": 100})
    days = [msgspec.structs.replace(one, by=by) for one, by in zip(measured, how, strict=True)]
    seen = shown(told(all_well()), days={TRANSFER_BIFAST: days})
    page = read(seen, f"history/{TRANSFER_BIFAST}.html").words
    for said in (
        "Hasil pembayaran nasabah 70%", "Pemeriksaan bank sendiri 20%", "Keputusan bank 10%",
        "Tidak terukur, tidak dihitung 3 menit",
    ):  # fmt: skip
        assert said in page
    assert "tidak dicatat" not in page
    index = read(seen, "history/index.html").words
    assert "pembayaran 70%, pemeriksaan 20%, keputusan 10%" in index
    english = read(seen, "en/history/index.html").words
    assert "payments 70%, checks 20%, decisions 10%" in english


def test_days_from_before_the_way_was_written_down_say_that() -> None:
    seen = shown(told(all_well()), days={TRANSFER_BIFAST: [day(3, operational=300, down=100)]})
    assert "Cara mengukur tidak dicatat 100%" in read(seen, f"history/{TRANSFER_BIFAST}.html").words
    assert (
        "Transfer BI-FAST Cara mengukur tidak dicatat 75%" in read(seen, "history/index.html").words
    )


@given(
    st.dictionaries(st.sampled_from(["outcomes", "probe", "change", "people"]), st.integers(0, 99))
)
def test_shares_of_how_it_was_measured_are_of_all_that_was_measured(by: dict[str, int]) -> None:
    total = sum(by.values())
    shares = measured_by([Day(date(2026, 3, 20), {"operational": total}, by=by)])
    assert sum(shares.values()) <= 10_000
    assert bool(shares) == bool(total)


def test_a_day_is_as_bad_as_its_worst_minute() -> None:
    assert day(0, operational=5, degraded=1).worst == "degraded"
    assert day(0, degraded=5, down=1, unreachable=9).worst == "down"
    assert day(0, operational=5, unreachable=1).worst == "unreachable"
    assert day(0, operational=5, not_measured=5).worst == "not_measured"
    assert day(0, operational=6, not_measured=5).worst == "operational"
    assert day(0, not_measured=86_400).worst == "not_measured"
    assert good_share([day(0, not_measured=86_400, unknown=5)]) is None
    assert good_share([day(0, not_measured=86_400, operational=9, down=1)]) == 9_000
    assert day(0).worst == "unknown"


@given(
    st.dictionaries(
        st.sampled_from([*map(str, Condition), "unreachable", "unknown"]), st.integers(0, 90_000)
    )
)
def test_a_share_is_never_rounded_up(seconds: dict[str, int]) -> None:
    share = good_share([Day(date(2026, 3, 20), seconds)])
    known = sum(spent for name, spent in seconds.items() if name not in NOT_KNOWN)
    if share is None:
        assert known == 0
    else:
        assert 0 <= share <= 10_000
        assert (share == 10_000) == (seconds.get("operational", 0) == known)


def test_days_end_today_and_have_no_holes() -> None:
    whole = filled([day(5, down=1), day(400, down=1)], NOW)
    assert len(whole) == 90
    assert whole[-1].day == business_date(NOW)
    assert [one.day for one in whole if one.seconds] == [day(5).day]
