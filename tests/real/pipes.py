"""Taps and targets as commands: the console scripts of this environment, alone or in a pipe of the shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Message = dict[str, Any]
SCRIPTS = Path(sys.executable).parent
SELECTED = [{"breadcrumb": [], "metadata": {"selected": True}}]


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def messages(self) -> list[Message]:
        """The Singer messages on stdout."""
        return [json.loads(line, parse_float=Decimal) for line in self.out.splitlines()]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of one stream."""
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    def schema(self, stream: str) -> Message:
        """The last SCHEMA of one stream."""
        return [m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream][-1]

    @property
    def state(self) -> Any:
        """The last state on stdout of a tap."""
        return [m["value"] for m in self.messages if m["type"] == "STATE"][-1]


def surroundings(home: Path) -> dict[str, str]:
    """An environment with this one's programs, and nothing of the user's own settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TAP_", "TARGET_", "PRETIX_", "HUBSPOT_"))
    }
    folders = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "XDG_STATE_HOME": str(home / "state")}
    return {**kept, **folders, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}


def shell(folder: Path, line: str) -> Ran:
    """Run a line in bash, in *folder*, where a pipe fails when any of its parts does."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        check=False,
        capture_output=True,
        cwd=folder,
        env=surroundings(folder),
        timeout=240,
    )
    said = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in said.err, said.err
    return said


def put(folder: Path, name: str, content: Any) -> Path:
    """Write *content* as JSON into a file of *folder*."""
    path = folder / name
    path.write_text(json.dumps(content, default=str), "utf-8")
    return path


def catalog(*streams: str) -> dict[str, Any]:
    """A catalog that selects *streams* and leaves their fields to be found out."""
    return {
        "streams": [{"tap_stream_id": name, "stream": name, "schema": {}, "metadata": SELECTED} for name in streams]
    }


def lines(stream: str, records: Iterable[Mapping[str, Any]]) -> bytes:
    """The messages of one stream, as a pipe has them: its schema, its *records*, and a state."""
    rows = [dict(record) for record in records]
    properties = {name: {} for row in rows for name in row}
    messages: list[Message] = [
        {"type": "SCHEMA", "stream": stream, "schema": {"properties": properties}, "key_properties": []},
        *({"type": "RECORD", "stream": stream, "record": row} for row in rows),
        {"type": "STATE", "value": {"written": len(rows)}},
    ]
    return b"".join(json.dumps(message, default=str).encode() + b"\n" for message in messages)


def outcomes(path: Path) -> list[str]:
    """What became of each record, by a file of receipts."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [message["record"]["outcome"] for message in found if message["type"] == "RECORD"]
