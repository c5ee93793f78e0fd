"""The intents that are open: written down before anything is sent, and struck when there is an answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any

from antiphon.writeback.intent import Written, packed, unpacked
from antiphon.writeback.store import Store, portions
from antiphon.writeback.tables import INTEND

_ROWS = """
select run, stream, resource, operation, sent_at, job, changes, max(begun, coalesce(number, begun)), doubted, intents.id
from intents left join progress on progress.id = intents.id
"""
_EARLIER = f"{_ROWS} where run in (select run from ended) order by run, intents.id"  # noqa: S608 - nothing is given
_OTHERS = f"{_ROWS} where run in (select run from runs) and run not in (select run from ended) and run <> ?"  # noqa: S608 - nothing is given


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
        known = {written.id for written in self.earlier()}  # what was struck is not: another may have its number now
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
        gone = frozenset(struck)
        with self._store.lock:
            left = {written: written.less(gone) for written in self._of(gone)}
            with self._store.transaction(sure=sure) as db:
                yield db
                self._strike(db, left)
                for one in new:
                    row = one.run, one.stream, one.resource, one.operation, one.sent_at, one.job, packed(one.intents)
                    one.id = int(db.execute(INTEND, (*row, one.begun, one.doubted)).lastrowid or 0)
            for written, rest in left.items():
                for token in gone & written.intents.keys():
                    del self.open[token]
                written.intents, written.begun, written.parts = rest.intents, rest.begun, rest.parts
            for one in new:
                self.open.update(zip(one.intents, repeat(one)))

    def _strike(self, db: sqlite3.Connection, left: Mapping[Written, Written]) -> None:
        """Keep of what was written down what is *left* of it."""
        for rest in left.values():
            if rest.intents:
                row = (packed(rest.intents), rest.begun, rest.id)
                db.execute("update intents set changes = ?, begun = ? where id = ?", row)
        for marks, some in portions(written.id for written in left):
            db.execute(f"delete from progress where id in ({marks})", some)  # noqa: S608 - question marks
        for marks, some in portions(rest.id for rest in left.values() if not rest.intents):
            db.execute(f"delete from intents where id in ({marks})", some)  # noqa: S608 - question marks

    def begun(self, last: str) -> None:
        """Note that the request that ends with the intent of the token *last* is about to be sent; the end of the process leaves that known."""
        written = self.open.get(last)
        if written and written.parts.get(last, 0) > written.begun:
            with self._store.lock:  # whoever comes at the same time waits until it is noted
                number = written.parts.get(last, 0)
                if number > written.begun:
                    self._store.do("insert or replace into progress values (?, ?)", (written.id, number), sure=False)
                    written.begun = number

    def doubted(self, those: Sequence[Written]) -> None:
        """Note that what was known before of the records of *those* counts no more."""
        for marks, some in portions(those):
            ids = [one.id for one in some]
            self._store.do(f"update intents set doubted = 1 where id in ({marks})", ids)  # noqa: S608 - question marks
        for one in those:
            one.doubted = True

    def by_job(self, job: str, tokens: Collection[str]) -> None:
        """Note that the API's *job* carries out what was written down with these *tokens*."""
        with self._store.transaction() as db:
            db.executemany("update intents set job = ? where id = ?", [(job, one.id) for one in self._of(tokens)])

    def _of(self, tokens: Collection[str]) -> list[Written]:
        """Return what was written down with these *tokens*, as far as it is open."""
        return [written for written in set(map(self.open.get, tokens)) if written]


def _written(row: tuple[Any, ...]) -> Written:
    run, stream, resource, operation, sent_at, job, changes, begun, doubted, id = row
    return Written(run, stream, resource, operation, sent_at, job, unpacked(changes), begun, bool(doubted), id)
