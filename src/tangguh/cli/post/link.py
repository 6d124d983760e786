"""How the household's bank and its post know each other: ports, login, certificate, secrets."""

from __future__ import annotations

from typing import Any, Final

from tangguh.cli.place import Place
from tangguh.cli.post.certificate import certificate
from tangguh.core.clock import SystemClock
from tangguh.notices.settings import NoticesSettings
from tangguh.sim.post.gateway import PATH
from tangguh.web.partners.receipts import PATH as RECEIPTS_PATH

_HOST: Final = "127.0.0.1"
_USERNAME: Final = "bank-tangguh-demo"
_SENDER: Final = "Bank Tangguh <kabar@tangguh.example>"
_CONTACT: Final = "mailto:kabar@post.example"


class PostLink:
    """One description of the link, from which the post's settings and the bank's are both made."""

    def __init__(self, place: Place, bank_url: str, *, sms_port: int, mail_port: int) -> None:
        self._place = place
        self._bank_url = bank_url
        self._sms_port = sms_port
        self._mail_port = mail_port

    def sim_settings(self) -> dict[str, Any]:
        """What the simulated post is told."""
        pem, private = self._certificate()
        return {
            "secret": self._place.secret("post-sms"),
            "username": _USERNAME,
            "password": self._place.secret("post-mail"),
            "certificate_path": pem,
            "private_key_path": private,
            "books_path": str(self._place.directory / "post-books.sqlite"),
            "sms_port": self._sms_port,
            "mail_port": self._mail_port,
            "receipt_url": f"{self._bank_url}{RECEIPTS_PATH}",
        }

    def bank_settings(self, configured: NoticesSettings) -> dict[str, Any]:
        """The bank's ``notices`` by this post, and its key for web push.

        Nothing of the post when an operator has configured e-mail, SMS, webhooks or links, and no
        key when they have one: what somebody decided is not mixed with what is invented here.
        """
        ways = (configured.email, configured.sms, configured.webhook, configured.link_key)
        return ({} if any(ways) else self._by_post()) | ({} if configured.push else self._push())

    def _by_post(self) -> dict[str, Any]:
        return {
            "email": {
                "host": _HOST,
                "port": self._mail_port,
                "sender": _SENDER,
                "username": _USERNAME,
                "password": self._place.secret("post-mail"),
                "ca_path": self._certificate()[0],
            },
            "sms": {
                "url": f"http://{_HOST}:{self._sms_port}{PATH}",
                "secret": self._place.secret("post-sms"),
            },
            # Private networks stay closed here too: who wants to try a webhook on this machine
            # says so in the settings (notices.webhook.allow_private).
            "webhook": {"secret_key": self._place.secret("webhooks")},
            "link_key": self._place.secret("notice-links"),
            "confirm_url": f"{self._bank_url}/subscribe/confirm?token={{token}}",
            "unsubscribe_url": f"{self._bank_url}/unsubscribe?token={{token}}",
        }

    def _push(self) -> dict[str, Any]:
        """A browser brings its own push service, which only this key may call."""
        key = self._place.vapid_key("push")
        return {"push": {"vapid_private_key": key, "contact": _CONTACT}}

    def _certificate(self) -> tuple[str, str]:
        pem, private = certificate(self._place.keys, "post", SystemClock().now())
        return str(pem), str(private)
