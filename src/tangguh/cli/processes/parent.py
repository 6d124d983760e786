"""A process of the bank ends when the one that supervises it is gone."""

from __future__ import annotations

import os
import signal
import threading
from time import sleep
from typing import Final

_CHECK_SECONDS: Final = 0.5


def end_with_parent() -> None:
    """End when the process that supervises us is gone, even by SIGKILL."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            sleep(_CHECK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    if parent != 1:
        threading.Thread(target=watch, name="parent watch", daemon=True).start()
