"""QRIS as the payer's bank (issuer): merchant-presented payments over the switch, by SNAP.

Message flow: payment (50), then query (51) while unanswered, cancel (77) to make sure it never
happens, refund (78) afterwards. The reference is the same in all of them. An answer that speaks of
another reference or amount than ours is no answer: Unanswered.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tangguh.core.clock import JAKARTA, Clock
from tangguh.core.errors import Misconfigured
from tangguh.core.known import Tristate
from tangguh.core.order import ToQris
from tangguh.core.outcome import Accepted, Declined, NotSent, Outcome, Refusal, Unanswered
from tangguh.rails import signature, snap
from tangguh.rails.link import Health, Link, LinkSettings
from tangguh.rails.qris import codes
from tangguh.rails.rail import Capabilities, Instruction, Question, Refunding
from tangguh.rails.snap_amount import amount_of, names_other

_STAN_VALUES: Final = 1_000_000
_EXCHANGES_PER_SEND: Final = 4
"""At worst: a token, the payment, another token when the first was refused, the payment again."""


class QrisSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this bank reaches its QRIS switch. ``private_key_path`` is an RSA key in PEM;
    ``switch_public_key_path`` (PEM) verifies the switch's notices, empty: none are taken.

    The first seven have no default that could work: they come from the contract with the switch.
    ``issuer_nns`` is our own number in the national numbering (8 digits). Timeouts in seconds.
    ``inquiry_delays_seconds`` counts from the send; the last delay repeats.
    """

    url: str = ""
    client_id: str = ""
    client_secret: str = ""
    private_key_path: str = ""
    switch_public_key_path: str = ""
    partner_id: str = ""
    channel_id: str = ""
    issuer_nns: str = ""
    connections_max: int = 32
    waiting_max: int = 64
    wait_timeout_seconds: float = 1.0
    connect_timeout_seconds: float = 2.0
    total_timeout_seconds: float = 10.0
    reply_bytes_max: int = 64 * 1024
    inquiry_delays_seconds: tuple[float, ...] = (3.0, 10.0, 30.0, 60.0, 120.0, 300.0)

    def __repr__(self) -> str:
        return f"QrisSettings(url={self.url!r}, partner_id={self.partner_id!r}, ...)"


class QrisIssuer:
    """Carries payments of our customers to merchants of other banks."""

    name = "qris"

    def __init__(
        self, settings: QrisSettings, clock: Clock, source: random.Random | None = None
    ) -> None:
        """Raises Misconfigured when the address, the identity or the key cannot be used."""
        self._settings = settings
        self._link = Link(_link_settings(settings), clock)
        self._caller = snap.Caller(
            self._link, _credentials(settings), clock, snap.ExternalIds(clock, source)
        )

    @property
    def health(self) -> Health:
        """What the link to the switch has seen."""
        return self._link.health

    def questions(self) -> Mapping[str, Question]:
        """SNAP has no echo: the switch is asked about a payment nobody made."""
        return {"": self._is_there}

    async def _is_there(self) -> Tristate:
        body = {"serviceCode": codes.PAYMENT.service, "merchantId": ""}
        return await self._caller.is_there(codes.QUERY, "originalPartnerReferenceNo", body)

    def capabilities(self) -> Capabilities:
        """How long a send may take and when to inquire."""
        return Capabilities(
            settles_inside=False,
            send_timeout_seconds=_EXCHANGES_PER_SEND * self._settings.total_timeout_seconds,
            inquiry_delays_seconds=self._settings.inquiry_delays_seconds,
        )

    async def send(self, instruction: Instruction) -> Outcome:
        """Pay once. After an Unanswered, inquire: the outcome of a repeat is the repeat's own."""
        payee = instruction.payee
        if not isinstance(payee, ToQris):
            return Declined(Refusal.ORDER_INVALID)
        body = _payment_body(instruction, payee, self._settings.issuer_nns)
        answer = await self._caller.call(codes.PAYMENT, body)
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_payment(answer)
        if isinstance(outcome, Accepted):
            return _disagreement(answer, instruction, "partnerReferenceNo") or outcome
        return outcome

    async def inquire(self, instruction: Instruction) -> Outcome:
        """Ask the switch's own books. Never NotSent: a question unasked says nothing of money."""
        answer = await self._query(instruction)
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_query(answer)
        if isinstance(outcome, Accepted):
            return _disagreement(answer, instruction, "originalPartnerReferenceNo") or outcome
        return _other_reference(answer, instruction, "originalPartnerReferenceNo") or outcome

    async def reverse(self, instruction: Instruction) -> Outcome:
        """Cancel. A switch that will not is asked what happened, since it may have been paid."""
        body = {
            **_original(instruction),
            "merchantId": _merchant_id(instruction),
            "reason": "payment was not concluded in time",
        }
        answer = _asked(await self._caller.call(codes.CANCEL, body))
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_cancel(answer)
        if isinstance(outcome, Declined):
            return _other_reference(answer, instruction, "originalPartnerReferenceNo") or outcome
        return await self.inquire(instruction)

    async def refund(self, refunding: Refunding) -> Outcome:
        """Ask for part or all of a payment back, under the refund's own reference."""
        original = refunding.original
        body = {
            **_original(original),
            "merchantId": _merchant_id(original),
            "partnerRefundNo": refunding.reference,
            "refundAmount": amount_of(refunding.amount_minor, original.currency),
            "reason": refunding.reason,
        }
        answer = await self._caller.call(codes.REFUND, body)
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_refund(answer)
        if isinstance(outcome, Accepted) and not _agrees_on_refund(answer, refunding):
            return Unanswered("answer speaks of another refund")
        return outcome

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """Look for the refund in the history the switch keeps with its payment."""
        answer = await self._query(refunding.original)
        if not isinstance(answer, snap.Answer):
            return answer
        if wrong := _other_reference(answer, refunding.original, "originalPartnerReferenceNo"):
            return wrong
        return codes.outcome_of_refund_query(answer, refunding.reference, refunding.amount_minor)

    async def close(self) -> None:
        """Let go of connections."""
        await self._link.close()
        await self._caller.close()

    async def _query(self, instruction: Instruction) -> snap.Answer | Unanswered:
        body = {
            **_original(instruction),
            "serviceCode": codes.PAYMENT.service,
            "merchantId": _merchant_id(instruction),
        }
        return _asked(await self._caller.call(codes.QUERY, body))


def retrieval_reference(instruction: Instruction) -> str:
    """RRN, 12 digits YDDDHHnnnnnn of Jakarta time: the same on every repeat of one payment.

    Our own proposal: the real form is each switch's own. For people and files; two payments of one
    hour may share it, so nothing is ever looked up by it alone.
    """
    accepted = instruction.accepted_at.astimezone(JAKARTA)
    number = instruction.payment_id.int % _STAN_VALUES
    return f"{accepted.year % 10}{accepted:%j%H}{number:06d}"


def _payment_body(instruction: Instruction, payee: ToQris, issuer_nns: str) -> dict[str, Any]:
    more = {
        "qrContent": payee.payload,
        "merchantPan": payee.merchant_pan,
        "nmid": payee.nmid,
        "merchantName": payee.merchant_name,
        "merchantCity": payee.merchant_city,
        "merchantCategory": payee.category_code,
        "criteria": payee.criteria,
        "terminalId": payee.terminal,
        "acquirer": payee.acquirer,
        "issuerNns": issuer_nns,
        "rrn": retrieval_reference(instruction),
        "transactionDate": signature.timestamp_of(instruction.accepted_at),
    }
    return {
        "partnerReferenceNo": instruction.reference,
        "merchantId": payee.merchant_id,
        "amount": amount_of(instruction.amount_minor, instruction.currency),
        "feeAmount": amount_of(instruction.tip_minor, instruction.currency),
        "additionalInfo": {name: value for name, value in more.items() if value},
    }


def _original(instruction: Instruction) -> dict[str, str]:
    return {"originalPartnerReferenceNo": instruction.reference}


def _merchant_id(instruction: Instruction) -> str:
    return instruction.payee.merchant_id if isinstance(instruction.payee, ToQris) else ""


def _asked(answer: snap.Answer | NotSent | Unanswered) -> snap.Answer | Unanswered:
    """NotSent of a question or a cancel is about that message, and must never free the payment."""
    return Unanswered(answer.why) if isinstance(answer, NotSent) else answer


def _other_reference(answer: snap.Answer, asked: Instruction, field: str) -> Unanswered | None:
    if answer.fields.get(field, asked.reference) != asked.reference:
        return Unanswered("answer speaks of another reference")
    return None


def _disagreement(answer: snap.Answer, asked: Instruction, field: str) -> Unanswered | None:
    """What an answer does say about reference, amount and tip must be what we asked."""
    if wrong := _other_reference(answer, asked, field):
        return wrong
    for name, expected in (("amount", asked.amount_minor), ("feeAmount", asked.tip_minor)):
        if names_other(answer.fields, name, expected):
            return Unanswered("answer speaks of another amount")
    return None


def _agrees_on_refund(answer: snap.Answer, asked: Refunding) -> bool:
    if answer.fields.get("partnerRefundNo", asked.reference) != asked.reference:
        return False
    if _other_reference(answer, asked.original, "originalPartnerReferenceNo"):
        return False
    return not names_other(answer.fields, "refundAmount", asked.amount_minor)


def _link_settings(settings: QrisSettings) -> LinkSettings:
    return LinkSettings(
        url=settings.url,
        connections_max=settings.connections_max,
        waiting_max=settings.waiting_max,
        wait_timeout_seconds=settings.wait_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        total_timeout_seconds=settings.total_timeout_seconds,
        reply_bytes_max=settings.reply_bytes_max,
    )


def _credentials(settings: QrisSettings) -> snap.Credentials:
    needed = ("client_id", "client_secret", "private_key_path", "partner_id", "channel_id")
    missing = [name for name in (*needed, "issuer_nns") if not getattr(settings, name)]
    if missing:
        raise Misconfigured(f"qris: not set: {', '.join(missing)}")
    return snap.Credentials(
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        partner_id=settings.partner_id,
        channel_id=settings.channel_id,
        private_key=signature.load_private_key(Path(settings.private_key_path)),
    )
