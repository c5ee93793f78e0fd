"""What is known of the records of each stream: what was sent last, and what became of it.

Their keys are hashes, each of which lies on a page of its own, so what is heard of them is first appended, packed, and sorted in
when there is much of it, or when somebody asks for what may be among it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from antiphon import moment
from antiphon.outcome import Kind
from antiphon.writeback.store import Store, portions
from antiphon.writeback.tables import BY_ID, Heard, Row, keep

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[Heard]).decode
PERHAPS = "perhaps"
"""The outcome of a creation that a run left unanswered and that a look-up has found: it is ours, or others made one meanwhile."""
_SAME = "+stream in (select id from streams where resource = (select resource from streams where id = {0}))"
"""That a record is of a stream which is written to the same resource as the one of that number; the plus has it looked for by its id."""
_ELSEWHERE = b"\0"
"""In place of the hash of what was sent: the record was written by another key since."""
_WAITING = 20_000
"""Records of which what was heard waits to be sorted in, at the most."""


class Known(NamedTuple):
    """What a stream's last write left of a record."""

    content: bytes
    """The keyed hash of what was sent; empty or a null byte where that is in doubt."""
    remote_id: str | None
    kind: str
    ours: bool
    """Whether this stream created it."""
    at: int
    """Seconds since the epoch: when that was."""
    version: int | None


class Records:
    """The records in *store*."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._streams: dict[str, int] = {}
        self._waiting: set[bytes] = set()
        """Keys of what waits to be sorted in, as far as this run has written it."""
        self._version: int | None = None
        """The version of the file up to which nothing that other runs have written waits."""

    def stream(self, name: str) -> int:
        """Return the number of the stream of that *name*."""
        if name not in self._streams:
            with self._store.transaction() as db:
                db.execute("insert into streams (name) values (?) on conflict (name) do nothing", (name,))
                [self._streams[name]] = db.execute("select id from streams where name = ?", (name,)).fetchone()
        return self._streams[name]

    # What is heard

    def add(self, db: sqlite3.Connection, heard: Collection[Heard]) -> None:
        """Keep what was *heard* of records."""
        if not heard:
            return
        db.execute("insert into answers (rows) values (?)", (_ENCODE(heard),))
        for one in heard:
            self._waiting.update([row.key for row in one.rows])
        if len(self._waiting) >= _WAITING:
            self._sort_in(db)

    def keep(
        self, stream: str, found: Iterable[tuple[bytes, bytes, str | None, str]], version: int | None = None
    ) -> None:
        """Keep what was found as it is to be: each a key, a content, an id and an outcome, which is ``created`` where it is ours."""
        at, number = int(moment.now().timestamp()), self.stream(stream)
        heard = [
            Heard(number, kind, int(kind == Kind.CREATED), self._store.run, version, at, [Row(key, content, id)])
            for key, content, id, kind in found
        ]
        if heard:
            with self._store.transaction() as db:
                self.add(db, heard)

    def restored(self, rows: Sequence[tuple[bytes, int, int, int, bytes]]) -> None:
        """Note that archived records are back, whoever made them: each a content, a run, a time, a stream's number and a key."""
        if not rows:
            return
        self.sorted_in([row[-1] for row in rows])
        with self._store.transaction() as db:
            sql = "update records set kind = 'updated', content = ?, run = ?, at = ? where stream = ? and key = ?"
            db.executemany(sql, rows)

    def back(self, stream: str, ids: Collection[str], keys: Collection[bytes] | None = None) -> None:
        """Note that the records of *stream* with these *ids*, where it had taken them away, are there again, and its own as before.

        *keys* are those that they go by now, where what has just been heard of others need not be looked through.
        """
        self.sorted_in(keys)
        if not ids or not self._store.rows("select 1 from sqlite_master where name = 'records_by_id'"):
            return  # no stream has taken anything away
        number = self.stream(stream)
        gone = "select key from records where +stream = ? and kind = 'deleted' and remote_id in ({})"
        left = [(number, key) for (key,) in self._store.among(gone, ids, number)]
        if left:
            with self._store.transaction() as db:
                db.executemany("update records set kind = 'updated', content = x'' where stream = ? and key = ?", left)

    def doubt(self, those: Collection[tuple[int, bytes]]) -> None:
        """Forget what was sent last of *those*, each a stream's number and a key: perhaps something else was since."""
        if not those:
            return
        self.sorted_in([key for _, key in those])
        with self._store.transaction() as db:
            db.executemany("update records set content = x'' where stream = ? and key = ?", those)

    def rewritten(self, stream: str, ids: Collection[str], spared: Collection[bytes] = ()) -> None:
        """Forget what *stream* sent last of the records with these *ids*, by whatever key but those *spared*."""
        if not ids:
            return
        self.sorted_in()
        number, sql = self.stream(stream), "select key from records where +stream = ? and remote_id in ({})"
        with self._store.transaction() as db:
            db.execute(BY_ID)
            rows = [(_ELSEWHERE, number, key) for (key,) in self._store.among(sql, ids, number) if key not in spared]
            db.executemany("update records set content = ? where stream = ? and key = ?", rows)

    def gone(self, heard: Collection[Heard]) -> None:
        """Note that what is in *heard* was taken away: by other keys it is gone from their streams as well.

        What other streams sent last of it tells nothing any more.
        """
        if not heard:
            return
        self.sorted_in()
        sql = (
            "update records set content = x'', kind = case when stream = {0} then 'deleted' else kind end"  # noqa: S608
            f" where kind <> 'deleted' and remote_id in ({{1}}) and not (stream = {{0}} and key in ({{1}})) and {_SAME}"
        )
        with self._store.transaction() as db:
            db.execute(BY_ID)
            for one in heard:
                for marks, some in portions(one.rows):
                    db.execute(sql.format(one.stream, marks), [*(row.id for row in some), *(row.key for row in some)])

    def hand_over(self, stream: str, ids: Sequence[str]) -> set[str]:
        """Let records with these *ids*, gone from *stream*, which made them, be those of other mirrors that have them too; return the ids of these."""
        if not ids:
            return set()
        self.sorted_in()
        number, handed = self.stream(stream), set[str]()
        theirs = f"remote_id in ({{1}}) and version is not null and kind <> 'deleted' and stream <> {{0}} and {_SAME}"
        with self._store.transaction() as db:
            db.execute(BY_ID)
            for marks, some in portions(ids):
                where = theirs.format(number, marks)
                handed |= {id for (id,) in db.execute(f"select remote_id from records where {where}", some)}  # noqa: S608
                db.execute(f"update records set ours = 1 where {where}", some)  # noqa: S608 - nothing of it is given
            mine = "update records set content = x'', kind = 'deleted' where +stream = ? and remote_id in ({})"
            for marks, some in portions(handed):
                db.execute(mine.format(marks), (number, *some))
        return handed

    def see(self, stream: str, keys: Collection[bytes], version: int) -> None:
        """Note that the records with these *keys* are in the *version* of the stream."""
        self.sorted_in(keys)
        rows = [(version, self.stream(stream), key, version) for key in keys]
        with self._store.transaction() as db:
            db.executemany(
                "update records set version = ? where stream = ? and key = ? and (version is null or version <> ?)",
                rows,
            )

    def met(self, stream: str, ids: Collection[str], version: int) -> set[str]:
        """Note that the records with these *ids* are in the *version* of the stream, by whatever key; return those that it knows."""
        if not ids:
            return set()
        self.sorted_in()
        number, known = self.stream(stream), set[str]()
        where = "+stream = ? and kind <> 'deleted' and remote_id in ({})"
        with self._store.transaction() as db:
            db.execute(BY_ID)
            for marks, some in portions(ids):
                here = where.format(marks)
                known |= {id for (id,) in db.execute(f"select remote_id from records where {here}", (number, *some))}  # noqa: S608
                db.execute(f"update records set version = ? where {here}", (version, number, *some))  # noqa: S608
        return known

    def placed(self, stream: str, keys: Collection[bytes]) -> set[bytes]:
        """Return those of *keys* under which *stream* knows a record that it wrote under no other key since."""
        self.sorted_in()
        number = self.stream(stream)
        sql = "select key, remote_id, run from records where stream = ? and kind <> 'deleted' and remote_id is not null and key in ({})"
        found = list(self._store.among(sql, keys, number))
        if not found:
            return set()
        self._store.do(BY_ID)
        last: dict[str, int] = {}
        for marks, some in portions({id for _, id, _ in found}):
            by_id = f"select remote_id, max(run) from records where +stream = ? and kind <> 'deleted' and remote_id in ({marks}) group by 1"  # noqa: S608
            last |= dict(self._store.rows(by_id, (number, *some)))
        return {key for key, id, run in found if run >= last[id]}

    def add_unplaced(self, stream: str, version: int, number: int) -> None:
        """Note that so many more records of the *version* of *stream* may be any of those known."""
        if number:
            value = f"{version} {self.unplaced(stream, version) + number}"
            sql = "insert into notes values (?, ?) on conflict (name) do update set value = excluded.value"
            self._store.do(sql, (f"unplaced {stream}", value))

    def unplaced(self, stream: str, version: int) -> int:
        """Return how many records of the *version* of *stream* may be any of those known."""
        rows = self._store.rows("select value from notes where name = ?", (f"unplaced {stream}",))
        of, _, number = rows[0][0].partition(" ") if rows else ("", "", "")
        return int(number) if of == str(version) else 0

    def sorted_in(self, keys: Collection[bytes] | None = None) -> None:
        """Sort in what waits, if the records with one of *keys*, or any, may be among it."""
        version = self._store.version()
        if version != self._version or (self._waiting if keys is None else self.lately(keys)):
            with self._store.transaction() as db:
                self._sort_in(db)

    def _sort_in(self, db: sqlite3.Connection) -> None:
        version = self._store.version()
        packed = db.execute("select rows from answers order by id").fetchall()
        keep(db, [one for (rows,) in packed for one in _DECODE(rows)])
        db.execute("delete from answers")
        self._waiting.clear()
        self._version = version

    # What is known

    def any(self, stream: str) -> bool:
        """Return whether anything is known of the records of *stream*."""
        self.sorted_in()
        return bool(self._store.rows("select 1 from records where stream = ? limit 1", (self.stream(stream),)))

    def lately(self, keys: Collection[bytes]) -> bool:
        """Return whether this run has lately heard of one of *keys*."""
        return not self._waiting.isdisjoint(keys)

    def known(self, stream: str, keys: Collection[bytes]) -> dict[bytes, Known]:
        """Return what is known of the records of *stream* with these *keys*."""
        self.sorted_in(keys)
        sql = "select key, content, remote_id, kind, ours, at, version from records where stream = ? and key in ({})"
        found = self._store.among(sql, keys, self.stream(stream))
        return {
            key: Known(content, id, kind, bool(ours), at, version)
            for key, content, id, kind, ours, at, version in found
        }

    def made(self, keys: Collection[bytes], since: int) -> dict[bytes, str | None]:
        """Return the ids of what any stream created since a time (seconds), by key: a look-up may not see it yet.

        None is for what was written by another key since: it may have other values now.
        """
        self.sorted_in(keys)
        sql = (
            "select key, case when content <> x'00' then remote_id end from records where stream in (select id from streams) and kind = 'created'"
            " and remote_id is not null and at >= ? and key in ({})"
        )
        return dict(self._store.among(sql, keys, since))

    def of_others(self, keys: Collection[bytes]) -> set[bytes]:
        """Return those of *keys* which other runs wrote that are alive, or have ended since this one began."""
        self.sorted_in(keys)
        sql = (
            "select key from records where stream in (select id from streams) and run <> ?"
            " and (at >= ? or run in (select run from runs) and run not in (select run from ended)) and key in ({})"
        )
        return {key for (key,) in self._store.among(sql, keys, self._store.run, self._store.began)}

    def walk(self, stream: str) -> Iterator[tuple[bytes, str | None, str, bool, int | None]]:
        """Yield key, id, outcome, whether the stream made it, and version of all the records of *stream*."""
        self.sorted_in()
        sql = "select key, remote_id, kind, ours, version from records where stream = ? and key > ? order by key limit 10000"
        last = b""
        while rows := self._store.rows(sql, (self.stream(stream), last)):
            for key, id, kind, ours, version in rows:
                yield key, id, kind, bool(ours), version
            last = rows[-1][0]
