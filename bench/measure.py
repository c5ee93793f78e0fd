"""Processes run and measured: what the operating system says of each when it has ended (``wait4``), in turns, medians of several.

A side is first run once without being measured: it is warm then, and the records that came out of it are counted. One that took or gave
others than were due ends the bench: its figures would say nothing.
"""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

Command = Sequence[str | Path]
STEADY = 5
"""Rounds of which a median is one."""


@dataclass(frozen=True)
class Used:
    """What one run of a process took, or the medians of several."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, of user and system together, those of its children that it waited for included."""
    memory: float
    """Megabytes (10^6 bytes) of resident memory, at the most."""


@dataclass(frozen=True)
class Side:
    """One of those that are compared: what is run, and from and into which file."""

    name: str
    command: Command
    stdin: Path | None = None
    stdout: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    feed: Command | None = None
    """A command whose output is its input, instead of a file: for more than a disk should hold."""
    rounds: int | None = None
    """How often it is measured, at the most: for one that is slow."""
    count: Callable[[], int] | None = None
    """Tells how many records its last run gave or took; without it, those are counted that it wrote as RECORD messages."""


def run(side: Side) -> Used:
    """Run *side* once.

    Raises:
        SystemExit: it failed; the text is the end of what it said.
    """
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}  # after the run for warmth: what is installed is compiled too
    environment = {**os.environ, **compiled, **side.environment}
    feed = subprocess.Popen(list(map(str, side.feed)), stdout=subprocess.PIPE) if side.feed else None
    began = time.monotonic()
    with (
        Path(side.stdin or os.devnull).open("rb") as stdin,
        Path(side.stdout or os.devnull).open("wb") as stdout,
        subprocess.Popen(
            list(map(str, side.command)),
            stdin=feed.stdout if feed else stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=side.folder,
        ) as process,
    ):
        if feed and feed.stdout:
            feed.stdout.close()  # it is the process's now: without it the feed ends
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{side.name} -> exit code {process.returncode}: {said.decode('utf-8', 'replace')[-800:]}")
    if feed and feed.wait():
        raise SystemExit(f"what feeds {side.name} -> exit code {feed.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale / 1e6)


def record_lines(path: Path) -> int:
    """Return how many RECORD messages the file at *path* has: those of Singer and those of Airbyte begin alike."""
    with path.open("rb") as lines:
        return sum(line.startswith(b'{"type":"RECORD"') for line in lines)


def lines_in(paths: Iterable[Path]) -> int:
    """Return how many lines some files have, packed or not."""
    count = 0
    for path in paths:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            count += sum(1 for _ in lines)
    return count


def verify(side: Side, due: int, out: Path) -> None:
    """Run *side* with *out* for its output, and count.

    Raises:
        SystemExit: other records came than were due.
    """
    run(replace(side, stdout=out))
    came = side.count() if side.count else record_lines(out)
    if came != due:
        raise SystemExit(f"{side.name} -> {came:,} records came, where {due:,} were due: its figures would say nothing")


def in_turns(sides: Sequence[Side], rounds: int) -> dict[str, list[Used]]:
    """Run all *sides* so many times in turns, slow ones less often; return each one's runs, by name, in the order of the rounds."""
    runs: dict[str, list[Used]] = {side.name: [] for side in sides}
    for round_ in range(rounds):
        for side in sides:
            if side.rounds is None or round_ < side.rounds:
                runs[side.name].append(run(side))
    return runs


def median(runs: Sequence[Used]) -> Used:
    """Return the medians."""
    return Used(*(statistics.median(getattr(used, what) for used in runs) for what in ("wall", "cpu", "memory")))


def quick(runs: Mapping[str, Sequence[Used]]) -> str:
    """Return how many rounds the sides were measured in at the least, and whether those are few."""
    few = min(map(len, runs.values()))
    if few >= STEADY:
        return f"All took turns in {few} rounds."
    return f"A quick run: {few} of the {STEADY} rounds that make a median steady for some, see the column."


def times(runs: Sequence[Used], ours: Sequence[Used]) -> float:
    """Return how many times the CPU of *ours* the *runs* took: of the one median, of the other."""
    return median(runs).cpu / median(ours).cpu
