"""Several requests under way at once, each in a thread; whoever asked for them goes on with other things until they are back.

What needs requests is a generator (:data:`Steps`): it yields where it would have to wait, and returns what it is to make. All of them
are driven by one thread, so that nothing but the requests themselves happens side by side.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")
Steps: TypeAlias = Generator[None, None, Result]
"""Work that yields where it would have to wait, to be gone on with after the next news; it returns a result."""

_SIGNALS = 0.1
"""Seconds after which who waits looks whether there was a signal."""
_IDLE = 5.0
"""Seconds after which a thread ends that has nothing to do."""


class _Group(Generic[Thing, Result]):
    """Things that the same is to be done with, and what came of it."""

    def __init__(self, work: Callable[[Thing], Result], things: Iterable[Thing], most: int, turn: int) -> None:
        self.work, self.waiting, self.most, self.turn = work, deque(things), most, turn
        self.flying = 0
        self.told: queue.SimpleQueue[tuple[Result] | BaseException] = queue.SimpleQueue()

    def __call__(self, thing: Thing) -> tuple[Result] | BaseException:
        try:
            return (self.work(thing),)
        except BaseException as error:  # noqa: BLE001 - raised where it is listened to
            return error


class Flights:
    """Up to *most* requests under way at a time, each in a thread. One thread alone begins them and hears of them."""

    def __init__(self, most: int = 1) -> None:
        """With *most* of one no other thread is used: a request is done where it is asked for."""
        self.most = most
        self._groups: list[_Group[Any, Any]] = []
        self._changed = threading.Condition()
        self._threads = 0
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()

    def fly(
        self,
        work: Callable[[Thing], Result],
        things: Iterable[Thing],
        told: Callable[[Result], object],
        *,
        most: int = 0,
        turn: int = 0,
    ) -> Steps[None]:
        """Do *work* with each of *things*, and tell what came of each, in no particular order.

        Up to *most* of them are under way at a time, if that is given; those with a lower *turn* come before others. After an error, or
        when one is thrown in here, nothing more of them is begun; it is raised once what was under way has ended.
        """
        if self.most <= 1:
            for thing in things:
                told(work(thing))
            return
        group = _Group(work, things, most or self.most, turn)
        self._begin(group)
        failed: BaseException | None = None
        try:
            while group.waiting or group.flying or not group.told.empty():
                with suppress(queue.Empty):
                    while True:
                        heard = group.told.get_nowait()
                        if isinstance(heard, BaseException):
                            failed = failed or heard
                        else:
                            told(*heard)
                if group.waiting or group.flying:
                    try:
                        yield
                    except Exception as error:  # noqa: BLE001 - raised when all are back
                        failed = failed or error
                        self._stop(group)
        finally:
            self._stop(group)
        if failed:
            raise failed

    @property
    def waiting(self) -> int:
        """How many requests have been asked for and not begun."""
        return sum(len(group.waiting) for group in self._groups)

    def run(self, steps: Steps[Result]) -> Result:
        """Do *steps* to their end, waiting where they have to, and return what they return."""
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            self.wait()

    def wait(self, seconds: float = math.inf) -> None:
        """Wait until there is news since the last time, or so many *seconds* have passed.

        It wakes now and then: a signal that came just before this thread went to sleep would be heard of with the next news only.
        """
        heard, end = False, time.monotonic() + seconds
        while not heard and time.monotonic() < end:
            with suppress(queue.Empty):
                self._news.get(timeout=_SIGNALS)
                heard = True
        with suppress(queue.Empty):
            while True:
                self._news.get_nowait()

    def wake(self) -> None:
        """Let whoever waits go on. May be called in a signal's handler."""
        self._news.put(None)

    # In other threads

    def _begin(self, group: _Group[Any, Any]) -> None:
        with self._changed:
            self._groups.append(group)
            self._groups.sort(key=lambda one: one.turn)
            wanted = min(self.most, sum(min(one.most, one.flying + len(one.waiting)) for one in self._groups))
            for _ in range(wanted - self._threads):
                self._threads += 1
                threading.Thread(target=self._fly, name="flight", daemon=True).start()
            self._changed.notify(wanted)

    def _stop(self, group: _Group[Any, Any]) -> None:
        with self._changed:
            group.waiting.clear()
            with suppress(ValueError):
                self._groups.remove(group)

    def _fly(self) -> None:
        while (taken := self._taken()) is not None:
            group, thing = taken
            heard = group(thing)
            with self._changed:
                if isinstance(heard, BaseException):
                    group.waiting.clear()
                group.told.put(heard)
                group.flying -= 1
            self.wake()
            del group, thing, heard

    def _taken(self) -> tuple[_Group[Any, Any], Any] | None:
        """Return what to do next; None where there has been nothing for long."""
        with self._changed:
            woken = True
            while True:
                for group in self._groups:
                    if group.waiting and group.flying < group.most:
                        group.flying += 1
                        return group, group.waiting.popleft()
                if not woken:
                    self._threads -= 1
                    return None
                woken = self._changed.wait(_IDLE)
