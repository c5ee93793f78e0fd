"""Routes for up to a hundred records at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.sandbox.exchange import Request, Response, encode
from antiphon.sandbox.hubspot import moments, paging
from antiphon.sandbox.hubspot.objects import JSON, MAX_PAGE_WITH_HISTORY, extended, missing, written
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.refusals import Refusal, invalid
from antiphon.sandbox.hubspot.store import Record, Store
from antiphon.sandbox.hubspot.writes import Change, Checker, unique_property

MAX_INPUTS = 100
"""For every batch of records, says the vendor's CRM guide."""
Row = dict[str, Any]


def envelope(status: int, results: list[bytes], errors: list[Row], started: int) -> Response:
    """The answer to a batch."""
    about: dict[str, Any] = {"startedAt": moments.iso(started), "completedAt": moments.iso(moments.now())}
    if errors:
        about |= {"numErrors": len(errors), "errors": errors}
    body = b'{"status":"COMPLETE","results":[' + b",".join(results) + b"]," + encode(about)[1:]
    return Response(status, body, dict(JSON))


def read(portal: Portal, store: Store, request: Request) -> Response:
    """Records by id or unique value; 207 names those that are not there."""
    started = moments.now()
    document = paging.body(request)
    history = document.get("propertiesWithHistory") or []
    rows = paging.inputs(document, MAX_PAGE_WITH_HISTORY if history else MAX_INPUTS)
    keys = list(dict.fromkeys(_key(row) for row in rows))
    id_property = document.get("idProperty")
    selection = store.select(document.get("properties") or []) if document.get("properties") else store.default
    found: list[Record] = []
    lost: list[str] = []
    if paging.flag(request, "archived"):
        bin_ = {str(number): store.records[number] for number in store.archived}
        found = [bin_[key] for key in keys if key in bin_]
        lost = [key for key in keys if key not in bin_]
    else:
        name = unique_property(store, id_property, portal, email=True) if id_property else None
        for key in keys:
            record = store.by(name, key) if name else store.get(key)
            if record is None:
                lost.append(key)
            elif record not in found:
                found.append(record)
    results = []
    for record in portal.shuffled(found):
        members: Row = {}
        if history:
            versions = {name: store.history(record, name) for name in history if name in store.properties}
            members["propertiesWithHistory"] = versions
        results.append(extended(store.show(record, selection), **members))
    if not lost:
        return envelope(200, results, [], started)
    what = store.singular.upper()
    refusal = Refusal(
        207, "OBJECT_NOT_FOUND", f"Could not get some {what} objects, they may be deleted or not exist. Check the ids."
    )
    return envelope(207, results, [refusal.row(ids=lost)], started)


def create(portal: Portal, store: Store, request: Request, version: str) -> Response:
    """New records."""
    checker = Checker(portal, store, version)
    return _write(portal, version, 201, _rows(request), checker.create)


def update(portal: Portal, store: Store, request: Request, version: str) -> Response:
    """Changed records, by id or a unique property; by email is refused, as the vendor does."""
    checker = Checker(portal, store, version)
    rows = _rows(request)
    for id_property in {row.get("idProperty") for row in rows}:
        if id_property:
            unique_property(store, id_property, portal, email=False)

    def locate(row: Row) -> Record | None:
        name = row.get("idProperty")
        return store.by(name, _key(row)) if name else store.get(_key(row))

    _no_twice([str(record.id) if (record := locate(row)) else _key(row) for row in rows])

    def check(row: Row) -> Change:
        record = locate(row)
        if record is None:
            raise missing(store)
        return checker.update(row, record)

    return _write(portal, version, 200, rows, check)


def upsert(portal: Portal, store: Store, request: Request, version: str) -> Response:
    """Records created or changed by a unique property; each result says whether it is new."""
    checker = Checker(portal, store, version)
    rows = _rows(request)
    named = {row.get("idProperty") for row in rows}
    if len(named) != 1 or not all(named):
        raise invalid("Every input must set idProperty, and all of them the same one")
    name = unique_property(store, str(next(iter(named))), portal, email=True)
    _no_twice([_key(row).lower() if name == "email" else _key(row) for row in rows])

    def check(row: Row) -> Change:
        record = store.by(name, _key(row))
        if record is None:
            return checker.create({**row, "properties": {name: _key(row), **(row.get("properties") or {})}})
        if name == "email" and not portal.quirks.partial_email_upsert:
            _whole(store, record, row)
        return checker.update(row, record)

    return _write(portal, version, 200, rows, check, say_new=True)


def archive(store: Store, request: Request) -> Response:
    """To the recycle bin. Nothing is said of single rows, and unknown ids are ignored."""
    for row in _rows(request):
        record = store.get(_key(row))
        if record is not None:
            store.archive(record)
    return Response(204)


def _whole(store: Store, record: Record, row: Row) -> None:
    # "Partial upserts are not supported when using email as the idProperty": the vendor's contacts guide.
    writable = {n for n in record.properties if n in store.properties and store.properties[n].writable}
    left_out = sorted(writable - {"email", "hs_additional_emails"} - set(row.get("properties") or {}))
    if left_out:
        raise invalid(
            "Partial upserts are not supported when using email as the idProperty",
            errors=[{"message": "missing", "code": "PARTIAL_UPSERT", "context": {"propertyName": left_out}}],
        )


def _rows(request: Request) -> list[Row]:
    return paging.inputs(paging.body(request), MAX_INPUTS)


def _key(row: Row) -> str:
    key = row.get("id")
    if not isinstance(key, str | int) or key == "":
        raise invalid("Some required fields were not set: [id]")
    return str(key)


def _no_twice(keys: list[str]) -> None:
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique")


def _write(
    portal: Portal,
    version: str,
    status: int,
    rows: list[Row],
    check: Callable[[Row], Change],
    *,
    say_new: bool = False,
) -> Response:
    """All rows or none, unless every row has a trace id of its own: then those that pass, and 207.

    The vendor's multi-status guide. The first row that does not pass speaks for a request that fails as a whole.
    """
    started = moments.now()
    traces = [row.get("objectWriteTraceId") for row in rows]
    traced = all(isinstance(trace, str) and trace for trace in traces) and len(set(traces)) == len(rows)
    results: list[bytes] = []
    errors: list[Row] = []

    def apply(row: Row, change: Change) -> None:
        members: Row = {"new": change.record is None} if say_new else {}
        if row.get("objectWriteTraceId"):
            members["objectWriteTraceId"] = row["objectWriteTraceId"]
        record = change.apply(portal)
        selection = change.store.select(change.values) if change.record else written(change.store, record)
        results.append(extended(change.store.show(record, selection), **members))

    if traced:
        for row in rows:
            try:
                apply(row, check(row))
            except Refusal as refusal:
                errors.append(refusal.row(objectWriteTraceId=[row["objectWriteTraceId"]]))
    else:
        for row, change in [(row, check(row)) for row in rows]:
            apply(row, change)
    if errors and not (portal.quirks.folded_errors and version == "2026-09"):
        status = 207
    return envelope(status, portal.shuffled(results), errors, started)
