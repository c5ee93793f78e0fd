"""Several requests under way at once: each in a thread, what comes of them told as it comes, the first error last."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

Thing = TypeVar("Thing")
Result = TypeVar("Result")
Told: TypeAlias = queue.SimpleQueue[tuple[Result] | BaseException | None]
"""What a thread tells: a result, an error, and at its end None."""


def together(work: Callable[[Thing], Result], things: Sequence[Thing], parallel: int) -> Iterator[Result]:
    """Yield what *work* makes of each of *things*, up to *parallel* of them at a time, in no particular order.

    After an error nothing more is begun; it is raised once what was under way has ended. Whoever stops listening (a second
    signal) waits for nothing: what is under way then ends with the process.
    """
    if parallel <= 1 or len(things) <= 1:
        yield from map(work, things)
        return
    waiting = deque(things)
    told: Told[Result] = queue.SimpleQueue()
    ended = threading.Event()

    flying = min(parallel, len(things))
    for _ in range(flying):
        threading.Thread(target=_fly, args=(work, waiting, told, ended), daemon=True).start()
    failed: BaseException | None = None
    try:
        while flying:
            heard = told.get()
            if heard is None:
                flying -= 1
            elif isinstance(heard, BaseException):
                failed = failed or heard
            else:
                yield heard[0]
    finally:
        ended.set()
    if failed:
        raise failed


def _fly(work: Callable[[Thing], Result], waiting: deque[Thing], told: Told[Result], ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            thing = waiting.popleft()
        except IndexError:
            break
        try:
            told.put((work(thing),))
        except BaseException as error:  # noqa: BLE001 - raised where it is listened to
            ended.set()
            told.put(error)
    told.put(None)
