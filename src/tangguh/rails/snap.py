"""SNAP, Bank Indonesia's national open API standard: the token, the envelope, what codes mean.

Source: ASPI's SNAP developer site. It carries any body to any SNAP service and reads the answer by
the service-independent table; a rail may know better for its own service. It never logs: secrets,
tokens and bodies pass here. The invariant: only a whole, self-consistent answer is ever read as yes
or no.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Mapping
from secrets import SystemRandom
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tangguh.core.clock import Clock
from tangguh.core.json_once import RepeatedName, load_once
from tangguh.core.known import Tristate, known_as
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails import signature
from tangguh.rails.link import Link, Reply, withheld

_EXTERNAL_ID_DIGITS: Final = 36
_MILLISECOND_DIGITS: Final = 13


class ExternalIds:
    """Makes X-EXTERNAL-ID values: 36 digits, unique per day across processes without agreement.

    Thirteen digits of milliseconds, then twenty-three random ones.
    """

    def __init__(self, clock: Clock, source: random.Random | None = None) -> None:
        self._clock = clock
        self._random = source if source is not None else SystemRandom()

    def next(self) -> str:
        """A fresh id; every request takes its own, a resend too."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        digits = _EXTERNAL_ID_DIGITS - _MILLISECOND_DIGITS
        tail = self._random.randrange(10**digits)
        return f"{milliseconds:0{_MILLISECOND_DIGITS}d}{tail:0{digits}d}"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who we are to one partner. Its repr shows no secret."""

    client_id: str
    client_secret: str
    partner_id: str
    channel_id: str
    private_key: RSAPrivateKey

    def __repr__(self) -> str:
        return f"Credentials(partner_id={self.partner_id!r}, ...)"


class Endpoint(msgspec.Struct, frozen=True):
    """One SNAP operation: its two-digit service code and its path."""

    service: str
    path: str


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How one partner wants SNAP spoken, where it differs from the standard's own way.

    ``prefix`` stands before every path and is signed with it; ``paths`` are whole paths by service.
    ``asymmetric``: each call is signed with our RSA key and goes without a token (SNAP's own form
    for calls that need none); else HMAC with a token.
    """

    prefix: str = ""
    paths: Mapping[str, str] = {}
    asymmetric: bool = False

    def path_of(self, endpoint: Endpoint) -> str:
        """Where an operation is called, as it is also signed."""
        return self.prefix + self.paths.get(endpoint.service, endpoint.path)


STANDARD: Final = Manner()
TOKEN_B2B: Final = Endpoint("73", "/v1.0/access-token/b2b")


class Answer(msgspec.Struct, frozen=True):
    """A partner's answer whose code agrees with its HTTP status and with the service asked."""

    code: str
    """The 7-digit responseCode: HTTP status (3), service (2), case (2)."""
    fields: dict[str, Any]

    @property
    def case(self) -> str:
        """HTTP status and case without the service, such as ``40408``."""
        return self.code[:3] + self.code[5:]

    @property
    def service(self) -> str:
        """The two-digit service code."""
        return self.code[3:5]

    def text(self, name: str) -> str:
        """A field as text; empty when it is missing or is not text."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


def open_reply(endpoint: Endpoint, reply: Reply) -> Answer | Unanswered:
    """The answer in a reply, or Unanswered when it is not a SNAP answer to what was asked."""
    try:
        fields = load_once(reply.body)
    except RepeatedName:
        return Unanswered(f"reply says a thing twice (HTTP {reply.status})")
    except (ValueError, RecursionError):
        return Unanswered(f"reply is not JSON (HTTP {reply.status})")
    if not isinstance(fields, dict):
        return Unanswered(f"reply is not a JSON object (HTTP {reply.status})")
    code = str(fields.get("responseCode", ""))
    if not (len(code) == 7 and code.isascii() and code.isdigit()):
        return Unanswered(f"reply has no response code (HTTP {reply.status})")
    # A code that belongs to another status or service was not made by the one we asked.
    if code[:3] != str(reply.status) or code[3:5] != endpoint.service:
        return Unanswered(f"response code {code} under HTTP {reply.status}")
    return Answer(code=code, fields=fields)


DECLINES: Final[Mapping[str, Refusal]] = {
    "40000": Refusal.PARTNER_DECLINED,  # bad request
    "40001": Refusal.PARTNER_DECLINED,  # invalid format
    "40002": Refusal.PARTNER_DECLINED,  # missing field
    "40100": Refusal.PARTNER_UNREACHABLE,  # unauthorised: nobody read the request
    "40101": Refusal.PARTNER_UNREACHABLE,  # invalid token
    "40102": Refusal.PARTNER_DECLINED,  # invalid customer token
    "40103": Refusal.PARTNER_UNREACHABLE,  # token not found
    "40104": Refusal.PARTNER_DECLINED,  # customer token not found
    "40300": Refusal.PARTNER_DECLINED,  # transaction expired
    "40301": Refusal.PARTNER_DECLINED,  # feature not allowed
    "40302": Refusal.PARTNER_LIMIT,  # amount limit
    "40303": Refusal.PARTNER_DECLINED,  # suspected fraud: the payer is not told so
    "40304": Refusal.PARTNER_LIMIT,  # count limit
    "40305": Refusal.PARTNER_DECLINED,  # do not honour
    "40306": Refusal.PARTNER_DECLINED,  # cut-off, not at this time
    "40307": Refusal.PARTNER_DECLINED,  # card blocked
    "40308": Refusal.PARTNER_DECLINED,  # card expired
    "40309": Refusal.PARTNER_DECLINED,  # dormant
    "40310": Refusal.PARTNER_LIMIT,  # token limit to be set
    "40311": Refusal.PARTNER_DECLINED,  # OTP blocked
    "40312": Refusal.PARTNER_DECLINED,  # OTP lifetime
    "40313": Refusal.PARTNER_DECLINED,  # OTP cipher
    "40314": Refusal.PARTNER_DECLINED,  # insufficient funds, theirs and not the payer's
    "40315": Refusal.PARTNER_DECLINED,  # not permitted
    "40316": Refusal.PARTNER_DECLINED,  # suspended
    "40317": Refusal.PARTNER_LIMIT,  # token limit exceeded
    "40318": Refusal.PARTNER_DECLINED,  # inactive
    "40319": Refusal.MERCHANT_BLOCKED,  # merchant blacklisted
    "40320": Refusal.PARTNER_LIMIT,  # merchant limit
    "40321": Refusal.PARTNER_LIMIT,  # token limit
    "40322": Refusal.PARTNER_LIMIT,  # token limit
    "40323": Refusal.PARTNER_LIMIT,  # account limit
    "40402": Refusal.PARTNER_UNREACHABLE,  # invalid routing
    "40403": Refusal.PARTNER_DECLINED,  # bank not supported
    "40404": Refusal.PARTNER_DECLINED,  # transaction cancelled
    "40405": Refusal.MERCHANT_NOT_FOUND,  # merchant not registered for this API
    "40408": Refusal.MERCHANT_NOT_FOUND,  # invalid merchant
    "40409": Refusal.PARTNER_DECLINED,  # no such issuer
    "40411": Refusal.FAR_ACCOUNT_NOT_FOUND,  # invalid account
    "40412": Refusal.PARTNER_DECLINED,  # invalid bill
    "40413": Refusal.PARTNER_DECLINED,  # invalid amount
    "40416": Refusal.PARTNER_DECLINED,  # partner not found
    "40417": Refusal.PARTNER_DECLINED,  # invalid terminal
    "40419": Refusal.PARTNER_DECLINED,  # bill expired
    "40500": Refusal.PARTNER_DECLINED,  # function not supported
    "40501": Refusal.PARTNER_DECLINED,  # function not allowed now
}
"""HTTP status and case -> our refusal, for cases in which nothing moved and nothing will.

Left out on purpose, hence Unanswered: 202, 429, every 5xx, and the cases that speak of an earlier
request, which may have been ours: 40400, 40401, 40410, 40414 (bill already paid), 409xx.
"""

INCONSISTENT: Final = "40418"
INCONSISTENT_IS_SUCCESS: Final = frozenset(
    # intrabank, interbank, RTGS, SKN, VA payment; refunds 58, 78, 80; voids 46, 57, 62, 77
    {"17", "18", "22", "23", "25", "58", "78", "80", "46", "57", "62", "77"}
)
INCONSISTENT_IS_FAILURE: Final = frozenset({"44", "54", "60"})  # OTC, direct debit, CPM payment
"""The 404/18 rule: same reference, other content. The standard calls it success for some services
and failure for others; qr-mpm-payment (50) is in neither list: Unanswered, the query decides."""

_NOBODYS: Final = "PROBE"
"""How a reference begins that no payment ever had."""
_INVALID_TOKEN: Final = frozenset({"40101", "40103"})


def read(
    answer: Answer, reference_field: str = "referenceNo", declines: Mapping[str, Refusal] = DECLINES
) -> Accepted | Declined | Unanswered:
    """What an answer means by the service-independent rules. Unknown codes are Unanswered."""
    if answer.case == "20000":
        return Accepted(answer.text(reference_field))
    if answer.case == "20200":
        return Unanswered("in progress")
    if answer.case == INCONSISTENT and answer.service in INCONSISTENT_IS_SUCCESS:
        return Accepted(answer.text(reference_field))
    if answer.case == INCONSISTENT and answer.service in INCONSISTENT_IS_FAILURE:
        return Declined(Refusal.PARTNER_DECLINED, answer.code)
    if answer.case in declines:
        return Declined(declines[answer.case], answer.code)
    return Unanswered(f"response code {answer.code}")


class Token(msgspec.Struct, frozen=True):
    """A B2B access token and when, on the monotonic clock, to renew and to drop it."""

    text: str
    renew_at: float
    expires_at: float

    def __repr__(self) -> str:
        return "Token(...)"


_TOKEN_SECONDS: Final = 900.0
"""The life the standard gives a token; used when the partner's own figure cannot be read."""
_TOKEN_SECONDS_MAX: Final = 86_400.0
_RENEW_SHARE: Final = 0.9
"""A token is renewed after this share of its life, so that no payment waits for an expired one."""
_RENEW_RETRY_SECONDS: Final = 5.0
_VISIBLE_ASCII: Final = re.compile(r"[\x21-\x7e]+")


class Tokens:
    """The current token of one partner. However many calls wait for one, one request asks."""

    def __init__(
        self, link: Link, credentials: Credentials, clock: Clock, manner: Manner = STANDARD
    ) -> None:
        self._path = manner.path_of(TOKEN_B2B)
        self._link = link
        self._credentials = credentials
        self._clock = clock
        self._token: Token | None = None
        self._asking: asyncio.Task[Token | None] | None = None

    async def current(self) -> str | None:
        """A token that should still be good; None when there is none to be had."""
        token = self._token
        if token is not None and self._clock.monotonic() < token.renew_at:
            return token.text
        if self._asking is None:
            self._asking = asyncio.create_task(self._renew())
        # Shielded: one impatient caller must not take the token away from the others.
        fresh = await asyncio.shield(self._asking)
        if fresh is not None:
            return fresh.text
        # The early renewal failed; the old token has not run out yet.
        if token is not None and self._clock.monotonic() < token.expires_at:
            return token.text
        return None

    def drop(self, text: str) -> None:
        """Forget a token the partner refused, unless it has been replaced meanwhile."""
        if self._token is not None and self._token.text == text:
            self._token = None

    async def close(self) -> None:
        """Wait for a request under way; close the link first and it ends at once."""
        if self._asking is not None:
            await self._asking

    async def _renew(self) -> Token | None:
        try:
            reply = await self._request()
        finally:
            self._asking = None
        token = self._read(reply)
        if token is not None:
            self._token = token
        elif self._token is not None:
            later = self._clock.monotonic() + _RENEW_RETRY_SECONDS
            self._token = msgspec.structs.replace(
                self._token, renew_at=min(later, self._token.expires_at)
            )
        return token

    async def _request(self) -> Reply | NotSent | Unanswered:
        who = self._credentials
        timestamp = signature.timestamp_of(self._clock.now())
        text = signature.text_of_token_request(who.client_id, timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-CLIENT-KEY": who.client_id,
            "X-SIGNATURE": signature.sign_asymmetric(who.private_key, text),
        }
        body = b'{"grantType":"client_credentials"}'
        return await self._link.exchange("POST", self._path, headers, body)

    def _read(self, reply: Reply | NotSent | Unanswered) -> Token | None:
        if not isinstance(reply, Reply):
            return None
        answer = open_reply(TOKEN_B2B, reply)
        if not isinstance(answer, Answer) or answer.case != "20000":
            return None
        text = answer.text("accessToken")
        if not _VISIBLE_ASCII.fullmatch(text):
            return None
        now, life = self._clock.monotonic(), _seconds(answer.fields.get("expiresIn"))
        return Token(text, renew_at=now + life * _RENEW_SHARE, expires_at=now + life)


def _seconds(value: object) -> float:
    """A token's life: the standard writes it as text, some partners as a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return _TOKEN_SECONDS
    try:
        return float(min(max(int(float(value)), 0), _TOKEN_SECONDS_MAX))
    except (ValueError, OverflowError):
        return _TOKEN_SECONDS


class Caller:
    """Makes signed calls to one partner."""

    def __init__(
        self,
        link: Link,
        credentials: Credentials,
        clock: Clock,
        external_ids: ExternalIds,
        manner: Manner = STANDARD,
    ) -> None:
        self._link = link
        self._credentials = credentials
        self._clock = clock
        self._external_ids = external_ids
        self._manner = manner
        self._tokens = Tokens(link, credentials, clock, manner)

    async def call(
        self, endpoint: Endpoint, body: Mapping[str, Any]
    ) -> Answer | NotSent | Unanswered:
        """Post one body and give the partner's answer. Without a token nothing is sent: NotSent.

        A request thrown back for its token was certainly not looked at, so the same body goes out
        once more with a new token; it cannot have been carried out by the first.
        """
        content = msgspec.json.encode(body)
        if self._manner.asymmetric:
            return await self._post(endpoint, content, None)
        token = await self._tokens.current()
        if token is None:
            return withheld("no token from the partner")
        answer = await self._post(endpoint, content, token)
        if not isinstance(answer, Answer) or answer.case not in _INVALID_TOKEN:
            return answer
        self._tokens.drop(token)
        fresh = await self._tokens.current()
        if fresh is None:
            return answer
        return await self._post(endpoint, content, fresh)

    async def is_there(
        self, endpoint: Endpoint, reference_field: str, body: Mapping[str, Any]
    ) -> Tristate:
        """Whether the partner serves us: it is asked about a reference nobody has.

        Any answer will do but a fault of its own (5xx) or one that it does not know us (401).
        """
        reference = _NOBODYS + self._external_ids.next()
        answer = await self.call(endpoint, {**body, reference_field: reference})
        if not isinstance(answer, Answer):
            return Tristate.NO
        return known_as(not answer.code.startswith(("5", "401")))

    async def close(self) -> None:
        """Leave nothing running. The link belongs to whoever made it: close that one first."""
        await self._tokens.close()

    async def _post(
        self, endpoint: Endpoint, content: bytes, token: str | None
    ) -> Answer | NotSent | Unanswered:
        path = self._manner.path_of(endpoint)
        headers = self._headers(path, content, token)
        reply = await self._link.exchange("POST", path, headers, content)
        return open_reply(endpoint, reply) if isinstance(reply, Reply) else reply

    def _headers(self, path: str, content: bytes, token: str | None) -> dict[str, str]:
        who = self._credentials
        timestamp = signature.timestamp_of(self._clock.now())
        text = signature.text_of_call("POST", path, token, content, timestamp)
        if token is None:
            proof = {"X-SIGNATURE": signature.sign_asymmetric(who.private_key, text)}
        else:
            made = signature.sign_symmetric(who.client_secret, text)
            proof = {"Authorization": f"Bearer {token}", "X-SIGNATURE": made}
        return {
            "Content-Type": "application/json",
            **proof,
            "X-TIMESTAMP": timestamp,
            "X-PARTNER-ID": who.partner_id,
            "X-EXTERNAL-ID": self._external_ids.next(),
            "CHANNEL-ID": who.channel_id,
        }
