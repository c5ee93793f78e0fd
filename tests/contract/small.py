"""A description with small pages and without rate limits, so that a handful of records makes many pages at once."""

from __future__ import annotations

from dataclasses import replace

from antiphon import apis
from antiphon.api import Api, Read, Resource


def small(name: str, page: int) -> Api:
    """The API called *name*, asked for pages of *page* records."""
    api = apis.load(name)
    discover = api.discover
    return replace(
        api,
        limits=(),
        resources=tuple(resized(resource, page) for resource in api.resources),
        discover=None if discover is None else lambda client: [resized(r, page) for r in discover(client)],
    )


def resized(resource: Resource, page: int) -> Resource:
    """The resource with small pages, where its pages have a size that is asked for."""
    slots = {slot: how for slot in resource.READING if isinstance(how := getattr(resource, slot), Read)}
    return replace(resource, **{slot: _resized(read, page) for slot, read in slots.items()})


def _resized(read: Read, page: int) -> Read:
    size = getattr(read.paging, "size", None)
    return replace(read, paging=replace(read.paging, size=(size[0], page))) if size else read  # type: ignore[type-var]
