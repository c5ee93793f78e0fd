"""Wall time against an API that is slow and limited: how much of its limit is used, and how soon the first record comes.

    python bench/latency.py [--records 20000]

The sandbox of HubSpot waits so many milliseconds before each answer. Where it has a limit it enforces it: a call too many is a 429,
and there must be none. The fewest seconds that the limit allows for the calls that were made are what the wall time is a share of. How
many requests were under way on average is what calls and latency make in that time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import goals
import peers
from account import BIN, Account, account, catalog, people
from measure import Side, run

PEERS = Path(__file__).parent / "peers"
SHARE = 0.95
"""The part of the limit that is to be used."""
FIRST = 1.0
"""Seconds until the first RECORD at 200 ms, beyond those that importing the SDK takes."""
STOCK = 5
"""How many times the time of ours the stock target is to take."""


@dataclass(frozen=True)
class Ran:
    """One run: seconds, calls, calls refused as too many; seconds of CPU, and until the first RECORD."""

    wall: float
    calls: int
    refused: int
    cpu: float = 0.0
    first: float = 0.0

    def share(self, limit: str) -> float:
        """Return the part of *limit* that was used: the fewest seconds for these calls, of the seconds they took."""
        calls, seconds = map(float, limit.split("/"))
        return (self.calls - 1) // calls * seconds / self.wall


def read(hubspot: Account, folder: Path, streams: tuple[str, ...] = ("contacts",)) -> Ran:
    """Read *streams*, or what is selected of all."""
    chosen = catalog(hubspot, folder, streams)
    hubspot.calls()
    began, first = time.monotonic(), 0.0
    command: list[str | Path] = [BIN / "tap-hubspot", "--config", folder / "config.json", "--catalog", chosen]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if not first and line.startswith(b'{"type":"RECORD"'):
                first = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"tap-hubspot -> exit code {process.returncode}")
    wall = time.monotonic() - began
    return Ran(wall, *hubspot.calls(), first=first)


def write(hubspot: Account, folder: Path, source: Path) -> Ran:
    """Upsert people by their e-mail address."""
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    hubspot.calls()
    used = run(Side("target-hubspot", [BIN / "target-hubspot", "--config", folder / "config.json"], source))
    return Ran(used.wall, *hubspot.calls(), used.cpu)


def stock_write(hubspot: Account, folder: Path, source: Path) -> Ran:
    """Do the same as a target of the SDK would: one batch after the other."""
    (folder / "none.json").write_text("{}")
    hubspot.calls()
    environment = {"BASE": hubspot.config["base_url"], "TOKEN": hubspot.config["access_token"]}
    command: list[str | Path] = [
        peers.python("singer-sdk"),
        PEERS / "stock_hubspot_target.py",
        "--config",
        folder / "none.json",
    ]
    used = run(Side("stock", command, source, environment=environment))
    return Ran(used.wall, *hubspot.calls(), used.cpu)


def imported() -> float:
    """Return the seconds that importing the Singer SDK takes."""
    return run(Side("import", [sys.executable, "-c", "import singer_sdk, singer_sdk.tap_base"])).wall


def measured(records: int) -> Iterator[tuple[str, Ran, int, str]]:
    """Yield what was done, what it took, the latency, and the limit there was."""
    for latency in (50, 200):
        with tempfile.TemporaryDirectory() as name, account(records, latency=latency) as hubspot:
            yield f"read {records:,} contacts, {latency} ms", read(hubspot, Path(name)), latency, ""
        with tempfile.TemporaryDirectory() as name, account(0, latency=latency) as hubspot:
            folder = Path(name)
            source = people(folder, records)
            yield f"upsert {records:,}, {latency} ms", write(hubspot, folder, source), latency, ""
        if latency == 50:
            with tempfile.TemporaryDirectory() as name, account(0, latency=latency) as hubspot:
                yield (
                    f"stock, the same batches in turn, {latency} ms",
                    stock_write(hubspot, Path(name), people(Path(name), records)),
                    latency,
                    "",
                )
    limit = "100/10"
    with tempfile.TemporaryDirectory() as name, account(records, latency=200, limit=limit) as hubspot:
        yield f"read the account of {records:,} contacts, 200 ms, {limit}", read(hubspot, Path(name), ()), 200, limit
    with tempfile.TemporaryDirectory() as name, account(0, latency=200, limit=limit) as hubspot:
        yield (
            f"upsert {records:,}, 200 ms, {limit}",
            write(hubspot, Path(name), people(Path(name), records)),
            200,
            limit,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    records = parser.parse_args().records
    sdk = imported()
    print(f"Importing singer-sdk takes {sdk:.2f} s.\n")
    head = ("run", "wall s", "calls", "under way", "CPU µs/record", "429s", "share of the limit")
    print("|", " | ".join((*head, "first RECORD, s beyond the import")), "|\n" + "|---" * (len(head) + 1) + "|")
    upserts: dict[str, float] = {}
    reached = []
    for name, ran, latency, limit in measured(records):
        under_way = f"{ran.calls * latency / 1000 / ran.wall:.1f}"
        cpu = f"{ran.cpu / records * 1e6:.0f}" if ran.cpu else ""
        share = f"{ran.share(limit):.1%}" if limit else ""
        first = f"{ran.first - sdk:.2f}" if ran.first else ""
        told = (name, f"{ran.wall:.1f}", f"{ran.calls:,}", under_way, cpu, str(ran.refused), share, first)
        print("|", " | ".join(told), "|", flush=True)
        if limit:
            reached.append(goals.share(f"{name}: share of the limit used", SHARE, ran.share(limit), ran.refused))
        elif latency == 200 and ran.first:
            reached.append(goals.within(f"first RECORD, {latency} ms, beyond the import", FIRST, ran.first - sdk, " s"))
        if latency == 50 and ran.cpu:
            upserts["stock" if name.startswith("stock") else "ours"] = ran.wall
    quicker = upserts["stock"] / upserts["ours"]
    print(f"\nAt 50 ms stock takes {quicker:.1f} times as long for the same batches.\n")
    reached.insert(0, goals.faster(f"{records:,} upserts at 50 ms: wall against stock in turn", STOCK, quicker))
    print(goals.table(reached))


if __name__ == "__main__":
    main()
