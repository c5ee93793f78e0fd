"""What a target takes for each record before it writes it: ours, a stock one, target-jsonl, and the floor of decoding each line.

    python bench/writing.py [--records 500000]

All read the same file of flat items, in turns. The floor decodes each line and does nothing more; target-jsonl writes a file.
The slow ones are given a fifth of the records: what is compared is CPU for each record, start-up included.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import peers
from measure import Side, Used, in_turns

HERE = Path(__file__).parent
_FLOOR = (
    "import sys, msgspec\ndecode = msgspec.json.Decoder().decode\nfor line in sys.stdin.buffer:\n    decode(line)\n"
)
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


def measured(records: int, rounds: int) -> dict[str, tuple[Used, int]]:
    """Return what each side took, and for how many records."""
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name:
        folder = Path(name)
        many, few = messages(folder / "many.jsonl", records), messages(folder / "few.jsonl", records // 5)
        (folder / "ours.json").write_text(json.dumps({"state_dir": name, "streams": {"items": {"mode": "create"}}}))
        (folder / "none.json").write_text("{}")
        (folder / "files.json").write_text(json.dumps({"destination_path": name}))
        stock, jsonl = peers.python("singer-sdk"), peers.python("target-jsonl")
        sides = [
            Side("antiphon", [sys.executable, HERE / "noop_target.py", "--config", folder / "ours.json"], many),
            Side("floor: decode each line", [sys.executable, "-c", _FLOOR], many),
            Side("singer-sdk", [stock, HERE / "peers" / "stock_target.py", "--config", folder / "none.json"], few),
            Side(
                "target-jsonl", [jsonl.with_name("target-jsonl"), "--config", folder / "files.json"], few, folder=folder
            ),
        ]
        return {
            side: (used, records if used_many else records // 5)
            for (side, used), used_many in zip(in_turns(sides, rounds).items(), (True, True, False, False), strict=True)
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    found = measured(given.records, given.rounds)
    ours, count = found["antiphon"]
    print("| target, validation on | CPU, ours = 1 | CPU µs/record | peak MB |\n|---|---|---|---|")
    for name, (used, of) in found.items():
        each = used.cpu / of * 1e6
        print(f"| {name} | {each / (ours.cpu / count * 1e6):.1f} | {each:.1f} | {used.memory:.0f} |")


if __name__ == "__main__":
    main()
