"""Archived records that are in the stream again: which of them are to be restored, and their way back."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from antiphon.outcome import Change, Kind, Outcome, Record
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Steps

if TYPE_CHECKING:
    from antiphon.writeback.writer import Writer

log = logging.getLogger("antiphon.writer")

Restore = Literal["own", "all", "none"]
"""Which archived records are restored when they come again: those that this stream has taken away, all, or none."""
RESTORE: tuple[Restore, ...] = ("own", "all", "none")
Pair = tuple[Change, Record | None]
"""A change, and the record it matches."""


def taken_away(writer: Writer, batch: Batch, changes: Collection[Change]) -> set[str]:
    """Return the tokens of those *changes* whose record this stream has taken away, as its ledger has it."""
    keys = {c.token: batch.keys[c.token] for c in changes if c.token in batch.keys}
    if writer.ledger is None or not keys:
        return set()
    known = writer.ledger.records.known(writer.stream, keys.values())
    return {token for token, key in keys.items() if key in known and known[key].kind == Kind.DELETED}


def restored(writer: Writer, batch: Batch, pairs: Sequence[Pair]) -> Steps[dict[str, Record]]:
    """Restore what is archived and to be restored; return it as it is then, by the change's token.

    What the API refuses to restore is settled. A record that says itself whether it is archived is left to that.
    """
    again = _again(writer, batch, pairs)
    if not again:
        return {}
    first = {writer.match.id(found): (change, found) for change, found in again}
    own = Batch([{}] * len(first), [batch.position(change) for change, _ in first.values()], batch.version)
    own.turn, own.earlier = batch.turn, batch.earlier
    sent = []
    for n, (id, (change, found)) in enumerate(first.items()):
        back = Change({}, id, change.by, change.value)
        own.add(back, n)
        own.identities[back.token] = b""  # not as the source has it, until its fields are written too
        if change.token in batch.keys:
            own.keys[back.token] = batch.keys[change.token]
        writer.complete(back, found)
        sent.append(back)
    yield from writer.send(own, "restore", sent)
    came = dict(zip(first, own.in_order(), strict=True))
    log.info("%s: %d archived records restored", writer.where, sum(outcome.ok for outcome in came.values()))
    made: dict[str, Record] = {}
    for change, found in again:
        outcome = came[writer.match.id(found)]
        if outcome.ok:
            made[change.token] = {**found, **(outcome.record or {})}
        else:
            batch.settle(Outcome(change, outcome.kind, outcome.id, outcome.problem, operation="restore"))
    return made


def own_again(writer: Writer, batch: Batch, pairs: Sequence[Pair]) -> None:
    """Let the ledger know what was found that this stream had archived: it is the stream's own as before, whoever brings it back."""
    if writer.ledger is None or not writer.restorable or writer.removal != "archive":
        return
    there = [
        (batch.keys[change.token], found) for change, found in pairs if found is not None and change.token in batch.keys
    ]
    ids = {writer.match.id(found) for _, found in there}
    writer.ledger.records.back(writer.stream, ids, [key for key, _ in there])


def _again(writer: Writer, batch: Batch, pairs: Sequence[Pair]) -> list[tuple[Change, Record]]:
    """Return those of *pairs* whose record is archived, and is to be restored."""
    marks = writer.match.marks
    if not writer.restores:
        return []
    # What goes by its id was not looked up unless all are restored; then the ledger alone says that it is archived.
    found = [
        (change, found)
        for change, found in pairs
        if found is not None
        and not batch.settled(change)
        and not set(marks) & set(change.record)
        and (_is_archived(marks, found) or (writer.match.is_id(str(change.by)) and not set(marks) & set(found)))
    ]
    if writer.restore == "all":
        return [(change, there) for change, there in found if _is_archived(marks, there)]
    ours = taken_away(writer, batch, [change for change, _ in found])
    return [(change, there) for change, there in found if change.token in ours]


def _is_archived(marks: Mapping[str, object], found: Record) -> bool:
    return all(name in found and found[name] == value for name, value in marks.items())
