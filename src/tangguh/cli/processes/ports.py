"""Ports of this machine: which are free, and who is told when one is not."""

from __future__ import annotations

import socket

from tangguh.core.errors import Misconfigured


def refuse_busy_port(host: str, port: int) -> None:
    """Raise Misconfigured, saying what to do, when somebody listens there already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as busy:
            raise Misconfigured(
                f"port {port} on {host} is taken ({busy.strerror}); choose another with --port"
            ) from busy


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> list[int]:
    """So many different ports nobody listens on now."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def is_free(port: int) -> bool:
    """Whether nobody of this machine listens on the port."""
    try:
        refuse_busy_port("127.0.0.1", port)
    except Misconfigured:
        return False
    return True
