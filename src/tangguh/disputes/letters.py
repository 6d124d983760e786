"""Letters about a case as PDF, in its person's language: what was received, what was decided. Pure.

The texts are in ``wording/*.toml``, for whoever writes to customers to edit.
"""

from __future__ import annotations

import io
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from tangguh.core.format import happened_on, instant, masked, money, spoken_instant
from tangguh.core.service import SERVICES
from tangguh.disputes.case import AGAINST, Case, Outcome
from tangguh.payments.payment import Payment

_INK: Final = HexColor("#14202B")
_INK_2: Final = HexColor("#4A5763")
_BRAND: Final = HexColor("#0B5C6B")
_LINE: Final = HexColor("#D5DBE1")
_BODY: Final = ParagraphStyle(
    "body", fontName="Helvetica", fontSize=10.5, leading=15.5, spaceAfter=8
)
_TITLE: Final = ParagraphStyle(
    "title", parent=_BODY, fontName="Helvetica-Bold", fontSize=16, leading=21, spaceAfter=4
)
_ANSWER: Final = ParagraphStyle(
    "answer", parent=_BODY, fontName="Helvetica-Bold", fontSize=12, leading=17, spaceBefore=4
)
_SMALL: Final = ParagraphStyle("small", parent=_BODY, fontSize=8.5, leading=12, textColor=_INK_2)


_CELL: Final = ParagraphStyle("cell", parent=_BODY, leading=14, spaceAfter=0)
_LABEL: Final = ParagraphStyle("label", parent=_SMALL, spaceAfter=0)


@lru_cache(maxsize=4)
def words_of(language: str) -> dict[str, dict[str, str]]:
    """The texts of one language; Indonesian for a language we do not write."""
    known = language if language in ("id", "en") else "id"
    text = (files("tangguh.disputes") / "wording" / f"{known}.toml").read_text("utf-8")
    return tomllib.loads(text)


def answer_of(case: Case, payment: Payment | None, language: str = "", token: str = "") -> str:
    """The decision in one or two sentences, where the money is first; empty while it is open.

    ``token``: the power token of the payment, where the answer is that it was given.
    """
    if case.outcome is None:
        return ""
    language = language or case.language
    text = words_of(language)["outcome"][str(case.outcome)]
    minor, at, reference = 0, case.decided_at or case.opened_at, ""
    if payment is not None:
        minor, reference = payment.total_minor, payment.network_reference or payment.reference
        at = payment.concluded_at or at
        if case.outcome in {Outcome.CAME_BACK, Outcome.CLAIMED}:
            minor = payment.to_payee_minor
    return text.format(
        money=money(minor), time=happened_on(at, language), reference=reference, token=token
    )


def letter(
    case: Case, payment: Payment | None, bank_name: str, language: str = "", token: str = ""
) -> bytes:
    """The letter as PDF: the answer once it is decided, what was received until then."""
    language = language or case.language
    words = words_of(language)
    said = words["letter"]
    made = io.BytesIO()
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=22 * mm,
        bottomMargin=20 * mm,
        title=f"{said['title']} {case.number}",
        author=bank_name,
        lang=language,
        invariant=True,
    )
    title = said["title_receipt"] if case.is_open else said["title"]
    flow: list[Any] = [
        Paragraph(escape(bank_name), ParagraphStyle("bank", parent=_SMALL, textColor=_BRAND)),
        Paragraph(escape(title), _TITLE),
        Spacer(1, 3 * mm),
        _facts(case, payment, words, language),
        Spacer(1, 6 * mm),
        Paragraph(escape(said["greeting"]), _BODY),
        *(
            Paragraph(escape(text), style)
            for text, style in _sentences(case, payment, words, language, token)
        ),
        Spacer(1, 6 * mm),
        Paragraph(escape(said["closing"]), _BODY),
        Paragraph(escape(said["unit"].format(bank=bank_name)), _BODY),
        Spacer(1, 4 * mm),
        Paragraph(escape(said["never_ask"]), _SMALL),
    ]
    document.build(flow)
    return made.getvalue()


def _sentences(
    case: Case,
    payment: Payment | None,
    words: dict[str, dict[str, str]],
    language: str,
    token: str,
) -> list[tuple[str, ParagraphStyle]]:
    said = words["letter"]
    if case.is_open or case.outcome is None:
        due = spoken_instant(case.due_at, language)
        return [(said["received"].format(due=due), _ANSWER)]
    told = [(answer_of(case, payment, language, token), _ANSWER)]
    if case.outcome in {Outcome.REFUSED, Outcome.EXPLAINED, Outcome.PAID_BY_BANK}:
        told.append((said["reason"].format(why=case.why), _BODY))
    else:
        told.append((said["basis"], _BODY))
    if case.evidence:
        told.append((said["evidence"].format(count=len(case.evidence)), _BODY))
    if not case.has_objected:
        told.append((said["objection"].format(until=spoken_instant(case.act_by, language)), _BODY))
    if case.outcome in AGAINST:
        told.append((said["laps"], _BODY))
    return told


def _facts(
    case: Case, payment: Payment | None, words: dict[str, dict[str, str]], language: str
) -> Table:
    said = words["letter"]
    rows = [
        (said["number"], case.number),
        (said["opened"], instant(case.opened_at, language)),
        (said["about"], words["about"][str(case.about)]),
    ]
    if payment is not None:
        service = SERVICES.get(payment.service)
        name = (service.name_id if language == "id" else service.name_en) if service else ""
        rows += [
            (said["payment"], f"{name}, {instant(payment.accepted_at, language)}"),
            (said["amount"], money(payment.to_payee_minor)),
            (said["fee"], money(payment.fee_minor)),
            (said["total"], f"{money(payment.total_minor)}  ({masked(payment.debtor)})"),
            (said["reference"], payment.reference),
        ]
    if case.decided_at is not None:
        rows.append((said["decided"], instant(case.decided_at, language)))
    else:
        rows.append((said["due"], instant(case.due_at, language)))
    cells = [[Paragraph(escape(a), _LABEL), Paragraph(escape(b), _CELL)] for a, b in rows]
    table = Table(cells, colWidths=(42 * mm, 118 * mm), hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LEFTPADDING", (0, 0), (0, -1), 0),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
                ("TEXTCOLOR", (0, 0), (-1, -1), _INK),
            ]
        )
    )
    return table
