"""Codes of a log-in belong to whoever asked: a stranger uses up nothing of the owner's."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from serving import credentials
from stories import count_of
from tangguh.access.devices import DeviceSettings
from tangguh.access.rate import Backoff, Rate
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.errors import StoreUnavailable
from tangguh.customers.seed import DEMO_PIN
from tangguh.web.login import Claim, Proved, prove
from tangguh.web.problems import Problem, Trouble

BUDI = 2
PHONE = credentials(BUDI)["phone"]
HERS, STRANGERS = "198.51.100.7", "203.0.113.9"
MATCH = re.compile(r"Kode masuk Anda (\d{6})")


@pytest.fixture
def asking(bank: Bank) -> Bank:
    """The bank as it is set for production, without the rates of log-ins: codes are under test."""
    bank.door.devices.settings = DeviceSettings(new_device="code")
    bank.door.logins = Rate(bank.clock, burst=10_000, per_minute=10_000)
    bank.door.guesses = Backoff(bank.clock, free=10_000, first=1.0, most=1.0, memory=1.0)
    return bank


async def try_in(bank: Bank, host: str = HERS, **said: Any) -> Proved | Problem:
    """One log-in with everything that was asked for, or the problem it ended in."""
    claim = {"host": host, "phone": PHONE, "pin": DEMO_PIN} | said
    try:
        return await prove(bank.door, Claim(**claim))
    except Trouble as no:
        return no.problem
    finally:
        await sent(bank)


async def sent(bank: Bank) -> list[str]:
    """Every code that went out so far, oldest first."""
    await bank.door.settle()
    rows = await bank.pool.fetch(
        "SELECT notices::text AS row FROM notices WHERE template = 'login_code' ORDER BY notice_id"
    )
    found = [MATCH.search(row["row"]) for row in rows]
    return [one[1] for one in found if one is not None]


async def test_who_knows_only_the_number_has_no_code_sent(asking: Bank) -> None:
    """Guesses from anywhere send nothing; the owner, on a new device meanwhile, gets hers."""
    told = [await try_in(asking, STRANGERS, pin="000111") for _ in range(20)]
    assert {one.code for one in told[6:]} == {"code_needed"}
    assert await sent(asking) == []
    asked = await try_in(asking)
    assert asked.code == "code_needed"
    [code] = await sent(asking)
    opened = await try_in(asking, code=code, attempt=asked.attempt)
    assert isinstance(opened, Proved)


async def test_a_strangers_wrong_codes_end_nothing_of_hers(asking: Bank) -> None:
    """Even one who knows the PIN: their tries and their code are those of their own attempt."""
    hers = await try_in(asking)
    [code] = await sent(asking)
    theirs = await try_in(asking, STRANGERS)
    for number in range(9):
        wrong = f"{(int(code) + number + 1) % 1_000_000:06d}"
        said = await try_in(asking, STRANGERS, code=wrong, attempt=theirs.attempt)
        assert said.code == "code_wrong"
    opened = await try_in(asking, code=code, attempt=hers.attempt)
    assert isinstance(opened, Proved)


async def test_a_device_she_is_known_by_has_codes_of_its_own(asking: Bank) -> None:
    """A stranger with the PIN used up what strangers have; her own phone gets in all the same."""
    device = await asking.door.devices.enrol(BUDI)
    for number in range(30):
        await try_in(asking, f"203.0.113.{number}")
    before = len(await sent(asking))
    for _ in range(5):
        assert (await try_in(asking, device=device, pin="000111")).code == "pin_wrong"
    asked = await try_in(asking, device=device)
    assert asked.code == "code_needed", "after five wrong PINs it must prove itself again"
    codes = await sent(asking)
    assert len(codes) == before + 1
    said = await try_in(asking, device=device, code=codes[-1], attempt=asked.attempt)
    assert isinstance(said, Proved)


async def test_messages_stay_bounded_and_she_is_told(asking: Bank, clock: HandClock) -> None:
    """A stranger with the PIN, from everywhere, for a day: few messages, and one word an hour."""
    for number in range(24):
        for part in range(8):
            await try_in(asking, f"203.0.{number}.{part}")
        clock.advance(3601)
    assert len(await sent(asking)) == 20
    assert await count_of(asking, "notices") == 20 + len(await warned(asking))
    assert 3 <= len(await warned(asking)) <= 24


async def warned(bank: Bank) -> list[str]:
    rows = await bank.pool.fetch(
        "SELECT channels FROM notices WHERE template = 'login_codes_spent' AND in_app"
    )
    assert {row["channels"] for row in rows} <= {"push"}
    return [row["channels"] for row in rows]


async def test_one_place_alone_leaves_codes_for_another(asking: Bank) -> None:
    """Who asks from one address uses up that address's; she asks from hers and gets in."""
    for _ in range(30):
        await try_in(asking, STRANGERS)
    assert len(await sent(asking)) == 3
    hers = await try_in(asking)
    codes = await sent(asking)
    assert len(codes) == 4
    opened = await try_in(asking, code=codes[-1], attempt=hers.attempt)
    assert isinstance(opened, Proved)


async def test_a_code_without_its_attempt_is_no_code(asking: Bank) -> None:
    """Nor with another's: whoever reads six digits over a shoulder has half of it."""
    hers = await try_in(asking)
    [code] = await sent(asking)
    for attempt in ("", "x" * 43, "x" * 500):
        said = await try_in(asking, STRANGERS, code=code, attempt=attempt)
        assert said.code == "code_wrong"
    assert isinstance(await try_in(asking, code=code, attempt=hers.attempt), Proved)


async def test_the_answer_waits_for_no_message(
    asking: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long it takes shows nobody whether the PIN was right while a number is guessed at."""
    for _ in range(6):
        await try_in(asking, STRANGERS, pin="000111")
    never = asyncio.Event()

    async def hangs(*_: Any) -> str:
        await never.wait()
        raise StoreUnavailable("gone")

    monkeypatch.setattr(asking.door.attempts, "make_code", hangs)
    with pytest.raises(Trouble) as no:
        await prove(asking.door, Claim(host=HERS, phone=PHONE, pin=DEMO_PIN))
    assert no.value.problem.code == "code_needed"
    never.set()
    await asking.door.settle()
