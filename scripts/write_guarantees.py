"""Fills the tables of guarantees in docs/guarantees.md, from the descriptions."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from antiphon import apis
from antiphon.api import Api
from antiphon.writeback.guarantee import OPERATIONS, guarantee
from write_readme import filled

PAGE = Path(__file__).parent.parent / "docs" / "guarantees.md"


def tables() -> str:
    """Return a table for each API that can be written to, in Markdown; resources that are alike share a row."""
    found = [apis.load(name) for name in apis.names()]
    return "\n\n".join(_table(api) for api in found if api.writable)


def _table(api: Api) -> str:
    rows: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource in api.resources:
        if resource.writable:
            rows[tuple(guarantee(resource, operation) for operation in OPERATIONS)].append(resource.name)
    used = [n for n, operation in enumerate(OPERATIONS) if any(row[n] for row in rows)]
    lines = [
        f"**{api.title}**",
        "",
        f"| resource | {' | '.join(OPERATIONS[n] for n in used)} |",
        "|---" * (len(used) + 1) + "|",
    ]
    lines += [f"| {', '.join(names)} | {' | '.join(row[n] for n in used)} |" for row, names in rows.items()]
    return "\n".join(lines)


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(filled(PAGE.read_text("utf-8"), "guarantees", tables()), "utf-8")


if __name__ == "__main__":
    main()
