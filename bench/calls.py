"""How many calls it takes to read, write and keep up contacts, and what a plugin takes for it.

    python bench/calls.py [--records 100000]

Calls are counted by the sandbox, which announces a limit that nobody meets. Exit code 1: a plugin took more memory or other calls than it
may, or lost a record.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import goals
from account import BIN, Account, account, catalog, people
from measure import Command, Side, Used, run

MEMORY = 120
"""Megabytes (10^6 bytes) of resident memory a plugin may take."""
PARTS = 20
"""Calls that reading a list in several parts may take beyond its pages."""
UNCHANGED = "read what changed: nothing"
BATCH = 100
"""Records that HubSpot takes, or gives, in one call."""


@dataclass(frozen=True)
class Done:
    """What was done, what it took, the calls on contacts by route, and those that were due."""

    name: str
    used: Used
    calls: dict[str, int]
    due: dict[str, int] | int
    """Those of each route, or how many there may be in all."""
    total: int
    """Calls of all kinds."""

    def wrong(self) -> list[str]:
        """Return what is not as it must be."""
        found = []
        if self.used.memory > MEMORY:
            found.append(f"{self.name}: {self.used.memory:.0f} MB, where {MEMORY} are allowed")
        if self.total > self.due if isinstance(self.due, int) else self.calls != self.due:
            found.append(f"{self.name}: the calls were {self.calls}, where {self.due} were due")
        return found


def done(name: str, hubspot: Account, side: Side, due: dict[str, int] | int) -> Done:
    """Run *side* and count its calls."""
    hubspot.control("POST", "calls/reset")
    used = run(side)
    made = {f"{c['method']} {c['route']}": c["count"] for c in hubspot.control("GET", "calls")["calls"]}
    of_contacts = {route: count for route, count in made.items() if "objects/contacts" in route}
    return Done(name, used, of_contacts, due, sum(made.values()))


def reading(records: int) -> Iterator[Done]:
    """Read all contacts with all their fields, and then what has changed: nothing."""
    with tempfile.TemporaryDirectory() as name, account(records) as hubspot:
        folder = Path(name)
        config: list[str | Path] = [
            "--config",
            folder / "config.json",
            "--catalog",
            catalog(hubspot, folder, ("contacts",)),
        ]
        out, state = folder / "out.jsonl", folder / "state.json"
        tap: Command = [BIN / "tap-hubspot", *config]
        yield done("read all", hubspot, Side("tap", tap, stdout=out), -(-records // BATCH) + PARTS)
        came, last = 0, b""
        with out.open("rb") as lines:
            for line in lines:
                came += line.startswith(b'{"type":"RECORD"')
                last = line
        if came != records:
            raise SystemExit(f"tap-hubspot -> {came} records came, where {records} were due")
        state.write_text(json.dumps(json.loads(last)["value"]))
        yield done(
            UNCHANGED,
            hubspot,
            Side("tap", [*tap, "--state", state], stdout=out),
            {"POST objects/contacts/search": 1},
        )


def writing(records: int) -> Iterator[Done]:
    """Write people by their e-mail address: all new, all changed, all as before."""
    pages = -(-records // BATCH)
    looked, created, updated = (f"POST objects/contacts/batch/{what}" for what in ("read", "create", "update"))
    with tempfile.TemporaryDirectory() as name, account(0) as hubspot:
        folder = Path(name)
        (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": name}))
        (folder / "full.json").write_text(json.dumps({**hubspot.config, "state_dir": name, "full": True}))
        runs: tuple[tuple[str, str, str, dict[str, int]], ...] = (
            ("upsert, all new", "Clerk", "config", {looked: pages, created: pages}),
            ("upsert, all changed", "Chief", "config", {looked: pages, updated: pages}),
            ("upsert, nothing changed", "Chief", "config", {}),
            ("upsert, nothing changed, asked all the same", "Chief", "full", {looked: pages}),
        )
        for what, title, config, due in runs:
            source, out = people(folder, records, title), folder / "out.jsonl"
            command: Command = [BIN / "target-hubspot", "--config", folder / f"{config}.json"]
            yield done(what, hubspot, Side("target", command, source, out), due)
            if json.loads(out.read_text("utf-8").splitlines()[-1]) != {"written": records}:
                raise SystemExit("target-hubspot -> its last state is not the one that was sent")


def measured(records: int) -> Iterator[Done]:
    """Yield all that is done, in turn."""
    yield from reading(records)
    yield from writing(records)


def main() -> None:
    """Measure, print, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    records = parser.parse_args().records
    wrong: list[str] = []
    reached = []
    print("| run | calls per 10,000 | CPU µs/record | peak MB | wall s |\n|---|---|---|---|---|")
    for one in measured(records):
        used, calls = one.used, sum(one.calls.values())
        each = f"{calls / records * 10_000:.0f}" if calls > 1 else str(calls)
        print(
            f"| {one.name} | {each} | {used.cpu / records * 1e6:.0f} | {used.memory:.0f} | {used.wall:.1f} |",
            flush=True,
        )
        wrong += one.wrong()
        if one.name == UNCHANGED:
            reached.append(goals.within("nothing changed since the last read: calls of the run", 1, one.total))
    print("\n".join(["", *wrong]) if wrong else "\nWithin the bounds: memory, calls, and every record accounted for.")
    print(f"\n{goals.table(reached)}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
