"""The one place where a BI-FAST message's banks are compared with ours and with its number. Pure.

Another bank writes most of what the hub passes on to us, so nothing in it is taken for granted: an
EndToEndId names its type and the bank that made it, and both are those of the transfer; a report of
a transfer names the banks it was between. Source: the form of EndToEndId (``ids``).
"""

from __future__ import annotations

from tangguh.rails.banks import BY_BIC
from tangguh.rails.bifast import ids
from tangguh.rails.bifast.grammar.schema import Fault
from tangguh.rails.bifast.status import StatusReport
from tangguh.rails.bifast.transfer import CreditTransfer
from tangguh.rails.rail import Facts

_TX = "Document.FIToFICstmrCdtTrf.CdtTrfTxInf[0]"


def is_for(transfer: CreditTransfer, ours: str) -> bool:
    """Whether the payee's bank is this one. ``ours`` is a BIC, here and below."""
    return transfer.creditor.bank == ours


def returns_ours(transfer: CreditTransfer, ours: str) -> bool:
    """Whether a return names a transfer that left this bank."""
    return ids.is_ours(transfer.related, ours)


def belied(transfer: CreditTransfer) -> Fault | None:
    """Where a transfer contradicts its own EndToEndId; None when it does not."""
    number = transfer.end_to_end_id
    if ids.FORM.fullmatch(number) is None:
        return Fault(f"{_TX}.PmtId.EndToEndId", "pattern", "is no EndToEndId of BI-FAST")
    if ids.type_in(number) != transfer.kind:
        return Fault(f"{_TX}.PmtId.EndToEndId", "pattern", "is of another type than CtgyPurp says")
    if ids.maker_of(number) != transfer.debtor.bank:
        return Fault(f"{_TX}.DbtrAgt", "pattern", "is not the bank that made the EndToEndId")
    return None


def facts_of(report: StatusReport, ours: str) -> Facts:
    """What a report names of its transfer, to be compared with what was announced or sent.

    The bank is left out where it is the one it must be: of a transfer to us, ours; the sender is
    the bank in the EndToEndId.
    """
    number = report.end_to_end_id
    is_out = ids.is_ours(number, ours)
    bank = report.creditor_bank
    if report.debtor_bank not in ("", ours if is_out else ids.maker_of(number)):
        bank = f"from {report.debtor_bank}"
    elif is_out and bank in BY_BIC:
        bank = BY_BIC[bank].code
    elif bank == ours:
        bank = ""
    return Facts(report.amount_minor, report.creditor_account, bank)
