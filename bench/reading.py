"""What a tap takes for each record: ours, a stock one, taps and frameworks of others, and the floor. All read one mock.

    python bench/reading.py [--contacts 50000] [--items 100000] [--rounds 5] [--slow 1] [--alone]

All read the same pages of the same records (ours is told to read no list in several parts at once), and CPU is that of the whole process, start-up included. Before anything is measured the records that each
side gives are counted, and what they write is compared: with the stock tap's every record must mean the same, with that of others every
id, and every field of each hundredth record (:mod:`alike`). All take turns,
and a ratio is that of medians. ``--alone`` leaves out the peers but the stock tap; ``--slow`` is for how many rounds the peers are measured, where they are to be fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import goals
import peers
from account import BIN
from alike import EACH
from measure import Side, Used, in_turns, lines_in, median, quick, times, verify
from mockserver import CONTACTS, DIFFERENT, ITEMS, served

HERE = Path(__file__).parent
PEERS = HERE / "peers"
FILES, LOOSE = "dlt, to files", "dlt, to files, not packed"
"""As it comes, which packs them, and told not to."""
GOALS = {
    "contacts": {"singer-sdk": 8, "meltano-tap-hubspot": 12, "airbyte-cdk": 10, FILES: 12},
    "items": {"singer-sdk": 15, "airbyte-cdk": 12, FILES: 15},
}
"""How many times the CPU of ours the others are to take."""
FLOOR, RAW = "floor: decode, encode", "floor: bytes as they came"
"""The least with which RECORDs can be written, decoded or not: see floor.py."""
OURS, PLAIN = "antiphon", "antiphon, without libcurl"
_PLAIN = """
import runpy, sys
sys.modules["pycurl"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
COMPARED = (
    f"What singer-sdk wrote was held against ours in every field of the first {DIFFERENT:,} records, which are all that are different; what the "
    f"others wrote in every id, and in every field but lists of each {EACH}th record, by what it means (numbers, flags and times in texts, other names). "
    "The stock tap pages contacts as the SDK's documentation shows, for which the SDK decodes each page twice. "
    "dlt packs its files with gzip if nothing else is set, which no other side does: the goal is against it as it comes, and what it takes without stands beside it."
)
OVER = 1.6
"""How many times the floor ours may take for items, both without their start-up."""


class Bench:
    """The sides of one *stream* on the mock at *base*; peers are measured in so many rounds at the most."""

    def __init__(self, stream: str, folder: Path, base: str, slow: int | None = None) -> None:
        """Write what ours needs: a config and a catalog."""
        self.stream, self.folder, self.base, self.slow = stream, folder, base, slow
        token = {"access_token": "t"} if stream == "contacts" else {}
        self._write("config", {"base_url": base, "state_dir": str(folder), "parallel": 1, **token})
        self.entry = self._discovered([*self._tap(), "--config", folder / "config.json"])
        self._write("catalog", {"streams": [self.entry]})

    def _write(self, name: str, what: object) -> Path:
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(what))
        return path

    def _discovered(self, tap: list[str | Path]) -> Any:
        """Return the entry of the stream in what *tap* discovers."""
        found = subprocess.run(
            [*tap, "--discover"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            env={**os.environ, "BASE": self.base},
        )
        [entry] = [entry for entry in json.loads(found.stdout)["streams"] if entry["tap_stream_id"] == self.stream]
        return entry

    def _tap(self) -> list[str | Path]:
        return [BIN / "tap-hubspot"] if self.stream == "contacts" else [sys.executable, HERE / "items_tap.py"]

    def _side(self, name: str, command: list[str | Path], **more: Any) -> Side:
        given = {"BASE": self.base, "STREAM": self.stream, "SCHEMA": str(self.folder / "schema.json")}
        return Side(name, command, environment=given, folder=self.folder, **more)

    def ours(self) -> Side:
        """Return our tap."""
        config: list[str | Path] = ["--config", self.folder / "config.json", "--catalog", self.folder / "catalog.json"]
        return self._side(OURS, [*self._tap(), *config])

    def plain(self) -> Side:
        """Return our tap where libcurl is not installed."""
        ours = self.ours()
        return replace(ours, name=PLAIN, command=[sys.executable, "-c", _PLAIN, *ours.command])

    def floors(self) -> list[Side]:
        """Return the loops that do the least."""
        command: list[str | Path] = [sys.executable, HERE / "floor.py", self.stream, self.base]
        return [self._side(FLOOR, [*command, "encode"]), self._side(RAW, [*command, "raw"])]

    def stock(self) -> Side:
        """Return a tap of the stock SDK."""
        self._write("schema", self.entry["schema"])
        command: list[str | Path] = [peers.python("singer-sdk"), PEERS / "stock_tap.py"]
        return self._side("singer-sdk", [*command, "--config", self._write("none", {})], rounds=self.slow)

    def others(self) -> Iterator[Side]:
        """Yield the other peers."""
        if self.stream == "contacts":
            config = self._write("meltano", {"access_token": "t"})
            tap: list[str | Path] = [peers.python("meltano-tap-hubspot"), PEERS / "hubspot_tap.py", "--config", config]
            catalog = self._write("meltano-catalog", {"streams": [self._discovered(tap)]})
            yield self._side("meltano-tap-hubspot", [*tap, "--catalog", catalog], rounds=self.slow)
        whole = {"name": self.stream, "json_schema": self.entry["schema"], "supported_sync_modes": ["full_refresh"]}
        sync = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
        catalog = self._write("airbyte", {"streams": [{"stream": whole, **sync}]})
        source: list[str | Path] = [peers.python("airbyte-cdk"), PEERS / "airbyte_source.py", "read"]
        config = self._write("none", {})
        yield self._side("airbyte-cdk", [*source, "--config", config, "--catalog", catalog], rounds=self.slow)
        yield self._dlt(FILES)
        yield self._dlt(LOOSE, NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION="true")

    def _dlt(self, name: str, **settings: str) -> Side:
        pipeline: list[str | Path] = [peers.python("dlt"), PEERS / "dlt_source.py", self.stream, self.folder / name]
        side = self._side(name, pipeline, rounds=self.slow, count=lambda: lines_in(self.wrote(name)))
        return replace(side, environment={**side.environment, **settings})

    def wrote(self, name: str) -> list[Path]:
        """Return the files in which the side of that *name* left its records, if it has any of its own."""
        made = self.folder / name / "files" / "bench" / self.stream
        return sorted(made.iterdir()) if name in (FILES, LOOSE) else []


def compare(ours: Path, stock: Path) -> None:
    """Compare the records that ours and the stock tap wrote, as far as the mock's are different.

    Raises:
        SystemExit: they do not mean the same.
    """
    both = zip(*(islice(records(path), DIFFERENT + 1) for path in (ours, stock)), strict=True)
    for mine, theirs in both:
        if meaning(mine) != meaning(theirs):
            raise SystemExit(f"not the same:\n{mine!r}\n{theirs!r}")


def same(name: str, ours: Path, theirs: list[Path]) -> None:
    """Compare what ours and another side wrote by what it means, as :mod:`alike` says: in a process of its own, which may take memory.

    Raises:
        SystemExit: it is not the same.
    """
    command: list[str | Path] = [sys.executable, HERE / "alike.py", ours, *theirs]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} -> not the same as ours: {done.stderr.strip()[-500:]}")


def records(path: Path) -> Iterator[bytes]:
    """Yield the RECORD lines in a file; not kept, for a child is charged with what its parent holds."""
    with path.open("rb") as lines:
        yield from (line for line in lines if line.startswith(b'{"type":"RECORD"'))


def meaning(line: bytes) -> Any:
    """Return the record in *line*; a number is what it is worth, and a full second is one, however they are written."""
    return json.loads(line.replace(b'.000Z"', b'Z"'), parse_float=Decimal, parse_int=Decimal)["record"]


def measured(stream: str, count: int, rounds: int, slow: int | None, *, alone: bool) -> dict[str, list[Used]]:
    """Return the runs of each side, and those of ours and of the floors with a single page, for what start-up takes."""
    page = CONTACTS if stream == "contacts" else ITEMS
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name,
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as other,
        served(count, count) as at,
        served(page, page) as first,
    ):
        bench, small = Bench(stream, Path(name), at, slow), Bench(stream, Path(other), first)
        plain = [bench.plain()] if stream == "contacts" else []
        sides = [bench.ours(), *plain, *bench.floors(), bench.stock(), *([] if alone else bench.others())]
        wrote = {side.name: Path(name) / f"{n}.jsonl" for n, side in enumerate(sides)}
        for side in sides:
            print(f"counting what {side.name} gives of {count:,} {stream} …", file=sys.stderr)
            verify(side, count, wrote[side.name])
            if side.name == "singer-sdk":
                compare(wrote[OURS], wrote[side.name])
            elif side.name != OURS:
                same(side.name, wrote[OURS], bench.wrote(side.name) or [wrote[side.name]])
            if side.name != OURS:
                wrote[side.name].unlink()
        begun = [replace(side, name=f"start of {side.name}") for side in (small.ours(), *small.floors())]
        return in_turns([*begun, *sides], rounds)


def table(stream: str, count: int, runs: dict[str, list[Used]]) -> list[goals.Goal]:
    """Print what was measured; return the goals."""
    started = {name: median(runs.pop(f"start of {name}")).cpu for name in (OURS, FLOOR, RAW)}
    ours, page = runs[OURS], CONTACTS if stream == "contacts" else ITEMS
    each = {name: median(took).cpu / count * 1e6 for name, took in runs.items()}
    print(f"| tap, {stream} | CPU, ours = 1 | CPU µs/record | peak MB | rounds |\n|---|---|---|---|---|")
    for name, took in runs.items():
        used = median(took)
        print(f"| {name} | {times(took, ours):.1f} | {each[name]:.1f} | {used.memory:.0f} | {len(took)} |", flush=True)
    further = {name: (median(runs[name]).cpu - begun) / max(1, count - page) * 1e6 for name, begun in started.items()}
    over, raw = further[OURS] / further[FLOOR], further[OURS] / further[RAW]
    begun = " and ".join(f"{started[name]:.2f}" for name in (OURS, FLOOR))
    print(f"\n{count:,} {stream} through each. {quick(runs)}{libcurl() if stream == 'contacts' else ''}")
    print(
        f"\nBoth floors fetch pages with urllib3 and write lines: one decodes each record and encodes it, the other looks for the ends of "
        f"records only, and passes on their bytes. Ours and the first take {begun} s until {page:,} records are out. Each further record "
        f"takes ours {further[OURS]:.1f} µs: {over:.2f} times the floor that decodes and encodes, {raw:.2f} times that of bytes as they came."
    )
    reached, missed = [], []
    for name, least in GOALS[stream].items():
        if name in runs:
            reached.append(goals.faster(f"tap, {stream}: CPU against {name}", least, times(runs[name], ours)))
            if each[name] < least * each[OURS]:
                asked, start = each[name] / least, started[OURS] / count * 1e6
                missed.append(goals.Missed(f"{least} times {name}", asked, each[OURS], start))
    print(f"\n{goals.room(missed, {name: each[name] for name in (FLOOR, RAW)})}")
    if stream == "items":
        reached.append(goals.within("tap, items: CPU against the floor, without start-up", OVER, over, " times"))
    return reached


def libcurl() -> str:
    """Return whether what reads by libcurl is installed here."""
    try:
        return (
            f" Reads of ours go by libcurl (pycurl {version('pycurl')}) after the first three, unless it says without."
        )
    except PackageNotFoundError:
        return " pycurl is not installed here, so that ours is the same with and without libcurl."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=int, help="rounds of the peers, where they are to be fewer")
    parser.add_argument("--alone", action="store_true", help="no peers but the stock tap")
    given = parser.parse_args()
    reached = []
    for stream, count in (("contacts", given.contacts), ("items", given.items)):
        if count:
            runs = measured(stream, count, given.rounds, given.slow, alone=given.alone)
            reached += table(stream, count, runs)
            print()
    print(f"{COMPARED}\n\n{goals.table(reached)}")


if __name__ == "__main__":
    main()
