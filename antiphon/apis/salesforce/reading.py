"""Salesforce's records read: by SOQL pages, or above a number of rows by a Bulk 2.0 query job."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote_plus

from antiphon import moment, shape
from antiphon.api import Page, Parts, Query, Read, Reply, Request, Resource, Schema
from antiphon.client import Client
from antiphon.errors import BadReply, Refused, Unknown, did_you_mean
from antiphon.paging import Keyset

log = logging.getLogger("antiphon.salesforce")

BASE = "/services/data/v{api_version}"
ENDED = frozenset({"JobComplete", "Failed", "Aborted"})
LONGEST_POLL = 30.0
"""Seconds between two looks at a job."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_NOTHING_FIRST = "000000000000000AAA"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""Of an id: its first 15 characters are a number in base 62, by whose ranges Salesforce itself parts its extracts (PK chunking)."""
_PAGE = 2000
_URL = 5500
"""Bytes of a query, encoded, that its fields may take, and as many its values: a URL and its headers may have 16,384."""
_CELLS = 500_000
"""Values asked for at once where rows may be wide: in a piece of a job's results, or by ids."""
_MOST_IDS = 800


@dataclass(frozen=True)
class _ById(Keyset):
    """Pages by id, until one that is complete holds fewer rows than were asked for: no call is made for an empty one."""

    key: str = "Id"
    start: Any = _NOTHING_FIRST

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        said = reply.json()
        if said.get("done") and said.get("totalSize", _PAGE) < _PAGE:
            return None
        return super().following(cursor, reply, records)


@dataclass(frozen=True)
class Rows:
    """The slots ``read`` and ``changes``: pages of SOQL, or a Bulk job where there are more rows than ``bulk_above``."""

    sobject: str
    tracked: bool = True
    """Whether its time of change bounds what is asked for."""

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the pages. A cursor names the job and the place in its results, or the last id."""
        if isinstance(query.cursor, Mapping) and "job" in query.cursor:
            yield from _results(client, resource, query, query.cursor["job"], query.cursor["locator"])
            return
        where = _changed(query) if self.tracked else ""
        most = int(client.settings["bulk_above"])
        if query.cursor is None and most > 0 and self._count(client, resource, where) > most:
            job = self._job(client, resource, query, where)
            if job is not None:
                yield from job
                return
        yield from _pages(client, resource, query, self.sobject, where)

    def _count(self, client: Client, resource: Resource, where: str) -> int:
        params = {"q": f"SELECT COUNT() FROM {self.sobject}" + (f" WHERE {where}" if where else "")}
        said = client.call("GET", f"{_base(client)}/query", params=params, doing=f"counting {resource.name}")
        return int(said["totalSize"])

    def _job(self, client: Client, resource: Resource, query: Query, where: str) -> Iterator[Page] | None:
        """Open a job and return its results; None where Salesforce does not read the object by jobs."""
        text = f"SELECT {','.join(_names(client, resource, query))} FROM {self.sobject}"
        body = {
            "operation": "query",
            "query": text + (f" WHERE {where}" if where else ""),
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            reply = client.http.send(Request("POST", f"{_base(client)}/jobs/query", body=body), _doing(resource))
        except Refused as error:
            log.info("%s: read by pages, for a job was refused: %s", resource.name, error.message)
            return None
        return _results(client, resource, query, str(reply.json()["id"]), None)


@dataclass(frozen=True)
class Deleted:
    """The slot ``deleted``: what is in the recycle bin, with the time it got there, and as many fields as a URL has room for."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the pages."""
        names = _names(client, resource, query)
        while _length(names) > _URL:
            names.pop()
        asked = replace(query, fields=("Id", "SystemModstamp", *names))
        where = " AND ".join(part for part in ("IsDeleted = true", _changed(query)) if part)
        for page in _pages(client, resource, asked, self.sobject, where, every=True):
            for record in page.records:
                record["_sdc_deleted_at"] = record["SystemModstamp"]
            yield page


@dataclass(frozen=True)
class Get:
    """The slot ``get``: one record by its id."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the record. All fields come unasked, for their names may be too long for a URL."""
        known = _properties(client, resource)
        path = f"{BASE}/sobjects/{self.sobject}/{{id}}"
        for page in client.pages(Read(path), resource, query, doing=f"getting {resource.name}"):
            page.rows = [{name: row[name] for name in row if name in known} for row in page.records]
            yield page


@dataclass(frozen=True)
class Find:
    """The slot ``find``: records by any field that can be filtered by, as many values at once as a URL has room for."""

    sobject: str

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values.

        Raises:
            Unknown: there is no such field.
        """
        field, known = query.where["field"], _properties(client, resource)
        if field not in known:
            raise Unknown(f'{client.api.name}: {resource.name} has no field "{field}"', hint=did_you_mean(field, known))
        found = (literal(value, known[field]) for value in query.where["values"])
        for group in _fitting([one for one in found if one is not None]):
            yield from _pages(client, resource, query, self.sobject, f"{field} IN ({','.join(group)})")


def literal(value: Any, field: Schema) -> str | None:
    """Return *value* as a literal of SOQL for *field*; None where no such field can have it."""
    kinds, form = field.get("type", "string"), field.get("format")
    try:
        if "boolean" in kinds:
            return {"true": "true", "false": "false"}.get(str(value).lower())
        if "integer" in kinds or "number" in kinds:
            number = Decimal(str(value).strip())
            return format(number, "f") if number.is_finite() and abs(number.adjusted()) < 40 else None  # noqa: PLR2004
        if form == "date-time":
            return moment.written(moment.rfc3339(value), _TIME)  # type: ignore[no-any-return]
        if form == "date":
            return moment.parse(value).date().isoformat()
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        return None
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    for sign, code in (("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        escaped = escaped.replace(sign, code)
    return f"'{escaped}'"


def _fitting(literals: Sequence[str]) -> Iterator[list[str]]:
    group: list[str] = []
    for one in literals:
        if group and _length([*group, one]) > _URL:
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _pages(
    client: Client, resource: Resource, query: Query, sobject: str, where: str, *, every: bool = False
) -> Iterator[Page]:
    """Yield the records for which *where* holds, by id, two thousand a page; *every* means deleted ones too.

    Where the fields' names are too long for a URL, ids are paged and the fields fetched for them.
    """
    names = _names(client, resource, query)
    wide = _length(names) > _URL
    text = "SELECT {fields} FROM " + sobject + f" WHERE {{where}}Id > '{{last}}' ORDER BY Id LIMIT {_PAGE}"
    path = f"{BASE}/{'queryAll' if every else 'query'}"
    last = f"SELECT Id FROM {sobject}" + (f" WHERE {where}" if where else "") + " ORDER BY Id DESC LIMIT 1"
    read = Read(
        path,
        params={"q": text},
        records="records",
        paging=_ById(),
        parts=Parts(Read(path, params={"q": last}, records="records"), digits=_DIGITS, width=15),
    )
    asked = replace(query, fields=("Id",) if wide else tuple(names))
    doing = f"{'looking up' if query.where else 'reading'} {resource.name}"
    for page in client.pages(read, resource, asked, doing=doing, values={"where": f"{where} AND " if where else ""}):
        for record in page.records:
            record.pop("attributes", None)
        if wide:
            page.rows = _whole(client, resource, sobject, [row["Id"] for row in page.records], names)
        yield page


def _whole(
    client: Client, resource: Resource, sobject: str, ids: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the records with these *ids*; those that were deleted meanwhile are left out."""
    shaped = shape.compiled(Read(""), client.schema(resource))
    size = max(1, min(_MOST_IDS, _CELLS // len(names)))
    found: list[dict[str, Any]] = []
    for start in range(0, len(ids), size):
        body = {"ids": list(ids[start : start + size]), "fields": list(names)}
        request = Request("POST", f"{_base(client)}/composite/sobjects/{sobject}", body=body)
        reply = client.http.send(request, f"reading {resource.name}")
        found += [shaped({name: row.get(name) for name in names}) for row in reply.json() if row is not None]
    return found


def _results(client: Client, resource: Resource, query: Query, job: str, locator: str | None) -> Iterator[Page]:
    """Yield the results of a query job, in no order.

    Raises:
        Refused: the job did not come to its end.
    """
    path, doing = f"{_base(client)}/jobs/query/{job}", _doing(resource)
    state: dict[str, Any] = client.call("GET", path, doing=doing)
    bookmark = moment.rfc3339(state["createdDate"]) if state.get("createdDate") else None
    if locator is None:  # the job is known from here on, should the run end while it is at work
        yield Page(bookmark=bookmark, cursor={"job": job, "locator": None}, rows=[])
    state = wait(client, path, doing)
    if state["state"] != "JobComplete":
        said = (
            f"{client.api.name}: {doing} -> the job {job} ended as {state['state']}: {state.get('errorMessage') or ''}"
        )
        raise Refused(said.rstrip(": "), hint="Set bulk_above to 0 to read without jobs.")
    shaped = shape.compiled(Read("", text=True, nulls=("",)), client.schema(resource))
    most = max(1, _CELLS // len(_names(client, resource, query)))
    at: str | None = locator
    while True:
        params = {"maxRecords": most, "locator": at}
        reply = client.http.send(Request("GET", f"{path}/results", params, {"Accept": "text/csv"}), doing)
        following = reply.headers.get("Sforce-Locator")
        following = None if following in (None, "", "null") else following
        page: list[dict[str, Any]] = []
        for row in rows(reply.body, f"{client.api.name}: {doing}"):
            page.append(shaped(row))
            if len(page) == _PAGE:
                # Within a piece the place is that of the piece: taken up again, it is read again from its beginning.
                yield Page(bookmark=bookmark, cursor={"job": job, "locator": at}, rows=page)
                page = []
        yield Page(bookmark=bookmark, cursor={"job": job, "locator": following} if following else None, rows=page)
        if following is None:
            return
        at = following


def rows(body: bytes, doing: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a CSV answer as records of texts.

    Raises:
        BadReply: it is no table.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 24))
    text = io.TextIOWrapper(io.BytesIO(body.replace(b"\x00", b"")), "utf-8-sig", newline="")
    try:
        lines = csv.reader(text, strict=True)
        header = next(lines, None)
        for cells in lines:
            yield dict(zip(header or (), cells, strict=True))
    except (csv.Error, ValueError) as error:
        raise BadReply(f"{doing} -> the result is no table ({error})") from None


def wait(client: Client, path: str, doing: str) -> dict[str, Any]:
    """Return the job at *path* once it has ended, whichever way, or if it was never set going."""
    pause = 0.5
    while True:
        job: dict[str, Any] = client.call("GET", path, doing=doing)
        if job["state"] in ENDED or job["state"] == "Open":
            return job
        log.info("%s: %s, %s rows so far", doing, job["state"], job.get("numberRecordsProcessed", 0))
        client.http.pauses.wait(pause)
        pause = min(pause * 1.5, LONGEST_POLL)


def _changed(query: Query) -> str:
    bounds = ((">=", query.since), ("<=", query.until))
    return " AND ".join(f"SystemModstamp {sign} {moment.written(at, _TIME)}" for sign, at in bounds if at)


def _names(client: Client, resource: Resource, query: Query) -> list[str]:
    """Return the fields asked for; those of parents are written only."""
    asked = query.fields if query.fields is not None else _properties(client, resource)
    return list(dict.fromkeys(("Id", *(name for name in asked if "." not in name))))


def _properties(client: Client, resource: Resource) -> Mapping[str, Any]:
    return client.schema(resource).get("properties", {})  # type: ignore[no-any-return]


def _length(parts: Sequence[str]) -> int:
    """Return the bytes that *parts* take in a URL, with the commas between them."""
    return len(quote_plus(",".join(parts)))


def _base(client: Client) -> str:
    return f"/services/data/v{client.settings['api_version']}"


def _doing(resource: Resource) -> str:
    return f"reading {resource.name} in bulk"
