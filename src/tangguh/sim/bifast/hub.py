"""The BI-FAST hub as a network that can be opened, told to fail, and told to act.

One port takes messages (``POST /bifast/messages``). Transfers are carried out and settled at once;
the notice goes out by itself. ``act`` makes other banks pay ours, give back, and deliver again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, Literal

import msgspec

from tangguh.core.clock import Clock
from tangguh.sim.bifast import answers
from tangguh.sim.bifast.books import HubBooks
from tangguh.sim.bifast.clearing import (
    DUPLICATE,
    NO_ACCOUNT,
    NOT_ANSWERED,
    RETURN,
    SUCCESS,
    Order,
    Said,
    order_of,
    row_of,
)
from tangguh.sim.bifast.counter import PAYING, Counter
from tangguh.sim.bifast.directory import Directory, Entry
from tangguh.sim.bifast.door import Door
from tangguh.sim.bifast.messenger import Answer, Messenger
from tangguh.sim.bifast.numbers import HubNumbers
from tangguh.sim.bifast.paper import Paper
from tangguh.sim.bifast.participants import (
    Customer,
    demo_customers,
)
from tangguh.sim.bifast.statement import Statement
from tangguh.sim.faults import Dealt, Faults, Plan
from tangguh.sim.passbook import PassbookProof, TransferRow
from tangguh.sim.port import Port
from tangguh.sim.snap_network import private_key_at, public_key_at

_ROWS_MAX: Final = 1_000_000
_CUT_OFFS: Final = ("24:00",)


class HubSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The hub and the one bank that is not simulated. Keys are RSA in PEM.

    ``bank_public_key_path`` is the participant's key: what it sends is signed with it.
    ``answers_public_key_path`` is for its answers to what the hub sends it; empty: the same key.
    ``books_path`` is its own SQLite file (proxies lie beside it). ``bank_url`` is where the bank
    takes messages; empty: the hub never speaks first. ``form`` is what it speaks then.
    ``watch_public_key_path`` (Ed25519): who may read the statement; empty: nobody.
    ``prefunded_minor``: what the settlement account opens with; a transfer above what it has is
    refused. None: no limit.
    """

    bank_public_key_path: str
    hub_private_key_path: str
    books_path: str
    bank_bic: str = "TGUHIDJ1"
    hub_bic: str = "FASTIDJA"
    answers_public_key_path: str = ""
    bank_url: str = ""
    form: Literal["json", "xml"] = "json"
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    message_age_max_seconds: float = 60.0
    watch_public_key_path: str = ""
    prefunded_minor: int | None = None


class Hub:
    """The running hub."""

    name = "bifast"

    def __init__(self, settings: HubSettings, clock: Clock) -> None:
        """Raises Misconfigured when a key cannot be read."""
        self._settings = settings
        self._clock = clock
        self._key = private_key_at(settings.hub_private_key_path)
        bank_key = public_key_at(settings.bank_public_key_path)
        self.passbook = HubBooks(settings.books_path, settings.prefunded_minor, clock.now())
        self.directory = Directory(f"{settings.books_path}.proxies")
        self.faults = Faults(*PAYING)
        answers_path = settings.answers_public_key_path or settings.bank_public_key_path
        self.messenger = Messenger(
            settings.bank_url, self._key, public_key_at(answers_path), clock, settings.form
        )
        self._numbers = HubNumbers(clock, settings.seed)
        self.counter = Counter(
            books=self.passbook,
            directory=self.directory,
            numbers=self._numbers,
            clock=clock,
            bank_bic=settings.bank_bic,
            hub_bic=settings.hub_bic,
            message_age_max_seconds=settings.message_age_max_seconds,
        )
        self.door = Door(
            counter=self.counter,
            faults=self.faults,
            clock=clock,
            key=self._key,
            bank_key=bank_key,
            notify=self.notify,
        )
        self._statement = Statement(
            books=self.passbook,
            clock=clock,
            key=self._key,
            watch_public_key_path=settings.watch_public_key_path,
            participant=settings.bank_bic,
            conclude=self.door.conclude_due,
        )
        self.door.app.router.routes.append(self._statement.route)
        self._port = Port(self.door.app, self.faults, settings.host, settings.port)

    # ---- as a network ----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where to call it; the same while it is down."""
        return self._port.address

    async def open(self) -> None:
        """Open the accounts and listen. Raises OSError when the port is taken."""
        self.enrol(demo_customers())
        self._statement.open()
        await self._port.open()

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Stop listening and let go of the books."""
        self._statement.close()
        await self._port.close(grace_seconds)
        await self.door.close()
        await self.messenger.close()
        self.directory.close()
        self.passbook.close()

    async def settle(self) -> None:
        """Wait until it works on no request and has told all its news."""
        await self._port.settle()
        await self.door.settle()

    async def put_plan(self, plan: Plan) -> None:
        """Let this be wrong with it from now on, and nothing else."""
        await self._port.put_plan(plan)

    def dealt(self) -> Dealt:
        """The plan in force and how often each fault has struck."""
        return self._port.dealt()

    def prove(self) -> PassbookProof:
        """Count every row of the books again."""
        self.counter.conclude_due()
        return self.passbook.prove()

    def books(self, asked: Mapping[str, str]) -> dict[str, Any]:
        """Totals, accounts and the newest rows that match the filters."""
        self.counter.conclude_due()
        limit = min(max(int(asked.get("limit", "100")), 0), _ROWS_MAX)
        rows = self.passbook.transfers(
            reference=asked.get("reference", ""),
            state=asked.get("state", ""),
            kind=asked.get("kind", ""),
            account=asked.get("account", ""),
            limit=limit,
        )
        return {
            "totals": self.passbook.totals(),
            "settlement": {
                "balance_minor": self.passbook.balance_minor,
                "reserved_minor": self.passbook.reserved_minor,
                "is_limited": self.passbook.is_limited,
            },
            "accounts": self.passbook.accounts(),
            "transfers": rows,
        }

    def settlement_file(self, day: date, cycle: int = 0) -> str:
        """The settlement file of a Jakarta day: BI-FAST settles all day long, in one cycle."""
        return self.passbook.settlement_file(
            self.name, self._settings.bank_bic, day, cycle, _CUT_OFFS
        )

    async def act(self, what: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """``credit``, ``return``, ``redeliver``, ``enquire``, ``fund`` or ``sweep``.

        ValueError: it cannot.
        """
        match what:
            case "credit":
                row = await self.originate(
                    str(fields.get("account", "")),
                    int(fields.get("amount_minor", 0)),
                    debtor=str(fields.get("debtor", "UJIAIDJ1:9980000001")),
                    note=str(fields.get("note", "")),
                )
                return msgspec.structs.asdict(row)
            case "return":
                row = await self.give_back(str(fields.get("reference", "")))
                return msgspec.structs.asdict(row)
            case "redeliver":
                return {"delivered": await self.redeliver()}
            case "enquire":
                said = await self.enquire(str(fields.get("account", "")))
                return {"status": said.status, "reason": said.reason, "name": said.name}
            case "fund" | "sweep":
                minor = int(fields.get("amount_minor", 0))
                reference = str(fields.get("reference", ""))
                now = self._clock.now()
                return msgspec.structs.asdict(self.passbook.move(what, minor, now, reference))
            case _:
                raise ValueError("it can credit, return, redeliver, enquire, fund and sweep")

    # ---- of its own accord -----------------------------------------------------------------

    def enrol(self, customers: list[Customer]) -> None:
        """Make sure that these accounts and proxies are there."""
        with self.passbook.transaction():
            for one in customers:
                self.passbook.open_account(
                    one.number,
                    one.name,
                    state=one.state,
                    opening_minor=one.opening_minor,
                    detail=msgspec.json.encode({"type": one.account_type}).decode(),
                )
        for one in customers:
            for proxy_type, proxy in one.proxies:
                if self.directory.entry(proxy_type, proxy) is None:
                    self.directory.put(_entry(one, proxy_type, proxy))

    async def originate(
        self,
        account: str,
        amount_minor: int,
        *,
        debtor: str = "UJIAIDJ1:9980000001",
        kind: str = "010",
        related: str = "",
        note: str = "",
        proxy: tuple[str, str] = ("", ""),
    ) -> TransferRow:
        """Let a customer of another bank pay an account of the bank; the row it came to.

        Accepted by the bank: paid, and the notice follows. Refused: failed. Not answered: pending,
        and its message lies in the store (``redeliver``). ValueError: no such debtor.
        """
        payer = self.passbook.account(debtor)
        if payer is None or amount_minor <= 0:
            raise ValueError("a credit has a debtor and an amount")
        bic, _, debtor_account = debtor.partition(":")
        reference = self._numbers.business(bic, kind, "O")
        order = Order(
            kind=kind,
            message_id=self._numbers.message(bic, kind),
            reference=reference,
            transaction=self._numbers.message(bic, kind),
            amount_minor=amount_minor,
            debtor_bank=bic,
            debtor_account=debtor_account,
            debtor_name=payer.name,
            creditor_bank=self._settings.bank_bic,
            creditor_account=account,
            proxy_type=proxy[0],
            proxy=proxy[1],
            related=related,
            note=note,
        )
        row = row_of(order, "out", self._clock.now(), state="pending", code=NOT_ANSWERED)
        with self.passbook.transaction():
            self.passbook.record(row)
        return await self._deliver(self._paper_of(order))

    async def give_back(self, reference: str) -> TransferRow:
        """Let a payee return a transfer they got from the bank: a transfer of type 011."""
        original = self.passbook.transfer(reference)
        if original is None or original.state != "paid" or original.direction != "in":
            raise ValueError("only a transfer that was paid can be given back")
        return await self.originate(
            original.counterpart,
            original.amount_minor,
            debtor=original.account,
            kind=RETURN,
            related=reference,
        )

    async def redeliver(self) -> int:
        """Deliver everything in the store again (CpyDplct DUPL); how many messages it was."""
        stored, self.messenger.stored = self.messenger.stored, []
        for paper in stored:
            if paper.definition == answers.TRANSFER:
                await self._deliver(paper)
            else:
                await self.messenger.tell(paper)
        return len(stored)

    async def enquire(self, account: str) -> Said:
        """Ask the bank whose account this is (pacs.008, 510)."""
        bic = "UJIAIDJ1"
        order = Order(
            kind="510",
            message_id=self._numbers.message(bic, "510"),
            reference=self._numbers.business(bic, "510", "O"),
            transaction=self._numbers.message(bic, "510"),
            amount_minor=100,
            debtor_bank=bic,
            debtor_account="9980000001",
            debtor_name="SARI WULANDARI",
            creditor_bank=self._settings.bank_bic,
            creditor_account=account,
        )
        return _said(await self.messenger.post(self._paper_of(order)))

    async def notify(self, reference: str, times: int = 1) -> None:
        """Tell the bank how a transfer ended (STTL): ACSC, or RJCT with its reason."""
        row = self.passbook.transfer(reference)
        if row is not None and row.state in ("paid", "failed"):
            await self.messenger.tell(self.notice_of(row), times)

    def notice_of(self, row: TransferRow) -> Paper:
        """The settlement notice of a transfer that has ended."""
        order = order_of(row)
        said = Said(status="ACSC", reason=SUCCESS, row=row)
        if row.state != "paid":
            said = Said(status="RJCT", reason=row.code, row=row)
        document = answers.report(
            said,
            order,
            message_id=self._numbers.message(self._settings.hub_bic, order.kind),
            original=(order.message_id, answers.TRANSFER),
            at=self.counter.now_text(),
        )
        return self._paper(answers.REPORT, "STTL", order.kind, document)

    async def forge(self, paper: Paper) -> bool:
        """Post a message with a signature that does not hold; whether the bank took it."""
        told = self.messenger.acknowledged
        await self.messenger.post(paper, spoiled=True)
        return self.messenger.acknowledged > told

    async def _deliver(self, paper: Paper) -> TransferRow:
        """Post a transfer to the bank and end its row by what the bank says."""
        reference = paper.text("FIToFICstmrCdtTrf.CdtTrfTxInf.0.PmtId.EndToEndId")
        answer = await self.messenger.post(paper)
        said = _said(answer)
        code = said.reason or NO_ACCOUNT
        now = self._clock.now()
        with self.passbook.transaction():
            if said.status == "ACTC":
                row = self.passbook.conclude(reference, "paid", SUCCESS, now)
            elif said.status == "RJCT" and said.reason != DUPLICATE:
                row = self.passbook.conclude(reference, "failed", code, now)
            else:
                found = self.passbook.transfer(reference)
                assert found is not None
                row = found
        if row.state == "pending":
            self.messenger.keep(paper)
        elif row.state == "paid":
            await self.notify(reference)
        return row

    def _paper_of(self, order: Order) -> Paper:
        document = answers.transfer(order, self.counter.now_text())
        return self._paper(answers.TRANSFER, "CLEAR", order.kind, document, number=order.reference)

    def _paper(
        self,
        definition: str,
        service: str,
        kind: str,
        document: dict[str, Any],
        number: str = "",
    ) -> Paper:
        hub = self._settings.hub_bic
        return Paper(
            sender=hub,
            recipient=self._settings.bank_bic,
            number=number or self._numbers.business(hub, kind, "H"),
            definition=definition,
            service=service,
            created_at=self.counter.now_text(),
            document=document,
            form=self._settings.form,
        )


def _said(answer: Answer) -> Said:
    """What the bank's pacs.002 says; nothing where there is none."""
    if not isinstance(answer, Paper) or answer.definition != answers.REPORT:
        return Said(status="", reason="")
    tx = "FIToFIPmtStsRpt.TxInfAndSts.0"
    return Said(
        status=answer.text(f"{tx}.TxSts"),
        reason=answer.text(f"{tx}.StsRsnInf.0.Rsn.Prtry"),
        name=answer.text(f"{tx}.OrgnlTxRef.Cdtr.Pty.Nm"),
    )


def _entry(one: Customer, proxy_type: str, proxy: str) -> Entry:
    return Entry(
        proxy_type=proxy_type,
        proxy=proxy,
        registration=f"REG{proxy_type}{one.account}",
        bank=one.bank,
        account=one.account,
        account_type=one.account_type,
        name=one.name,
    )
