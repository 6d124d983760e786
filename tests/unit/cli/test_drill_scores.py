"""What drills write down: score cards, what payers felt, the picture, the hash of a plan."""

from __future__ import annotations

from xml.etree import ElementTree

from tangguh.cli.drills.lebaran import SHARES, arrivals, rate_at
from tangguh.cli.drills.load import hot_account, retry_storm
from tangguh.cli.drills.load.status_storm import inquiries_within
from tangguh.cli.drills.mad_detector import worst_share
from tangguh.cli.drills.register import DRILLS
from tangguh.cli.drills.scores.card import Card, complete, plan_hash
from tangguh.cli.drills.scores.picture import draw
from tangguh.cli.drills.scores.recorder import Band, Count, Recorder, Sample, Window, fall_in_points
from tangguh.cli.drills.sick import flapping


def felt(*states: str, service: str = "qris") -> Recorder:
    """One payment a second, told these states."""
    recorder = Recorder()
    for second, state in enumerate(states):
        recorder.add(Sample(service, second + 0.5, 0.01, state))
    return recorder


def test_an_oracle_holds_when_all_its_lines_do() -> None:
    """A line of no oracle stands for itself, and every oracle gets a line."""
    card = Card()
    card.ask("a", "0", 0, holds=True, oracle="O5")
    card.ask("b", "0", 3, holds=False, oracle="O5")
    card.ask("in time", "2 s", "1 s", holds=True)
    assert card.oracles() == {"O5": False, "in time": True}
    lines = complete(card.lines, {"O1": True, "O5": False, "O10": True, "in time": True})
    assert [line.oracle for line in lines] == ["O1", "O5", "O5", "O10", ""]
    assert all(line.asked and line.measured for line in lines)


def test_an_oracle_says_what_its_drill_asks() -> None:
    """The drill's own words stand before the standard ones."""
    doc = "a drill\nO4 each file is\n   its books, line for line;\nO6 every lie is seen.\nMore."
    lines = complete([], {"O4": True, "O6": False, "O8": True}, doc)
    assert [line.asked for line in lines[:2]] == [
        "each file is its books, line for line",
        "every lie is seen",
    ]
    assert lines[2].name == "all ended"


def test_seconds_and_windows() -> None:
    """What was paid, and what a gate stopped, by second and by window."""
    recorder = felt("posted", "protective_limit", "unanswered", "posted")
    assert recorder.series() == {"qris": [(1, 1, 0), (1, 0, 1), (1, 0, 0), (1, 1, 0)]}
    assert recorder.count(["qris"], [Window(0.0, 2.0)]) == Count(2, 1, 1)
    assert recorder.count(["onus"], [Window(0.0, 9.0)]).rate == 1.0


def test_a_fall_is_in_points_and_a_rise_is_none() -> None:
    """Of a hundred."""
    assert fall_in_points(Count(1000, 1000, 0), Count(1000, 998, 0)) == 0.2
    assert fall_in_points(Count(10, 5, 0), Count(10, 9, 0)) == 0.0


def test_the_worst_stretch_is_found() -> None:
    """Of any so many seconds, not of the whole."""
    states = ["posted"] * 10 + ["protective_closure"] * 5 + ["posted"] * 10
    assert worst_share(felt(*states), 5) == 100.0
    assert worst_share(felt(*states), 25) == 20.0


def test_the_picture_is_xml_with_every_series_and_band() -> None:
    """One chart a service; names are escaped; nothing is fetched from elsewhere."""
    series = {"qris <&>": [(3, 3, 0), (0, 0, 0), (4, 2, 2)], "onus": [(1, 1, 0)]}
    bands = [Band(0.5, 1.5, "fault", "down & out"), Band(1, 9, "closure", "closed", "onus")]
    drawn = draw("a <drill>", series, bands, "said")
    root = ElementTree.fromstring(drawn)
    charts = {one.get("id"): one for one in root.findall(".//{*}g")}
    assert set(charts) == set(series)
    assert len(list(charts["onus"].findall(".//{*}title"))) == 2
    assert len(list(charts["qris <&>"].findall(".//{*}title"))) == 1
    lines = [one for one in charts["qris <&>"].findall(".//{*}path") if one.get("class") == "paid"]
    assert len(lines) == 2, "a second in which nobody tried breaks the line"
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_a_picture_of_nothing() -> None:
    """Drills without payers have no series."""
    ElementTree.fromstring(draw("nothing", {}, []))


def test_the_same_seed_has_the_same_plan() -> None:
    """And another seed another one."""
    for plan_of in (
        lambda seed: hot_account.plan_of(seed, 1),
        lambda seed: flapping.plan_of(seed, 9),
        retry_storm.plan_of,
        lambda seed: arrivals(seed, 60.0, 20.0, 30),
    ):
        plans = [plan_hash(plan_of(seed)) for seed in (1, 1, 2)]
        assert plans[0] == plans[1] != plans[2]


def test_the_lebaran_day_has_its_peaks_and_every_service() -> None:
    """Nobody pays themselves, times rise, the evening is busier than the dawn."""
    day = arrivals(1, 100.0, 60.0, 30)
    assert {one.service for one in day} == set(SHARES)
    assert all(one.payer != one.payee for one in day)
    assert [one.at for one in day] == sorted(one.at for one in day)
    dawn, evening = (sum(begins <= one.at < begins + 10 for one in day) for begins in (15, 75))
    assert evening > 4 * dawn
    assert (rate_at(0.8), rate_at(2.0)) == (1.0, 0.0)
    assert abs(sum(SHARES.values()) - 1.0) < 1e-9


def test_how_often_the_schedule_asks() -> None:
    """Each delay counts from the send; the last repeats."""
    asked = [inquiries_within(seconds, (1.0, 2.0, 4.0)) for seconds in (0.5, 1.5, 3.0, 7.9, 8.0)]
    assert asked == [0, 1, 2, 3, 4]


def test_a_growing_closure_may_come_so_often() -> None:
    """3, 6, 12 and 24 seconds fill 45, and a second rule may add one."""
    assert flapping.closures_max(45.0) == 5
    assert flapping.closures_max(46.0) == 6


def test_every_drill_says_what_it_is_about() -> None:
    """By a sentence, for --list."""
    assert all(drill.about.endswith(".") and drill.times > 0 for drill in DRILLS.values())
