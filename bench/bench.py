"""Measures contacts through tap-hubspot and target-hubspot on a sandbox: memory, calls, seconds.

    python bench/bench.py [--records 100000]

Each plugin is a process of its own; what it used is what the operating system says of it when it has ended (``wait4``). Calls
are counted by the sandbox. It announces a limit of 100,000 calls in 10 seconds, by which the client raises the one it knows, so that
nobody waits. Exit code 1: a plugin took more memory or more calls than it may, or lost a record.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
LIMIT = "100000/10"
MEMORY = 150
"""Megabytes (10^6 bytes) of resident memory a plugin may take."""
BATCH = 100
"""Records that HubSpot takes, or gives, in one call."""


@dataclass(frozen=True)
class Used:
    """What one run of a plugin took."""

    wall: float
    cpu: float
    """Seconds, of user and system together."""
    memory: float
    """Megabytes, at the most."""
    calls: dict[str, int]
    """By method and route."""


@dataclass(frozen=True)
class Account:
    """A sandbox that runs, and the config with which it is reached."""

    config: dict[str, Any]

    def control(self, method: str, what: str) -> Any:
        """Call its control surface."""
        request = urllib.request.Request(
            f"{self.config['base_url']}/_sandbox/{what}", method=method, data=b"{}" if method == "POST" else None
        )
        with urllib.request.urlopen(request) as reply:
            return json.load(reply)


@contextlib.contextmanager
def account(records: int) -> Iterator[Account]:
    """Serve an account with so many contacts, until the block ends."""
    command: list[str | Path] = [BIN / "antiphon", "sandbox", "hubspot", "--records", str(records), "--limit", LIMIT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Account(json.loads(process.stdout.readline())["config"])
        finally:
            process.terminate()


def used(hubspot: Account, command: list[str | Path], source: Path | None, sink: Path) -> Used:
    """Run a plugin from *source* into *sink* and return what it took.

    Raises:
        SystemExit: it failed; the text is the end of what it said.
    """
    hubspot.control("POST", "calls/reset")
    log = sink.with_suffix(".log")
    began = time.monotonic()
    with Path(source or os.devnull).open("rb") as stdin, sink.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=sink.parent)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} -> exit code {process.returncode}: {log.read_text('utf-8')[-500:]}")
    scale = 1 if sys.platform == "darwin" else 1024
    calls = {f"{c['method']} {c['route']}": c["count"] for c in hubspot.control("GET", "calls")["calls"]}
    return Used(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale / 1e6, calls)


def read(hubspot: Account, folder: Path, records: int) -> Used:
    """Read all contacts, with all their fields."""
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    tap: list[str | Path] = [BIN / "tap-hubspot", "--config", "config.json"]
    found = subprocess.run(
        [*tap, "--discover"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
    )
    contacts = [stream for stream in json.loads(found.stdout)["streams"] if stream["tap_stream_id"] == "contacts"]
    (folder / "catalog.json").write_text(json.dumps({"streams": contacts}))
    out = folder / "contacts.jsonl"
    took = used(hubspot, [*tap, "--catalog", "catalog.json"], None, out)
    with out.open("rb") as lines:
        came = sum(b'"type":"RECORD"' in line[:40] for line in lines)
    if came != records:
        raise SystemExit(f"tap-hubspot -> {came} records came, where {records} were due")
    out.unlink()
    return took


def write(hubspot: Account, folder: Path, records: int, title: str) -> Used:
    """Write people, all with this job title, matched by their e-mail address."""
    schema = {
        "properties": {name: {"type": ["string", "null"]} for name in ("email", "firstname", "lastname", "jobtitle")}
    }
    source = folder / "people.jsonl"
    with source.open("w", encoding="utf-8") as file:
        message: dict[str, Any] = {
            "type": "SCHEMA",
            "stream": "contacts",
            "schema": schema,
            "key_properties": ["email"],
        }
        print(json.dumps(message), file=file)
        for number in range(records):
            person = {
                "email": f"person{number}@example.org",
                "firstname": "Person",
                "lastname": f"No {number}",
                "jobtitle": title,
            }
            print(json.dumps({"type": "RECORD", "stream": "contacts", "record": person}), file=file)
        print(json.dumps({"type": "STATE", "value": {"written": records}}), file=file)
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    out = folder / "state.jsonl"
    took = used(hubspot, [BIN / "target-hubspot", "--config", "config.json"], source, out)
    if json.loads(out.read_text("utf-8").splitlines()[-1]) != {"written": records}:
        raise SystemExit("target-hubspot -> its last state is not the one that was sent")
    return took


def report(records: int) -> list[str]:
    """Measure everything and return what is wrong; the table is printed as it comes."""
    pages = -(-records // BATCH)
    contacts = "objects/contacts"
    wrong: list[str] = []
    print(
        f"{records:,} contacts · Python {platform.python_version()}, antiphon {version('antiphon')}, singer-sdk {version('singer-sdk')}"
    )
    print(f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}\n")
    print("| run | wall s | CPU s | CPU µs/record | peak MB | calls |\n|---|---|---|---|---|---|")

    def row(name: str, took: Used, due: dict[str, int]) -> None:
        made = ", ".join(f"{count:,} {kind}" for kind, count in sorted(took.calls.items(), key=lambda item: -item[1]))
        print(
            f"| {name} | {took.wall:.1f} | {took.cpu:.1f} | {took.cpu / records * 1e6:.0f} | {took.memory:.0f} | {made} |",
            flush=True,
        )
        if took.memory > MEMORY:
            wrong.append(f"{name}: {took.memory:.0f} MB, where {MEMORY} are allowed")
        bulk = {kind: count for kind, count in took.calls.items() if "objects/" in kind}
        if bulk != due:
            wrong.append(f"{name}: the calls were {bulk}, where {due} were due")

    with tempfile.TemporaryDirectory(prefix="antiphon-bench-") as name:
        folder = Path(name)
        with account(records) as hubspot:
            row("tap-hubspot, all fields", read(hubspot, folder, records), {f"GET {contacts}": pages})
        with account(0) as hubspot:
            looked, created, updated = (f"POST {contacts}/batch/{what}" for what in ("read", "create", "update"))
            row("target-hubspot, all new", write(hubspot, folder, records, "Clerk"), {looked: pages, created: pages})
            row(
                "target-hubspot, all changed", write(hubspot, folder, records, "Chief"), {looked: pages, updated: pages}
            )
            row("target-hubspot, all the same", write(hubspot, folder, records, "Chief"), {looked: pages})
    return wrong


def main() -> None:
    """Measure, and exit with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    wrong = report(parser.parse_args().records)
    print("\n".join(["", *wrong]) if wrong else "\nWithin the bounds: memory, calls, and every record accounted for.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
