"""Logging in: who gets in, what the others are told, and how the lock opens again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from serving import Answered, credentials
from stories import count_of
from tangguh.access.rate import Backoff, Rate
from tangguh.access.session import Kind, Locked, WrongPin
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers.seed import DEMO_PIN
from tangguh.web.login import prove_again

BUDI = 2


async def log_in(by: Any, customer_id: int = BUDI, **changes: str) -> Answered:
    return await by.ask("POST", "/v1/sessions", credentials(customer_id) | changes)


@pytest.fixture
def patient(bank: Bank) -> Bank:
    """The bank without its rate of logins: wrong PINs are under test."""
    bank.door.logins = Rate(bank.clock, burst=10_000, per_minute=10_000)
    bank.door.guesses = Backoff(bank.clock, free=10_000, first=1.0, most=1.0, memory=1.0)
    return bank


async def test_in_and_out(make_phone: Any, bank: Bank) -> None:
    """The session works until it is ended, and not after."""
    phone = await make_phone(None)
    opened = await log_in(phone)
    assert opened.status == 201
    phone.token = opened.body["token"]
    assert (await phone.ask("GET", "/v1/me")).body["customer_id"] == BUDI
    assert (await phone.ask("DELETE", "/v1/sessions/current")).status == 204
    after = await phone.ask("GET", "/v1/me")
    assert (after.status, after.code) == (401, "session_ended")
    acts = await bank.pool.fetch("SELECT what FROM acts ORDER BY act_id")
    assert [row["what"] for row in acts] == ["session.opened", "session.ended"]


async def test_eight_log_ins_at_once_of_a_known_device_are_no_strangers(
    make_phone: Any, patient: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is counted before it is judged; those under way are not wrong ones."""
    phone = await make_phone(None)
    judge = patient.sessions.is_pin

    async def slowly(*asked: Any) -> bool:
        for _ in range(2_000):
            await asyncio.sleep(0)
        return await judge(*asked)

    monkeypatch.setattr(patient.sessions, "is_pin", slowly)
    device = (await log_in(phone)).body["device"]
    answers = await asyncio.gather(*(log_in(phone, device=device) for _ in range(8)))
    assert [one.status for one in answers] == [201] * 8
    assert {one.body["device"] for one in answers} == {device}


async def test_the_token_is_nowhere_kept(make_phone: Any, bank: Bank) -> None:
    """The database knows its hash only."""
    opened = await log_in(await make_phone(None))
    rows = await bank.pool.fetch("SELECT sessions::text AS row FROM sessions")
    assert opened.body["token"] not in "".join(row["row"] for row in rows)


async def test_a_strangers_guesses_wait_longer_each_time(
    make_phone: Any, patient: Bank, clock: HandClock
) -> None:
    """Five free, then a minute, two, four: a few dozen in a week, not 2,400 in a day."""
    phone = await make_phone(None)
    judged = 0
    ends = clock.monotonic() + 7 * 24 * 3600
    while clock.monotonic() < ends:
        said = await log_in(phone, pin="000111")
        judged += said.code == "pin_wrong"
        if said.code == "rate_limited":
            clock.advance(said.body["retry_after_seconds"])
    assert 15 < judged < 30


async def test_a_right_pin_in_between_forgives_no_stranger(make_phone: Any, patient: Bank) -> None:
    """Four wrong, the owner's log-in, four more: eight."""
    phone = await make_phone(None)
    for _ in range(4):
        assert (await log_in(phone, pin="000111")).code == "pin_wrong"
    assert (await log_in(phone)).status == 201
    told = [(await log_in(phone, pin="000111")).code for _ in range(4)]
    assert told == ["pin_wrong", "pin_wrong", "rate_limited", "rate_limited"]


async def test_strangers_lock_nobody_who_is_known(make_phone: Any, patient: Bank) -> None:
    """A hundred guesses at a number: its owner logs in on their phone, and pays."""
    phone = await make_phone(None)
    device = (await log_in(phone)).body["device"]
    for _ in range(100):
        await log_in(phone, pin="000111")
    assert (await log_in(phone)).code == "rate_limited", "a stranger even with the right PIN"
    again = await log_in(phone, device=device)
    assert (again.status, again.body["device"]) == (201, device)
    session = await patient.sessions.find(again.body["token"])
    assert session is not None
    await prove_again(patient.door, session, DEMO_PIN)


async def test_a_known_device_has_five_tries_of_its_own(make_phone: Any, patient: Bank) -> None:
    """They are told; then the phone is a stranger too. The right PIN in between begins anew."""
    phone = await make_phone(None)
    device = (await log_in(phone)).body["device"]
    left = [(await log_in(phone, pin="000111", device=device)).body["tries_left"] for _ in range(3)]
    assert left == [4, 3, 2]
    assert (await log_in(phone, device=device)).status == 201
    left = [(await log_in(phone, pin="000111", device=device)).body["tries_left"] for _ in range(6)]
    assert left == [4, 3, 2, 1, 0, None]
    other = await log_in(phone, customer_id=3, device=device)
    assert other.body["device"] != device, "a device is one customer's"


async def test_parallel_guesses_do_not_outrun_the_wait(make_phone: Any, patient: Bank) -> None:
    """A hundred guesses at once: six are judged, the rest wait."""
    phone = await make_phone(None)
    pins = [f"{number:06d}" for number in range(100)]
    answers = await asyncio.gather(*(log_in(phone, pin=pin) for pin in pins))
    told = Counter(answer.code for answer in answers)
    assert told["pin_wrong"] + told["rate_limited"] + told["overloaded"] == 100
    assert told["pin_wrong"] <= 6


async def test_a_session_counts_its_own_wrong_pins(patient: Bank, clock: HandClock) -> None:
    """Five lock this session for three minutes, the next five for six; another one pays on."""
    mine = (await patient.sessions.open(BUDI, Kind.BROWSER)).session
    other = (await patient.sessions.open(BUDI, Kind.BROWSER)).session
    for seconds in (180, 360, 720):
        for _ in range(4):
            assert isinstance(await patient.sessions.check_again(mine, "000111"), WrongPin)
        locked = await patient.sessions.check_again(mine, "000111")
        assert isinstance(locked, Locked)
        assert (locked.until - clock.now()).total_seconds() == seconds
        assert isinstance(await patient.sessions.check_again(mine, DEMO_PIN), Locked)
        assert await patient.sessions.check_again(other, DEMO_PIN) is None
        if seconds < 720:
            clock.advance(seconds + 1)


async def test_where_guesses_come_from_counts_too(make_phone: Any, bank: Bank) -> None:
    """One source that tries many numbers waits, whatever the numbers."""
    bank.door.logins = Rate(bank.clock, burst=1_000, per_minute=1_000)
    phone = await make_phone(None)
    told = [
        (await log_in(phone, phone=f"62811900{number:05d}", pin="000111")).code
        for number in range(30)
    ]
    assert told[:10] == ["pin_wrong"] * 10
    assert told.count("rate_limited") >= 18


async def test_a_number_nobody_has_gets_the_same_answer(make_phone: Any, patient: Bank) -> None:
    """Whether a number has an account here cannot be read from the answer to a guess."""
    phone = await make_phone(None)
    known = await log_in(phone, pin="000111")
    unknown = await log_in(phone, phone="6281199999999", pin="000111")
    assert (unknown.status, unknown.body) == (known.status, known.body)


async def test_too_many_logins_from_one_place(make_phone: Any, bank: Bank) -> None:
    """Above the rate they are turned away with a time to come back."""
    phone = await make_phone(None)
    answers = [await log_in(phone, customer_id=number % 9 + 1) for number in range(11)]
    assert [answer.status for answer in answers[:10]] == [201] * 10
    assert (answers[10].status, answers[10].code) == (429, "rate_limited")
    assert int(answers[10].headers["Retry-After"]) >= 1
    assert await count_of(bank, "sessions") == 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "0811abc00001"},
        {"phone": ""},
        {"phone": "62811000002\n"},
        {"pin": "12345"},
        {"pin": "1234567"},
        {"pin": "١٢٣٤٥٦"},
        {"pin": "290325\n"},
        {"pin": ""},
    ],
)
async def test_malformed_credentials_are_no_guess(
    make_phone: Any, bank: Bank, wrong: dict[str, str]
) -> None:
    """They are refused by their shape, naming the field, and count against nobody."""
    answer = await log_in(await make_phone(None), **wrong)
    assert answer.status == 422
    assert answer.code in {"body_invalid", "parameter_invalid"}
    assert answer.body["field"] == next(iter(wrong))
    row = await bank.pool.fetchrow("SELECT sum(failures) AS failures FROM pins")
    assert row is not None
    assert row["failures"] == 0
