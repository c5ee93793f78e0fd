"""The tables of a ledger, and how those of earlier versions become them.

``intents``
    what is under way: a row for what was written down together, its records packed, and how far that has come (:mod:`.intents`);
``entries``
    what ended as unknown, and what nothing identifies until a STATE covers it: a row each;
``answers``
    what became of records that have a key, packed as it was told, until it is sorted into the records (:mod:`.records`);
``records``
    what is known of each key of a stream.

In the statements here and in the modules beside this one SQLite's own are ``without rowid``, ``pragma``, ``begin immediate``, ``vacuum``,
the temporary table ``ended``, ``max`` of two values, a statement that keeps the same record twice, and the numbers of rows that it gave itself.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec

from antiphon.writeback.intent import Intent, Stage, packed

VERSION = 5
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
    stage integer not null
);
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
BY_ID = "create index if not exists records_by_id on records (remote_id)"
"""For a ledger in which records are looked for by their ids; one that knows of no deletion has it not, for it is kept at a cost."""
INTEND = "insert into intents (run, stream, resource, operation, sent_at, job, changes, stage) values (?,?,?,?,?,?,?,?)"
INTENDED = ",(?,?,?,?,?,?,?,?)"
"""One row more of it; what one statement writes has numbers in a row."""
_KEEP = """
with alike as (values (?,?,?,?,?))
insert into records (stream, kind, ours, run, version, key, content, remote_id, at)
select alike.*, each.* from alike, (values {}) as each where true
on conflict (stream, key) do update set content = excluded.content, remote_id = excluded.remote_id, kind = excluded.kind,
    ours = case when records.kind = 'deleted' or records.remote_id <> excluded.remote_id then excluded.ours
        else max(records.ours, excluded.ours) end,
    run = excluded.run, at = excluded.at, version = coalesce(excluded.version, records.version)
"""
_PACKED = 3
"""The first version that packs intents."""
_STAGED = 4
"""The first one that knows how far they have come; it packed each record that was heard of with all that is known of it."""
_KEPT = 100
"""Records that are kept by one statement."""

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


Row: TypeAlias = tuple[bytes, bytes, str | None, int]
"""Of a record key, content, id and time."""


class Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Records of which the same was heard."""

    stream: int
    """The stream's number."""
    kind: str
    ours: int
    """1 if it made them."""
    run: int
    version: int | None
    rows: list[Row]


def keep(db: sqlite3.Connection, heard: Iterable[Heard]) -> None:
    """Keep what a later run wants to know of records: what was *heard* of them, in its order."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    keys: set[bytes] = set()
    for one in heard:
        mine = {row[0] for row in one.rows}
        if not keys.isdisjoint(mine):  # what came later of a record goes after what came first
            _put(db, alike)
            alike.clear()
            keys.clear()
        keys |= mine
        alike.setdefault((one.stream, one.kind, one.ours, one.run, one.version), []).extend(one.rows)
    _put(db, alike)


def _put(db: sqlite3.Connection, alike: Mapping[tuple[Any, ...], list[Row]]) -> None:
    """Put rows into their places, neighbours together.

    They are bound as bytearrays: for what is bytes Python's sqlite3 looks for an adapter first, which takes it longer than all else.
    """
    for of, rows in alike.items():
        rows.sort(key=itemgetter(0))
        for start in range(0, len(rows), _KEPT):
            some = rows[start : start + _KEPT]
            values = [(bytearray(key), bytearray(content), id, at) for key, content, id, at in some]
            db.execute(_putting(len(some)), (*of, *chain.from_iterable(values)))


@cache
def _putting(count: int) -> str:
    return _KEEP.format(",".join(["(?,?,?,?)"] * count))


def migrate(db: sqlite3.Connection, version: int, keyed: hashlib.blake2b) -> None:
    """Bring tables of an earlier *version* into the present form; *keyed* hashes with the ledger's key."""
    db.execute("begin immediate")
    if version < _PACKED:
        _pack(db, version, keyed)
    elif version < _STAGED:
        db.execute(f"alter table intents add column stage integer not null default {Stage.BEGUN:d}")
    for (rows,) in db.execute("select rows from answers order by id").fetchall():
        keep(db, map(_heard, msgspec.msgpack.decode(rows)))
    db.execute("delete from answers")
    if db.execute("select 1 from records where kind = 'deleted' limit 1").fetchone():
        db.execute(BY_ID)
    db.execute(f"pragma user_version = {VERSION}")
    db.execute("commit")


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
        db.execute(INTEND, (*of, packed(intents), Stage.BEGUN))
    db.execute(_ENDED)
    db.execute("drop table earlier")


def _heard(row: Sequence[Any]) -> Heard:
    """Return what was heard of one record, from a row of the table."""
    stream, key, content, id, kind, ours, run, at, version = row
    return Heard(stream, kind, ours, run, version, [(key, content, id, at)])


def _each(db: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";"):
        db.execute(statement)


def _matched(resource: str, by: str, value: str) -> bytes:
    return msgspec.json.encode([resource, by, str(msgspec.json.decode(value)).strip()])
