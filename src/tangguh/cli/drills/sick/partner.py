"""A street on which one small partner is in trouble, and what the guard may do about it.

The troubled wallet has less than a tenth of all payments: more than that automation may not stop
by itself (ADR-0019), and the rehearsal is of what it does by itself.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final

from tangguh.cli.drills.partners import PARTNERS, Payer
from tangguh.cli.drills.paying import pay_over
from tangguh.cli.drills.scores.card import Card
from tangguh.cli.drills.scores.closures import Change, closed, told_in_brief
from tangguh.cli.drills.scores.ending import Ending
from tangguh.cli.drills.street import Street

TROUBLED: Final = "gopay"
OTHERS: Final = ("onus", "qris", "ovo")
COMPARED: Final = ("qris", "ovo", TROUBLED)
PEOPLE: Final = 27
SHOWN_AS: Final = {TROUBLED: TROUBLED, PARTNERS[TROUBLED].service: TROUBLED, "qris": "qris"}
_TROUBLED_PEOPLE: Final = 3
_PACE_SECONDS: Final = 0.75
_TROUBLED_PACE_SECONDS: Final = 1.0


async def pay_everywhere(street: Street, people: list[Payer]) -> None:
    """Everybody pays over one service until the street is closed; few over the troubled one."""
    async with asyncio.TaskGroup() as group:
        for number, payer in enumerate(people):
            is_troubled = number < _TROUBLED_PEOPLE
            service = TROUBLED if is_troubled else OTHERS[number % len(OTHERS)]
            friend = people[(number + 1) % len(people)].account
            pay = partial(pay_over, payer, service, friend)
            pace = _TROUBLED_PACE_SECONDS if is_troubled else _PACE_SECONDS
            group.create_task(street.pay_at_pace(service, pay, pace))
            await asyncio.sleep(_PACE_SECONDS / len(people))


def of_the_troubled(change: Change) -> bool:
    """Whether a closure is about the troubled partner and nobody else."""
    scope = change.closure.scope
    return TROUBLED in (scope.partner, scope.service.rpartition(".")[2])


def ask_only_it(card: Card, ending: Ending) -> list[Change]:
    """The closures made; asked that there are some and all are of the troubled partner."""
    made = closed(ending.history)
    card.ask(
        "only that partner", f"every closure is of {TROUBLED}",
        "; ".join(told_in_brief(ending.history)) or "nothing was closed",
        holds=bool(made) and all(of_the_troubled(change) for change in made),
    )  # fmt: skip
    return made
