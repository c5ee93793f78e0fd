"""What is sent, frozen: a change to it shows as a diff of the files in `snapshots`.

``RENEW_SNAPSHOTS=1`` writes them anew. Page sizes and rate limits are those of the description.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from antiphon import apis
from antiphon.api import Query
from antiphon.client import Client
from antiphon.outcome import Change
from antiphon.writeback.writer import Writer
from contract.apis import Account, Case, Entry, cases, entries, populate
from contract.wire import Wire, collapsed, shown

SNAPSHOTS = Path(__file__).parent / "snapshots"
SINCE = "2026-01-31T09:05:00Z"


def snapshot(entry: Entry, case: Case) -> Path:
    return SNAPSHOTS / f"{entry.name}.{case.resource}.json"


class Recorder:
    """What was sent for each operation."""

    def __init__(self, wire: Wire, account: Account, client: Client, case: Case) -> None:
        self.wire, self.account, self.client, self.case = wire, account, client, case
        self.said: dict[str, list[dict[str, Any]]] = {}
        records = case.sample.records(account.hand) if case.sample else []
        self.ours = {str(value) for record in records for value in record.values()}

    @contextmanager
    def of(self, operation: str) -> Iterator[None]:
        self.wire.clear()
        yield
        ids = {part for key in self.case.keys(self.account.hand) for part in key} - self.ours
        root = self.client.http.base_url
        sent = [shown(request, root, self.account.secret, ids) for request in self.wire.requests]
        self.said[operation] = collapsed(sent)


def recorded(entry: Entry, case: Case, account: Account, wire: Wire) -> dict[str, list[dict[str, Any]]]:
    populate(case, account)
    client = Client(apis.load(entry.name), account.config)
    resource = client.resource(case.resource)
    schema = client.schema(resource)
    sample = case.sample
    records = sample.records(account.hand) if sample else []
    names = [name for name in (*resource.key, resource.updated, *(records[0] if records else ())) if name]
    fields = tuple(dict.fromkeys(name for name in names if name in schema["properties"])) if sample else None
    if getattr(resource.create or resource.update, "batch", 1) == 1:
        records = records[:1]
    recorder = Recorder(wire, account, client, case)
    for slot, query in (("read", Query(fields)), ("changes", Query(fields, SINCE)), ("deleted", Query(fields))):
        if getattr(resource, slot):
            with recorder.of(slot):
                list(client.read(resource, query, slot=slot))
    if resource.get:
        with recorder.of("get"):
            list(client.read(resource, Query(fields, id=min(case.keys(account.hand))[0]), slot="get"))
    if sample is None:
        return recorder.said
    match = sample.match or resource.match_fields(schema)
    for field in match if resource.find else ():
        with recorder.of(f"find by {field}"):
            client.find(resource, field, [record[field] for record in records if field in record] or ["none"], fields)
    for operation, rows in (
        ("create" if sample.creates else "update", records),
        ("change", [{**record, **sample.change} for record in records] if sample.change else []),
    ):
        if rows:
            with recorder.of(operation):
                outcomes = Writer(client, resource, match=sample.match).write(rows)
    changes = [Change({**outcome.change.record}, outcome.id) for outcome in outcomes]
    for operation in ("archive", "delete", "erase"):
        how = getattr(resource, operation)
        if how and (not sample.undeleted or operation != "delete") and changes:
            for name in getattr(how, "apart", ()):
                changes[-1].record.setdefault(name, records[-1][name])
            with recorder.of(operation):
                list(client.write(resource, operation, [changes.pop()]))
    return recorder.said


@pytest.mark.parametrize(("entry", "case"), cases(lambda entry, _case: entry.http))
def test_requests_are_those_of_the_snapshot(entry: Entry, case: Case, account: Account, wire: Wire) -> None:
    said = recorded(entry, case, account, wire)
    path = snapshot(entry, case)
    if os.environ.get("RENEW_SNAPSHOTS"):
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert path.exists(), "there is no snapshot yet: run with RENEW_SNAPSHOTS=1, and read what it writes"
    assert said == json.loads(path.read_text("utf-8"))


def test_every_snapshot_is_one_of_the_table() -> None:
    known = {snapshot(entry, case) for entry in entries() for case in entry.cases if entry.http}
    assert set(SNAPSHOTS.glob("*.json")) == known
