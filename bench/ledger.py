"""What the ledger costs and what it saves: CPU of a first run with and without it, of a second run, and the room of many keys.

    python bench/ledger.py [--records 100000] [--keys 1000000]

A run without it is the same target with a ledger that keeps nothing. CPU is told beside its goal, for it is the machine's too.
Exit code 1: a second run writes, the file is larger than it may be, or memory grows.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from account import BIN, Account, account, people
from measure import Side, Used, median, run

from antiphon.outcome import Change, Kind, Outcome
from antiphon.writeback.ledger import Ledger

OVERHEAD = 0.15
"""The part of a first run's CPU that the ledger may be."""
ROUNDS = 11
"""Of single ones each may be off by half of what is measured."""
SECOND = 5.0
"""Seconds of CPU that a second run of 100,000 unchanged records may take."""
OPENING = 10
"""Calls that a run makes to learn of the account and its fields, whatever is written."""
DISK = 200
"""Megabytes (10^6 bytes) for a million keys."""
MEMORY = 30
"""Megabytes by which a process may grow while it writes down a million keys."""
_WITHOUT = """
from antiphon import launch
with launch.importing():
    from antiphon.connection import Settings
class Nothing:
    run, path = 1, "none"
    def identity(self, *given, **more): return b""
    def key(self, resource, match): return match
    def intend(self, *given, **more): return []
    def earlier(self): return False
    def known(self, *given): return {}
    def open_intents(self): return []
    records = property(lambda self: self)
    def __getattr__(self, name): return lambda *given, **more: None
Settings.ledger = lambda self, **more: Nothing()
launch.run("target_hubspot")
"""


def first_and_second(records: int, hubspot: Account, folder: Path) -> tuple[Used, int, Used, int]:
    """Return what a first run and a second one took, and their calls."""
    source = people(folder, records)
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    side = Side("target", [BIN / "target-hubspot", "--config", folder / "config.json"], source)
    hubspot.calls()
    first, calls = run(side), hubspot.calls()[0]
    second = run(side)
    return first, calls, second, hubspot.calls()[0]


def without(records: int, hubspot: Account, folder: Path) -> Used:
    """Return what a first run takes with a ledger that keeps nothing."""
    source = people(folder, records)
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    return run(Side("without", [sys.executable, "-c", _WITHOUT, "--config", folder / "config.json"], source))


def many(keys: int, folder: Path) -> tuple[float, float, float]:
    """Write so many creations down, and return microseconds of CPU for each, megabytes of disk, and those of memory gained."""
    with Ledger(folder, "bench") as ledger:
        before = 0
        began = time.process_time()
        for start in range(0, keys, 100):
            changes = [Change({}, by="email", value=f"p{n}@example.org") for n in range(start, start + 100)]
            marks = [
                (ledger.identity("contacts", {"n": n}, "email", c.value), ledger.key("contacts", ("email", c.value)), n)
                for n, c in enumerate(changes, start)
            ]
            ledger.intend("people", "contacts", "create", changes, marks)
            ledger.answered([Outcome(c, Kind.CREATED, str(10_000_000_000 + n)) for n, c in enumerate(changes, start)])
            before = before or (start >= keys // 10 and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) or 0
        cpu = time.process_time() - began
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = sum(path.stat().st_size for path in folder.glob("bench.*") if path.is_file())
    return cpu / keys * 1e6, size / 1e6, (after - before) * 1024 / 1e6


def _against(measured: float, goal: float) -> str:
    return "within the goal" if measured <= goal else "MISSES the goal"


def main() -> None:
    """Measure, and print it as a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--keys", type=int, default=1_000_000)
    given = parser.parse_args()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        each, disk, memory = many(given.keys, Path(folder))
    bares, firsts = list[Used](), list[Used]()
    for _ in range(ROUNDS):
        with account(0) as hubspot, tempfile.TemporaryDirectory() as folder:
            bares.append(without(given.records, hubspot, Path(folder)))
        with account(0) as hubspot, tempfile.TemporaryDirectory() as folder:
            first, calls, second, again = first_and_second(given.records, hubspot, Path(folder))
            firsts.append(first)
    bare, first = median(bares), median(firsts)
    shares = sorted(1 - one.cpu / other.cpu for one, other in zip(bares, firsts, strict=True))
    overhead = 1 - bare.cpu / first.cpu
    print(f"| {given.records:,} contacts | CPU s | calls | memory MB |\n|---|---|---|---|")
    print(f"| first run, without a ledger | {bare.cpu:.1f} | {calls:,} | {bare.memory:.0f} |")
    print(f"| first run | {first.cpu:.1f} | {calls:,} | {first.memory:.0f} |")
    print(f"| second run, nothing changed | {second.cpu:.1f} | {again:,} | {second.memory:.0f} |")
    most = SECOND * given.records / 100_000
    print(
        f"\nThe ledger is {overhead:.0%} of the CPU of a first run ({_against(overhead, OVERHEAD)} of {OVERHEAD:.0%}), by medians of {ROUNDS} rounds"
        f" in turns; in single ones {shares[0]:.0%} to {shares[-1]:.0%}. A run takes {first.cpu / bare.cpu - 1:.0%} more with it than without."
    )
    print(f"A second run takes {second.cpu:.1f} s of CPU ({_against(second.cpu, most)} of {most:.1f} s).")
    print(
        f"{given.keys:,} keys: {each:.0f} µs of CPU each, {disk:.0f} MB of disk (at most {DISK}), {memory:.0f} MB more memory at their end"
        " than after a tenth of them."
    )
    wrong += ["a second run with nothing changed writes"] if again > OPENING else []
    wrong += ["the file is too large"] if disk > DISK * given.keys / 1_000_000 else []
    wrong += ["memory is not flat"] if memory > MEMORY else []
    if wrong:
        raise SystemExit("; ".join(wrong))


if __name__ == "__main__":
    main()
