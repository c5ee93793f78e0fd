"""One API with one set of settings: its resources read, found and written."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

import antiphon
from antiphon import moment, shape
from antiphon.api import Api, Auth, Page, Query, Read, Record, Reply, Request, Resource, Schema, Then, Write
from antiphon.errors import (
    ApiError,
    BadReply,
    DescriptionError,
    Forbidden,
    Lost,
    NotFound,
    PagingError,
    Refused,
    Unknown,
    did_you_mean,
)
from antiphon.fill import MISSING, fill, fill_path, look, names, put
from antiphon.http import Http
from antiphon.limits import Limiter
from antiphon.outcome import Change, Kind, Outcome, Problem, Said, rejected, unanswered
from antiphon.schema import types

log = logging.getLogger("antiphon.client")

_KINDS = {
    "create": Kind.CREATED,
    "update": Kind.UPDATED,
    "upsert": Kind.UPDATED,
    "archive": Kind.DELETED,
    "delete": Kind.DELETED,
    "erase": Kind.DELETED,
}
_DOING = {
    "read": "reading",
    "changes": "reading",
    "deleted": "reading deleted",
    "get": "getting",
    "find": "looking up",
    "create": "creating",
    "update": "updating",
    "upsert": "upserting",
    "archive": "archiving",
    "delete": "deleting",
    "erase": "erasing",
}


def doing_word(operation: str) -> str:
    """Return what an operation is called while it is done: ``create`` -> ``creating``."""
    return _DOING.get(operation, operation)


class Client:
    """Speaks to *api* with *settings*. The way there is :attr:`http`; its session's adapters are the seam for tests."""

    def __init__(
        self,
        api: Api,
        settings: Mapping[str, Any],
        *,
        session: requests.Session | None = None,
        folder: Path | None = None,
        connection: str = "",
    ) -> None:
        """Prepare; nothing is sent yet.

        *connection* is the connection's name, if it has one, and *folder* where it keeps what it must: tokens, ids.
        """
        self.api = api
        self.folder = folder
        self.settings = {s.name: s.default for s in api.settings if s.default is not None} | {
            name: value for name, value in settings.items() if value is not None
        }
        base_url = str(self.settings.get("base_url") or fill(api.base_url, self.settings) or "")
        secrets = [str(self.settings[s.name]) for s in api.settings if s.secret and self.settings.get(s.name)]
        self.http = Http(
            api.name,
            base_url,
            auth=_auth(api, self.settings, base_url),
            settings={"user_agent": f"antiphon/{antiphon.__version__}", **self.settings},
            secrets=secrets,
            hosts=() if self.settings.get("base_url") else api.hosts,
            style=api.style,
            quota=api.quota,
            limiter=Limiter(api.limits, float(self.settings.get("rate_share") or 1)),
            session=session,
            folder=folder,
            connection=connection,
        )
        if not self.settings.get("base_url"):
            self.http.base_setting = " or ".join(sorted(names(api.base_url))) or "base_url"
        self._schemas: dict[str, Schema] = {}
        self._discovered: dict[str, Resource] | None = None

    # Resources

    def resource(self, name: str) -> Resource:
        """Return the resource called *name* (or by one of its aliases), asking the API only for names not known here.

        Raises:
            Unknown: there is none; the text names those there are.
        """
        for resource in self.api.resources:
            if name == resource.name or name in resource.aliases:
                return resource
        for resource in self.discovered():
            if name == resource.name or name in resource.aliases:
                return resource
        known = {r.name for r in (*self.api.resources, *self.discovered())}
        raise Unknown(f'{self.api.name} has no resource "{name}"', hint=did_you_mean(name, known))

    def discovered(self) -> list[Resource]:
        """Return the resources that only the API itself knows of. Asked once."""
        if self._discovered is None:
            self._discovered = {r.name: r for r in self.api.discover(self)} if self.api.discover else {}
        return list(self._discovered.values())

    def schema(self, resource: Resource) -> Schema:
        """Return the schema of *resource*, asking the API once where it is the one to know."""
        if not callable(resource.schema):
            return resource.schema
        if resource.name not in self._schemas:
            self._schemas[resource.name] = resource.schema(self)
        return self._schemas[resource.name]

    def explain(self, resource: Resource, record: Record) -> str:
        """Return what may be wrong with *record*, which the API refused: a field that is not there, a value that is no option."""
        try:
            known = self.schema(resource).get("properties", {})
        except ApiError:
            return ""
        for name, value in record.items():
            if known and name not in known and "." not in name:
                return f'There is no field "{name}". {did_you_mean(name, known)}'
            options = known.get(name, {}).get("x-options")
            if options and isinstance(value, str) and value and not set(value.split(";")) <= set(options):
                return f'"{value}" is no option of {name}. There are: {", ".join(map(str, options[:40]))}.'
        return ""

    # Reading

    def read(self, resource: Resource, query: Query | None = None, *, slot: str = "read") -> Iterator[Page]:
        """Yield the pages of *resource*: all of it, or by another *slot* (``changes``, ``deleted``, ``get``, ``find``)."""
        query = query or Query()
        how = getattr(resource, slot)
        if how is None:
            has = [s for s in resource.READING if getattr(resource, s)]
            raise Unknown(
                f"{self.api.name}: {resource.name} has no {slot}", hint=f"It has: {', '.join(has) or 'none'}."
            )
        if not isinstance(how, Read):
            yield from how(self, resource, query)
        elif resource.parent and slot != "get":
            yield from self._under_parents(how, resource, query, slot)
        else:
            yield from self.pages(how, resource, query, doing=f"{_DOING[slot]} {resource.name}")

    def pages(
        self, read: Read, resource: Resource, query: Query, *, doing: str = "", values: Mapping[str, Any] | None = None
    ) -> Iterator[Page]:
        """Yield the pages that *read* gives, in the shape of the resource's schema.

        Raises:
            PagingError: a cursor came twice.
            BadReply: there are no records where the description says.
        """
        doing = doing or f"reading {resource.name}"
        given = {**self.settings, **self._asked(read, resource, query), **(values or {})}
        schema = self.schema(resource)
        paging, then = read.paging, _needed(read.then, given.get("fields"))
        fields = given.get("fields")
        if then:
            given["fields"] = MISSING
        cursor = query.cursor if query.cursor is not None else paging.first() if paging else {}
        shaped = shape.compiled(read, schema)
        seen = {repr(cursor)}
        before: deque[set[str]] = deque(maxlen=3)  # pages: as far as a paging goes back for rows that have moved
        bookmark: str | None = None
        while cursor is not None:
            try:
                reply = self.http.send(self._request(read, given, cursor), doing)
            except NotFound:
                shorter = getattr(paging, "shorter", None)  # a list may have lost the page that is asked for
                cursor = shorter(cursor) if shorter else None
                if cursor is None:
                    raise
                continue
            rows = self._rows(read, reply, doing)
            following = paging.following(cursor, reply, rows) if paging else None
            if isinstance(following, dict) and isinstance(following.get("url"), str):
                following["url"] = self.http.unsigned(following["url"])
            if following is not None and (mark := repr(following)) in seen:
                hint = "Nothing more was read, and the bookmark was not moved. The server is at fault."
                said = f"the same page was named twice ({self.http.redact(mark)[:80]})"
                raise PagingError(f"{self.api.name}: {doing} -> {said}", hint=hint)
            seen.add(repr(following))
            if then:
                rows = self._fetched(then, resource, {**given, "fields": fields}, rows, doing)
            else:
                rows = [shaped(row) for row in _lines(read, rows, given)]
            marks = [_mark(resource, row) for row in rows]
            sent = set().union(*before)
            fresh = [row for row, mark in zip(rows, marks, strict=True) if not mark or mark not in sent]
            before.append(set(marks))
            bookmark = bookmark or (reply.headers.get(read.bookmark) if read.bookmark else _server_time(reply))
            yield Page(reply.body, read.records, reply.headers, bookmark, following, fresh)
            cursor = following

    def get(self, resource: Resource, id: str) -> Record:
        """Return the record with that *id*.

        Raises:
            NotFound: there is none.
        """
        for page in self.read(resource, Query(id=str(id)), slot="get"):
            for record in page.records:
                return record
        raise NotFound(f"{self.api.name}: getting {resource.name} -> there is none with id {id}")

    def find(
        self, resource: Resource, field: str, values: Sequence[Any], fields: tuple[str, ...] | None = None
    ) -> list[Record]:
        """Return the records whose *field* has one of the *values*, with the *fields* asked for."""
        values = [value for value in values if value is not None and value != ""]  # these would find every record
        at_once = resource.find.values if isinstance(resource.find, Read) else max(1, len(values))
        found: list[Record] = []
        for start in range(0, len(values), at_once):
            query = Query(fields=fields, where={"field": field, "values": list(values[start : start + at_once])})
            found += [record for page in self.read(resource, query, slot="find") for record in page.records]
        return found

    # Writing

    def write(self, resource: Resource, operation: str, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry out *operation* (``create``, ``update`` … or an action's name) for each of *changes*.

        Yields an :class:`~antiphon.outcome.Outcome` for each, not always in their order. A change whose answer was lost ends as
        ``unknown``.

        Raises:
            Unauthorized: the credential is not accepted.
            Unavailable: the API cannot answer now; what was not yielded was not written.
        """
        how = getattr(resource, operation, None) if operation in _KINDS else resource.actions.get(operation)
        if how is None:
            hint = f"It can: {', '.join(resource.operations)}."
            raise Unknown(f"{self.api.name} cannot {operation} {resource.name}", hint=hint)
        if not isinstance(how, Write):
            yield from how(self, resource, changes)
            return
        for start in range(0, len(changes), how.batch):
            batch = changes[start : start + how.batch]
            if how.via:
                yield from how.via(self, resource, batch)
            else:
                yield from self.send_changes(how, resource, batch, operation)

    def send_changes(
        self, write: Write, resource: Resource, batch: Sequence[Change], operation: str
    ) -> Iterator[Outcome]:
        """Send one *batch* (at most ``write.batch`` changes) and yield what became of each."""
        kind = _KINDS.get(operation, Kind.DONE)
        doing = f"{doing_word(operation)} {resource.name}"
        attempts = 1
        try:
            request = self._write_request(write, resource, batch)
            reply = self.http.send(request, doing, safe=write.safe or write.remembers > 0)
            attempts = reply.attempts
            outcomes = write.outcomes(Said(reply.status, reply.json() if reply.body.strip() else None), batch, kind)
        except (Refused, NotFound) as error:
            if len(batch) > 1 and (write.atomic or write.safe):
                half = len(batch) // 2
                yield from self.send_changes(write, resource, batch[:half], operation)
                yield from self.send_changes(write, resource, batch[half:], operation)
                return
            gone = isinstance(error, NotFound) and kind is Kind.DELETED and len(batch) == 1
            outcomes = [Outcome(batch[0], kind, batch[0].id)] if gone else _refused(error, batch)
        except Forbidden as error:
            outcomes = _refused(error, batch)
        except DescriptionError as error:  # a value that the path needs is not in the record
            outcomes = [rejected(change, str(error)) for change in batch]
        except (Lost, BadReply) as error:
            outcomes = _refused(error, batch, Kind.UNKNOWN)
        answered = {outcome.change.token for outcome in outcomes}
        outcomes = [*outcomes, *(unanswered(change) for change in batch if change.token not in answered)]
        for outcome in outcomes:
            outcome.attempts = attempts
        yield from outcomes

    # Anything else

    def check(self) -> None:
        """Make the cheapest authenticated request.

        Raises:
            ApiError: it did not work, and why.
        """
        check = self.api.check
        if check is None:
            raise Unknown(f"{self.api.name}: its description names no request to check a connection with")
        if isinstance(check, Read):
            doing = "checking the connection"
            reply = self.http.send(
                self._request(check, self.settings, check.paging.first() if check.paging else {}), doing
            )
            if reply.status != HTTPStatus.NO_CONTENT:
                self._decoded(reply, doing)
        else:
            for _ in check(self, Resource("check", {}), Query()):
                pass

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        doing: str = "",
        safe: bool | None = None,
    ) -> Any:
        """Make any request of the API and return its decoded body (None where it is empty)."""
        method = method.upper()
        request = Request(method, path, dict(params or {}), dict(headers or {}), json)
        safe = method in {"GET", "HEAD", "PUT", "DELETE"} if safe is None else safe
        doing = doing or f"{method} {path.partition('?')[0]}"
        reply = self.http.send(request, doing, safe=safe)
        return self._decoded(reply, doing) if reply.body.strip() else None

    # How requests are made

    def _asked(self, read: Read, resource: Resource, query: Query) -> dict[str, Any]:
        fields = query.fields
        if fields is None:
            properties = self.schema(resource).get("properties", {})
            fields = tuple(name for name, field in properties.items() if not field.get("writeOnly"))
        known = self.schema(resource).get("properties", {}) if read.pairs else {}
        asked = list(dict.fromkeys(_pair(name, read.pairs, known) for name in fields if name not in resource.always))
        where = dict(query.where)
        values = where.get("values") or [MISSING]
        return {
            "since": moment.written(query.since, read.time) if query.since else MISSING,
            "until": moment.written(until, read.time) if (until := query.until or read.latest) else MISSING,
            "fields": asked,
            "id": query.id if query.id is not None else MISSING,
            "match": {"field": where.get("field", MISSING), "values": values, "value": values[0]},
        }

    def _request(self, read: Read, values: Mapping[str, Any], cursor: Any) -> Request:
        if isinstance(cursor, Mapping) and "last" in cursor:
            values = {**values, "last": cursor["last"]}
        request = Request(
            read.method,
            fill_path(read.path, values),
            fill(read.params, values),
            fill(read.headers, values),
            fill(read.body, values),
        )
        return read.paging.ask(request, cursor) if read.paging else request

    def _decoded(self, reply: Reply, doing: str) -> Any:
        try:
            return reply.json()
        except BadReply as error:
            hint = "Check that base_url is the API's own address, and not that of a page for people."
            said = self.http.redact(f"{self.api.name}: {doing} -> {error.message}")
            raise BadReply(said, hint=hint, status=error.status) from None

    def _rows(self, read: Read, reply: Reply, doing: str) -> list[Record]:
        found = look(self._decoded(reply, doing), read.records, MISSING)
        if found is None:
            return []
        rows = [found] if isinstance(found, dict) else found
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            said = f': "{found}"' if isinstance(found, str) else ""
            raise BadReply(f'{self.api.name}: {doing} -> the answer has no list of records at "{read.records}"{said}')
        return rows

    def _fetched(
        self, then: Then, resource: Resource, values: Mapping[str, Any], rows: list[Record], doing: str
    ) -> list[Record]:
        read = then.read
        shaped = shape.compiled(read, self.schema(resource))
        whole: list[Record] = []
        for start in range(0, len(rows), then.size):
            request = self._request(read, values, {})
            request.body = dict(request.body or {})
            ids = [look(row, then.key) for row in rows[start : start + then.size]]
            put(request.body, then.into, [fill(then.each, {**values, "id": id}) for id in ids])
            whole += [shaped(row) for row in self._rows(read, self.http.send(request, doing), doing)]
        return whole

    def _under_parents(self, read: Read, resource: Resource, query: Query, slot: str) -> Iterator[Page]:
        """Yield the pages under each record of the parent; a cursor names the parent under which the next one is."""
        parent = self.resource(resource.parent)
        doing = f"{_DOING[slot]} {resource.name}"
        resume = query.cursor
        bookmark = None
        last: Page | None = None
        for outer in self.read(parent):
            for record in outer.records:
                key = [record.get(k) for k in parent.key]
                if resume and key != resume["parent"]:
                    continue
                inner = Query(
                    query.fields, query.since, query.until, resume["at"] if resume else None, query.id, query.where
                )
                resume = None
                for page in self.pages(read, resource, inner, doing=doing, values={"parent": record}):
                    bookmark = bookmark or page.bookmark
                    page.bookmark = bookmark
                    if page.cursor is not None:
                        page.cursor = {"parent": key, "at": page.cursor}
                    if last:
                        last.cursor = last.cursor or {"parent": key, "at": None}
                        yield last
                    last = page
        if resume:  # the parent at which an earlier read stopped is gone
            yield from self._under_parents(read, resource, Query(query.fields, query.since, query.until), slot)
        elif last:
            yield last

    def _write_request(self, write: Write, resource: Resource, batch: Sequence[Change]) -> Request:
        values = {**self.settings, **batch[0].values()}
        path, headers = fill_path(write.path, values), fill(write.headers, values)
        schema = self.schema(resource) if write.time else {}
        body = fill(write.body, _sent(values, write, schema))
        if write.into:
            body = dict(body or {})
            entry = write.each if callable(write.each) else partial(fill, write.each)
            put(body, write.into, [entry({**self.settings, **_sent(c.values(), write, schema)}) for c in batch])
        return Request(write.method, path, fill(write.params, values), headers, body)


def _sent(values: Mapping[str, Any], write: Write, schema: Schema) -> Mapping[str, Any]:
    """Return *values* with the record as the body takes it: without what is in the path, its times as the API wants them."""
    record = values["record"]
    if write.apart:
        record = {name: value for name, value in record.items() if name not in write.apart}
    return {**values, "record": _timed(record, schema, write.time) if write.time else record}


def _pair(name: str, suffix: str, known: Mapping[str, Any]) -> str:
    """Return the field that the API has for *name*: of ``partner_id_name`` it is ``partner_id``, where that is a pair."""
    stem = name.removesuffix(suffix) if suffix else name
    return stem if stem != name and "integer" in types(known.get(stem, {})) else name


def _timed(record: Record, schema: Schema, form: str) -> Record:
    """Return *record* with its times as the API wants them written; what is no time is left for the API to refuse."""
    known = schema.get("properties", {})
    times = {name for name in record if known.get(name, {}).get("format") == "date-time"}
    return {name: _time(value, form) if name in times else value for name, value in record.items()}


def _time(value: Any, form: str) -> Any:
    try:
        return moment.written(moment.rfc3339(value), form) if value else value
    except (ValueError, OverflowError):
        return value


def _auth(api: Api, settings: Mapping[str, Any], base_url: str) -> Auth | None:
    kinds = api.auth if isinstance(api.auth, tuple) else (api.auth,)
    for auth in kinds:
        if all(settings.get(name) for name in auth.needs()):
            return auth
    if not kinds:
        return None
    return kinds[0 if base_url else -1]  # without a URL, the one that would find it


def _needed(then: Then | None, fields: Any) -> Then | None:
    if then is None or not isinstance(fields, list) or len(",".join(fields)) <= then.over:
        return None
    return then


def _lines(read: Read, rows: list[Record], values: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the rows, or where the read says so the lines within them, each with the fields it is to keep."""
    for row in rows:
        kept = fill(read.keep, {**values, "record": row}) if read.keep else {}
        if read.each:
            for line in look(row, read.each) or ():
                yield {**line, **kept}
        else:
            yield {**row, **kept} if kept else row


def _mark(resource: Resource, row: Record) -> str:
    """Return what tells *row* in this state from all others; empty where it has no key."""
    key = [row.get(name) for name in resource.key]
    return "" if not key or None in key else repr((key, row.get(resource.updated)))


def _server_time(reply: Reply) -> str | None:
    """Return the server's clock as its Date header has it: whole seconds, never later than the truth."""
    try:
        return moment.rfc3339(reply.headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None


def _refused(error: ApiError, batch: Sequence[Change], kind: Kind = Kind.REJECTED) -> list[Outcome]:
    said = error.message.partition(" -> ")[2] or error.message
    words = said.removeprefix(f"{error.status} ")
    return [Outcome(change, kind, change.id, Problem(words, error.status, error.code)) for change in batch]
