"""Where the CPU of a page or a record goes, layer by layer, beside what the floors take for the same: how much could be saved at most.

    python bench/profiled.py [--contacts 200000] [--items 250000] [--people 100000] [--rounds 3]

Each run is looked at while it goes on (:mod:`sampled`), all of its threads, and in turns; told is the round that took neither most nor least. Start-up is left out: it is
told under "Starting".
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from account import people
from layers import LAYERS, REST
from measure import Command, Side, run
from mockserver import CONTACTS, ITEMS, served
from reading import OURS, PLAIN, Bench
from writing import FLOOR as DECODED
from writing import HERE, messages

BIN = Path(sys.executable).parent
WITHOUT = {"WITHOUT": "pycurl"}


@dataclass(frozen=True)
class Spent:
    """What a run took for each of its pages or records, in microseconds of CPU: by layer, and in all."""

    layers: Mapping[str, float]
    whole: float

    @property
    def told(self) -> float:
        """The part of it that is in a layer that has a name."""
        return sum(spent for layer, spent in self.layers.items() if layer != REST) / self.whole


@dataclass(frozen=True)
class Run:
    """A kind of run, its title, the unit that it is told for, how many of those there are, and the sides."""

    kind: str
    title: str
    unit: str
    count: float
    sides: Sequence[Side]


def profiled(side: Side, kind: str, count: float, folder: Path) -> Spent:
    """Run *side*, a script and its arguments, and return what it took for each of *count*."""
    path = folder / "report.json"
    script: Command = side.command[1:] if str(side.command[0]) == sys.executable else side.command
    run(replace(side, command=[sys.executable, HERE / "sampled.py", path, kind, *script]))
    report = json.loads(path.read_text("utf-8"))
    if not report["whole"]:
        raise SystemExit(f"{side.name} -> it ended before there was anything to look at; give it more records")
    each = {layer: spent / count * 1e6 for layer, spent in report["layers"].items()}
    whole = report["whole"] / count * 1e6
    each[REST] = whole - sum(spent for layer, spent in each.items() if layer != REST)
    return Spent(each, whole)


def middle(rounds: Sequence[Spent]) -> Spent:
    """Return the round that took neither most nor least."""
    return sorted(rounds, key=lambda one: one.whole)[len(rounds) // 2]


def table(ran: Run, found: Mapping[str, Spent]) -> str:
    """Return what was *found* of each side as a table, and what is to be learned from it."""
    lines = [f"| {ran.title}, CPU µs/{ran.unit} | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    for layer in (*LAYERS[ran.kind], REST):
        spent = [one.layers.get(layer, 0.0) for one in found.values()]
        if any(spent):
            lines.append(f"| {layer} | {' | '.join(_figure(one) for one in spent)} |")
    lines.append(f"| **in all** | {' | '.join(_figure(one.whole) for one in found.values())} |")
    ours = found[OURS]
    said = [f"{ours.told:.0%} of what ours takes is in a layer that has a name."]
    http = sum(spent for layer, spent in ours.layers.items() if layer.startswith("HTTP"))
    if http and ran.kind == "tap":
        said.append(f"HTTP is {http / ours.whole:.0%} of it.")
    for name, one in list(found.items())[1:]:
        if name.startswith("floor"):
            less = ours.whole - one.whole
            said.append(
                f"Against the {name} ours takes {_figure(abs(less))} µs {'more' if less > 0 else 'less'} for each {ran.unit}."
            )
    return "\n".join([*lines, "", " ".join(said), ""])


def _figure(spent: float) -> str:
    return "" if not spent else f"{spent:,.0f}" if spent >= 100 else f"{spent:.1f}" if spent >= 1 else f"{spent:.2f}"


def runs(folder: Path, base: str, given: argparse.Namespace) -> Iterator[Run]:
    """Yield what is run."""
    for stream, count, size in (("contacts", given.contacts, CONTACTS), ("items", given.items, ITEMS)):
        inside = folder / stream
        inside.mkdir()
        bench = Bench(stream, inside, base)
        ours = bench.ours()
        plain = replace(ours, name=PLAIN, environment={**ours.environment, **WITHOUT})
        sides = [ours, *([plain] if stream == "contacts" else []), *bench.floors()]
        yield Run("tap", f"tap, {count:,} {stream}", f"page of {size:,}", count / size, sides)
    (folder / "ours.json").write_text(json.dumps({"state_dir": str(folder), "streams": {"items": {"mode": "create"}}}))
    source = messages(folder / "items.jsonl", given.items)
    target: Command = [sys.executable, HERE / "noop_target.py", "--config", folder / "ours.json"]
    floor: Command = [sys.executable, HERE / "floor.py", "take"]
    decoded = Side(DECODED, floor, source, environment={"COUNT": str(folder / "count")})
    title = f"target, {given.items:,} items, written nowhere"
    yield Run("target", title, "record", given.items, [Side(OURS, target, source), decoded])
    (folder / "config.json").write_text(json.dumps({"base_url": base, "state_dir": str(folder), "access_token": "t"}))
    written: Command = [BIN / "target-hubspot", "--config", folder / "config.json"]
    hubspot = Side(OURS, written, people(folder, given.people))
    yield Run("hubspot", f"target-hubspot, {given.people:,} upserted", "record", given.people, [hubspot])


def main() -> None:
    """Run each, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=250_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name, served(given.contacts, given.items) as at:
        print(f"After the start; of {given.rounds} rounds the one that took neither most nor least.\n")
        for ran in runs(Path(name), at, given):
            rounds: dict[str, list[Spent]] = {side.name: [] for side in ran.sides}
            for _ in range(given.rounds):
                for side in ran.sides:
                    rounds[side.name].append(profiled(side, ran.kind, ran.count, Path(name)))
            print(table(ran, {name: middle(spent) for name, spent in rounds.items()}), flush=True)


if __name__ == "__main__":
    main()
