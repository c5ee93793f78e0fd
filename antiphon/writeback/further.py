"""Records that are found by several values, of one field or several: what is written by one is not as it was written by another any more.

Such changes are written in the order they came, as those of one value are, and the ledger does not tell of one what was so before
another was written. Nothing is asked or kept of records that are found by one value alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from antiphon.outcome import Change, Outcome, Record
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Steps
from antiphon.writeback.together import first_of_each

if TYPE_CHECKING:
    from antiphon.writeback.writer import Writer

Pair = tuple[Change, Record | None]
"""A change, and the record it matches."""


def in_order(writer: Writer, batch: Batch, pairs: list[Pair], beside: Collection[Batch]) -> Steps[list[Pair]]:
    """Return those of *pairs* that may be written now; the others wait in *batch*, to be looked up again with those of the same record.

    They are what a batch before this one had under way by another value when they were looked up, until that is done: *beside* are those that
    were not done then. And they are what is told unchanged in this batch by another value, which is not believed then.
    """
    if not (batch.others or (batch.told and writer.match.several)):
        return pairs
    those = [(change, writer.match.id(found)) for change, found in pairs if found is not None]
    others = {change.token: batch.others.get(change.token, set()) for change, _ in those}
    every, ids = set[Any]().union(*others.values()), {id for _, id in those}
    told = [o for o in batch.told_unchanged() if o.id in ids or writer.match.key_of(o.change) in every]
    before = [one for one in beside if not one.matches.isdisjoint(every)]
    _believe_not(writer, batch, told)
    while not all(one.done for one in before):
        yield
    taken, known = {writer.match.key_of(o.change) for o in told}, {o.id for o in told}
    taken = taken.union(*(one.matches for one in before))
    wait = {batch.numbers[c.token] for c, id in those if id in known or not others[c.token].isdisjoint(taken)}
    if wait and writer.match.several:  # what comes after the first of them may be to the same record
        wait = set(range(min(wait), len(batch.changes)))
        batch.doubts = [doubt for doubt in batch.doubts if batch.numbers[doubt[0].token] not in wait]
    return [pair for pair in pairs if batch.numbers[pair[0].token] not in wait]


def rewritten(writer: Writer, batch: Batch, changes: Iterable[Change]) -> None:
    """Let what is known of the records of *changes*, which are about to be written, count no more by other values of theirs."""
    if writer.history is None or not batch.others:
        return
    keys: set[Any] = set()
    for change in changes:
        those = [change, *batch.members(change)]
        mine = {writer.match.key_of(one) for one in those}
        others = mine.union(*(batch.others.get(one.token, ()) for one in those)) - {writer.match.key_of(change)}
        keys |= others
        of = dict.fromkeys(others - mine, batch.numbers[change.token])
        batch.rewritten |= {writer.history.key(key): n for key, n in of.items()}
    writer.history.doubt(map(writer.history.key, keys))


def told_too_early(writer: Writer, batch: Batch) -> Steps[list[Change]]:
    """Return what was told unchanged in *batch* and is to be written first of what is to be written after all.

    That is what a batch before it has written by another value since; it waits for these.
    """
    if not (writer.match.further and batch.by and batch.told):
        return []
    while not batch.first:
        yield
    since = set[bytes]().union(*(one.rewritten for one in batch.earlier if one.by == batch.by))
    told = [o for o in batch.told_unchanged() if batch.keys[o.change.token] in since] if since else []
    _believe_not(writer, batch, told)
    return first_of_each(writer, batch) if told else []


def _believe_not(writer: Writer, batch: Batch, told: Collection[Outcome]) -> None:
    for outcome in told:
        batch.reopen(outcome.change)
    if told and writer.history:
        writer.history.doubt([batch.keys[outcome.change.token] for outcome in told])
