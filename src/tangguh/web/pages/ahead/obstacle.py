"""Why an order cannot be paid as it stands, in its customer's words, and what works instead.

Every flow asks here once what was typed makes an order: what another sum would mend is said beside
the sum, everything else on the review. Neither asks for a PIN.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from tangguh.core.format import money
from tangguh.core.outcome import Refusal, Refused
from tangguh.core.service import SERVICES
from tangguh.ledger import chart
from tangguh.web.forecast import Forecast
from tangguh.web.orders import QRIS_OF_PRODUCT
from tangguh.web.pages.ahead.purse import Purse, explain
from tangguh.web.pages.ahead.slips import foresee
from tangguh.web.pages.frame import Visit, redirect
from tangguh.web.pages.seal import Slip
from tangguh.web.pages.trouble import sentence
from tangguh.web.shutters import Shut
from tangguh.web.words import Words

OF_THE_SUM: Final = frozenset(
    {
        Refusal.AMOUNT_NOT_POSITIVE,
        Refusal.AMOUNT_TOO_LARGE,
        Refusal.PROTECTIVE_LIMIT,
        Refusal.LIMIT_PER_TRANSACTION,
        Refusal.LIMIT_PER_DAY,
        Refusal.LIMIT_PER_MONTH,
        Refusal.PURSE_LIMIT,
        Refusal.INSUFFICIENT_FUNDS,
        Refusal.BALANCE_OUT_OF_RANGE,
        Refusal.PARTNER_LIMIT,
    }
)
"""Refusals that another sum may not meet."""
_LIMITS: Final = frozenset({Refusal.LIMIT_PER_TRANSACTION, Refusal.LIMIT_PER_DAY})
_CLOSED: Final = frozenset(
    {
        Refusal.SERVICE_CLOSED,
        Refusal.PROTECTIVE_CLOSURE,
        Refusal.PROTECTIVE_LIMIT,
        Refusal.PARTNER_FLOAT,
    }
)
_OF_THE_ACCOUNT: Final = frozenset({Refusal.ACCOUNT_CLOSED, Refusal.ACCOUNT_NOT_FOUND})


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """``told``: why not. ``shut``: the closure that is the reason, told in its own words.

    ``instead``: the name of a service that works now. ``of_the_sum``: another sum may be taken;
    ``of_the_account``: another account of the customer's may be.
    """

    told: str
    shut: Shut | None = None
    instead: str = ""
    of_the_sum: bool = False
    of_the_account: bool = False

    def line(self, visit: Visit) -> str:
        """Everything in one paragraph, for the place beside a field."""
        words = visit.words
        more = [words("ask.instead", name=self.instead)] if self.instead else []
        return " ".join((self.told, *more))


async def obstacle_of(
    visit: Visit, service: str, found: Forecast, purse: Purse | None
) -> Obstacle | None:
    """What stands in the way; None when the PIN may be asked for."""
    refused = found.refused
    if refused is None:
        return None
    shut = None
    if refused.code in _CLOSED or refused.code in _LIMITS:
        account_id = purse.account.account_id if purse is not None else 0
        shut = await visit.door.shutters.of(service, visit.me.customer_id, account_id)
    if refused.code in _LIMITS and (shut is None or shut.state != "limited"):
        shut = None
    if found.device_left_minor is not None:
        shut = None
    instead = shut.alternative if shut is not None else ""
    if refused.code in _CLOSED and not instead:
        instead = await visit.door.shutters.instead(service)
    of_account = _is_of_account(refused)
    if of_account and purse is not None:
        instead = QRIS_OF_PRODUCT.get(chart.product_of(purse.account.account_id), "")
    return Obstacle(
        told=shut.message(visit.language) if shut is not None else _told(visit, found, purse),
        shut=shut,
        instead=_name(visit, instead),
        of_the_sum=refused.code in OF_THE_SUM,
        of_the_account=of_account,
    )


async def go_on(visit: Visit, service: str, slip: Slip, purse: Purse | None) -> Response | str:
    """On to the review; or what to say beside the sum, where another one would do."""
    obstacle = await obstacle_of(visit, service, await foresee(visit, slip), purse)
    if obstacle is not None and obstacle.of_the_sum:
        return obstacle.line(visit)
    return redirect(f"/review?{urlencode({'order': visit.seal(slip)})}")


def _told(visit: Visit, found: Forecast, purse: Purse | None) -> str:
    words, refused = visit.words, found.refused
    if refused is None:
        return ""
    if found.device_left_minor is not None:
        if found.device_left_minor == 0:
            return words("ahead.new_device_full")
        return words("ahead.new_device", left=money(found.device_left_minor))
    if _is_of_account(refused):
        return _of_account(words, refused, has_more=purse is not None and len(purse.accounts) > 1)
    is_of_amount = words.has(f"amount.{refused.code}")
    if is_of_amount and purse is not None and refused.code is not Refusal.ORDER_INVALID:
        return explain(words, refused, purse)
    reason = sentence(words, f"problem.{refused.code}.reason")
    return f"{reason} {words(f'problem.{refused.code}.do', seconds=30)}"


def _of_account(words: Words, refused: Refused, *, has_more: bool) -> str:
    if refused.code in _OF_THE_ACCOUNT:
        return words("ahead.account_closed_choose") if has_more else words("ahead.account_closed")
    return words("ahead.pays_otherwise_choose") if has_more else words("ahead.pays_otherwise")


def _is_of_account(refused: Refused) -> bool:
    """Whether it is the account that may not pay: its state, or that it pays another way."""
    otherwise = refused.code is Refusal.ORDER_INVALID and refused.field == "from_account"
    return otherwise or refused.code in _OF_THE_ACCOUNT


def _name(visit: Visit, service: str) -> str:
    found = SERVICES.get(service)
    if found is None:
        return ""
    return found.name_id if visit.language == "id" else found.name_en
