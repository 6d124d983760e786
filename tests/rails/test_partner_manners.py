"""Partners that speak SNAP another way: whole paths, a prefix, RSA without a token."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rails.harness import Keys
from rails.partner_harness import PartnerHarness
from serving import served
from tangguh.core.clock import HandClock
from tangguh.core.errors import Misconfigured
from tangguh.core.order import ToWallet
from tangguh.core.outcome import Accepted
from tangguh.rails.ewallet.rail import EwalletRail
from tangguh.rails.rail import Instruction
from tangguh.rails.snap_partner import PRESETS, SnapPartnerSettings, manner_of

NOON = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Peer:
    """A wallet of another make: it checks the signature itself, from the bytes it was sent."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bool, bool]] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{rest:path}", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        body = await request.body()
        path = request.url.path
        if path.endswith("/access-token/b2b"):
            self.seen.append((path, False, False))
            fields: dict[str, Any] = {
                "responseCode": "2007300", "accessToken": "T1", "expiresIn": "900",
            }  # fmt: skip
            return JSONResponse(fields)
        squeezed = json.dumps(json.loads(body), separators=(",", ":")).encode()
        stamp = request.headers["x-timestamp"]
        signed = f"POST:{path}:{hashlib.sha256(squeezed).hexdigest()}:{stamp}"
        is_rsa = True
        try:
            KEY.public_key().verify(
                base64.b64decode(request.headers["x-signature"]),
                signed.encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            is_rsa = False
        self.seen.append((path, is_rsa, "authorization" in request.headers))
        asked = json.loads(body)
        return JSONResponse(
            {
                "responseCode": "2003800",
                "referenceNo": "D1",
                "partnerReferenceNo": asked["partnerReferenceNo"],
                "amount": asked["amount"],
            }
        )


@pytest.fixture
def key_path(tmp_path: Path) -> str:
    path = tmp_path / "bank.pem"
    path.write_bytes(
        KEY.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(path)


@pytest.fixture
async def peer() -> AsyncIterator[tuple[Peer, str]]:
    made = Peer()
    async with served(made.app()) as url:
        yield made, url


def settings(url: str, key_path: str, **changes: Any) -> SnapPartnerSettings:
    plain: dict[str, Any] = {
        "url": url, "client_id": "C", "client_secret": "S", "private_key_path": key_path,
        "partner_id": "P", "channel_id": "95221",
    }  # fmt: skip
    return SnapPartnerSettings(**plain | changes)


async def top_up(asked: SnapPartnerSettings, wallet: str = "dana") -> Any:
    rail = EwalletRail({wallet: asked}, HandClock(NOON), Random(1))
    try:
        return await rail.send(
            Instruction(
                payment_id=UUID(int=1),
                reference="R1",
                payee=ToWallet(wallet, "628110000001", "SARI"),
                amount_minor=50_000_00,
                tip_minor=0,
                currency="IDR",
                debtor_account=10100000011,
                accepted_at=NOON,
            )
        )
    finally:
        await rail.close()


async def test_danas_own_client_is_spoken_to_as_it_speaks(
    peer: tuple[Peer, str], key_path: str
) -> None:
    """Its whole path, our RSA signature over it, and no token asked for or sent."""
    far, url = peer
    said = await top_up(settings(url, key_path, preset="dana"))
    assert isinstance(said, Accepted)
    assert far.seen == [("/rest/v1.0/emoney/topup", True, False)]


@pytest.mark.parametrize(
    "how", [{"path_prefix": "/snap/partner"}, {"url": "/snap/partner"}, {"url": "/snap/partner/"}]
)
async def test_a_prefix_is_called_and_signed(
    peer: tuple[Peer, str], key_path: str, how: dict[str, str]
) -> None:
    """As a setting of its own, or as part of the partner's address; the token's path too."""
    far, url = peer
    more = {**how, "url": url + how.get("url", "")}
    asked = settings(more.pop("url"), key_path, **more)
    assert isinstance(await top_up(asked, "ovo"), Accepted)
    assert [path for path, _, _ in far.seen] == [
        "/snap/partner/v1.0/access-token/b2b",
        "/snap/partner/v1.0/emoney/topup",
    ]
    assert far.seen[-1][1:] == (False, True), "HMAC with a token"


async def test_one_path_and_the_signature_can_be_set_alone(
    peer: tuple[Peer, str], key_path: str
) -> None:
    far, url = peer
    asked = settings(url, key_path, signature="asymmetric", paths={"38": "/my/topup"})
    assert isinstance(await top_up(asked, "gopay"), Accepted)
    assert far.seen == [("/my/topup", True, False)]


@pytest.mark.parametrize(
    "wrong", [{"preset": "nobody"}, {"path_prefix": "snap"}, {"paths": {"38": "/a?b=1"}}]
)
def test_a_way_that_cannot_be_is_refused_at_the_start(key_path: str, wrong: Any) -> None:
    with pytest.raises(Misconfigured):
        manner_of("ewallet.dana", settings("https://x.example", key_path, **wrong))


async def test_the_simulated_wallet_speaks_the_preset_too(keys: Keys, tmp_path: Path) -> None:
    """Paid through its paths with RSA alone; whoever speaks the standard's way reaches nobody."""
    manner = PRESETS["dana"]
    made = PartnerHarness(
        keys, tmp_path, "dana", paths=dict(manner.paths), asymmetric=manner.asymmetric
    )
    async with running_of(made) as far:
        rail = far.another_rail(preset="dana")
        assert isinstance(await rail.send(far.instruction()), Accepted)
        assert far.paid_count() == 1
        said = await far.another_rail().send(far.instruction(reference="OTHER"))
        assert not isinstance(said, Accepted)
        assert far.paid_count() == 1


@asynccontextmanager
async def running_of(made: PartnerHarness) -> AsyncIterator[PartnerHarness]:
    """A harness that is open."""
    far = await made.open()
    try:
        yield far
    finally:
        await far.close()
