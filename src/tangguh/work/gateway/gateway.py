"""The gateway itself: reads one message, judges it, seals it anew and forwards it to the hub.

The participant's key is here and nowhere else, so the hub takes nothing that did not pass. What
may move money passes only with the ledger's leave for exactly that reference, debtor, creditor and
amount, once. What is forwarded is what was read and judged, written anew: never the bytes posted,
and never a part of a transfer that was not read.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from tangguh.core import authorisation
from tangguh.core.authorisation import Facts, creditor_of
from tangguh.core.clock import Clock
from tangguh.core.order import ToBank
from tangguh.core.outcome import NotSent, Unanswered
from tangguh.guard.scope import Facts as ScopeFacts
from tangguh.rails import signature
from tangguh.rails.banks import BY_BIC
from tangguh.rails.bifast import ids, message, proxy, session, status, transfer, turned
from tangguh.rails.bifast.grammar import codec
from tangguh.rails.bifast.message import Message, Unreadable
from tangguh.rails.bifast.transfer import CreditTransfer
from tangguh.rails.bifast.turned import Turned
from tangguh.rails.link import Link, LinkSettings
from tangguh.work.gateway.caps import Caps
from tangguh.work.gateway.closures import Closures, KeptClosures
from tangguh.work.gateway.memory import Memory
from tangguh.work.gateway.settings import GatewaySettings, ed25519_at

log = structlog.get_logger("work.gateway")

RAIL: Final = "bifast"
OUT: Final = "out"
REUSED: Final = "reused"
CONFLICT: Final = 409
NO_ANSWER: Final = 504
_QUESTIONS: Final = frozenset({status.REQUEST, proxy.REGISTRATION, proxy.LOOK_UP, session.ASK})
"""What moves no money. A message of any other kind than these and pacs.008 does not pass."""
_REFUSALS_SHOWN: Final = 50


class Answer(msgspec.Struct, frozen=True):
    """What the bank gets: the hub's own answer as it came, or our word."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Counts(msgspec.Struct):
    """Messages since the start. ``accepted`` were judged good; of those ``forwarded`` may have
    reached the hub, and ``unanswered`` got no whole reply. ``paying`` is the part of ``accepted``
    that moves money.
    """

    accepted: int = 0
    refused: int = 0
    paying: int = 0
    forwarded: int = 0
    unanswered: int = 0


class Gateway:
    """Takes the bank's messages for one hub."""

    def __init__(
        self, settings: GatewaySettings, clock: Clock, closures: Closures | None = None
    ) -> None:
        """Raises Misconfigured when an address or a key cannot be used."""
        self.settings = settings
        self.closures: Closures = closures if closures is not None else closures_of(settings)
        self.counts = Counts()
        self.refusals: deque[dict[str, str]] = deque(maxlen=_REFUSALS_SHOWN)
        self._clock = clock
        self._key = signature.load_private_key(Path(settings.private_key_path))
        self._connector = signature.load_public_key(Path(settings.connector_public_key_path))
        self._ledger = ed25519_at(
            settings.authorisation_public_key_path, "authorisation_public_key_path"
        )
        self._link = Link(_link_settings(settings), clock)
        self._memory = Memory(settings.memory_path)
        self._caps = Caps(
            amount_max_minor=settings.amount_max_minor,
            per_minute_max=settings.per_minute_max,
            amount_per_minute_max_minor=settings.amount_per_minute_max_minor,
        )
        if not settings.require_authorisation:
            log.error("gateway.ring_1_is_off", rail=RAIL)

    async def take(self, body: bytes, token: str) -> Answer:
        """Judge one message and give the hub's answer to it, or ours. Raises nothing."""
        found = self._judge(body, token)
        if isinstance(found, Turned):
            self._note(found)
            return self._answer(found)
        self.counts.accepted += 1
        wire = codec.wire_of(body)
        kind = codec.CONTENT_TYPES[wire]
        reply = await self._link.exchange(
            "POST",
            self.settings.path,
            {"Content-Type": kind, "Accept": kind},
            message.sealed(found, self._key, wire),
        )
        if isinstance(reply, NotSent):
            return self._answer(_turned(body, "hub", "unreachable", reply.why, found.number))
        self.counts.forwarded += 1
        if isinstance(reply, Unanswered):
            self.counts.unanswered += 1
            said = {"forwarded": True, "rule": "unanswered", "detail": reply.why}
            return Answer(NO_ANSWER, msgspec.json.encode(said))
        return Answer(reply.status, reply.body, kind)

    def show(self) -> dict[str, Any]:
        """What an operator or a watch reads."""
        return {
            "rail": RAIL,
            "authorisation_required": self.settings.require_authorisation,
            "counts": msgspec.to_builtins(self.counts),
            "refusals": list(self.refusals),
            "closures": self.closures.in_force(),
            "caps": self._caps.show(self._clock.monotonic()),
        }

    async def close(self) -> None:
        """Let go of the hub and of the file."""
        await self._link.close()
        self._memory.close()

    # ---- judging ---------------------------------------------------------------------------

    def _judge(self, body: bytes, token: str) -> Message | Turned:
        """The message, when all of it may go. A reference that may go is used up, on disk."""
        received = message.read(body)
        if isinstance(received, Unreadable):
            fault = received.faults[0]
            return _turned(body, fault.path, fault.rule, fault.detail, received.number)
        found = received.message

        def refused(field: str, rule: str, detail: str = "") -> Turned:
            return _turned(body, field, rule, detail, found.number)

        if not message.is_signed_by(received, self._connector):
            return refused("AppHdr.Sgntr", "signature", "not made by the bank's connector")
        if (found.sender, found.recipient) != (self.settings.bic, self.settings.hub_bic):
            return refused("AppHdr.Fr", "sender", "not from this bank to the hub")
        if found.definition in _QUESTIONS:
            return found
        if found.definition != transfer.DEFINITION:
            return refused("AppHdr.MsgDefIdr", "definition", "not a message this gateway forwards")
        asked = transfer.read(found.document)
        if isinstance(asked, tuple):
            return refused(asked[0].path, asked[0].rule, asked[0].detail)
        if asked.kind == ids.ENQUIRY:
            return found
        if transfer.document_of(asked) != found.document:
            # A second account or amount where we do not read and the hub may.
            return refused("Document", "form", "says more than a transfer of this bank says")
        if wrong := self._judge_transfer(asked, token):
            field, rule, detail = wrong
            turned_back = refused(field, rule, detail)
            return msgspec.structs.replace(turned_back, reference=asked.end_to_end_id)
        self.counts.paying += 1
        return found

    def _judge_transfer(self, asked: CreditTransfer, token: str) -> tuple[str, str, str] | None:
        """Field, rule and detail of what forbids this transfer."""
        now, minor = self._clock.now(), asked.amount_minor
        if reason := self.closures.stops(scoped_of(asked), now):
            return RAIL, "closed", reason
        if passed := self._caps.refuse(minor, self._clock.monotonic()):
            return "amount", passed, "the gateway's own cap"
        if self.settings.require_authorisation and (wrong := self._judge_leave(asked, token)):
            return wrong
        if not self.settings.require_authorisation:
            log.error("gateway.unauthorised", reference=asked.end_to_end_id)
        self._caps.count(minor, self._clock.monotonic())
        return None

    def _judge_leave(self, asked: CreditTransfer, token: str) -> tuple[str, str, str] | None:
        """The same, of the ledger's leave; it is used up when there is nothing wrong with it."""
        now = self._clock.now()
        why = authorisation.verify(self._ledger, token, facts_of(asked), now)
        if why is not None:
            return _field_of(why), "authorisation", why
        leave = authorisation.read(token)
        assert leave is not None
        # A clock set back must not make a forgotten reference good again: kept a while longer.
        kept = leave.expires_at + timedelta(seconds=self.settings.clock_skew_max_seconds)
        if not self._memory.admit(asked.end_to_end_id, kept, now):
            return "reference", REUSED, ""
        return None

    # ---- answers ---------------------------------------------------------------------------

    def _note(self, found: Turned) -> None:
        self.counts.refused += 1
        self.refusals.append(
            {
                "at": self._clock.now().isoformat(),
                "reference": found.reference,
                "number": found.number,
                "field": found.field,
                "rule": found.rule,
                "detail": found.detail,
            }
        )
        log.error(
            "gateway.refused",
            reference=found.reference,
            field=found.field,
            rule=found.rule,
            detail=found.detail,
        )

    def _answer(self, found: Turned) -> Answer:
        if found.rule == REUSED:
            # This copy did not leave, but the first one did: nobody may take that for a no.
            said = {"forwarded": True, "field": found.field, "rule": REUSED}
            return Answer(CONFLICT, msgspec.json.encode(said))
        return Answer(turned.NOT_FORWARDED, turned.sealed(found, self._key))


def facts_of(asked: CreditTransfer) -> Facts:
    """What a transfer says, in the ledger's words."""
    account = asked.debtor.account
    # Only a number as we write it: "0108" or "+108" is somebody else's account at the hub.
    is_ours = account.isdecimal() and account.isascii() and str(int(account)) == account
    bank = BY_BIC.get(asked.creditor.bank)
    code = bank.code if bank is not None else asked.creditor.bank
    return Facts(
        reference=asked.end_to_end_id,
        rail=RAIL,
        debtor=int(account) if is_ours else -1,
        creditor=creditor_of(ToBank(bank=code, account=asked.creditor.account)),
        amount_minor=asked.amount_minor,
    )


def scoped_of(asked: CreditTransfer) -> ScopeFacts:
    """What a transfer says, in the words of closures' scopes. Who ordered it, it does not say."""
    facts = facts_of(asked)
    bank = BY_BIC.get(asked.creditor.bank)
    code = bank.code if bank is not None else asked.creditor.bank
    return ScopeFacts(
        service="",
        rail=RAIL,
        direction=OUT,
        channel="",
        partner=code,
        account=max(facts.debtor, 0),
        payee=f"{code}:{asked.creditor.account}",
        amount_minor=asked.amount_minor,
    )


def closures_of(settings: GatewaySettings) -> KeptClosures:
    """What the gateway knew when it stopped. Raises Misconfigured when a key cannot be used."""
    bank, watch = settings.snapshot_public_key_path, settings.orders_public_key_path
    return KeptClosures(
        settings.closures_path,
        book_id=settings.book_id,
        bank=ed25519_at(bank, "snapshot_public_key_path") if bank else None,
        watch=ed25519_at(watch, "orders_public_key_path") if watch else None,
        rail=RAIL,
    )


def _field_of(why: str) -> str:
    """The field a verdict is about: its name, or the authorisation as a whole."""
    return why if why in Facts.__struct_fields__ else "authorisation"


def _turned(body: bytes, field: str, rule: str, detail: str, number: str) -> Turned:
    digest = turned.digest_of(body)
    return Turned(digest=digest, field=field, rule=rule, detail=detail, number=number)


def _link_settings(settings: GatewaySettings) -> LinkSettings:
    return LinkSettings(
        url=settings.url,
        connections_max=settings.connections_max,
        waiting_max=settings.waiting_max,
        wait_timeout_seconds=settings.wait_timeout_seconds,
        connect_timeout_seconds=settings.connect_timeout_seconds,
        total_timeout_seconds=settings.total_timeout_seconds,
        reply_bytes_max=settings.reply_bytes_max,
    )
