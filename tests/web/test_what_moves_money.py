"""Whatever moves money, now or later, asks for a yes: walked over every operation and every form.

The walk reads the code: from a handler to everything it may call by name. What it reaches is held
against what the operation declares, so that one that is added later is judged too.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

import tangguh.web
from serving import Phone
from tangguh.web.api.operations import Operation
from tangguh.web.api.table import OPERATIONS
from tangguh.web.pages import PAGES

WEB = Path(tangguh.web.__file__).parent
MONEY = {"pay", "refund", "make_paying_code"}
"""The verbs by which anything a customer does moves money: a payment, a refund, a code that pays."""
KNOWN_TO_MOVE = {"createPayment", "createRefund", "createCode"}
"""Where this walk must arrive, or it would see nothing and pass."""


@cache
def functions() -> dict[str, dict[str, ast.AST]]:
    """Module to its functions by name, over all of the web package."""
    found: dict[str, dict[str, ast.AST]] = {}
    for path in WEB.rglob("*.py"):
        module = ".".join(("tangguh", *path.relative_to(WEB.parent).with_suffix("").parts))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                found.setdefault(module, {})[node.name] = node
    return found


def called(function: ast.AST) -> set[str]:
    """The names a function calls: plain ones, and those of the door or of a module of ours."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                names.add(node.func.id)
            elif isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func.value)
                if "door" in of or of.isidentifier():
                    names.add(node.func.attr)
    return names


def reaches(handler: Any) -> set[str]:
    """Every name a handler may come to call; its own module's functions are meant first."""
    seen: set[tuple[str, str]] = set()
    names: set[str] = set()
    queue = [(handler.__module__, handler.__name__)]
    while queue:
        module, name = queue.pop()
        for one in called(functions()[module][name]):
            names.add(one)
            within = [module] if one in functions()[module] else functions()
            for where in within:
                if one in functions()[where] and (where, one) not in seen:
                    seen.add((where, one))
                    queue.append((where, one))
    return names


def moves(handler: Any) -> bool:
    """Whether a handler may move money."""
    return bool(reaches(handler) & MONEY)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.id)
def test_each_operation_declares_whether_it_moves_money(operation: Operation) -> None:
    """Then it needs a signature, an idempotency key and a session, all judged before it runs."""
    assert operation.moves_money == moves(operation.handler)
    if operation.moves_money:
        assert operation.needs_session
        assert operation.method == "POST"


OF_THE_DEMO = {"/demo/stories/{name}"}
"""The flood at the till: people who do not exist pay one another. A bank that is no demo has no such
page (``must_be_demo``, ``tests/pages/test_demo.py``)."""


def test_the_walk_arrives_where_money_moves() -> None:
    """So that a change of names cannot make it blind."""
    assert {one.id for one in OPERATIONS if moves(one.handler)} == KNOWN_TO_MOVE
    assert {one.path for one in PAGES if one.post and moves(one.post)} == {
        "/review", "/cash", "/show", *OF_THE_DEMO,
    }  # fmt: skip


@pytest.mark.parametrize(
    "page",
    [one for one in PAGES if one.post and moves(one.post) and one.path not in OF_THE_DEMO],
    ids=lambda one: one.path,
)
def test_each_form_that_moves_money_asks_for_the_pin(page: Any) -> None:
    """It is of a logged-in browser, and the PIN is proved on the way."""
    assert page.needs_login
    assert "prove_again" in reaches(page.post)


def test_no_page_moves_money_when_it_is_only_looked_at() -> None:
    """A GET changes nothing."""
    assert [one.path for one in PAGES if one.get and moves(one.get)] == []


def test_a_yes_is_made_in_two_places_only() -> None:
    """The signature's check and the PIN's; anywhere else it could be made without either."""
    makers = {
        path.relative_to(WEB.parent).as_posix()
        for path in WEB.parent.rglob("*.py")
        if "Consent(" in path.read_text().replace("class Consent(", "")
    }
    assert makers == {"web/api/operations.py", "web/login.py"}


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.takes], ids=lambda o: o.id)
def test_no_operation_takes_a_field_it_does_not_know(operation: Operation) -> None:
    """An order that says more than its sender may is refused, not read in part."""
    for kind in _structs(operation.takes):
        assert kind.__struct_config__.forbid_unknown_fields, kind


def _structs(annotation: Any) -> list[type[msgspec.Struct]]:
    found = msgspec.inspect.type_info(annotation)
    seen: list[type[msgspec.Struct]] = []
    _walk(found, seen)
    return seen


def _walk(info: Any, seen: list[type[msgspec.Struct]]) -> None:
    if isinstance(info, msgspec.inspect.StructType) and info.cls not in seen:
        seen.append(info.cls)
        for field in info.fields:
            _walk(field.type, seen)
    for name in ("types", "item_types"):
        for inner in getattr(info, name, ()):
            _walk(inner, seen)
    for name in ("item_type", "value_type"):
        if inner := getattr(info, name, None):
            _walk(inner, seen)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.moves_money],
                         ids=lambda one: one.id)  # fmt: skip
async def test_the_token_alone_moves_nothing(operation: Operation, phone: Phone) -> None:
    """Without a key, without a signature, with a signature over something else."""
    path = operation.path.replace("{payment_id}", "00000000-0000-7000-8000-000000000000")
    bodies = {
        "createPayment": phone.transfer("10000000002"),
        "createRefund": {"amount": "1.00"},
        "createCode": {"kind": "cash", "from_account": phone.account, "amount": "50000.00"},
    }
    body = bodies[operation.id]
    assert (await phone.ask("POST", path, body)).code == "header_invalid"
    keyed = await phone.ask("POST", path, body, headers={"Idempotency-Key": "k"})
    assert (keyed.status, keyed.code) == (401, "signature_missing")
    other = await phone.order(path, body, headers={"Idempotency-Key": "another"})
    assert (other.status, other.code) == (401, "signature_wrong")
