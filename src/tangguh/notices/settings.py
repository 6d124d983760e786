"""What the ways out of the house can be told at deployment; each may be missing."""

from __future__ import annotations

from typing import Literal

import msgspec

from tangguh.notices.notice import Rules


class EmailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SMTP server. ``sender`` as it stands in From; ``ca_path`` for a server of one's own CA.

    Without a login none is tried. ``none`` is for a server on the same machine only.
    """

    host: str
    port: int = 587
    sender: str
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    ca_path: str = ""
    timeout_seconds: float = 15.0
    at_once: int = 4


class SmsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One SMS gateway: requests and receipts are signed with the same ``secret``."""

    url: str
    secret: str
    sender_name: str = "TANGGUH"
    timeout_seconds: float = 10.0
    at_once: int = 8


class PushSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Web push. ``vapid_private_key`` is 32 bytes, base64url; ``contact`` is a mailto: or https:.

    ``allow_private`` lets endpoints of one's own network through; never in production.
    """

    vapid_private_key: str
    contact: str
    ttl_seconds: int = 24 * 3600
    timeout_seconds: float = 10.0
    at_once: int = 16
    allow_private: bool = False


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Webhooks. Each address has its own secret, made from ``secret_key``."""

    secret_key: str
    timeout_seconds: float = 10.0
    at_once: int = 16
    allow_private: bool = False


class NoticesSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every way out, and the rules. ``link_key``, ``confirm_url`` and ``unsubscribe_url``: without
    them nobody can subscribe. Both addresses hold ``{token}``. ``wording_path``: a folder of the
    bank's own texts. ``keep_days``: how long what was told is kept, with the proof of delivery.
    """

    email: EmailSettings | None = None
    sms: SmsSettings | None = None
    push: PushSettings | None = None
    webhook: WebhookSettings | None = None
    rules: Rules = Rules()
    link_key: str = ""
    confirm_url: str = ""
    unsubscribe_url: str = ""
    wording_path: str = ""
    round_seconds: float = 1.0
    keep_days: int = 1_830
