"""Wall time against an API that is slow and limited: how much of its limit is used, and how soon the first record comes.

    python bench/latency.py [--records 20000] [--rounds 5] [--limited]

The sandbox of HubSpot waits so many milliseconds before each answer. Where it has a limit it enforces it: a call too many is a 429,
and there must be none. Its share is told in two ways. How many requests were under way on average is what calls and latency make in that time; where a goal is missed, when they were, as the
sandbox saw it. First RECORDs and imports of the Singer SDK take turns, and are told as medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import goals
import peers
from account import BIN, OPEN, Account, account, catalog, people
from measure import Command, Side, run
from timeline import Timeline

PEERS = Path(__file__).parent / "peers"
SHARE = 0.95
"""The part of the limit that is to be used."""
FIRST = 1.0
"""Seconds until the first RECORD at 200 ms, beyond those that importing the SDK takes."""
IMPORT = Side("import", [sys.executable, "-c", "import singer_sdk, singer_sdk.tap_base"])
HEAD = (
    *("run", "wall s", "calls", "under way", "CPU µs/record", "429s"),
    *("share of the limit", "in whole windows", "first RECORD, s"),
)
LIMITED = (
    "The share of the limit is the calls that were made, of those that its rate allows in that wall time. In whole windows it is the fewest seconds "
    "that the limit allows for these calls, of those that they took: that leaves out what the last window was begun for, and falls with calls that a run saves."
)
First = tuple[int, float, float]
"""A latency in milliseconds; the seconds until the first RECORD, and those that importing the SDK takes."""
STOCK = 5
"""How many times the time of ours the stock target is to take."""


@dataclass(frozen=True)
class Ran:
    """One run: what it was, its latency in seconds, the limit there was; when its calls were answered, and what it took.

    ``first`` is the seconds until the first RECORD, none where it writes.
    """

    name: str
    latency: float
    limit: str
    wall: float
    calls: int
    refused: int
    timeline: Timeline
    cpu: float = 0.0
    first: float = 0.0

    @property
    def share(self) -> float:
        """The part of the limit that was used: the calls, of those that its rate allows in that time."""
        calls, seconds = map(float, self.limit.split("/"))
        return self.calls / (self.wall / seconds * calls)

    @property
    def windows(self) -> float:
        """The fewest seconds that the limit allows for these calls, which is whole windows, of those that they took."""
        calls, seconds = map(float, self.limit.split("/"))
        return (self.calls - 1) // calls * seconds / self.wall


@dataclass(frozen=True)
class Kind:
    """What is run: its name, on how many contacts, the latency in milliseconds, and the limit, if there is one."""

    name: str
    records: int
    latency: int
    limit: str = ""

    def ran(self, hubspot: Account, began: float, wall: float, **more: float) -> Ran:
        """Return what the run that *began* then was."""
        latency = self.latency / 1000
        answered = [at - began for at in hubspot.answered()]
        calls, refused = hubspot.calls()
        told = ", ".join((f"{self.latency} ms", *([self.limit] if self.limit else [])))
        timeline = Timeline(wall, answered, latency)
        return Ran(f"{self.name}, {told}", latency, self.limit, wall, calls, refused, timeline, **more)


def tap(folder: Path, chosen: Path) -> Command:
    """Return the command that reads what is *chosen*."""
    return [BIN / "tap-hubspot", "--config", folder / "config.json", "--catalog", chosen]


def read(kind: Kind, hubspot: Account, folder: Path, streams: tuple[str, ...] = ("contacts",)) -> Ran:
    """Read *streams*, or what is selected of all."""
    chosen = catalog(hubspot, folder, streams)
    hubspot.calls()
    at, began = time.time(), time.monotonic()
    first = until_first(tap(folder, chosen), whole=True)
    return kind.ran(hubspot, at, time.monotonic() - began, first=first)


def until_first(command: Command, *, whole: bool) -> float:
    """Return the seconds until the first RECORD of a tap, which is let run to its end where the *whole* is wanted."""
    began, first = time.monotonic(), 0.0
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not first and line.startswith(b'{"type":"RECORD"'):
                first = time.monotonic() - began
                if not whole:
                    process.kill()
    if (whole and process.returncode) or not first:
        raise SystemExit(f"tap-hubspot -> exit code {process.returncode}, {'a' if first else 'no'} RECORD")
    return first


def firsts(hubspot: Account, folder: Path, rounds: int) -> tuple[float, float]:
    """Return the medians of the seconds until the first RECORD, and of those that importing the SDK takes, in turns."""
    command = tap(folder, catalog(hubspot, folder, ("contacts",)))
    both = [(until_first(command, whole=False), run(IMPORT).wall) for _ in range(rounds)]
    hubspot.calls()
    return statistics.median(first for first, _ in both), statistics.median(sdk for _, sdk in both)


def write(kind: Kind, hubspot: Account, folder: Path) -> Ran:
    """Upsert people by their e-mail address."""
    source = people(folder, kind.records)
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    hubspot.calls()
    at = time.time()
    used = run(Side("target-hubspot", [BIN / "target-hubspot", "--config", folder / "config.json"], source))
    return kind.ran(hubspot, at, used.wall, cpu=used.cpu)


def stock_write(kind: Kind, hubspot: Account, folder: Path) -> Ran:
    """Do the same as a target of the SDK would: one batch after the other."""
    source = people(folder, kind.records)
    (folder / "none.json").write_text("{}")
    hubspot.calls()
    environment = {"BASE": hubspot.config["base_url"], "TOKEN": hubspot.config["access_token"]}
    target: Command = [PEERS / "stock_hubspot_target.py", "--config", folder / "none.json"]
    at = time.time()
    used = run(Side("stock", [peers.python("singer-sdk"), *target], source, environment=environment))
    return kind.ran(hubspot, at, used.wall, cpu=used.cpu)


@contextmanager
def place(records: int, latency: float, limit: str = OPEN) -> Iterator[tuple[Account, Path]]:
    """Yield an account with so many contacts, and a folder."""
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name,
        account(records, latency=latency, limit=limit) as hubspot,
    ):
        yield hubspot, Path(name)


def unlimited(records: int, begun: list[First], rounds: int) -> Iterator[Ran]:
    """Yield what was done without a limit; what was found of first RECORDs is added to those *begun*."""
    for latency in (50, 200):
        with place(records, latency) as there:
            yield read(Kind(f"read {records:,} contacts", records, latency), *there)
            begun.append((latency, *firsts(*there, rounds)))
        with place(0, latency) as there:
            yield write(Kind(f"upsert {records:,}", records, latency), *there)
        if latency == 50:
            with place(0, latency) as there:
                yield stock_write(Kind("stock, the same batches in turn", records, latency), *there)


def limited(records: int) -> Iterator[Ran]:
    """Yield what was done under a limit."""
    limit = "100/10"
    with place(records, 200, limit) as there:
        yield read(Kind(f"read the account of {records:,} contacts", records, 200, limit), *there, ())
    with place(0, 200, limit) as there:
        yield write(Kind(f"upsert {records:,}", records, 200, limit), *there)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5, help="of first RECORDs")
    parser.add_argument("--limited", action="store_true", help="only what runs under a limit")
    given = parser.parse_args()
    print("|", " | ".join(HEAD), "|\n" + "|---" * len(HEAD) + "|")
    upserts: dict[str, float] = {}
    reached, missed = [], []
    begun: list[First] = []
    runs = () if given.limited else unlimited(given.records, begun, given.rounds)
    for ran in chain(runs, limited(given.records)):
        under_way = f"{ran.calls * ran.latency / ran.wall:.1f}"
        cpu = f"{ran.cpu / given.records * 1e6:.0f}" if ran.cpu else ""
        share, windows = (f"{ran.share:.1%}", f"{ran.windows:.1%}") if ran.limit else ("", "")
        first = f"{ran.first:.2f}" if ran.first else ""
        told = (ran.name, f"{ran.wall:.1f}", f"{ran.calls:,}", under_way, cpu, str(ran.refused), share, windows, first)
        print("|", " | ".join(told), "|", flush=True)
        if ran.limit:
            reached.append(goals.share(f"{ran.name}: share of the limit used", SHARE, ran.share, ran.refused))
            if ran.share < SHARE:
                missed.append(ran)
        if ran.latency == 0.05 and ran.cpu:
            upserts["stock" if ran.name.startswith("stock") else "ours"] = ran.wall
            missed.append(ran)
    print(f"\n{LIMITED}")
    for ran in missed:
        print(f"\n{ran.name}: {ran.wall:.1f} s are {ran.timeline.told(ran.limit)}")
    if given.limited:
        print(f"\n{goals.table(reached)}")
        return
    quicker = upserts["stock"] / upserts["ours"]
    print(f"\nAt 50 ms stock takes {quicker:.1f} times as long for the same batches.\n")
    print(
        "| first RECORD of contacts | wall s until it | importing singer-sdk, wall s | beyond | rounds |\n|---|---|---|---|---|"
    )
    for latency, until, sdk in begun:
        print(f"| {latency} ms | {until:.2f} | {sdk:.2f} | {until - sdk:.2f} | {given.rounds} |")
        if latency == 200:
            reached.insert(0, goals.within("first RECORD, 200 ms, beyond the import", FIRST, until - sdk, " s"))
    print(
        "\nMedians, the two in turns. Ours imports less than the whole of singer-sdk, so that the difference may be below zero.\n"
    )
    reached.insert(0, goals.faster(f"{given.records:,} upserts at 50 ms: wall against stock in turn", STOCK, quicker))
    print(goals.table(reached))


if __name__ == "__main__":
    main()
