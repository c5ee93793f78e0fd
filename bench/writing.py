"""What a target takes for each record before it writes it: ours, a stock one, target-jsonl, and the floor of decoding each line.

    python bench/writing.py [--records 100000] [--rounds 5] [--slow 1]

All read the same file of flat items, in turns, and each is asked how many it took before anything is measured. The floor decodes each line
and does nothing more; target-jsonl writes a file. CPU is that of the whole process, start-up included; a ratio is that
of medians. ``--slow`` is for how many rounds the peers are measured, where they are to be fewer.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import goals
import msgspec
import peers
from measure import Command, Side, Used, in_turns, lines_in, median, quick, times, verify

HERE = Path(__file__).parent
STOCK = 25
"""How many times the CPU of ours the stock target is to take."""
OURS, DECODED, FLOOR = "antiphon", "antiphon, each record decoded", "floor: decode each line"
FEW = 1000
"""Records of which a run is its start."""
_STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")


def _maybe(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


_GEO = _maybe("object", properties={"lat": _maybe("number"), "lng": _maybe("number")})
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": _maybe("string"),
        "email": _maybe("string"),
        "status": _maybe("string"),
        "amount": _maybe("number"),
        "quantity": _maybe("integer"),
        "price": _maybe("number"),
        "active": _maybe("boolean"),
        "owner_id": _maybe("integer"),
        "created_at": _maybe("string", format="date-time"),
        "updated_at": _maybe("string", format="date-time"),
        "address": _maybe("object", properties={"street": _maybe("string"), "city": _maybe("string"), "geo": _GEO}),
        "tags": _maybe("array", items={"type": "string"}),
        "note": _maybe("string"),
        "currency": _maybe("string"),
        "url": _maybe("string"),
        "description": _maybe("string"),
        "ratio": _maybe("number"),
    },
    "required": ["id"],
}


def items(count: int) -> Iterator[dict[str, Any]]:
    """Yield so many flat records, the same each time."""
    chance = random.Random(7)
    for n in range(1, count + 1):
        yield {
            "id": n,
            "name": f"Item number {n}",
            "email": f"user{n}@example.org",
            "status": _STAGES[n % 6],
            "amount": round(chance.uniform(1, 99999), 2),
            "quantity": n % 97,
            "price": round(chance.uniform(0.5, 999), 4),
            "active": n % 3 != 0,
            "owner_id": 100_000 + n % 331,
            "created_at": f"2026-01-{n % 28 + 1:02d}T09:{n % 60:02d}:00.123Z",
            "updated_at": f"2026-02-{n % 28 + 1:02d}T09:{n % 60:02d}:00.123Z",
            "address": {
                "street": f"{n % 999} Main Street",
                "city": "Gent",
                "geo": {"lat": 51.05, "lng": round(chance.uniform(-180, 180), 6)},
            },
            "tags": ["alpha", "beta", f"t{n % 17}"],
            "note": None if n % 5 else f"note {n}",
            "currency": "EUR",
            "url": f"https://api.example.com/v1/items/{n}",
            "description": "Words of no meaning that fill a line as descriptions do in most systems",
            "ratio": round(chance.random(), 3),
        }


def messages(path: Path, count: int) -> Path:
    """Write a file of Singer messages with so many records, and return its path."""
    with path.open("wb") as file:
        file.write(
            msgspec.json.encode({"type": "SCHEMA", "stream": "items", "schema": SCHEMA, "key_properties": ["id"]})
            + b"\n"
        )
        for item in items(count):
            file.write(msgspec.json.encode({"type": "RECORD", "stream": "items", "record": item}) + b"\n")
        file.write(b'{"type":"STATE","value":{}}\n')
    return path


def sides(folder: Path, records: int, slow: int | None) -> list[Side]:
    """Return those that are compared, each with so many records as its input."""
    source = messages(folder / "items.jsonl", records)
    count = folder / "count"
    (folder / "ours.json").write_text(json.dumps({"state_dir": str(folder), "streams": {"items": {"mode": "create"}}}))
    (folder / "none.json").write_text("{}")
    (folder / "files.json").write_text(json.dumps({"destination_path": str(folder)}))

    def counted(name: str, *command: str | Path, rounds: int | None = None, **more: str) -> Side:
        environment = {"COUNT": str(count), **more}
        return Side(
            name, command, source, environment=environment, rounds=rounds, count=lambda: int(count.read_text("utf-8"))
        )

    jsonl = peers.python("target-jsonl").with_name("target-jsonl")
    stock: Path = HERE / "peers" / "stock_target.py"
    ours: Command = (sys.executable, HERE / "noop_target.py", "--config", folder / "ours.json")
    return [
        counted(OURS, *ours),
        counted(DECODED, *ours, DECODE="yes"),
        counted(FLOOR, sys.executable, HERE / "floor.py", "take"),
        counted("singer-sdk", peers.python("singer-sdk"), stock, "--config", folder / "none.json", rounds=slow),
        Side(
            "target-jsonl",
            [jsonl, "--config", folder / "files.json"],
            source,
            folder=folder,
            rounds=slow,
            count=lambda: lines_in(folder.glob("items-*.jsonl")),
        ),
    ]


def measured(records: int, rounds: int, slow: int | None) -> dict[str, list[Used]]:
    """Return the runs of each side, and those of ours with so few records that they are its start."""
    with (
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name,
        tempfile.TemporaryDirectory(prefix="antiphon-bench-") as other,
    ):
        compared = sides(Path(name), records, slow)
        for side in compared:
            print(f"counting what {side.name} takes of {records:,} items …", file=sys.stderr)
            verify(side, records, Path(name) / "out")
        [begun, *_] = sides(Path(other), FEW, slow)
        return in_turns([replace(begun, name="start"), *compared], rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slow", type=int, help="rounds of the peers, where they are to be fewer")
    given = parser.parse_args()
    runs = measured(given.records, given.rounds, given.slow)
    start = median(runs.pop("start")).cpu
    ours = runs[OURS]
    each = {name: median(took).cpu / given.records * 1e6 for name, took in runs.items()}
    print("| target, validation on | CPU, ours = 1 | CPU µs/record | peak MB | rounds |\n|---|---|---|---|---|")
    for name, took in runs.items():
        used = median(took)
        print(f"| {name} | {times(took, ours):.1f} | {each[name]:.1f} | {used.memory:.0f} | {len(took)} |")
    print(
        f"\n{given.records:,} items into each. {quick(runs)} Ours takes {start:.2f} s until {FEW:,} are in. "
        "It holds valid records as the lines they came on, and who writes them decodes them: with that it takes what the second row says. The others decode each at once.\n"
    )
    against = times(runs["singer-sdk"], ours)
    if against < STOCK:
        asked, begun = each["singer-sdk"] / STOCK, start / given.records * 1e6
        missed = goals.Missed(f"{STOCK} times singer-sdk", asked, each[OURS], begun)
        print(goals.room([missed], {FLOOR: each[FLOOR]}))
    print(goals.table([goals.faster("target, validation on: CPU against singer-sdk", STOCK, against)]))


if __name__ == "__main__":
    main()
