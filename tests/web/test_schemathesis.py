"""Schemathesis reads the API's document and looks for any answer that the document does not allow.

It runs against the bank on a real port. Most orders are signed as a device signs them, so that the
search gets past the door; where Schemathesis breaks a header on purpose it stays broken.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import asyncpg
import pillow_heif
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings, strategies
from schemathesis import GenerationMode

from conftest import QUICK
from paper import PaperRail, paper_rails
from serving import credentials, served
from tangguh.access.session import signature
from tangguh.app import Bank
from tangguh.config import Settings
from tangguh.core.clock import SystemClock
from tangguh.customers.crew import enrol_crew
from tangguh.customers.seed import demo
from tangguh.db.embedded import EmbeddedPostgres
from tangguh.web.api.document.customers import document
from tangguh.web.api.table import OPERATIONS
from tangguh.web.settings import WebSettings
from unit.disputes.test_evidence import pdf, picture

OPEN_DOOR = Settings(
    pin=QUICK.pin,
    web=WebSettings(
        requests_per_minute=10**6, requests_burst=10**6, logins_per_minute=10**6,
        logins_burst=10**6, answer_seconds=2.0,
    ),
)  # fmt: skip
A_NO_OF_THE_BANK = {
    "checks": {
        # A valid order may still be refused (422), turned away (429) or too early (503).
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", 401, 403, 404, 409, 422, 429, 503]
        },
        # Too large a body is refused for its size before anybody looks at its shape.
        "negative_data_rejection": {
            "expected-statuses": [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 503]
        },
    }
}
MINE, THEIRS = (str(account) for _, account, _ in demo(1)[1][:2])
SHAPE_CODES = {"json_invalid", "body_invalid", "header_invalid", "parameter_invalid"}


class Running:
    """The bank in a thread and event loop of its own."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self._postgres = postgres
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self.url = ""
        self._tokens: dict[str, str] = {}

    def __enter__(self) -> Running:
        self._thread.start()
        assert self._ready.wait(60)
        assert self.url
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)

    def crew(self) -> dict[str, str]:
        """What proves a member of staff at a device."""
        bearer = {"Authorization": f"Bearer {self._tokens['staff:1']}"}
        issued = requests.post(
            f"{self.url}/staff/v1/devices", json={}, headers=bearer, timeout=20
        ).json()
        return bearer | {"X-Staff-Device": issued["device"]}

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        name = f"test_search_{uuid4().hex[:8]}"
        admin = await asyncpg.connect(self._postgres.dsn_for("postgres"))
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE tangguh")
        rails = paper_rails(PaperRail())
        dsn = self._postgres.dsn_for(name)
        bank = await Bank.open(OPEN_DOOR, dsn, rails=rails, clock=SystemClock())
        try:
            await bank.fill_demo(seed=1)
            self._tokens = await enrol_crew(bank.staff)
            async with bank, served(bank.web()) as url:
                self.url = url
                self._ready.set()
                await self._over.wait()
                proof = await bank.prove()
            assert proof.passed
        finally:
            self._ready.set()
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            await admin.close()


class Device(requests.auth.AuthBase):
    """A logged-in device: adds its token, and its signature where a case asks for one.

    It is the same phone each time: a stranger who logs in so often is made to wait.
    """

    known: ClassVar[dict[str, str]] = {}

    def __init__(self, url: str, *, signs: bool) -> None:
        asked = credentials(1) | ({"device": self.known[url]} if url in self.known else {})
        said = requests.post(f"{url}/v1/sessions", json=asked, timeout=20).json()
        assert "token" in said, said
        self.known.setdefault(url, said["device"])
        self._token, self._key = said["token"], base64.b64decode(said["signing_key"])
        self._signs = signs

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        key = request.headers.get("Idempotency-Key")
        if self._signs and key is not None and "X-Signature" in request.headers:
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            stamp = str(int(SystemClock().now().timestamp()))
            path = requests.utils.unquote(requests.utils.urlparse(request.url).path)
            request.headers["X-Timestamp"] = stamp
            made = signature(self._key, str(request.method), path, body, stamp, str(key))
            request.headers["X-Signature"] = made
        return request


@pytest.fixture(scope="module")
def running(server: EmbeddedPostgres) -> Iterator[Running]:
    """The bank on a port."""
    with Running(server) as bank:
        Device(bank.url, signs=False)  # known before anybody guesses from the same address
        yield bank


pillow_heif.register_heif_opener()
FILES = {
    "image/jpeg": picture("JPEG"),
    "image/png": picture("PNG"),
    "image/webp": picture("WEBP"),
    "image/heic": picture("HEIF"),
    "application/pdf": pdf(1),
}
for media, content in FILES.items():
    schemathesis.openapi.media_type(media, strategies.sampled_from([content, content[:99], b"x"]))

API = schemathesis.openapi.from_dict(
    json.loads(json.dumps(document(OPERATIONS))),
    config=schemathesis.Config.from_dict(A_NO_OF_THE_BANK),
)


def breaks_a_header(case: Any) -> bool:
    """Whether the search has made a header wrong on purpose."""
    components = case.meta.components if case.meta is not None else {}
    return any(
        str(getattr(place, "value", place)) == "header" and part.mode is GenerationMode.NEGATIVE
        for place, part in components.items()
    )


def aim(case: Any) -> None:
    """Turn some of the valid cases to accounts that exist, so that money really moves."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if case.path_parameters and "account" in case.path_parameters:
        case.path_parameters["account"] = MINE
    if isinstance(case.body, dict) and "from_account" in case.body:
        case.body["from_account"] = MINE
        if "to_account" in case.body:
            case.body["to_account"] = THEIRS


@API.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_the_document_allows(case: Any, running: Running) -> None:
    """All of Schemathesis's checks hold, and a valid request is never called malformed."""
    if sum(case.id.encode()) % 3:
        aim(case)
    device = None
    if not breaks_a_header(case):
        device = Device(running.url, signs=sum(case.id.encode()) % 4 != 0)
    answer = case.call_and_validate(base_url=running.url, auth=device)
    if case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        is_problem = "problem" in answer.headers["content-type"][0] if answer.content else False
        if is_problem:
            assert answer.json()["code"] not in SHAPE_CODES, answer.json()


@pytest.mark.drill
@pytest.mark.parametrize("whose", ["customers", "staff"])
def test_a_stranger_with_the_tool_as_it_comes_finds_nothing(
    whose: str, running: Running, tmp_path: Path
) -> None:
    """No exemption of ours: whatever the document allows is taken, whatever it forbids refused.

    To staff much that has the right shape is refused for what it says (a scope, a rule): there it
    is held that every answer is documented, and what is not of the shape is refused.
    """
    if whose == "customers":
        said = requests.post(f"{running.url}/v1/sessions", json=credentials(1), timeout=20).json()
        proofs, where = {"Authorization": f"Bearer {said['token']}"}, "/openapi.json"
        # Ending the session would end the search.
        more = ["--exclude-operation-id", "endSession"]
    else:
        proofs, where = running.crew(), "/staff/v1/openapi.json"
        # What staff do closes and freezes; a search by reading leaves the bank as it was.
        more = ["--exclude-checks", "positive_data_acceptance", "--include-method", "GET"]
        device = proofs.pop("X-Staff-Device")
        (tmp_path / "schemathesis.toml").write_text(
            f'[parameters]\n"header.X-Staff-Device" = "{device}"\n'
        )
    headers = [part for name, value in proofs.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}{where}", *headers, *more,
            "--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1",
            "--workers", "1", "--no-color", "--continue-on-failure",
        ],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:]
