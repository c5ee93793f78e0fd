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
from antiphon.client import Client
from antiphon.errors import ApiError, Unavailable
from antiphon.fill import text
from antiphon.outcome import Change, Kind, Outcome, rejected, unanswered

_NULL = "#N/A"
"""A cell that sets a field to null; an empty one leaves it as it is."""
_OPERATIONS = {"create": "insert", "update": "update", "upsert": "upsert", "delete": "delete", "erase": "hardDelete"}
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
        """Upload the records and set the job going."""
        path, doing = f"{self._path(client)}/{job}", self._doing(resource)
        data = self._csv(changes)
        if len(data) > _MOST_BYTES:
            raise ApiError(
                f"{client.api.name}: {doing} -> {len(data) >> 20} MB are too many for one job",
                hint="Lower batch_size_rows.",
            )
        client.http.send(Request("PUT", f"{path}/batches", {}, {"Content-Type": "text/csv"}, data), doing, safe=True)
        client.call("PATCH", path, json={"state": "UploadComplete"}, safe=True, doing=doing)

    def results(self, client: Client, resource: Resource, job: str, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Wait for the job, and yield an outcome for every change that its results mention; the others are unknown.

        Of a job that was never given its data there is none: nothing was done, and it is aborted.
        """
        path, doing = f"{self._path(client)}/{job}", self._doing(resource)
        try:
            state = wait(client, path, doing)
        except Unavailable as error:
            if error.status != 0:
                raise
            client.call("PATCH", path, json={"state": "Aborted"}, safe=True, doing=doing)
            return
        waiting = {self._key(change): change for change in changes}
        column = "Id" if self.operation in {"update", "delete", "erase"} else str(changes[0].by)
        for name in ("successfulResults", "failedResults", "unprocessedrecords"):
            reply = client.http.send(Request("GET", f"{path}/{name}/", {}, {"Accept": "text/csv"}), doing)
            for row in rows(reply.body):
                change = waiting.pop(row.get(column, ""), None)
                if change is not None:
                    yield self._outcome(change, row, name, state)
        for change in waiting.values():
            yield unanswered(change)

    def _outcome(self, change: Change, row: dict[str, str], name: str, state: dict[str, Any]) -> Outcome:
        if name == "successfulResults":
            kinds = {"update": Kind.UPDATED, "delete": Kind.DELETED, "erase": Kind.DELETED}
            created = row.get("sf__Created", "").lower() == "true"
            kind = kinds.get(self.operation) or (Kind.CREATED if created else Kind.UPDATED)
            return Outcome(change, kind, row.get("sf__Id") or change.id)
        if name == "failedResults":
            words = row.get("sf__Error", "").rstrip("- ").rstrip(":")
            code, _, message = words.partition(":")
            return rejected(change, f"{code} {message}".strip(), status=HTTPStatus.BAD_REQUEST, code=code)
        said = f"the job ended as {state.get('state')} before this row: {state.get('errorMessage') or ''}".rstrip(": ")
        return rejected(change, said, code="unprocessed")

    def _csv(self, changes: Sequence[Change]) -> bytes:
        columns = dict.fromkeys(name for change in changes for name in change.record)
        key = "Id" if self.operation in {"update", "delete", "erase"} else str(changes[0].by)
        names = (
            [key, *(name for name in columns if name != key)] if self.operation not in {"delete", "erase"} else [key]
        )
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for change in changes:
            writer.writerow([self._key(change), *(_cell(change.record, name) for name in names[1:])])
        return file.getvalue().encode()

    def _key(self, change: Change) -> str:
        return str(change.id) if self.operation in {"update", "delete", "erase"} else str(change.value)

    def _path(self, client: Client) -> str:
        return f"/services/data/v{client.settings['api_version']}/jobs/ingest"

    def _doing(self, resource: Resource) -> str:
        return f"{self.operation} of {resource.name} in bulk"


def _cell(record: dict[str, Any], name: str) -> str:
    if name not in record:
        return ""
    return _NULL if record[name] in (None, "") else text(record[name])


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
