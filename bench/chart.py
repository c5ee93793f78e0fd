"""A picture of the comparison with peers: a bar for each, as long as its CPU, ours being 1."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

_ROW = re.compile(r"^\| ([^|]+) \| ([0-9.]+) \| ", re.MULTILINE)
_HEAD = re.compile(r"^\| ([^|]+) \| CPU, ours = 1 \|.*\n", re.MULTILINE)
WIDTH, NAME, LINE = 720, 210, 22


def bars(text: str) -> dict[str, list[tuple[str, float]]]:
    """Return what the tables in *text* say: the title of each whose second column is "CPU, ours = 1", and its rows."""
    found = {}
    for head in _HEAD.finditer(text):
        table = text[head.end() :].split("\n\n", maxsplit=1)[0]
        found[head[1]] = [(name.strip(), float(ratio)) for name, ratio in _ROW.findall(table)]
    return found


def drawn(tables: dict[str, list[tuple[str, float]]]) -> str:
    """Return the picture as SVG."""
    longest = max((ratio for rows in tables.values() for _, ratio in rows), default=1)
    parts: list[str] = []
    y = 8
    for title, rows in tables.items():
        y += LINE
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{escape(title)}</text>')
        for name, ratio in rows:
            y += LINE
            width = max(2.0, ratio / longest * (WIDTH - NAME - 60))
            colour = "#2a7f62" if ratio == 1 else "#9aa5ad"
            parts.append(f'<text x="{NAME - 8}" y="{y}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{NAME}" y="{y - 13}" width="{width:.0f}" height="16" fill="{colour}"/>')
            parts.append(f'<text x="{NAME + width + 6:.0f}" y="{y}">{ratio:g}</text>')
        y += LINE // 2
    font = 'font-family="system-ui, sans-serif" font-size="13" fill="#555"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 8}" {font}>\n'
        f"<title>CPU for each record, ours = 1</title>\n{body}\n</svg>\n"
    )
