"""A message as a tree of names, lists and text: what JSON and XML both read into. Pure.

A node is text, a branch (name to node) or a list of nodes. There are no numbers: an amount is text
until money reads it, so that nothing passes through a float.
"""

from __future__ import annotations

from typing import Final, TypeAlias

Node: TypeAlias = "str | Branch | list[Node]"
Branch: TypeAlias = "dict[str, Node]"

DEPTH_MAX: Final = 32
"""Levels of a tree. The deepest BI-FAST message of the published examples has eleven."""


def at(node: Node | None, *path: str | int) -> Node | None:
    """The node at the end of the path; None where any step is not there."""
    for step in path:
        if isinstance(step, int):
            node = node[step] if isinstance(node, list) and step < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def text(node: Node | None, *path: str | int) -> str:
    """The text at the end of the path; empty where there is none."""
    found = at(node, *path)
    return found if isinstance(found, str) else ""


def items(node: Node | None, *path: str | int) -> list[Node]:
    """The list at the end of the path; empty where there is none."""
    found = at(node, *path)
    return found if isinstance(found, list) else []


def branch(**nodes: Node | None) -> Branch:
    """A branch of what is there: empty text, empty branches, empty lists and None are left out."""
    return {name: node for name, node in nodes.items() if node}
