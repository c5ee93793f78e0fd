"""The intents that are open: written down before anything is sent, and struck when there is an answer."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from typing import Any

from antiphon.writeback.intent import Stage, Written, packed, unpacked
from antiphon.writeback.store import Store, portions
from antiphon.writeback.tables import INTEND, INTENDED

_EARLIER = """
select run, stream, resource, operation, sent_at, job, changes, stage, id from intents
where run in (select run from ended) order by run, id
"""
_OTHERS = """
select run, stream, resource, operation, sent_at, job, changes, stage, id from intents
where run in (select run from runs) and run not in (select run from ended) and run <> ?
"""
_TOGETHER = 100
"""Rows that are written by one statement: with each one the other threads may go on, and each time it waits for them."""


class Intents:
    """The intents of this run, and those of earlier ones, which are this run's now: in the *store*, and the same in memory."""

    def __init__(self, store: Store) -> None:
        """Read what earlier runs have left."""
        self._store = store
        self._earlier: list[Written] = []
        self.open: dict[str, Written] = {}
        """What was written down together with an intent, by its token."""
        self.take_over()

    def take_over(self) -> None:
        """Read what those runs have left that are known to have ended since the last time."""
        known = {written.id for written in self._earlier}
        left = [written for written in map(_written, self._store.rows(_EARLIER)) if written.id not in known]
        self._earlier += left
        self.open |= {token: written for written in left for token in written.intents}

    def earlier(self) -> list[Written]:
        """Return what earlier runs had under way when they ended, in its order."""
        self._earlier = [written for written in self._earlier if written.intents]
        return self._earlier

    def of_others(self) -> list[Written]:
        """Return what other runs that are alive have under way."""
        return [_written(row) for row in self._store.rows(_OTHERS, (self._store.run,))]

    @contextmanager
    def changed(
        self, struck: Collection[str], new: Sequence[Written] = (), *, sure: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """Strike the intents with the tokens *struck* and write down *new*, as one with what is done within; see :meth:`.Store.transaction`."""
        with self._store.lock:
            gone = frozenset(struck) & self.open.keys()
            counts = Counter(map(self.open.get, gone))
            left = {written: written.less(gone, count) for written, count in counts.items() if written}
            with self._store.transaction(sure=sure) as db:
                yield db
                for written, intents in left.items():
                    if intents:
                        db.execute("update intents set changes = ? where id = ?", (packed(intents), written.id))
                for marks, some in portions(written.id for written, intents in left.items() if not intents):
                    db.execute(f"delete from intents where id in ({marks})", some)  # noqa: S608 - question marks
                for start in range(0, len(new), _TOGETHER):
                    _write_down(db, new[start : start + _TOGETHER])
            for written, intents in left.items():
                for token in written.intents:
                    if token not in intents:
                        self.open.pop(token, None)
                written.intents = intents
            for one in new:
                self.open.update(zip(one.intents, repeat(one)))

    def begun(self, tokens: Collection[str]) -> None:
        """Note that what was written down with these *tokens*, and what goes along, is about to be sent; the end of the process leaves that known."""
        for one in self._of(tokens):
            if one.stage is Stage.MEANT:
                with self._store.lock:  # whoever comes at the same time waits until it is noted
                    if one.stage is Stage.MEANT:
                        self._come_to(Stage.BEGUN, [each for each in one.along or [one] if each.intents], sure=False)
                        one.along.clear()

    def doubted(self, those: Sequence[Written]) -> None:
        """Note that what was known before of the records of *those* counts no more."""
        self._come_to(Stage.DOUBTED, those)

    def by_job(self, job: str, tokens: Collection[str]) -> None:
        """Note that the API's *job* carries out what was written down with these *tokens*."""
        with self._store.transaction() as db:
            db.executemany("update intents set job = ? where id = ?", [(job, one.id) for one in self._of(tokens)])

    def _come_to(self, stage: Stage, those: Sequence[Written], *, sure: bool = True) -> None:
        for marks, some in portions(those):
            self._store.do(
                f"update intents set stage = ? where id in ({marks})",  # noqa: S608 - question marks
                (stage, *(one.id for one in some)),
                sure=sure,
            )
        for one in those:
            one.stage = stage

    def _of(self, tokens: Collection[str]) -> list[Written]:
        """Return what was written down with these *tokens*, as far as it is open."""
        return [written for written in set(map(self.open.get, tokens)) if written]


def _write_down(db: sqlite3.Connection, those: Sequence[Written]) -> None:
    rows = [(w.run, w.stream, w.resource, w.operation, w.sent_at, w.job, packed(w.intents), w.stage) for w in those]
    last = db.execute(INTEND + INTENDED * (len(rows) - 1), tuple(chain.from_iterable(rows))).lastrowid
    for id, written in enumerate(those, int(last or 0) - len(those) + 1):
        written.id = id


def _written(row: tuple[Any, ...]) -> Written:
    run, stream, resource, operation, sent_at, job, changes, stage, id = row
    return Written(run, stream, resource, operation, sent_at, job, unpacked(changes), Stage(stage), id)
