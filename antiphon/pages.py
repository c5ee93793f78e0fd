"""The pages of a list, one after the other, in the shape of the resource's schema."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon import moment, shape
from antiphon.api import Page, Query, Read, Record, Reply, Resource, Then
from antiphon.asking import DOING, asked, fetched, request, rows
from antiphon.errors import NotFound, PagingError
from antiphon.fill import MISSING, fill, look

if TYPE_CHECKING:
    from antiphon.client import Client
    from antiphon.encode import Rows
    from antiphon.shape import Shape


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
    source = client.worded(then.read if then else read)
    shaped = shape.compiled(source, client.schema(resource))
    seen = {repr(cursor)}
    before: deque[Collection[Any]] = deque(maxlen=3)  # pages: as far as a paging goes back for rows that have moved
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
        replies = [reply]
        page = None if then else _written(query, source, replies, given)
        found = page.came if page else rows(client, read, reply, doing)
        following = paging.following(cursor, page.around if page else reply, found) if paging else None
        if isinstance(following, dict) and isinstance(following.get("url"), str):
            following["url"] = client.http.unsigned(following["url"])
        if following is not None and (mark := repr(following)) in seen:
            hint = "Nothing more was read, and the bookmark was not moved. The server is at fault."
            said = f"the same page was named twice ({client.http.redact(mark)[:80]})"
            raise PagingError(f"{client.api.name}: {doing} -> {said}", hint=hint)
        seen.add(repr(following))
        if then:
            replies = fetched(client, then, {**given, "fields": fields}, list(found), doing)
            page = _written(query, source, replies, given)
        sent: set[Any] = set().union(*before)
        whole = partial(_shaped, client, source, replies, shaped, given, doing)
        fresh = None
        if page is None or not sent.isdisjoint(page.marks):
            page, fresh = None, whole()
            marks = [_mark(resource, row) for row in fresh]
            fresh = [row for row, mark in zip(fresh, marks, strict=True) if mark is None or mark not in sent]
        before.append(page.marks if page else set(marks) - {None})
        bookmark = bookmark or (reply.headers.get(read.bookmark) if read.bookmark else _server_time(reply))
        body = None if reply.format else reply.body
        yield Page(body, read.records, reply.headers, bookmark, following, fresh, page, whole)
        cursor = following


def _written(query: Query, read: Read, replies: Sequence[Reply], values: Mapping[str, Any]) -> Rows | None:
    return query.encoder.rows(read, replies, values) if query.encoder and replies else None


def _shaped(
    client: Client, read: Read, replies: Sequence[Reply], shaped: Shape, values: Mapping[str, Any], doing: str
) -> list[Record]:
    """Return the records in *replies*, in shape."""
    return [shaped(row) for reply in replies for row in _lines(read, rows(client, read, reply, doing), values)]


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
            inner = replace(query, cursor=resume["at"] if resume else None)
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
        yield from under_parents(client, read, resource, replace(query, cursor=None), slot)
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


def _mark(resource: Resource, row: Record) -> Hashable:
    """Return what tells *row* in this state from all others; None where it has no key."""
    key = [row.get(name) for name in resource.key]
    if not key or None in key:
        return None
    mark = (*key, row.get(resource.updated))
    try:
        hash(mark)
    except TypeError:
        return repr(mark)
    return mark


def _server_time(reply: Reply) -> str | None:
    """Return the server's clock as its Date header has it: whole seconds, never later than the truth."""
    try:
        return moment.rfc3339(reply.headers["Date"])
    except (KeyError, ValueError, TypeError):
        return None
