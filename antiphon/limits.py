"""The rate limit of a connection: waits so that no window of time holds more calls than the API allows.

The server counts a call somewhen between the moment it is sent and the moment its answer begins. So it has its place in the limit from
before it is sent until a whole window after its answer: nothing less is safe, and nothing more is taken. What the server's headers say
raises or lowers the declared limit, and shows the calls of others, for which we leave room. All processes that speak to one account share it, see :mod:`antiphon.budget`.

Where lists are read side by side, one that goes a page at a time needs room all the while: what it waits for, nothing can make up for
later. If others took all there is at once, it would have none until a window later. So as long as it is read those that can have several
calls under way spread theirs, and let it go first.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from antiphon.api import RateLimit
from antiphon.budget import Budget

_SOON = 0.01
"""Seconds after which to look again where only an answer can make room."""
_AGAIN = 0.1
"""Seconds after which to look again where calls are spread for the sake of others: they may be done."""
_SHORT = 10.0
"""Seconds of the longest window over which calls are spread: who spreads those of an hour makes wait what the limit has room for."""
_SPREAD = 10
"""In so many parts of a window calls are spread: in each as many as in any other."""
_PAUSED = 1.0
"""Seconds after a page for which it is thought that its list is asked for the next one at any moment."""


class Singly:
    """A list that goes a page at a time, and whether it is asked for one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin to ask."""
        self._clock = clock
        self._given: float | None = None

    def given(self) -> None:
        """Have a page."""
        self._given = self._clock()

    def asked(self) -> None:
        """Ask for the next one."""
        self._given = None

    def asks(self) -> bool:
        """Return whether it waits for a page, or has not had its last one for long."""
        given = self._given
        return given is None or self._clock() - given < _PAUSED


class _Window:
    """One limit: at most ``calls`` in any ``seconds``."""

    def __init__(self, number: int, limit: RateLimit, share: float, budget: Budget) -> None:
        self.number, self.share, self.budget = number, share, budget
        self.paths, self.headers = limit.paths, limit.headers
        self.waiting = 0
        """Calls of lists that go a page at a time which wait for it."""
        self._spread: deque[float] = deque(maxlen=1)
        """When the last calls that were spread began, as many as a part of the window holds."""
        self.allow(limit.calls, limit.seconds)

    def allow(self, calls: float, seconds: float) -> None:
        mine = calls * self.share
        self.calls = min(max(1, int(mine)), self.budget.sizes[self.number])
        self.seconds = seconds / min(1.0, mine)  # less than one call in a window is one in a longer window
        self.whole = calls, seconds
        part = math.ceil(self.calls / _SPREAD) if self.calls >= _SPREAD and self.seconds <= _SHORT else 0
        self._spread = deque(self._spread, maxlen=part)

    def wait(self, now: float, *, spread: bool = False) -> float:
        """Return the seconds until one more call fits, of those that are *spread* if it is one; 0 or less when it fits now."""
        told = self.budget.told(self.number)
        if told != self.whole and told[0]:  # another process has heard of it
            self.allow(*told)
        spare = self.calls - self.budget.under_way(self.number)
        if spare <= 0:  # all of them are under way: their answers will tell
            return _SOON
        before = self.budget.answered(self.number, spare)
        wait = 0.0 if before is None or before > now else before + self.seconds - now
        if spread and self._spread and len(self._spread) == self._spread.maxlen:
            wait = max(wait, self._spread[0] + self.seconds / _SPREAD - now)
        return max(wait, _SOON) if spread and self.waiting else wait

    def begin(self, now: float, *, spread: bool) -> None:
        """Count a call that begins."""
        self.budget.begin(self.number, now)
        if spread:
            self._spread.append(now)

    def heed(self, headers: Mapping[str, str], sent: float, now: float) -> None:
        names = self.headers
        if not names:
            return
        limit, interval = _number(headers.get(names.limit)), _number(headers.get(names.interval))
        if limit or interval:
            calls, seconds = self.whole
            told = limit or calls, interval / 1000 if interval else seconds
            self.budget.tell(self.number, *told)
            if told != self.whole:
                self.allow(*told)
        left = _number(headers.get(names.remaining))
        if limit and left is not None and left < limit:
            others = int(limit - left) - self.budget.since(self.number, sent - self.seconds)
            self.budget.add(self.number, min(others, self.calls), now)  # calls of others: as late as they can have been


class Limiter:
    """All the limits of one connection. Safe to use from several threads."""

    def __init__(
        self,
        limits: Sequence[RateLimit],
        share: float = 1.0,
        *,
        paths: Sequence[Path] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use *share* (above 0, up to 1) of each of the *limits*, together with all who have the first file of *paths* that can be used."""
        self._budget = Budget([limit.calls for limit in limits], paths if limits else ())
        self._windows = [_Window(n, limit, share, self._budget) for n, limit in enumerate(limits)]
        self._clock = clock
        self._sleep = sleep
        self._lists: set[Singly] = set()
        self._lock = threading.RLock()  # a list that nobody wants may end while another begins, in one thread
        self._here = threading.local()

    @contextmanager
    def singly(self) -> Iterator[Singly]:
        """Read a list that goes a page at a time: while it asks for them the calls of :meth:`spread` are spread."""
        one = Singly(self._clock)
        with self._lock:
            self._lists.add(one)
        try:
            yield one
        finally:
            with self._lock:
                self._lists.discard(one)

    @contextmanager
    def spread(self) -> Iterator[None]:
        """Make calls, in this thread, that let those of lists that go a page at a time go first."""
        self._here.spread = True
        try:
            yield
        finally:
            self._here.spread = False

    def acquire(self, url: str) -> float:
        """Wait until a call to *url* fits into every limit that applies to it; return when it did."""
        windows, full = self._applying(url), list[_Window]()
        while True:
            spread = getattr(self._here, "spread", False) and self._asked()
            with self._budget as budget:
                now = self._clock()
                for window in full:
                    window.waiting -= 1
                waits = [window.wait(now, spread=spread) for window in windows]
                if max(waits, default=0.0) > 0 and budget.bury(now):
                    waits = [window.wait(now, spread=spread) for window in windows]
                wait = max(waits, default=0.0)
                if wait <= 0:
                    for window in windows:
                        window.begin(now, spread=spread)
                    return now
                full = [] if spread else [window for window, each in zip(windows, waits, strict=True) if each > 0]
                for window in full:
                    window.waiting += 1
            try:
                self._sleep(min(wait, _AGAIN) if spread else wait)
            except BaseException:  # one that is given up waits for nothing
                with self._budget:
                    for window in full:
                        window.waiting -= 1
                raise

    def _asked(self) -> bool:
        """Return whether any list that goes a page at a time asks for one."""
        with self._lock:
            return any(one.asks() for one in self._lists)

    def release(self, url: str, headers: Mapping[str, str], sent: float) -> None:
        """Count the call to *url* that :meth:`acquire` let through at *sent*, and heed what the server said of the limit."""
        windows = self._applying(url)
        with self._budget as budget:
            now = self._clock()
            for window in windows:
                budget.end(window.number, now)
                window.heed(headers, sent, now)

    def _applying(self, url: str) -> list[_Window]:
        path = url.partition("?")[0].partition("#")[0]
        return [window for window in self._windows if not window.paths or path.endswith(window.paths)]


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
