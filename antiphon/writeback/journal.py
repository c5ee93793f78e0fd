"""The journal of a connection: what we are about to write, before it is sent, and what became of it, after.

A SQLite file in the state folder, mode 0600, held by one run at a time. After a crash it tells what was under way (open
intents, settled before anything new is sent) and what had been done since the last STATE (recognised when the source
sends it again, and not written twice). Entries that a STATE covers are forgotten; what ended as unknown stays.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import filelock
import msgspec

from antiphon import moment
from antiphon.errors import Busy, Storage
from antiphon.outcome import Change, Kind, Outcome, Problem, Record

_ENCODE = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode

_TABLES = """
create table if not exists entries (
    id integer primary key,
    run text not null,
    stream text not null,
    position integer not null,
    resource text not null,
    operation text not null,
    identity blob not null,
    token text not null unique,
    remote_id text,
    matched_by text,
    matched_value text,
    sent_at text not null,
    job text,
    kind text,
    problem text
);
create index if not exists entries_by_identity on entries (identity);
create index if not exists entries_by_match on entries (matched_value) where matched_by is not null;
"""
_VERSION = 1
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that was about to be written when a run ended without saying what became of it."""

    token: str
    resource: str
    operation: str
    by: str | None
    value: Any
    remote_id: str | None
    sent_at: str
    job: str | None

    def change(self) -> Change:
        """Return the change as far as it is known: its fields are not kept."""
        return Change({}, self.remote_id, self.by, self.value, self.token)


def identity(resource: str, record: Record, by: str | None, value: Any, *, deletion: bool = False) -> bytes:
    """Return what tells one written record from another: a hash of the resource, the match and the fields sent."""
    return hashlib.blake2b(_ENCODE([resource, by, value, record, deletion]), digest_size=16).digest()


class Journal:
    """The journal of the connection *name*, in *folder*. Use it in a ``with`` block.

    Raises:
        Busy: another run holds it.
        Storage: it cannot be read or written.
    """

    def __init__(self, folder: Path, name: str, host: str = "") -> None:
        """Open it, making folder and file where they are not there.

        What one server was sent says nothing of another: *host* is the one spoken to, if not the API's own.
        """
        whole = f"{name}-{host}" if host else name
        self.path = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', whole)}.journal.sqlite3"
        self.run = moment.now().strftime("%Y%m%dT%H%M%S.%f")
        with _storage(self.path):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = filelock.FileLock(f"{self.path}.lock", mode=0o600)
            try:
                self._lock.acquire(timeout=0)
            except filelock.Timeout:
                hint = "Wait until it ends, or give this one a connection or state_dir of its own."
                raise Busy(f"{name}: another run is writing through this connection ({self.path})", hint=hint) from None
            try:
                self.path.touch(0o600)
                self.path.chmod(0o600)
                self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._open()
            except BaseException:
                self._lock.release()
                raise

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give file and lock back."""
        self._db.close()
        self._lock.release()

    def _open(self) -> None:
        try:
            [version] = self._db.execute("pragma user_version").fetchone()
            if version > _VERSION:
                hint = "Use that version, or a state_dir of its own for this one."
                raise Storage(f"the journal {self.path} was written by a later version of antiphon", hint=hint)  # noqa: TRY301
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.executescript(_TABLES)
            self._db.execute(f"pragma user_version = {_VERSION}")
        except BaseException:
            self._db.close()
            raise

    def intend(
        self, stream: str, resource: str, operation: str, changes: Sequence[Change], keys: Sequence[tuple[bytes, int]]
    ) -> str:
        """Write down what is about to be sent; *keys* are each change's identity and position in the stream.

        Returns the time it was written down.
        """
        now = moment.rfc3339(moment.now())
        rows = [
            (self.run, stream, position, resource, operation, key, c.token, c.id, c.by, _plain(c.value), now)
            for c, (key, position) in zip(changes, keys, strict=True)
        ]
        overtaken = [(resource, c.by, _plain(c.value), self.run) for c in changes if c.by is not None]
        with self._transaction() as db:
            db.executemany(
                "delete from entries where resource = ? and matched_by = ? and matched_value = ? and run <> ?"
                " and kind is not null and kind <> 'unknown'",
                overtaken,
            )
            db.executemany(
                "insert or replace into entries (run, stream, position, resource, operation, identity, token, remote_id,"
                " matched_by, matched_value, sent_at) values (?,?,?,?,?,?,?,?,?,?,?)",
                rows,
            )
        return now

    def under_way(self, job: str, changes: Iterable[Change]) -> None:
        """Write down that *changes* are about to be written by the API's *job*."""
        with self._transaction() as db:
            db.executemany("update entries set job = ? where token = ?", [(job, c.token) for c in changes])

    def answered(self, outcomes: Iterable[Outcome]) -> None:
        """Write down what became of what was sent."""
        rows = [
            (o.kind, o.id, _ENCODE(o.problem.as_dict()).decode() if o.problem else None, o.change.token)
            for o in outcomes
        ]
        with self._transaction() as db:
            db.executemany(
                "update entries set kind = ?, remote_id = coalesce(?, remote_id), problem = ? where token = ?", rows
            )

    def not_sent(self, changes: Iterable[Change]) -> None:
        """Strike intents that were surely not carried out."""
        with self._transaction() as db:
            db.executemany("delete from entries where kind is null and token = ?", [(c.token,) for c in changes])

    def open_intents(self) -> list[Intent]:
        """Return what earlier runs had under way when they ended."""
        with _storage(self.path):
            rows = self._db.execute(
                "select token, resource, operation, matched_by, matched_value, remote_id, sent_at, job from entries"
                " where kind is null and run <> ? order by id",
                (self.run,),
            ).fetchall()
        return [
            Intent(t, r, o, by, None if v is None else msgspec.json.decode(v), i, at, job)
            for t, r, o, by, v, i, at, job in rows
        ]

    def earlier(self) -> bool:
        """Return whether an earlier run left anything that may be sent again."""
        with _storage(self.path):
            found = self._db.execute("select 1 from entries where run <> ? limit 1", (self.run,)).fetchone()
        return found is not None

    def recall(self, stream: str, asked: Iterable[tuple[Change, bytes, int]]) -> list[Outcome]:
        """Return what earlier runs made of the very records *asked* for: each a change, its identity and its position.

        One entry answers for one record (a source that has the same record twice gets two) and belongs to this run then. Of
        several writes to one key only the last is recalled: the others no longer tell what is there. Nor is a creation
        recalled that ended as unknown and can be looked up now (:meth:`created`).
        """
        known = []
        with self._transaction() as db:
            for change, key, position in asked:
                row = db.execute(
                    "select id, kind, remote_id, problem, operation from entries as one where identity = ? and stream = ?"
                    " and kind is not null and kind <> 'rejected' and run <> ?"
                    " and (matched_by is null or (kind <> 'unknown' and not exists (select 1 from entries as later"
                    " where later.matched_value = one.matched_value and later.matched_by = one.matched_by"
                    " and later.resource = one.resource and later.id > one.id and later.kind is not 'rejected')))"
                    " order by id limit 1",
                    (key, stream, self.run),
                ).fetchone()
                if row is not None:
                    db.execute("update entries set run = ?, position = ? where id = ?", (self.run, position, row[0]))
                    problem = Problem(**msgspec.json.decode(row[3])) if row[3] else None
                    known.append(Outcome(change, Kind(row[1]), row[2], problem, attempts=0, operation=row[4]))
        return known

    def created(self, resource: str) -> list[tuple[str, Any, str | None]]:
        """Return the match field, its value and the id of what earlier runs created in *resource*, oldest first.

        The id is None where it is not known whether it was created.
        """
        with _storage(self.path):
            rows = self._db.execute(
                "select matched_by, matched_value, remote_id from entries where resource = ? and operation = 'create'"
                " and matched_by is not null and kind in ('created', 'unknown') and run <> ? order by id",
                (resource, self.run),
            ).fetchall()
        return [(by, msgspec.json.decode(value), id) for by, value, id in rows]

    def found(self, resource: str, by: str, value: Any) -> None:
        """Strike what was unknown: a look-up has found it."""
        with self._transaction() as db:
            db.execute(
                "delete from entries where resource = ? and matched_by = ? and matched_value = ? and kind = 'unknown'",
                (resource, by, _plain(value)),
            )

    def tokens(self, stream: str, asked: Iterable[tuple[Change, bytes, int]], since: str) -> dict[str, str]:
        """Return the tokens under which earlier runs had sent the very records *asked* for, *since* a time, unanswered.

        An API that remembers tokens answers the same one as it did then. Maps the change's token to the earlier one.
        """
        found: dict[str, str] = {}
        with _storage(self.path):
            for change, key, _position in asked:
                rows = self._db.execute(
                    "select token from entries where identity = ? and stream = ? and kind is null and run <> ? and sent_at >= ?"
                    " order by id",
                    (key, stream, self.run, since),
                )
                if token := next((row[0] for row in rows if row[0] not in found.values()), None):
                    found[change.token] = token
        return found

    def forget(self, stream: str, position: int) -> None:
        """Forget what this run wrote of *stream* up to *position*: a STATE covers it."""
        with self._transaction() as db:
            db.execute(
                "delete from entries where run = ? and stream = ? and position <= ? and kind is not null and kind <> 'unknown'",
                (self.run, stream, position),
            )

    def forget_all(self, streams: Iterable[str]) -> None:
        """Forget everything of *streams* that has an answer: they are written whole, and will not be sent again."""
        with self._transaction() as db:
            db.executemany(
                "delete from entries where stream = ? and kind is not null and kind <> 'unknown'",
                [(stream,) for stream in streams],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _storage(self.path):
            self._db.execute("begin immediate")
            try:
                yield self._db
            except BaseException:
                self._db.rollback()
                raise
            self._db.execute("commit")


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    hint = "Nothing more was sent, and the state was not moved. Free space or mend the folder's rights, then run again."
    try:
        yield
    except OSError as error:
        raise Storage(f"the journal {path} cannot be used: {error.strerror or error}", hint=hint) from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
            hint = (
                "Nothing more was sent, and the state was not moved. To go on without what it knew, move the file away."
            )
            raise Storage(f"the journal {path} is damaged: {error}", hint=hint) from error
        raise Storage(f"the journal {path} cannot be used: {error}", hint=hint) from error


def _plain(value: Any) -> str | None:
    return None if value is None else _ENCODE(value).decode()
