"""Logging in: who gets in, what the others are told, and how the lock opens again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec
import pytest

from serving import Answered, credentials
from stories import count_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock

BUDI = 2


async def log_in(device: Any, customer_id: int = BUDI, **changes: str) -> Answered:
    return await device.ask("POST", "/v1/sessions", credentials(customer_id) | changes)


@pytest.fixture
def patient(bank: Bank) -> Bank:
    """The bank without its rate of logins: the PIN's own lock is under test."""
    from tangguh.access.rate import Rate

    bank.door.logins = Rate(bank.clock, burst=1_000, per_minute=1_000)
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


async def test_the_token_is_nowhere_kept(make_phone: Any, bank: Bank) -> None:
    """The database knows its hash only."""
    opened = await log_in(await make_phone(None))
    rows = await bank.pool.fetch("SELECT sessions::text AS row FROM sessions")
    assert opened.body["token"] not in "".join(row["row"] for row in rows)


async def test_tries_left_then_locked_then_open_by_itself(
    make_phone: Any, patient: Bank, clock: HandClock
) -> None:
    """Five wrong PINs lock it for three minutes, for the right one too; then it is open."""
    phone = await make_phone(None)
    left = [(await log_in(phone, pin="000111")).body["tries_left"] for _ in range(4)]
    assert left == [4, 3, 2, 1]
    locked = await log_in(phone, pin="000111")
    assert (locked.status, locked.code, locked.body["retry"]) == (403, "pin_locked", "after")
    assert (await log_in(phone)).code == "pin_locked"
    until = msgspec.convert(locked.body["until"], type(clock.now()))
    clock.advance((until - clock.now()).total_seconds() - 1)
    assert (await log_in(phone)).code == "pin_locked"
    clock.advance(1)
    assert (await log_in(phone, pin="000111")).body["tries_left"] == 4
    assert (await log_in(phone)).status == 201


async def test_a_right_pin_forgives_the_wrong_ones(make_phone: Any, patient: Bank) -> None:
    """The count of wrong PINs begins anew after a right one."""
    phone = await make_phone(None)
    for _ in range(3):
        for _ in range(4):
            await log_in(phone, pin="000111")
        assert (await log_in(phone)).status == 201


async def test_parallel_guesses_do_not_outrun_the_lock(make_phone: Any, patient: Bank) -> None:
    """A hundred guesses at once: five are judged, the rest find the door locked."""
    phone = await make_phone(None)
    pins = [f"{number:06d}" for number in range(100)]
    answers = await asyncio.gather(*(log_in(phone, pin=pin) for pin in pins))
    told = Counter(answer.code for answer in answers)
    assert told["pin_wrong"] + told["pin_locked"] + told["overloaded"] == 100
    assert told["pin_wrong"] == 4
    assert (await log_in(phone)).code == "pin_locked"


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
