"""Taps and targets run in this process, as their commands run them."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from contract.apis import Account, Entry

Message = dict[str, Any]


@dataclass
class Read:
    """What a tap wrote."""

    messages: list[Message]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of one stream."""
        return [m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream]

    def schema(self, stream: str) -> dict[str, Any]:
        """The last schema of one stream."""
        found: dict[str, Any] = [m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream][-1]
        return found

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        found: dict[str, Any] = [m["value"] for m in self.messages if m["type"] == "STATE"][-1]
        return found


@dataclass
class Written:
    """What a target did: its exit code, what it wrote to stdout, its receipts and its rejects."""

    code: int
    out: str
    receipts: list[dict[str, Any]] = field(default_factory=list)
    rejects: list[Message] = field(default_factory=list)

    @property
    def outcomes(self) -> list[str]:
        """What became of each record, in their order."""
        return [receipt["outcome"] for receipt in self.receipts]


def plugin(where: str, **more: Any) -> type[Any]:
    """The plugin class at ``module:class``; with *more*, one like it that differs in these attributes."""
    module, _, name = where.partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return type(name, (found,), {"__doc__": found.__doc__, **more}) if more else found


def read(
    tap: type[Any],
    config: Mapping[str, Any],
    *streams: str,
    state: Mapping[str, Any] | None = None,
) -> Read:
    """Run *tap* for *streams*, by a catalog that selects them and leaves their fields to be found out."""
    selected = [{"breadcrumb": [], "metadata": {"selected": True}}]
    catalog = {
        "streams": [{"tap_stream_id": name, "stream": name, "schema": {}, "metadata": selected} for name in streams]
    }
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        running = tap(config=dict(config), catalog=catalog, state=json.loads(json.dumps(state)) if state else None)
        running.read_all()
        running.message_writer.flush()
        running.tell_failures()
    return Read([json.loads(line, parse_float=Decimal) for line in out.getvalue().splitlines()])


def write(target: type[Any], config: Mapping[str, Any], messages: Iterable[Message], folder: Path) -> Written:
    """Pipe *messages* into *target*; receipts and rejects go into *folder*, which may hold those of earlier runs."""
    receipts, rejects = folder / "receipts.jsonl", folder / "rejects.jsonl"
    for file in receipts, rejects:
        file.unlink(missing_ok=True)
    lines = b"".join(json.dumps(message, default=str).encode() + b"\n" for message in messages)
    out = io.StringIO()
    running = None
    code = 0
    try:
        with contextlib.redirect_stdout(out):
            running = target(config={**config, "receipts": str(receipts), "rejects": str(rejects)})
            running.listen(io.BytesIO(lines))
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        if running is not None:
            close(running)
    return Written(code, out.getvalue(), [m["record"] for m in _records(receipts)], list(_records(rejects)))


def state_of(written: Written) -> dict[str, Any]:
    """The last state that a target let go."""
    found: dict[str, Any] = json.loads(written.out.splitlines()[-1])
    return found


def close(target: Any) -> None:
    """Let go of the files that *target* holds, as the end of its process would."""
    if "ledger" in target.__dict__:
        target.ledger.close()
    for file in target.accounts.rejects, target.accounts.receipts:
        if file is not None and file._file is not None:
            file._file.close()


def stream(name: str, records: Iterable[Mapping[str, Any]], **state: Any) -> list[Message]:
    """The messages of one stream: its schema, its *records*, and a state."""
    rows = [dict(record) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    schema = {"type": "object", "properties": {name: {} for name in names}}
    return [
        {"type": "SCHEMA", "stream": name, "schema": schema, "key_properties": []},
        *({"type": "RECORD", "stream": name, "record": row} for row in rows),
        {"type": "STATE", "value": state or {"position": len(rows)}},
    ]


def messages(path: Path) -> list[Message]:
    """The messages in a file; none where it is not there."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def _records(path: Path) -> Iterable[Message]:
    yield from (message for message in messages(path) if message["type"] == "RECORD")


def tap_of(entry: Entry, **more: Any) -> type[Any]:
    """The entry's tap."""
    return plugin(entry.tap, **more)


def target_of(entry: Entry, **more: Any) -> type[Any]:
    """The entry's target."""
    return plugin(entry.target, **more)


__all__ = ["Account", "Message", "Read", "Written", "close", "plugin", "read", "stream", "tap_of", "target_of", "write"]
