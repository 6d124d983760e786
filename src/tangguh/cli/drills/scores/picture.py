"""A drill as a picture: one small chart a service, the same seconds below one another. Pure.

The line is the share of payments that were paid, the bars are how many were tried, and what a gate
stopped is filled. Bands behind are faults and closures. An SVG without fonts or scripts of its own,
readable on a light and on a dark page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from tangguh.cli.drills.scores.recorder import Band

Series = dict[str, list[tuple[int, int, int]]]

_WIDTH: Final = 960
_LEFT: Final = 150
_RIGHT: Final = 60
_TOP: Final = 74
_CHART: Final = 62
_GAP: Final = 22
_BOTTOM: Final = 34
_STYLE: Final = (
    "svg{background:#fff;color:#24292f}"
    "text{font:12px system-ui,sans-serif;fill:currentColor}"
    ".small{font-size:10px;opacity:.75}.title{font-size:16px;font-weight:600}"
    ".axis{stroke:currentColor;stroke-opacity:.25;fill:none}"
    ".tried{fill:currentColor;fill-opacity:.14}.stopped{fill:#b7791f;fill-opacity:.55}"
    ".paid{stroke:#1a7f64;stroke-width:1.8;fill:none;stroke-linejoin:round}"
    ".fault{fill:#d1453b;fill-opacity:.13}.closure{fill:#b7791f;fill-opacity:.17}"
    "@media(prefers-color-scheme:dark){svg{background:#14171a;color:#d7dde3}"
    ".paid{stroke:#4cc3a0}.fault{fill-opacity:.28}.closure{fill-opacity:.3}}"
)


def draw(title: str, series: Series, bands: Sequence[Band], subtitle: str = "") -> str:
    """The picture as SVG text."""
    seconds = max((len(row) for row in series.values()), default=1) or 1
    height = _TOP + len(series) * (_CHART + _GAP) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<text class="title" x="16" y="26">{escape(title)}</text>',
        f'<text class="small" x="16" y="42">{escape(subtitle)}</text>',
        *_legend(),
    ]
    for place, (service, row) in enumerate(series.items()):
        top = _TOP + place * (_CHART + _GAP)
        parts += _chart(service, row, bands, top, seconds)
    parts += _seconds(height - _BOTTOM + 4, seconds)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _legend() -> Iterator[str]:
    x = 16
    for kind, label in (
        ("tried", "tried each second"),
        ("stopped", "stopped by a gate"),
        ("fault", "fault"),
        ("closure", "closed or limited"),
    ):
        yield f'<rect class="{kind}" x="{x}" y="50" width="12" height="10"/>'
        yield f'<text class="small" x="{x + 17}" y="59">{label}</text>'
        x += 34 + 6 * len(label)
    yield f'<path class="paid" d="M{x} 55h16"/>'
    yield f'<text class="small" x="{x + 21}" y="59">paid, of those tried</text>'


def _chart(
    service: str,
    row: Sequence[tuple[int, int, int]],
    bands: Sequence[Band],
    top: int,
    seconds: int,
) -> Iterator[str]:
    bottom = top + _CHART
    most = max((tried for tried, _, _ in row), default=0) or 1
    tried_all, paid_all = sum(one[0] for one in row), sum(one[1] for one in row)
    share = f"{100 * paid_all / tried_all:.2f} %" if tried_all else "none"
    yield f'<g id="{escape(service)}">'
    for band in bands:
        if band.service in ("", service):
            yield _band(band, top, seconds)
    width = _x(1, seconds) - _x(0, seconds)
    for second, (tried, _, stopped) in enumerate(row):
        for kind, number in (("tried", tried), ("stopped", stopped)):
            if number:
                size = _CHART * number / most
                yield (
                    f'<rect class="{kind}" x="{_x(second, seconds):.1f}"'
                    f' y="{bottom - size:.1f}" width="{width:.1f}" height="{size:.1f}"/>'
                )
    yield f'<path class="axis" d="M{_LEFT} {top}V{bottom}H{_WIDTH - _RIGHT}"/>'
    for line in _lines(row, bottom, seconds):
        yield f'<path class="paid" d="{line}"/>'
    yield f'<text x="16" y="{top + 14}">{escape(service)}</text>'
    yield f'<text class="small" x="16" y="{top + 30}">{tried_all:,} tried</text>'
    yield f'<text class="small" x="16" y="{top + 44}">{share} paid</text>'
    yield f'<text class="small" x="{_LEFT - 6}" y="{top + 8}" text-anchor="end">100 %</text>'
    yield f'<text class="small" x="{_LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
    yield f'<text class="small" x="{_WIDTH - _RIGHT + 6}" y="{top + 8}">{most}/s</text></g>'


def _band(band: Band, top: int, seconds: int) -> str:
    begins = _x(min(max(band.begins, 0.0), seconds), seconds)
    ends = _x(min(max(band.ends, 0.0), seconds), seconds)
    return (
        f'<rect class="{escape(band.kind)}" x="{begins:.1f}" y="{top}"'
        f' width="{max(ends - begins, 1.5):.1f}" height="{_CHART}">'
        f"<title>{escape(band.label)}</title></rect>"
    )


def _lines(row: Sequence[tuple[int, int, int]], bottom: int, seconds: int) -> Iterator[str]:
    """A line for each stretch of seconds in which anybody tried."""
    points: list[str] = []
    for second, (tried, paid, _) in enumerate(row):
        if not tried:
            if points:
                yield "M" + "L".join(points)
            points = []
            continue
        points.append(f"{_x(second + 0.5, seconds):.1f} {bottom - _CHART * paid / tried:.1f}")
    if points:
        yield "M" + "L".join(points)


def _seconds(y: int, seconds: int) -> Iterator[str]:
    step = next((one for one in (1, 2, 5, 10, 20, 30, 60, 120) if seconds / one <= 12), 300)
    for second in range(0, seconds + 1, step):
        x = _x(second, seconds)
        yield f'<text class="small" x="{x:.1f}" y="{y}" text-anchor="middle">{second} s</text>'


def _x(second: float, seconds: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * second / seconds
