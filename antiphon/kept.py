"""Things that are remembered for a while: at most so many of them, each for so long."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Thing = TypeVar("Thing")


class Kept(Generic[Key, Thing]):
    """Up to *most* things by their keys, each for *seconds*; the oldest go first. Safe to use from several threads."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet."""
        self._most, self._seconds, self._clock = most, seconds, clock
        self._things: OrderedDict[Key, tuple[float, Thing]] = OrderedDict()  # its first goes quickly
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many there are, those included whose time is over."""
        return len(self._things)

    def get(self, key: Key) -> Thing | None:
        """Return the thing of that key; None where there is none any more."""
        at, thing = self._things.get(key, (0.0, None))
        return None if thing is None or self._clock() - at > self._seconds else thing

    def put(self, key: Key, thing: Thing) -> None:
        """Remember *thing*, as of now."""
        with self._lock:
            self._things[key] = self._clock(), thing
            self._things.move_to_end(key)
            if len(self._things) > self._most:
                self._things.popitem(last=False)

    def drop(self, key: Key) -> None:
        """Forget the thing of that key."""
        with self._lock:
            self._things.pop(key, None)
