"""Measures how long a newcomer takes from the clone to the first payment, on this machine.

    python3 scripts/measure/first_payment.py [source]

Clones ``source`` (this clone, as committed), says ``make run`` there on ports of its own with
nothing of pip's kept from before, and pays from one of the demo's accounts to the next over the
public API, as a newcomer's script would: the standard library only. Prints one JSON document, with
the processor time of it all and how busy the machine was besides.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 900.0
PORT = 18_700
PHONE, PIN = "628110000007", "290325"


def ask(path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
    """One call of the bank's API. Raises OSError when nobody answers or the answer is a no."""
    raw = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=raw)
    request.add_header("Content-Type", "application/json")
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def pay() -> dict[str, Any]:
    """Log in, read who is paid, sign the order, send it, and wait for its end."""
    session = ask("/v1/sessions", {"phone": PHONE, "pin": PIN})
    bearer = f"Bearer {session['token']}"
    account = ask("/v1/accounts", Authorization=bearer)["accounts"][0]["account"]
    other = int(account) + 10  # the next of the demo's accounts
    order = {
        "kind": "transfer", "from_account": account, "to_account": str(other),
        "amount": "25000.00",
    }  # fmt: skip
    key, stamp = str(uuid.uuid4()), str(int(time.time()))
    body = json.dumps(order).encode()
    told = "\n".join(("POST", "/v1/payments", hashlib.sha256(body).hexdigest(), stamp, key))
    secret = base64.b64decode(session["signing_key"])
    signature = base64.b64encode(hmac.digest(secret, told.encode(), "sha256")).decode()
    payment = ask(
        "/v1/payments", order, Authorization=bearer, Idempotency_Key=key, X_Timestamp=stamp,
        X_Signature=signature,
    )  # fmt: skip
    while payment["state"] in {"parked", "held", "unanswered"}:
        time.sleep(0.1)
        payment = ask(f"/v1/payments/{payment['id']}", Authorization=bearer)
    return payment


def main() -> None:
    """Clone, run, pay, stop; the seconds of each."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parents[2])
    with tempfile.TemporaryDirectory(prefix="first-payment-") as directory:
        clone = Path(directory) / "tangguh"
        busy, began = os.getloadavg()[0], time.monotonic()
        subprocess.run(["git", "clone", "--quiet", source, str(clone)], check=True)
        cloned = time.monotonic()
        running = subprocess.Popen(
            ["make", "run", f"PORT={PORT}"], cwd=clone, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | {"PIP_NO_CACHE_DIR": "1"},
        )  # fmt: skip
        first_word, ready = None, None
        assert running.stdout is not None
        for line in running.stdout:
            print(f"{time.monotonic() - began:7.1f} s  {line}", end="", file=sys.stderr)
            first_word = first_word or time.monotonic()
            if line.startswith("The bank is open"):
                ready = time.monotonic()
                break
        if ready is None or first_word is None:
            sys.exit("make run ended before the bank was open")
        payment = pay()
        paid = time.monotonic()
        os.killpg(running.pid, signal.SIGINT)
        running.communicate(timeout=PATIENCE_SECONDS)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        told = {
            "clone_seconds": round(cloned - began, 1),
            "first_word_seconds": round(first_word - cloned, 1),
            "open_seconds": round(ready - began, 1),
            "first_payment_seconds": round(paid - began, 1),
            "state": payment["state"],
            "processor_seconds": round(spent.ru_utime + spent.ru_stime, 1),
            "load_before": round(busy, 1),
        }
    print(json.dumps(told))
    sys.exit(0 if told["state"] == "posted" else 1)


if __name__ == "__main__":
    main()
