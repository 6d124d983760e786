"""E-mail over one SMTP server: plain words and the same in simple HTML, encrypted on the way.

The Message-ID is the same for every try, so that a mail which was taken twice is one in the
reader's box, and it is the reference under which the server's own log knows it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Final

import aiosmtplib

from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.notices.channels.channel import Delivered, Delivery, Later, Message, Rejected
from tangguh.notices.notice import Via
from tangguh.notices.settings import EmailSettings
from tangguh.notices.texts import Letter

_PERMANENT: Final = 500
_BAD_MAILBOX: Final = re.compile(r"\b5\.1\.[0-9]{1,3}\b")
"""Enhanced codes (RFC 3463 §3.2) that are about the mailbox itself, not about our reputation."""
_SAID_MAX: Final = 200


class EmailChannel:
    """Sends through one server. Raises Misconfigured when the sender is no address."""

    via = Via.EMAIL

    def __init__(
        self, settings: EmailSettings, letters: Mapping[str, Letter], clock: Clock
    ) -> None:
        self._settings = settings
        self._letters = letters
        self._clock = clock
        self.at_once = settings.at_once
        self.timeout_seconds = settings.timeout_seconds
        name, address = parseaddr(settings.sender)
        try:
            self._sender = Address(name, addr_spec=address)
            self._tls = ssl.create_default_context(cafile=settings.ca_path or None)
        except (MessageError, ValueError, IndexError, OSError) as wrong:
            raise Misconfigured("notices.email: no sender's address, or no ca_path") from wrong

    async def deliver(self, message: Message, address: str) -> Delivery:
        """Send one mail. What the server says about us and not about the reader is Later."""
        try:
            mail = self._mail(message, address)
        except (MessageError, ValueError, IndexError):
            return Rejected("no address to write to", gone=True)
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                _, said = await self._send(mail)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _about_the_reader(refused.recipients[0])
        except aiosmtplib.SMTPDataError as refused:
            if refused.code >= _PERMANENT:
                return Rejected(f"SMTP {refused.code} on the message")
            return Later(f"SMTP {refused.code}")
        except aiosmtplib.SMTPResponseException as refused:
            return Later(f"SMTP {refused.code} ({type(refused).__name__})")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            return Later(f"no answer ({type(error).__name__})")
        return Delivered(str(mail["Message-ID"]), said[:_SAID_MAX])

    async def close(self) -> None:
        """Nothing is kept open between mails."""

    async def _send(self, mail: EmailMessage) -> tuple[dict[str, aiosmtplib.SMTPResponse], str]:
        settings = self._settings
        return await aiosmtplib.send(
            mail,
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password or None,
            timeout=settings.timeout_seconds,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=None if settings.security == "none" else self._tls,
        )

    def _mail(self, message: Message, address: str) -> EmailMessage:
        letter = self._letters[message.language]
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=address)
        mail["Subject"] = message.title
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message.key}@{self._sender.domain}>"
        mail["Content-Language"] = message.language
        mail["Auto-Submitted"] = "auto-generated"
        lines = [*message.text.split("\n"), letter.never_ask]
        end = ""
        if message.unsubscribe_url:
            mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
            lines.append(f"{letter.unsubscribe} {message.unsubscribe_url}")
            href = escape(message.unsubscribe_url)
            end = f'<p>{escape(letter.unsubscribe)} <a href="{href}">{href}</a></p>'
        mail.set_content("\n\n".join(lines) + "\n", cte="quoted-printable")
        said = [*message.text.split("\n"), letter.never_ask]
        body = "".join(f"<p>{escape(line)}</p>" for line in said)
        mail.add_alternative(
            f'<!doctype html><html lang="{message.language}"><body>'
            f"<h1>{escape(message.title)}</h1>{body}{end}</body></html>\n",
            subtype="html",
            cte="quoted-printable",
        )
        return mail


def _about_the_reader(refused: aiosmtplib.SMTPRecipientRefused) -> Delivery:
    if refused.code < _PERMANENT:
        return Later(f"SMTP {refused.code}")
    gone = bool(_BAD_MAILBOX.search(refused.message))
    return Rejected(f"SMTP {refused.code} for the mailbox", gone=gone)
