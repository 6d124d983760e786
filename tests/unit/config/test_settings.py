"""Settings: a file, overridden by the environment; every fault told at once; secrets masked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tangguh.config import load, masked
from tangguh.core.errors import Misconfigured


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """TANGGUH_SECTION__KEY wins, and other variables are none of ours."""
    path = tmp_path / "bank.toml"
    path.write_text('[web]\nport = 9000\nhost = "0.0.0.0"\n')
    settings = load(path, {"TANGGUH_WEB__PORT": "9001", "HOME": "/", "TANGGUH_DATA": "x"})
    assert (settings.web.port, settings.web.host) == (9001, "0.0.0.0")


def test_every_fault_is_told_at_once_by_its_path() -> None:
    """An unknown section, an unknown key and a wrong type in one complaint."""
    environment = {
        "TANGGUH_WEBB__PORT": "1",
        "TANGGUH_WEB__PROT": "1",
        "TANGGUH_DB__POOL_CONNECTIONS_MAX": "many",
    }
    with pytest.raises(Misconfigured) as told:
        load(None, environment)
    for word in ("webb", "prot", "db", "pool_connections_max"):
        assert word in str(told.value)


@pytest.mark.parametrize("text", ["[web", "web = 1", "\x00"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    """The complaint says which file or section, not a stack of ours."""
    path = tmp_path / "bank.toml"
    path.write_text(text)
    with pytest.raises(Misconfigured) as told:
        load(path, {})
    assert "bank.toml" in str(told.value) or "web" in str(told.value)


def test_secrets_are_masked() -> None:
    """What is shown holds no secret and no address with a password in it."""
    secret = "hunter2hunter2"
    environment = {
        "TANGGUH_DB__DSN": f"postgresql://bank:{secret}@db/bank",
        "TANGGUH_QRIS__CLIENT_SECRET": secret,
        "TANGGUH_QRIS__URL": "http://127.0.0.1:1",
    }
    shown = str(masked(load(None, environment)))
    assert secret not in shown
    assert "127.0.0.1:1" in shown
