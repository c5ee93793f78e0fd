"""Bulk 2.0 query: the result is taken when the job is made, in no order that was not asked for, and read by pages."""

from __future__ import annotations

import base64
import csv
import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.sandbox.exchange import Response, json_response
from antiphon.sandbox.salesforce import jobs, soql
from antiphon.sandbox.salesforce.ids import SHIFT
from antiphon.sandbox.salesforce.plans import Plan
from antiphon.sandbox.salesforce.refusals import Refusal, not_found
from antiphon.sandbox.salesforce.store import Org

if TYPE_CHECKING:
    from antiphon.sandbox.salesforce.context import Context

APART = 20_000
"""Objects that ever had more records are read in a thread."""
CELLS = 2_000_000
"""Values in a page: of wide rows there are fewer."""
NOT_IN_BULK = frozenset({"CaseStatus"})
"""Of the objects here; the vendor has a score of small ones that it reads by REST only."""


@dataclass
class QueryJob(jobs.Job):
    """A job, its query, and the header of its CSV."""

    query: str = ""
    header: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        """Where its result is."""
        return f'"result {self.id}"'


class Extracts:
    """The query jobs of an org."""

    def __init__(self, org: Org, lock: threading.RLock, numbering: jobs.Numbering) -> None:
        self.org = org
        self.lock = lock
        self.numbering = numbering
        self.jobs: dict[str, QueryJob] = {}
        self.count = 0

    def answer(self, context: Context) -> Response:
        """Everything below `jobs/query`."""
        path = context.path[2:]
        if not path:
            return self._create(context) if context.method == "POST" else self._list(context)
        job: QueryJob = jobs.found(self.jobs, path[0])
        match context.method, path[1:]:
            case "GET", []:
                job.polls += 1
                return json_response(200, self.info(context, job))
            case "PATCH", []:
                if context.document().get("state") != "Aborted" or job.shown(context.state.settings) in jobs.ENDED:
                    raise jobs.wrong_state(job, "only a job that has not ended can be aborted")
                job.aborted = True
                job.finish("Aborted")
                return json_response(200, self.info(context, job))
            case "DELETE", []:
                if job.shown(context.state.settings) not in jobs.ENDED:
                    raise jobs.wrong_state(job, "only a job that has ended can be deleted")
                self.org.execute(f"DROP TABLE IF EXISTS {job.table}")
                del self.jobs[job.id]
                return Response(204)
            case "GET", ["results"]:
                return self._results(context, job)
        raise not_found()

    def info(self, context: Context, job: QueryJob) -> dict[str, Any]:
        """A job as replies show it."""
        return {**job.common(context.state.settings), "jobType": "V2Query"}

    def _list(self, context: Context) -> Response:
        start = context.request.first("queryLocator") or "0"
        shown = [self.info(context, job) for job in self.jobs.values()]
        root = f"{context.root}/jobs/query"
        return json_response(200, jobs.listed(shown, root, int(start) if start.isdigit() else 0))

    def _create(self, context: Context) -> Response:
        document = context.document()
        if document.get("operation") not in {"query", "queryAll"}:
            raise Refusal(400, "INVALIDJOB", "operation must be query or queryAll")
        text = str(document.get("query") or "")
        query = soql.parse(text)
        plan = Plan(self.org, query, deleted=document["operation"] == "queryAll")
        if plan.of.name in NOT_IN_BULK:
            raise Refusal(400, "INVALIDENTITY", f"Entity '{plan.of.name}' is not supported by the Bulk API.")
        if query.counts or query.offset or query.all_of:
            raise Refusal(400, "API_ERROR", "Aggregates, OFFSET and FIELDS() are not supported in Bulk Query")
        columns = plan.csv_columns()
        job = QueryJob(
            self.numbering.next(), document["operation"], plan.of.name, context.version,
            self.org.ids.text(self.org.user),
            jobs.chosen(document, "columnDelimiter", jobs.DELIMITERS, "COMMA"),
            jobs.chosen(document, "lineEnding", jobs.LINE_ENDS, "LF"),
            state="UploadComplete", query=text, header=tuple(".".join(column.parts) for column in plan.columns),
        )  # fmt: skip
        self.jobs[job.id] = job
        self.count += 1
        shown = self.info(context, job)
        jobs.start(job)
        apart = plan.of.count > APART
        steps = self._steps(job, plan, columns)
        jobs.run(steps, self.lock, apart=apart, failed=lambda text: job.finish("Failed", text))
        return json_response(200, shown)

    def _steps(self, job: QueryJob, plan: Plan, columns: list[str]) -> Iterator[None]:
        job.state = "InProgress"
        names = [f"c{n} TEXT" for n in range(len(columns))]
        self.org.execute(f"CREATE TABLE {job.table} (at INTEGER PRIMARY KEY, {', '.join(names)})")
        listed = ", ".join(columns)
        into = f"INSERT INTO {job.table} ({', '.join(name.split()[0] for name in names)})"
        sql = f"{into} SELECT {listed} FROM {plan.source} WHERE {plan.where}"
        if plan.order or plan.query.limit is not None:
            order = f" ORDER BY {plan.order}" if plan.order else ""
            limit = -1 if plan.query.limit is None else plan.query.limit
            self.org.execute(f"{sql}{order} LIMIT {limit}", plan.values)
        else:
            # Without an order the vendor reads pieces of the object side by side, and they end up as they come.
            first, last = plan.of.kind << SHIFT, plan.of.count
            thirds = [first + last * n // 3 for n in range(4)]
            for n in (1, 2, 0):
                piece = f'{sql} AND t."Id" > {thirds[n]} AND t."Id" <= {thirds[n + 1]}'
                self.org.execute(piece, plan.values)
        job.processed = self.org.execute(f"SELECT ifnull(max(at), 0) FROM {job.table}").fetchone()[0]
        job.finish("JobComplete")
        yield

    def _results(self, context: Context, job: QueryJob) -> Response:
        if job.shown(context.state.settings) != "JobComplete":
            raise jobs.wrong_state(job, "results are there when it is JobComplete")
        most = max(1, min(context.state.settings.result_rows, CELLS // max(1, len(job.header))))
        wanted = context.request.first("maxRecords")
        if wanted is not None:
            if not wanted.isdigit() or not int(wanted):
                raise Refusal(400, "INVALID_FIELD", f"maxRecords must be a positive number: {wanted}")
            most = min(most, int(wanted))
        start = _start(context.request.first("locator"))
        sql = f"SELECT * FROM {job.table} WHERE at > ? ORDER BY at LIMIT ?"
        text = io.StringIO()
        out = csv.writer(
            text,
            delimiter=jobs.DELIMITERS[job.delimiter],
            lineterminator=jobs.LINE_ENDS[job.line_end],
            quoting=csv.QUOTE_ALL,
        )
        out.writerow(job.header)
        rows = self.org.execute(sql, (start, most)).fetchall()
        out.writerows(row[1:] for row in rows)
        end = start + len(rows)
        headers = {
            **jobs.CSV,
            "Sforce-NumberOfRecords": str(len(rows)),
            "Sforce-Locator": _locator(end) if end < job.processed else "null",
        }
        return Response(200, text.getvalue().encode(), headers)


def _locator(at: int) -> str:
    return base64.urlsafe_b64encode(f"rows:{at}".encode()).decode().rstrip("=")


def _start(locator: str | None) -> int:
    if not locator:
        return 0
    try:
        word, _, at = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode().partition(":")
        return int(at) if word == "rows" else int("")
    except ValueError:
        raise Refusal(400, "INVALID_QUERY_LOCATOR", "invalid locator") from None
