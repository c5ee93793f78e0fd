"""What the matrix came to, as a page: printed after a run of it, and kept in the docs if ``WRITE_FAULTS`` is set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from write_readme import filled

from .matrix import FAULTS
from .writings import Writing

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
COLUMNS = ("lost", "duplicated", "rejected", "unknown", "strikes", "runs", "calls", "seconds")


def tables(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return *verdicts* as tables in Markdown, one for each writing, those of emulators first."""
    return "\n\n".join(_tables(some) for some in _by_server(verdicts).values())


def _by_server(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return *verdicts* by the block of the page that they go into."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for verdict in sorted(verdicts, key=lambda one: one["server"]):
        block = "faults" if verdict["server"] == Writing.server else f"faults of {verdict['api']}"
        found.setdefault(block, []).append(verdict)
    return found


def _tables(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """Return *verdicts*, all by one server, as tables, the faults in the order of the matrix."""
    found: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for verdict in verdicts:
        found.setdefault((verdict["api"], verdict["writing"]), {})[verdict["fault"]] = verdict
    parts = [f"{_today()}, `make test-faults`: {_sum(verdicts)}"]
    for (api, writing), rows in sorted(found.items()):
        once = "exactly once" if next(iter(rows.values()))["once"] else "at most once"
        lines = [f"**{api}: {writing}** ({once})", "", f"| fault | {' | '.join(COLUMNS)} |"]
        lines += ["|---" + "|---:" * len(COLUMNS) + "|", *(_line(rows[name]) for name in FAULTS if name in rows)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def write(verdicts: Sequence[Mapping[str, Any]]) -> None:
    """Put the tables into the page; those of a server that was not asked stay."""
    for block, some in _by_server(verdicts).items():
        PAGE.write_text(filled(PAGE.read_text("utf-8"), block, _tables(some)), "utf-8")


def _today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _sum(verdicts: Sequence[Mapping[str, Any]]) -> str:
    lost, twice, wrong = (
        sum(one) for one in zip(*((v["lost"], v["duplicated"], bool(v["faults"])) for v in verdicts), strict=True)
    )
    seconds = sum(v["seconds"] for v in verdicts)
    records = " or ".join(f"{n:,}" for n in sorted({v["records"] for v in verdicts}))
    server = "" if (only := verdicts[0]["server"]) == Writing.server else f" to {only}"
    cells = f"{len(verdicts)} cells of {records} records{server}, {seconds:,.0f} s in all"
    return f"{cells}; {lost} lost, {twice} duplicated; {wrong} cells not as they should be."


def _line(verdict: Mapping[str, Any]) -> str:
    cells = [f"{verdict[name]:,.1f}" if name == "seconds" else f"{verdict[name]:,}" for name in COLUMNS]
    return f"| {verdict['fault']}{' **(!)**' if verdict['faults'] else ''} | {' | '.join(cells)} |"
