"""Bulk API 2.0 ingest: thousands of records as one job, its three result files read for what became of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from antiphon.api import Job, Request, Resource
from antiphon.apis.salesforce.reading import rows, wait
from antiphon.apis.salesforce.writing import GONE, LOCKED, explained
from antiphon.client import Client
from antiphon.errors import ApiError, NotFound, Refused
from antiphon.fill import text
from antiphon.outcome import Change, Kind, Outcome, rejected, unanswered

_NULL = "#N/A"
"""A cell that sets a field to null; an empty one leaves it as it is."""
_OPERATIONS = {"create": "insert", "update": "update", "upsert": "upsert", "delete": "delete", "erase": "hardDelete"}
_BY_ID = frozenset({"update", "delete", "erase"})
_DELETIONS = frozenset({"delete", "erase"})
_MOST_BYTES = 95 * 1024 * 1024


@dataclass(frozen=True)
class Ingest:
    """The jobs of one object and operation."""

    sobject: str
    operation: str

    def open(self, client: Client, resource: Resource, changes: Sequence[Change]) -> str:
        """Open a job and return its id."""
        body: dict[str, Any] = {
            "object": self.sobject,
            "operation": _OPERATIONS[self.operation],
            "contentType": "CSV",
            "lineEnding": "LF",
            "columnDelimiter": "COMMA",
        }
        if self.operation == "upsert":
            body["externalIdFieldName"] = changes[0].by
        reply = client.http.send(Request("POST", self._path(client), body=body), self._doing(resource), safe=True)
        return str(reply.json()["id"])

    def start(self, client: Client, resource: Resource, job: str, changes: Sequence[Change]) -> None:
        """Upload the records and set the job going. Both may be repeated: what was done already is seen by the job's state."""
        path, doing = f"{self._path(client)}/{job}", self._doing(resource)
        data = self._csv(changes)
        if len(data) > _MOST_BYTES:
            raise ApiError(
                f"{client.api.name}: {doing} -> {len(data) >> 20} MB are too many for one job",
                hint="Lower batch_size_rows.",
            )
        upload = Request("PUT", f"{path}/batches", {}, {"Content-Type": "text/csv"}, data)
        try:
            client.http.send(upload, doing, safe=True)
        except Refused as error:
            if error.code != "INVALIDJOBSTATE":  # else it came whole the first time, and the answer was lost
                raise
        try:
            client.call("PATCH", path, json={"state": "UploadComplete"}, safe=True, doing=doing)
        except Refused:
            if client.call("GET", path, doing=doing)["state"] == "Open":
                raise

    def results(self, client: Client, resource: Resource, job: str, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Wait for the job, and yield an outcome for every change that its results mention; the others are unknown.

        Of a job that was never set going there is none: nothing was done, and it is aborted. Rows that somebody else held
        are written again, without a job; where their fields are known no more there is no outcome, for nothing was done.
        """
        path, doing = f"{self._path(client)}/{job}", self._doing(resource)
        try:
            state = wait(client, path, doing)
        except NotFound:  # jobs are kept for seven days
            yield from map(unanswered, changes)
            return
        if state["state"] == "Open":
            client.call("PATCH", path, json={"state": "Aborted"}, safe=True, doing=doing)
            return
        waiting = {self._key(change): change for change in changes}
        locked: list[Change] = []
        for name in ("successfulResults", "failedResults", "unprocessedrecords"):
            reply = client.http.send(Request("GET", f"{path}/{name}/", {}, {"Accept": "text/csv"}), doing)
            for row in rows(reply.body, f"{client.api.name}: {doing}"):
                change = waiting.pop(row.get(self._column(changes), ""), None)
                if change is None:
                    continue
                outcome = self._outcome(change, row, name, state)
                if outcome.problem and outcome.problem.code in LOCKED and self.operation != "erase":
                    locked.append(change)
                else:
                    yield explained(client, resource, outcome)
        for change in waiting.values():
            yield self._unmentioned(change, state)
        yield from client.write(resource, self.operation, [c for c in locked if c.record or self.operation == "delete"])

    def _outcome(self, change: Change, row: dict[str, str], name: str, state: dict[str, Any]) -> Outcome:
        if name == "successfulResults":
            created = row.get("sf__Created", "").lower() == "true"
            kind = Kind.DELETED if self.operation in _DELETIONS else Kind.CREATED if created else Kind.UPDATED
            return Outcome(change, kind, row.get("sf__Id") or change.id)
        if name == "unprocessedrecords":
            return rejected(change, f"{_ended(state)} before this row", code="unprocessed")
        code, _, words = row.get("sf__Error", "").partition(":")
        if code in GONE and self.operation in _DELETIONS:
            return Outcome(change, Kind.DELETED, change.id)
        message, _, fields = words.rpartition(":")
        fields = fields.strip().removesuffix("--").strip()
        said = f"{code} {message or words}".strip() + (f" ({fields})" if fields else "")
        return rejected(change, said, status=HTTPStatus.BAD_REQUEST, code=code)

    def _unmentioned(self, change: Change, state: dict[str, Any]) -> Outcome:
        """Return the outcome of a change that is in none of the results; of a job that wrote no row, it was not written."""
        if state["state"] != "JobComplete" and not state.get("numberRecordsProcessed"):
            return rejected(change, _ended(state), status=HTTPStatus.BAD_REQUEST, code=str(state["state"]))
        return unanswered(change)

    def _csv(self, changes: Sequence[Change]) -> bytes:
        columns = dict.fromkeys(name for change in changes for name in change.record)
        key = self._column(changes)
        names = [] if self.operation in _DELETIONS else [name for name in columns if name != key]
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow([key, *names])
        for change in changes:
            writer.writerow([self._key(change), *(_cell(change.record, name) for name in names)])
        return file.getvalue().encode()

    def _column(self, changes: Sequence[Change]) -> str:
        """Return the column by which results are told apart."""
        return "Id" if self.operation in _BY_ID else str(changes[0].by)

    def _key(self, change: Change) -> str:
        return str(change.id) if self.operation in _BY_ID else text(change.value)

    def _path(self, client: Client) -> str:
        return f"/services/data/v{client.settings['api_version']}/jobs/ingest"

    def _doing(self, resource: Resource) -> str:
        return f"{self.operation} of {resource.name} in bulk"


def _cell(record: dict[str, Any], name: str) -> str:
    if name not in record:
        return ""
    return _NULL if record[name] in (None, "") else text(record[name])


def _ended(state: dict[str, Any]) -> str:
    said = f": {state['errorMessage']}" if state.get("errorMessage") else ""
    return f"the job ended as {state['state']}{said}"


@dataclass(frozen=True)
class HardDelete:
    """Deletes records for good, past the recycle bin; Salesforce does that by job only, and for those who may."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        ingest = Ingest(self.sobject, "erase")
        id = ingest.open(client, resource, changes)
        ingest.start(client, resource, id, changes)
        yield from ingest.results(client, resource, id, changes)


def job(sobject: str, operation: str) -> Job:
    """Return how very many records of an object are written."""
    ingest = Ingest(sobject, operation)
    return Job(ingest.open, ingest.start, ingest.results, above="bulk_above", most=100_000)
