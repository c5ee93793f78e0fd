"""Where the CPU of a run goes: the functions that take most of it, for what a ratio leaves open.

    python bench/profiled.py [--contacts 200000] [--items 500000] [--people 100000]

Each plugin runs in a process of its own under Python's profiler, which counts the main thread and makes calls of many small functions
look dearer than they are; how much of the process's CPU other threads took is told beside it.
"""

from __future__ import annotations

import argparse
import json
import pstats
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from account import people
from measure import Command, Side, run
from mockserver import served
from reading import Bench
from writing import HERE, messages

MOST = 8
"""Functions that are told of each run."""
_UNDER = """
import cProfile, json, runpy, sys, time
path, *sys.argv = sys.argv[1:]
profiler = cProfile.Profile(time.thread_time)
profiler.enable()
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as ended:
    assert not ended.code, ended.code
finally:
    profiler.disable()
    profiler.dump_stats(path)
    open(path + ".json", "w").write(json.dumps([time.thread_time(), time.process_time()]))
"""
ROOT = HERE.parent
_SMALL = re.compile(
    r"built-in method (builtins|_\w+|time)\.|of '(dict|list|str|bytes|set|frozenset|tuple|collections\.\w+)' objects"
)


def where(function: tuple[str, int, str]) -> str:
    """Return a function of a profile as file and name."""
    file, _, name = function
    if file == "~":
        return name.strip("{}<>").replace("built-in method ", "").replace("'", "")
    path = Path(file)
    parts = path.relative_to(ROOT).parts if path.is_relative_to(ROOT) and ".venv" not in path.parts else path.parts[-2:]
    return f"{'/'.join(parts)}: {name}"


def profiled(side: Side, folder: Path) -> tuple[list[tuple[str, float]], float]:
    """Run *side*, a script and its arguments, under the profiler; return what takes most, as parts of the main thread's CPU, and the other threads' part of all."""
    path = folder / "profile"
    script: Command = side.command[1:] if str(side.command[0]) == sys.executable else side.command
    run(replace(side, command=[sys.executable, "-c", _UNDER, path, *script]))
    mine, whole = json.loads(Path(f"{path}.json").read_text("utf-8"))
    most = by_function(pstats.Stats(str(path)).stats)  # type: ignore[attr-defined]
    total = sum(most.values())
    return [(name, spent / total) for name, spent in most.most_common(MOST)], 1 - mine / whole


def by_function(stats: Mapping[Any, Any]) -> Counter[str]:
    """Return the seconds that each function took itself; what Python's own small ones took is counted as their callers'."""
    spent: Counter[str] = Counter()
    for function, (_, _, itself, _, callers) in stats.items():
        if function[0] == "~" and callers and _SMALL.search(function[2]):
            for caller, (_, _, part, _) in callers.items():
                spent[where(caller)] += part
        else:
            spent[where(function)] += itself
    return spent


def sides(folder: Path, base: str, given: argparse.Namespace) -> Iterator[tuple[str, Side]]:
    """Yield what is run, and of how many records."""
    bin_ = Path(sys.executable).parent
    yield f"tap, {given.contacts:,} contacts", Bench("contacts", folder, base).ours()
    (folder / "ours.json").write_text(json.dumps({"state_dir": str(folder), "streams": {"items": {"mode": "create"}}}))
    target: Command = [HERE / "noop_target.py", "--config", folder / "ours.json"]
    source = messages(folder / "items.jsonl", given.items)
    yield f"target, {given.items:,} items, written nowhere", Side("target", target, source)
    (folder / "config.json").write_text(json.dumps({"base_url": base, "state_dir": str(folder), "access_token": "t"}))
    written: Command = [bin_ / "target-hubspot", "--config", folder / "config.json"]
    yield f"target-hubspot, {given.people:,} upserted", Side("target", written, people(folder, given.people))


def main() -> None:
    """Run each, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=500_000)
    parser.add_argument("--people", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name, served(given.contacts, 100) as at:
        for what, side in sides(Path(name), at, given):
            most, others = profiled(side, Path(name))
            print(f"| {what} | share of the main thread's CPU |\n|---|---|")
            for function, part in most:
                print(f"| `{function}` | {part:.0%} |")
            print(f"\nOther threads took {others:.0%} of the CPU of this run.\n", flush=True)


if __name__ == "__main__":
    main()
