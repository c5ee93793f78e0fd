"""Things made ahead: while one is used, the next is being made in a thread of its own; and several such works side by side."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import islice
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Iterator[T], Generic[T]):
    """Yields what *items* yields, in that order; an error is raised when it is its turn.

    The thread does not keep a process from ending. Whoever stops before the end calls :meth:`close`.
    """

    def __init__(self, items: Iterator[T], arrived: threading.Event | None = None) -> None:
        """Begin with the first; *arrived* is set each time one is there."""
        self._items = items
        self._made: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
        self._wanted = threading.Semaphore(1)
        self._arrived = arrived or threading.Event()
        self._closed = False
        threading.Thread(target=self._make, name="ahead", daemon=True).start()

    @property
    def ready(self) -> bool:
        """Whether the next is there, or the end, so that nobody has to wait."""
        return not self._made.empty()

    def __next__(self) -> T:
        """Return the next, and have the one after it made."""
        item, error = self._made.get()
        if error is not None:
            self._made.put((None, error))  # the end stays the end
            raise error
        self._wanted.release()
        return item  # type: ignore[return-value]  # None where it is an item

    def close(self) -> None:
        """Make no more."""
        self._closed = True
        self._wanted.release()

    def _make(self) -> None:
        error: BaseException | None = None
        while error is None:
            self._wanted.acquire()
            if self._closed:
                return
            item = None
            try:
                item = next(self._items)
            except BaseException as raised:  # noqa: BLE001 - told by the one who waits for it
                error = raised
            self._made.put((item, error))
            self._arrived.set()


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
