"""The calls of one account: for each of its rate limits how many are under way, and when the last ones were answered.

They stand in a small file that every process maps into its memory, so that a tap and a target, or two jobs, keep one limit together; where
there is no file, in this process's own memory. A process that dies leaves the calls it had under way: the next one that has to wait
counts them as answered at that moment. Times are those of the monotonic clock, which all processes of a machine share until it starts anew.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import secrets
import threading
import time
import weakref
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from antiphon.folder import private

fcntl: Any = None
with suppress(ImportError):  # Windows has no such locks: each process keeps the limit by itself
    fcntl = import_module("fcntl")

log = logging.getLogger("antiphon.limits")

_CELL = 8
_FORM = 0x616E7469_00000002
"""What the first cell holds; its last digits are the version of what follows."""
_ROWS = 128
"""Processes at once."""
_ROW = 4
"""Cells before the calls under way in a process's row: its id, the space that id is of, a number of its own, until when it is believed."""
_HEAD = 4
"""Cells before the answers of a limit: calls under way, answers ever, calls and seconds the server told."""
_LEAST = 1024
"""Answers remembered for one limit; four times what it allows, if that is more."""
_LEASE = 600.0
"""Seconds after its last call for which a process is believed to be there, where that cannot be asked."""
_OLD = 30 * 86400.0
"""Seconds after which the files of an earlier start of the machine are removed."""


class Budget:
    """The calls of one account. Everything is done while holding it (``with budget:``)."""

    def __init__(self, calls: Sequence[float], paths: Sequence[Path] = ()) -> None:
        """Begin with what is in the first file of *paths* that can be used; *calls* are those that each limit allows.

        Where none can, the budget is this process's alone.
        """
        self.sizes = [max(_LEAST, 1 << (int(4 * most) - 1).bit_length()) for most in calls]
        self._row_cells = _ROW + len(calls)
        self._rows = 1
        ends = [self._rows + _ROWS * self._row_cells]
        for size in self.sizes:
            ends.append(ends[-1] + _HEAD + size)
        self._starts, self._length = ends[:-1], ends[-1] * _CELL
        self._paths = tuple(paths)
        self._lock = threading.Lock()
        self._file = -1
        self._pid = self._mine = 0
        self._whole: memoryview[int]
        self._times: memoryview[float]
        self._open()

    def __enter__(self) -> Self:
        """Keep all others, in this process and elsewhere, from counting meanwhile."""
        self._lock.acquire()
        if self._pid != os.getpid():  # a child must not hold the lock of its parent's open file
            self._open()
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others count again."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.release()

    # What there is, of the limit with the number *limit*

    def under_way(self, limit: int) -> int:
        """Return how many calls have been sent and not answered."""
        return self._whole[self._starts[limit]]

    def answered(self, limit: int, nth: int) -> float | None:
        """Return when the *nth* last call was answered (1: the last one); None if there were fewer."""
        start = self._starts[limit]
        there = self._whole[start + 1]
        if nth > min(there, self.sizes[limit]):
            return None
        return self._times[start + _HEAD + (there - nth) % self.sizes[limit]]

    def since(self, limit: int, moment: float) -> int:
        """Return how many calls are under way or were answered after *moment*."""
        there = min(self._whole[self._starts[limit] + 1], self.sizes[limit])
        return self.under_way(limit) + bisect_left(
            range(1, there + 1), x=True, key=lambda nth: (self.answered(limit, nth) or 0.0) <= moment
        )

    def told(self, limit: int) -> tuple[float, float]:
        """Return the calls and the seconds that the server told of the limit; noughts where it has not."""
        start = self._starts[limit]
        return self._times[start + 2], self._times[start + 3]

    # What happens

    def tell(self, limit: int, calls: float, seconds: float) -> None:
        """Keep what the server told of the limit."""
        start = self._starts[limit]
        self._times[start + 2], self._times[start + 3] = calls, seconds

    def add(self, limit: int, calls: int, now: float) -> None:
        """Count as many calls as answered: those of others, that nobody here has sent."""
        for _ in range(calls):
            self._append(limit, now)

    def begin(self, limit: int, now: float) -> None:
        """Count a call as under way."""
        row = self._row(now)
        self._whole[row + _ROW + limit] += 1
        self._whole[self._starts[limit]] += 1

    def end(self, limit: int, now: float) -> None:
        """Count a call that was under way as answered."""
        self._append(limit, now)
        row = self._row(now)
        if self._whole[row + _ROW + limit] > 0:  # else another process took this one for dead
            self._whole[row + _ROW + limit] -= 1
            self._whole[self._starts[limit]] -= 1

    def bury(self, now: float) -> bool:
        """Count what dead processes had under way as answered now; return whether there was anything."""
        found = False
        for row in range(self._rows, self._rows + _ROWS * self._row_cells, self._row_cells):
            if self._whole[row] and not self._alive(row, now):
                for limit, most in enumerate(self.sizes):
                    left = min(self._whole[row + _ROW + limit], most)  # a file may be damaged, and hold any number
                    self.add(limit, left, now)
                    found = found or left > 0
                    self._whole[row + _ROW + limit] = 0
                self._whole[row] = 0
        for limit, start in enumerate(self._starts):
            rows = range(self._rows + _ROW + limit, self._rows + _ROWS * self._row_cells, self._row_cells)
            self._whole[start] = sum(self._whole[cell] for cell in rows)
        return found

    # How it is kept

    def _append(self, limit: int, now: float) -> None:
        start = self._starts[limit]
        there = self._whole[start + 1]
        self._times[start + _HEAD + there % self.sizes[limit]] = now
        self._whole[start + 1] = there + 1

    def _row(self, now: float) -> int:
        """Return where this process's row begins: who it is, until when that is believed, its calls under way."""
        row, me = self._mine, self._me
        if self._who(row) != me:
            rows = range(self._rows, self._rows + _ROWS * self._row_cells, self._row_cells)
            mine = (row for row in rows if self._who(row) == me)
            free = (row for row in rows if not self._whole[row])
            row = self._mine = next(mine, None) or next(free, None) or rows[self._pid % _ROWS]
            self._whole[row], self._whole[row + 1], self._whole[row + 2] = me
        self._times[row + 3] = now + _LEASE
        return row

    def _who(self, row: int) -> tuple[int, int, int]:
        return self._whole[row], self._whole[row + 1], self._whole[row + 2]

    def _alive(self, row: int, now: float) -> bool:
        pid, space, token = self._who(row)
        if space != _SPACE:  # of another container: its id means nothing here
            return self._times[row + 3] > now
        if pid == self._pid:  # or one that had this id before
            return token == _token(pid)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return self._times[row + 3] > now

    def _open(self) -> None:
        self._pid, self._mine, self._file = os.getpid(), self._rows, -1
        self._me = self._pid, _SPACE, _token(self._pid)
        buffer: Any = bytearray(self._length)
        for path in self._paths if fcntl else ():
            try:
                buffer = self._mapped(path)
                break
            except (OSError, ValueError) as error:
                log.info("the rate limit is not shared with other processes there: %s: %s", path, error)
        cells = memoryview(buffer)
        self._whole, self._times = cells.cast("q"), cells.cast("d")
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_EX)
        if self._whole[0] != _FORM:
            cells[:] = bytes(self._length)
            self._whole[0] = _FORM
        if self._file >= 0:
            self.bury(time.monotonic())
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _mapped(self, path: Path) -> mmap.mmap:
        private(path.parent)
        there = path.exists()
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _fill(file, self._length)
            os.utime(file)
            mapped = mmap.mmap(file, self._length)
            fcntl.flock(file, fcntl.LOCK_UN)
        except BaseException:
            os.close(file)
            raise
        self._file = file
        weakref.finalize(self, os.close, file)
        if not there:
            _remove_old(path)
        return mapped


def _fill(file: int, length: int) -> None:
    """Let *file* have that many bytes that are really there: on a full disk, to touch one that is not kills the process."""
    absent = length - os.fstat(file).st_size
    if absent > 0 and os.pwrite(file, bytes(absent), length - absent) < absent:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def file_name(*of: Any) -> str:
    """Return the name of the file for what is the same in all processes of one budget; it tells nothing of it."""
    start = ""
    with suppress(OSError):
        start = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
    return blake2b(repr((of, start)).encode(), digest_size=12).hexdigest() + ".calls"


def _remove_old(path: Path) -> None:
    """Remove the files beside *path* that nobody has opened for long: those of earlier starts of the machine."""
    for other in path.parent.glob("*.calls"):
        with suppress(OSError):
            if time.time() - other.stat().st_mtime > _OLD:
                other.unlink()


@cache
def _token(pid: int) -> int:  # noqa: ARG001 - a child has another
    return secrets.randbits(62)


def _space() -> int:
    with suppress(OSError):
        return Path("/proc/self/ns/pid").stat().st_ino
    return 0


_SPACE = _space()
"""Where the ids of processes mean what they mean here: a container has its own."""
