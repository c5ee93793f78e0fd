"""Which STATE is due: the newest of which every record that came before it is accounted for."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

_PENDING = 256
"""STATEs that wait, at most."""


class States:
    """The STATEs that wait, and how many records of each stream have come and are accounted for, each in their order."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self.received: Counter[str] = Counter()
        self.any = False
        """Whether there was a STATE at all."""
        self.uncovered = False
        """Whether records are accounted for that no STATE covers which was due."""
        self._accounted: Counter[str] = Counter()
        self._waiting: deque[tuple[Any, dict[str, int]]] = deque()

    def add(self, value: Any) -> None:
        """Keep a STATE until all that came before it is accounted for."""
        self.any = True
        received = dict(self.received)
        if self._waiting and self._waiting[-1][1] == received:
            self._waiting.pop()
        self._waiting.append((value, received))
        if len(self._waiting) > _PENDING:  # every other one will do, and the newest always
            self._waiting = deque([state for n, state in enumerate(reversed(self._waiting)) if n % 2 == 0][::-1])

    def account(self, stream: str, number: int) -> None:
        """Count the next so many records of *stream* as accounted for."""
        self._accounted[stream] += number
        self.uncovered = True

    def due(self) -> tuple[Any, dict[str, int]] | None:
        """Return the STATE that is due, and how many records of each stream it covers; each is due once."""
        due = None
        while self._waiting and all(self._accounted[stream] >= n for stream, n in self._waiting[0][1].items()):
            due = self._waiting.popleft()
        if due:
            self.uncovered = any(n > due[1].get(stream, 0) for stream, n in self._accounted.items())
        return due
