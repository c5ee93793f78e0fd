"""The rate limit of a connection: waits so that no window of time holds more calls than the API allows.

A call is counted from when its answer came, never from when it was sent: however long it was under way, the server had
counted it by then. What the server's headers say raises or lowers the declared limit.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from antiphon.api import RateLimit


class _Window:
    """One limit: at most ``calls`` in any ``seconds``."""

    def __init__(self, limit: RateLimit, share: float) -> None:
        self.limit = limit
        self.share = share
        self.allow(limit.calls, limit.seconds)
        self.done: deque[float] = deque()
        self.under_way = 0
        self.closed_until = 0.0

    def allow(self, calls: float, seconds: float) -> None:
        mine = calls * self.share
        self.calls = max(1, int(mine))
        self.seconds = seconds / min(1.0, mine)  # less than one call in a window is one in a longer window
        self.whole = calls, seconds

    def applies(self, path: str) -> bool:
        return not self.limit.paths or path.endswith(self.limit.paths)

    def wait(self, now: float) -> float:
        """Return the seconds until one more call fits; 0 when it fits now."""
        while self.done and self.done[0] <= now - self.seconds:
            self.done.popleft()
        closed = max(0.0, self.closed_until - now)
        spare = self.calls - self.under_way - len(self.done)
        if spare > 0:
            return closed
        if len(self.done) + spare <= 0:  # all of them are under way: their answers will tell
            return max(closed, 0.01)
        return max(closed, self.done[-spare] + self.seconds - now)

    def heed(self, headers: Mapping[str, str], now: float) -> None:
        names = self.limit.headers
        if not names:
            return
        limit, interval = _number(headers.get(names.limit)), _number(headers.get(names.interval))
        if limit or interval:
            calls, seconds = self.whole
            self.allow(limit or calls, interval / 1000 if interval else seconds)
        if limit:
            left = _number(headers.get(names.remaining))
            if left is not None and left <= limit * (1 - self.share):
                self.closed_until = now + self.seconds / 10  # others use the rest: look again in a while


class Limiter:
    """All the limits of one connection. Safe to use from several threads."""

    def __init__(
        self,
        limits: Sequence[RateLimit],
        share: float = 1.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use *share* (above 0, up to 1) of each of the *limits*."""
        self._windows = [_Window(limit, share) for limit in limits]
        self._lock = threading.Lock()
        self._clock = clock
        self._sleep = sleep

    def acquire(self, url: str) -> None:
        """Wait until a call to *url* fits into every limit that applies to it."""
        windows = [w for w in self._windows if w.applies(urlsplit(url).path)]
        while windows:
            with self._lock:
                now = self._clock()
                wait = max(window.wait(now) for window in windows)
                if wait <= 0:
                    for window in windows:
                        window.under_way += 1
                    return
            self._sleep(wait)

    def release(self, url: str, headers: Mapping[str, str]) -> None:
        """Count the call to *url* that :meth:`acquire` let through, and heed what the server said of the limit."""
        with self._lock:
            now = self._clock()
            for window in self._windows:
                if window.applies(urlsplit(url).path):
                    window.under_way -= 1
                    window.done.append(now)
                    window.heed(headers, now)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None
