"""A description with small pages and without rate limits, so that a handful of records makes many pages at once."""

from __future__ import annotations

from dataclasses import replace

from antiphon import apis
from antiphon.api import Api, Read, Resource

PAGE = 2


def small(name: str) -> Api:
    """The API called *name*, asked for pages of `PAGE` records."""
    api = apis.load(name)
    discover = api.discover
    return replace(
        api,
        limits=(),
        resources=tuple(resized(resource) for resource in api.resources),
        discover=None if discover is None else lambda client: [resized(r) for r in discover(client)],
    )


def resized(resource: Resource) -> Resource:
    """The resource with small pages, where its pages have a size that is asked for."""
    slots = {slot: how for slot in resource.READING if isinstance(how := getattr(resource, slot), Read)}
    return replace(resource, **{slot: _resized(read) for slot, read in slots.items()})


def _resized(read: Read) -> Read:
    size = getattr(read.paging, "size", None)
    return replace(read, paging=replace(read.paging, size=(size[0], PAGE))) if size else read  # type: ignore[type-var]
