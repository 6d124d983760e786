"""BI-FAST messages as the hub reads and writes them: JSON or XML, signed in ``AppHdr.Sgntr``.

A second implementation on purpose, by another way than the bank's: no schema, but the short list of
parts that repeat. ``Paper`` is one message; ``find`` walks its document.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from lxml import etree

URN: Final = "urn:iso:std:iso:20022:tech:xsd:"
HEAD: Final = "head.001.001.01"
REPEATING: Final = frozenset(
    {"CdtTrfTxInf", "SplmtryData", "Ustrd", "TxInfAndSts", "OrgnlGrpInfAndSts"}
    | {"TxInf", "AddtlInf"}
)
REPEATING_THERE: Final = frozenset({("PrvtId", "Othr"), ("TxInfAndSts", "StsRsnInf")})
_BYTES_MAX: Final = 64 * 1024


class NotPaper(ValueError):
    """The bytes are no message."""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its header's facts. ``form`` is json or xml, as it came or shall go."""

    sender: str
    recipient: str
    number: str
    definition: str
    service: str
    created_at: str
    document: dict[str, Any]
    copy: str = ""
    form: str = "json"
    signature: str = ""

    def find(self, path: str) -> Any:
        """What lies at ``A.B.0.C`` of the document; None where nothing does."""
        return find(self.document, path)

    def text(self, path: str) -> str:
        """The text there; empty where there is none."""
        found = self.find(path)
        return found if isinstance(found, str) else ""


def find(node: Any, path: str) -> Any:
    """What lies at ``A.B.0.C``; None where nothing does."""
    for step in path.split("."):
        if isinstance(node, list):
            node = node[int(step)] if step.isdigit() and int(step) < len(node) else None
        else:
            node = node.get(step) if isinstance(node, dict) else None
    return node


def bank(bic: str) -> dict[str, Any]:
    """A bank as messages name it."""
    return {"FinInstnId": {"Othr": {"Id": bic}}}


def utc(instant: datetime) -> str:
    """An instant as headers write it."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def open_paper(body: bytes) -> Paper:
    """Read one message. Raises NotPaper."""
    if len(body) > _BYTES_MAX:
        raise NotPaper("too large")
    form = "xml" if body.lstrip()[:1] == b"<" else "json"
    head, document = _from_xml(body) if form == "xml" else _from_json(body)
    try:
        return Paper(
            sender=head["Fr"]["FIId"]["FinInstnId"]["Othr"]["Id"],
            recipient=head["To"]["FIId"]["FinInstnId"]["Othr"]["Id"],
            number=head["BizMsgIdr"],
            definition=head["MsgDefIdr"],
            service=head.get("BizSvc", ""),
            created_at=head["CreDt"],
            document=document,
            copy=head.get("CpyDplct", ""),
            form=form,
            signature=head.get("Sgntr", {}).get("RSA", ""),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise NotPaper("no header") from error


def seal(paper: Paper, key: RSAPrivateKey, *, spoiled: bool = False) -> bytes:
    """The bytes of a message with a fresh signature; spoiled: over another text."""
    head = _head(paper)
    text = _signed_text(head, paper.document) + (b"." if spoiled else b"")
    head["Sgntr"] = {"RSA": base64.b64encode(key.sign(text, PKCS1v15(), hashes.SHA256())).decode()}
    if paper.form == "json":
        return json.dumps(
            {"BusMsg": {"AppHdr": head, "Document": paper.document}}, ensure_ascii=False
        ).encode()
    return _to_xml(head, paper.document, paper.definition)


def is_sealed_by(paper: Paper, key: RSAPublicKey) -> bool:
    """Whether the key's owner signed this message."""
    text = _signed_text(_head(paper), paper.document)
    try:
        made = base64.b64decode(paper.signature, validate=True)
        key.verify(made, text, PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _head(paper: Paper) -> dict[str, Any]:
    head = {
        "Fr": {"FIId": bank(paper.sender)},
        "To": {"FIId": bank(paper.recipient)},
        "BizMsgIdr": paper.number,
        "MsgDefIdr": paper.definition,
        "BizSvc": paper.service,
        "CreDt": paper.created_at,
    }
    return {**head, "CpyDplct": paper.copy} if paper.copy else head


def _signed_text(head: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    whole = {"AppHdr": head, "Document": document}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _from_json(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        envelope = json.loads(body)["BusMsg"]
        head, document = envelope["AppHdr"], envelope["Document"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotPaper("no message in JSON") from error
    if not isinstance(head, dict) or not isinstance(document, dict):
        raise NotPaper("no message in JSON")
    return head, document


def _from_xml(body: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotPaper("no message in XML") from error
    if root.getroottree().docinfo.doctype or len(root) != 2:
        raise NotPaper("no message in XML")
    head, document = (_value(part) for part in root)
    if not isinstance(head, dict) or not isinstance(document, dict):
        raise NotPaper("no message in XML")
    return head, document


def _value(element: Any) -> Any:
    name = str(element.tag).rpartition("}")[2]
    if element.get("Ccy"):
        return {"Value": element.text or "", "Ccy": element.get("Ccy")}
    if not len(element):
        # Only a creditor without a name is an empty branch and no empty text.
        return {} if name in ("Dbtr", "Cdtr") and element.text is None else element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        inner = str(child.tag).rpartition("}")[2]
        value = _value(child)
        if inner in REPEATING or (name, inner) in REPEATING_THERE:
            found.setdefault(inner, []).append(value)
        else:
            found[inner] = value
    return found


def _to_xml(head: dict[str, Any], document: dict[str, Any], definition: str) -> bytes:
    root = etree.Element("BusMsg")
    for name, inside, space in (
        ("AppHdr", head, URN + HEAD),
        ("Document", document, URN + definition),
    ):
        _write(root, name, inside, space)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _write(parent: Any, name: str, value: Any, space: str) -> None:
    if isinstance(value, list):
        for item in value:
            _write(parent, name, item, space)
        return
    element = etree.SubElement(parent, f"{{{space}}}{name}", nsmap={None: space})
    if isinstance(value, dict) and set(value) == {"Value", "Ccy"}:
        element.set("Ccy", value["Ccy"])
        element.text = value["Value"]
    elif isinstance(value, dict):
        for inner, inside in value.items():
            _write(element, inner, inside, space)
    else:
        element.text = value
