"""Writes records to a resource: matched, split into the fewest right calls, each in the ledger, each accounted for.

``upsert``
    finds the records that are there by their match field, in batches, and sends the fields that differ; creates the others.
    The API's own upsert is used where it really is one.
``create``
    creates what is not there yet; what is, is skipped. ``update``: the other way round.
``delete``
    deletes what is there.
``mirror``
    is upsert, and takes away what the stream made and its source has no more (:mod:`antiphon.writeback.mirror`).

Records with ``_sdc_deleted_at`` are deleted as the ``deletes`` policy says, whatever the mode.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from antiphon.api import Record, Resource, Schema, Write
from antiphon.client import Client
from antiphon.outcome import Change, Kind, Outcome, Problem, rejected
from antiphon.writeback.alike import Alike
from antiphon.writeback.batch import Batch, Refused
from antiphon.writeback.fields import DELETED_AT, Fields, Mapper, Misfit
from antiphon.writeback.flights import Flights, Steps
from antiphon.writeback.further import in_order, rewritten, told_too_early
from antiphon.writeback.growth import Growth
from antiphon.writeback.history import History
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.lookup import LookUp
from antiphon.writeback.match import Match, holds
from antiphon.writeback.recent import Recent
from antiphon.writeback.refusing import narrowed, refuse_impossible, refuse_match
from antiphon.writeback.restoring import Restore, own_again, restored, taken_away
from antiphon.writeback.sending import Sender
from antiphon.writeback.settling import settle_open
from antiphon.writeback.together import conclude, first_of_each, gather, one_each, overtaken
from antiphon.writeback.typed import typed

Mode = Literal["upsert", "create", "update", "delete", "mirror"]
Deletes = Literal["ignore", "archive", "delete"]

MODES: tuple[Mode, ...] = ("upsert", "create", "update", "delete", "mirror")
DELETES: tuple[Deletes, ...] = ("ignore", "archive", "delete")
_NAMED = 3
"""Records that a message names, at the most."""
_PAUSES = (0.2, 0.5, 1, 2, 5, 10, 30, 60)
"""Seconds to wait for another run that has a creation of the same key under way."""


@dataclass
class Allowance:
    """How many records a run may delete: a number, or a share of those received; without either a tenth, and ten always."""

    most: int | float | None = None
    received: int = 0
    deleted: int = 0

    def of(self, number: int, *, usual: int) -> int:
        """Return how many of a *number* of records may be deleted: a share is rounded down, but one at least; *usual* where nothing is set."""
        if isinstance(self.most, float):
            return max(int(number * self.most + 1e-9), int(self.most > 0))  # 0.29 * 100 is a little less than 29
        return usual if self.most is None else self.most

    def room(self, received: int) -> int:
        """Return how many more may be deleted after so many have been received."""
        return max(0, self.of(received, usual=max(10, received // 10)) - self.deleted)


@dataclass
class Seen:
    """What a run has read of a stream, without the records that say that they are gone."""

    records: int = 0
    sources: set[str] = field(default_factory=set)
    """The streams that they came in, where it is a mirror's."""
    unplaced: list[tuple[int, Change]] = field(default_factory=list)
    """Places in the stream of records that were not written and may be any of those known, and what each was to be: the first few."""


class Writer:
    """Writes one stream's records to *resource*.

    Raises:
        SettingError: the settings do not fit the resource, or none of its match fields is among *columns*.
    """

    def __init__(  # noqa: PLR0913 - each says one thing of how a stream is written
        self,
        client: Client,
        resource: Resource,
        *,
        stream: str = "",
        columns: Iterable[str] | Mapping[str, Schema] | None = None,
        mode: Mode | None = None,
        match: Sequence[str] = (),
        alike: Alike | None = None,
        fields: Fields | None = None,
        deletes: Deletes = "ignore",
        restore: Restore = "own",
        allowance: Allowance | None = None,
        seen: Seen | None = None,
        ledger: Ledger | None = None,
        full: bool = False,
        flights: Flights | None = None,
        recent: Recent | None = None,
    ) -> None:
        """Check the settings against the resource. *columns* are those of the stream, where they are known beforehand: names, or their schemas too.

        A *full* run asks the API even for what the *ledger* has as unchanged. *recent* remembers what was found and written
        moments ago; writers to one resource share it. Its requests are among the *flights*, one at a time unless they are given.
        """
        self.client, self.resource, self.deletes, self.restore = client, resource, deletes, restore
        self.mode: Mode = mode or ("upsert" if resource.upsert or resource.update else "create")
        self.stream = stream or resource.name
        self.where = f"{client.api.name}: {self.stream}"
        self.schema: Schema = client.schema(resource)
        self.ledger = ledger
        self.allowance = allowance or Allowance()
        self.seen = seen or Seen()
        self.match = Match(resource, self.schema, match, alike)
        refuse_impossible(self)
        refuse_match(self, match)
        self._readonly = {name for name in self.match.names if self.match.field(name).get("readOnly")}
        self.mapper = Mapper(
            fields or Fields(),
            resource,
            self.schema,
            where=self.where,
            matched=self.match.names,
            growth=Growth(client, resource),
        )
        if columns is not None:
            columns = columns if isinstance(columns, Mapping) else list(columns)
            self.mapper.refuse_absent(columns)
            self.mapper.check(columns)
            self.match.names = narrowed(self, self.mapper.fields(columns), asked=bool(match))
        else:
            self.mapper.check(())
        how = resource.update
        self.replaces = isinstance(how, Write) and how.method == "PUT"  # what it does not name, it takes away
        creating = self.mode == "create"
        self.history = History(ledger, self.match, self.stream, creating=creating, full=full) if ledger else None
        by_id = self.restores and restore == "all"
        self.flights = flights or Flights()
        self.lookup = LookUp(client, self.match, ledger=ledger, recent=recent, flights=self.flights, by_id=by_id)
        self.send = Sender(
            client, self.match, stream=self.stream, ledger=ledger, lookup=self.lookup, flights=self.flights
        )
        writes = [getattr(resource, slot) for slot in ("create", "update", "upsert", "archive", "delete", "restore")]
        self._beside = all(how is None or isinstance(how, Write) for how in writes)
        """Whether batches may be written beside each other: a function of the description's may count on their order."""

    # One call for a set of records

    def write(
        self, records: Sequence[Record], positions: Sequence[int] | None = None, version: int | None = None
    ) -> list[Outcome]:
        """Write *records* and return an outcome for each, in their order. *positions* are theirs in the *version* of the stream.

        Raises:
            ApiError: the API cannot be spoken to. What was done until then is in the ledger.
            Storage: the ledger cannot be written.
        """
        return self.flights.run(self.steps(self.batch(records, positions, version)))

    def batch(
        self,
        records: Sequence[Record],
        positions: Sequence[int] | None = None,
        version: int | None = None,
        refused: Mapping[int, Refused] | None = None,
    ) -> Batch:
        """Return *records* as a batch that is ready to be written: mapped, each with what it is matched by, those of one record gathered.

        Those *refused*, by their place among them, are rejected.
        """
        batch = Batch(records, positions or range(1, len(records) + 1), version)
        self.allowance.received += len(records)
        batch.received = self.allowance.received
        for n, record in enumerate(records):
            change = Change({})
            batch.add(change, n)
            self._prepare(batch, change, record, refused.get(n) if refused else None)
            if record.get(DELETED_AT) is None:
                self.seen.records += 1
            else:
                batch.gone.add(n)
        keys = gather(self, batch)
        fields = {tuple(change.matches) for change in batch.waiting()}
        if self._beside and len(fields) == 1 and len(these := fields.pop()) == 1:
            batch.by, batch.matches = (self, these[0]), frozenset(keys)
        return batch

    def steps(self, batch: Batch) -> Steps[list[Outcome]]:
        """Write *batch* and return an outcome for each record; see :meth:`write`. It waits for those before it about the same records."""
        while not batch.free:
            yield
        self._take_over()
        if self.history:
            earlier = {change.token for change in batch.after.values()}
            self.history.settle(batch, [change for change in batch.waiting() if change.token not in earlier])
            overtaken(batch)
        asked = set(batch.standing) - {batch.numbers[change.token] for change in batch.after.values()}
        conclude(self, batch, [change for change in batch.standing.values() if batch.settled(change)])
        while now := first_of_each(self, batch) or (yield from told_too_early(self, batch)):
            yield from self._round(batch, now, asked)
            asked = set()
            conclude(self, batch, batch.standing.copy().values())
        outcomes = batch.in_order()
        if self.history:
            self.history.keep(batch, outcomes)
            self._place(batch, outcomes)
        return outcomes

    def _round(self, batch: Batch, changes: list[Change], asked: Collection[int]) -> Steps[None]:
        """Write *changes*, no two of which share a key. The ledger was *asked* for those with these numbers."""
        for change in changes:
            n = batch.numbers[change.token]
            if n in batch.after and not batch.done_as_it_stood(batch.after[n]):
                batch.identities[change.token] = batch.alone[n]
        if self.history:
            self.history.settle(batch, [change for change in changes if batch.numbers[change.token] not in asked])
            if batch.sharing.repeated:
                self.history.look_again(batch, changes)
        yield from self._write(batch, [change for change in changes if not batch.settled(change)])
        for pause in _PAUSES:  # another run has one of the same key under way
            again, batch.busy, batch.again = batch.busy, [], True
            if not again:
                break
            yield from self.flights.fly(self.client.http.pauses.wait, [pause], lambda _: None, turn=batch.turn)
            self._take_over()
            yield from self._write(batch, again)
        for change in batch.busy:
            batch.settle(rejected(change, f"another run is creating one with this {change.by}", code="busy"))
        batch.busy, batch.again = [], False

    def _take_over(self) -> None:
        """Settle what runs beside this one have left that have ended since: nobody else will."""
        if self.ledger and self.history and self.ledger.take_over():
            settle_open(self.client, self.ledger)
            self.history.taken_over()

    def _place(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Keep which records of the batch's version, if it has one, were not written and may be any of those known."""
        if self.history and batch.version is not None:
            unplaced = self.history.unplaced(batch, outcomes)
            room = _NAMED - len(self.seen.unplaced)
            self.seen.unplaced += [(batch.positions[n], batch.changes[n]) for n in unplaced[:room]]

    def _prepare(self, batch: Batch, change: Change, record: Record, refused: Refused | None) -> None:
        plain = {k: v for k, v in record.items() if k != DELETED_AT} if DELETED_AT in record else record
        if refused:
            self._refuse(batch, change, plain, refused)
            return
        try:
            mapped = self.mapper(plain)
        except Misfit as error:
            self._refuse(batch, change, plain, Refused(error.message, brief=error.brief))
            return
        deleted = record.get(DELETED_AT) is not None
        if deleted and self.deletes == "ignore" and self.mode != "delete":
            batch.settle(
                Outcome(change, Kind.SKIPPED, problem=Problem("deleted at the source; deletes is set to ignore"))
            )
            return
        if deleted:
            batch.deletions.add(change.token)
        self._identify(batch, change, mapped, deletion=deleted or self.mode == "delete")

    def _identify(self, batch: Batch, change: Change, mapped: Record, *, deletion: bool) -> None:
        """Give *change* its fields and what it is matched by; it is rejected if that is not to be."""
        if not self._known(change, mapped) and (self.mode != "create" or deletion):
            names = " or ".join(self.match.names)
            said = f"no value in {names or 'any field'}, the field it is matched by"
            batch.settle(rejected(change, said, brief=said))
            return
        change.record = mapped
        for name in self._readonly:
            mapped.pop(name, None)
        if self.history:
            self.history.mark(batch, change, deletion=deletion)
        if not change.record and not deletion:
            said = "none of its columns is a field that the API lets one write"
            batch.settle(rejected(change, said, brief=said))

    def _known(self, change: Change, mapped: Record) -> bool:
        """Give *change* what it is matched by, which becomes of its field's type in *mapped*; return whether there is anything."""
        for name in self.match.names:
            if self.match.given(mapped.get(name)):
                mapped[name] = typed(mapped[name], self.match.field(name))
        change.matches = self.match.of(mapped)
        if change.matches:
            self.match.aim(change, next(iter(change.matches)))
        return bool(change.matches)

    def _refuse(self, batch: Batch, change: Change, record: Record, refused: Refused) -> None:
        """Reject *change*, with what it is matched by where that can be told all the same: then it is known to be in the source."""
        within = self.resource.within
        mapped = self.mapper.some(record, (*self.match.names, *within), refused.columns) if refused.sure else None
        if mapped is not None and all(name in mapped for name in within) and self._known(change, mapped):
            change.record = {name: mapped[name] for name in within}
            if self.history:
                self.history.mark(batch, change, deletion=False)
        batch.settle(rejected(change, refused.why, code=refused.code, brief=refused.brief))

    # Creating and updating

    def _write(self, batch: Batch, changes: list[Change]) -> Steps[None]:
        """Write *changes*; what is to one record with another of them is left waiting, if it is to be written after that."""
        native = [c for c in changes if self.upserted(c) and not self.goes(batch, c)]
        if native and self.restorable:  # the API's own upsert leaves archived what is
            away = {c.token for c in native} if self.restore == "all" else taken_away(self, batch, native)
            native = [c for c in native if c.token not in away]
        for by in dict.fromkeys(c.by for c in native):  # no API takes two match fields in one batch
            yield from self.send(batch, "upsert", [c for c in native if c.by == by])
        if self.history:
            self.history.upserted(batch, native)
        sent = {c.token for c in native}
        others = [c for c in changes if c.token not in sent]
        creations, updates, removals = [c for c in others if c.by is None], [], []
        beside = [one for one in batch.earlier if not one.done]
        pairs = yield from self.lookup(batch, [c for c in others if c.by is not None])
        pairs = yield from in_order(self, batch, pairs, beside)
        back = yield from restored(self, batch, [pair for pair in pairs if not self.goes(batch, pair[0])])
        self._met(batch, pairs)
        for change, found, came in one_each(self, batch, pairs, back):
            if found is None and (self.mode == "update" or self.goes(batch, change)):
                said = f"there is no record with {change.by} {change.value}"
                batch.settle(Outcome(change, Kind.SKIPPED, problem=Problem(said)))
            elif found is None:
                creations.append(change)
            elif self.goes(batch, change):
                change.id = self.match.id(found)
                self.complete(change, found)
                removals.append(change)
            elif self.mode == "create" and not came:
                batch.settle(self._left_alone(batch, change, found))
            elif self._differs(batch, change, found, restored=came):
                updates.append(change)
        rewritten(self, batch, [*updates, *removals])
        yield from self.send(batch, "update", updates)
        yield from self.send(batch, "create", creations)
        yield from self._remove(batch, removals)
        batch.heard([*native, *updates, *creations, *removals])

    def _met(self, batch: Batch, pairs: Sequence[tuple[Change, Record | None]]) -> None:
        """Let the ledger, and what is remembered, know of the records found what that says of their other keys."""
        own_again(self, batch, pairs)
        if self.history:
            ids = self.history.found(batch, pairs)
            self.lookup.recent.rewritten(
                ids, {key for change, _ in pairs for key in self.match.keys_of(change)} if ids else ()
            )

    def _left_alone(self, batch: Batch, change: Change, found: Record) -> Outcome:
        """Return the outcome of a creation of what is there: *found*, unless it is what an earlier run has perhaps created."""
        id = self.match.id(found)
        if batch.perhaps.get(change.token) == id and self.match.agrees(change.record, found):
            return Outcome(change, Kind.UNCHANGED, id)
        return Outcome(change, Kind.SKIPPED, id, Problem(f"there is one with this {change.by}"))

    def _differs(self, batch: Batch, change: Change, found: Record, *, restored: bool = False) -> bool:
        """Leave in *change* what differs from the record *found*, perhaps just *restored*; where nothing does, or it may not, settle it."""
        change.id = self.match.id(found)
        if change.by and change.by in change.record and len(change.record) > 1:
            change.record = {k: v for k, v in change.record.items() if k != change.by}
        changed = [name for name, value in change.record.items() if not self.match.same(name, value, found)]
        fixed = self._fixed(changed, change.record, found)
        changed = [name for name in changed if self.heeded(name)]
        if fixed:
            said = f"{self.client.api.title} does not let one change {', '.join(fixed)} of {self.resource.name} there already"
            batch.settle(rejected(change, said, code="fixed"))
        elif not changed:
            kind, operation = (Kind.UPDATED, "restore") if restored else (Kind.UNCHANGED, "")
            batch.settle(Outcome(change, kind, change.id, record=dict(found), operation=operation))
        else:
            if not self.replaces:
                change.record = {name: change.record[name] for name in changed}
            self.complete(change, found)
        return bool(changed) and not fixed

    def upserted(self, change: Change) -> bool:
        """Whether *change* goes by the API's own upsert, which looks by one field alone."""
        return len(change.matches) == 1 and self.native(change.by)

    def native(self, by: str | None) -> bool:
        """Whether what is matched by the field *by* goes by the API's own upsert."""
        how = self.resource.upsert
        if (
            self.mode not in {"upsert", "mirror"}
            or how is None
            or by is None
            or self.match.is_id(by)
            or by in self.match.alike
        ):
            return False
        excluded = how.not_by if isinstance(how, Write) else ()
        return by not in excluded and by in self.resource.match_fields(self.schema)

    # Deleting

    def goes(self, batch: Batch, change: Change) -> bool:
        """Whether *change* is a deletion."""
        return self.mode == "delete" or change.token in batch.deletions

    def _remove(self, batch: Batch, changes: list[Change]) -> Steps[None]:
        bounded = self.mode != "delete" or self.allowance.most is not None
        while changes and bounded and not batch.first:  # how many may go depends on how many went before
            yield
        room = self.allowance.room(batch.received) if bounded else len(changes)
        for change in changes[room:]:
            said = f"max_delete allows no more to be deleted than {self.allowance.deleted + room:,}; raise it for this stream and send the rejects again"
            batch.settle(rejected(change, said, code="max_delete"))
        self.allowance.deleted += len(changes[:room])
        yield from self.send(batch, self.removal, changes[:room])

    @property
    def removal(self) -> str:
        """The operation that takes a record away: archiving, where a mirror does it or ``deletes`` says so, if there is such."""
        wanted = self.deletes if self.deletes != "ignore" else "archive" if self.mode == "mirror" else "delete"
        other = "archive" if wanted == "delete" else "delete"
        can = self.archives if wanted == "archive" else self.resource.delete
        return wanted if can else other

    @property
    def archives(self) -> bool:
        """Whether records can be archived: by what the resource says, and by the fields that its schema has."""
        return self.resource.archive is not None and (not self.resource.archived or bool(self.match.marks))

    @property
    def restorable(self) -> bool:
        """Whether archived records can be told from others, and be restored."""
        return self.resource.restore is not None and bool(self.match.marks)

    @property
    def restores(self) -> bool:
        """Whether archived records are looked for, to be restored."""
        return self.restore != "none" and self.restorable

    # Small questions

    def _fixed(self, changed: Sequence[str], record: Record, found: Record) -> list[str]:
        """Return those of the *changed* fields that an update would silently ignore, save those that only a creation takes.

        What holds all that is sent is no other: an API adds its own to objects and lists.
        """
        return [
            name
            for name in changed
            if not self.heeded(name)
            and not self.match.field(name).get("writeOnly")
            and not holds(found.get(name), record[name])
        ]

    def heeded(self, name: str) -> bool:
        """Whether an update changes the field."""
        how = self.resource.update
        return not (isinstance(how, Write) and how.takes) or name in {*how.takes, *how.apart}

    @property
    def address(self) -> tuple[str, ...]:
        """The fields that the path of a request takes."""
        how = self.resource.update or self.resource.delete or self.resource.archive
        return how.apart if isinstance(how, Write) else ()

    def complete(self, change: Change, found: Record) -> None:
        """Give *change* what the path of a request needs, and leave out what an update does not take."""
        how = self.resource.update or self.resource.delete or self.resource.archive
        if isinstance(how, Write):
            if how.takes:
                change.record = {k: v for k, v in change.record.items() if k in {*how.takes, *how.apart}}
            change.record |= {name: found[name] for name in how.apart if name not in change.record and name in found}
