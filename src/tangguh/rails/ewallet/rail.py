"""Top-ups of e-wallets: who the number belongs to, the top-up, and what became of it.

Message flow: account-inquiry (37), topup (38) with the inquiry's session, topup-status (39) while
unanswered. SNAP has no cancel of a top-up: one the wallet does not know after its clock skew has
passed was never received (see ``snap_partner``). Each wallet has its own connections.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from tangguh.core.clock import Clock
from tangguh.core.known import Tristate
from tangguh.core.numbers import phone
from tangguh.core.order import ToWallet
from tangguh.core.outcome import (
    Accepted,
    Declined,
    NotSent,
    Outcome,
    Refusal,
    Unanswered,
)
from tangguh.rails import signature, snap
from tangguh.rails.ewallet import codes
from tangguh.rails.ewallet.dana import DANA
from tangguh.rails.ewallet.gopay import GOPAY
from tangguh.rails.ewallet.isaku import ISAKU
from tangguh.rails.ewallet.ovo import OVO
from tangguh.rails.ewallet.wallet import Wallet
from tangguh.rails.link import Health
from tangguh.rails.rail import Asked, Capabilities, Found, Instruction, Question, Refunding
from tangguh.rails.snap_amount import amount_of
from tangguh.rails.snap_partner import (
    EXCHANGES_PER_SEND,
    NOT_FOUND,
    SnapPartner,
    SnapPartnerSettings,
    asked,
    disagreement,
)

WALLETS: Final[Mapping[str, Wallet]] = {wallet.name: wallet for wallet in (GOPAY, OVO, DANA, ISAKU)}


class EwalletRail:
    """Carries top-ups to the wallets it is connected to."""

    name = "ewallet"

    def __init__(
        self,
        partners: Mapping[str, SnapPartnerSettings],
        clock: Clock,
        source: random.Random | None = None,
    ) -> None:
        """Raises Misconfigured when a wallet is unknown or its partner is not set up."""
        self._partners = {
            name: SnapPartner(f"ewallet.{name}", settings, clock, source)
            for name, settings in partners.items()
            if name in WALLETS
        }

    @property
    def health(self) -> dict[str, Health]:
        """What the link to each wallet has seen."""
        return {name: partner.link.health for name, partner in self._partners.items()}

    def questions(self) -> Mapping[str, Question]:
        """SNAP has no echo: each wallet is asked about a top-up nobody made."""
        return {name: partial(self._is_there, name) for name in self._partners}

    async def _is_there(self, wallet: str) -> Tristate:
        path = codes.STATUS.path + WALLETS[wallet].suffix
        endpoint = snap.Endpoint(codes.STATUS.service, path)
        caller = self._partners[wallet].caller
        field = "originalPartnerReferenceNo"
        return await caller.is_there(endpoint, field, {"serviceCode": codes.TOPUP.service})

    def capabilities(self) -> Capabilities:
        """How long a send may take and when to inquire, the most patient wallet deciding."""
        settings = [partner.settings for partner in self._partners.values()]
        longest = max((one.total_timeout_seconds for one in settings), default=10.0)
        delays = settings[0].inquiry_delays_seconds if settings else (60.0,)
        return Capabilities(
            settles_inside=False,
            send_timeout_seconds=EXCHANGES_PER_SEND * longest,
            inquiry_delays_seconds=delays,
        )

    async def look_up(self, asked_for: Asked) -> Found | Declined | NotSent | Unanswered:
        """Whose wallet a number is. The number may be typed as 08..., +62... or 62..."""
        payee = asked_for.payee
        if not isinstance(payee, ToWallet) or payee.wallet not in self._partners:
            return Declined(Refusal.ORDER_INVALID, "wallet")
        number = phone(payee.number)
        if refused := WALLETS[payee.wallet].refuse(number, asked_for.amount_minor):
            return refused
        body = {
            "partnerReferenceNo": asked_for.reference,
            "customerNumber": number,
            "amount": amount_of(asked_for.amount_minor),
            "transactionDate": signature.timestamp_of(asked_for.asked_at),
        }
        answer = await self._call(payee.wallet, codes.INQUIRY, body)
        if not isinstance(answer, snap.Answer):
            return answer
        if answer.case != "20000":
            said = snap.read(answer, "referenceNo", codes.WALLET_DECLINES)
            return said if isinstance(said, Declined) else Unanswered(f"inquiry {answer.code}")
        name = answer.text("customerName")
        if not name or answer.fields.get("customerNumber", number) != number:
            return Unanswered("answer speaks of another customer")
        complete = ToWallet(payee.wallet, number, name, answer.text("sessionId"))
        return Found(payee=complete, name=name, lines=(("wallet", WALLETS[payee.wallet].title),))

    async def send(self, instruction: Instruction) -> Outcome:
        """Top up once. After an Unanswered, inquire: a repeat's outcome is its own."""
        payee = instruction.payee
        if not isinstance(payee, ToWallet) or payee.wallet not in self._partners:
            return Declined(Refusal.ORDER_INVALID)
        if instruction.tip_minor:
            return Declined(Refusal.ORDER_INVALID, "tip")
        if refused := WALLETS[payee.wallet].refuse(payee.number, instruction.amount_minor):
            return refused
        body: dict[str, Any] = {
            "partnerReferenceNo": instruction.reference,
            "customerNumber": payee.number,
            "customerName": payee.name,
            "amount": amount_of(instruction.amount_minor, instruction.currency),
            "feeAmount": amount_of(0, instruction.currency),
            "transactionDate": signature.timestamp_of(instruction.accepted_at),
        }
        if payee.session:
            body["sessionId"] = payee.session
        answer = await self._call(payee.wallet, codes.TOPUP, body)
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_topup(answer)
        if isinstance(outcome, Accepted):
            return disagreement(answer, instruction, "partnerReferenceNo") or outcome
        return outcome

    async def inquire(self, instruction: Instruction) -> Outcome:
        """What became of a top-up. Never NotSent: a question unasked says nothing of money."""
        payee = instruction.payee
        if not isinstance(payee, ToWallet) or payee.wallet not in self._partners:
            return Unanswered("this wallet is not connected")
        body = {"originalPartnerReferenceNo": instruction.reference, "serviceCode": "38"}
        answer = asked(await self._call(payee.wallet, codes.STATUS, body))
        if not isinstance(answer, snap.Answer):
            return answer
        outcome = codes.outcome_of_status(answer)
        wrong = disagreement(answer, instruction, "originalPartnerReferenceNo")
        return wrong if wrong is not None and not _is_not_found(outcome) else outcome

    async def reverse(self, instruction: Instruction) -> Outcome:
        """There is no cancel: what the wallet does not know once it is too late never was."""
        outcome = await self.inquire(instruction)
        payee = instruction.payee
        if not _is_not_found(outcome) or not isinstance(payee, ToWallet):
            return outcome
        if self._partners[payee.wallet].is_lost(instruction):
            return Declined(Refusal.NEVER_ARRIVED, NOT_FOUND)
        return outcome

    async def refund(self, refunding: Refunding) -> Outcome:
        """Wallets give nothing back by themselves."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE, refunding.reference)

    async def inquire_refund(self, refunding: Refunding) -> Outcome:
        """What ``refund`` would say."""
        return Declined(Refusal.PAYMENT_NOT_REFUNDABLE, refunding.reference)

    async def close(self) -> None:
        """Let go of every wallet's connections."""
        for partner in self._partners.values():
            await partner.close()

    async def _call(
        self, wallet: str, endpoint: snap.Endpoint, body: Mapping[str, Any]
    ) -> snap.Answer | NotSent | Unanswered:
        path = endpoint.path + WALLETS[wallet].suffix
        return await self._partners[wallet].caller.call(snap.Endpoint(endpoint.service, path), body)


def _is_not_found(outcome: Outcome) -> bool:
    return isinstance(outcome, Unanswered) and outcome.why == NOT_FOUND
