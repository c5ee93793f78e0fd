"""A picture of the comparison with peers: a panel for each table, a bar for each side, as long as its CPU, ours being 1."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_ROW = re.compile(r"^\| ([^|]+) \| ([0-9.]+) \| ", re.MULTILINE)
_HEAD = re.compile(r"^\| ([^|]+) \| CPU, ours = 1 \|.*\n", re.MULTILINE)
WIDTH, NAME, VALUE = 760, 190, 60
"""The picture; the names left of the bars; the room for figures right of them."""
ROW, BAR = 26, 16
NOTE = "Whole processes, start-up included. A floor is a loop that decodes (and encodes) the same, or passes bytes on, and nothing more."
TITLES = {
    "tap, contacts": "Reading HubSpot contacts",
    "tap, items": "Reading flat records",
    "target, validation on": "Taking records in, each checked against its schema",
}
"""What a table is called for those who do not know the bench."""
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #4b5563 }
.title { font-size: 17px; font-weight: 600; fill: #111827 }
.panel { font-size: 14px; font-weight: 600; fill: #111827 }
.mine { font-weight: 600; fill: #0f766e }
.value { font-variant-numeric: tabular-nums }
.small { font-size: 12px }
.theirs { fill: #a8b3c1 } .floor { fill: #d5dbe3 } .ours { fill: #0d9488 }
@media (prefers-color-scheme: dark) {
text { fill: #b4bdc9 } .title, .panel { fill: #eef2f6 } .mine { fill: #2dd4bf }
.theirs { fill: #64748b } .floor { fill: #3f4a5a } .ours { fill: #14b8a6 }
}
"""


def bars(text: str) -> dict[str, list[tuple[str, float]]]:
    """Return what the tables in *text* say: the title of each whose second column is "CPU, ours = 1", and its rows."""
    found = {}
    for head in _HEAD.finditer(text):
        table = text[head.end() :].split("\n\n", maxsplit=1)[0]
        found[head[1]] = [(name.strip(), float(ratio)) for name, ratio in _ROW.findall(table)]
    return found


def _kind(name: str) -> str:
    if name.startswith("floor"):
        return "floor"
    return "ours" if name.partition(",")[0] == "antiphon" else "theirs"


def _text(x: float, y: float, kind: str, said: str, *, right: bool = False) -> str:
    end = ' text-anchor="end"' if right else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}"{end}>{escape(said)}</text>'


def _row(y: float, name: str, ratio: float, longest: float) -> list[str]:
    kind = _kind(name)
    width = max(3.0, ratio / longest * (WIDTH - NAME - VALUE))
    mine = "mine" if kind == "ours" else "small" if kind == "floor" else "value"
    return [
        _text(NAME - 12, y, mine, name, right=True),
        f'<rect x="{NAME}" y="{y - BAR + 3:.0f}" width="{width:.1f}" height="{BAR}" rx="3" class="{kind}"/>',
        _text(NAME + width + 8, y, mine, "1" if name == "antiphon" else f"{ratio:.1f}"),
    ]


def drawn(tables: dict[str, list[tuple[str, float]]]) -> str:
    """Return the picture as SVG, in colours for a light page, and others for a dark one."""
    parts = [_text(0, 20, "title", "CPU for the same records: as many times as antiphon takes")]
    y = 28.0
    for title, rows in tables.items():
        y += 30
        parts.append(_text(0, y, "panel", TITLES.get(title, title)))
        longest = max((ratio for _, ratio in rows), default=1.0)
        for name, ratio in rows:
            y += ROW
            parts += _row(y, name, ratio, longest)
        y += 6
    y += 22
    parts.append(_text(0, y, "small", NOTE))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 12:.0f}" role="img">\n'
        f"<title>CPU for the same records, antiphon = 1</title>\n<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )
