"""The data directory of a bank run by ``tangguh up``: its lock, its keys, its run files.

Everything in it is private to the user. The lock is the kernel's, so it is gone with the process
that held it, however that ended.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tangguh.core.errors import Misconfigured
from tangguh.db.private import secret_at, write_private

_KEY_BITS = 2048
_VAPID_BYTES = 32
_Key = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class Place:
    """One data directory. ``take`` before anything in it is used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.keys = self.directory / "keys"
        self.run = self.directory / "run"
        self.logs = self.directory / "logs"
        self._lock: int | None = None

    def take(self) -> None:
        """Make the directories and take the lock.

        Raises Misconfigured when a bank already runs on this data, saying where it answers. A
        second ``take`` by the same holder does nothing.
        """
        if self._lock is not None:
            return
        try:
            for directory in (self.directory, self.keys, self.run, self.logs):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise Misconfigured(f"--data {self.directory}: {fault.strerror}") from fault
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as taken:
            os.close(self._lock)
            self._lock = None
            raise Misconfigured(
                f"a bank is already running on {self.directory}: {self._whereabouts()}"
            ) from taken

    def leave(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def crew_path(self) -> Path:
        """The demo's staff tokens, by staff id, once the bank has run."""
        return self.keys / "staff.json"

    def key_pair(self, name: str) -> tuple[Path, Path]:
        """The RSA key pair of this name (private, public), made on first use."""
        return self._pair(
            name, lambda: rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
        )

    def ledger_key(self) -> tuple[Path, Path]:
        """The Ed25519 pair the ledger authorises with (private, public), made on first use."""
        return self.signing_pair("ledger")

    def signing_pair(self, name: str) -> tuple[Path, Path]:
        """The Ed25519 key pair of this name (private, public), made on first use."""
        return self._pair(name, ed25519.Ed25519PrivateKey.generate)

    def _pair(self, name: str, make: Callable[[], _Key]) -> tuple[Path, Path]:
        private, public = self.keys / f"{name}.pem", self.keys / f"{name}.public.pem"
        if not public.exists():
            key = make()
            write_private(
                private,
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ),
            )
            write_private(
                public,
                key.public_key().public_bytes(
                    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
                ),
            )
        return private, public

    def secret(self, name: str) -> str:
        """A random secret of this name, made on first use."""
        return secret_at(self.keys / f"{name}.secret")

    def hex_key(self, name: str, size: int) -> str:
        """A random key of so many bytes in hex, made on first use."""
        path = self.keys / f"{name}.hex"
        if not path.exists():
            write_private(path, secrets.token_hex(size).encode())
        return path.read_text(encoding="utf-8")

    def vapid_key(self, name: str) -> str:
        """The secret number of a P-256 key, 32 bytes in base64url, made on first use."""
        path = self.keys / f"{name}.vapid"
        if not path.exists():
            number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
            write_private(path, b64encode(number.to_bytes(_VAPID_BYTES), b"-_").rstrip(b"="))
        return path.read_text(encoding="utf-8")

    def write_run_file(self, name: str, values: dict[str, Any]) -> Path:
        """Write the settings of a child process, as JSON, readable by nobody else."""
        path = self.run / name
        write_private(path, msgspec.json.encode(values))
        return path

    def _whereabouts(self) -> str:
        try:
            said = msgspec.json.decode((self.run / "ready.json").read_bytes())
            return str(said["bank"])
        except (OSError, msgspec.DecodeError, KeyError, TypeError):
            return "it is just starting or stopping"


def is_taken(directory: Path) -> bool:
    """Whether a bank runs on this data directory now: whether somebody holds its lock."""
    try:
        lock = os.open(directory / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False
