"""What a tap takes for each record: ours, a stock one, frameworks of others, and the floors. All read one mock.

    python bench/reading.py [--contacts 50000] [--items 50000] [--rounds 3] [--alone]

All read the same records; CPU is that of the whole process, start-up included. Before anything is measured, what ours and the stock tap write is compared: every record must mean the same. ``--alone`` leaves out the peers but the stock tap.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import peers
from account import BIN
from measure import Side, Used, in_turns, run
from mockserver import served

HERE = Path(__file__).parent
PEERS = HERE / "peers"
MEMORY = 120
"""Megabytes that a tap may take, however many records there are."""
_FLOOR = """
import sys, msgspec, urllib3
from urllib.parse import urlsplit
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
    page = decode(pool.request("GET", path.replace("&after=&", "&").removesuffix("&after=")).data)
    if stream == "contacts":
        write(page["results"])
        at = page.get("paging", {}).get("next", {}).get("after")
    else:
        write(page["data"])
        at = at + 1 if page["has_more"] else None
"""


class Bench:
    """The sides of one *stream* on the mock at *base*."""

    def __init__(self, stream: str, folder: Path, base: str) -> None:
        """Write what they need: configs, the schema, catalogs."""
        self.stream, self.folder, self.base = stream, folder, base
        token = {"access_token": "t"} if stream == "contacts" else {}
        (folder / "config.json").write_text(json.dumps({"base_url": base, "state_dir": str(folder), **token}))
        (folder / "none.json").write_text("{}")
        found = subprocess.run(
            [*self._tap(), "--config", folder / "config.json", "--discover"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        [entry] = [entry for entry in json.loads(found.stdout)["streams"] if entry["tap_stream_id"] == stream]
        (folder / "catalog.json").write_text(json.dumps({"streams": [entry]}))
        (folder / "schema.json").write_text(json.dumps(entry["schema"]))
        sync = {"sync_mode": "full_refresh", "destination_sync_mode": "append"}
        whole = {"name": stream, "json_schema": entry["schema"], "supported_sync_modes": ["full_refresh"]}
        (folder / "airbyte.json").write_text(json.dumps({"streams": [{"stream": whole, **sync}]}))

    def _tap(self) -> list[str | Path]:
        return [BIN / "tap-hubspot"] if self.stream == "contacts" else [sys.executable, HERE / "items_tap.py"]

    def side(self, name: str, command: list[str | Path], out: Path | None = None) -> Side:
        """Return one side, with what the peers read from the environment."""
        given = {"BASE": self.base, "STREAM": self.stream, "SCHEMA": str(self.folder / "schema.json")}
        return Side(name, command, stdout=out, environment=given, folder=self.folder)

    def ours(self, out: Path | None = None) -> Side:
        """Return our tap."""
        config: list[str | Path] = ["--config", self.folder / "config.json", "--catalog", self.folder / "catalog.json"]
        return self.side("antiphon", [*self._tap(), *config], out)

    def stock(self, out: Path | None = None) -> Side:
        """Return a tap of the stock SDK."""
        command: list[str | Path] = [peers.python("singer-sdk"), PEERS / "stock_tap.py"]
        return self.side("singer-sdk", [*command, "--config", self.folder / "none.json"], out)

    def others(self) -> Iterator[Side]:
        """Yield the other peers."""
        reading: list[str | Path] = [
            "read",
            "--config",
            self.folder / "none.json",
            "--catalog",
            self.folder / "airbyte.json",
        ]
        yield self.side("airbyte-cdk", [peers.python("airbyte-cdk"), PEERS / "airbyte_source.py", *reading])
        yield self.side(
            "dlt, to files", [peers.python("dlt"), PEERS / "dlt_source.py", self.stream, self.folder / "dlt"]
        )

    def compare(self) -> None:
        """Let ours and the stock tap read all, and compare.

        Raises:
            SystemExit: what they wrote does not mean the same.
        """
        ours, stock = (self.ours(self.folder / "ours.jsonl"), self.stock(self.folder / "stock.jsonl"))
        for side in (ours, stock):
            run(side)
        count = 0
        for count, (mine, theirs) in enumerate(zip(*map(records, (ours, stock)), strict=True), 1):  # noqa: B007
            if meaning(mine) != meaning(theirs):
                raise SystemExit(f"not the same:\n{mine!r}\n{theirs!r}")
        print(f"{count:,} {self.stream}: what ours and the stock tap write means the same.\n", file=sys.stderr)


def records(side: Side) -> Iterator[bytes]:
    """Yield the RECORD lines that *side* wrote; not kept, for a child is charged with what its parent holds."""
    assert side.stdout is not None
    with side.stdout.open("rb") as lines:
        yield from (line for line in lines if line.startswith(b'{"type":"RECORD"'))


def meaning(line: bytes) -> Any:
    """Return the record in *line*; a number is what it is worth, and a full second is one, however they are written."""
    return json.loads(line.replace(b'.000Z"', b'Z"'), parse_float=Decimal, parse_int=Decimal)["record"]


def measured(stream: str, records: int, rounds: int, *, alone: bool) -> dict[str, Used]:
    """Return what each side took."""
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name,
        served(records, records) as at,
    ):
        bench = Bench(stream, Path(name), at)
        bench.compare()
        floor: list[str | Path] = [sys.executable, "-c", _FLOOR, stream, at]
        sides = [bench.ours(), bench.side("floor: decode, encode", floor), bench.stock()]
        if not alone:
            sides += bench.others()
        took = in_turns(sides, rounds)
        none = run(bench.side("start-up", [*bench.ours().command, "--about"]))
    return {"start-up": none, **took}


def table(stream: str, count: int, found: dict[str, Used]) -> None:
    """Print what was measured."""
    start, ours, floor = found.pop("start-up"), found["antiphon"], found["floor: decode, encode"]
    print(f"| tap, {stream} | CPU, ours = 1 | CPU µs/record | peak MB |\n|---|---|---|---|")
    for name, used in found.items():
        print(f"| {name} | {used.cpu / ours.cpu:.1f} | {used.cpu / count * 1e6:.1f} | {used.memory:.0f} |")
    print(
        f"\n{count:,} {stream} through each. Without the {start.cpu:.2f} s of start-up ours takes "
        f"{(ours.cpu - start.cpu) / floor.cpu:.2f} times the floor (urllib3, msgspec, nothing else)."
    )


def flat(records: int) -> None:
    """Read a million items, and five, say; print the memory it takes.

    Raises:
        SystemExit: it takes too much.
    """
    print("\n| tap, items | records | peak MB |\n|---|---|---|")
    for count in (records // 10, records):
        with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name, served(100, count) as at:
            used = run(Bench("items", Path(name), at).ours())
        print(f"| antiphon | {count:,} | {used.memory:.0f} |")
        if used.memory > MEMORY:
            raise SystemExit(f"{used.memory:.0f} MB, where {MEMORY} are allowed")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--most", type=int, default=5_000_000, help="records for the memory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    for stream, records in (("contacts", given.contacts), ("items", given.items)):
        if records:
            table(stream, records, measured(stream, records, given.rounds, alone=given.alone))
            print()
    if given.most:
        flat(given.most)


if __name__ == "__main__":
    main()
