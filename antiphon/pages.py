"""The pages of a list, one after the other, in the shape of the resource's schema."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from antiphon import moment, shape
from antiphon.api import Page, Query, Read, Record, Reply, Resource, Then
from antiphon.asking import DOING, asked, fetched, request, rows
from antiphon.errors import NotFound, PagingError
from antiphon.fill import MISSING, fill, look

if TYPE_CHECKING:
    from antiphon.client import Client


def pages(
    client: Client, read: Read, resource: Resource, query: Query, doing: str, values: Mapping[str, Any]
) -> Iterator[Page]:
    """Yield the pages that *read* gives; *values* are more that its placeholders may name.

    Raises:
        PagingError: a cursor came twice.
        BadReply: there are no records where the description says.
    """
    given = {**client.settings, **asked(client, read, resource, query), **values}
    paging, then = read.paging, _needed(read.then, given.get("fields"))
    fields = given.get("fields")
    if then:
        given["fields"] = MISSING
    cursor = query.cursor if query.cursor is not None else paging.first() if paging else {}
    shaped = shape.compiled(client.worded(read), client.schema(resource))
    seen = {repr(cursor)}
    before: deque[set[str]] = deque(maxlen=3)  # pages: as far as a paging goes back for rows that have moved
    bookmark: str | None = None
    while cursor is not None:
        try:
            reply = client.http.send(request(read, given, cursor, doubled=client.doubled), doing)
        except NotFound:
            shorter = getattr(paging, "shorter", None)  # a list may have lost the page that is asked for
            cursor = shorter(cursor) if shorter else None
            if cursor is None:
                raise
            continue
        found = rows(client, read, reply, doing)
        following = paging.following(cursor, reply, found) if paging else None
        if isinstance(following, dict) and isinstance(following.get("url"), str):
            following["url"] = client.http.unsigned(following["url"])
        if following is not None and (mark := repr(following)) in seen:
            hint = "Nothing more was read, and the bookmark was not moved. The server is at fault."
            said = f"the same page was named twice ({client.http.redact(mark)[:80]})"
            raise PagingError(f"{client.api.name}: {doing} -> {said}", hint=hint)
        seen.add(repr(following))
        if then:
            found = fetched(client, then, resource, {**given, "fields": fields}, found, doing)
        else:
            found = [shaped(row) for row in _lines(read, found, given)]
        marks = [_mark(resource, row) for row in found]
        sent = set().union(*before)
        fresh = [row for row, mark in zip(found, marks, strict=True) if not mark or mark not in sent]
        before.append(set(marks))
        bookmark = bookmark or (reply.headers.get(read.bookmark) if read.bookmark else _server_time(reply))
        yield Page(None if reply.format else reply.body, read.records, reply.headers, bookmark, following, fresh)
        cursor = following


def under_parents(client: Client, read: Read, resource: Resource, query: Query, slot: str) -> Iterator[Page]:
    """Yield the pages under each record of the parent; a cursor names the parent under which the next one is."""
    parent = client.resource(resource.parent)
    doing = f"{DOING[slot]} {resource.name}"
    resume = query.cursor
    bookmark = None
    last: Page | None = None
    for outer in client.read(parent):
        for record in outer.records:
            key = [record.get(k) for k in parent.key]
            if resume and key != resume["parent"]:
                continue
            inner = Query(
                query.fields, query.since, query.until, resume["at"] if resume else None, query.id, query.where
            )
            resume = None
            for page in client.pages(read, resource, inner, doing=doing, values={"parent": record}):
                bookmark = bookmark or page.bookmark
                page.bookmark = bookmark
                if page.cursor is not None:
                    page.cursor = {"parent": key, "at": page.cursor}
                if last:
                    last.cursor = last.cursor or {"parent": key, "at": None}
                    yield last
                last = page
    if resume:  # the parent at which an earlier read stopped is gone
        yield from under_parents(client, read, resource, Query(query.fields, query.since, query.until), slot)
    elif last:
        yield last


def _needed(then: Then | None, fields: Any) -> Then | None:
    if then is None or not isinstance(fields, list) or len(",".join(fields)) <= then.over:
        return None
    return then


def _lines(read: Read, found: list[Record], values: Mapping[str, Any]) -> Iterator[Record]:
    """Yield the rows, or where the read says so the lines within them, each with the fields it is to keep."""
    for row in found:
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
