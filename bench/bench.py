"""All that is measured, one part after the other: ``make bench``.

    python bench/bench.py [PART …] [--full] [--write]

Parts: reading, writing, memory, startup, calls, latency, ledger, profiled; all of them, if none is named. As it comes it takes minutes and few
records; ``--full`` takes as many as make the ratios steady, each side in five rounds, and three quarters of an hour. ``--write`` puts what was measured into RESULTS.md, where
parts that were not run stay as they are, and the comparison with the peers into chart.svg. What notes.md says ends that page.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import chart
import page
import peers

HERE = Path(__file__).parent
RESULTS, CHART, NOTES = HERE / "RESULTS.md", HERE / "chart.svg", HERE / "notes.md"
PARTS = {
    "reading": "CPU of a tap, beside its peers",
    "writing": "CPU of a target before it writes, beside its peers",
    "memory": "Memory, however many records",
    "startup": "Starting",
    "calls": "Calls",
    "latency": "An API that is slow and limited",
    "ledger": "The ledger",
    "profiled": "Where the time goes",
}
QUICK = {
    "reading": "--contacts 50000 --items 100000 --rounds 3 --slow 1",
    "writing": "--records 100000 --rounds 3 --slow 1",
    "memory": "--most 1000000 --written 100000",
    "startup": "--rounds 3",
    "calls": "--records 20000",
    "latency": "--records 5000 --rounds 3",
    "ledger": "--records 20000 --keys 200000",
    "profiled": "--contacts 50000 --items 100000 --people 10000 --rounds 1",
}
FULL = {
    "reading": "--contacts 300000 --items 250000 --rounds 5",
    "writing": "--records 300000 --rounds 5",
    "memory": "--most 5000000 --written 5000000",
    "startup": "--rounds 9",
    "calls": "--records 100000",
    "latency": "--records 20000",
    "ledger": "--records 100000 --keys 1000000",
    "profiled": "--contacts 100000 --items 250000 --people 50000",
}


def measured(part: str, arguments: str) -> page.Section:
    """Run a part; show what it prints, and return it.

    Raises:
        SystemExit: it failed, or found something wrong.
    """
    lines = []
    command: list[str | Path] = [sys.executable, "-W", "error", HERE / f"{part}.py", *arguments.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"bench: {part} -> exit code {process.returncode}; what it found is above")
    how = f"`python bench/{part}.py {arguments}`, {datetime.now(UTC):%Y-%m-%d}, at {commit()}"
    return page.section(how, "".join(lines))


def commit() -> str:
    """Return the commit that is measured, and whether something else than the page was changed since."""

    def said(*command: str | Path) -> str:
        return subprocess.run(["git", "-C", HERE, *command], text=True, capture_output=True, check=False).stdout.strip()

    changed = said(
        "status", "--porcelain", "--untracked-files=no", "--", ":/", *(f":!{p.name}" for p in (RESULTS, CHART))
    )
    return (said("rev-parse", "--short", "HEAD") or "no commit") + (", changed since" if changed else "")


def heading() -> str:
    """Return on what, and with which versions, and what the figures mean."""
    versions = ", ".join(f"{name} {peers.version(name)}" for name in peers.REQUIREMENTS)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}"
    return (
        f"By `make bench`, each part as it says, on {machine}, Python {platform.python_version()}, antiphon {version('antiphon')}, beside {versions}."
        "\n\nRatios come first: the machine was not idle, its speed varies, and seconds are those of that hour. CPU is the operating system's account "
        "of whole processes, start-up included, output thrown away; sides take turns, and a ratio is that of medians. All "
        "sides are given the same records, and what each gives or takes of them is counted before it is measured.\n\n![CPU beside peers](chart.svg)"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--full", action="store_true", help="as many records as make the ratios steady")
    parser.add_argument("--write", action="store_true", help="put it into RESULTS.md and chart.svg")
    given = parser.parse_args()
    sections = page.read(RESULTS.read_text("utf-8"), PARTS) if RESULTS.exists() else {}
    for part in given.parts or PARTS:
        print(f"\n## {PARTS[part]}\n", flush=True)
        sections[part] = measured(part, (FULL if given.full else QUICK)[part])
        if given.write:
            text = page.written(heading(), PARTS, sections, NOTES.read_text("utf-8") if NOTES.exists() else "")
            RESULTS.write_text(text, "utf-8")
            CHART.write_text(chart.drawn(chart.bars(text)), "utf-8")


if __name__ == "__main__":
    main()
