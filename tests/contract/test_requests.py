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
from contract.apis import Account, Case, Entry, Sample, cases, entries, populate
from contract.wire import Wire, collapsed, shown

SNAPSHOTS = Path(__file__).parent / "snapshots"
SINCE = "2026-01-31T09:05:00Z"


def snapshot(entry: Entry, case: Case) -> Path:
    return SNAPSHOTS / f"{entry.name}.{case.resource}.json"


class Recorder:
    """What was sent for each operation on one resource."""

    def __init__(self, entry: Entry, case: Case, account: Account, wire: Wire) -> None:
        self.wire, self.account, self.case = wire, account, case
        state = account.config.get("state_dir")
        self.client = Client(apis.load(entry.name), account.config, folder=Path(state) if state else None)
        self.resource = self.client.resource(case.resource)
        self.schema = self.client.schema(self.resource)
        self.said: dict[str, list[dict[str, Any]]] = {}
        self.records = case.sample.records(account.hand) if case.sample else []
        if getattr(self.resource.create or self.resource.update, "batch", 1) == 1:
            self.records = self.records[:1]
        self.ours = {str(value) for record in self.records for value in record.values()}
        self.match: tuple[str, ...] = ()
        self.fields: tuple[str, ...] | None = None
        if case.sample:
            self.match = case.sample.match or self.resource.match_fields(self.schema)
            names = dict.fromkeys((*self.resource.key, self.resource.updated, *self.records[0]))
            self.fields = tuple(name for name in names if name in self.schema["properties"])

    @contextmanager
    def of(self, operation: str) -> Iterator[None]:
        self.wire.clear()
        yield
        ids = {part for key in self.case.keys(self.account.hand) for part in key} - self.ours
        root = self.client.http.base_url
        sent = [shown(request, root, self.account.secret, ids) for request in self.wire.requests]
        self.said[operation] = collapsed(sent)

    def reads(self) -> None:
        fields, resource = self.fields, self.resource
        for slot, query in (("read", Query(fields)), ("changes", Query(fields, SINCE)), ("deleted", Query(fields))):
            if getattr(resource, slot):
                with self.of(slot):
                    list(self.client.read(resource, query, slot=slot))
        if resource.get:
            with self.of("get"):
                list(
                    self.client.read(resource, Query(fields, id=min(self.case.keys(self.account.hand))[0]), slot="get")
                )
        for field in self.match if resource.find else ():
            with self.of(f"find by {field}"):
                values = [record[field] for record in self.records if field in record] or ["none"]
                self.client.find(resource, field, values, fields)

    def writes(self, sample: Sample) -> None:
        for operation, more in (("create" if sample.creates else "update", {}), ("change", sample.change)):
            if operation == "change" and not more:
                continue
            with self.of(operation):
                rows = [{**record, **more} for record in self.records]
                outcomes = Writer(self.client, self.resource, match=sample.match).write(rows)
        changes = [Change(dict(record), outcome.id) for record, outcome in zip(self.records, outcomes, strict=True)]
        for operation in ("archive", "delete", "erase"):
            if changes and getattr(self.resource, operation) and (operation != "delete" or not sample.undeleted):
                with self.of(operation):
                    list(self.client.write(self.resource, operation, [changes.pop()]))


@pytest.mark.parametrize(("entry", "case"), cases(lambda entry, _case: entry.http))
def test_requests_are_those_of_the_snapshot(entry: Entry, case: Case, account: Account, wire: Wire) -> None:
    populate(case, account)
    recorder = Recorder(entry, case, account, wire)
    recorder.reads()
    if case.sample:
        recorder.writes(case.sample)
    said = recorder.said
    path = snapshot(entry, case)
    if os.environ.get("RENEW_SNAPSHOTS"):
        path.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert path.exists(), "there is no snapshot yet: run with RENEW_SNAPSHOTS=1, and read what it writes"
    assert said == json.loads(path.read_text("utf-8"))


def test_every_snapshot_is_one_of_the_table() -> None:
    known = {snapshot(entry, case) for entry in entries() for case in entry.cases if entry.http}
    assert set(SNAPSHOTS.glob("*.json")) == known
