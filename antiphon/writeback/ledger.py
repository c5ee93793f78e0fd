"""The ledger of a connection: what we are about to write, before it is sent; what became of it; what is there, after.

Entries are what is under way, what ended as unknown, and what nothing identifies, until a STATE covers it. After a crash they
tell what was under way: it is settled before anything new is sent. Records are what is known of each key of a stream: a keyed
hash of what was sent last, the id on the other side, the last outcome, and whether this stream made it. Nothing of a record's
content is kept, and its key only while it is under way or unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import msgspec

from antiphon import moment
from antiphon.errors import SettingError
from antiphon.outcome import Change, Kind, Outcome, Problem, Record
from antiphon.writeback.store import KEEP, Store, file_name, keyed

_ENCODE = msgspec.json.Encoder(decimal_format="number", order="deterministic").encode
Payload = Literal["full", "keys", "none"]
"""What may be kept of records: all, only what they are known by, or nothing."""
_KEPT = frozenset({"created", "updated", "deleted"})
_AT_ONCE = 500
"""Values in one query."""


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


class Known(NamedTuple):
    """What a stream's last write left of a record."""

    content: bytes
    """The keyed hash of what was sent."""
    remote_id: str | None
    kind: str
    ours: bool
    """Whether this stream created it."""
    at: int
    """Seconds since the epoch: when that was."""
    version: int | None


class Ledger:
    """The ledger of the connection *name*, in *folder*. Use it in a ``with`` block; safe to use from several threads.

    Raises:
        Storage: it cannot be read or written.
    """

    def __init__(self, folder: Path, name: str, host: str = "", *, payload: Payload = "full") -> None:
        """Open it; *host* is the server spoken to, if not the API's own. *payload* says what may be kept once it is answered.

        Words of the API's are kept if it is ``full``; by what a record is matched, of those that are unknown, unless it is ``none``.
        """
        self.store = Store(folder / file_name(name, host), name)
        self.path, self.run = self.store.path, self.store.run
        self._hashed = keyed(self.store.secret)
        self._streams: dict[str, int] = {}
        self.payload = payload
        self._open: dict[str, tuple[int, bytes | None, bytes, int]] = {}
        """Stream, key, content and run of what is under way, by token."""

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Give it back."""
        self.store.close()

    def claim(self, account: str, connection: str) -> None:
        """Take the ledger for that of *account*, if that is known.

        Raises:
            SettingError: it is that of another.
        """
        if not account:
            return
        with self.store.transaction() as db:
            db.execute("insert into notes values ('account', ?) on conflict (name) do nothing", (account,))
            [whose] = db.execute("select value from notes where name = 'account'").fetchone()
        if whose != account:
            said = f"{connection}: the ledger {self.path} is of the account {whose}, and this is {account}"
            hint = "Nothing was sent. Give this account a connection or state_dir of its own, or move the ledger away."
            raise SettingError(said, hint=hint)

    # Hashes

    def identity(self, resource: str, record: Record, by: str | None, value: Any, *, deletion: bool = False) -> bytes:
        """Return what tells one written record from another: a hash of the resource, the match and the fields sent."""
        whole = hashlib.blake2b(_ENCODE([resource, by, value, record, deletion]), digest_size=16).digest()
        return self._hashed(whole)

    def key(self, resource: str, match: Sequence[Any]) -> bytes:
        """Return what stands for a record that is matched by the values *match* (see :meth:`.match.Match.key`)."""
        return self._hashed(_ENCODE([resource, *match]))

    # What is under way

    def intend(
        self,
        stream: str,
        resource: str,
        operation: str,
        changes: Sequence[Change],
        marks: Sequence[tuple[bytes, bytes | None, int]],
        *,
        seen: bool = True,
    ) -> list[Change]:
        """Write down what is about to be sent; *marks* are each change's identity, key and position in the stream.

        Returns those of *changes* that were not, for another run that is alive has one to the same key under way: one that is
        created twice would be there twice. Unless *seen*, what such a run has written already is returned as well, and what one that
        has ended meanwhile wrote since this one began: the look-up may have been earlier.
        """
        now = moment.rfc3339(moment.now())
        busy: list[Change] = []
        others = operation == "create" and (self.store.others() or self.store.written_by_others())
        number = self._stream(stream)
        with self.store.transaction() as db:
            rows = []
            for c, (identity, key, position) in zip(changes, marks, strict=True):
                if others and key is not None and self._busy(db, key, seen=seen):
                    busy.append(c)
                    continue
                values = (c.token, self.run, stream, position, resource, operation, identity, key, c.id, c.by)
                rows.append((*values, _plain(c.value), now))
                self._open[c.token] = number, key, identity, self.run
            db.executemany(
                "insert into entries (token, run, stream, position, resource, operation, identity, key, remote_id, matched_by,"
                " matched_value, sent_at) values (?,?,?,?,?,?,?,?,?,?,?,?) on conflict (token) do update set"
                " run = excluded.run, position = excluded.position, sent_at = excluded.sent_at, kind = null, problem = null",
                rows,
            )
        return busy

    def _busy(self, db: Any, key: bytes, *, seen: bool) -> bool:
        under_way = (
            "select 1 from entries where key = ? and kind is null"
            " and run <> ? and run in (select run from runs) and run not in (select run from ended)"
        )
        written = (
            "select 1 from records where stream in (select id from streams) and key = ? and run <> ?"
            " and (at >= ? or run in (select run from runs) and run not in (select run from ended))"
        )
        asked: list[tuple[str, tuple[Any, ...]]] = [(under_way, (key, self.run))]
        if not seen:
            asked.append((written, (key, self.run, self.store.began)))
        return any(db.execute(sql, values).fetchone() for sql, values in asked)

    def under_way(self, job: str, changes: Iterable[Change]) -> None:
        """Write down that *changes* are about to be written by the API's *job*."""
        with self.store.transaction() as db:
            db.executemany("update entries set job = ? where token = ?", [(job, c.token) for c in changes])

    def answered(self, outcomes: Collection[Outcome], version: int | None = None) -> None:
        """Write down what became of what was sent, under the stream's *version* at that time."""
        if not outcomes:
            return
        open_ = self._marks(outcomes)
        at, words = int(moment.now().timestamp()), self.payload == "full"
        kept, back, struck, left = [], [], [], []
        for o in outcomes:
            token = o.change.token
            stream, key, content, run = open_.get(token, (0, None, b"", self.run))
            kind = o.kind.value  # SQLite takes plain values faster than those of an enumeration
            if o.operation == "restore" and key is not None and o.ok:  # whoever made it, it is back
                back.append((content, run, at, stream, key))
            elif key is not None and kind in _KEPT:
                kept.append((stream, key, content, o.id, kind, int(kind == "created"), run, at, version))
            if o.kind is Kind.REJECTED or (key is not None and o.kind is not Kind.UNKNOWN):
                struck.append((token,))
            else:
                problem = _ENCODE(o.problem.as_dict()).decode() if o.problem and words else None
                left.append((kind, o.id, problem, token))
        with self.store.transaction() as db:
            db.executemany(KEEP, kept)
            sql = "update records set kind = 'updated', content = ?, run = ?, at = ? where stream = ? and key = ?"
            db.executemany(sql, back)
            db.executemany("delete from entries where token = ?", struck)
            db.executemany(
                "update entries set kind = ?, remote_id = coalesce(?, remote_id), problem = ? where token = ?", left
            )
            if self.payload == "none":
                db.executemany("update entries set matched_value = null where token = ?", [row[-1:] for row in left])

    def _marks(self, outcomes: Collection[Outcome]) -> dict[str, tuple[int, bytes | None, bytes, int]]:
        """Return stream, key, content and run of what is open, by token: as this run wrote it down, or an earlier one."""
        found = {}
        for o in outcomes:
            if mark := self._open.pop(o.change.token, None):
                found[o.change.token] = mark
        if len(found) < len(outcomes):
            left = [o.change.token for o in outcomes if o.change.token not in found]
            sql = (
                "select token, streams.id, key, identity, run from entries join streams on streams.name = entries.stream"
                " where token in ({})"
            )
            found |= {row[0]: row[1:] for row in self._in(sql, left)}
        return found

    def not_sent(self, changes: Iterable[Change]) -> None:
        """Strike intents that were surely not carried out."""
        tokens = [(c.token,) for c in changes]
        for (token,) in tokens:
            self._open.pop(token, None)
        with self.store.transaction() as db:
            db.executemany("delete from entries where kind is null and token = ?", tokens)

    def open_intents(self) -> list[Intent]:
        """Return what earlier runs had under way when they ended."""
        rows = self.store.rows(
            "select token, resource, operation, matched_by, matched_value, remote_id, sent_at, job from entries"
            " where kind is null and run in (select run from ended) order by run, position"
        )
        return [
            Intent(t, r, o, by, None if v is None else msgspec.json.decode(v), i, at, job)
            for t, r, o, by, v, i, at, job in rows
        ]

    def earlier(self) -> bool:
        """Return whether an earlier run left anything that may be sent again."""
        left = "select 1 from entries where run in (select run from ended) or kind = 'unknown' and run <> ? limit 1"
        return bool(self.store.rows(left, (self.run,)))

    def recall(self, stream: str, asked: Iterable[tuple[Change, bytes, int]]) -> list[Outcome]:
        """Return what earlier runs made of the very records *asked* for, which nothing identifies.

        Each is a change, its identity and its position. One entry answers for one record (a source that has the same record
        twice gets two) and belongs to this run then.
        """
        known = []
        with self.store.transaction() as db:
            for change, identity, position in asked:
                row = db.execute(
                    "select token, kind, remote_id, problem, operation from entries where identity = ? and stream = ?"
                    " and key is null and kind is not null and run <> ?"
                    " and (kind = 'unknown' or run in (select run from ended)) order by run, position limit 1",
                    (identity, stream, self.run),
                ).fetchone()
                if row is not None:
                    mine = (self.run, position, row[0])
                    db.execute("update entries set run = ?, position = ? where token = ?", mine)
                    problem = Problem(**msgspec.json.decode(row[3])) if row[3] else None
                    known.append(Outcome(change, Kind(row[1]), row[2], problem, attempts=0, operation=row[4]))
        return known

    def tokens(self, stream: str, asked: Iterable[tuple[Change, bytes, int]], since: str) -> dict[str, str]:
        """Return the tokens under which earlier runs had sent the very records *asked* for, *since* a time, unanswered.

        An API that remembers tokens answers the same one as it did then. Maps the change's token to the earlier one.
        """
        found: dict[str, str] = {}
        for change, identity, _position in asked:
            rows = self.store.rows(
                "select token from entries where identity = ? and stream = ? and kind is null and sent_at >= ?"
                " and run in (select run from ended) order by run, position",
                (identity, stream, since),
            )
            if token := next((row[0] for row in rows if row[0] not in found.values()), None):
                found[change.token] = token
        return found

    def unknown(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of *keys* of which it is not known whether they were created."""
        return {key for (key,) in self._in("select key from entries where kind = 'unknown' and key in ({})", keys)}

    def found(self, key: bytes) -> None:
        """Strike what was unknown: a look-up has found it."""
        with self.store.transaction() as db:
            db.execute("delete from entries where key = ? and kind = 'unknown'", (key,))

    def forget(self, stream: str, position: int) -> None:
        """Forget what this run wrote of *stream* up to *position* and nothing identifies: a STATE covers it."""
        with self.store.transaction() as db:
            db.execute(
                "delete from entries where run = ? and stream = ? and position <= ? and kind is not null and kind <> 'unknown'",
                (self.run, stream, position),
            )

    def forget_all(self, streams: Iterable[str]) -> None:
        """Forget what nothing identifies of *streams* and has an answer: they are written whole, and will not be sent again."""
        with self.store.transaction() as db:
            db.executemany(
                "delete from entries where stream = ? and kind is not null and kind <> 'unknown'"
                " and (run = ? or run in (select run from ended))",
                [(stream, self.run) for stream in streams],
            )

    # What is there

    def known(self, stream: str, keys: Collection[bytes]) -> dict[bytes, Known]:
        """Return what is known of the records of *stream* with these *keys*."""
        sql = "select key, content, remote_id, kind, ours, at, version from records where stream = ? and key in ({})"
        found = self._in(sql, keys, self._stream(stream))
        return {
            key: Known(content, id, kind, bool(ours), at, version)
            for key, content, id, kind, ours, at, version in found
        }

    def made(self, keys: Collection[bytes], since: int) -> dict[bytes, str]:
        """Return the ids of what any stream created since a time (seconds), by key: a look-up may not see it yet."""
        sql = (
            "select key, remote_id from records where stream in (select id from streams) and kind = 'created'"
            " and remote_id is not null and at >= ? and key in ({})"
        )
        return dict(self._in(sql, keys, since))

    def keep(
        self, stream: str, rows: Iterable[tuple[bytes, bytes, str | None, str]], version: int | None = None
    ) -> None:
        """Keep what was found as it is to be: each a key, a content, an id and an outcome."""
        at = int(moment.now().timestamp())
        values = [(self._stream(stream), *row, self.run, at, version) for row in rows]
        if not values:
            return
        with self.store.transaction() as db:
            db.executemany(
                "insert into records (stream, key, content, remote_id, kind, ours, run, at, version) values (?,?,?,?,?,0,?,?,?)"
                " on conflict (stream, key) do update set content = excluded.content, remote_id = excluded.remote_id,"
                " kind = excluded.kind, run = excluded.run, at = excluded.at, version = coalesce(excluded.version, records.version),"
                " ours = case when records.kind = 'deleted' or records.remote_id <> excluded.remote_id then 0 else records.ours end",
                values,
            )

    def see(self, stream: str, keys: Iterable[bytes], version: int) -> None:
        """Note that the records with these *keys* are in the *version* of the stream."""
        rows = [(version, self._stream(stream), key, version) for key in keys]
        with self.store.transaction() as db:
            db.executemany(
                "update records set version = ? where stream = ? and key = ? and (version is null or version <> ?)",
                rows,
            )

    def resource(self, stream: str) -> str:
        """Return the resource that *stream* was written to last; empty if nothing is known of its records."""
        sql = (
            "select resource from streams where name = ?"
            " and exists (select 1 from records where records.stream = streams.id)"
        )
        rows = self.store.rows(sql, (stream,))
        return str(rows[0][0] or "") if rows else ""

    def alone(self, stream: str) -> bool:
        """Return whether no other run that is alive has asked this of *stream*; none gets a yes until this one has ended."""
        return self.store.alone(stream)

    # For people

    def describe(self, stream: str, resource: str, fields: Sequence[str]) -> None:
        """Note which resource *stream* is written to, and the fields that its records are matched by."""
        row = (stream, resource, _ENCODE(list(fields)).decode())
        with self.store.transaction() as db:
            db.execute(
                "insert into streams (name, resource, fields) values (?,?,?) on conflict (name) do update set"
                " resource = excluded.resource, fields = excluded.fields",
                row,
            )

    def summary(self) -> list[dict[str, Any]]:
        """Return how many records are known of each stream, how many of them it made, and how many are gone."""
        rows = self.store.rows(
            "select streams.name, streams.resource, count(records.key), coalesce(sum(records.ours), 0),"
            " coalesce(sum(case when records.kind = 'deleted' then 1 else 0 end), 0), coalesce(max(records.at), 0)"
            " from streams left join records on records.stream = streams.id"
            " group by streams.name, streams.resource order by streams.name"
        )
        names = ("stream", "resource", "records", "made here", "deleted", "last written")
        return [dict(zip(names, (*row[:5], moment.rfc3339(row[5]) if row[5] else None), strict=True)) for row in rows]

    def unknowns(self) -> list[dict[str, Any]]:
        """Return what was sent and not answered, and could not be found out."""
        names = ("stream", "resource", "operation", "key", "sent")
        return [
            dict(zip(names, row, strict=True))
            for row in self.store.rows(
                "select stream, resource, operation, matched_value, sent_at from entries where kind = 'unknown' order by sent_at"
            )
        ]

    def about(self, stream: str, key: Sequence[str]) -> list[dict[str, Any]]:
        """Return what is known of the record of *stream* that goes by the values *key*, or has that id."""
        rows = self.store.rows(
            "select key, remote_id, kind, ours, at, version from records where stream = ? and remote_id = ?",
            (self._stream(stream), key[0]),
        )
        known = self.known(stream, self._keys(stream, key))
        rows += [(k, one.remote_id, one.kind, one.ours, one.at, one.version) for k, one in known.items()]
        return [
            {"stream": stream, "id": id, "outcome": kind, "made here": bool(ours), "written": at, "version": version}
            for _, id, kind, ours, at, version in {row[0]: row for row in rows}.values()
        ]

    def strike(self, stream: str, key: Sequence[str], *, unknown: bool) -> int:
        """Forget a record, a stream, or where neither is named everything; only what is *unknown*, if that is said.

        Returns how many there were.
        """
        keys = set(self._keys(stream, key)) if key else set()
        if key:
            found = self.store.rows(
                "select key from records where stream = ? and remote_id = ?", (self._stream(stream), key[0])
            )
            keys |= {row[0] for row in found}
        count = 0
        with self.store.transaction() as db:
            for one in keys if key else [None]:
                which = (stream, stream, one, one)
                left = "kind = 'unknown' and (? = '' or stream = ?) and (? is null or key = ?)"
                count += db.execute("delete from entries where " + left, which).rowcount  # noqa: S608 - nothing of it is given
                if not unknown:
                    count += db.execute(
                        "delete from records where (? = '' or stream in (select id from streams where name = ?))"
                        " and (? is null or key = ?)",
                        which,
                    ).rowcount
        return count

    def expire(self, days: float) -> int:
        """Forget what was last written, or seen, more than so many *days* ago; return how many there were."""
        now = moment.now()
        at, sent = int(now.timestamp() - days * 86400), moment.rfc3339(now - timedelta(days=days))
        with self.store.transaction() as db:
            count: int = db.execute("delete from records where at < ?", (at,)).rowcount
            count += db.execute("delete from entries where kind is not null and sent_at < ?", (sent,)).rowcount
        return count

    def _keys(self, stream: str, values: Sequence[str]) -> list[bytes]:
        """Return the keys that a record of *stream* may have which goes by *values*, in whichever of its match fields."""
        [(resource, fields)] = self.store.rows("select resource, fields from streams where name = ?", (stream,))
        words = dict.fromkeys((values[0].strip(), values[0].strip().lower()))
        named = msgspec.json.decode(fields or "[]")
        return [self.key(resource, (by, one, *values[1:])) for by in named for one in words]

    def walk(self, stream: str) -> Iterator[tuple[bytes, str | None, str, bool, int | None]]:
        """Yield key, id, outcome, whether the stream made it, and version of all the records of *stream*."""
        sql = "select key, remote_id, kind, ours, version from records where stream = ? and key > ? order by key limit 10000"
        last = b""
        while rows := self.store.rows(sql, (self._stream(stream), last)):
            for key, id, kind, ours, version in rows:
                yield key, id, kind, bool(ours), version
            last = rows[-1][0]

    def _stream(self, stream: str) -> int:
        if stream not in self._streams:
            with self.store.transaction() as db:
                db.execute("insert into streams (name) values (?) on conflict (name) do nothing", (stream,))
                [self._streams[stream]] = db.execute("select id from streams where name = ?", (stream,)).fetchone()
        return self._streams[stream]

    def _in(self, sql: str, keys: Iterable[bytes | str], *first: Any) -> Iterable[tuple[Any, ...]]:
        """Yield what a query finds for *keys*, so many at a time; ``{}`` in it stands for them."""
        left = list(keys)
        for start in range(0, len(left), _AT_ONCE):
            some = left[start : start + _AT_ONCE]
            yield from self.store.rows(sql.format(",".join("?" * len(some))), (*first, *some))


def _plain(value: Any) -> str | None:
    return None if value is None else _ENCODE(value).decode()
