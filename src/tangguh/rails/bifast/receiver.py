"""What the hub sends us: enquiries, credits, returns, settlement notices, echo. No HTTP framework.

``read`` verifies one message; ``BifastReceiver.take`` answers it. A credit is announced when its
pacs.008 comes and settled only by the notice (STTL, ACSC): nothing is credited on a promise. The
hub repeats what we do not answer, and every step behind ``Receiver`` is safe to repeat, so a copy
(DUPL) is answered like the first.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tangguh.core.clock import Clock
from tangguh.core.money import IDR
from tangguh.core.outcome import Accepted, Declined, Unanswered
from tangguh.core.service import IN_BIFAST
from tangguh.rails.banks import BY_BIC
from tangguh.rails.bifast import address, codes, ids, message, session, status, transfer
from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.grammar.schema import Fault
from tangguh.rails.bifast.grammar.tree import Branch
from tangguh.rails.bifast.ids import Numbers
from tangguh.rails.bifast.message import CLEAR, ISO, SETTLE, Message, Unreadable
from tangguh.rails.bifast.settings import BifastSettings, hub_key_of, private_key_of
from tangguh.rails.bifast.status import Reject, StatusReport
from tangguh.rails.bifast.transfer import CreditTransfer
from tangguh.rails.rail import Incoming, Receiver

log = structlog.get_logger("rails.bifast")

OK: Final = 200
BAD_REQUEST: Final = 400
UNAUTHORIZED: Final = 401
LATER: Final = 503
_INVALID: Final = "U215"
_BAD_SIGNATURE: Final = "U999"
_NO_SUCH_BANK: Final = "U124"
_NOT_ACCEPTED: Final = "U110"


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message was not taken: the HTTP status, the reason to give, and what it is about."""

    status: int
    reason: str
    number: str
    fault: Fault


class AccountNames(Protocol):
    """Who the bank's customers are, for enquiries of other banks."""

    async def name_of(self, account: str) -> str | Declined | Unanswered:
        """The name of the account's owner; Declined: it cannot be credited."""
        ...


def read(
    body: bytes,
    headers: Mapping[str, str],
    *,
    settings: BifastSettings,
    key: RSAPublicKey,
    now: datetime,
) -> Message | Refused:
    """Verify and read one message of the hub. Headers say nothing that the message does not."""
    received = message.read(body)
    if isinstance(received, Unreadable):
        return Refused(
            status=BAD_REQUEST,
            reason=_INVALID,
            number=received.number,
            fault=received.faults[0],
        )
    found = received.message

    def refused(path: str, detail: str) -> Refused:
        fault = Fault(path, "signature", detail)
        return Refused(status=UNAUTHORIZED, reason=_BAD_SIGNATURE, number=found.number, fault=fault)

    if not message.is_signed_by(received, key):
        return refused("AppHdr.Sgntr", "not made by the hub's key")
    if abs(now - found.created_at) > timedelta(seconds=settings.clock_skew_max_seconds):
        return refused("AppHdr.CreDt", "too far from our clock")
    if (found.sender, found.recipient) != (settings.hub_bic, settings.bic):
        return refused("AppHdr.Fr", "not from the hub to us")
    return found


class BifastReceiver:
    """Takes the hub's messages for one bank."""

    def __init__(
        self,
        settings: BifastSettings,
        clock: Clock,
        bank: Receiver,
        names: AccountNames,
        source: random.Random | None = None,
    ) -> None:
        """Raises Misconfigured when a key cannot be used."""
        self._settings = settings
        self._clock = clock
        self._bank = bank
        self._names = names
        self._numbers = Numbers(source)
        self._key = private_key_of(settings)
        self._hub_key = hub_key_of(settings)

    async def take(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """HTTP status and body of the answer, in the form the question came in.

        200 with a message, 200 with nothing for a notice taken, 400 and 401 with an admi.002, 503
        when the bank does not know: the hub comes again.
        """
        wire = codec.wire_of(body)
        found = read(
            body, headers, settings=self._settings, key=self._hub_key, now=self._clock.now()
        )
        if isinstance(found, Refused):
            log.warning("bifast.refused", field=found.fault.path, rule=found.fault.rule)
            return found.status, self._sealed(_reject(found), wire)
        answer = await self._dispatch(found)
        if isinstance(answer, Unanswered):
            log.warning("bifast.later", why=answer.why)
            return LATER, b""
        return OK, b"" if answer is None else self._sealed(answer, wire)

    async def _dispatch(self, found: Message) -> _Answer | Unanswered | None:
        match found.definition:
            case transfer.DEFINITION:
                return await self._take_transfer(found)
            case status.REPORT:
                return await self._take_notice(found)
            case session.ASK:
                return self._take_session(found)
            case status.REJECT:
                # Of something we posted: its own answer said so too.
                log.warning("bifast.rejected", code=status.read_reject(found.document).reason)
                return None
            case _:
                fault = Fault("AppHdr.MsgDefIdr", "enumeration", "not taken by a bank")
                return _rejected(found.number, fault)

    # ---- credits ---------------------------------------------------------------------------

    async def _take_transfer(self, found: Message) -> _Answer | Unanswered:
        asked = transfer.read(found.document)
        if not isinstance(asked, CreditTransfer):
            return _rejected(found.number, asked[0])
        ours = self._settings.bic
        if ids.is_ours(asked.end_to_end_id, ours):
            # Our own payment to ourselves: its notice could not be told from the other side's.
            return self._report(asked, codes.REJECTED, _NOT_ACCEPTED)
        if fault := address.belied(asked):
            return _rejected(found.number, fault)
        if not address.is_for(asked, ours):
            return self._report(asked, codes.REJECTED, _NO_SUCH_BANK)
        if asked.kind == ids.RETURN and not address.returns_ours(asked, ours):
            return self._report(asked, codes.REJECTED, codes.ORIGINAL_NOT_FOUND)
        if asked.kind == ids.ENQUIRY:
            return await self._take_enquiry(asked)
        if asked.amount_minor <= 0:
            return self._report(asked, codes.REJECTED, "U111")
        outcome = await self._bank.announce(_incoming(asked))
        if isinstance(outcome, Declined):
            return self._report(asked, codes.REJECTED, codes.code_of(outcome.reason))
        if isinstance(outcome, Unanswered):
            return outcome
        return self._report(asked, "ACTC", codes.SUCCESS)

    async def _take_enquiry(self, asked: CreditTransfer) -> _Answer | Unanswered:
        name = await self._names.name_of(asked.creditor.account)
        if isinstance(name, Unanswered):
            return name
        if isinstance(name, Declined):
            return self._report(asked, codes.REJECTED, codes.code_of(name.reason))
        return self._report(asked, "ACTC", codes.SUCCESS, name=name)

    # ---- notices ---------------------------------------------------------------------------

    async def _take_notice(self, found: Message) -> _Answer | Unanswered | None:
        """A late answer (CLEAR) or the settlement notice (STTL) of a transfer, either way."""
        report = status.read_report(found.document, found.created_at)
        if not isinstance(report, StatusReport):
            return _rejected(found.number, report[0])
        if not ids.moves_money(report.end_to_end_id):
            return None
        if ids.is_ours(report.end_to_end_id, self._settings.bic):
            outcome = codes.outcome_of_transfer(report, report.end_to_end_id)
        elif found.service != SETTLE:
            # A credit is settled by the notice of settlement and by nothing that looks like it.
            return None
        else:
            settlement = report.settlement or report.end_to_end_id
            outcome = codes.outcome_of_settlement(report, settlement)
        if not isinstance(outcome, Accepted | Declined):
            # No news: what was unknown before stays unknown.
            return None
        said = await self._bank.settled(
            "bifast", report.end_to_end_id, outcome, address.facts_of(report, self._settings.bic)
        )
        if isinstance(said, Unanswered):
            return said
        if isinstance(said, Declined):
            log.warning("bifast.notice_not_ours", code=said.code, reason=str(said.reason))
        return None

    def _take_session(self, found: Message) -> _Answer:
        asked = session.read_ask(found.document)
        answer = session.SessionAnswer(
            original=asked.message_id,
            function=asked.function,
            instruction_id=asked.instruction_id,
            status="ACTC",
            reason=codes.SUCCESS,
        )
        now = self._clock.now()
        document = session.document_of_answer(answer, self._message_number(ids.STATUS), now)
        return _Answer(session.ANSWER, ISO, ids.STATUS, document)

    # ---- answers ---------------------------------------------------------------------------

    def _report(self, asked: CreditTransfer, said: str, reason: str, *, name: str = "") -> _Answer:
        report = StatusReport(
            message_id=self._message_number(asked.kind),
            created_at=self._clock.now(),
            original_message_id=asked.message_id,
            original_definition=transfer.DEFINITION,
            end_to_end_id=asked.end_to_end_id,
            transaction_id=asked.transaction_id,
            status=said,
            reason=reason,
            amount_minor=asked.amount_minor,
            creditor_name=name,
            creditor_account=asked.creditor.account if name else "",
            creditor_account_type=asked.creditor.account_type if name else "",
        )
        document = status.document_of_report(report)
        return _Answer(status.REPORT, CLEAR, asked.kind, document)

    def _message_number(self, kind: str) -> str:
        now = self._clock.now()
        return ids.message_number(now, self._settings.bic, kind, self._numbers.next())

    def _sealed(self, answer: _Answer, wire: codec.Wire) -> bytes:
        now, bic = self._clock.now(), self._settings.bic
        whole = Message(
            sender=bic,
            recipient=self._settings.hub_bic,
            number=ids.business_number(now, bic, answer.kind, self._numbers.next()),
            definition=answer.definition,
            service=answer.service,
            created_at=now,
            document=answer.document,
        )
        return message.sealed(whole, self._key, wire)


class _Answer(msgspec.Struct, frozen=True):
    """An answer before it has a header."""

    definition: str
    service: str
    kind: str
    document: Branch


def _reject(refused: Refused) -> _Answer:
    rejected = Reject(
        reference=transfer.plain(refused.number, 35) or "NONE",
        reason=refused.reason,
        location=transfer.plain(refused.fault.path, 350),
        description=transfer.plain(f"{refused.fault.rule} {refused.fault.detail}", 350),
    )
    return _Answer(status.REJECT, ISO, ids.STATUS, status.document_of_reject(rejected))


def _rejected(number: str, fault: Fault) -> _Answer:
    return _reject(Refused(status=OK, reason=_INVALID, number=number, fault=fault))


def _incoming(asked: CreditTransfer) -> Incoming:
    bank = BY_BIC.get(asked.debtor.bank)
    return Incoming(
        rail="bifast",
        service=IN_BIFAST,
        reference=asked.end_to_end_id,
        creditor=asked.creditor.account,
        amount_minor=asked.amount_minor,
        currency=IDR,
        sender_name=asked.debtor.name,
        sender_bank=bank.code if bank is not None else asked.debtor.bank,
        sender_account=asked.debtor.account,
        note=asked.note,
        original=asked.related if asked.kind == ids.RETURN else "",
    )
