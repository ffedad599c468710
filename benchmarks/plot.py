"""A measurement as SVG: for each case, how many times longer than ours each peer takes, and how close the limit is."""

from html import escape
from math import log10
from typing import Any

_ROW, _LEFT, _WIDTH, _BAR = 20, 250, 560, 14
_COLOURS = ("#4878a8", "#b85450", "#6a9a58", "#8a6fae", "#c08a3e", "#5f8f8f", "#8c8c8c")
_LEAST, _MOST = 0.05, 100.0


def draw(rows: list[dict[str, Any]]) -> str:
    """The whole document. The axis is logarithmic, 1 is our time; bars to the right are slower than ours."""
    names = sorted({name for row in rows for name in row["ratios"]})
    colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)}
    body, y = [], 70
    for row in rows:
        bars = [("limit", row["share_of_limit"], "#222222"), *((n, r, colours[n]) for n, r in row["ratios"].items())]
        body.append(_text(_LEFT - 10, y + _BAR - 2, _title(row), "end"))
        for name, ratio, colour in bars:
            body.append(_bar(y, ratio, colour, f"{name} {ratio:.2f}"))
            y += _ROW
        y += 8
    grid = [
        f'<line x1="{_x(tick):.1f}" y1="50" x2="{_x(tick):.1f}" y2="{y}" stroke="#cccccc"/>'
        + _text(_x(tick), 44, f"{tick:g}x", "middle")
        for tick in (0.1, 1, 10, 100)
    ]
    heading = _text(
        10, 20, "Seconds of the limit and of each peer over ours, one interleaved run (longer: slower)", "start"
    )
    size = f'width="{_LEFT + _WIDTH + 130}" height="{y + 20}"'
    style = 'font-family="sans-serif" font-size="12" fill="#222222"'
    parts = "\n".join([heading, *grid, *body])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n<rect {size} fill="white"/>\n{parts}\n</svg>\n'


def _title(row: dict[str, Any]) -> str:
    what = " ".join(str(row[name]) for name in ("kind", "circuit", "group", "curve") if row[name])
    return f"{what} 2^{row['log_n']} {row['threads']}T"


def _x(ratio: float) -> float:
    share = log10(min(max(ratio, _LEAST), _MOST) / _LEAST) / log10(_MOST / _LEAST)
    return _LEFT + _WIDTH * share


def _bar(y: int, ratio: float, colour: str, label: str) -> str:
    left, right = sorted((_x(1), _x(ratio)))
    rectangle = f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{_BAR}" fill="{colour}"/>'
    return rectangle + _text(max(right, _x(1)) + 4, y + _BAR - 3, label, "start")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
