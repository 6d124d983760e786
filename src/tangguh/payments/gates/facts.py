"""What the guard is told of an order: its place in every dimension of scopes. Pure."""

from __future__ import annotations

from typing import Final, assert_never

from tangguh.core.order import (
    CreditOrder,
    Origin,
    Payee,
    PaymentOrder,
    ToAccount,
    ToBank,
    ToBiller,
    ToCash,
    ToMerchant,
    ToPurse,
    ToQris,
    ToWallet,
)
from tangguh.core.service import SERVICES, Service
from tangguh.guard.scope import Facts
from tangguh.ledger import chart

NO_ORIGIN: Final = Origin()
_NO_SERVICE: Final = Service("", "", "", "", "")


AnyOrder = PaymentOrder | CreditOrder


def facts_of(order: AnyOrder, origin: Origin = NO_ORIGIN) -> Facts:
    """The facts of an order. The customer's own account is the debtor, or of a credit the creditor.

    A service nobody knows has no rail and no direction; the order is refused for that anyway.
    """
    service = SERVICES.get(order.service, _NO_SERVICE)
    if isinstance(order, CreditOrder):
        return Facts(
            service=order.service,
            rail=service.rail,
            direction=service.direction,
            channel=service.channel,
            partner=order.sender_bank,
            account=order.creditor,
            payee=order.merchant_id,
            amount_minor=order.amount_minor + order.tip_minor,
        )
    partner, payee, terminal = _far_side(order.payee)
    return Facts(
        service=order.service,
        rail=service.rail,
        direction=service.direction,
        channel=service.channel,
        partner=partner or service.partner,
        customer_id=order.customer_id,
        account=order.debtor,
        payee=payee,
        terminal=terminal,
        device=origin.device,
        version=origin.version,
        amount_minor=order.amount_minor + order.tip_minor,
    )


def is_probe(facts: Facts) -> bool:
    """Whether the bank paid it to itself to try a network; no customer asked for it."""
    return facts.account == chart.PROBES


def _far_side(payee: Payee) -> tuple[str, str, str]:
    """Partner, payee and terminal: whoever is between, whoever is paid, where it happens."""
    match payee:
        case ToAccount(account_id=account_id) | ToPurse(account_id=account_id):
            return "", str(account_id), ""
        case ToMerchant(merchant_id=merchant_id):
            return "", merchant_id, ""
        case ToQris(acquirer=acquirer, merchant_pan=pan):
            return acquirer, pan, ""
        case ToBank(bank=bank, account=account):
            return bank, f"{bank}:{account}", ""
        case ToWallet(wallet=wallet, number=number):
            return wallet, f"{wallet}:{number}", ""
        case ToBiller(biller=biller, customer_no=customer_no):
            return biller, f"{biller}:{customer_no}", ""
        case ToCash(terminal=terminal, acquirer=acquirer):
            return acquirer, "", terminal
        case _:
            assert_never(payee)
