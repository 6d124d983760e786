"""One frozen, validated settings tree; the only reader of the environment (ADR-0009).

A TOML file is overridden by ``TANGGUH_SECTION__KEY`` variables. Every fault is reported at once,
by its path. Secrets are masked wherever settings are shown. Operating values (limits, tariffs)
are not here: they belong to the database.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.access.devices import DeviceSettings
from tangguh.access.pin import PinSettings
from tangguh.access.session import SessionSettings
from tangguh.core.errors import Misconfigured
from tangguh.core.settings_file import read_file as read_file
from tangguh.db.objects import ObjectSettings
from tangguh.db.space import SpaceSettings
from tangguh.ledger.writer import WriterSettings
from tangguh.notices.settings import NoticesSettings
from tangguh.payments.redress.policy import RedressPolicy
from tangguh.payments.resolver import ResolverSettings
from tangguh.payments.signer import AuthoriseSettings
from tangguh.rails.bifast.settings import BifastSettings
from tangguh.rails.iso8583.door import DoorSettings
from tangguh.rails.iso8583.settings import Iso8583Settings
from tangguh.rails.qris.rail import QrisSettings
from tangguh.rails.snap_partner import SnapPartnerSettings
from tangguh.recovery.climber import RecoverySettings
from tangguh.status.settings import StatusSettings
from tangguh.web.settings import WebSettings
from tangguh.work.cycles import CycleSettings
from tangguh.work.guardian import GuardSettings
from tangguh.work.incidents.settings import IncidentSettings
from tangguh.work.transit import TransitSettings
from tangguh.work.treasury import TreasurySettings

_PREFIX: Final = "TANGGUH_"
_SECRET_WORDS: Final = ("secret", "password", "key", "token", "dsn")
_MASK: Final = "•••"


class DbSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the book lies. ``dsn`` empty: the embedded PostgreSQL in the data directory.

    ``web_dsn``: the same database as another role, for all but the book's writer, so that what
    reads the web cannot write the book; empty: everything as ``dsn``. Neither needs to own the
    schema once it is up to date (docs/runbooks/database-roles.md).
    ``pepper_key``: what one-time codes are hashed with, 32 bytes or more, kept apart from the
    database; without it they end with the process.
    """

    dsn: str = ""
    web_dsn: str = ""
    pool_connections_max: int = 10
    pepper_key: str = ""
    space: SpaceSettings = SpaceSettings()


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the bank can be told at deployment."""

    db: DbSettings = DbSettings()
    book: WriterSettings = WriterSettings()
    web: WebSettings = WebSettings()
    pin: PinSettings = PinSettings()
    session: SessionSettings = SessionSettings()
    devices: DeviceSettings = DeviceSettings()
    resolver: ResolverSettings = ResolverSettings()
    redress: RedressPolicy = RedressPolicy()
    authorise: AuthoriseSettings = AuthoriseSettings()
    qris: QrisSettings | None = None
    bifast: BifastSettings | None = None
    iso8583: Iso8583Settings | None = None
    terminals: DoorSettings | None = None
    ewallet: dict[str, SnapPartnerSettings] = {}
    billers: SnapPartnerSettings | None = None
    transit: TransitSettings | None = None
    cycles: CycleSettings | None = None
    treasury: TreasurySettings | None = None
    guard: GuardSettings = GuardSettings()
    recovery: RecoverySettings = RecoverySettings()
    notices: NoticesSettings = NoticesSettings()
    incidents: IncidentSettings = IncidentSettings()
    evidence: ObjectSettings | None = None
    status: StatusSettings | None = None


def staff_device_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where this machine keeps the secret by which the bank knows it as a device of staff.

    ``TANGGUH_STAFF_DEVICE`` names the file; else it lies with the user's other settings.
    """
    return _users_own("TANGGUH_STAFF_DEVICE", "staff-device", environment)


def staff_login_path(environment: Mapping[str, str] | None = None) -> Path:
    """Where ``tangguh staff login`` keeps the token of staff, and which bank it is for.

    ``TANGGUH_STAFF_LOGIN`` names the file; else it lies with the user's other settings.
    """
    return _users_own("TANGGUH_STAFF_LOGIN", "staff-login", environment)


def _users_own(variable: str, name: str, environment: Mapping[str, str] | None) -> Path:
    known = os.environ if environment is None else environment
    if named := known.get(variable, "").strip():
        return Path(named)
    base = known.get("XDG_CONFIG_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".config") / "tangguh" / name


def two_staff_tokens(environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The tokens of two people who are both present; empty where none is set.

    ``TANGGUH_STAFF_TOKEN`` and ``TANGGUH_SECOND_STAFF_TOKEN``: never words of a command, which
    everybody on the machine can read.
    """
    known = os.environ if environment is None else environment
    names = ("TANGGUH_STAFF_TOKEN", "TANGGUH_SECOND_STAFF_TOKEN")
    first, second = (known.get(name, "").strip() for name in names)
    return first, second


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file and the environment. Raises Misconfigured naming every fault by its path."""
    values: dict[str, Any] = {}
    if path is not None:
        values = read_file(path)
    faults: list[str] = []
    for name, text in sorted((os.environ if environment is None else environment).items()):
        if name.startswith(_PREFIX) and "__" in name:
            _put(values, name[len(_PREFIX) :].lower().split("__"), text, faults)
    settings = _convert(values, faults)
    if faults:
        raise Misconfigured("settings: " + "; ".join(faults))
    return settings


def of(values: dict[str, Any]) -> Settings:
    """Settings of plain values. Raises Misconfigured naming every fault by its path."""
    faults: list[str] = []
    settings = _convert(values, faults)
    if faults:
        raise Misconfigured("settings: " + "; ".join(faults))
    return settings


def masked(settings: Settings) -> dict[str, Any]:
    """The settings in force as plain values, with every secret replaced."""
    shown: dict[str, Any] = _mask(msgspec.to_builtins(settings))
    return shown


def _convert(values: dict[str, Any], faults: list[str]) -> Settings:
    """Convert section by section, so that one fault does not hide the next."""
    sections: dict[str, Any] = {}
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    for name, value in values.items():
        if name not in known:
            faults.append(f"{name}: there is no such section (there are {', '.join(known)})")
            continue
        try:
            sections[name] = msgspec.convert(value, known[name].type, strict=False)
        except msgspec.ValidationError as fault:
            faults.append(f"{name}: {fault}")
    return Settings(**sections)


def _put(values: dict[str, Any], path: list[str], text: str, faults: list[str]) -> None:
    here = values
    for part in path[:-1]:
        inside = here.setdefault(part, {})
        if not isinstance(inside, dict):
            faults.append(f"{'.'.join(path)}: {part} is a value, not a section")
            return
        here = inside
    here[path[-1]] = text


def _mask(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _mask(inside, str(key)) for key, inside in value.items()}
    is_secret = any(word in name for word in _SECRET_WORDS) and isinstance(value, str)
    return _MASK if is_secret and value else value
