"""Rejects and receipts: what was refused, ready to be piped in again, and what became of every record.

Both are files of Singer messages, mode 0600. They are on the disk before any STATE that covers their records is written.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from antiphon.errors import SettingError, Storage
from antiphon.folder import private
from antiphon.outcome import Outcome, Problem
from antiphon.writeback.ledger import Payload

fcntl: Any = None
with suppress(ImportError):  # Windows has no such locks, and deletes no file that somebody has open
    fcntl = import_module("fcntl")

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode

RECEIPTS = "antiphon_receipts"
_BEGIN = b'{"type":"'
"""How every message of ours begins."""
_BLOCK = 1 << 16
_TRIES, _PAUSE = 100, 0.01
"""How often a file is asked for that another run looks at, and seconds in between."""

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
        Storage: it cannot be written; the text says what was not done for that.
    """

    def __init__(self, path: Path, what: str, *, left: str = "The state was not moved") -> None:
        """Refuse *path* if it is standard input itself; *what* names the file in messages, *left* says what is not done if it cannot be written."""
        self.path = path.expanduser()
        self._what, self._left = what, left
        self._file: BinaryIO | None = None
        self._heads: dict[str, Any] = {}
        self.refuse_input(sys.stdin)

    def refuse_input(self, source: IO[Any]) -> None:
        """Raise :class:`SettingError` if this is the very file that *source* reads."""
        try:
            mine, theirs = os.fstat(source.fileno()), self.path.stat()
        except (OSError, ValueError, AttributeError):
            return
        if stat.S_ISREG(mine.st_mode) and os.path.samestat(mine, theirs):
            hint = "Give another path, or rename the file before piping it in."
            raise SettingError(f"{self._what}: {self.path} is the very file that is read from", hint=hint)

    def write(
        self,
        stream: str,
        schema: Mapping[str, Any],
        keys: Iterable[str],
        rows: Iterable[Mapping[str, Any]],
        payload: Payload = "full",
    ) -> None:
        """Add RECORD messages for *rows* (``record`` and further members), after the SCHEMA where it is new.

        That says so where *payload* keeps less than the whole of them: they cannot be written again.
        They are whole lines in the file: what a killed process has left of one is gone once the next adds to it.
        """
        head: dict[str, Any] = {"type": "SCHEMA", "stream": stream, "schema": schema, "key_properties": list(keys)}
        if payload != "full":
            head["payload"] = payload
        lines = [] if self._heads.get(stream) == head else [head]
        lines += [{"type": "RECORD", "stream": stream, **row} for row in rows]
        before = None
        try:
            file = self._opened()
            before = file.seek(0, os.SEEK_END)
            left = memoryview(b"".join(_ENCODE(line) + b"\n" for line in lines))
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            if self._file is not None and before is not None:
                with suppress(OSError):
                    self._file.truncate(before)
            raise self._failed(error) from error
        self._heads[stream] = head

    def sync(self) -> None:
        """Put on the disk what was written."""
        if self._file is not None:
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> BinaryIO:
        if self._file is None:
            private(self.path.parent)
            self._file = self._held()
            _end_whole(self._file)
        return self._file

    def _held(self) -> BinaryIO:
        """Open the file and hold it: another run may be deleting one of this name just now."""
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            file = os.fdopen(descriptor, "a+b", buffering=0)
            hold(file)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), self.path.stat()):
                    return file
            file.close()

    def _failed(self, error: OSError) -> Storage:
        hint = f"{self._left}: free space or mend the rights, then run again."
        return Storage(f"{self._what}: {self.path} cannot be written: {error.strerror or error}", hint=hint)


def _end_whole(file: BinaryIO) -> None:
    """Let *file* end with a whole line. A message without an end is cut off: its writer was killed, and has not accounted for it."""
    size = start = file.seek(0, os.SEEK_END) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else 0
    last = b""
    while start and b"\n" not in last:
        start = max(0, start - _BLOCK)
        file.seek(start)
        last = file.read(size - start)
    last = last.rpartition(b"\n")[2]
    if last.startswith(_BEGIN) and not _whole(last):
        file.truncate(size - len(last))
    elif last:
        file.write(b"\n")


def _whole(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def reject(record: Mapping[str, Any], problem: Problem, keys: Iterable[str], payload: Payload) -> dict[str, Any]:
    """Return the members of a RECORD that was refused: as it came, or what *payload* lets be kept of it, and why.

    The API's words may quote a record, so without its content only the code stays, and what fields are wrong.
    """
    if payload == "full":
        return {"record": record, "error": problem.as_dict()}
    kept = {name: record[name] for name in keys if name in record} if payload == "keys" else {}
    return {"record": kept, "error": {**problem.as_dict(), "message": problem.brief}}


def hold(file: IO[Any]) -> None:
    """Let no run delete *file* (:func:`expire`) as long as it is open, or the process lives."""
    for _ in range(_TRIES):
        try:
            if fcntl and stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        except (OSError, ValueError, AttributeError):  # it is no file, or one where there are no locks
            return
        else:
            return


def expire(files: Iterable[Path], days: float, spared: Collection[Path]) -> None:
    """Delete those *files* that are older than so many *days*, save those *spared*, and what a run has open."""
    before = time.time() - days * 86400
    for path in files:
        with suppress(OSError):
            if path.is_file() and path.stat().st_mtime < before and path.absolute() not in spared:
                _delete(path)


def _delete(path: Path) -> None:
    """Delete the file at *path*, unless a run has it open, as far as there are locks that say so."""
    if not fcntl:
        path.unlink()
        return
    with path.open("r+b" if os.access(path, os.W_OK) else "rb") as file:  # NFS locks what can be written alone
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        except OSError:  # there are no locks
            pass
        path.unlink()


def receipt(run: str, stream: str, resource: str, outcome: Outcome, payload: Payload = "full") -> dict[str, Any]:
    """Return the receipt of *outcome*: which record, what was done, what came of it; nothing of its content but the key."""
    change = outcome.change
    key = change.value if change.value is not None else change.id
    key = None if payload == "none" else key
    return {
        "run_id": run,
        "stream": stream,
        "resource": resource,
        "operation": outcome.operation or None,
        "key": None if key is None else str(key),
        "remote_id": outcome.id,
        "outcome": outcome.kind.value,
        "error": outcome.problem.message if outcome.problem and payload == "full" else None,
        "attempts": outcome.attempts if outcome.operation else 0,
        "sent_at": outcome.sent_at or None,
        "done_at": outcome.done_at or None,
    }
