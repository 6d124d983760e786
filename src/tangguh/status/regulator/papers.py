"""A report as a file people can finish and send: DOCX to edit, PDF to read. Pure."""

from __future__ import annotations

import io
from typing import Any, Final
from xml.sax.saxutils import escape

from docx import Document as NewDocument
from docx.shared import Pt, RGBColor
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from tangguh.status.regulator.drafts import Document, Section, words_of

_BODY: Final = ParagraphStyle("body", fontName="Helvetica", fontSize=9.5, leading=13)
_TITLE: Final = ParagraphStyle(
    "title", parent=_BODY, fontName="Helvetica-Bold", fontSize=15, leading=20
)
_HEADING: Final = ParagraphStyle(
    "heading",
    parent=_BODY,
    fontName="Helvetica-Bold",
    fontSize=11.5,
    spaceBefore=10,
    spaceAfter=4,
    keepWithNext=1,
)
_FILL: Final = "#A61B1B"
_LINE: Final = HexColor("#D5DBE1")
_WIDTH_MM: Final = 165
_CELL_MAX: Final = 2_000


def as_docx(document: Document) -> bytes:
    """The report as DOCX. What is missing is red."""
    marks = words_of(document.language)["mark"]
    paper = NewDocument()
    paper.core_properties.title = document.title
    paper.core_properties.author = ""
    paper.styles["Normal"].font.name = "Arial"
    paper.styles["Normal"].font.size = Pt(10)
    paper.add_heading(document.title, level=0)
    paper.add_paragraph(document.subtitle)
    paper.add_paragraph(document.note)
    if document.missing:
        paper.add_heading(marks["missing"], level=2)
        for one in document.missing:
            paper.add_paragraph(one, style="List Bullet")
    else:
        paper.add_paragraph(marks["nothing_missing"])
    for section in document.sections:
        paper.add_heading(section.heading, level=1)
        rows = _rows(section)
        if not rows:
            continue
        table = paper.add_table(rows=0, cols=len(rows[0]))
        table.style = "Table Grid"
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                run = cell.paragraphs[0].add_run(_printable(text))
                if _is_mark(text, marks):
                    run.font.color.rgb = RGBColor.from_string(_FILL.removeprefix("#"))
    made = io.BytesIO()
    paper.save(made)
    return made.getvalue()


def as_pdf(document: Document) -> bytes:
    """The report as PDF. What is missing is red."""
    marks = words_of(document.language)["mark"]
    made = io.BytesIO()
    paper = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=18 * mm,
        title=document.title,
        lang=document.language,
        invariant=True,
    )
    missing = ", ".join(document.missing)
    told = f"{marks['missing']}: {missing}" if missing else marks["nothing_missing"]
    flow: list[Any] = [
        Paragraph(escape(document.title), _TITLE),
        Paragraph(escape(document.subtitle), _BODY),
        Spacer(1, 3 * mm),
        Paragraph(escape(document.note), _BODY),
        Paragraph(_coloured(told) if missing else escape(told), _BODY),
    ]
    for section in document.sections:
        flow.append(Paragraph(escape(section.heading), _HEADING))
        rows = _rows(section)
        if rows:
            flow.append(_table(rows, marks))
    paper.build(flow)
    return made.getvalue()


def _rows(section: Section) -> tuple[tuple[str, ...], ...]:
    return section.fields or section.rows


def _table(rows: tuple[tuple[str, ...], ...], marks: dict[str, str]) -> Table:
    cells = [
        [
            Paragraph(_coloured(text) if _is_mark(text, marks) else escape(_printable(text)), _BODY)
            for text in row
        ]
        for row in rows
    ]
    columns = len(rows[0])
    first = 55 if columns == 2 else _WIDTH_MM / columns
    rest = (_WIDTH_MM - first) / (columns - 1)
    table = Table(cells, colWidths=[first * mm, *[rest * mm] * (columns - 1)], repeatRows=0)
    table.setStyle(
        TableStyle([("GRID", (0, 0), (-1, -1), 0.4, _LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")])
    )
    return table


def _is_mark(text: str, marks: dict[str, str]) -> bool:
    return text.startswith(marks["fill"].partition("{")[0]) or text == marks["unsent"]


def _coloured(text: str) -> str:
    return f'<font color="{_FILL}">{escape(_printable(text))}</font>'


def _printable(text: str) -> str:
    """Without control characters, which no document may hold, and of bounded length."""
    kept = "".join(one if one.isprintable() or one == "\n" else " " for one in text)
    return kept[:_CELL_MAX]
