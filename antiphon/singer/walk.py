"""One read of one resource: from its bookmark to the end, page by page, to be taken up again where it stops."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from antiphon import moment
from antiphon.ahead import Ahead
from antiphon.api import Page, Query, Record, Resource
from antiphon.client import Client
from antiphon.encode import Encoder, Rows
from antiphon.errors import BadReply, ForeignHost, NotFound, PagingError, Refused
from antiphon.singer.catalog import DELETED_AT
from antiphon.singer.state import MOST_MARKS, Bookmark, Reading, mark

log = logging.getLogger("antiphon.singer")

_DAY = timedelta(days=1, microseconds=-1)


@dataclass(frozen=True)
class Bounds:
    """What the user wants of a stream: times are RFC 3339 or dates, *lookback* is in seconds."""

    start: str | None = None
    """Records that were last changed before are left out."""
    end: str | None = None
    """Records that were last changed after are left out, and no bookmark passes it."""
    lookback: float = 0
    whole: bool = False
    """Whether all is read whatever its time: a FULL_TABLE replication."""
    deletes: bool = False


class Walk:
    """Reads *resource* from *bookmark* on, page by page; *keep* is given each new bookmark when its page is done.

    The slot ``changes`` is taken where there is a time to start from, else ``read``, of whose records those are left out that are too
    old. With ``deletes``, those follow that were deleted since that time; a first read without ``start_date`` has none, for
    nothing was sent yet that could be gone. Where deletions are found by comparing (:mod:`antiphon.vanished`), it is before the first
    record is read that what is there is written down.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        bookmark: Bookmark,
        bounds: Bounds,
        *,
        fields: tuple[str, ...],
        keep: Callable[[Bookmark], None],
        encoder: Encoder | None = None,
        arrived: threading.Event | None = None,
    ) -> None:
        """Prepare; nothing is asked yet.

        With an *encoder*, pages of whose records none has to be looked at come as it wrote them. Where *arrived* is given,
        None is yielded instead of waiting; it is set when there is more.
        """
        self.encoder, self.arrived = encoder, arrived
        self.client, self.resource, self.fields, self.keep = client, resource, fields, keep
        self.whole = bounds.whole or not resource.updated
        self.before = bookmark
        self.value = bookmark.value if bookmark.key == resource.updated and not self.whole else None
        self.lookback = timedelta(seconds=bounds.lookback)
        self.since = None if self.whole else self._since(bounds)
        self.until = moment.rfc3339(bounds.end) if bounds.end and not self.whole else None
        self.slots = self._slots(deletes=bounds.deletes)
        self.cursor: Any = None
        self.goal = ""
        """The bookmark once the stream is complete; known with the first page, and the same when the read is taken up again."""
        self.marks: set[str] | None = set()
        """Marks of what was sent and may be read again; None when there are too many."""
        self._began = moment.rfc3339(moment.now())
        self._oldest = moment.parse(self.since) if self.since else None
        self._latest = moment.parse(self.until) if self.until else None
        self._window: datetime | None = None
        """The time from which the next read starts."""
        self._resume(bookmark.reading)

    def pages(self) -> Iterator[Rows | list[Record] | None]:
        """Yield the records of each page, or the page as it is written, or None where one would have to wait.

        Raises:
            ApiError: the API says no. What was kept until then is where the next read goes on.
        """
        if "deleted" in self.slots and (begin := getattr(self.resource.deleted, "begin", None)):
            begin(self.client, self.resource)
        for number, slot in enumerate(self.slots):
            if number:
                self.cursor = None
                self._keep(slot)
            yield from self._slot(slot)
        self.keep(self._complete())

    # Where it starts

    def _since(self, bounds: Bounds) -> str | None:
        start = moment.rfc3339(bounds.start) if bounds.start else None
        if self.value is None:
            return start
        value = self.value
        if self.lookback:
            value = moment.rfc3339(moment.parse(value) - self.lookback)
        return max(value, start, key=moment.parse) if start else value

    def _slots(self, *, deletes: bool) -> tuple[str, ...]:
        first = "changes" if self.resource.changes and (self.since or not self.resource.read) else "read"
        told = self.since or (not self.whole and hasattr(self.resource.deleted, "begin"))
        return (first, "deleted") if deletes and self.resource.deleted and told else (first,)

    def _resume(self, reading: Reading | None) -> None:
        if reading is None:
            return
        if reading.slot in self.slots and (reading.since, reading.until) == (self.since, self.until):
            self.slots = self.slots[self.slots.index(reading.slot) :]
            self.cursor = reading.cursor
            self._aim(reading.bookmark)
        else:
            log.info("%s: other bounds than last time; the list is read from its beginning", self.resource.name)

    # On the way

    def _slot(self, slot: str) -> Iterator[Rows | list[Record] | None]:
        pages = Ahead(self._pages(slot), self.arrived)
        try:
            while True:
                while self.arrived and not pages.ready:
                    yield None
                page = next(pages, None)
                if page is None:
                    return
                if not self.goal:
                    self._aim(page.bookmark)
                    self._keep(slot)  # before there is a place to go on at: whoever dies here has not read the stream
                written = page.written
                yield written if written and self._passes(slot, written.changed) else list(self._fresh(slot, page))
                self.cursor = page.cursor
                if page.cursor is not None:
                    self._keep(slot)
        finally:
            pages.close()

    def _passes(self, slot: str, changed: Sequence[str | None]) -> bool:
        """Return whether none of the records that were *changed* at these times has to be left out or remembered."""
        if self.whole:
            return True
        if slot == "deleted" or self.before.seen:
            return False
        window = self._window if self.marks is not None else None
        oldest = self._oldest if slot != "changes" else None
        if window is None and oldest is None and self._latest is None:
            return True
        known = list(filter(None, changed))
        lengths = set(map(len, known))
        if len(lengths) == 1:
            return self._between(oldest, known, window)
        return all(self._between(oldest, [time for time in known if len(time) == length], window) for length in lengths)

    def _between(self, oldest: datetime | None, times: Sequence[str], window: datetime | None) -> bool:
        """Return whether these *times*, texts of one length and so in their order, are neither too old nor too late, and before *window*."""
        if oldest:
            _, first = self._span(min(times))
            if first is None or first < oldest:
                return False
        if not (window or self._latest):
            return True
        early, last = self._span(max(times))
        if early is None or last is None:
            return False
        return not (self._latest and early > self._latest) and not (window and last >= window)

    def _fresh(self, slot: str, page: Page) -> Iterator[Record]:
        """Yield the records that are wanted and were not sent before."""
        for record in page.records:
            early, late = self._times(slot, record)
            if slot != "changes" and self._oldest and late and late < self._oldest:
                continue
            if self._latest and early and early > self._latest:
                continue
            if self._recognised(record, late):
                continue
            if slot == "deleted" and not record.get(DELETED_AT):
                record[DELETED_AT] = record.get("archivedAt") or self._began
            yield record

    def _pages(self, slot: str) -> Iterator[Page]:
        since = self.since or (moment.EPOCH if slot == "changes" else None)
        parts = getattr(getattr(self.resource, slot), "parts", None)
        query = Query(
            self.fields,
            since,
            self.until,
            self.cursor,
            encoder=self.encoder,
            parts=not (self.whole and parts and parts.read),  # what a search shows late would never come
        )
        pages = self.client.read(self.resource, query, slot=slot)
        if self.cursor is None:
            return pages
        try:
            first = next(pages, None)
        except (
            Refused,
            NotFound,
            ForeignHost,
            PagingError,
            LookupError,
            TypeError,
        ) as error:  # expired, or of an older release
            log.warning(
                "%s: the place where the last run stopped is gone (%s); reading anew", self.resource.name, error
            )
            return self.client.read(self.resource, replace(query, cursor=None), slot=slot)
        return chain([first] if first else [], pages)

    def _times(self, slot: str, record: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
        """Return the earliest and the latest moment at which *record* may have been changed (deleted): a date is a whole day."""
        if self.whole:
            return None, None
        value = (
            record.get(DELETED_AT) or record.get("archivedAt")
            if slot == "deleted"
            else record.get(self.resource.updated)
        )
        return self._span(value)

    @staticmethod
    def _span(value: Any) -> tuple[datetime | None, datetime | None]:
        if value is None:
            return None, None
        try:
            at = moment.parse(value)
        except (ValueError, OverflowError):
            return None, None
        return at, at + _DAY if isinstance(value, str) and len(value) == len("2026-01-31") else at

    def _recognised(self, record: Record, at: datetime | None) -> bool:
        """Return whether *record* was sent before and has not changed; remember it where it may be read once more."""
        again = self.marks is not None and at is not None and self._window is not None and at >= self._window
        if self.whole or not (again or self.before.seen):
            return False
        found = mark(record)
        if again and self.marks is not None:
            self.marks.add(found)
            if len(self.marks) > MOST_MARKS:
                self.marks = None
        return found in self.before.seen

    # Where it ends

    def _aim(self, told: str | None) -> None:
        """Set the bookmark that will be left: what the server *told*, or our clock; not later than ``end``, never going back."""
        goal = told or self._began
        try:
            at = moment.parse(goal)
            if self._latest and at > self._latest:
                goal, at = str(self.until), self._latest
            if self.value and at < moment.parse(self.value):
                goal, at = self.value, moment.parse(self.value)
        except ValueError:
            raise BadReply(f'{self.client.api.name}: reading {self.resource.name} -> "{goal}" is no time') from None
        self.goal, self._window = goal, at - self.lookback

    def _keep(self, slot: str) -> None:
        if not self.goal:  # there was no page at all
            self._aim(None)
        reading, before = Reading(slot, self.since, self.until, self.cursor, self.goal), self.before
        self.keep(Bookmark(before.key, before.value, before.seen, reading))

    def _complete(self) -> Bookmark:
        if self.whole:
            return replace(self.before, reading=None)
        if not self.goal:
            self._aim(None)
        return Bookmark(self.resource.updated, self.goal, frozenset(self.marks or ()))
