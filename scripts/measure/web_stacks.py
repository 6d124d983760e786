"""Measures the candidates of ADR-0023: the same walk behind fastapi and behind what the bank runs.

    .venv/bin/python scripts/measure/web_stacks.py [seconds]

Both serve ``POST /v1/payments`` over the same bank (session, signature, idempotency, limits, posting, commit
before the answer), each as one process, loaded by the bench's own generator, in turn, three times.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp

from tangguh.access.session import Kind, is_signed, signature
from tangguh.app import Bank
from tangguh.cli.bench import http as bench
from tangguh.cli.bench.workshop import server
from tangguh.cli.bench.yardstick import Pgbench
from tangguh.cli.household import Household, free_port
from tangguh.cli.memory import quiet_garbage
from tangguh.config import Settings, load
from tangguh.core.outcome import Refused
from tangguh.rails.onus import OnUs
from tangguh.web.orders import transfer_order
from tangguh.web.settings import WebSettings
from tangguh.web.api.views import payment_view

ROUNDS = 3


class Transfer(BaseModel):
    """The order as pydantic checks it."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(pattern="^transfer$")
    from_account: str = Field(pattern=r"^[0-9]{6,16}$")
    to_account: str = Field(pattern=r"^[0-9]{6,16}$")
    amount: str = Field(pattern=r"^[0-9]{1,13}(\.[0-9]{1,2})?$")
    note: str = Field(default="", max_length=100)


def with_fastapi(bank: Bank) -> ASGIApp:
    """The candidate: fastapi and pydantic in front of the same door."""
    app = FastAPI()
    door = bank.door

    @app.post("/v1/payments", status_code=201)
    async def create_payment(
        order: Transfer,
        request: Request,
        authorization: str = Header(),
        idempotency_key: str = Header(max_length=64),
        x_timestamp: str = Header(),
        x_signature: str = Header(),
    ) -> Any:
        session = await door.sessions.find(authorization.partition(" ")[2])
        if session is None:
            raise HTTPException(401)
        door.requests.seconds_until_allowed(str(session.customer_id))
        raw = await request.body()
        expected = signature(
            session.signing_key, "POST", "/v1/payments", raw, x_timestamp, idempotency_key
        )
        if not is_signed(x_signature, expected):
            raise HTTPException(401)
        asked = transfer_order(
            customer_id=session.customer_id,
            key=idempotency_key,
            debtor=int(order.from_account),
            creditor=int(order.to_account),
            amount=order.amount,
            note=order.note,
        )
        decided = asked if isinstance(asked, Refused) else await door.pay(asked)
        if isinstance(decided, Refused):
            raise HTTPException(422, decided.code)
        view = payment_view(decided.payment, door.clock.now(), repeated=decided.repeated)
        return {name: getattr(view, name) for name in _PLAIN_FIELDS}

    return app


_PLAIN_FIELDS = (
    "id", "kind", "service", "state", "from_account", "amount", "tip", "fee", "total", "refunded",
    "currency", "reference", "network_reference", "accepted_at", "concluded_at", "repeated",
)  # fmt: skip


async def serve(stack: str, dsn: str, port: int) -> None:
    """Be one of the two servers until told to stop."""
    wide = WebSettings(requests_per_minute=10**9, requests_burst=10**9, port=port)
    settings = Settings(web=wide)
    bank = await Bank.open(settings, dsn, rails={"onus": OnUs(), "qris": OnUs()})
    async with bank:
        app = with_fastapi(bank) if stack == "fastapi" else bank.web()
        quiet_garbage()
        config = uvicorn.Config(
            app, port=port, log_level="error", access_log=False, lifespan="off", proxy_headers=False
        )
        await uvicorn.Server(config).serve()


async def measure(seconds: int) -> None:
    """Fill a bank, then load both servers in turn."""
    with tempfile.TemporaryDirectory() as directory:
        async with server(load(None)) as dsn:
            purses = await _purses(dsn)
            pgbench = Pgbench(dsn)
            await pgbench.prepare()
            for turn in range(ROUNDS):
                for stack in ("starlette + msgspec", "fastapi"):
                    yard = await pgbench.run(3)
                    port = free_port()
                    process = subprocess.Popen(
                        [sys.executable, __file__, "--serve", stack, dsn, str(port)]
                    )
                    await _until_open(port)
                    house = _House(port)
                    run = f"{stack}-{turn}"
                    seen = await bench._load(  # noqa: SLF001 - the bench's own generator
                        house, Path(directory), purses, run, seconds, per_second=0.0
                    )
                    process.send_signal(signal.SIGTERM)
                    process.wait()
                    result = bench._result(stack, seen, yard)  # noqa: SLF001
                    print(
                        f"{stack:<20} {result.per_second:>8,.0f}/s  p50 {result.p50_ms:6.2f} ms  "
                        f"p99 {result.p99_ms:6.2f} ms  {result.ratio:.2f}x  (yardstick {yard:,.0f}/s)"
                    )


class _House(Household):
    """What the generator asks of a household: where the bank listens."""

    def __init__(self, port: int) -> None:
        self.settings = load(None)
        self.port = port


async def _purses(dsn: str) -> list[bench.Purse]:
    bank = await Bank.open(Settings(), dsn, rails={"onus": OnUs(), "qris": OnUs()})
    async with bank:
        await bank.fill_demo(1)
        purses = []
        for number in range(1, 33):
            opened = await bank.sessions.open(number, Kind.DEVICE)
            account = 10_100_000_001 + number * 10
            purses.append(bench.Purse(str(account), opened.token, opened.session.signing_key))
    return purses


async def _until_open(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


if __name__ == "__main__":
    if "--serve" in sys.argv:
        _, _, stack_name, where, listen_on = sys.argv
        uvloop.run(serve(stack_name, where, int(listen_on)))
    else:
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
        os._exit(0)
