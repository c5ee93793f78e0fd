"""Records of one batch that are one there: a change that stands for several, where that comes to the same as one after the other.

What a later record does not name, an earlier one has said. Where it matters that there were several (one deletes and the next makes anew,
or an API may add lists to each other) they are written one after the other, as they would be in batches of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from antiphon.api import Write
from antiphon.outcome import Change, Kind, Outcome, Problem, Record
from antiphon.writeback.batch import Batch

if TYPE_CHECKING:
    from antiphon.writeback.writer import Writer

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


def first_of_each(writer: Writer, changes: Iterable[Change]) -> list[Change]:
    """Return of *changes* those that share no key with one before them."""
    first: list[Change] = []
    taken: set[Any] = set()
    for change in changes:
        keys = writer.match.keys_of(change)
        if taken.isdisjoint(keys):
            first.append(change)
        taken.update(keys)
    return first


def one_each(
    writer: Writer, batch: Batch, pairs: Sequence[Found], back: Mapping[str, Record]
) -> list[tuple[Change, Record | None, bool]]:
    """Return *pairs*, whose changes have different keys, with one change for each record found, unless it is to be written after that.

    What of *back*, by the change's token, was restored is found as it is since then; whether it was is told with each.
    """
    restored = {writer.match.id(record): record for record in back.values()}
    found: dict[Any, tuple[Change, Record | None, bool]] = {}
    for change, record in pairs:
        if batch.settled(change):
            continue
        id = change.token if record is None else writer.match.id(record)
        one = change, restored.get(id, record), change.token in back
        if id not in found:
            found[id] = one
            continue
        earlier, there, was = found[id]
        standing = None if _moves(writer, batch, earlier, there) else _standing(writer, batch, earlier, change)
        if standing is None or standing is earlier:
            continue
        if change.token in batch.identities:
            batch.identities[standing.token] = batch.identities[change.token]
            batch.keys[standing.token] = batch.keys[change.token]
        batch.stand(standing, [earlier, change])
        found[id] = standing, one[1], was or one[2]
    return list(found.values())


def conclude(writer: Writer, batch: Batch, changes: Iterable[Change]) -> None:
    """Settle what each of *changes* stands for, or let it be written by itself, if that was refused: the refusal may be of one of them."""
    for change in changes:
        *others, last = batch.members(change)
        outcome = batch.became(change)
        if not others or outcome is None:
            continue
        if outcome.kind is Kind.REJECTED:
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
        restorable = writer.removal == "archive" and writer.restorable
        return change if gone or not restorable else None
    if gone:
        return None
    if writer.mode == "create":
        return earlier
    if not _agree(writer, earlier, change):
        return None
    record = _without_match(earlier) | _without_match(change)
    if writer.match.key_of(earlier) == writer.match.key_of(change):  # it is written as it was first
        known = {name: earlier.record[name] for name in [str(earlier.by)] if name in earlier.record}
        return Change(record | known, earlier.id, earlier.by, earlier.value, key=earlier.key)
    return Change(record, change.id, change.by, change.value, key=change.key)


def _without_match(change: Change) -> Record:
    return {name: value for name, value in change.record.items() if name != change.by}


def _agree(writer: Writer, earlier: Change, change: Change) -> bool:
    """Whether both, sent at once, come to the same as one after the other."""
    resource = writer.resource
    native = writer.native(change.by)
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
    """Whether *change* gives the record *found* other values to be matched by."""
    return not writer.goes(batch, change) and any(
        name in change.record and name != change.by and not writer.match.same(name, change.record[name], found or {})
        for name in writer.match.names
    )
