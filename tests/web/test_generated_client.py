"""A client that a public generator makes from the document alone works against the bank.

The customers' logs in, pays, follows the payment and reads its notices and a letter; the staff's
reads and closes. Signing is written here from the document's own words, not with the bank's code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from as_documented import document_of_staff
from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import credentials, served
from stories import account_of
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.core.ids import Ids
from tangguh.core.outcome import Unanswered
from tangguh.customers.crew import enrol_crew
from tangguh.db.objects import ObjectSettings
from tangguh.web.api.document.customers import document
from tangguh.web.api.table import OPERATIONS
from unit.rails.qris.payloads import VALID
from web.test_care_by_api import tell

V5 = VALID["V5"].payload
FILES = (
    "application/pdf", "image/jpeg", "image/png", "image/webp", "image/heic",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
)  # fmt: skip
GENERATOR = {
    "post_hooks": [],
    # The generator knows files by one medium only, and JSON by another name.
    "content_type_overrides": dict.fromkeys(FILES, "application/octet-stream")
    | {"application/problem+json": "application/json"},
}


def generate(where: Path, package: str) -> None:
    """Make a client of a document. A warning of the generator is an error."""
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none",
            "--fail-on-warning", "--path", f"{package}.json", "--output-path", package,
            "--config", "generator.json",
        ],
        cwd=where, check=False, timeout=120, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
async def bank(
    dsn: str, clock: HandClock, ids: Ids, paper: PaperRail, tmp_path: Path
) -> AsyncIterator[Bank]:
    """A bank that keeps letters' papers in a directory."""
    settings = msgspec.structs.replace(QUICK, evidence=ObjectSettings(url=str(tmp_path)))
    opened = await Bank.open(settings, dsn, rails=paper_rails(paper), clock=clock, ids=ids)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """``made("bank_client.api.payments.create_payment")``: a module of what was generated."""
    where = tmp_path_factory.mktemp("clients")
    (where / "generator.json").write_text(json.dumps(GENERATOR))

    def module(name: str) -> Any:
        package = name.partition(".")[0]
        if not (where / package).exists():
            said = document(OPERATIONS) if package == "bank_client" else document_of_staff()
            (where / f"{package}.json").write_text(json.dumps(said))
            generate(where, package)
        return importlib.import_module(name)

    sys.path.insert(0, str(where))
    try:
        yield module
    finally:
        sys.path.remove(str(where))
        for name in [one for one in sys.modules if one.startswith(("bank_client", "desk_client"))]:
            del sys.modules[name]


class Signer:
    """Signs what is sent, as the document says."""

    def __init__(self, signing_key: str, clock: HandClock) -> None:
        self._key, self._clock = base64.b64decode(signing_key), clock

    async def __call__(self, request: httpx.Request) -> None:
        if "X-Signature" not in request.headers:
            return
        stamp = str(int(self._clock.now().timestamp()))
        body = hashlib.sha256(request.content).hexdigest()
        lines = [request.method, request.url.path, body, stamp, request.headers["Idempotency-Key"]]
        mac = hmac.digest(self._key, "\n".join(lines).encode(), "sha256")
        request.headers["X-Timestamp"] = stamp
        request.headers["X-Signature"] = base64.b64encode(mac).decode()


async def test_a_generated_client_logs_in_pays_and_reads(
    made: Callable[[str], Any], bank: Bank, clock: HandClock, paper: PaperRail
) -> None:
    api, models = "bank_client.api", made("bank_client.models")
    client_of = made("bank_client.client")
    mine, theirs = str(await account_of(bank, 1)), str(await account_of(bank, 2))
    async with AsyncExitStack() as open_ones:
        url = await open_ones.enter_async_context(served(bank.web()))
        stranger = await open_ones.enter_async_context(client_of.Client(base_url=url))
        opened = await made(f"{api}.sessions.open_session").asyncio(
            client=stranger, body=models.OpenSession(**credentials(1))
        )
        assert isinstance(opened, models.SessionView), opened
        signing = {"event_hooks": {"request": [Signer(opened.signing_key, clock)]}}
        device = await open_ones.enter_async_context(
            client_of.AuthenticatedClient(base_url=url, token=opened.token, httpx_args=signing)
        )
        pay = made(f"{api}.payments.create_payment").asyncio_detailed
        order = models.PayTransfer(
            models.PayTransferKind("transfer"), mine, theirs, "25000.00", "makan siang"
        )
        signed = {"idempotency_key": "order-1", "x_timestamp": "0", "x_signature": "x"}
        answers = [await pay(client=device, body=order, **signed) for _ in range(2)]
        assert [int(one.status_code) for one in answers] == [201, 200]
        first, again = (one.parsed for one in answers)
        assert (first.id, first.state, first.amount, first.total) == (
            again.id, "posted", "25000.00", "25000.00",
        )  # fmt: skip
        assert (first.repeated, again.repeated) == (False, True)
        found = await made(f"{api}.payments.get_payment").asyncio(first.id, client=device)
        assert [one.state for one in found.timeline][-1] == "posted"

        paper.will("send", Unanswered("timeout"))
        scan = models.PayQris(models.PayQrisKind("qris"), mine, V5, "10000.00")
        open_one = await pay(client=device, body=scan, **signed | {"idempotency_key": "order-2"})
        assert (int(open_one.status_code), open_one.parsed.state) == (202, "unanswered")

        case = await made(f"{api}.complaints.open_complaint").asyncio(
            client=device,
            body=models.NewComplaint(
                models.About("no_word"), "Uang saya belum sampai.", open_one.parsed.id
            ),
            idempotency_key="complaint-1",
        )
        assert case.payment_id == open_one.parsed.id
        letter = await made(f"{api}.complaints.get_letter").asyncio(case.id, client=device)
        assert letter.payload.read().startswith(b"%PDF-")

        told = await tell(bank, 1)
        inbox = await made(f"{api}.notices.list_notices").asyncio(client=device)
        assert told in {one.id for one in inbox.notices}
        seen = models.Seen([told])
        read = await made(f"{api}.notices.read_notices").asyncio(client=device, body=seen)
        assert read.read == 1

        forged = await open_ones.enter_async_context(
            client_of.AuthenticatedClient(base_url=url, token="x")
        )
        nobody = await made(f"{api}.accounts.list_accounts").asyncio(client=forged)
        assert isinstance(nobody, models.Problem)
        assert (nobody.code, nobody.money, nobody.retry) == ("session_ended", "not_moved", "safe")


@pytest.mark.drill
async def test_a_generated_client_of_staff_reads_and_closes(
    made: Callable[[str], Any], bank: Bank
) -> None:
    api, models = "desk_client.api", made("desk_client.models")
    tokens = await enrol_crew(bank.staff)
    client_of = made("desk_client.client").AuthenticatedClient
    async with (
        served(bank.web()) as url,
        client_of(base_url=url, token=tokens["staff:1"]) as by,
    ):
        issued = await made(f"{api}.devices.issue_device").asyncio(
            client=by, body=models.NewDevice()
        )
        order = models.CloseOrder(
            scope="rail=qris direction=out", reason="by_hand", cause="rehearsal", minutes=5,
            signal_class=models.SignalClass.C,
        )  # fmt: skip
        closed = await made(f"{api}.gates.close_gate").asyncio(
            client=by, body=order, x_staff_device=issued.device
        )
        assert isinstance(closed.closure.id, UUID)
        board = await made(f"{api}.gates.list_gates").asyncio(client=by)
        assert [one.id for one in board.closures] == [closed.closure.id]
        assert board.closures[0].effect == "closed"


async def test_staff_read_their_document_at_their_door(bank: Bank) -> None:
    """The routes of the running bank, not a list of them; to nobody without a token."""
    tokens = await enrol_crew(bank.staff)
    async with served(bank.web()) as url, httpx.AsyncClient(base_url=url) as http:
        where = "/staff/v1/openapi.json"
        assert (await http.get(where)).status_code == 401
        given = await http.get(where, headers={"Authorization": f"Bearer {tokens['staff:1']}"})
        assert given.json() == document_of_staff()
        assert str(Path(where).parent) in next(iter(given.json()["paths"]))
