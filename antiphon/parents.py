"""Lists below another list: one for each record of the parent, several of them begun at once, one after the other told."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from antiphon.ahead import Later
from antiphon.api import Page, Query, Read, Resource
from antiphon.asking import DOING

if TYPE_CHECKING:
    from antiphon.client import Client


def under_parents(client: Client, read: Read, resource: Resource, query: Query, slot: str) -> Iterator[Page]:
    """Yield the pages under each record of the parent; a cursor names the parent under which the next one is."""
    resume = query.cursor
    bookmark = None
    last: Page | None = None
    found = False
    for key, pages in _begun(client, _lists(client, read, resource, query, slot)):
        found = True
        for page in pages:
            bookmark = bookmark or page.bookmark
            page.bookmark = bookmark
            if page.cursor is not None:
                page.cursor = {"parent": key, "at": page.cursor}
            if last:
                last.cursor = last.cursor or {"parent": key, "at": None}
                yield last
            last = page
    if resume and not found:  # the parent at which an earlier read stopped is gone
        yield from under_parents(client, read, resource, replace(query, cursor=None), slot)
    elif last:
        yield last


def _lists(
    client: Client, read: Read, resource: Resource, query: Query, slot: str
) -> Iterator[tuple[Any, Iterator[Page]]]:
    """Yield the key of each parent and the pages under it, from the one on that the query's cursor names."""
    parent = client.resource(resource.parent)
    doing = f"{DOING[slot]} {resource.name}"
    resume = query.cursor
    for outer in client.read(parent):
        for record in outer.records:
            key = [record.get(k) for k in parent.key]
            if resume and key != resume["parent"]:
                continue
            inner = replace(query, cursor=resume["at"] if resume else None)
            resume = None
            yield key, client.pages(read, resource, inner, doing=doing, values={"parent": record})


def _begun(client: Client, lists: Iterator[tuple[Any, Iterator[Page]]]) -> Iterator[tuple[Any, Iterator[Page]]]:
    """Yield *lists*, those that come next with their first page on its way, as far as there are lanes.

    The first is begun alone: its time is the bookmark of all.
    """
    yield from islice(lists, 1)
    waiting: deque[tuple[Any, Iterator[Page], Later[Page | None] | None]] = deque()
    for key, pages in lists:
        waiting.append((key, pages, client.lanes.later(partial(next, pages, None))))
        if len(waiting) > client.lanes.most:
            yield _resumed(*waiting.popleft())
    while waiting:
        yield _resumed(*waiting.popleft())


def _resumed(key: Any, pages: Iterator[Page], first: Later[Page | None] | None) -> tuple[Any, Iterator[Page]]:
    """Return a list with its *first* page, where that is on its way, in front."""
    return key, chain(_awaited(first), pages) if first else pages


def _awaited(first: Later[Page | None]) -> Iterator[Page]:
    page = first.result()
    if page is not None:
        yield page
