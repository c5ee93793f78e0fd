"""One long list read in several parts at once: ranges of its key, each walked by itself, as many as there are lanes for.

A walk begins as it would alone. As soon as there is a free lane and the list goes on, what is left of it is parted at a key, and
what lies behind is a walk of its own: at most :data:`_MOST` pages away, as far apart as keys lie there, so that neither gaps
nor crowds of keys cost a call each. A part ends where the next one begins; what it was given beyond that is left out.

Pages come as they arrive, those of each part in its order. A cursor says where each part goes on after the pages that were
yielded before: ``{"parts": [{"at": …, "last": key, "upto": key}, …]}``. What has wholly been yielded is in it no more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon.ahead import Later
from antiphon.api import Page, Query, Read, Reply, Resource
from antiphon.asking import asked, request, rows
from antiphon.fill import MISSING, look
from antiphon.pages import only, pages

if TYPE_CHECKING:
    from antiphon.api import Parts
    from antiphon.client import Client

_MOST = 32
"""Pages that a part keeps for itself when it is parted. Each parting may cost a call more than a walk alone."""
_LEAST = 4
"""Pages; what is not longer is not parted."""
_FIRST = 3
"""Pages that come before a list is parted: one that ends sooner costs no call more."""
_SLOW = 8
"""So many times as long as any other part is the list itself before it is parted once more, a fourth of it: nobody can help it on
later. Half, where it has few pages left."""


@dataclass
class _Part:
    """A range of keys, as numbers: after ``last`` (None: not known yet), up to ``upto`` (None: all there are)."""

    at: Any
    last: int | None = None
    upto: int | None = None
    listed: bool = False
    """Whether it is the list itself, where parts are read by a search."""
    count: int | None = None
    """Records that came of it since the list's beginning; None where that is not known, or the list has another order than the
    key: then it is read to its end."""
    span: int = 0
    """How far the keys of its last page lie apart; 0 before there was one: its first may show a gap. Nothing is parted then."""
    pages: Iterator[Page] | None = None
    coming: Later[Page | None] | None = None


class InParts:
    """One walk through the list *read*, in parts."""

    def __init__(
        self,
        client: Client,
        read: Read,
        parts: Parts,
        resource: Resource,
        query: Query,
        doing: str,
        values: Mapping[str, Any],
    ) -> None:
        """Prepare; nothing is asked yet. *values* are more that placeholders may name."""
        self._client, self._resource, self._query, self._doing = client, resource, query, doing
        self._values = values
        self._list, self._by, self._how = read, parts.read or read, parts
        self._keys = _Keys(parts)
        self._arrived = threading.Event()
        self._came = 0
        self._own: Later[Page | None] | None = None
        """What is fetched in the lane that each walk has."""
        self._top: int | None = None
        """The highest key there was when it was asked for."""
        self._parts = self._begin(query.cursor)

    def pages(self) -> Iterator[Page]:
        """Yield the pages, in any order.

        Raises:
            PagingError: a cursor came twice.
            BadReply: there are no records where the description says.
        """
        while self._parts:
            self._arrived.clear()
            self._go_on()
            part = next((one for one in self._parts if one.coming and one.coming.ready), None)
            if part is None or part.coming is None:
                self._arrived.wait()
                continue
            page, part.coming = part.coming.result(), None
            if page is None:
                self._parts.remove(part)
                continue
            self._take(part, page)
            self._go_on()
            page.cursor = self._cursor()
            yield page

    # Where the parts are

    def _begin(self, cursor: Any) -> list[_Part]:
        if isinstance(cursor, Mapping) and "parts" in cursor:
            number = self._keys.number
            return [
                _Part(one["at"], number(one["last"]), number(one["upto"]), "count" in one, one.get("count"))
                for one in cursor["parts"]
            ]
        listed = self._how.read is not None
        return [_Part(cursor, listed=listed, count=0 if listed and cursor is None else None)]

    def _cursor(self) -> Any:
        """Return where all parts go on: as a walk alone would have it, where one part is all the rest."""
        if not self._parts:
            return None
        [first, *more] = self._parts
        if not more and first.upto is None and first.listed == (self._how.read is not None) and first.count is None:
            return first.at
        key = self._keys.key
        return {
            "parts": [
                {"at": one.at, "last": key(one.last), "upto": key(one.upto)}
                | ({"count": one.count} if one.listed else {})
                for one in self._parts
            ]
        }

    # On the way

    def _go_on(self) -> None:
        """Have the next page of each part fetched, and part the list further, as far as there are lanes for it."""
        for part in self._parts:
            if part.coming is None:
                self._fetch(part)
        while self._parts and self._came >= _FIRST and all(part.coming for part in self._parts) and self._split():
            pass

    def _fetch(self, part: _Part) -> bool:
        """Have the next page of *part* fetched; return whether there was a lane for it, or the one that each walk has."""
        if part.pages is None:
            read = self._list if part.listed else self._by
            query = replace(self._query, cursor=part.at, parts=False)
            part.pages = pages(self._client, read, self._resource, query, self._doing, self._values)
        make = partial(self._next, part.pages)
        if self._has_own(part):
            part.coming = self._own = Later(make, self._arrived.set)
        else:
            part.coming = self._client.lanes.later(make, self._arrived.set)
        return part.coming is not None

    def _next(self, found: Iterator[Page]) -> Page | None:
        with self._client.http.limiter.spread():
            return next(found, None)

    def _has_own(self, part: _Part | None = None) -> bool:
        """Return whether the lane that each walk has is there for *part*, or for a new one; it is the list's, while that is read."""
        if any(one.listed for one in self._parts):
            return part is not None and part.listed
        return self._own is None or self._own.ready

    def _split(self) -> bool:
        """Part what takes longest; return whether there was something to part, and a lane."""
        if not (self._has_own() or self._client.lanes.free) or not all(part.span for part in self._parts):
            return False
        if self._top is None:
            self._top = self._highest()
        longest = [part for part in self._parts if self._left(part) > _LEAST]
        part = max(longest, key=lambda one: self._left(one) / (_SLOW if one.listed else 1), default=None)
        if part is None or part.last is None:
            return False
        rest = self._end(part) - part.last
        if part.listed:
            middle = self._end(part) - rest // (2 if self._left(part) < 2 * _SLOW else 4)
        else:
            middle = part.last + min(rest // 2, _MOST * part.span)
        made = _Part(self._keyset.after(self._keys.key(middle)), middle, part.upto)
        if not self._fetch(made):
            return False
        part.upto = middle
        self._parts.insert(self._parts.index(part) + 1, made)
        return True

    def _end(self, part: _Part) -> int:
        return part.upto if part.upto is not None else self._top or 0

    def _left(self, part: _Part) -> float:
        """Return how many pages *part* still has, if keys go on to lie as far apart as in its last; 0 if it cannot be parted."""
        if part.last is None or not part.span or (part.listed and part.count is None):
            return 0
        return (self._end(part) - part.last) / part.span

    def _take(self, part: _Part, page: Page) -> None:
        """Take a page of *part*: leave out what is not of that part, and see where it ends."""
        self._came += 1
        keys = self._numbers(page)
        known = [key for key in keys if key is not None]
        upto = part.upto
        if upto is not None and known and max(known) > upto:
            _keep(page, [place for place, key in enumerate(keys) if key is None or key <= upto])
        if part.count is not None:
            rising = part.last is None or not known or min(known) > part.last
            part.count = part.count + sum(upto is None or key <= upto for key in known) if rising else None
        if known:
            part.span = max(1, max(known) - min(known))
            part.last = max(known) if part.last is None else max(part.last, *known)
        part.at = page.cursor
        over = upto is not None and part.last is not None and part.last >= upto
        if page.cursor is None or (over and (not part.listed or self._complete(part))):
            self._parts.remove(part)

    def _numbers(self, page: Page) -> list[int | None]:
        """Return the keys of the records of *page*."""
        if page.written:
            return [self._keys.number(key) for key in page.written.keys]
        [key] = self._resource.key
        return [self._keys.number(record.get(key)) for record in page.records]

    # What is asked besides

    @property
    def _keyset(self) -> Any:
        return self._by.paging

    def _highest(self) -> int:
        """Ask for the highest key."""
        reply = self._last(self._how.upto)
        found = rows(self._client, self._how.last, reply, self._doing)
        return max((self._keys.number(look(row, self._keyset.key)) or 0 for row in found), default=0)

    def _complete(self, part: _Part) -> bool:
        """Return whether as many records of the list came as there are up to where *part* ends: else it has another order."""
        if part.count is None:
            return False
        total = str(look(self._last(self._keys.key(part.upto)).json(), self._how.total))
        return total.isdecimal() and part.count >= int(total)

    def _last(self, upto: Any) -> Reply:
        read = self._how.last
        values = {**self._client.settings, **asked(self._client, read, self._resource, self._query), **self._values}
        made = request(read, {**values, "upto": MISSING if upto is None else upto}, {}, doubled=self._client.doubled)
        return self._client.http.send(made, self._doing)


class _Keys:
    """The keys of a list as numbers, in their order."""

    def __init__(self, how: Parts) -> None:
        self._digits, self._width = how.digits, how.width
        self._values = {digit: value for value, digit in enumerate(how.digits)}
        self._texts = False

    def number(self, key: Any) -> int | None:
        """Return *key* as a number; None where it is none."""
        if key is None or isinstance(key, int):
            return key
        self._texts = True
        number = 0
        for digit in str(key)[: self._width or None]:
            if digit not in self._values:
                return None
            number = number * len(self._digits) + self._values[digit]
        return number

    def key(self, number: int | None) -> Any:
        """Return a *number* as the key that it is."""
        if number is None or not self._texts:
            return number
        text = ""
        while number:
            number, digit = divmod(number, len(self._digits))
            text = self._digits[digit] + text
        return text.rjust(max(1, self._width), self._digits[0])


def _keep(page: Page, places: Sequence[int]) -> None:
    """Keep of the records of *page* those at these *places*."""
    if page.written and page.shaped:
        page.written, page.shaped = only(page.written, page.shaped, places)
    else:
        records = page.records
        page.rows = [records[place] for place in places]
