"""What people ask of a ledger, and let it forget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from antiphon import moment
from antiphon.writeback.alike import plain
from antiphon.writeback.intent import unpacked
from antiphon.writeback.ledger import Ledger

_WAYS = (("lower",), ("spaces",), ("lower", "spaces"), ("digits",))
"""The settings of ``match_by`` that make a value another one."""


def known_as(stream: str, pipeline: str | None) -> str:
    """Return what a ledger calls *stream*: by its pipeline's name, if there is one.

    Whatever comes before the first slash is a pipeline. Where the names themselves would say otherwise, a slash comes before all, and in the
    pipeline's they are escaped: no two streams go by one name.
    """
    name = pipeline or ""
    if "/" in name or (not name and "/" in stream):
        return f"/{name.replace('%', '%25').replace('/', '%2F')}/{stream}"
    return f"{name}/{stream}" if name else stream


def summary(ledger: Ledger) -> list[dict[str, Any]]:
    """Return how many records are known of each stream, how many of them it made, and how many were deleted besides."""
    ledger.records.sorted_in()
    rows = ledger.store.rows(
        "select streams.name, streams.resource, coalesce(sum(records.kind <> 'deleted'), 0),"
        " coalesce(sum(records.ours = 1 and records.kind <> 'deleted'), 0),"
        " coalesce(sum(records.kind = 'deleted'), 0), coalesce(max(records.at), 0)"
        " from streams left join records on records.stream = streams.id"
        " group by streams.name, streams.resource order by streams.name"
    )
    names = ("stream", "resource", "records", "made here", "deleted", "last written")
    return [dict(zip(names, (*row[:5], moment.rfc3339(row[5]) if row[5] else None), strict=True)) for row in rows]


def unknowns(ledger: Ledger) -> list[dict[str, Any]]:
    """Return what was sent and not answered, and could not be found out: which *record* of the stream it was when it came last."""
    names = ("stream", "resource", "operation", "record", "key", "sent")
    rows = ledger.store.rows(
        "select streams.name, entries.resource, operation, position, matched_value, sent_at"
        " from entries join streams on streams.id = stream where kind = 'unknown' order by sent_at, position"
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def under_way(ledger: Ledger) -> list[dict[str, Any]]:
    """Return how many records of each stream were about to be sent, or were sent, and have no answer yet: by runs that go on, or have ended.

    What a run has left that ended is found out by the next one.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    rows = ledger.store.rows(
        "select streams.name, intents.resource, operation, run in (select run from ended), sent_at, changes"
        " from intents join streams on streams.id = stream order by sent_at"
    )
    for stream, resource, operation, ended, sent, changes in rows:
        run = "ended" if ended else "going on"
        new = {"stream": stream, "resource": resource, "operation": operation, "run": run, "records": 0, "since": sent}
        found.setdefault((stream, resource, operation, run), new)["records"] += len(unpacked(changes))
    return list(found.values())


def about(ledger: Ledger, stream: str, key: Sequence[str]) -> list[dict[str, Any]]:
    """Return what is known of the record of *stream* that goes by the values *key*, or has that id."""
    found = {
        row[0]: row[1:]
        for one in (_with_id(ledger, stream, key[0]), _keys(ledger, stream, key))
        for row in ledger.store.among(
            "select key, remote_id, kind, ours, at, version from records where stream = ? and key in ({})",
            one,
            ledger.records.stream(stream),
        )
    }
    return [
        {"stream": stream, "id": id, "outcome": kind, "made here": bool(ours), "written": at, "version": version}
        for id, kind, ours, at, version in found.values()
    ]


def strike(ledger: Ledger, stream: str, key: Sequence[str], *, unknown: bool) -> int:
    """Forget a record, a stream, or where neither is named everything; only what is *unknown*, if that is said.

    Returns how many there were.
    """
    keys = {*_with_id(ledger, stream, key[0]), *_keys(ledger, stream, key)} if key else {None}
    which = [(stream, stream, one, one) for one in keys]
    where = "(? = '' or stream in (select id from streams where name = ?)) and (? is null or key = ?)"
    ledger.records.sorted_in()
    with ledger.store.transaction() as db:
        count = db.executemany(f"delete from entries where kind = 'unknown' and {where}", which).rowcount  # noqa: S608 - nothing of it is given
        if not unknown:
            count += db.executemany(f"delete from records where {where}", which).rowcount  # noqa: S608
    return count


def expire(ledger: Ledger, days: float, since: float | None = None) -> int:
    """Forget what was last written, or seen, more than so many *days* before the time *since* (seconds; now); return how many there were.

    What may be sent again, or must not, stays until it is answered or struck, as a hash: without the value it is matched by, and the API's words.
    So does what a mirror has made, as long as it has not taken that away: without what was sent of it.
    """
    at = int((moment.now().timestamp() if since is None else since) - days * 86400)
    sent = moment.rfc3339(datetime.fromtimestamp(at, UTC))
    ledger.records.sorted_in()
    with ledger.store.transaction() as db:
        made = "ours = 1 and version is not null and kind <> 'deleted'"
        db.execute(f"update records set content = x'' where at < ? and {made}", (at,))  # noqa: S608 - nothing of it is given
        count: int = db.execute(f"delete from records where at < ? and not ({made})", (at,)).rowcount  # noqa: S608
        db.execute("update entries set matched_value = null, problem = null where sent_at < ?", (sent,))
    return count


def _keys(ledger: Ledger, stream: str, values: Sequence[str]) -> list[bytes]:
    """Return the keys that a record of *stream* may have which goes by *values*, in whichever of its match fields, however they are matched."""
    [(resource, fields)] = ledger.store.rows("select resource, fields from streams where name = ?", (stream,))
    words = values[0].strip()
    forms = dict.fromkeys([words, words.lower(), *(plain(words, ways) for ways in _WAYS)])
    named = msgspec.json.decode(fields or "[]")
    return [ledger.key(resource, (by, one, *values[1:])) for by in named for one in forms]


def _with_id(ledger: Ledger, stream: str, id: str) -> list[bytes]:
    """Return the keys of the records of *stream* that have this *id*."""
    ledger.records.sorted_in()
    sql = "select key from records where stream = ? and remote_id = ?"
    return [key for (key,) in ledger.store.rows(sql, (ledger.records.stream(stream), id))]
