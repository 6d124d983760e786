"""What the HTTP door can be told at deployment; every bound has its unit."""

from __future__ import annotations

import msgspec

from tangguh.listeners.limits import ListenerSettings


class WebSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to listen and how much to let in.

    ``answer_seconds``: how long a payment request waits for the rail before it answers with the
    payment as it stands. ``queued_commands_max``, ``queued_seconds_max``: when so many wait, or
    the first has waited for so long, new payments are turned away, so that those who wait are
    served in time and refunds, reversals and reads still get through. ``files`` a customer (or
    host) may send as evidence: each is drawn anew, which costs. ``strangers`` are hosts that
    send a public form or ask for a report by its number. ``name_checks``: names of others one
    customer may look up, by whatever way. ``trusted_proxies``: networks (CIDR) whose
    X-Forwarded-For and X-Forwarded-Proto are believed, nobody else's. ``sealing_key``: 32 bytes
    in hex, the root of the keys that seal what is shown; empty: one for the life of the
    process. ``demo_crew_path``: where the demo's staff tokens are written, once;
    ``demo_networks_url``: the control port of its simulated networks.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    body_bytes_max: int = 32 * 1024
    photo_bytes_max: int = 8 * 1024 * 1024
    answer_seconds: float = 4.0
    queued_commands_max: int = 10_000
    queued_seconds_max: float = 1.0
    logins_per_minute: int = 10
    logins_burst: int = 10
    requests_per_minute: int = 600
    requests_burst: int = 120
    files_per_minute: int = 12
    files_burst: int = 12
    strangers_per_minute: int = 20
    strangers_burst: int = 20
    name_checks_per_minute: int = 20
    name_checks_burst: int = 20
    live_streams_max: int = 2_000
    live_streams_each_max: int = 8
    live_seconds_max: float = 300.0
    trusted_proxies: tuple[str, ...] = ()
    listener: ListenerSettings = ListenerSettings()
    sealing_key: str = ""
    demo: bool = False
    demo_crew_path: str = ""
    demo_networks_url: str = ""
