"""The ways a network can be told to fail, and which request is hit; seeded, to be replayed.

Each fault is a value with an aim: services, a payee, a reference prefix, a probability, a count.
The first fault in the plan whose aim fits and whose dice fall is the one a request gets. ``down``
is not dealt to requests: while it is in the plan the listener is closed.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Annotated, Literal

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0, le=3600.0)]
Lasting = Annotated[float, msgspec.Meta(gt=0.0, le=86_400.0)]


class Fault(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="name", forbid_unknown_fields=True
):
    """Where a fault strikes. ``services`` are the network's own names of its operations: two-digit
    SNAP codes (50 payment, 51 query, 73 token, 77 cancel, 78 refund), MTIs, message types; empty
    means the operations that pay. ``payee`` is a merchant's PAN, an account, a number.
    ``count``: how often, None for ever. Other empty filters fit everything. ``for_seconds``: how
    long it lasts from when it is put, None until somebody heals it (``sim.healing``).
    """

    services: tuple[str, ...] = ()
    probability: Share = 1.0
    count: Annotated[int, msgspec.Meta(ge=0)] | None = None
    payee: str = ""
    reference_prefix: str = ""
    for_seconds: Lasting | None = None


class DropRequest(Fault, frozen=True, kw_only=True, tag="drop_request"):
    """The request is lost before anybody reads it; the line hangs, then closes."""

    seconds: Seconds = 30.0


class DropReply(Fault, frozen=True, kw_only=True, tag="drop_reply"):
    """Carried out, but the reply is lost; the line hangs, then closes."""

    seconds: Seconds = 30.0


class Late(Fault, frozen=True, kw_only=True, tag="late"):
    """Answers after some seconds. ``carried_out``: at once, or only when it answers."""

    seconds: Seconds = 30.0
    carried_out: Literal["at_once", "late"] = "at_once"


class Twice(Fault, frozen=True, kw_only=True, tag="twice"):
    """Answers, and then tells the bank the same by notice, twice. Payments only."""


class Decline(Fault, frozen=True, kw_only=True, tag="decline"):
    """Says no. ``case`` is HTTP status and case, such as 40305 (do not honour)."""

    case: Annotated[str, msgspec.Meta(pattern=r"^[45]\d\d\d\d$")] = "40305"


class Pending(Fault, frozen=True, kw_only=True, tag="pending"):
    """Answers "in progress" (202); after some seconds it is what it becomes. Payments only."""

    seconds: Seconds = 30.0
    becomes: Literal["paid", "failed"] = "paid"


class Down(Fault, frozen=True, kw_only=True, tag="down"):
    """The listener is closed and every connection cut: connection refused."""


class Crawl(Fault, frozen=True, kw_only=True, tag="crawl"):
    """Carried out, but the reply comes a byte at a time with a pause before each."""

    seconds_per_byte: Seconds = 0.5


class Lie(Fault, frozen=True, kw_only=True, tag="lie"):
    """The answer contradicts the books: ``books`` says what they hold. Payments and refunds."""

    books: Literal["paid", "failed"] = "failed"


class Garbage(Fault, frozen=True, kw_only=True, tag="garbage"):
    """Carried out, but the reply is no answer: ``malformed``, ``truncated``, ``oversized``,
    ``empty``, an answer to something else (``other_service``, ``other_reference``), or one that
    is not signed as it should be (``bad_signature``; on links that sign their answers).
    """

    form: Literal[
        "malformed",
        "truncated",
        "oversized",
        "empty",
        "other_service",
        "other_reference",
        "bad_signature",
    ] = "malformed"


AnyFault = DropRequest | DropReply | Late | Twice | Decline | Pending | Down | Crawl | Lie | Garbage


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with the network from now on. The same seed deals the same faults.

    ``struck``: how often each has struck before; empty for none of them.
    """

    seed: int = 0
    faults: tuple[AnyFault, ...] = ()
    struck: tuple[int, ...] = ()


class Dealt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plan in force and how often each of its faults has struck.

    ``asked``: how many requests of each service came since the network opened; ``asked_most``: how
    many of them, at most, named one and the same reference. ``seconds_left``: how long each fault
    still lasts, None until it is healed; empty when all of them wait for that.
    """

    seed: int
    faults: tuple[AnyFault, ...]
    struck: tuple[int, ...]
    asked: dict[str, int] = {}
    asked_most: dict[str, int] = {}
    seconds_left: tuple[float | None, ...] = ()


class Faults:
    """Deals the faults of the plan in force."""

    def __init__(self, *paying: str) -> None:
        """``paying``: the operations that a fault without services strikes."""
        self._paying = paying
        self._asked: dict[str, Counter[str]] = {}
        self.put(Plan())

    def put(self, plan: Plan) -> None:
        """Replace the plan; dice start anew, and so do counts unless the plan brings them."""
        self._plan = plan
        self._random = Random(plan.seed)  # noqa: S311  a plan must be repeatable
        missing = [0] * (len(plan.faults) - len(plan.struck))
        self._struck = [*plan.struck, *missing][: len(plan.faults)]

    @property
    def is_down(self) -> bool:
        """Whether the listener is to be closed."""
        return any(isinstance(fault, Down) for fault in self._plan.faults)

    def dealt(self) -> Dealt:
        """The plan with its counts."""
        plan = self._plan
        return Dealt(
            seed=plan.seed,
            faults=plan.faults,
            struck=tuple(self._struck),
            asked={service: counts.total() for service, counts in self._asked.items()},
            asked_most={service: max(counts.values()) for service, counts in self._asked.items()},
        )

    def strike(self, service: str, payee: str, reference: str) -> AnyFault | None:
        """The fault this request gets, if any, counted; so is the request."""
        self._asked.setdefault(service, Counter())[reference] += 1
        for number, fault in enumerate(self._plan.faults):
            if isinstance(fault, Down) or not self._fits(fault, service, payee, reference):
                continue
            if fault.count is not None and self._struck[number] >= fault.count:
                continue
            if self._random.random() < fault.probability:
                self._struck[number] += 1
                return fault
        return None

    def _fits(self, fault: Fault, service: str, payee: str, reference: str) -> bool:
        return (
            service in (fault.services or self._paying)
            and fault.payee in ("", payee)
            and reference.startswith(fault.reference_prefix)
        )
