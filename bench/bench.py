"""All that is measured, one part after the other: ``make bench``.

    python bench/bench.py [PART …] [--write]

``--write`` puts what was measured into RESULTS.md, and its comparison with the peers into chart.svg. Parts: startup, calls, latency,
reading, writing, ledger.
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
import peers

HERE = Path(__file__).parent
PARTS = {
    "reading": "CPU of a tap, beside its peers",
    "writing": "CPU of a target before it writes, beside its peers",
    "startup": "Starting",
    "calls": "Calls",
    "latency": "An API that is slow and limited",
    "ledger": "The ledger",
}


def measured(part: str) -> str:
    """Run a part; show what it prints, and return it.

    Raises:
        SystemExit: it failed, or found something wrong.
    """
    lines = []
    command: list[str | Path] = [sys.executable, "-W", "error", HERE / f"{part}.py"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(process.returncode)
    return "".join(lines).strip()


def heading() -> str:
    """Return when, on what, and with which versions."""
    versions = ", ".join(f"{name} {peers.version(name)}" for name in peers.REQUIREMENTS)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}"
    return (
        f"`make bench`, {datetime.now(UTC):%Y-%m-%d}, on {machine}, Python {platform.python_version()}, antiphon {version('antiphon')}, beside "
        f"{versions}.\n\nThe machine was not idle and its speed varies: what can be relied on are ratios of one run, and CPU. CPU is the operating "
        "system's account of whole processes, start-up included; medians of the runs after a first one that does not count."
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    parts = given.parts or list(PARTS)
    text = "# Measured\n\n" + heading() + "\n" if given.write else ""
    for part in parts:
        print(f"\n## {PARTS[part]}\n", flush=True)
        text += f"\n## {PARTS[part]}\n\n{measured(part)}\n"
    if given.write:
        (HERE / "RESULTS.md").write_text(text, "utf-8")
        (HERE / "chart.svg").write_text(chart.drawn(chart.bars(text)), "utf-8")


if __name__ == "__main__":
    main()
