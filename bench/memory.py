"""The memory of a tap and of targets, however many records go through: as flat at the end as after the first hundred thousand.

    python bench/memory.py [--most 5000000] [--written 5000000]

Items through a tap, items through a target that writes nothing, and people upserted through the target of HubSpot, with its ledger.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path

import goals
import msgspec
from account import BIN, person, schema_of_people
from measure import Side, Used, run
from mockserver import DIFFERENT, served
from reading import Bench
from writing import HERE, SCHEMA, items

MEMORY = 120
"""Megabytes (10^6 bytes) of resident memory that a plugin may take."""
GROWTH = 10
"""Megabytes that it may take more for all records than for a fifth of them."""


def lines_of_items(count: int) -> Iterator[bytes]:
    """Yield the messages of so many items, of which forty thousand differ."""
    encode = msgspec.json.encode
    yield encode({"type": "SCHEMA", "stream": "items", "schema": SCHEMA, "key_properties": ["id"]}) + b"\n"
    made = [encode({"type": "RECORD", "stream": "items", "record": item}) + b"\n" for item in items(DIFFERENT)]
    yield from islice(cycle(made), count)
    yield b'{"type":"STATE","value":{"written":%d}}\n' % count


def lines_of_people(count: int) -> Iterator[bytes]:
    """Yield the messages of so many people, all different."""
    encode = msgspec.json.encode
    yield encode(schema_of_people()) + b"\n"
    for n in range(count):
        yield encode({"type": "RECORD", "stream": "contacts", "record": person(n, "Clerk")}) + b"\n"
        if n % 100_000 == 0:
            yield b'{"type":"STATE","value":{"written":%d}}\n' % n
    yield b'{"type":"STATE","value":{"written":%d}}\n' % count


LINES: dict[str, Callable[[int], Iterator[bytes]]] = {"items": lines_of_items, "people": lines_of_people}


def read(count: int) -> Used:
    """Read so many items."""
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name, served(100, count) as at:
        return run(Bench("items", Path(name), at).ours())


def taken_in(what: str, command: list[str | Path], config: dict[str, object], count: int) -> Used:
    """Give so many of *what* to a target.

    Raises:
        SystemExit: its last state is not that of the last record.
    """
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps({**config, "state_dir": name}))
        feed = [sys.executable, __file__, "--feed", what, "--most", str(count)]
        target: list[str | Path] = [*command, "--config", folder / "config.json"]
        used = run(Side("target", target, stdout=folder / "out", feed=feed))
        if json.loads((folder / "out").read_text("utf-8").splitlines()[-1]) != {"written": count}:
            raise SystemExit("target -> its last state is not the one that was sent")
    return used


def held(count: int) -> Used:
    """Give so many items to a target that writes nothing."""
    command: list[str | Path] = [sys.executable, HERE / "noop_target.py"]
    return taken_in("items", command, {"streams": {"items": {"mode": "create"}}}, count)


def written(count: int) -> Used:
    """Upsert so many people, all new."""
    with served(100, 100) as at:
        return taken_in("people", [BIN / "target-hubspot"], {"base_url": at, "access_token": "t"}, count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--most", type=int, default=5_000_000)
    parser.add_argument("--written", type=int, default=5_000_000, help="people that are upserted")
    parser.add_argument("--feed", choices=LINES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.feed:
        sys.stdout.buffer.writelines(LINES[given.feed](given.most))
        return
    reached = []
    print("| run | records | peak MB | CPU µs/record | CPU s |\n|---|---|---|---|---|")
    for name, through, most in (
        ("tap, items", read, given.most),
        ("target, items, written nowhere", held, given.most),
        ("target-hubspot, people upserted, with its ledger", written, given.written),
    ):
        took: list[Used] = []
        for count in sorted({most // 50, most // 5, most} - {0}):
            took.append(used := through(count))
            each = used.cpu / count * 1e6
            print(f"| {name} | {count:,} | {used.memory:.0f} | {each:.1f} | {used.cpu:.1f} |", flush=True)
        if took:
            peak, *before = (used.memory for used in reversed(took))
            reached.append(
                goals.within(f"{most:,} records, {name}: peak", MEMORY, max(used.memory for used in took), " MB")
            )
            grown = max(0.0, peak - before[0]) if before else 0.0
            reached.append(goals.within(f"{name}: more MB than for a fifth of them", GROWTH, grown, " MB"))
    print(f"\n{goals.table(reached)}")


if __name__ == "__main__":
    main()
