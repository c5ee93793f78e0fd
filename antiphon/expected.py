"""Pages asked for before the one before them has come: those of a list by place or by time, whose names can be told beforehand.

What is expected is that pages are as full as the last one. The requests are made in free lanes, and their answers wait until
the walk comes to them; a walk that goes another way forgets them. Nothing else changes: each page is looked at in its turn, as
if it had been asked for then. Where it is told how many there are, no call is made in vain; elsewhere few, and the fewer the
shorter the list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon.ahead import Later
from antiphon.api import Reply, Request

if TYPE_CHECKING:
    from antiphon.client import Client


class Expected:
    """The answers that one walk with *paging* expects to need."""

    def __init__(self, client: Client, paging: Any, doing: str) -> None:
        """Expect nothing yet."""
        self._client, self._doing = client, doing
        self._next: Callable[[Any, Reply, int], Any] | None = getattr(paging, "expected", None)
        self._told = bool(getattr(paging, "ends", False))
        self._last: tuple[Reply, int] | None = None
        self._pages = 0
        """Pages that came as they were expected, or while nothing was."""
        self._coming: dict[str, Later[Reply]] = {}
        self._own: Later[Reply] | None = None
        """What is asked for in the lane that each walk has."""
        self._busy = False
        """Whether the walk itself waits for an answer in that lane."""

    def came(self, reply: Reply, records: int) -> None:
        """Take note of a page that came, with so many *records*."""
        if self._next:
            self._last, self._pages = (reply, records), self._pages + 1

    def answer(self, cursor: Any, made: Callable[[Any], Request]) -> Reply:
        """Return the answer to the request that is *made* for *cursor*, and have those asked for that are expected after it.

        Raises:
            ApiError: the API says no to this one.
        """
        request = made(cursor)
        if not self._next or not self._last or not self._client.lanes.most:
            return self._client.http.send(request, self._doing)
        expected = self._coming.pop(_name(request), None)
        if expected is None and self._coming:  # not the way that was expected
            self._coming, self._pages = {}, 0
        self._busy = expected is None
        self._ask(cursor, made, *self._last)
        return expected.result() if expected else self._client.http.send(request, self._doing)

    def _ask(self, cursor: Any, made: Callable[[Any], Request], reply: Reply, records: int) -> None:
        most = self._client.lanes.most
        for _ in range(most if self._told else min(most, self._pages // 2)):
            cursor = self._next(cursor, reply, records) if self._next else None
            if cursor is None:
                return
            request = made(cursor)
            name = _name(request)
            if name not in self._coming:
                later = self._begin(partial(self._client.http.send, request, self._doing))
                if later is None:
                    return
                self._coming[name] = later

    def _begin(self, send: Callable[[], Reply]) -> Later[Reply] | None:
        """Have a request sent in the lane that each walk has, unless it is busy, or in one of the others, or not."""
        if self._busy or (self._own and not self._own.ready):
            return self._client.lanes.later(send)
        self._own = Later(send)
        return self._own


def _name(request: Request) -> str:
    return repr((request.method, request.url, request.params, request.headers, request.body))
