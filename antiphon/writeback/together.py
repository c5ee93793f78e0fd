"""Records of one batch that are one there: a change that stands for several, where that comes to the same as one after the other.

What a later record does not name, an earlier one has said. Where it matters that there were several (one deletes and the next makes anew,
or an API may add lists to each other) they are written one after the other, as they would be in batches of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.api import Write
from antiphon.outcome import Change, Kind, Outcome, Problem, Record, rejected
from antiphon.writeback.batch import Batch
from antiphon.writeback.lookup import AMBIGUOUS

if TYPE_CHECKING:
    from antiphon.writeback.writer import Writer

_Doubts: TypeAlias = Mapping[str, tuple[Sequence[str], Outcome]]
"""By token: the records that a change matches, and what becomes of it."""
Found = tuple[Change, Record | None]
"""A change, and the record it is to."""


def gather(writer: Writer, batch: Batch) -> set[Any]:
    """Let one change stand for several of *batch* with the same keys; return all the keys."""
    last: dict[Any, Change] = {}
    for change in batch.waiting():
        keys = writer.match.keys_of(change)
        earlier = last.get(keys[0]) if keys else None
        standing = None
        if earlier and writer.match.keys_of(earlier) == keys and all(last.get(key) is earlier for key in keys):
            standing = _standing(writer, batch, earlier, change)
            if standing:
                batch.stand(standing, [earlier, change])
        last |= dict.fromkeys(keys, standing or change)
    if writer.history:
        for change in batch.waiting():
            if change.token not in batch.identities:
                writer.history.mark(batch, change, deletion=False)
        writer.history.follow(batch)
    return set(last)


def first_of_each(writer: Writer, batch: Batch) -> list[Change]:
    """Return of what waits in *batch* that shares no key with one before it.

    Where a record may be looked for by several fields, only what comes before the first that does: what that finds is not known yet.
    """
    while True:
        first: list[Change] = []
        taken: set[Any] = set()
        cut = len(batch.changes)
        for change in batch.waiting():
            keys = writer.match.keys_of(change)
            if taken.isdisjoint(keys):
                first.append(change)
            elif writer.match.several:
                cut = batch.numbers[change.token]
                break
            taken.update(keys)
        if _part(batch, cut) == cut:
            return first


@dataclass(slots=True)
class One:
    """A record that was found, or is to be made, and what is to be written to it at once."""

    change: Change
    """What stands for all of it."""
    changes: list[Change]
    record: Record | None
    restored: bool


def one_each(
    writer: Writer, batch: Batch, pairs: Sequence[Found], back: Mapping[str, Record]
) -> list[tuple[Change, Record | None, bool]]:
    """Return *pairs*, whose changes have different keys, with one change for each record found, unless it is to be written after that.

    What of *back*, by the change's token, was restored is found as it is since then; whether it was is told with each. What matches
    several records is settled.
    """
    doubts, batch.doubts = {change.token: (ids, outcome) for change, ids, outcome in batch.doubts}, []
    asked = [*pairs, *((change, None) for change in batch.waiting() if change.token in doubts)]
    asked = sorted(asked, key=lambda pair: batch.numbers[pair[0].token])
    cut = len(batch.changes)
    while True:
        asked = [(c, record) for c, record in asked if batch.numbers[c.token] < cut and batch.stands(c)]
        if (writer.match.several or batch.others) and (around := list(_around_others(writer, batch, asked, doubts))):
            cut = _part(batch, min(around))
            continue
        ones, refused, end = _ones(writer, batch, asked, doubts, back)
        if end == (cut := _part(batch, end)):
            break
    for outcome in refused:
        batch.settle(outcome)
    for one in ones:
        if len(one.changes) > 1:
            last = one.changes[-1]
            if last.token in batch.identities:
                batch.identities[one.change.token] = batch.identities[last.token]
                batch.keys[one.change.token] = batch.keys[last.token]
            batch.stand(one.change, one.changes)
    return [(one.change, one.record, one.restored) for one in ones]


def _ones(
    writer: Writer, batch: Batch, pairs: Sequence[Found], doubts: _Doubts, back: Mapping[str, Record]
) -> tuple[list[One], list[Outcome], int]:
    """Return what is to be written now of *pairs*, what is refused, and the number from which on all is to wait."""
    restored = {writer.match.id(record): record for record in back.values()}
    ones: dict[str, One] = {}
    refused: list[Outcome] = []
    moved: set[str] = set()
    """Ids of what is deleted, or matched by other values from then on."""
    blocked: set[str] = set()
    """Ids of what something is to be written to later."""
    for change, record in pairs:
        ids, outcome = doubts.get(change.token, ([], None))
        if outcome and moved.isdisjoint(ids):
            refused.append(outcome)
            continue
        id = change.token if record is None else writer.match.id(record)
        one = None if outcome or id in blocked else _with(writer, batch, ones.get(id), change, id in moved)
        if one is None:
            if writer.match.several:
                return list(ones.values()), refused, batch.numbers[change.token]
            blocked.add(id)
            continue
        one.record, one.restored = restored.get(id, record), one.restored or change.token in back
        ones[id] = one
        if record is not None and _moves(writer, batch, one.change, record):
            moved.add(id)
    return list(ones.values()), refused, len(batch.changes)


def _with(writer: Writer, batch: Batch, one: One | None, change: Change, moved: bool) -> One | None:
    """Return *one* with *change* as well; None where that is to be written after it."""
    if one is None:
        return One(change, [change], None, restored=False)
    standing = None if moved else _standing(writer, batch, one.change, change)
    if standing is None or standing is one.change:
        return None
    return One(standing, [*one.changes, change], None, one.restored)


def _around_others(writer: Writer, batch: Batch, pairs: Sequence[Found], doubts: _Doubts) -> Iterator[int]:
    """Yield where what stands for several begins, if between these comes another that may be to the same record there; it is parted."""
    places: dict[str, list[int]] = {}
    found = [
        (change, doubts[change.token][0] if change.token in doubts else [writer.match.id(record)] if record else [])
        for change, record in pairs
    ]
    for change, ids in found:
        for id in ids:
            places.setdefault(id, []).append(batch.numbers[change.token])
    for change, ids in found:
        own = [batch.numbers[one.token] for one in batch.members(change)]
        if any(own[0] < n < own[-1] and n not in own for id in ids for n in places[id]):
            batch.disband(change)
            yield own[0]


def _part(batch: Batch, cut: int) -> int:
    """Let what stands for changes before the number *cut* and others from there on be written apart; return where the first of it begins."""
    for change in reversed(batch.waiting()):
        these = batch.members(change)
        if batch.numbers[these[0].token] < cut <= batch.numbers[these[-1].token]:
            batch.disband(change)
            cut = batch.numbers[these[0].token]
    return cut


def conclude(writer: Writer, batch: Batch, changes: Iterable[Change]) -> None:
    """Settle what each of *changes* stands for, or let it be written by itself, if that was refused: the refusal may be of one of them."""
    for change in changes:
        *others, last = batch.members(change)
        outcome = batch.became(change)
        if not others or outcome is None:
            continue
        problem = outcome.problem
        if problem and problem.code == AMBIGUOUS:
            for other in [*others, last]:
                batch.settle(rejected(other, problem.message, code=problem.code))
        elif outcome.kind is Kind.REJECTED:
            batch.disband(change)
        elif writer.mode == "create" and not writer.goes(batch, change):
            unsure = outcome.kind is Kind.UNKNOWN
            said = outcome.problem if unsure else Problem(f"there is one with this {change.by}")
            for other in [*others[1:], last]:
                batch.settle(Outcome(other, Kind.UNKNOWN if unsure else Kind.SKIPPED, outcome.id, said))
                batch.told.add(other.token)
        else:
            for other in others:
                _supersede(batch, other, outcome)


def overtaken(batch: Batch) -> None:
    """Settle what came before a change of the same key that need not be written."""
    for n, earlier in sorted(batch.after.items(), reverse=True):
        outcome = batch.became(batch.standing[n])
        if outcome and not batch.settled(earlier):
            _supersede(batch, earlier, outcome)


def _supersede(batch: Batch, change: Change, by: Outcome) -> None:
    """Settle *change*, for which another stands. The ledger is to know of it where it has a key of its own."""
    own = batch.keys.get(change.token) != batch.keys.get(by.change.token)
    said = "is the same one there" if own else f"has the same {change.by}"
    batch.settle(Outcome(change, Kind.SUPERSEDED, by.id if own and by.ok else None, Problem(f"a later record {said}")))


def _standing(writer: Writer, batch: Batch, earlier: Change, change: Change) -> Change | None:
    """Return what stands for *earlier* and a *change* after it to the same record; None where one is to be written after the other."""
    gone = writer.goes(batch, earlier)
    if writer.goes(batch, change):
        # What is archived is to have all that it was given; what one takes away, another does not find by its first field.
        kept = len(change.matches) > 1 if gone else writer.removal == "archive" and writer.restorable
        return None if kept else change
    if writer.mode == "create" and not gone:
        return earlier
    if gone or not _agree(writer, earlier, change):
        return None
    record = _without_match(earlier) | _without_match(change)
    if writer.match.key_of(earlier) == writer.match.key_of(change):  # it is written as it was first
        known = {name: earlier.record[name] for name in earlier.matches if name in earlier.record}
        return Change(record | known, earlier.id, earlier.by, earlier.value, matches=earlier.matches, key=earlier.key)
    return Change(record, change.id, change.by, change.value, matches=change.matches, key=change.key)


def _without_match(change: Change) -> Record:
    return {name: value for name, value in change.record.items() if name != change.by}


def _agree(writer: Writer, earlier: Change, change: Change) -> bool:
    """Whether both, sent at once, come to the same as one after the other."""
    resource = writer.resource
    native = writer.upserted(change)
    replaces = native and isinstance(resource.upsert, Write) and resource.upsert.method == "PUT"
    if writer.replaces or replaces or not (native or resource.update):
        return False
    return all(
        name == change.by
        or (name in earlier.record and earlier.record[name] == value)
        or (
            writer.heeded(name)
            and name not in writer.address
            and not (isinstance(value, dict | list) and name in earlier.record)
        )
        for name, value in change.record.items()
    )


def _moves(writer: Writer, batch: Batch, change: Change, found: Record | None) -> bool:
    """Whether *change* deletes the record *found*, or gives it other values to be matched by."""
    return writer.goes(batch, change) or any(
        name in change.record and name != change.by and not writer.match.same(name, change.record[name], found or {})
        for name in writer.match.names
    )
