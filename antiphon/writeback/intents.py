"""The intents that are open: written down before anything is sent, and struck when there is an answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from antiphon.writeback.intent import Stage, Written, packed, unpacked
from antiphon.writeback.store import Store
from antiphon.writeback.tables import INTEND

_EARLIER = """
select run, stream, resource, operation, sent_at, job, changes, stage, id from intents
where run in (select run from ended) order by run, id
"""
_OTHERS = """
select run, stream, resource, operation, sent_at, job, changes, stage, id from intents
where run in (select run from runs) and run not in (select run from ended) and run <> ?
"""


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
            touched = {written for token in struck if (written := self.open.get(token))}
            gone = frozenset(struck) if touched else frozenset()
            left = {
                written: {token: intent for token, intent in written.intents.items() if token not in gone}
                for written in touched
            }
            with self._store.transaction(sure=sure) as db:
                yield db
                for written, intents in left.items():
                    if intents:
                        db.execute("update intents set changes = ? where id = ?", (packed(intents), written.id))
                    else:
                        db.execute("delete from intents where id = ?", (written.id,))
                for one in new:
                    of = (one.run, one.stream, one.resource, one.operation, one.sent_at, one.job)
                    one.id = int(db.execute(INTEND, (*of, packed(one.intents), one.stage)).lastrowid or 0)
            for token in gone:
                self.open.pop(token, None)
            for written, intents in left.items():
                written.intents = intents
            for one in new:
                self.open |= dict.fromkeys(one.intents, one)

    def begun(self, tokens: Collection[str]) -> None:
        """Note that what was written down with these *tokens* is about to be sent; the end of the process leaves that known."""
        meant = {written for token in tokens if (written := self.open.get(token)) and written.stage is Stage.MEANT}
        self._come_to(Stage.BEGUN, meant, sure=False)

    def doubted(self, those: Collection[Written]) -> None:
        """Note that what was known before of the records of *those* counts no more."""
        self._come_to(Stage.DOUBTED, those)

    def by_job(self, job: str, tokens: Collection[str]) -> None:
        """Note that the API's *job* carries out what was written down with these *tokens*."""
        written = {written for token in tokens if (written := self.open.get(token))}
        with self._store.transaction() as db:
            db.executemany("update intents set job = ? where id = ?", [(job, one.id) for one in written])

    def _come_to(self, stage: Stage, those: Collection[Written], *, sure: bool = True) -> None:
        if those:
            with self._store.transaction(sure=sure) as db:
                db.executemany("update intents set stage = ? where id = ?", [(stage, one.id) for one in those])
        for one in those:
            one.stage = stage


def _written(row: tuple[Any, ...]) -> Written:
    run, stream, resource, operation, sent_at, job, changes, stage, id = row
    return Written(run, stream, resource, operation, sent_at, job, unpacked(changes), Stage(stage), id)
