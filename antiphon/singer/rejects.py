"""Rejects and receipts: what was refused, ready to be piped in again, and what became of every record.

Both are files of Singer messages, mode 0600. They are on the disk before any STATE that covers their records is written.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from antiphon.errors import SettingError, Storage
from antiphon.outcome import Outcome

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode

RECEIPTS = "antiphon_receipts"

_TIME = {"type": ["string", "null"], "format": "date-time"}
_TEXT = {"type": ["string", "null"]}
RECEIPT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "run_id": {"type": "string"},
        "stream": {"type": "string"},
        "resource": {"type": "string"},
        "operation": _TEXT,
        "key": _TEXT,
        "remote_id": _TEXT,
        "outcome": {"type": "string"},
        "error": _TEXT,
        "attempts": {"type": "integer"},
        "sent_at": _TIME,
        "done_at": _TIME,
    },
}


class MessageFile:
    """A file that Singer messages are added to. It is made when the first one comes.

    Raises:
        SettingError: the file is what we read from.
        Storage: it cannot be written; the text says that the state has not moved.
    """

    def __init__(self, path: Path, what: str) -> None:
        """Refuse *path* if it is standard input itself; *what* names the file in messages."""
        self.path = path
        self._what = what
        self._file: BinaryIO | None = None
        self._schemas: dict[str, Any] = {}
        if _is_stdin(path):
            hint = "Give another path, or rename the file before piping it in."
            raise SettingError(f"{what}: {path} is the very file that is read from", hint=hint)

    def write(
        self, stream: str, schema: Mapping[str, Any], keys: Iterable[str], rows: Iterable[Mapping[str, Any]]
    ) -> None:
        """Add RECORD messages for *rows* (``record`` and further members), after the SCHEMA where it is new."""
        lines = []
        if self._schemas.get(stream) != schema:
            self._schemas[stream] = schema
            lines.append({"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": list(keys)})
        lines += [{"type": "RECORD", "stream": stream, **row} for row in rows]
        try:
            self._opened().write(b"".join(_ENCODE(line) + b"\n" for line in lines))
        except OSError as error:
            raise self._failed(error) from error

    def sync(self) -> None:
        """Put on the disk what was written."""
        if self._file is not None:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._failed(error) from error

    def _opened(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._file = os.fdopen(descriptor, "ab")
        return self._file

    def _failed(self, error: OSError) -> Storage:
        hint = "The state was not moved: free space or mend the rights, then run again."
        return Storage(f"{self._what}: {self.path} cannot be written: {error.strerror or error}", hint=hint)


def _is_stdin(path: Path) -> bool:
    try:
        mine, theirs = os.fstat(sys.stdin.fileno()), path.stat()
    except (OSError, ValueError, AttributeError):
        return False
    return stat.S_ISREG(mine.st_mode) and os.path.samestat(mine, theirs)


def receipt(run: str, stream: str, resource: str, outcome: Outcome) -> dict[str, Any]:
    """Return the receipt of *outcome*: which record, what was done, what came of it; nothing of its content but the key."""
    change = outcome.change
    key = change.value if change.value is not None else change.id
    return {
        "run_id": run,
        "stream": stream,
        "resource": resource,
        "operation": outcome.operation or None,
        "key": None if key is None else str(key),
        "remote_id": outcome.id,
        "outcome": outcome.kind.value,
        "error": outcome.problem.message if outcome.problem else None,
        "attempts": outcome.attempts if outcome.operation else 0,
        "sent_at": outcome.sent_at or None,
        "done_at": outcome.done_at or None,
    }
