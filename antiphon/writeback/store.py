"""The database of a ledger: SQLite in the state folder, mode 0600, shared by the runs that write through a connection.

A run holds a lock file for as long as its process lives. What a run left behind belongs to the first one that opens the
ledger after its end, or meets it; what a run that is alive has under way is left alone. A damaged file is kept aside, and a new one begun.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import filelock

from antiphon import moment
from antiphon.errors import Busy, Storage
from antiphon.folder import private
from antiphon.writeback.tables import NEEDED, TABLES, VERSION, migrate

Value = TypeVar("Value")

log = logging.getLogger("antiphon.ledger")

_WAIT = 60.0
"""Seconds to wait for another run's transaction."""
_CACHED = 16_000
"""Kilobytes of the file in memory, at the most."""
_PAGE = 16_384
"""Bytes of a page of a new file. What is packed takes several, and keys are spread over all of them: fewer are written sooner."""
_COPIED = 2000
"""Pages that are written before they are copied back: keys are spread, and each page is copied back once for many."""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_KEY = 32
"""Bytes of a ledger's key."""
_PORTION = 500
"""Values in one statement."""
_KEYLESS = (
    "%s: the ledger %s is without its key (%s), and a new one is made: every record is looked up anew, and what was sent and not"
    " answered in earlier runs is sent again if it comes"
)


class Store:
    """The open database at *path*, and this run's place in it."""

    def __init__(self, path: Path, name: str) -> None:
        """Open it, making folder and file where they are not there; *name* is the connection's.

        Raises:
            Busy: a run of an earlier version holds it.
            Storage: it cannot be read or written.
        """
        self.path = path
        self.lock = threading.RLock()
        self._locks: dict[int, filelock.BaseFileLock] = {}
        self._alone: dict[str, filelock.BaseFileLock] = {}
        self._sure: bool | None = None
        with self._told():
            private(path.parent)
            with filelock.FileLock(f"{path}.lock", mode=0o600, timeout=_WAIT):
                key = path.with_name(f"{path.name.removesuffix('.sqlite3')}.key")
                begun = path.exists()
                keyless = begun and not os.path.lexists(key)
                self.secret = secrets.token_bytes(_KEY) if keyless else _secret(key, begun=begun)
                self._inherit(name)
                if self._damage.exists():
                    self._set_aside(name, "a run found it so")
                try:
                    self._db = self._opened(key, keyless=keyless)
                except sqlite3.DatabaseError as error:
                    if getattr(error, "sqlite_errorcode", None) not in _DAMAGED:
                        raise
                    self._set_aside(name, str(error))
                    self._db = self._opened(key)
                else:
                    if keyless:
                        log.warning(_KEYLESS, name, path, key.name)
                if keyless:
                    _keep_secret(key, self.secret)
                self.run = self._enrol()
                self.ended: tuple[int, ...] = ()
                """Runs that have ended and left something, which is this run's now."""
                self._db.execute("create temp table ended (run integer primary key)")
                self.adopt()
                self.began = int(time.time())
                """Seconds since the epoch."""
                self._version = self.version()

    def close(self) -> None:
        """Give back what is held: the runs that left nothing are struck from the list."""
        with self.lock, suppress(sqlite3.Error):
            mine = [self.run, *self.ended]
            left = {run for (run,) in self._db.execute("select run from entries union select run from intents")}
            self._db.executemany("delete from runs where run = ?", [(run,) for run in mine if run not in left])
            self._db.close()
        for lock in self._alone.values():
            lock.release()
        for run, lock in self._locks.items():
            with suppress(OSError):
                self._lock_path(run).unlink()  # before others may take it
            lock.release()

    @contextmanager
    def transaction(self, *, sure: bool = True) -> Iterator[sqlite3.Connection]:
        """Do what is done within as one: all of it is in the file afterwards, or nothing. Within another it is part of that.

        It survives the end of the process, and when the power fails too, if it is to be *sure* of that: else it may be lost then, and
        with it only what is as unsure and came later.
        """
        with self.lock, self._told():
            if self._db.in_transaction:
                yield self._db
                return
            self._be(sure)
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.rollback()
                raise

    def do(self, sql: str, values: Iterable[Any] = (), *, sure: bool = True) -> None:
        """Do one statement, which is a transaction of its own unless it is within one; see :meth:`transaction`."""
        with self.lock, self._told():
            if not self._db.in_transaction:
                self._be(sure)
            self._db.execute(sql, tuple(values))

    def _be(self, sure: bool) -> None:
        if sure is not self._sure:
            self._db.execute(f"pragma synchronous = {'full' if sure else 'normal'}")
            self._sure = sure

    def rows(self, sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self.lock, self._told():
            return self._db.execute(sql, tuple(values)).fetchall()

    def among(self, sql: str, values: Iterable[bytes] | Iterable[str], *first: Any) -> Iterator[tuple[Any, ...]]:
        """Yield what a query finds for *values*, so many at a time; ``{}`` in it stands for them."""
        for marks, some in portions(values):
            yield from self.rows(sql.format(marks), (*first, *some))

    def others(self) -> bool:
        """Return whether another run is writing through this connection now."""
        mine = ",".join(str(run) for run in (self.run, *self.ended))
        return bool(self.rows(f"select 1 from runs where run not in ({mine}) limit 1"))  # noqa: S608 - numbers of ours

    def version(self) -> int:
        """Return what is another number when another run has written anything here since it was asked last."""
        [(version,)] = self.rows("pragma data_version")
        return int(version)

    def written_by_others(self) -> bool:
        """Return whether another run has written anything here since this one began."""
        return self.version() != self._version

    def compact(self) -> None:
        """Give the disk what is no more used."""
        with self.lock, self._told():
            self._db.execute("vacuum")
            self._db.execute("pragma wal_checkpoint(truncate)")

    def _opened(self, key: Path, *, keyless: bool = False) -> sqlite3.Connection:
        if self.path.is_dir():
            raise _damaged("it is a folder")
        self.path.touch(0o600)
        self.path.chmod(0o600)
        db = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False)
        try:
            [version] = db.execute("pragma user_version").fetchone()
            if version > VERSION:
                hint = "Use that version, or a state_dir of its own for this one."
                raise Storage(f"the ledger {self.path} was written by a later version of antiphon", hint=hint)  # noqa: TRY301
            db.execute(f"pragma page_size = {_PAGE}")
            db.execute("pragma journal_mode = wal")
            db.execute("pragma secure_delete = on")  # what is struck is not left in unused pages
            db.execute(f"pragma cache_size = -{_CACHED}")
            db.execute(f"pragma wal_autocheckpoint = {_COPIED}")
            self._refuse_lesser(db)
            self._arrange(db, version)
            self._refuse_other_key(db, key, keyless=keyless)
        except BaseException:
            db.close()
            raise
        return db

    def _refuse_lesser(self, db: sqlite3.Connection) -> None:
        """Refuse an SQLite that cannot do what we need of it, before anything in the file is taken for damaged."""
        try:
            db.execute(NEEDED)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            said = f"SQLite {sqlite3.sqlite_version}, which this Python has, cannot do what the ledger needs ({error})"
            raise Storage(said, hint="Nothing was sent. Take a Python with SQLite 3.38 or later.") from error

    def _arrange(self, db: sqlite3.Connection, version: int) -> None:
        """See to it that the file has the present tables.

        Raises:
            sqlite3.DatabaseError: it is no ledger, or a damaged one.
        """
        try:
            if version == 0:
                db.executescript(f"{TABLES}pragma user_version = {VERSION}")
            elif version < VERSION:
                self._refuse_running(db)
                migrate(db, version, keyed(self.secret))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # no such table, or column
                raise _damaged(str(error)) from error
            raise
        if lacking := sorted(_ours() - _columns(db)):
            table, column = lacking[0]
            raise _damaged(f"its table {table} has no column {column}")

    def _refuse_other_key(self, db: sqlite3.Connection, key: Path, *, keyless: bool) -> None:
        """Refuse a key that the file was not begun with; take the new one if it was without.

        Raises:
            Storage: *key* has another one.
        """
        made = keyed(self.secret)
        made.update(b"ledger")
        mark = made.hexdigest()
        row = db.execute("select value from notes where name = 'key'").fetchone()
        if row and not keyless and row[0] != mark:
            raise _other_key(key)
        if not row or row[0] != mark:
            db.execute("insert or replace into notes values ('key', ?)", (mark,))

    def _refuse_running(self, db: sqlite3.Connection) -> None:
        """Refuse to bring the file into the present form while a run of an earlier version uses it."""
        listed = db.execute("select 1 from sqlite_master where name = 'runs'").fetchone()
        for (run,) in db.execute("select run from runs").fetchall() if listed else ():
            if not self._held(run):
                raise Busy(f"a run of an earlier version is writing ({self.path})", hint="Wait until it ends.")

    def _enrol(self) -> int:
        """Return the number of this run: the milliseconds of its beginning, or the next free ones."""
        run = int(moment.now().timestamp() * 1000)
        while not self._held(run) or self._db.execute("select 1 from runs where run = ?", (run,)).fetchone():
            run += 1
        self._db.execute("insert into runs values (?)", (run,))
        return run

    def adopt(self) -> bool:
        """Take over what is left of the runs that have ended by now; return whether there are any that had not before."""
        mine = {self.run, *self.ended}
        others = [run for (run,) in self.rows("select run from runs order by run") if run not in mine]
        with self.lock, self._told():
            ended = [run for run in others if self._held(run)]
            self._db.executemany("insert into ended values (?)", [(run,) for run in ended])
        self.ended += tuple(ended)
        return bool(ended)

    def _held(self, run: int) -> bool:
        """Return whether the run's lock is ours now; if not, it is alive."""
        if run in self._locks:
            return True
        self._lock_path(run).parent.mkdir(exist_ok=True, mode=0o700)
        lock = _taken(self._lock_path(run))
        if lock:
            self._locks[run] = lock
        return lock is not None

    def alone(self, name: str) -> bool:
        """Return whether this run, and no other that is alive, has the lock called *name*; from then on until its end."""
        if name not in self._alone:
            hashed = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
            with self._told():
                lock = _taken(self._lock_path(self.run).with_name(f"{hashed}.alone"))
            if lock is None:
                return False
            self._alone[name] = lock
        return True

    @property
    def _damage(self) -> Path:
        """A file that says that the ledger is damaged: the next run sets it aside."""
        return Path(f"{self.path}.damaged")

    def _lock_path(self, run: int) -> Path:
        return self.path.with_name(f"{self.path.name.removesuffix('.sqlite3')}.runs") / f"{run}.lock"

    def _inherit(self, name: str) -> None:
        """Take over the journal that an earlier version kept."""
        old = self.path.with_name(self.path.name.replace(".ledger.", ".journal."))
        if self.path.exists() or not old.exists():
            return
        lock = _taken(Path(f"{old}.lock"))
        if lock is None:
            raise Busy(f"{name}: a run of an earlier version is writing ({old})", hint="Wait until it ends.")
        try:
            with suppress(sqlite3.DatabaseError):
                db = sqlite3.connect(old, isolation_level=None)
                db.execute("pragma journal_mode = delete")
                db.close()
            old.rename(self.path)
        finally:
            lock.release()
            Path(f"{old}.lock").unlink(missing_ok=True)

    def _set_aside(self, name: str, why: str) -> None:
        aside = self.path.with_name(f"{self.path.name}.corrupt-{moment.now():%Y%m%dT%H%M%S}")
        self.path.rename(aside)
        for suffix in ("-wal", "-shm", ".damaged"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        log.warning(
            "%s: the ledger was damaged (%s) and is kept as %s. A new one is begun from what look-ups find; what was sent"
            " and not answered in earlier runs is not known any more, nor which records a mirror made",
            name, why, aside,
        )  # fmt: skip

    @contextmanager
    def _told(self) -> Iterator[None]:
        hint = "Nothing more was sent, and the state was not moved. Free space or mend the folder's rights, then run again."
        try:
            yield
        except filelock.Timeout:
            raise Busy(f"the ledger {self.path} is held by another run", hint="Wait until it ends.") from None
        except OSError as error:
            raise Storage(f"the ledger {self.path} cannot be used: {error.strerror or error}", hint=hint) from error
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
                self._damage.touch(0o600)
                hint = "The next run keeps it aside and begins a new one. Until then nothing more is sent, and the state is not moved."
                raise Storage(f"the ledger {self.path} is damaged: {error}", hint=hint) from error
            raise Storage(f"the ledger {self.path} cannot be used: {error}", hint=hint) from error


def portions(values: Iterable[Value]) -> Iterator[tuple[str, Sequence[Value]]]:
    """Yield *values*, as many at a time as go into one statement, after the question marks that stand for them there."""
    left = list(values)
    for start in range(0, len(left), _PORTION):
        some = left[start : start + _PORTION]
        yield ",".join("?" * len(some)), some


def file_name(connection: str, host: str) -> str:
    """Return the name of a connection's ledger. What one server was sent says nothing of another: *host*, if not the usual."""
    whole = f"{connection}-{host}" if host else connection
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', whole)}.ledger.sqlite3"


def keyed(secret: bytes) -> hashlib.blake2b:
    """Return what only who has *secret* can hash with: 16 bytes, from which nothing can be guessed back. Copy it for each use."""
    return hashlib.blake2b(key=secret, digest_size=16)


def _taken(path: Path) -> filelock.BaseFileLock | None:
    """Return the lock file at *path*, which is ours now; None where another process has it."""
    lock = filelock.FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return None
    return lock


def _damaged(why: str) -> sqlite3.DatabaseError:
    """Return the error of a file that is no ledger."""
    error = sqlite3.DatabaseError(why)
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


@cache
def _ours() -> set[tuple[str, str]]:
    """Return the columns that a ledger has, each with its table."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(TABLES)
        return _columns(db)


def _columns(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the columns of all tables, each with its table."""
    return set(db.execute("select t.name, c.name from sqlite_master t join pragma_table_info(t.name) c"))


def _other_key(key: Path) -> Storage:
    said = f"the ledger's key {key} is damaged, or that of another ledger"
    hint = (
        "Nothing was sent. Put the right one back; or delete it: then every record is looked up anew, and what was sent and not"
        " answered in earlier runs is sent again if it comes."
    )
    return Storage(said, hint=hint)


def _secret(path: Path, *, begun: bool) -> bytes:
    """Return the key in the file *path*, which is made if it is not there; nor whole, as long as no ledger was *begun* with it.

    Raises:
        Storage: it is damaged.
    """
    if os.path.lexists(path):
        if len(found := path.read_bytes()) == _KEY:
            return found
        if begun:
            raise _other_key(path)
    _keep_secret(path, secret := secrets.token_bytes(_KEY))
    return secret


def _keep_secret(path: Path, secret: bytes) -> None:
    """Put *secret* into the file *path*: all of it, or nothing.

    Where it takes the place of one that is lost, the ledger has its mark by then: whoever is killed in between leaves a ledger without a key.
    """
    whole = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    whole.replace(path)
