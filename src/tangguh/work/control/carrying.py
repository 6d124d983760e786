"""What an approved change does: the one command it stands for, from its exact payload. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from tangguh.access.approval import Change
from tangguh.core.outcome import Refusal, Refused
from tangguh.guard.backtest import BackTest
from tangguh.guard.board import Board
from tangguh.guard.closure import AUTOMATIC_TTL_MAX, CONFIRMED_TTL_MAX, Closure, State
from tangguh.guard.rules import Rule
from tangguh.guard.scope import scope_of
from tangguh.ledger.command import Command
from tangguh.payments.gates.change import ChangeClosure, Close, Narrow, Widen
from tangguh.payments.people.rules import ChangeRule
from tangguh.work.control.outflow import BookOutflows, Outflow

WHOLE_BANK_MINUTES: Final = 15
"""A closure of the whole bank lasts a quarter of an hour, then two people say so again."""
_NEXT_WORD: Final = timedelta(minutes=15)


def command_of(
    change: Change, board: Board, new_id: UUID, now: datetime
) -> Command[Any] | Refused | None:
    """The command of an approved change; None for kinds that somebody else carries out.

    Refuses CLOSURE_NOT_FOUND and ORDER_INVALID for what is no longer so.
    """
    made = _MADE.get(change.kind)
    if made is None:
        return None
    payload = msgspec.json.decode(change.payload)
    closure = None
    if "closure_id" in payload:
        closure = board.find(UUID(payload["closure_id"]))
        if closure is None:
            return Refused(Refusal.CLOSURE_NOT_FOUND, "closure", "it is not in force")
    return made(change, payload, closure, new_id, now)


def confirming(closure: Closure, by: tuple[str, ...], now: datetime) -> ChangeClosure:
    """People stand behind it; what only capped while they were asked is closed by their yes."""
    return ChangeClosure(
        closure_id=closure.id,
        to=State.CONFIRMED,
        what="confirmed",
        by=by,
        expires_at=now + CONFIRMED_TTL_MAX,
        next_word_at=now + _NEXT_WORD,
        allowance=None,
        sets_allowance=closure.state is State.AWAITING_PEOPLE,
    )


def signers(change: Change) -> tuple[str, ...]:
    """Everybody who signed it, its maker too."""
    return tuple(sorted({change.maker.id, *(vote.by.id for vote in change.votes)}))


def _close(
    change: Change, payload: Any, _closure: Closure | None, _id: UUID, now: datetime
) -> Command[Any]:
    wanted = msgspec.convert(payload["closure"], Closure)
    return Close(
        closure=msgspec.structs.replace(
            wanted,
            made_at=now,
            expires_at=now + timedelta(minutes=WHOLE_BANK_MINUTES),
            confirmed_by=signers(change),
            state=State.CONFIRMED,
        )
    )


def _confirm(
    change: Change, _payload: Any, closure: Closure | None, _id: UUID, now: datetime
) -> Command[Any]:
    assert closure is not None
    return confirming(closure, signers(change), now)


def _widen(
    change: Change, payload: Any, closure: Closure | None, new_id: UUID, now: datetime
) -> Command[Any] | Refused:
    assert closure is not None
    scope = scope_of(payload["scope"])
    if isinstance(scope, str):
        return Refused(Refusal.ORDER_INVALID, "scope", scope)
    signed = signers(change)
    wide = msgspec.structs.replace(
        closure,
        id=new_id,
        scope=scope,
        made_at=now,
        expires_at=now + AUTOMATIC_TTL_MAX[closure.signal_class],
        confirmed_by=signed,
        state=State.CONFIRMED,
    )
    return Widen(closure_id=closure.id, wider=wide, by=",".join(signed))


def _narrow(
    change: Change, payload: Any, closure: Closure | None, new_id: UUID, _now: datetime
) -> Command[Any] | Refused:
    assert closure is not None
    kept = []
    for text in payload["scopes"]:
        scope = scope_of(text)
        if isinstance(scope, str):
            return Refused(Refusal.ORDER_INVALID, "scopes", scope)
        kept.append(scope)
    return Narrow(
        closure_id=closure.id,
        scopes=tuple(kept),
        ids=tuple(uuid5(new_id, str(number)) for number in range(len(kept))),
        by=",".join(signers(change)),
    )


def _wrong(
    change: Change, payload: Any, closure: Closure | None, _id: UUID, _now: datetime
) -> Command[Any]:
    assert closure is not None
    return ChangeClosure(
        closure_id=closure.id,
        to=State.FALSE_POSITIVE,
        what="false_positive",
        by=signers(change),
        cause=payload["why"],
    )


def _rule(
    change: Change, payload: Any, _closure: Closure | None, _id: UUID, _now: datetime
) -> Command[Any]:
    return ChangeRule(
        rule=msgspec.convert(payload["rule"], Rule),
        test=msgspec.convert(payload["test"], BackTest),
        changed_by=change.maker.id,
        approved_by=",".join(vote.by.id for vote in change.votes),
        reason=payload["reason"],
        was=msgspec.convert(payload["was"], Rule | None),
    )


def _outflows(
    _change: Change, payload: Any, _closure: Closure | None, _id: UUID, _now: datetime
) -> Command[Any]:
    return BookOutflows(rows=msgspec.convert(payload["rows"], tuple[Outflow, ...]))


Maker = Callable[[Change, Any, Closure | None, UUID, datetime], Command[Any] | Refused]
_MADE: Final[dict[str, Maker]] = {
    "gate.close": _close,
    "gate.confirm": _confirm,
    "gate.widen": _widen,
    "gate.narrow": _narrow,
    "gate.false_positive": _wrong,
    "rule.set": _rule,
    "outflow.booked": _outflows,
}
