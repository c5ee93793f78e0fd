"""Bulk 2.0 ingest: a job is opened, given its CSV once, closed, worked off in batches, and leaves three files.

`successfulResults` and `failedResults` are not in the order of the input; `unprocessedrecords` is what a failed or
aborted job did not come to.
"""

from __future__ import annotations

import csv
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce import jobs
from antiphon.sandbox.salesforce.fields import Field
from antiphon.sandbox.salesforce.refusals import Refusal, RowError, WrongType, not_found
from antiphon.sandbox.salesforce.store import Org, SObject, Stored
from antiphon.sandbox.salesforce.values import Taker
from antiphon.sandbox.salesforce.writes import Locks, Several, Values, Writer

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context

BATCH = 10_000
"""Rows that the vendor works off together; an external id may stand in each batch once."""
APART = 1 << 20
"""Uploads of more bytes are worked off in a thread."""
OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
NULL = "#N/A"
_FILES = {"successfulresults": "successful.csv", "failedresults": "failed.csv", "unprocessedrecords": "unprocessed.csv"}


@dataclass
class IngestJob(jobs.Job):
    """A job, the folder with its files, and how it is to fail: after so many rows, if at all."""

    external_id: str | None = None
    folder: Path = field(default_factory=Path)
    uploaded: bool = False
    failures: int = 0
    fail_after: int | None = None
    fail_with: tuple[str, str] = ("Failed", "")


@dataclass
class _Sheet:
    """An upload that is being read: its header, its rows, and what each column is for."""

    header: list[str]
    rows: Iterator[list[str]]
    columns: list[tuple[str, Taker]]
    key_at: int | None
    id_at: int | None


class _Invalid(Exception):
    """An upload that no row of can be written."""


class Ingests:
    """The ingest jobs of an org."""

    def __init__(self, org: Org, locks: Locks, lock: threading.RLock, numbering: jobs.Numbering) -> None:
        self.org = org
        self.locks = locks
        self.lock = lock
        self.numbering = numbering
        self.jobs: dict[str, IngestJob] = {}
        self.batches = 0
        self.next_failures: list[tuple[int, str, str]] = []

    def answer(self, context: Context) -> Response:
        """Everything below `jobs/ingest`."""
        path = context.path[2:]
        if not path:
            return self._create(context) if context.method == "POST" else self._list(context)
        job: IngestJob = jobs.found(self.jobs, path[0])
        match context.method, path[1:]:
            case "GET", []:
                job.polls += job.state not in {"Open", "Aborted"}
                return json_response(200, self.info(context, job))
            case "PATCH", []:
                return self._patch(context, job)
            case "DELETE", []:
                if job.state in {"Open", "InProgress"}:
                    raise jobs.wrong_state(job, "only a job that was closed, and has ended, can be deleted")
                del self.jobs[job.id]
                return Response(204)
            case "PUT", ["batches"]:
                return self._upload(context, job)
            case "GET", [name] if name.lower() in _FILES:
                if job.shown(context.state.settings) not in jobs.ENDED:
                    raise jobs.wrong_state(job, "results are there when it has ended")
                return Response(200, headers=dict(jobs.CSV), file=job.folder / _FILES[name.lower()])
        raise not_found()

    def info(self, context: Context, job: IngestJob) -> dict[str, Any]:
        """A job as replies show it."""
        shown = {**job.common(context.state.settings), "jobType": "V2Ingest"}
        if job.external_id is not None:
            shown["externalIdFieldName"] = job.external_id
        if job.state == "Open":
            shown["contentUrl"] = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
        if shown["state"] in jobs.ENDED:
            shown |= {"numberRecordsFailed": job.failures, "apiActiveProcessingTime": 0, "apexProcessingTime": 0}
        return shown

    def _list(self, context: Context) -> Response:
        start = context.request.first("queryLocator") or "0"
        shown = [self.info(context, job) for job in self.jobs.values()]
        root = f"{context.root}/jobs/ingest"
        return json_response(200, jobs.listed(shown, root, int(start) if start.isdigit() else 0))

    def _create(self, context: Context) -> Response:
        document = context.document()
        operation, name = document.get("operation"), str(document.get("object"))
        if operation not in OPERATIONS:
            raise Refusal(400, "INVALIDJOB", f"operation must be one of {', '.join(OPERATIONS)}: {operation}")
        of = self.org.find(name)
        if of is None:
            raise Refusal(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
        if document.get("contentType", "CSV") != "CSV":
            raise Refusal(400, "INVALIDJOB", "The only content type supported is CSV")
        if operation == "hardDelete" and not context.state.settings.hard_delete:
            message = "hardDelete operation requires special user profile permission, please contact your system administrator"
            raise Refusal(400, "FEATURENOTENABLED", message)
        job = IngestJob(
            self.numbering.next(), operation, of.name, context.version, self.org.ids.text(self.org.user),
            jobs.chosen(document, "columnDelimiter", jobs.DELIMITERS, "COMMA"),
            jobs.chosen(document, "lineEnding", jobs.LINE_ENDS, "LF"),
            external_id=self._external_id(of, operation, document.get("externalIdFieldName")),
        )  # fmt: skip
        job.folder = self.org.folder / job.id
        job.folder.mkdir()
        for file in _FILES.values():
            (job.folder / file).touch()
        if self.next_failures:
            after, state, message = self.next_failures.pop(0)
            job.fail_after, job.fail_with = after, (state, message)
        self.jobs[job.id] = job
        return json_response(200, self.info(context, job))

    @staticmethod
    def _external_id(of: SObject, operation: str, name: str | None) -> str | None:
        if operation != "upsert":
            if name is not None:
                raise Refusal(400, "INVALIDJOB", "InvalidJob : External ID field is only for upsert")
            return None
        field_ = of.field(name or "")
        if field_ is None or not (field_.external_id or field_.id_lookup or field_.kind == "id"):
            message = f"InvalidJob : Field name provided, {name} is not an External ID or indexed field for {of.name}"
            raise Refusal(400, "INVALIDJOB", message)
        return field_.name

    def _upload(self, context: Context, job: IngestJob) -> Response:
        if job.state != "Open":
            raise jobs.wrong_state(job, "data can be uploaded to an open job only")
        if job.uploaded:
            message = f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job."
            raise Refusal(400, "INVALIDJOBSTATE", message)
        if not context.request.headers.get("content-type", "").lower().startswith("text/csv"):
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "The Content-Type of the data must be text/csv")
        if len(context.request.body) > context.state.settings.upload_bytes:
            raise Refusal(413, "REQUEST_ENTITY_TOO_LARGE", "The data is larger than a job may have")
        (job.folder / "input.csv").write_bytes(context.request.body)
        job.uploaded = True
        return Response(201)

    def _patch(self, context: Context, job: IngestJob) -> Response:
        wanted = context.document().get("state")
        if wanted == "Aborted" and job.shown(context.state.settings) not in jobs.ENDED:
            job.aborted = True
            if job.state != "InProgress":
                job.finish("Aborted")
        elif wanted == "UploadComplete" and job.state == "Open":
            job.state = "UploadComplete"
            shown = self.info(context, job)
            jobs.start(job)
            size = (job.folder / "input.csv").stat().st_size if job.uploaded else 0
            steps = self._steps(job)
            jobs.run(steps, self.lock, apart=size > APART, failed=lambda text: job.finish("Failed", text))
            return json_response(200, shown)
        else:
            raise jobs.wrong_state(job, f"it cannot become {wanted}")
        return json_response(200, self.info(context, job))

    # Working it off.

    def _steps(self, job: IngestJob) -> Iterator[None]:
        """Do one batch at each step."""
        job.state = "InProgress"
        of = self.org.objects[job.object]
        writer = Writer(self.org, of, self.locks, csv=True)
        if not job.uploaded:
            job.finish("Failed", "InvalidBatch : No data was uploaded")
            return
        with (job.folder / "input.csv").open(encoding="utf-8", newline="") as source:
            try:
                sheet = self._opened(job, writer, source)
            except (_Invalid, UnicodeDecodeError, csv.Error) as error:
                job.finish("Failed", f"{error}" if isinstance(error, _Invalid) else f"ClientInputError : {error}")
                return
            with self._writing(job, "successful.csv") as good, self._writing(job, "failed.csv") as bad:
                work = _Work(self, job, of, writer, sheet, _sheet_writer(job, good), _sheet_writer(job, bad))
                yield from work.steps()
            with self._writing(job, "unprocessed.csv") as left:
                out = _sheet_writer(job, left)
                out.writerow(sheet.header)
                out.writerows(work.left)
                out.writerows(sheet.rows)

    @staticmethod
    def _writing(job: IngestJob, name: str) -> TextIO:
        return (job.folder / name).open("w", encoding="utf-8", newline="")

    def _opened(self, job: IngestJob, writer: Writer, source: TextIO) -> _Sheet:
        first = source.readline()
        if first.rstrip("\r\n") == "":
            raise _Invalid("InvalidBatch : Empty content")
        if first.endswith("\r\n") != (job.line_end == "CRLF") and first.endswith("\n"):
            raise _Invalid(
                f"ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {job.line_end}"
            )
        source.seek(0)
        rows = csv.reader(source, delimiter=jobs.DELIMITERS[job.delimiter], strict=True)
        header = next(rows)
        lowered = [name.lower() for name in header]
        columns = []
        for name in header:
            column = ("Id", str) if name.lower() == "id" else writer.column(name)
            if column is None:
                raise _Invalid(f"InvalidBatch : Field name not found : {name}")
            columns.append(column)
        key = (job.external_id or "").lower()
        key_at = lowered.index(key) if key in lowered else None
        id_at = lowered.index("id") if "id" in lowered else None
        if job.operation == "upsert" and key_at is None:
            raise _Invalid(f"InvalidBatch : Field name not found : {job.external_id}")
        if job.operation in {"update", "delete", "hardDelete"} and id_at is None:
            raise _Invalid("InvalidBatch : Field name not found : Id")
        if job.operation in {"delete", "hardDelete"} and len(header) > 1:
            raise _Invalid("InvalidBatch : The 'delete' batch must contain only ids")
        return _Sheet(header, rows, columns, key_at, id_at)


class _Work:
    """The rows of one job, batch by batch. `left` are rows that were read and not written."""

    def __init__(
        self, of_all: Ingests, job: IngestJob, of: SObject, writer: Writer, sheet: _Sheet, good: Any, bad: Any
    ) -> None:
        self.all = of_all
        self.job = job
        self.writer = writer
        self.sheet = sheet
        self.good = good
        self.bad = bad
        self.key: Field | None = of.field(job.external_id) if job.external_id else None
        self.left: list[list[str]] = []
        good.writerow(["sf__Id", "sf__Created", *sheet.header])
        bad.writerow(["sf__Id", "sf__Error", *sheet.header])

    def steps(self) -> Iterator[None]:
        job, org = self.job, self.all.org
        while True:
            try:
                rows = [row for row in islice(self.sheet.rows, BATCH) if row]
            except (csv.Error, UnicodeDecodeError) as error:
                return job.finish("Failed", f"ClientInputError : {error}")
            if not rows:
                return job.finish("JobComplete")
            self.all.batches += 1
            room = len(rows) if job.fail_after is None else max(0, job.fail_after - job.processed)
            org.execute("SAVEPOINT batch")
            self._batch(rows[:room])
            org.execute("RELEASE batch")
            self.left = rows[room:]
            if job.fail_after is not None and job.processed >= job.fail_after:
                return job.finish(*job.fail_with)
            if job.aborted:
                return job.finish("Aborted")
            yield

    def _batch(self, rows: list[list[str]]) -> None:
        at = self.sheet.key_at if self.key is not None else self.sheet.id_at
        counts = Counter(row[at].strip().lower() for row in rows if at < len(row)) if at is not None else Counter()
        good, bad = [], []
        text = self.all.org.ids.text
        for row in rows:
            try:
                if at is not None and at < len(row) and row[at] and counts[row[at].strip().lower()] > 1:
                    raise self._repeated(row[at])
                number, created = self._write(row)
                good.append([text(number), "true" if created else "false", *row])
            except RowError as error:
                bad.append([self._id_of(row), error.line(), *row])
            except WrongType as error:
                bad.append([self._id_of(row), error.row().line(), *row])
            except Several as several:
                texts = ", ".join(map(text, several.numbers))
                message = f"more than one record found for external id field: [{texts}]"
                bad.append(["", RowError("DUPLICATE_EXTERNAL_ID", message).line(), *row])
        # Neither file is in the order of the input.
        self.good.writerows(reversed(good))
        self.bad.writerows(reversed(bad))
        self.job.processed += len(rows)
        self.job.failures += len(bad)

    def _repeated(self, value: str) -> RowError:
        if self.key is not None and self.key.kind != "id":
            return RowError("DUPLICATE_VALUE", f"Duplicate external id specified: {value}", self.key.name)
        return RowError("DUPLICATE_VALUE", f"Duplicate id specified: {value}", "Id")

    def _id_of(self, row: list[str]) -> str:
        at = self.sheet.id_at
        return row[at] if at is not None and at < len(row) else ""

    def _write(self, row: list[str]) -> tuple[int, bool]:
        sheet, writer = self.sheet, self.writer
        if len(row) != len(sheet.columns):
            raise RowError("INVALID_CSV", f"The row has {len(row)} cells, and the header {len(sheet.columns)}")
        operation = self.job.operation
        if operation in {"delete", "hardDelete"}:
            number = writer.number(row[0])
            writer.delete(number, hard=operation == "hardDelete")
            return number, False
        id_text = row[sheet.id_at] if sheet.id_at is not None else ""
        values = self._values(row)
        if operation == "insert":
            if id_text:
                raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", "Id")
            return writer.create(values), True
        if operation == "update" or (self.key is not None and self.key.kind == "id" and id_text):
            number = writer.number(id_text)
            writer.update(number, values)
            return number, False
        if self.key is None or self.key.kind == "id":
            return writer.create(values), True
        return self._upsert(self.key, values)

    def _values(self, row: list[str]) -> Values:
        values: Values = {}
        for (name, take), cell in zip(self.sheet.columns, row, strict=True):
            if cell and name != "Id":
                values[name] = None if cell == NULL else take(cell)
        return values

    def _upsert(self, field_: Field, values: Values) -> tuple[int, bool]:
        key: Stored = values.pop(field_.name, None)
        if key is None:
            raise RowError("MISSING_ARGUMENT", f"{field_.name} not specified")
        return self.writer.upsert(field_, key, values)


def _sheet_writer(job: IngestJob, file: TextIO) -> Any:
    return csv.writer(
        file,
        delimiter=jobs.DELIMITERS[job.delimiter],
        lineterminator=jobs.LINE_ENDS[job.line_end],
        quoting=csv.QUOTE_ALL,
    )
