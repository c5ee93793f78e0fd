"""Whether the end of the input is the end of a source: what the STATEs around the records of a stream say of it.

A tap writes a STATE when it has read a stream to its end. One that dies halfway does not, or leaves in it that the stream is being read:
as a Singer tap does (``currently_syncing``), one of the Singer SDK (``progress_markers``) or one of ours (``reading``). What was
read on from a bookmark is not the whole of a source either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any


class Whole:
    """What is known of the streams of an input, as its messages come."""

    def __init__(self) -> None:
        """Begin with none."""
        self._begun: set[str] = set()
        self._open: set[str] = set()
        """Streams with records that no STATE has come after which takes them for read to their end."""
        self._continued: set[str] = set()
        """Streams that are read on from a bookmark."""

    def record(self, stream: str) -> None:
        """Take note of a record of *stream*."""
        self._begun.add(stream)
        self._open.add(stream)

    def state(self, value: Any) -> None:
        """Take note of a STATE."""
        self._open = {stream for stream in self._open if _under_way(value, stream)}
        for stream in set(_of(value, "bookmarks")) - self._begun:
            if any(_goes_on(bookmark) for bookmark in _bookmarks(value, stream)):
                self._continued.add(stream)

    def lacking(self, streams: Collection[str]) -> str:
        """Return why these *streams* were not read whole, and what to do; empty where they were."""
        if not self._continued.isdisjoint(streams):
            return "its tap began at a bookmark, so that what came is not the whole source: run it without state"
        if not self._open.isdisjoint(streams):
            return (
                "no STATE came after its last record that takes it for read to its end, as when a tap dies halfway: run it again; "
                'what writes no STATE must end its output with {"type": "STATE", "value": {}}'
            )
        return ""


def _under_way(value: Any, stream: str) -> bool:
    """Return whether the STATE *value* says that *stream* is being read."""
    syncing = isinstance(value, Mapping) and value.get("currently_syncing") == stream
    return syncing or any(one.get("progress_markers") or one.get("reading") for one in _bookmarks(value, stream))


def _goes_on(bookmark: Mapping[str, Any]) -> bool:
    """Return whether a read that starts with *bookmark* leaves out what was before it."""
    reading = _of(bookmark, "reading")
    midway = reading.get("cursor") is not None or reading.get("slot") == "deleted"
    return midway or bookmark.get("replication_key_value") is not None


def _bookmarks(value: Any, stream: str) -> Iterator[Mapping[str, Any]]:
    """Yield the bookmark of *stream* in the STATE *value*, and those of its partitions."""
    bookmark = _of(_of(value, "bookmarks"), stream)
    partitions = bookmark.get("partitions")
    yield bookmark
    yield from (one for one in partitions if isinstance(one, Mapping)) if isinstance(partitions, list) else ()


def _of(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}
