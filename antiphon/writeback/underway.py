"""Batches that are written, several under way at once; each is told when it is done, in the order they came.

While one waits for its requests, others go on: the next is looked up while this one is written. A batch that may be about the same
records as one before it waits for that one (:attr:`antiphon.writeback.batch.Batch.free`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from antiphon.outcome import Outcome
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Flights, Steps

_MOST = 3000
"""Records under way, from which on no further batch is begun."""


class _Stopped(Exception):
    """One before it has failed."""


@dataclass(slots=True)
class _Going:
    batch: Batch
    steps: Steps[list[Outcome]]
    told: Callable[[list[Outcome]], None]
    outcomes: list[Outcome] | None = None


class UnderWay:
    """Batches under way, the requests of all of them among the same *flights*."""

    def __init__(self, flights: Flights) -> None:
        self._flights = flights
        self._going: deque[_Going] = deque()
        self._begun = 0

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._going)

    @property
    def full(self) -> bool:
        """Whether no further batch is to be begun: so many requests wait for their turn by now, or there are so many records."""
        records = sum(len(going.batch.changes) for going in self._going)
        return records >= _MOST or self._flights.waiting >= self._flights.most

    def begin(
        self, batch: Batch, steps: Callable[[Batch], Steps[list[Outcome]]], told: Callable[[list[Outcome]], None]
    ) -> None:
        """Begin to write *batch* in *steps*; what became of its records is *told* once that of all before it was.

        Raises what is raised in the writing of this batch or another, see :meth:`go_on`.
        """
        self._begun += 1
        batch.turn = self._begun
        batch.earlier = [going.batch for going in self._going]
        self._going.append(_Going(batch, steps(batch), told))
        self.go_on()

    def go_on(self) -> None:
        """Go on with whatever need not wait.

        Raises:
            Exception: that of the first batch that failed. Those before it have been written to their end, and of those after it what had
                been sent: it is in the ledger.
        """
        while True:
            while self._going and self._going[0].outcomes is not None:
                self._tell()
            if not self._advanced():
                return

    def finish(self) -> None:
        """Write all that is under way to its end; see :meth:`go_on`."""
        while self._going:
            self.go_on()
            if self._going:
                self._flights.wait()

    def drop(self) -> None:
        """Wait for nothing more. What is known of it by now is in the ledger, the rest is found out by the next run."""
        while self._going:
            with suppress(ValueError):  # it is the one that is going on just now
                self._going.popleft().steps.close()

    def _advanced(self) -> bool:
        """Let each batch go on as far as it can; return whether one was done, and so others may go on that waited for it."""
        done = False
        for going in list(self._going):
            if going.batch.done:
                continue
            try:
                next(going.steps)
            except StopIteration as end:
                going.outcomes, going.batch.done = end.value, True
                done = True
            except Exception:
                self._wind_up(going)
                raise
        return done

    def _tell(self) -> None:
        going = self._going[0]
        try:
            going.told(going.outcomes or [])
        except BaseException:  # what comes after is not told either: it would be taken for this one
            self.drop()
            raise
        self._going.popleft()  # until it is told it is under way
        going.batch.earlier = ()

    def _wind_up(self, failed: _Going) -> None:
        """Write what is before *failed* to its end, and let what comes after it end when it hears of what is sent already."""
        at = self._going.index(failed)
        ending = [going for going in list(self._going)[at + 1 :] if not going.batch.done]
        self._going = deque(list(self._going)[:at])
        ending = [going for going in ending if not _ended(going.steps.throw, _Stopped())]
        while ending:
            self._flights.wait()
            ending = [going for going in ending if not _ended(next, going.steps)]
        with suppress(Exception):  # the first error is the one that is told
            self.finish()


def _ended(go_on: Callable[[Any], object], given: Any) -> bool:
    """Return whether a batch that is to end has ended."""
    try:
        go_on(given)
    except Exception:  # noqa: BLE001 - it was told to end so, and the error that is told is another's
        return True
    return False
