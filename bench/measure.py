"""Processes run and measured: what the operating system says of each when it has ended (``wait4``), in turns, medians of several."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Command = Sequence[str | Path]


@dataclass(frozen=True)
class Used:
    """What one run of a process took."""

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


def run(side: Side) -> Used:
    """Run *side* once.

    Raises:
        SystemExit: it failed; the text is the end of what it said.
    """
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}  # after the run for warmth: what is installed is compiled too
    environment = {**os.environ, **compiled, **side.environment}
    began = time.monotonic()
    with (
        Path(side.stdin or os.devnull).open("rb") as stdin,
        Path(side.stdout or os.devnull).open("wb") as stdout,
        subprocess.Popen(
            list(map(str, side.command)),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=side.folder,
        ) as process,
    ):
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{side.name} -> exit code {process.returncode}: {said.decode('utf-8', 'replace')[-800:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale / 1e6)


def in_turns(sides: Sequence[Side], rounds: int) -> dict[str, Used]:
    """Run all *sides* once for warmth and then *rounds* times in turns; return each one's medians, by name."""
    runs: dict[str, list[Used]] = {side.name: [] for side in sides}
    for round_ in range(rounds + 1):
        for side in sides:
            used = run(side)
            if round_:
                runs[side.name].append(used)
    return {
        name: Used(*(statistics.median(getattr(used, what) for used in taken) for what in ("wall", "cpu", "memory")))
        for name, taken in runs.items()
    }
