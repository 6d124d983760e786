"""Customers of other banks at our merchants, and merchants elsewhere who scan our customers' codes.

The switch speaks first here: SNAP 50 and 51 to the bank as acquirer, 60 to it as issuer, signed
with the switch's key. What it settles stands in its own books (``*.visitors``): ``out`` is due to
the bank, ``in`` is owed by it. Where there is no word on a payment (no answer, in progress, a bank
that fails), it is asked about (51), a scan is asked for again; what nobody can say is not written.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tangguh.core.clock import Clock
from tangguh.sim.message import amount_of
from tangguh.sim.passbook import Passbook, TransferRow, instant_text
from tangguh.sim.snap import asymmetric_signature, timestamp_of

ISSUER: Final = "93600998"
"""Bank Uji Antar: where the visitors have their accounts. Invented."""
_VISITORS: Final = "visitors"
_SHOPS: Final = "shops elsewhere"
_OPENING_MINOR: Final = 1_000_000_000_00
_PATHS: Final = {
    "50": "/v1.0/qr/qr-mpm-payment",
    "51": "/v1.0/qr/qr-mpm-query",
    "60": "/v1.0/qr/qr-cpm-payment",
}
_ENDS: Final = {"00": "20000", "04": "40305", "05": "40404", "06": "40305"}
"""What a query's status makes of a payment; any other status decides nothing."""
_TOKEN_TAG: Final = b"\x9f\x74"


class Visitors:
    """The switch's own requests to the bank. ``url`` is any address of the bank; empty: none."""

    def __init__(
        self, path: str, url: str, key: RSAPrivateKey, partner: str, clock: Clock, random: Random
    ) -> None:
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        self._key = key
        self._partner = partner
        self._clock = clock
        self._random = random
        self._session: aiohttp.ClientSession | None = None
        self.ledger = Passbook(path)
        with self.ledger.transaction():
            self.ledger.open_account(_VISITORS, "VISITORS", opening_minor=_OPENING_MINOR)
            self.ledger.open_account(_SHOPS, "SHOPS ELSEWHERE")

    async def close(self) -> None:
        """Let go of the connection and the books."""
        if self._session is not None:
            await self._session.close()
        self.ledger.close()

    async def pay(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A visitor pays a merchant of the bank: ``payload`` and, for a static code, the amount.

        Raises ValueError when the code names no merchant.
        """
        code = _facts(str(fields.get("payload", "")))
        minor = int(fields.get("amount_minor", 0)) or code["amount_minor"]
        reference = str(fields.get("reference") or f"V{self._random.getrandbits(80):020x}")
        body = {
            "partnerReferenceNo": reference,
            "merchantId": code["merchant_id"],
            "amount": amount_of(minor),
            "additionalInfo": {
                "merchantPan": code["pan"],
                "issuerNns": ISSUER,
                "billNo": code["bill"],
                "rrn": f"{self._random.randrange(10**12):012d}",
            },
        }
        case, said = await self._ask("50", body)
        if not _is_word(case):
            case, said = await self._ask("51", {"originalPartnerReferenceNo": reference})
            if case == "20000":
                case = _ENDS.get(str(said.get("latestTransactionStatus")), "")
        self._record(reference, "out", _VISITORS, minor, case, str(said.get("referenceNo", "")))
        return {"reference": reference, "case": case, "amount_minor": minor}

    async def scan(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """A shop elsewhere scans a customer's code (``payload``) and asks for ``amount_minor``."""
        reference = str(fields.get("reference") or f"C{self._random.getrandbits(80):020x}")
        minor = int(fields.get("amount_minor", 0))
        body = {
            "partnerReferenceNo": reference,
            "merchantId": "SHOP0001",
            "amount": amount_of(minor),
            "additionalInfo": {
                "token": token_in(str(fields.get("payload", ""))),
                "merchantPan": f"{ISSUER}0000000001",
                "merchantName": "KEDAI UJI ANTAR",
                "merchantCity": "BANDUNG",
            },
        }
        case, said = await self._ask("60", body)
        if not _is_word(case):
            # There is no query of it: the same request again gets the answer of the first.
            case, said = await self._ask("60", body)
        self._record(reference, "in", _SHOPS, minor, case, str(said.get("referenceNo", "")))
        return {"reference": reference, "case": case, "amount_minor": minor}

    def _record(
        self, reference: str, direction: str, account: str, minor: int, case: str, named: str
    ) -> None:
        if not _is_word(case) or self.ledger.transfer(reference) is not None:
            return
        with self.ledger.transaction():
            self.ledger.record(
                TransferRow(
                    reference=reference,
                    kind="qris",
                    direction=direction,
                    account=account,
                    amount_minor=minor,
                    state="paid" if case == "20000" else "failed",
                    code=case,
                    network_reference=named[:32],
                    made_at=instant_text(self._clock.now()),
                )
            )

    async def _ask(self, service: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The case of the answer and its fields; no case when none came."""
        path, content = _PATHS[service], msgspec.json.encode(body)
        timestamp = timestamp_of(self._clock.now())
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": asymmetric_signature(self._key, "POST", path, content, timestamp),
            "X-PARTNER-ID": self._partner,
            "X-EXTERNAL-ID": f"{self._random.randrange(10**36):036d}",
            "CHANNEL-ID": "95221",
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        try:
            async with self._session.post(
                self._origin + path, data=content, headers=headers
            ) as answer:
                said = msgspec.json.decode(await answer.read(), type=dict[str, Any])
        except (aiohttp.ClientError, TimeoutError, msgspec.MsgspecError, ValueError):
            return "", {}
        code = str(said.get("responseCode", ""))
        return code[:3] + code[5:], said


def token_in(payload: str) -> str:
    """The one-time token of a customer-presented code, by a reader of the switch's own."""
    raw = base64.b64decode(payload)
    at = raw.find(_TOKEN_TAG)
    token = raw[at + 3 :][: raw[at + 2]] if 0 <= at < len(raw) - 3 else b""
    if not token or len(token) != raw[at + 2]:
        raise ValueError("the code has no token")
    return token.decode("ascii")


def _is_word(case: str) -> bool:
    """Whether an answer decides anything: "in progress" and a bank that fails do not."""
    return case == "20000" or case.startswith("4")


def _facts(payload: str) -> dict[str, Any]:
    root = _fields(payload)
    account = next((_fields(root[f"{n}"]) for n in range(26, 46) if f"{n}" in root), {})
    if "01" not in account:
        raise ValueError("the code names no merchant")
    digits, _, sen = root.get("54", "0").partition(".")
    return {
        "pan": account["01"],
        "merchant_id": account.get("02", ""),
        "amount_minor": int(digits or "0") * 100 + int((sen + "00")[:2]),
        "bill": _fields(root.get("62", "")).get("01", "") if root.get("01") == "12" else "",
    }


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    while len(text) >= 4:
        end = 4 + int(text[2:4])
        fields[text[:2]] = text[4:end]
        text = text[end:]
    return fields
