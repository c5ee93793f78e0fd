"""A mirror: what a stream made and its source has no more is taken away; the way back is written first.

Only what the ledger says this stream created is touched, and only after the source was read whole: what others made, or what
was found there, stays, and what another mirror has as well is that one's from then on. Nothing is taken away for an empty
source, nor while a record of it that was not written may be one of those that seem gone, nor when it is more than ``max_delete`` allows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from antiphon.api import Read, Record
from antiphon.errors import NotFound, one_line
from antiphon.fill import text
from antiphon.outcome import Change, Kind, Outcome
from antiphon.writeback.batch import Batch
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.writer import Writer

log = logging.getLogger("antiphon.mirror")

_TOGETHER = 500
"""Records that are read back and taken away together."""
_LABEL = 80
"""Characters, at most, of what a record is called by in a message."""
_FEW = 10
"""Records that may be taken away without max_delete although they are more than a tenth, if they are no more than half."""


@dataclass(frozen=True)
class Kept:
    """Why nothing was taken away."""

    why: str
    wrong: bool = False
    """Whether somebody has to do something about it."""


def take_away(
    writer: Writer,
    ledger: Ledger,
    version: int,
    undo: Callable[[str, Sequence[Record]], None],
    *,
    empty: Sequence[str] = (),
) -> list[Outcome] | Kept:
    """Take away what is in the ledger and not in the *version* of the stream that was read.

    *empty* are streams that go into it and had no record; *undo* keeps records as they are before they go, by the field that each is known by. Returns what became of each, or why nothing was done.
    """
    seen = writer.seen
    gone, total = absent(ledger, writer.stream, version)
    if not seen.records:
        said = "the source was empty"
        hint = "Look at what reads it; if they are to go, delete them by a stream of their own with mode: delete"
        return Kept(f"{said}, and {len(gone):,} records seem gone. {hint}", wrong=True) if gone else Kept(said)
    if gone and empty:
        said = f"{', '.join(empty)}, which goes into it, was empty, and {len(gone):,} records seem gone"
        return Kept(f"{said}: if it is to stay empty, take it out of stream_maps", wrong=True)
    if gone and (unplaced := ledger.records.unplaced(writer.stream, version)):
        return Kept(_unplaced(writer, unplaced, len(gone)), wrong=True)
    left = ledger.records.hand_over(writer.stream, list(gone))
    if left:
        said = "%s: %d records that are not in the source any more are left to another mirror that has them too"
        log.info(said, writer.stream, len(left))
        gone = {id: key for id, key in gone.items() if id not in left}
    most = writer.allowance.of(total, usual=max(total // 10, min(_FEW, total // 2)))
    if len(gone) > most:
        said = f"{len(gone):,} of {total:,} records are not in the source any more, and max_delete allows {most:,}"
        hint = f"If they are to go, set max_delete of this stream to {len(gone)} and run again"
        return Kept(f"{said}. {hint}", wrong=True)
    outcomes: list[Outcome] = []
    keys = list(gone.items())
    for start in range(0, len(keys), _TOGETHER):
        some = dict(keys[start : start + _TOGETHER])
        there = _read_back(writer, list(some))
        for by, records in _by_field(writer, ledger, some, there).items():
            undo(by, records)
        ledger.records.keep(
            writer.stream, [(key, b"", id, Kind.DELETED) for id, key in some.items() if id not in there]
        )
        outcomes += _removed(writer, some, there)
    return outcomes


def absent(ledger: Ledger, stream: str, version: int) -> tuple[dict[str, bytes], int]:
    """Return the keys by the ids of what *stream* made and is not in *version*, and how many records it has there."""
    away: dict[str, tuple[bytes, bool]] = {}
    total = 0
    for key, id, kind, ours, seen in ledger.records.walk(stream):
        if kind != Kind.DELETED:
            if seen == version or id is None:
                total += 1
            elif ours or id not in away:
                away[id] = key, ours
    for _, id, _, _, seen in ledger.records.walk(stream) if away else ():
        if seen == version and id is not None:
            away.pop(id, None)  # it goes by another key now
    gone = {id: key for id, (key, ours) in away.items() if ours}
    if others := len(away) - len(gone):
        log.info("%s: %d records that are not in the source any more were not made by it, and stay", stream, others)
    return gone, total + len(away)


def _unplaced(writer: Writer, number: int, gone: int) -> str:
    """Return why nothing is taken away where a *number* of records of the source may be among those that seem *gone*, and what to do."""
    hidden = writer.ledger is None or writer.ledger.payload == "none"
    named = [
        f"record {place}" if hidden or change.value in (None, "") else text(change.value)
        for place, change in writer.seen.unplaced
    ]
    which = ", ".join(one_line(name, _LABEL) for name in named) + (", …" if number > len(named) else "")
    names = " or ".join(writer.match.names)
    said = f"{number:,} records of the source were not written and may be among the {gone:,} that seem gone"
    said = f"{said}, for what they have as {names} is not what any of these was written by" + (
        f" ({which})" if named else ""
    )
    return f"{said}. Mend them, or take them out of the source, and send it whole again"


def _read_back(writer: Writer, ids: Sequence[str]) -> Mapping[str, Record]:
    """Return the records with these *ids* as they are now; those that are gone are missing."""
    client, resource = writer.client, writer.resource
    if resource.find and not isinstance(resource.find, Read):
        found = client.find(resource, resource.key[0], ids)
        return {writer.match.id(record): record for record in found}
    there = {}
    for id in ids:
        try:
            there[id] = client.get(resource, id)
        except NotFound:
            continue
    return there


def _by_field(
    writer: Writer, ledger: Ledger, keys: Mapping[str, bytes], there: Mapping[str, Record]
) -> dict[str, list[Record]]:
    """Return the records that are *there* by the field that their *keys* are made of: of several match fields others may have a value by now."""
    fields: dict[str, list[Record]] = {}
    for id, record in there.items():
        known = [name for name in writer.match.names if writer.match.given(record.get(name))]
        made = {name: writer.match.key(name, record[name], record) for name in known}
        same = (name for name in known if ledger.key(writer.resource.name, made[name]) == keys[id])
        fields.setdefault(next(same, next(iter(known), "")), []).append(record)
    return fields


def _removed(writer: Writer, keys: Mapping[str, bytes], there: Mapping[str, Record]) -> list[Outcome]:
    batch = Batch([{}] * len(there), [0] * len(there))
    changes = []
    for n, (id, record) in enumerate(there.items()):
        change = Change({}, id)
        batch.add(change, n)
        batch.identities[change.token], batch.keys[change.token] = b"", keys[id]
        writer.complete(change, record)
        changes.append(change)
    writer.flights.run(writer.send(batch, writer.removal, changes))
    return batch.in_order()
