"""The tables of a ledger, and how those of earlier versions become them.

``intents``
    what is under way: a row for what was written down together, its records packed, and how many of them, from the first one on, had
    begun then (:mod:`.intents`);
``progress``
    how many have begun since, where that is told: apart, for to change a row is to write all of it;
``entries``
    what ended as unknown, and what nothing identifies until a STATE covers it: a row each;
``answers``
    what became of records that have a key, packed as it was told, until it is sorted into the records (:mod:`.records`);
``records``
    what is known of each key of a stream.

In the statements here and in the modules beside this one SQLite's own are ``without rowid``, ``pragma``, ``begin immediate``, ``vacuum``,
the temporary table ``ended``, ``max`` of two values, a statement that keeps the same record twice, the numbers of rows that it gave
itself, and ``json_each``.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec

from antiphon.writeback.intent import Intent, packed

VERSION = 6
TABLES = """
create table if not exists notes (name text primary key, value text not null);
create table if not exists runs (run integer primary key);
create table if not exists streams (id integer primary key, name text not null unique, resource text, fields text);
create table if not exists intents (
    id integer primary key,
    run integer not null,
    stream integer not null,
    resource text not null,
    operation text not null,
    sent_at text not null,
    job text,
    changes blob not null,
    begun integer not null,
    doubted integer not null
);
create table if not exists progress (id integer primary key, number integer not null);
create table if not exists entries (
    token text primary key,
    run integer not null,
    stream integer not null,
    position integer not null,
    resource text not null,
    operation text not null,
    identity blob not null,
    key blob,
    remote_id text,
    matched_value text,
    sent_at text not null,
    kind text not null,
    problem text
) without rowid;
create index if not exists entries_by_identity on entries (identity) where key is null;
create index if not exists entries_by_key on entries (key) where key is not null;
create table if not exists answers (id integer primary key, rows blob not null);
create table if not exists records (
    stream integer not null,
    key blob not null,
    content blob not null,
    remote_id text,
    kind text not null,
    ours integer not null,
    run integer not null,
    at integer not null,
    version integer,
    primary key (stream, key)
) without rowid;
"""
NEEDED = "select 1 from json_each('[]')"
"""What SQLite can do by itself from 3.38 on, and before if it was built so."""
BY_ID = "create index if not exists records_by_id on records (remote_id)"
"""For a ledger in which records are looked for by their ids; one that knows of no deletion has it not, for it is kept at a cost."""
INTEND = "insert into intents (run, stream, resource, operation, sent_at, job, changes, begun, doubted) values (?,?,?,?,?,?,?,?,?)"
_KEEP = """
insert into records (stream, kind, ours, run, version, at, key, content, remote_id)
select ?, ?, ?, ?, ?, ?, substr(?, ? * each.key + 1, ?), coalesce(substr(?, ? * each.key + 1, ?), x''), coalesce(?, each.value)
from json_each(?) as each where true
on conflict (stream, key) do update set content = excluded.content, remote_id = excluded.remote_id, kind = excluded.kind,
    ours = case when records.kind = 'deleted' or records.remote_id <> excluded.remote_id then excluded.ours
        else max(records.ours, excluded.ours) end,
    run = excluded.run, at = excluded.at, version = coalesce(excluded.version, records.version)
"""
_PACKED = 3
"""The first version that packs intents."""
_STAGED = 4
"""The first one that knows how far they have come; it packed each record that was heard of with all that is known of it."""
_COUNTED = 6
"""The first one that knows how many of them have begun; before, a row held those of one request, and how far all of them had come."""
_KEPT = 5000
"""Records that are kept by one statement: with each one the other threads may go on, and each time it waits for them."""

_FIRST = """
alter table earlier add column key blob;
update earlier set identity = keyed(identity);
update earlier set key = key_of(resource, matched_by, matched_value) where matched_by is not null;
create temp table numbers as select run as name, row_number() over (order by run) as number from earlier group by run;
update earlier set run = (select number from numbers where name = run);
insert into runs select number from numbers;
insert or ignore into streams (name) select distinct stream from earlier;
"""
"""From version 1, a journal, to 2: its runs had names, its hashes no key, and what is known of a key was an entry."""
_KNOWN = """
select streams.id, key, identity, remote_id, kind, kind = 'created', run, 0, null from earlier
join streams on streams.name = earlier.stream where key is not null and kind in ('created', 'updated', 'deleted') order by run, position
"""
_OPEN = """
select run, streams.id, earlier.resource, operation, sent_at, job,
    token, position, identity, key, remote_id, matched_by, matched_value
from earlier join streams on streams.name = earlier.stream where kind is null order by run, 2, 3, 4, 5, 6, position
"""
_ENDED = """
insert into entries select token, run, streams.id, position, earlier.resource, operation, identity, key, remote_id,
    matched_value, sent_at, kind, problem
from earlier join streams on streams.name = earlier.stream where kind is not null
"""


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was heard of one record."""

    key: bytes
    content: bytes
    id: str | None


_SINGLY = msgspec.json.Decoder(
    list[tuple[str, int, bytes, bytes | None, str | None, str | None, Any]], float_hook=Decimal
).decode


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Records of which the same was heard."""

    stream: int
    """The stream's number."""
    kind: str
    ours: int
    """1 if it made them."""
    run: int
    version: int | None
    at: int
    """Seconds since the epoch."""
    rows: list[Row]


def keep(db: sqlite3.Connection, heard: Iterable[Heard]) -> None:
    """Keep what a later run wants to know of records: what was *heard* of them, in its order."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    keys: set[bytes] = set()
    for one in heard:
        most = len(keys) + len(one.rows)
        keys.update([row.key for row in one.rows])
        if len(keys) < most:  # what came later of a record goes after what came first
            _put(db, alike)
            alike.clear()
            keys = {row.key for row in one.rows}
        alike.setdefault((one.stream, one.kind, one.ours, one.run, one.version, one.at), []).extend(one.rows)
    _put(db, alike)


def _put(db: sqlite3.Connection, alike: Mapping[tuple[Any, ...], list[Row]]) -> None:
    """Put rows into their places, neighbours together."""
    for of, rows in alike.items():
        rows.sort(key=attrgetter("key"))
        for start in range(0, len(rows), _KEPT):
            some = rows[start : start + _KEPT]
            widths = {(len(row.key), len(row.content)) for row in some}
            for width in widths:
                alone = len(widths) == 1
                those = some if alone else [row for row in some if (len(row.key), len(row.content)) == width]
                _put_alike(db, of, width, those)


def _put_alike(db: sqlite3.Connection, of: tuple[Any, ...], width: tuple[int, int], rows: Sequence[Row]) -> None:
    """Put rows whose keys and contents are so long into their places.

    All keys are one value, of which SQLite takes a part for each row, and so are all contents: to give it each by itself takes longer.
    """
    key, content = width
    keys, contents = b"".join([row.key for row in rows]), b"".join([row.content for row in rows])
    ids, whole = msgspec.json.encode([row.id for row in rows]).decode(), None
    if r"\u0000" in ids:  # where SQLite's JSON ends a text
        if len(rows) > 1:
            for row in rows:
                _put_alike(db, of, width, [row])
            return
        whole = rows[0].id
    db.execute(_KEEP, (*of, keys, key, key, contents, content, content, whole, ids))


def migrate(db: sqlite3.Connection, version: int, keyed: hashlib.blake2b) -> None:
    """Bring tables of an earlier *version* into the present form; *keyed* hashes with the ledger's key."""
    db.execute("begin immediate")
    if version < _PACKED:
        _pack(db, version, keyed)
    elif version < _COUNTED:
        _count(db, "stage" if version >= _STAGED else "1")
    for (rows,) in db.execute("select rows from answers order by id").fetchall():
        heard = msgspec.msgpack.decode(rows)
        if version > _STAGED:
            heard = [
                (stream, key, content, id, kind, ours, run, at, version)
                for stream, kind, ours, run, version, some in heard
                for key, content, id, at in some
            ]
        keep(db, map(_heard, heard))
    db.execute("delete from answers")
    if db.execute("select 1 from records where kind = 'deleted' limit 1").fetchone():
        db.execute(BY_ID)
    db.execute(f"pragma user_version = {VERSION}")
    db.execute("commit")


def _count(db: sqlite3.Connection, stage: str) -> None:
    """Pack the intents of versions 3 to 5 as they are now; *stage* says how far they had come: not begun, begun, doubted."""
    rows = db.execute(
        f"select run, stream, resource, operation, sent_at, job, changes, {stage} from intents order by id"  # noqa: S608 - ours
    ).fetchall()
    db.execute("drop table intents")
    _each(db, TABLES)
    for *of, changes, come in rows:
        intents = {one[0]: Intent(*one) for one in _SINGLY(changes)}
        db.execute(INTEND, (*of, packed(intents), len(intents) if come else 0, come > 1))


def _pack(db: sqlite3.Connection, version: int, keyed: hashlib.blake2b) -> None:
    """Make intents of the entries of versions 1 and 2 that had no outcome."""
    db.execute("alter table entries rename to earlier")
    for index in ("identity", "match", "key"):
        db.execute(f"drop index if exists entries_by_{index}")
    _each(db, TABLES)
    if version == 1:

        def hashed(what: bytes) -> bytes:
            whole = keyed.copy()
            whole.update(what)
            return whole.digest()

        db.create_function("keyed", 1, hashed)
        db.create_function("key_of", 3, lambda *words: hashed(_matched(*words)))
        _each(db, _FIRST)
        keep(db, map(_heard, db.execute(_KNOWN).fetchall()))
        db.execute("delete from earlier where key is not null and kind <> 'unknown'")
    for of, rows in groupby(db.execute(_OPEN).fetchall(), key=lambda row: row[:6]):
        intents = {}
        for *_, token, position, identity, key, id, by, value in rows:
            intents[token] = Intent(token, position, identity, key, id, by, msgspec.json.decode(value or "null"))
        db.execute(INTEND, (*of, packed(intents), len(intents), False))
    db.execute(_ENDED)
    db.execute("drop table earlier")


def _heard(row: Sequence[Any]) -> Heard:
    """Return what was heard of one record, from a row of the table."""
    stream, key, content, id, kind, ours, run, at, version = row
    return Heard(stream, kind, ours, run, version, at, [Row(key, content, id)])


def _each(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        db.execute(statement)


def _matched(resource: str, by: str, value: str) -> bytes:
    return msgspec.json.encode([resource, by, str(msgspec.json.decode(value)).strip()])
