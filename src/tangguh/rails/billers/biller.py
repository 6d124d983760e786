"""What a biller is to the rail: its number, what its customers type, what may be paid. Pure."""

from __future__ import annotations

import re

import msgspec

from tangguh.core.outcome import Declined, Refusal


class Biller(msgspec.Struct, frozen=True, kw_only=True):
    """One biller family. Amounts in minor units.

    ``service_id`` is SNAP's partnerServiceId, padded to eight on the left with blanks.
    ``customer_no`` is the form of what the customer types. ``nominals_minor``: the only sums a
    prepaid biller sells; empty: what the bill says. ``gives_token``: the payer gets digits for it.
    """

    name: str
    title: str
    service_id: str
    customer_no: str
    nominals_minor: tuple[int, ...] = ()
    gives_token: bool = False

    def refuse(self, customer_no: str, amount_minor: int) -> Declined | None:
        """What this biller would not take anyway."""
        if not re.fullmatch(self.customer_no, customer_no):
            return Declined(Refusal.BILL_NOT_FOUND, "customer_no")
        if self.nominals_minor and amount_minor not in self.nominals_minor:
            return Declined(Refusal.PARTNER_LIMIT, "amount")
        return None

    def numbers(self, customer_no: str) -> dict[str, str]:
        """The three numbers every SNAP virtual-account message carries."""
        service = self.service_id.rjust(8)
        return {
            "partnerServiceId": service,
            "customerNo": customer_no,
            "virtualAccountNo": service + customer_no,
        }
