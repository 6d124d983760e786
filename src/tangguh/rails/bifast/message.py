"""A whole message: who to whom, under which number, which definition, and its document. Pure.

``Message`` is what the rail and the receiver work with; ``tree_of`` and ``read`` lead to and from
the tree of its two parts. The signature lies in ``AppHdr.Sgntr``, the place the standard has for
it, and covers the canonical text of everything else: so it is the same in JSON and in XML, is kept
with the message, and binds answers as well as questions. Our own design.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from tangguh.core.text import refuse, shown
from tangguh.rails import signature
from tangguh.rails.bifast.grammar import codec, standard
from tangguh.rails.bifast.grammar.codec import Malformed
from tangguh.rails.bifast.grammar.schema import Fault, check
from tangguh.rails.bifast.grammar.spelling import mended
from tangguh.rails.bifast.grammar.standard import HEAD
from tangguh.rails.bifast.grammar.tree import Branch, Node, at, branch, text

HUB: Final = "FASTIDJA"
WORDS_LENGTH_MAX: Final = 140
CLEAR: Final = "CLEAR"
SETTLE: Final = "STTL"
ISO: Final = "ISO"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One business message. ``sender`` and ``recipient`` are BICs, ``number`` is BizMsgIdr.

    ``definition`` is MsgDefIdr, ``service`` BizSvc (CLEAR, STTL, ISO), ``copy`` CpyDplct or empty.
    """

    sender: str
    recipient: str
    number: str
    definition: str
    service: str
    created_at: datetime
    document: Branch
    copy: str = ""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes that are no valid message: every fault found, and what its header says, if anything."""

    faults: tuple[Fault, ...]
    number: str = ""
    definition: str = ""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A valid message with its tree and the signature it carries (empty: none)."""

    message: Message
    tree: Branch
    signature: str


def instant_text(instant: datetime) -> str:
    """An instant as the messages write it: UTC, milliseconds, Z."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def agent(bic: str) -> Branch:
    """A bank: ``FinInstnId.Othr.Id``."""
    return {"FinInstnId": {"Othr": {"Id": bic}}}


def bic_of(node: Node | None, *path: str | int) -> str:
    """The BIC of a bank at the end of the path."""
    return text(at(node, *path), "FinInstnId", "Othr", "Id")


def tree_of(message: Message) -> Branch:
    """The two parts, unsigned."""
    head: Branch = {
        "Fr": {"FIId": agent(message.sender)},
        "To": {"FIId": agent(message.recipient)},
        "BizMsgIdr": message.number,
        "MsgDefIdr": message.definition,
        "BizSvc": message.service,
        "CreDt": instant_text(message.created_at),
        **branch(CpyDplct=message.copy),
    }
    return {"AppHdr": head, "Document": message.document}


def sealed(message: Message, key: RSAPrivateKey, wire: codec.Wire) -> bytes:
    """The bytes of a message, signed."""
    tree = tree_of(message)
    made = signature.sign_asymmetric(key, codec.canonical(tree))
    head = tree["AppHdr"]
    assert isinstance(head, dict)
    head["Sgntr"] = {"RSA": made}
    return codec.encode(tree, wire)


def is_signed_by(received: Received, key: RSAPublicKey) -> bool:
    """Whether the key's owner signed exactly this content."""
    head = received.tree["AppHdr"]
    assert isinstance(head, dict)
    bare = {name: node for name, node in head.items() if name != "Sgntr"}
    covered = codec.canonical({"AppHdr": bare, "Document": received.tree["Document"]})
    return signature.verify_asymmetric(key, covered, received.signature)


def read(body: bytes) -> Received | Unreadable:
    """Decode and validate header and document. Raises nothing, whatever the bytes are."""
    tree = codec.decode(body)
    if isinstance(tree, Malformed):
        return Unreadable(faults=(Fault("BusMsg", "form", tree.why),))
    head_schema = standard.schema_of(HEAD)
    head = mended(head_schema, HEAD, tree["AppHdr"])
    number, definition = text(head, "BizMsgIdr")[:35], text(head, "MsgDefIdr")[:35]
    faults = check(head_schema, head, "AppHdr")
    schema = codec.schema_for(definition)
    document = tree["Document"]
    if schema is None:
        faults += (Fault("AppHdr.MsgDefIdr", "enumeration", "not a message used here"),)
    else:
        document = mended(schema, definition, document)
        faults += check(schema, document, "Document") + _unfit(document)
    created_at = _instant(text(head, "CreDt"))
    if created_at is None:
        faults += (Fault("AppHdr.CreDt", "form", "is an instant in UTC"),)
    for side in ("Fr", "To"):
        if not bic_of(head, side, "FIId"):
            faults += (Fault(f"AppHdr.{side}.FIId.FinInstnId.Othr.Id", "required"),)
    if faults or created_at is None or not isinstance(document, dict):
        return Unreadable(faults=faults, number=number, definition=definition)
    message = Message(
        sender=bic_of(head, "Fr", "FIId"),
        recipient=bic_of(head, "To", "FIId"),
        number=number,
        definition=definition,
        service=text(head, "BizSvc"),
        created_at=created_at,
        document=document,
        copy=text(head, "CpyDplct"),
    )
    return Received(message=message, tree=tree, signature=text(head, "Sgntr", "RSA"))


def read_bare(body: bytes) -> tuple[str, Branch] | Unreadable:
    """A document without its envelope, for people who look at one: nobody signed it."""
    found = codec.decode_bare(body)
    if isinstance(found, Malformed):
        return Unreadable(faults=(Fault("Document", "form", found.why),))
    definition, raw = found
    schema = codec.schema_for(definition)
    if schema is None:
        return Unreadable(faults=(Fault("Document", "enumeration", "not a message used here"),))
    document = mended(schema, definition, raw)
    faults = check(schema, document, "Document") + _unfit(document)
    if faults or not isinstance(document, dict):
        return Unreadable(faults=faults, definition=definition)
    return definition, document


_FREE: Final = frozenset({"Nm", "Ustrd", "AddtlInf", "DsplNm", "RsnDesc", "ErrLctn"})
"""Words of people: whoever reads them makes them fit to be shown (``words_of``)."""


def _unfit(document: Node) -> tuple[Fault, ...]:
    """Numbers and codes with what no text may hold: refused, for nothing else can be meant."""
    wrong: list[Fault] = []

    def walk(node: Node, path: str, name: str) -> None:
        if isinstance(node, dict):
            for inner, value in node.items():
                walk(value, f"{path}.{inner}", inner)
        elif isinstance(node, list):
            for place, value in enumerate(node):
                walk(value, f"{path}[{place}]", name)
        elif name not in _FREE and (rule := refuse(node)):
            wrong.append(Fault(path, "character", rule))

    walk(document, "Document", "")
    return tuple(wrong)


def words_of(node: Node | None, *path: str | int) -> str:
    """Somebody's words in a message, as they may be kept and shown."""
    return shown(text(node, *path), WORDS_LENGTH_MAX)


def _instant(written: str) -> datetime | None:
    """An instant with Z; None when it is not one."""
    if len(written) > 40 or not written.endswith("Z"):
        return None
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        return None
