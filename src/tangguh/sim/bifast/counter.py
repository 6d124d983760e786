"""What the hub answers to each kind of message. Pure of sockets: a paper in, a paper out."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.bifast import answers, clearing
from tangguh.sim.bifast.books import HubBooks
from tangguh.sim.bifast.clearing import DUPLICATE, INVALID, Order, Said, order_of
from tangguh.sim.bifast.directory import Directory, Entry
from tangguh.sim.bifast.numbers import HubNumbers
from tangguh.sim.bifast.paper import Paper, utc
from tangguh.sim.faults import AnyFault, Decline, Lie, Pending
from tangguh.sim.passbook import TransferRow

PAYING: Final = ("010", "110")
"""The operations that pay: those a fault without services strikes."""
SIGN_ON: Final = "001"
SIGN_OFF: Final = "002"
_FORM: Final = re.compile(r"\d{8}[A-Z0-9]{8}\d{3}O\d{2}[A-Z0-9]{8}")
_REASONS: Final = {
    "40302": "U112",
    "40311": "U102",
    "40314": "U183",
    "40318": "U102",
    "40411": "U101",
    "50300": "U129",
}
"""The reason that a SNAP case of a plan of faults stands for; any other is U110."""
_SERVICES: Final = {
    answers.REQUEST: "000",
    answers.REGISTRATION: "710",
    answers.LOOK_UP: "610",
    answers.SESSION: "admn",
}


class Counter:
    """The hub's answers over its books."""

    def __init__(
        self,
        *,
        books: HubBooks,
        directory: Directory,
        numbers: HubNumbers,
        clock: Clock,
        bank_bic: str,
        hub_bic: str,
        message_age_max_seconds: float,
    ) -> None:
        self._books = books
        self._directory = directory
        self._numbers = numbers
        self._clock = clock
        self._bank_bic = bank_bic
        self._hub_bic = hub_bic
        self._age_max = message_age_max_seconds
        self.signed_on = True

    def now_text(self) -> str:
        """Now, as messages write it."""
        return utc(self._clock.now())

    def aim(self, paper: Paper) -> tuple[str, str, str]:
        """Service, payee and reference of a message, for the faults that ask for them."""
        tx = "FIToFICstmrCdtTrf.CdtTrfTxInf.0"
        if paper.definition == answers.TRANSFER:
            return (
                paper.text(f"{tx}.PmtTpInf.CtgyPurp.Prtry")[:3],
                paper.text(f"{tx}.CdtrAcct.Id.Othr.Id"),
                paper.text(f"{tx}.PmtId.EndToEndId"),
            )
        reference = paper.text("FIToFIPmtStsReq.TxInf.0.OrgnlEndToEndId")
        return _SERVICES.get(paper.definition, ""), "", reference

    def is_news(self, answer: Paper, reference: str) -> bool:
        """Whether this answer's transfer was paid by it: a duplicate's was paid before."""
        if answer.text("FIToFIPmtStsRpt.TxInfAndSts.0.StsRsnInf.0.Rsn.Prtry") == DUPLICATE:
            return False
        row = self._books.transfer(reference)
        return row is not None and row.state == "paid"

    def conclude_due(self) -> list[TransferRow]:
        """End the pending transfers whose time has come; those that ended now."""
        with self._books.transaction():
            return self._books.conclude_due(
                self._clock.now(), paid_code=clearing.SUCCESS, failed_code="U110"
            )

    def answer(self, paper: Paper, fault: AnyFault | None) -> Paper:
        """The answer to one message whose signature holds."""
        if complaint := self._judge(paper):
            return self.reject(paper, INVALID, complaint)
        match paper.definition:
            case answers.TRANSFER:
                return self._transfer(paper, fault)
            case answers.REQUEST:
                return self._status(paper)
            case answers.REGISTRATION:
                return self._registration(paper)
            case answers.LOOK_UP:
                return self._look_up(paper)
            case answers.SESSION:
                return self._session(paper)
            case _:
                return self.reject(paper, INVALID, "not a message for the hub")

    def reject(self, paper: Paper, reason: str, words: str) -> Paper:
        """An admi.002 for a message that is not taken."""
        document = answers.reject(paper.number, reason, words)
        return self._paper(paper, answers.REJECT, "ISO", document)

    # ---- each kind -------------------------------------------------------------------------

    def _transfer(self, paper: Paper, fault: AnyFault | None) -> Paper:
        order = answers.read_order(paper)
        if isinstance(order, str):
            return self.reject(paper, INVALID, order)
        if _FORM.fullmatch(order.reference) is None or order.reference[8:16] != paper.sender:
            return self.reject(paper, INVALID, "EndToEndId is not of the sender's making")
        with self._books.transaction():
            if order.kind == "510":
                said = clearing.enquire(self._books, order)
            else:
                said = self._pay(order, fault)
        # A duplicate is refused with what it said itself, not with what the first one said.
        shown = msgspec.structs.replace(said, row=None) if said.status == "RJCT" else said
        return self._report(paper, shown, order, (order.message_id, answers.TRANSFER))

    def _pay(self, order: Order, fault: AnyFault | None) -> Said:
        forced, delay = "", None
        match fault:
            case Decline(case=case):
                forced = _REASONS.get(case, "U110")
            case Pending(seconds=seconds, becomes=becomes):
                delay = (seconds, becomes)
            case Lie(books="failed"):
                forced = "U110"
        now = self._clock.now()
        said = clearing.pay(self._books, self._directory, order, now, forced=forced, delay=delay)
        if isinstance(fault, Lie) and said.row is not None:
            yes = Said(status="ACTC", reason=clearing.SUCCESS, row=said.row)
            no = Said(status="RJCT", reason="U110", row=said.row)
            return yes if fault.books == "failed" else no
        return said

    def _status(self, paper: Paper) -> Paper:
        reference = paper.text("FIToFIPmtStsReq.TxInf.0.OrgnlEndToEndId")
        original = (paper.text("FIToFIPmtStsReq.GrpHdr.MsgId"), answers.REQUEST)
        said = clearing.status_of(self._books, reference)
        if said.row is not None:
            return self._report(paper, said, order_of(said.row), original)
        document = answers.bare_report(
            said,
            reference,
            message_id=self._numbers.message(self._hub_bic, "000"),
            original=original,
            at=self.now_text(),
        )
        return self._paper(paper, answers.REPORT, "CLEAR", document)

    def _registration(self, paper: Paper) -> Paper:
        base = "PrxyRegn.Regn"
        account = f"{base}.PrxyRegn.Acct"
        number = self._numbers.message(self._hub_bic, "710")
        asked = Entry(
            proxy_type=paper.text(f"{base}.Prxy.Tp"),
            proxy=paper.text(f"{base}.Prxy.Val"),
            registration=number,
            bank=paper.sender,
            account=paper.text(f"{account}.Id.Othr.Id"),
            account_type=paper.text(f"{account}.Tp.Prtry"),
            name=paper.text(f"{account}.Nm") or paper.text(f"{base}.PrxyRegn.DsplNm"),
        )
        reason = self._directory.maintain(paper.text(f"{base}.RegnTp"), asked)
        held = self._directory.entry(asked.proxy_type, asked.proxy)
        registration = held.registration if held is not None else ""
        document = answers.registered(paper, reason, registration, number)
        return self._paper(paper, answers.REGISTERED, "ISO", document)

    def _look_up(self, paper: Paper) -> Paper:
        asked = "PrxyLookUp.LookUp.PrxyOnly.PrxyRtrvl"
        found = self._directory.resolve(paper.text(f"{asked}.Tp"), paper.text(f"{asked}.Val"))
        number = self._numbers.message(self._hub_bic, "610")
        document = answers.looked_up(paper, found, number)
        return self._paper(paper, answers.LOOKED_UP, "ISO", document)

    def _session(self, paper: Paper) -> Paper:
        function = paper.text("AdmnReq.AdmnTx.FnctnCd")
        if function in (SIGN_ON, SIGN_OFF):
            self.signed_on = function == SIGN_ON
        document = answers.session(paper, self._numbers.message(self._hub_bic, "000"))
        return self._paper(paper, answers.SESSION_ANSWER, "ISO", document)

    # ---- papers ----------------------------------------------------------------------------

    def _judge(self, paper: Paper) -> str:
        if (paper.sender, paper.recipient) != (self._bank_bic, self._hub_bic):
            return "not from a participant to the hub"
        try:
            said_at = datetime.fromisoformat(paper.created_at)
            age = (self._clock.now() - said_at).total_seconds()
        except (ValueError, TypeError):
            return "CreDt is no instant"
        # So a transfer that wandered for minutes is never carried out after "not found".
        return "too old" if abs(age) > self._age_max else ""

    def _report(self, paper: Paper, said: Said, order: Order, original: tuple[str, str]) -> Paper:
        document = answers.report(
            said,
            order,
            message_id=self._numbers.message(self._hub_bic, order.kind),
            original=original,
            at=self.now_text(),
        )
        return self._paper(paper, answers.REPORT, "CLEAR", document)

    def _paper(
        self, asked: Paper, definition: str, service: str, document: dict[str, Any]
    ) -> Paper:
        return Paper(
            sender=self._hub_bic,
            recipient=self._bank_bic,
            number=self._numbers.business(self._hub_bic, "000", "R"),
            definition=definition,
            service=service,
            created_at=self.now_text(),
            document=document,
            form=asked.form,
        )
