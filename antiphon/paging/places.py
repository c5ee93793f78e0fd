"""Pages by place: by number, or by how many records are before them.

Records that come or go while such a list is walked shift all that follow, and one that shifts to a page that was read is
missed. So each page is asked for with the last row of the one before: where that row is not there, the walk goes back until it
meets rows that it knows (:mod:`antiphon.pages` recognises them by their key). A page that holds nothing new may be
the last, or a short one: what follows is asked for without it, and if there is anything, the two are looked at together once more.
Where pages are short that are not the last, it cannot be seen that a row before them went just between these two. Nor can a shift between
rows that no page shows together: pages by offset that hold one row, and pages by number at the multiples of all sizes up to
that of the largest page (12 where it has 4 rows, 2,520 where it has 9).
What it needs is an order that stays the same, by a key or by when records were made: ask for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.api import Reply, Request
from antiphon.bounds import Count, Place, Status
from antiphon.fill import look
from antiphon.paging.asked import put_in, reached, sized

_BACK = 10
"""Rows by which a walk goes back that does not know where it is; each time twice as many."""


@dataclass(frozen=True)
class Offset:
    """Pages by the number of records before them. They end at an empty page, or at *total* records."""

    param: str = "offset"
    """The parameter that takes the number."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size."""
    total: str = ""
    """Where in the reply the number of all records is."""
    start: Place = 0
    """What the first record's number is: 0, or 1 (SCIM's ``startIndex``)."""
    overlap: bool = True
    """Whether each page begins with the last record of the one before. No: the list does not change while it is read."""
    by_size: bool = False
    """Whether to go on by the size that was asked for, whatever came: the API leaves records out of its pages. They do not overlap."""
    short_is_last: bool = False
    """Whether a page with fewer records than were asked for is surely the last."""
    past_end: tuple[Status, ...] = ()
    """Statuses that mean that there is no such page any more."""

    def first(self) -> Any:
        """Return no records before the first page."""
        return {"offset": 0}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the offset in."""
        put_in(request, self.param, cursor["offset"] + self.start)
        return sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Count what came."""
        came = len(records)
        if not came or (self.short_is_last and self.size and came < self.size[1]):
            return None
        by_size = self.size[1] if self.by_size and self.size else 0
        end = cursor["offset"] + (by_size or came)
        if self.total and reached(end, look(reply.json(), self.total)):
            return None
        if came == 1 and cursor.get("overlap"):
            return {"offset": end} if cursor.get("again") else {"offset": end, "alone": True}
        if self.overlap and not by_size and max(came, self.size[1] if self.size else 0) > 1:
            return {"offset": end - 1, "overlap": True}
        return {"offset": end}

    @property
    def ends(self) -> bool:
        """Whether it is told beforehand where the list ends."""
        return bool(self.total)

    def expected(self, cursor: Any, reply: Reply, came: int) -> Any:
        """Return the cursor after *cursor* if that page is as full as the last, of which *reply* tells and so many records *came*.

        None after a single record: it looks like the end.
        """
        return self.following(cursor, reply, range(came)) if came > 1 else None

    def back(self, cursor: Any, came: int) -> Any:  # noqa: ARG002
        """Return a cursor further back, for the page at *cursor* has no row that is known."""
        if cursor.get("alone"):
            return {"offset": cursor["offset"] - 1, "overlap": True, "again": True}
        by = 2 * cursor.get("back", _BACK // 2)
        offset = max(0, cursor["offset"] - by)
        return {"offset": offset, "overlap": True, "back": by} if offset else {"offset": 0, "begin": True}


@dataclass(frozen=True)
class Page:
    """Pages by number. They end at an empty page, or at the number of pages that the reply gives at *pages*.

    Where ``size`` is given, pages overlap: of 100 records, then the second 99, and so on with a size that makes
    a page begin with a record that is known.
    """

    param: str = "page"
    """The parameter that takes the number."""
    start: Place = 1
    """The number of the first page."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size, the largest that is asked for."""
    pages: str = ""
    """Where in the reply the number of all pages is."""
    overlap: bool = True
    """Whether pages overlap. No: the list does not change while it is read, or the API takes certain sizes only."""
    short_is_last: bool = False
    """Whether a page with fewer records than were asked for is surely the last."""
    past_end: tuple[Status, ...] = ()
    """Statuses that mean that there is no such page (any more): many an API answers 404 to a page after the last."""

    def first(self) -> Any:
        """Return the number of the first page."""
        return {"page": self.start}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the number in."""
        put_in(request, self.param, cursor["page"])
        if self.size:
            put_in(request, self.size[0], cursor.get("size", self.size[1]))
        return request

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the next number, and the size by which it overlaps."""
        came, number = len(records), cursor["page"] - self.start
        size = cursor.get("size", self.size[1] if self.size else 0)
        if not came or (self.short_is_last and came < size):
            return None
        if self.pages and reached(number + 1, look(reply.json(), self.pages)):
            return None
        if not self.overlap or not self.size or cursor.get("plain"):
            return {**cursor, "page": cursor["page"] + 1}
        if came > size:
            return self._plain(number * came + came, came)
        largest, end = max(cursor.get("most", 0), came), number * size + came
        if came < size and end <= cursor.get("at", 0):  # nothing that is new
            return {**self._window(end, 1), "most": largest, "alone": True}
        return {**self._window(end, largest), "most": largest}

    @property
    def ends(self) -> bool:
        """Whether it is told beforehand where the list ends."""
        return bool(self.pages)

    def expected(self, cursor: Any, reply: Reply, came: int) -> Any:
        """Return the cursor after *cursor* if that page is full, as the last was, of which *reply* tells and so many records *came*.

        None after a single record: it looks like the end.
        """
        return self.following(cursor, reply, range(cursor.get("size", came))) if came > 1 else None

    def back(self, cursor: Any, came: int) -> Any:
        """Return a cursor further back, for the page at *cursor* has no row that is known.

        A size is asked for that is smaller than what came: an API that does not heed it shows that by what comes.
        """
        place, most = cursor["at"], cursor["most"]
        if came > cursor["size"]:
            return self._plain(place, came)
        if cursor.get("alone"):
            return {**self._window(place, most), "most": most}
        by = 2 * cursor.get("back", _BACK // 2)
        less, further = max(1, most - 1), max(0, place - by)
        while further and not self._window(further, less).get("overlap"):
            further -= 1
        found = self._window(further, less) if further else {"page": self.start, "size": less, "begin": True}
        return {**found, "most": most, "back": by}

    def _plain(self, place: int, size: int) -> Any:
        """Return the page of *size* records that holds the one at *place*: the API does not heed what size is asked for."""
        return {"page": self.start + place // size, "size": size, "plain": True}

    def _window(self, place: int, most: int) -> Any:
        """Return the page that reaches furthest beyond *place*, has at most so many records, and the one before *place*."""
        if place == 0:
            return self.first()
        ends = (((place - 1) // size + 1) * size for size in range(most, most // 2, -1))
        end, size = max(zip(ends, range(most, most // 2, -1), strict=True), default=(0, 1))
        if end > place:
            return {"page": self.start + end // size - 1, "size": size, "at": place, "overlap": True}
        return {"page": self.start + place // most, "size": most, "at": place}
