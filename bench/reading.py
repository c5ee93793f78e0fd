"""What a tap takes for each record: ours, a stock one, taps and frameworks of others, and the floor. All read one mock.

    python bench/reading.py [--contacts 50000] [--items 100000] [--rounds 3] [--slow 3] [--alone]

All read the same pages of the same records (ours is told to read no list in several parts at once), and CPU is that of the whole process, start-up included. Before anything is measured the records that each
side gives are counted, and what ours and the stock tap write is compared: every record must mean the same. All take turns,
and a ratio is that of medians. ``--alone`` leaves out the peers but the stock tap; ``--slow`` is for how many rounds the peers are measured.
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
from itertools import islice
from pathlib import Path
from typing import Any

import goals
import peers
from account import BIN
from measure import Side, Used, in_turns, lines_in, median, times, verify
from mockserver import CONTACTS, DIFFERENT, ITEMS, served

HERE = Path(__file__).parent
PEERS = HERE / "peers"
GOALS = {
    "contacts": {"singer-sdk": 8, "meltano-tap-hubspot": 12, "airbyte-cdk": 10, "dlt, to files": 12},
    "items": {"singer-sdk": 15, "airbyte-cdk": 12, "dlt, to files": 15},
}
"""How many times the CPU of ours the others are to take."""
FLOOR = "floor: decode, encode"
OVER = 1.6
"""How many times the floor ours may take for items, both without their start-up."""
_FLOOR = """
import sys, msgspec, urllib3
stream, base = sys.argv[1:]
decode, lines = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode_lines
pool = urllib3.connectionpool.connection_from_url(base)
class Line(msgspec.Struct):
    type: str
    stream: str
    record: dict
    time_extracted: str
def write(records):
    sys.stdout.buffer.write(lines([Line("RECORD", stream, record, "2026-01-01T00:00:00Z") for record in records]))
at = "" if stream == "contacts" else 1
while at is not None:
    path = f"/crm/objects/2026-09/contacts?limit=100&after={at}" if stream == "contacts" else f"/items?page={at}&per_page=1000"
    page = decode(pool.request("GET", path.removesuffix("&after=")).data)
    if stream == "contacts":
        write(page["results"])
        at = page.get("paging", {}).get("next", {}).get("after")
    else:
        write(page["data"])
        at = at + 1 if page["has_more"] else None
"""


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
        return self._side("antiphon", [*self._tap(), *config])

    def floor(self) -> Side:
        """Return a loop that decodes and encodes, and nothing else."""
        return self._side(FLOOR, [sys.executable, "-c", _FLOOR, self.stream, self.base])

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
        files = self.folder / "dlt"
        made = files / "files" / "bench" / self.stream
        pipeline: list[str | Path] = [peers.python("dlt"), PEERS / "dlt_source.py", self.stream, files]
        yield self._side("dlt, to files", pipeline, rounds=self.slow, count=lambda: lines_in(made.iterdir()))


def compare(ours: Path, stock: Path) -> None:
    """Compare the records that ours and the stock tap wrote, as far as the mock's are different.

    Raises:
        SystemExit: they do not mean the same.
    """
    both = zip(*(islice(records(path), DIFFERENT + 1) for path in (ours, stock)), strict=True)
    for mine, theirs in both:
        if meaning(mine) != meaning(theirs):
            raise SystemExit(f"not the same:\n{mine!r}\n{theirs!r}")


def records(path: Path) -> Iterator[bytes]:
    """Yield the RECORD lines in a file; not kept, for a child is charged with what its parent holds."""
    with path.open("rb") as lines:
        yield from (line for line in lines if line.startswith(b'{"type":"RECORD"'))


def meaning(line: bytes) -> Any:
    """Return the record in *line*; a number is what it is worth, and a full second is one, however they are written."""
    return json.loads(line.replace(b'.000Z"', b'Z"'), parse_float=Decimal, parse_int=Decimal)["record"]


def measured(stream: str, count: int, rounds: int, slow: int, *, alone: bool) -> dict[str, list[Used]]:
    """Return the runs of each side, and those of ours and of the floor with a single page, for what start-up takes."""
    page = CONTACTS if stream == "contacts" else ITEMS
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name,
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as other,
        served(count, count) as at,
        served(page, page) as first,
    ):
        bench, small = Bench(stream, Path(name), at, slow), Bench(stream, Path(other), first)
        sides = [bench.ours(), bench.floor(), bench.stock(), *([] if alone else bench.others())]
        wrote = {side.name: Path(name) / f"{n}.jsonl" for n, side in enumerate(sides)}
        for side in sides:
            print(f"counting what {side.name} gives of {count:,} {stream} …", file=sys.stderr)
            verify(side, count, wrote[side.name])
            if side.name not in ("antiphon", "singer-sdk"):
                wrote[side.name].unlink()
        compare(wrote["antiphon"], wrote["singer-sdk"])
        begun = [replace(side, name=f"start of {side.name}") for side in (small.ours(), small.floor())]
        return in_turns([*begun, *sides], rounds)


def table(stream: str, count: int, runs: dict[str, list[Used]]) -> list[goals.Goal]:
    """Print what was measured; return the goals."""
    started = [runs.pop(f"start of {name}") for name in ("antiphon", FLOOR)]
    ours, page = runs["antiphon"], CONTACTS if stream == "contacts" else ITEMS
    print(f"| tap, {stream} | CPU, ours = 1 | CPU µs/record | peak MB | rounds |\n|---|---|---|---|---|")
    for name, took in runs.items():
        used = median(took)
        each = used.cpu / count * 1e6
        print(f"| {name} | {times(took, ours):.1f} | {each:.1f} | {used.memory:.0f} | {len(took)} |", flush=True)
    over = without_start(runs, started)
    begun = " and ".join(f"{median(one).cpu:.2f}" for one in started)
    print(
        f"\n{count:,} {stream} through each. Ours and the floor (urllib3, msgspec, nothing else) take {begun} s until their first {page:,} "
        f"are out; for each further record ours takes {over:.2f} times the floor."
    )
    reached = [
        goals.faster(f"tap, {stream}: CPU against {name}", least, times(runs[name], ours))
        for name, least in GOALS[stream].items()
        if name in runs
    ]
    if stream == "items":
        reached.append(goals.within("tap, items: CPU against the floor, without start-up", OVER, over, " times"))
    return reached


def without_start(runs: dict[str, list[Used]], started: list[list[Used]]) -> float:
    """Return how many times the floor's CPU ours takes for each further record."""
    ours, floor = (
        [replace(all_, cpu=all_.cpu - start.cpu) for all_, start in zip(runs[name], begun, strict=True)]
        for name, begun in zip(("antiphon", FLOOR), started, strict=True)
    )
    return times(ours, floor)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow", type=int, default=3, help="rounds of the peers")
    parser.add_argument("--alone", action="store_true", help="no peers but the stock tap")
    given = parser.parse_args()
    reached = []
    for stream, count in (("contacts", given.contacts), ("items", given.items)):
        if count:
            runs = measured(stream, count, given.rounds, given.slow, alone=given.alone)
            reached += table(stream, count, runs)
            print()
    print(goals.table(reached))


if __name__ == "__main__":
    main()
