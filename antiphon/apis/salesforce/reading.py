"""Salesforce's records read: by SOQL pages, or above a number of rows by a Bulk 2.0 query job."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon import moment, shape
from antiphon.api import Page, Query, Read, Request, Resource, Then
from antiphon.client import Client
from antiphon.errors import ApiError, BadReply, Unavailable
from antiphon.paging import Keyset

BASE = "/services/data/v{api_version}"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_SINCE = "SystemModstamp >= {since} AND SystemModstamp <= {until}"
_NOTHING_FIRST = "000000000000000AAA"
_URL = 8000
"""Characters of a query beyond which it is split: a URL and its headers may have 16,384 bytes."""
_RESULTS = 50_000
"""Rows asked for in one piece of a job's results."""
LONGEST_POLL = 30.0
"""Seconds between two looks at a job."""


def soql(sobject: str, *, where: str = "", every: bool = False, **more: Any) -> Read:
    """Return a query of an object's records by id, two thousand a page; *every* means deleted ones too.

    Where the fields' names are too long for a URL, ids are paged and the fields fetched for them.
    """
    conditions = " AND ".join(part for part in (where, "Id > '{last}'") if part)
    return Read(
        f"{BASE}/{'queryAll' if every else 'query'}",
        params={"q": f"SELECT {{fields}} FROM {sobject} WHERE {conditions} ORDER BY Id LIMIT 2000"},
        records="records",
        paging=Keyset("Id", start=_NOTHING_FIRST),
        time=_TIME,
        latest="2999-12-31T00:00:00Z",
        **more,
    )


def whole(sobject: str, *, where: str = "") -> Read:
    """Return :func:`soql`, made fit for objects with hundreds of fields."""
    fields = Read(f"{BASE}/composite/sobjects/{sobject}", "POST", body={"fields": "{fields}"})
    return soql(sobject, where=where, then=Then(fields, into="ids", each="{id}", size=800, key="Id", over=_URL))


def quoted(value: Any) -> str:
    """Return *value* as a literal of SOQL."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{text}'"
    return str(value)


@dataclass(frozen=True)
class Find:
    """Look records up by any field that can be filtered by."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values."""
        field = query.where["field"]
        kind = str(client.schema(resource).get("properties", {}).get(field, {}).get("type", "string"))
        values = [quoted(value if "string" not in kind else str(value)) for value in query.where["values"]]
        asked = query.fields if query.fields is not None else tuple(client.schema(resource).get("properties", {}))
        names = [name for name in asked if name not in resource.always and "." not in name]
        group: list[str] = []
        for value in [*values, None]:
            if group and (
                value is None or sum(map(len, group)) + len(value) > _URL - len(",".join(names)[: _URL // 2])
            ):
                read = soql(self.sobject, where=f"{field} IN ({{wanted}})")
                yield from client.pages(read, resource, Query(tuple(names)), values={"wanted": group})
                group = []
            if value is not None:
                group.append(value)


@dataclass(frozen=True)
class Rows:
    """The slots ``read`` and ``changes``: pages of SOQL, or a Bulk job where there are more rows than ``bulk_above``."""

    sobject: str
    where: str = ""
    """A condition, with ``{since}`` and ``{until}``."""

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the pages. A cursor names the job and the place in its results, or the last id."""
        if isinstance(query.cursor, Mapping) and "job" in query.cursor:
            yield from _results(client, resource, query.cursor["job"], query.cursor["locator"])
            return
        most = int(client.settings["bulk_above"])
        if query.cursor is None and most > 0 and self._count(client, resource, query) > most:
            yield from self._job(client, resource, query)
        else:
            yield from client.pages(whole(self.sobject, where=self.where), resource, query)

    def _filled(self, query: Query) -> str:
        since = moment.written(query.since or moment.EPOCH, _TIME)
        until = moment.written(query.until or "2999-12-31T00:00:00Z", _TIME)
        return self.where.replace("{since}", since).replace("{until}", until)

    def _count(self, client: Client, resource: Resource, query: Query) -> int:
        text = f"SELECT COUNT() FROM {self.sobject}" + (f" WHERE {self._filled(query)}" if self.where else "")
        path = f"/services/data/v{client.settings['api_version']}/query"
        return int(client.call("GET", path, params={"q": text}, doing=f"counting {resource.name}")["totalSize"])

    def _job(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        asked = query.fields if query.fields is not None else tuple(client.schema(resource).get("properties", {}))
        names = [name for name in asked if name not in resource.always]
        text = f"SELECT {','.join(names)} FROM {self.sobject}" + (f" WHERE {self._filled(query)}" if self.where else "")
        path = f"/services/data/v{client.settings['api_version']}/jobs/query"
        body = {
            "operation": "query",
            "query": text,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        doing = f"reading {resource.name} in bulk"
        reply = client.http.send(Request("POST", path, body=body), doing, safe=True)
        yield from _results(client, resource, str(reply.json()["id"]), None)


def _results(client: Client, resource: Resource, job: str, locator: str | None) -> Iterator[Page]:
    """Yield the results of a query job, in no order."""
    path = f"/services/data/v{client.settings['api_version']}/jobs/query/{job}"
    doing = f"reading {resource.name} in bulk"
    state = wait(client, path, doing)
    if state["state"] != "JobComplete":
        said = f"{client.api.name}: {doing} -> the job {job} ended as {state['state']}: {state.get('errorMessage', '')}"
        raise ApiError(said, hint="Set bulk_above to 0 to read without jobs.")
    bookmark = moment.rfc3339(state["createdDate"]) if state.get("createdDate") else None
    read = Read("", text=True, nulls=("",))
    shaped = shape.compiled(read, client.schema(resource))
    while True:
        params = {"maxRecords": _RESULTS, **({"locator": locator} if locator else {})}
        request = Request("GET", f"{path}/results", params, {"Accept": "text/csv"})
        reply = client.http.send(request, doing)
        following = reply.headers.get("Sforce-Locator")
        following = None if following in (None, "", "null") else following
        pieces = rows(reply.body)
        page: list[dict[str, Any]] = []
        for row in pieces:
            page.append(shaped(row))
            if len(page) == 2000:  # noqa: PLR2004
                # Within a piece the place is that of the piece: taken up again, it is read again from its beginning.
                yield Page(bookmark=bookmark, cursor={"job": job, "locator": locator}, rows=page)
                page = []
        yield Page(bookmark=bookmark, cursor={"job": job, "locator": following} if following else None, rows=page)
        if following is None:
            return
        locator = following


def rows(body: bytes) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV answer as records of texts."""
    csv.field_size_limit(1 << 30)
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(body.replace(b"\x00", b"")), "utf-8-sig", newline=""), strict=True)
    header = next(lines, None)
    if header is None:
        return
    for cells in lines:
        if len(cells) != len(header):
            raise BadReply(f"a row of {len(cells)} cells in a result of {len(header)} columns")
        yield dict(zip(header, cells, strict=True))


def wait(client: Client, path: str, doing: str) -> dict[str, Any]:
    """Return the job at *path* once it has ended, whichever way."""
    pause = 0.5
    while True:
        job: dict[str, Any] = client.call("GET", path, doing=doing)
        if job["state"] in {"JobComplete", "Failed", "Aborted"}:
            return job
        if job["state"] == "Open":
            raise Unavailable(f"{client.api.name}: {doing} -> the job was never given its data")
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_POLL)
