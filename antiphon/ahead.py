"""Things made ahead: while one is used, the next is being made in a thread of its own; and several such works side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


_WAITS = 0.005
"""Seconds for which the making of a thing has to wait, as for a server, to be worth a thread: to hand over takes time as well."""


class Ahead(Iterator[T], Generic[T]):
    """Yields what *items* yields, in that order; an error is raised when it is its turn.

    What is made without waiting is made by who takes it. The thread does not keep a process from ending. Whoever stops before the end
    calls :meth:`close`.
    """

    def __init__(self, items: Iterator[T], arrived: threading.Event | None = None) -> None:
        """Begin with the first; *arrived* is set each time the thread has made one."""
        self._items = items
        self._made: SimpleQueue[tuple[T | None, BaseException | None, bool]] = SimpleQueue()
        self._wanted = threading.Semaphore(1)
        self._arrived = arrived or threading.Event()
        self._closed = False
        self._ahead = True
        """Whether the next is the thread's to make, or there is none."""
        threading.Thread(target=self._make, name="ahead", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether the next is there or will be at once, or the end, so that nobody has to wait."""
        return not (self._ahead and self._made.empty())

    def __next__(self) -> T:
        """Return the next, and have the one after it made."""
        item, error, waited = self._made.get() if self._ahead else self._one()
        if error is not None:
            self.close()
            self._ahead = True
            self._made.put((None, error, True))  # the end stays the end
            raise error
        self._ahead = waited
        if waited:
            self._wanted.release()
        return item  # type: ignore[return-value]  # None where it is an item

    def close(self) -> None:
        """Make no more."""
        self._closed = True
        self._wanted.release()

    def _make(self) -> None:
        while True:
            self._wanted.acquire()
            if self._closed:
                return
            self._made.put(self._one())
            self._arrived.set()

    def _one(self) -> tuple[T | None, BaseException | None, bool]:
        """Return the next, or the error in its place, and whether it was waited for; the end never is."""
        began, worked = time.monotonic(), time.thread_time()
        try:
            item = next(self._items)
        except BaseException as error:  # noqa: BLE001 - told by the one who waits for it
            return None, error, False
        return item, None, time.monotonic() - began - (time.thread_time() - worked) >= _WAITS


class Later(Generic[T]):
    """What *make* returns, while it is being made in a thread that does not keep a process from ending."""

    def __init__(self, make: Callable[[], T], then: Callable[[], object] = lambda: None) -> None:
        """Begin; *then* is called once it is there."""
        self._told: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self.ready = False
        """Whether it is there, or will not be."""
        threading.Thread(target=self._make, args=(make, then), name="later", daemon=True).start()

    def result(self) -> T:
        """Wait for it and return it, or raise what kept it from being made. To be called once."""
        made, error = self._told.get()
        if error is not None:
            raise error
        return made  # type: ignore[return-value]  # None where that was made

    def _make(self, make: Callable[[], T], then: Callable[[], object]) -> None:
        try:
            self._told.put((make(), None))
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._told.put((None, error))
        self.ready = True
        then()


class Lanes:
    """The requests that may be under way besides the one that each list waits for; all lists of one client share them."""

    def __init__(self, parallel: int = 1) -> None:
        """Let a list that is alone have *parallel* requests under way."""
        self.most = parallel - 1
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def free(self) -> bool:
        """Whether there is one that is free at this moment."""
        return self._taken < self.most

    def later(self, make: Callable[[], T], then: Callable[[], object] = lambda: None) -> Later[T] | None:
        """Have it made, and *then* called; None where no lane is free."""
        with self._lock:
            if not self.free:
                return None
            self._taken += 1

        def done() -> None:
            with self._lock:
                self._taken -= 1
            then()

        return Later(make, done)


def interleaved(works: Iterator[Generator[object]], most: int, arrived: threading.Event) -> None:
    """Do *works* a step at a time, *most* of them side by side.

    A work yields None where it would have to wait, and something else after a step; *arrived* is set when one may go on.
    """
    active = list(islice(works, most))
    try:
        while active:
            arrived.clear()
            waits = True
            for number, work in enumerate(active):
                try:
                    waits &= next(work) is None
                except StopIteration:
                    waits = False
                    active[number : number + 1] = islice(works, 1)
                    break
            if waits:
                arrived.wait()
    finally:
        for work in active:
            work.close()
