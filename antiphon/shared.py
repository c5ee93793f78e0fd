"""Lists that several readers walk side by side: each page is asked for once, and all of them are given it.

The last pages are kept for those who are behind. Who is further behind, or begins elsewhere, walks alone. Who begins is given none that is old:
a list that somebody has left open is walked anew.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from antiphon.api import Page

Make = Callable[[Any], Iterator[Page]]
"""Returns the pages of a list from a cursor on."""
_KEPT = 32
"""Pages."""
_FRESH = 60.0
"""Seconds for which a page is given to those who begin."""


class Shared:
    """The lists that are being walked."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.RLock()  # a walk may be left while another is joined in the same thread
        self._walks: dict[Hashable, _Walk] = {}

    def pages(self, name: Hashable, cursor: Any, make: Make) -> Iterator[Page]:
        """Yield the pages from *cursor* on of the list that goes by this *name*; *make* is how it is walked.

        The records are those of all readers: nobody is to change them.
        """
        walk, place = self._joined(name, cursor, make)
        try:
            while (page := walk.page(place)) is not None:
                yield page
                place, cursor = place + 1, page.cursor
                if cursor is None:  # it was the last
                    return
            alone = not walk.ended(place)
        finally:
            self._leave(name, walk)
        if alone:
            yield from make(cursor)

    def _joined(self, name: Hashable, cursor: Any, make: Make) -> tuple[_Walk, int]:
        """Return the walk through that list and the place of *cursor* in it; a new one, where there is none that has it."""
        with self._lock:
            walk = self._walks.get(name)
            place = walk.place(cursor) if walk else None
            if walk is None or place is None:
                if walk:
                    walk.release()
                walk, place = _Walk(cursor, make(cursor)), 0
                self._walks[name] = walk
            walk.readers += 1
            return walk, place

    def _leave(self, name: Hashable, walk: _Walk) -> None:
        with self._lock:
            walk.readers -= 1
            if not walk.readers and self._walks.get(name) is walk:
                del self._walks[name]


class _Walk:
    """One walk through a list, and the last of its pages."""

    def __init__(self, cursor: Any, pages: Iterator[Page]) -> None:
        self.readers = 0
        self._pages = pages
        self._lock = threading.Lock()
        self._begins: tuple[int, tuple[tuple[Any, float], ...]] = 0, ((cursor, math.inf),)
        """The number of the first page that is kept, and where it begins and when it came, and all after it, with the one that comes next, if one does."""
        self._kept: deque[Page] = deque(maxlen=_KEPT)
        self._over = self._broken = False

    def place(self, cursor: Any) -> int | None:
        """Return the number of the page that begins at *cursor*, if it can still be given. Does not wait."""
        first, begins = self._begins
        oldest = time.monotonic() - _FRESH
        fresh = (number for number, (begin, came) in enumerate(begins, first) if begin == cursor and came > oldest)
        return None if self._broken else next(fresh, None)

    def release(self) -> None:
        """Let go the pages that are kept for those who are behind, if all of them are old and none is being asked for."""
        if self._lock.acquire(blocking=False):
            first, begins = self._begins
            kept = len(self._kept)
            if kept and begins[kept - 1][1] <= time.monotonic() - _FRESH:
                self._begins = first + kept, begins[kept:]
                self._kept.clear()
            self._lock.release()

    def page(self, number: int) -> Page | None:
        """Return the page with that *number*; None where there is none, or none to be given."""
        with self._lock:
            first, begins = self._begins
            if first <= number < first + len(self._kept):
                return self._kept[number - first]
            if number < first or self._over or self._broken:
                return None
            try:
                page = next(self._pages, None)
            except BaseException:
                self._broken = True  # who asked is told; the others meet it by themselves, or do not
                raise
            if page is None:
                self._over = True
                return None
            page.rows = page.records
            full = len(self._kept) == _KEPT
            self._kept.append(page)
            following = () if page.cursor is None else ((page.cursor, math.inf),)  # with None another one begins
            self._begins = first + full, (*begins[full:-1], (begins[-1][0], time.monotonic()), *following)
            return page

    def ended(self, number: int) -> bool:
        """Return whether the list ended before the page with that *number*."""
        return self._over and number == self._begins[0] + len(self._kept)
