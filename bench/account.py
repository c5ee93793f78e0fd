"""A sandbox of HubSpot that runs as a process of its own, and what is piped into it and asked of it."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
OPEN = "1000000/1"
"""A limit that nobody meets. It is announced, and raises the one that the client knows."""
FIELDS = ("email", "firstname", "lastname", "jobtitle")


@dataclass(frozen=True)
class Account:
    """A sandbox that runs, and the config with which it is reached."""

    config: dict[str, Any]

    def control(self, method: str, what: str) -> Any:
        """Call its control surface."""
        url = f"{self.config['base_url']}/_sandbox/{what}"
        data = b"{}" if method == "POST" else None
        with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as reply:
            return json.load(reply)

    def answered(self) -> list[float]:
        """Return when the calls since :meth:`calls` were answered, in seconds since 1970; of many the last two thousand."""
        return [call["at"] for call in self.control("GET", "log")["log"]]

    def calls(self) -> tuple[int, int]:
        """Return how many calls were made since it was last asked, and how many calls were refused as too many."""
        found = self.control("GET", "calls")
        self.control("POST", "calls/reset")
        return sum(call["count"] for call in found["calls"]), found["rate_limited"]


@contextlib.contextmanager
def account(records: int, *, latency: float = 0, limit: str = OPEN) -> Iterator[Account]:
    """Serve an account with so many contacts that waits *latency* milliseconds before each answer, until the block ends."""
    command: list[str | Path] = [
        BIN / "antiphon",
        "sandbox",
        "hubspot",
        "--records",
        str(records),
        "--limit",
        limit,
        "--latency-ms",
        str(latency),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Account(json.loads(process.stdout.readline())["config"])
        finally:
            process.terminate()


def catalog(hubspot: Account, folder: Path, streams: tuple[str, ...]) -> Path:
    """Write the account's config, and a catalog of *streams*; return the catalog's path."""
    (folder / "config.json").write_text(json.dumps({**hubspot.config, "state_dir": str(folder)}))
    tap: list[str | Path] = [BIN / "tap-hubspot", "--config", folder / "config.json", "--discover"]
    found = json.loads(subprocess.run(tap, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    path = folder / "catalog.json"
    path.write_text(
        json.dumps({"streams": [s for s in found["streams"] if not streams or s["tap_stream_id"] in streams]})
    )
    return path


def person(n: int, title: str) -> dict[str, str]:
    """Return a new person."""
    return dict(zip(FIELDS, (f"person{n}@example.org", "Person", f"No {n}", title), strict=True))


def schema_of_people() -> dict[str, Any]:
    """Return the SCHEMA message of people."""
    schema = {"properties": {name: {"type": ["string", "null"]} for name in FIELDS}}
    return {"type": "SCHEMA", "stream": "contacts", "schema": schema, "key_properties": ["email"]}


def people(folder: Path, records: int, title: str = "Clerk") -> Path:
    """Write messages of so many new people, and return the path."""
    path = folder / "people.jsonl"
    with path.open("w", encoding="utf-8") as file:
        print(json.dumps(schema_of_people()), file=file)
        for n in range(records):
            print(json.dumps({"type": "RECORD", "stream": "contacts", "record": person(n, title)}), file=file)
        print(json.dumps({"type": "STATE", "value": {"written": records}}), file=file)
    return path
