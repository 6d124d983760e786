"""The BI-FAST gateway between the rail and the simulated hub, over real TCP: ring 1 as a process.

Whatever is refused, the hub's books are looked at: they have nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from rails.bifast_harness import SARI, SARI_BY_PHONE, BifastHarness
from rails.harness import NOON, Keys
from tangguh.core.authorisation import AuthorisationKey, Facts, creditor_of
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.order import ToBank
from tangguh.core.outcome import Accepted, NotSent, Unanswered
from tangguh.guard.board import Board
from tangguh.guard.closure import Allowance, Closure, SignalClass, State
from tangguh.guard.scope import Cohort, Scope
from tangguh.guard.snapshot import Snapshot, WatchOrder, seal
from tangguh.rails.bifast import ids, message, transfer, turned
from tangguh.rails.bifast.rail import BifastRail
from tangguh.rails.bifast.transfer import CreditTransfer, Party
from tangguh.rails.rail import Found, Instruction
from tangguh.sim import faults
from tangguh.sim.listener import Listener
from tangguh.work.gateway.closures import KeptClosures
from tangguh.work.gateway.door import Door
from tangguh.work.gateway.gateway import Gateway, facts_of
from tangguh.work.gateway.settings import GatewaySettings
from unit.guard.test_closure import closure

KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
RP600K = 600_000_00
REFERENCE = ids.business_number(NOON, "TGUHIDJ1", ids.BY_ACCOUNT, "00000001")
OTHER = ids.business_number(NOON, "TGUHIDJ1", ids.BY_ACCOUNT, "00000002")


def write_public(path: Path, key: ed25519.Ed25519PrivateKey) -> str:
    """A public key in a file."""
    path.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return str(path)


class Passage:
    """A hub, the gateway before it, and a bank's rail that knows only the gateway."""

    def __init__(self, far: BifastHarness, folder: Path) -> None:
        self.far = far
        self.folder = folder
        self.ledger = ed25519.Ed25519PrivateKey.generate()
        self.key = AuthorisationKey(self.ledger)
        self.watch = ed25519.Ed25519PrivateKey.generate()
        self.guard = ed25519.Ed25519PrivateKey.generate()
        self.connector = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        self.connector_private = folder / "connector.pem"
        self.connector_private.write_bytes(
            self.connector.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.connector_public = folder / "connector.pub.pem"
        self.connector_public.write_bytes(
            self.connector.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        self.clock = HandClock(NOON)
        self.changes: dict[str, Any] = {}
        self.rails: list[BifastRail] = []

    async def open(self, **changes: Any) -> None:
        """The gateway starts, or starts again with these settings changed."""
        self.changes |= changes
        plain = GatewaySettings(
            url=self.far.hub.address,
            connector_public_key_path=str(self.connector_public),
            # The harness's bank key is the participant's: the hub takes no other.
            private_key_path=self.far.keys.bank_private,
            authorisation_public_key_path=write_public(self.folder / "ledger.pem", self.ledger),
            orders_public_key_path=write_public(self.folder / "watch.pem", self.watch),
            snapshot_public_key_path=write_public(self.folder / "guard.pem", self.guard),
            closures_path=str(self.folder / "closures.json"),
            memory_path=str(self.folder / "gateway.sqlite"),
        )
        self.gateway = Gateway(msgspec.structs.replace(plain, **self.changes), self.clock)
        self.listener = Listener(Door(self.gateway, self.clock).app, "127.0.0.1", 0)
        await self.listener.open()
        self.rail = self.another_rail()

    def another_rail(self, **changes: Any) -> BifastRail:
        """A rail to the gateway, with these settings changed."""
        told = {
            "url": self.listener.url,
            "private_key_path": str(self.connector_private),
            "gateway_public_key_path": self.far.keys.bank_public,
            **changes,
        }
        rail = BifastRail(self.far.settings(**told), self.clock)
        self.rails.append(rail)
        return rail

    async def close(self) -> None:
        """The rails, the port, the gateway; the hub stays."""
        for rail in self.rails:
            await rail.close()
        self.rails.clear()
        await self.listener.close(0.0)
        await self.gateway.close()

    async def restart(self, **changes: Any) -> None:
        """A new process over the same file."""
        await self.close()
        await self.open(**changes)

    def instruction(self, **changes: Any) -> Instruction:
        """Named by the book, as every BI-FAST payment is, and signed by the ledger."""
        bare = self.far.instruction(**{"reference": REFERENCE, **changes})
        if "authorisation" in changes:
            return bare
        return msgspec.structs.replace(bare, authorisation=self.token(bare))

    def token(self, instruction: Instruction, key: AuthorisationKey | None = None) -> str:
        """The ledger's leave for it, for two minutes."""
        facts = Facts(
            reference=instruction.reference,
            rail="bifast",
            debtor=instruction.debtor_account,
            creditor=creditor_of(instruction.payee),
            amount_minor=instruction.amount_minor + instruction.tip_minor,
        )
        return (key or self.key).authorise(facts, NOON + timedelta(seconds=120))

    def sealed(self, asked: CreditTransfer, key: rsa.RSAPrivateKey | None = None) -> bytes:
        """A message as somebody with the connector's key writes it, by hand."""
        return self.sealed_document(transfer.document_of(asked), key)

    def sealed_document(self, document: Any, key: rsa.RSAPrivateKey | None = None) -> bytes:
        """The same of any document."""
        return message.sealed(
            message.Message(
                sender="TGUHIDJ1",
                recipient="FASTIDJA",
                number=REFERENCE,
                definition=transfer.DEFINITION,
                service=message.CLEAR,
                created_at=NOON,
                document=document,
            ),
            key or self.connector,
            self.far.form,  # type: ignore[arg-type]
        )

    async def post(self, body: bytes, token: str = "", path: str = "/bifast/messages") -> Any:
        """Post by hand; status and body."""
        headers = {turned.HEADER: token} if token else {}
        url = self.listener.url + path
        async with aiohttp.ClientSession() as http:
            async with http.post(url, data=body, headers=headers) as reply:
                return reply.status, await reply.read()

    def closure(self, **changes: Any) -> Closure:
        """What the watch orders."""
        return closure(**({"made_at": NOON, "expires_at": NOON + timedelta(minutes=60)} | changes))

    async def order(self, key: ed25519.Ed25519PrivateKey, **changes: Any) -> int:
        """Order a closure; the status."""
        body = seal("order", WatchOrder(self.closure(**changes)), key)
        status, _ = await self.post(body, path="/orders")
        return int(status)

    def adopt(self, board: Board, key: ed25519.Ed25519PrivateKey | None = None) -> str:
        """The bank's board arrives; why it is not believed."""
        closures = self.gateway.closures
        assert isinstance(closures, KeptClosures)
        snapshot = Snapshot(1, self.clock.now(), board)
        return closures.adopt(seal("snapshot", snapshot, key or self.guard), self.clock.now())

    async def status(self) -> dict[str, Any]:
        """What it shows."""
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{self.listener.url}/status") as reply:
                return dict(await reply.json())

    def rows(self) -> list[Any]:
        """All the hub has."""
        return self.far.hub.passbook.transfers()


def written(**changes: Any) -> CreditTransfer:
    """A transfer of Rp600.000 to Sari, as the rail would write it."""
    plain = CreditTransfer(
        kind=ids.BY_ACCOUNT,
        message_id=ids.message_number_of(REFERENCE),
        created_at=NOON,
        end_to_end_id=REFERENCE,
        transaction_id="7" * 32,
        amount_minor=RP600K,
        debtor=Party(name="BUDI SANTOSO", account="108", bank="TGUHIDJ1"),
        creditor=Party(name="SARI WULANDARI", account="9980000001", bank="UJIAIDJ1"),
    )
    return msgspec.structs.replace(plain, **changes)


@asynccontextmanager
async def passage(keys: Keys, folder: Path, form: str) -> AsyncIterator[Passage]:
    """All three, running."""
    far = await BifastHarness(keys, folder, form).open()
    built = Passage(far, folder)
    await built.open()
    try:
        yield built
    finally:
        await built.close()
        await asyncio.sleep(0)
        await far.close()


@pytest_asyncio.fixture(params=["json", "xml"], name="way")
async def _way(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[Passage]:
    """In both forms of a message."""
    async with passage(keys, tmp_path, request.param) as built:
        yield built


class TestPasses:
    """What the ledger signed goes through, and what moves nothing."""

    async def test_authorised_is_paid_once(self, way: Passage) -> None:
        """By the name the ledger signed, the hub's own answer comes back."""
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)
        assert way.far.paid_minor() == RP600K
        said = (await way.status())["counts"]
        assert (said["accepted"], said["paying"], said["forwarded"], said["refused"]) == (
            1,
            1,
            1,
            0,
        )

    async def test_proxy_payment_is_signed_by_its_account(self, way: Passage) -> None:
        """The account behind the proxy is what the payer saw and the ledger signed."""
        found = await way.rail.look_up(way.far.asked(SARI_BY_PHONE))
        assert isinstance(found, Found)
        reference = ids.business_number(NOON, "TGUHIDJ1", ids.BY_PROXY, "00000003")
        sent = way.instruction(reference=reference, payee=found.payee)
        assert await way.rail.send(sent) == Accepted(reference)

    async def test_questions_need_no_leave(self, way: Passage) -> None:
        """Enquiry by account, proxy, status request, session; a look-up moves nothing."""
        assert isinstance(await way.rail.look_up(way.far.asked()), Found)
        assert isinstance(await way.rail.look_up(way.far.asked(SARI_BY_PHONE)), Found)
        assert await way.rail.inquire(way.instruction()) == Unanswered("not_found")
        assert isinstance(await way.rail.sign_on(), Accepted)
        assert isinstance(await way.rail.echo(), Accepted)
        assert way.rows() == []
        assert (await way.status())["counts"]["paying"] == 0

    async def test_ring_1_off_lets_it_through(self, way: Passage) -> None:
        """For rehearsals of what it prevents, and the page says so."""
        assert (await way.status())["authorisation_required"] is True
        await way.restart(require_authorisation=False)
        assert (await way.status())["authorisation_required"] is False
        assert await way.rail.send(way.instruction(authorisation="")) == Accepted(REFERENCE)
        assert way.far.paid_minor() == RP600K


class TestRefuses:
    """With the connector's key alone nothing leaves the bank."""

    @pytest.mark.parametrize(
        ("change", "field", "detail"),
        [
            ({}, "authorisation", "missing"),
            ({"amount_minor": RP600K + 1}, "amount_minor", "amount_minor"),
            ({"creditor": Party(account="9980000003", bank="UJIAIDJ1")}, "creditor", "creditor"),
            ({"creditor": Party(account="9980000001", bank="CENAIDJA")}, "creditor", "creditor"),
            ({"debtor": Party(account="109", bank="TGUHIDJ1")}, "debtor", "debtor"),
            ({"debtor": Party(account="0108", bank="TGUHIDJ1")}, "debtor", "debtor"),
            ({"debtor": Party(account="²", bank="TGUHIDJ1")}, "debtor", "debtor"),
            ({"end_to_end_id": OTHER}, "reference", "reference"),
            ({"kind": ids.RETURN, "related": "X" * 30, "amount_minor": 1}, "amount_minor", ""),
        ],
    )
    async def test_forged_is_refused_and_the_hub_has_nothing(
        self, way: Passage, change: dict[str, Any], field: str, detail: str
    ) -> None:
        """The field is named, the word is signed, and NotSent is what the bank makes of it."""
        token = way.token(way.instruction()) if change else ""
        body = way.sealed(written(**change))
        status, answer = await way.post(body, token)
        assert status == turned.NOT_FORWARDED
        said = turned.read(answer, way.gateway._key.public_key(), body)
        assert said is not None
        assert (said.field, said.rule, said.forwarded) == (field, "authorisation", False)
        assert said.detail == (detail or field)
        assert way.rows() == []
        shown = await way.status()
        assert shown["counts"]["refused"] == 1
        assert shown["refusals"][0]["field"] == field
        assert shown["refusals"][0]["reference"] == written(**change).end_to_end_id

    @pytest.mark.parametrize(
        ("where", "more"),
        [
            ((), {"InstdAmt": {"Value": "900000000.00", "Ccy": "IDR"}}),
            ((), {"UltmtCdtr": {"Nm": "SOMEBODY ELSE"}}),
            (("CdtrAcct",), {"Nm": "SOMEBODY ELSE"}),
            (("CdtrAcct", "Id"), {"IBAN": "ID00123456789"}),
            (("CdtrAgt", "FinInstnId"), {"BICFI": "CENAIDJA"}),
            (("CdtrAgt", "FinInstnId"), {"Nm": "ANOTHER BANK"}),
        ],
    )
    async def test_a_second_story_beside_the_signed_one(
        self, way: Passage, where: tuple[str, ...], more: dict[str, Any]
    ) -> None:
        """Authorised in every field that is read, and saying more where it is not."""
        document = transfer.document_of(written())
        node: Any = document["FIToFICstmrCdtTrf"]["CdtTrfTxInf"][0]  # type: ignore[index,call-overload]
        for step in where:
            node = node[step]
        node.update(more)
        status, _ = await way.post(way.sealed_document(document), way.token(way.instruction()))
        assert status == turned.NOT_FORWARDED
        assert way.rows() == []
        # And it used nothing up.
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)

    async def test_with_the_ledgers_pen_of_another(self, way: Passage) -> None:
        """A token by another key is no token."""
        sent = way.instruction()
        forged = msgspec.structs.replace(
            sent, authorisation=way.token(sent, AuthorisationKey.fresh())
        )
        assert await way.rail.send(forged) == NotSent("gateway: authorisation: authorisation")
        assert way.rows() == []

    async def test_expired(self, way: Passage) -> None:
        """Two minutes, then never."""
        way.clock.advance(120)
        assert isinstance(await way.rail.send(way.instruction()), NotSent)
        assert (await way.status())["refusals"][0]["detail"] == "expired"
        assert way.rows() == []

    async def test_replayed_even_over_a_restart(self, way: Passage) -> None:
        """The same bytes and token a second time: refused, and no "not sent" for anybody."""
        sent = way.instruction()
        assert await way.rail.send(sent) == Accepted(REFERENCE)
        for _ in range(2):
            status, _ = await way.post(way.sealed(written()), sent.authorisation)
            assert status == 409
            assert isinstance(await way.rail.send(sent), Unanswered)
            await way.restart()
        assert way.far.paid_count() == 1

    async def test_signed_by_somebody_else(self, way: Passage) -> None:
        """Neither another's key nor the participant's own opens the gateway."""
        other = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        for key in (other, way.far.keys.bank):
            status, _ = await way.post(way.sealed(written(), key), way.token(way.instruction()))
            assert status == turned.NOT_FORWARDED
        assert way.rows() == []

    async def test_the_connectors_key_is_nothing_to_the_hub(self, way: Passage) -> None:
        """Going round the gateway: the hub knows the participant's key only."""
        around = way.another_rail(url=way.far.hub.address)
        assert not isinstance(await around.send(way.instruction()), Accepted)
        assert way.rows() == []

    @pytest.mark.parametrize("body", [b"", b"{}", b"<x/>", b"\xff" * 100, b"x" * 70_000])
    async def test_what_is_no_message(self, way: Passage, body: bytes) -> None:
        """Is turned back with its fault."""
        status, _ = await way.post(body)
        assert status in (turned.NOT_FORWARDED, 413)
        assert way.rows() == []


class TestNotForwarded:
    """Who may say "not sent": the gateway, of these very bytes, and nobody else."""

    async def test_hub_is_down(self, way: Passage) -> None:
        """What could not leave the gateway is NotSent at the bank too."""
        await way.far.break_with(faults.Down())
        assert isinstance(await way.rail.send(way.instruction()), NotSent)
        assert isinstance(await way.rail.look_up(way.far.asked()), NotSent)

    async def test_hub_is_silent(self, way: Passage) -> None:
        """What may have reached the hub is Unanswered; asking tells."""
        await way.far.break_with(faults.DropReply(seconds=0))
        sent = way.instruction()
        assert isinstance(await way.rail.send(sent), Unanswered)
        await way.far.break_with()
        assert await way.rail.inquire(sent) == Accepted(REFERENCE)
        assert (await way.status())["counts"]["unanswered"] == 1

    async def test_gateway_is_down(self, way: Passage) -> None:
        """Nothing listens: nothing left."""
        await way.listener.shut()
        assert isinstance(await way.rail.send(way.instruction()), NotSent)

    async def test_said_by_a_stranger(self, way: Passage) -> None:
        """A rail that knows another gateway, or none, believes no "not forwarded"."""
        refused = way.instruction(authorisation="")
        for path in ("", way.far.hub_public):
            rail = way.another_rail(gateway_public_key_path=path)
            assert isinstance(await rail.send(refused), Unanswered)

    def test_said_of_other_bytes(self, keys: Keys) -> None:
        """Kept and said again of another message, or changed on the way."""
        said = turned.Turned(digest=turned.digest_of(b"mine"), field="x", rule="y")
        body = turned.sealed(said, keys.bank)
        public = keys.bank.public_key()
        assert turned.read(body, public, b"mine") == said
        assert turned.read(body, public, b"another") is None
        assert turned.read(body.replace(b'"y"', b'"z"'), public, b"mine") is None
        assert turned.read(body, keys.switch.public_key(), b"mine") is None
        assert turned.read(b"{", public, b"mine") is None


class TestClosures:
    """The seam of those who close: paying stops, questions go on."""

    async def test_closed_by_order_and_opened_by_the_bank(self, way: Passage) -> None:
        """The watch closes; only a newer board of the bank that ended it opens; questions go on."""
        assert await way.order(way.watch) == 200
        assert await way.order(way.watch) == 200
        assert await way.rail.send(way.instruction()) == NotSent("gateway: bifast: closed")
        assert isinstance(await way.rail.look_up(way.far.asked()), Found)
        shown = (await way.status())["closures"]
        assert [one["scope"] for one in shown["in_force"]] == ["rail=bifast direction=out"]
        assert way.adopt(Board(1)) == ""
        assert await way.rail.send(way.instruction()) == NotSent("gateway: bifast: closed")
        await way.restart()
        assert await way.rail.send(way.instruction()) == NotSent("gateway: bifast: closed")
        assert way.adopt(Board(2, (), (way.closure().id,))) == ""
        # A refusal by closure did not use the authorisation up.
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)
        assert await way.order(way.watch) == 409

    async def test_the_board_says_it_better(self, way: Passage) -> None:
        """On its way up the ladder it lets small amounts through; found again, it is shut again."""
        assert await way.order(way.watch) == 200
        rung = Allowance(amount_max_minor=RP600K)
        climbing = way.closure(state=State.RECOVERING, allowance=rung)
        assert way.adopt(Board(3, (climbing,))) == ""
        large = way.instruction(amount_minor=RP600K + 1)
        assert await way.rail.send(large) == NotSent("gateway: bifast: closed")
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)
        assert await way.order(way.watch, id=UUID(int=2)) == 200
        other = way.instruction(reference=REFERENCE[:-1] + "9")
        assert await way.rail.send(other) == NotSent("gateway: bifast: closed")

    async def test_orders_that_are_not_obeyed(self, way: Passage) -> None:
        """Another key, an old one, another scope, class or effect."""
        assert await way.order(way.ledger) == 401
        long_ago = NOON - timedelta(minutes=61)
        old = {"made_at": long_ago, "expires_at": NOON}
        body = seal("order", WatchOrder(closure(**old)), way.watch)
        assert (await way.post(body, path="/orders"))[0] == 400
        for changes in (
            {"scope": Scope(rail="bifast")},
            {"scope": Scope(rail="qris", direction="out")},
            {"signal_class": SignalClass.HEALTH, "expires_at": NOON + timedelta(minutes=5)},
            {"allowance": Allowance(permille=10)},
            {"parks": True},
            {"made_by": "rule:x"},
            {"confirmed_by": ("staff:1",)},
        ):
            one = msgspec.structs.replace(way.closure(), **changes)
            body = seal("order", WatchOrder(one), way.watch)
            assert (await way.post(body, path="/orders"))[0] == 400, changes
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)
        await way.restart(orders_public_key_path="")
        assert await way.order(way.watch) == 401

    async def test_snapshots_that_change_nothing(self, way: Passage) -> None:
        """Forged, of another book, older; and what was believed outlives the bank and a restart."""
        shut = Board(5, (way.closure(id=UUID(int=5)),))
        assert "not signed" in way.adopt(shut, way.watch)
        assert way.adopt(shut) == ""
        assert "older" in way.adopt(Board(4))
        closures = way.gateway.closures
        assert isinstance(closures, KeptClosures)
        elsewhere = seal("snapshot", Snapshot(2, NOON, Board(9)), way.guard)
        assert closures.adopt(elsewhere, NOON) == "a snapshot of book 2"
        await way.restart()
        assert (await way.status())["closures"]["version"] == 5
        assert await way.rail.send(way.instruction()) == NotSent("gateway: bifast: closed")
        assert "older" in way.adopt(Board(4))

    async def test_a_file_somebody_wrote_is_nothing(self, way: Passage) -> None:
        """Kept texts are verified again; rubbish is no closure and no end of the process."""
        path = way.folder / "closures.json"
        forged = seal("snapshot", Snapshot(1, NOON, Board(9)), way.ledger).decode()
        path.write_bytes(msgspec.json.encode({"snapshot": forged, "orders": ["{}"]}))
        await way.restart()
        assert (await way.status())["closures"]["version"] == -1
        path.write_bytes(b"\xff")
        await way.restart()
        assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)

    @pytest.mark.parametrize(
        ("scope", "stopped"),
        [
            (Scope(partner="998"), True),
            (Scope(partner="014"), False),
            (Scope(account=108), True),
            (Scope(account=109), False),
            (Scope(payee="998:9980000001"), True),
            (Scope(rail="bifast", amount_from_minor=RP600K), True),
            (Scope(rail="bifast", amount_to_minor=RP600K), False),
            (Scope(rail="bifast", direction="in"), False),
            (Scope(rail="bifast", cohort=Cohort("x", 0, 1000)), False),
            (Scope(service="mobile.transfer.bifast"), False),
        ],
        ids=str,
    )
    async def test_what_a_message_tells(self, way: Passage, scope: Scope, stopped: bool) -> None:
        """Partner, account, payee and amount are in the message; the rest is the ledger's."""
        assert way.adopt(Board(1, (way.closure(scope=scope),))) == ""
        said = await way.rail.send(way.instruction())
        assert said == (NotSent("gateway: bifast: closed") if stopped else Accepted(REFERENCE))


class TestCapped:
    """The gateway's own caps hold for whoever asks, with every signature in order."""

    @pytest.mark.parametrize(
        ("caps", "rule"),
        [
            ({"amount_max_minor": RP600K - 1}, "amount_max"),
            ({"per_minute_max": 1}, "per_minute_max"),
            ({"amount_per_minute_max_minor": RP600K * 2 - 1}, "amount_per_minute_max"),
        ],
    )
    async def test_above_it_nothing_goes(
        self, way: Passage, caps: dict[str, int], rule: str
    ) -> None:
        """The rule is named; a minute later there is room again."""
        await way.restart(**caps)
        second = way.instruction(reference=REFERENCE[:-1] + "9")
        if rule != "amount_max":
            assert await way.rail.send(way.instruction()) == Accepted(REFERENCE)
        assert await way.rail.send(second) == NotSent(f"gateway: amount: {rule}")
        way.clock.advance(60)
        again = await way.rail.send(second)
        assert isinstance(again, NotSent if rule == "amount_max" else Accepted)
        assert (await way.status())["caps"][rule] == next(iter(caps.values()))


def test_facts_are_the_ledgers_words() -> None:
    """BIC to clearing code; an account we would not write so is nobody's."""
    said = facts_of(written())
    assert said == Facts(
        reference=REFERENCE,
        rail="bifast",
        debtor=108,
        creditor=creditor_of(SARI),
        amount_minor=RP600K,
    )
    nowhere = facts_of(written(creditor=Party(account="1", bank="XXXXIDJ1")))
    assert nowhere.creditor == creditor_of(ToBank(bank="XXXXIDJ1", account="1"))


@pytest.mark.parametrize("wire", ["json", "xml"])
@given(name=st.text(max_size=200), payee=st.text(max_size=200), note=st.text(max_size=300))
def test_what_we_write_is_all_we_write(wire: Any, name: str, payee: str, note: str) -> None:
    """Whatever people are called and say: the gateway finds our own transfers to say no more."""
    asked = written(
        note=note,
        debtor=Party(name=name, account="108", bank="TGUHIDJ1"),
        creditor=Party(name=payee, account="9980000001", bank="UJIAIDJ1"),
    )
    made = message.Message(
        sender="TGUHIDJ1", recipient="FASTIDJA", number=REFERENCE, definition=transfer.DEFINITION,
        service=message.CLEAR, created_at=NOON, document=transfer.document_of(asked),
    )  # fmt: skip
    received = message.read(message.sealed(made, KEY, wire))
    assert isinstance(received, message.Received), received
    back = transfer.read(received.message.document)
    assert isinstance(back, CreditTransfer), back
    assert transfer.document_of(back) == received.message.document


def test_keys_that_are_not_there(keys: Keys, tmp_path: Path) -> None:
    """Are found at the start."""
    settings = GatewaySettings(
        url="http://127.0.0.1:1",
        connector_public_key_path=keys.bank_public,
        private_key_path=keys.bank_private,
        authorisation_public_key_path=str(tmp_path / "nothing.pem"),
        memory_path=str(tmp_path / "m.sqlite"),
    )
    with pytest.raises(Misconfigured, match="authorisation_public_key_path"):
        Gateway(settings, HandClock(NOON))
