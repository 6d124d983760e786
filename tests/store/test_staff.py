"""Staff and their keys on real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest

from conftest import NOON
from tangguh.access.people import Role, Staff, StaffState
from tangguh.access.staff import KEY_SECONDS, StaffRegister
from tangguh.core.clock import HandClock
from tangguh.core.errors import RowRefused
from tangguh.core.outcome import Refused
from tangguh.db.pool import Pool

RANI = Staff(
    id="staff:17", full_name="Rani", hr_id="HR-17", roles=frozenset({Role.RISK_OFFICER, Role.CISO}),
    reports_to="staff:3", group="risk",
)  # fmt: skip
DEWI = Staff(id="staff:18", hr_id="HR-18")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Pool]:
    opened = await Pool.open(dsn, size_max=2)
    yield opened
    await opened.close()


@pytest.fixture
async def register(pool: Pool, clock: HandClock) -> StaffRegister:
    kept = StaffRegister(pool, 1, clock)
    assert await kept.add(RANI) is None
    assert await kept.add(DEWI) is None
    return kept


async def test_staff_come_back_as_they_were_added(register: StaffRegister) -> None:
    assert await register.find("staff:17") == RANI
    assert await register.everyone() == (RANI, DEWI)
    assert await register.find("staff:99") is None
    assert isinstance(await register.add(RANI), Refused)


async def test_a_token_is_told_once_and_kept_as_a_hash(register: StaffRegister, pool: Pool) -> None:
    token = await register.add_token("staff:17")
    assert await register.find_by_token(token) == RANI
    assert await register.find_by_token(token + "x") is None
    assert await register.find_by_token("\udcff") is None
    rows = await pool.fetch("SELECT staff_keys::text AS row FROM staff_keys")
    assert [token in row["row"] for row in rows] == [False]


async def test_a_public_key_is_found_and_is_nobody_elses(register: StaffRegister) -> None:
    key = bytes(range(32))
    assert await register.add_public_key("staff:17", key) is None
    assert await register.find_by_public_key(key) == RANI
    assert isinstance(await register.add_public_key("staff:18", key), Refused)
    assert isinstance(await register.add_public_key("staff:18", b"short"), Refused)
    assert await register.find_by_token(key.decode("latin-1")) is None


async def test_keys_end(register: StaffRegister, clock: HandClock) -> None:
    token = await register.add_token("staff:17")
    clock.advance(KEY_SECONDS - 1)
    assert await register.find_by_token(token) == RANI
    clock.advance(1)
    assert await register.find_by_token(token) is None


async def test_a_frozen_account_is_found_by_no_key(register: StaffRegister, pool: Pool) -> None:
    """Its row stays, for the same-person rule; even a key that somebody revives opens nothing."""
    token = await register.add_token("staff:17")
    assert await register.freeze("staff:17")
    assert not await register.freeze("staff:17")
    assert not await register.freeze("staff:99")
    assert await register.find_by_token(token) is None
    await pool.fetch("UPDATE staff_keys SET state = 'active', revoked_at = NULL")
    assert await register.find_by_token(token) is None
    frozen = msgspec.structs.replace(RANI, state=StaffState.FROZEN)
    assert await register.everyone() == (frozen, DEWI)


async def test_a_role_of_a_newer_version_is_no_right_here(
    register: StaffRegister, pool: Pool
) -> None:
    await pool.fetch("UPDATE staff SET roles = '{ciso,treasurer}' WHERE staff_id = 'staff:17'")
    found = await register.find("staff:17")
    assert found is not None
    assert found.roles == {Role.CISO}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ("staff_id = 'rani'", "staff_id_is_numbered"),
        ("state = 'gone'", "staff_state_is_known"),
        ("state = 'frozen'", "who_is_frozen_says_since_when"),
        ("hr_id = ' '", "an_account_names_its_person"),
        ("reports_to = staff_id", "nobody_reports_to_themselves"),
    ],
)
async def test_impossible_staff_are_refused(
    register: StaffRegister, pool: Pool, changes: str, rule: str
) -> None:
    """Whatever the application thinks."""
    with pytest.raises(RowRefused) as refused:
        await pool.fetch(f"UPDATE staff SET {changes} WHERE staff_id = 'staff:17'")
    assert str(refused.value) == rule


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ("'\\x00', 'token', NULL, 'active', NULL", "key_hash_is_a_sha256"),
        ("sha256('x'), 'password', NULL, 'active', NULL", "key_kind_is_known"),
        ("sha256('x'), 'token', NULL, 'lost', NULL", "key_state_is_known"),
        ("sha256('x'), 'token', NULL, 'revoked', NULL", "what_is_revoked_says_when"),
        ("sha256('x'), 'token', sha256('y'), 'active', NULL", "only_a_public_key_is_kept"),
        ("sha256('x'), 'ed25519', NULL, 'active', NULL", "only_a_public_key_is_kept"),
        ("sha256('x'), 'ed25519', '\\x00', 'active', NULL", "only_a_public_key_is_kept"),
    ],
)
async def test_impossible_keys_are_refused(
    register: StaffRegister, pool: Pool, values: str, rule: str
) -> None:
    with pytest.raises(RowRefused) as refused:
        await pool.fetch(
            "INSERT INTO staff_keys (book_id, staff_id, added_at, expires_at, sha256, kind,"
            f" public_key, state, revoked_at) VALUES (1, 'staff:17', $1, $1, {values})",
            NOON,
        )
    assert str(refused.value) == rule


async def test_a_key_belongs_to_somebody(register: StaffRegister) -> None:
    with pytest.raises(RowRefused):
        await register.add_token("staff:99")


async def test_a_member_of_staff_who_looks_does_not_write(
    register: StaffRegister, pool: Pool, clock: HandClock
) -> None:
    """A session's use is written down once a minute, however much is read; and it is written."""
    device = await register.devices.issue_first("staff:17")
    assert isinstance(device, str)
    session = await register.open_session(await register.add_token("staff:17"), device)
    writes = set()
    for _ in range(600):
        clock.advance(1)
        assert await register.find_by_session(session) == RANI
        row = await pool.fetchrow("SELECT xmin::text AS write, used_at FROM staff_sessions")
        assert row is not None
        writes.add(row["write"])
    assert 9 <= len(writes) <= 11
    assert (clock.now() - row["used_at"]).total_seconds() <= 61
