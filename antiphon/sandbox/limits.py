"""Rolling rate limits: so many calls in any window of so many seconds."""

from __future__ import annotations

import time
from collections import deque


def parse_limit(text: str) -> tuple[int, float]:
    """`190/10` as (calls, seconds). Raises ValueError with what would have been right."""
    calls, slash, seconds = text.partition("/")
    try:
        limit = int(calls), float(seconds) if slash else 0.0
    except ValueError:
        limit = 0, 0.0
    if limit[0] < 1 or limit[1] <= 0:
        msg = f"limit {text!r} is not CALLS/SECONDS, such as 190/10"
        raise ValueError(msg)
    return limit


class RollingLimit:
    """Admits at most `calls` in any `seconds`. Refused calls do not count against the window."""

    def __init__(self, calls: int, seconds: float) -> None:
        if calls < 1 or seconds <= 0:
            msg = f"a limit needs at least one call in some time, not {calls} in {seconds} s"
            raise ValueError(msg)
        self.calls = calls
        self.seconds = seconds
        self._admitted: deque[float] = deque()

    def admit(self) -> bool:
        """Whether one more call fits now; if so it is counted."""
        now = time.monotonic()
        while self._admitted and self._admitted[0] <= now - self.seconds:
            self._admitted.popleft()
        if len(self._admitted) >= self.calls:
            return False
        self._admitted.append(now)
        return True

    @property
    def remaining(self) -> int:
        """How many calls the window had room for when last asked."""
        return self.calls - len(self._admitted)
