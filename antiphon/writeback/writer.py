"""Writes records to a resource: matched, split into the fewest right calls, each journalled, each accounted for.

``upsert``
    finds the records that are there by their match field, in batches, and updates them; creates the others. The API's own
    upsert is used where it really is one.
``create``
    creates what is not there yet; what is, is skipped. ``update``: the other way round.
``delete``
    deletes what is there.

Records with ``_sdc_deleted_at`` are deleted as the ``deletes`` policy says, whatever the mode.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from antiphon import moment
from antiphon.api import Record, Resource, Schema, Write
from antiphon.client import Client
from antiphon.errors import InputError, SettingError, Unavailable, Unauthorized, did_you_mean
from antiphon.outcome import Change, Kind, Outcome, Problem, rejected
from antiphon.writeback.fields import DELETED_AT, Fields, Mapper
from antiphon.writeback.journal import Intent, Journal, identity

log = logging.getLogger("antiphon.writer")

Mode = Literal["upsert", "create", "update", "delete"]
Deletes = Literal["ignore", "archive", "delete"]

MODES: tuple[Mode, ...] = ("upsert", "create", "update", "delete")
DELETES: tuple[Deletes, ...] = ("ignore", "archive", "delete")
_SETTLE_TRIES = 3
_REMEMBERED = 100_000


@dataclass
class Allowance:
    """How many records a run may delete: a number, or a share of those received, of which ten are always allowed."""

    most: int | float = 0.10
    received: int = 0
    deleted: int = 0

    def room(self) -> int:
        """Return how many more may be deleted now."""
        most = max(10, int(self.received * self.most)) if isinstance(self.most, float) else self.most
        return max(0, most - self.deleted)


class Writer:
    """Writes one stream's records to *resource*.

    Raises:
        SettingError: the settings do not fit the resource, or none of its match fields is among *columns*.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        *,
        stream: str = "",
        columns: Iterable[str] | None = None,
        mode: Mode | None = None,
        match: Sequence[str] = (),
        fields: Fields | None = None,
        deletes: Deletes = "ignore",
        allowance: Allowance | None = None,
        journal: Journal | None = None,
    ) -> None:
        """Check the settings against the resource. *columns* are those of the stream, where they are known beforehand."""
        self.client, self.resource, self.deletes = client, resource, deletes
        self.mode: Mode = mode or ("upsert" if resource.upsert or resource.update else "create")
        self.stream = stream or resource.name
        self.where = f"{client.api.name}: {self.stream}"
        self.schema: Schema = client.schema(resource)
        self.journal = journal
        self.allowance = allowance or Allowance()
        self._refuse_impossible()
        self._match = self._checked(match)
        self.mapper = Mapper(fields or Fields(), resource, self.schema, where=self.where, matched=self._match)
        if columns is not None:
            columns = list(columns)
            self.mapper.check(columns)
            self._narrow(self.mapper.fields(columns), asked=bool(match))
        self._recent: dict[Any, str] = {}
        self._recalling = journal.earlier() if journal else False

    # One call for a set of records

    def write(self, records: Sequence[Record], positions: Sequence[int] | None = None) -> list[Outcome]:
        """Write *records* and return an outcome for each, in their order. *positions* are theirs in the stream.

        Raises:
            ApiError: the API cannot be spoken to. What was done until then is in the journal.
            Storage: the journal cannot be written.
        """
        batch = _Batch(records, positions or range(1, len(records) + 1))
        self.allowance.received += len(records)
        for n, record in enumerate(records):
            self._prepare(batch, n, record)
        self._supersede(batch)
        if self._recalling:
            self._recall(batch)
        deletions = [change for change in batch.waiting() if change.token in batch.deletions]
        writes = [change for change in batch.waiting() if change.token not in batch.deletions]
        if self.mode == "delete":
            deletions, writes = [*deletions, *writes], []
        self._write(batch, writes)
        self._delete(batch, deletions)
        return batch.in_order()

    def _prepare(self, batch: _Batch, n: int, record: Record) -> None:
        change = Change({})
        batch.add(change, n)
        try:
            mapped = self.mapper({k: v for k, v in record.items() if k != DELETED_AT})
        except InputError as error:
            batch.settle(rejected(change, str(error)))
            return
        deleted = record.get(DELETED_AT) is not None
        if deleted and self.deletes == "ignore":
            batch.settle(Outcome(change, Kind.SKIPPED, problem=Problem("deleted at the source; deletes is set to ignore")))
            return
        if deleted:
            batch.deletions.add(change.token)
        by = next((name for name in self._match if mapped.get(name) not in (None, "")), None)
        if by is not None:
            change.by, change.value = by, mapped[by]
            if self._is_id(by):
                change.id = str(mapped.pop(by))
        elif self._match and (self.mode != "create" or deleted):
            names = " or ".join(self._match)
            batch.settle(rejected(change, f"no value in {names}, the field it is matched by"))
            return
        change.record = mapped
        batch.identities[change.token] = identity(self.resource.name, mapped, change.by, change.value)
        if not mapped and not deleted and self.mode != "delete":
            batch.settle(rejected(change, "none of its columns is a field that the API lets one write"))

    def _supersede(self, batch: _Batch) -> None:
        """Let the last of several records with one key stand for all of them."""
        last: dict[Any, Change] = {}
        for change in batch.waiting():
            if change.by is None:
                continue
            key = self._key(change.by, change.value, change.record)
            if earlier := last.get(key):
                batch.settle(Outcome(earlier, Kind.SUPERSEDED, problem=Problem(f"a later record has the same {change.by}")))
            last[key] = change

    def _recall(self, batch: _Batch) -> None:
        """Recognise what an interrupted run has done already, and what it left unknown."""
        assert self.journal  # noqa: S101
        asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting()]
        for outcome in self.journal.recall(self.stream, asked):
            batch.settle(outcome)
        remembered = max((h.remembers for h in (self.resource.create, self.resource.update) if isinstance(h, Write)), default=0)
        if remembered:
            since = moment.rfc3339(moment.now() - timedelta(seconds=remembered))
            asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting()]
            tokens = self.journal.tokens(self.stream, asked, since)
            for change in batch.waiting():
                if earlier := tokens.get(change.token):
                    batch.rename(change, earlier)

    # Creating and updating

    def _write(self, batch: _Batch, changes: list[Change]) -> None:
        if not changes:
            return
        native = [c for c in changes if self._native(c.by)]
        self._send(batch, "upsert", native)
        others = [c for c in changes if not self._native(c.by)]
        creations, updates = [c for c in others if c.by is None], []
        for change, found in self._looked_up(batch, [c for c in others if c.by is not None]):
            if found is None and self.mode == "update":
                said = f"there is no record with {change.by} {change.value}"
                batch.settle(Outcome(change, Kind.SKIPPED, problem=Problem(said)))
            elif found is None:
                creations.append(change)
            elif self.mode == "create":
                batch.settle(Outcome(change, Kind.SKIPPED, self._id(found), Problem(f"there is one with this {change.by}")))
            else:
                change.id = self._id(found)
                if change.by and change.by in change.record and len(change.record) > 1:
                    change.record = {k: v for k, v in change.record.items() if k != change.by}
                changed = [name for name, value in change.record.items() if not _same(value, found.get(name))]
                fixed = self._fixed(changed)
                if fixed:
                    said = f"{self.client.api.title} does not let one change {', '.join(fixed)} of {self.resource.name} there already"
                    batch.settle(rejected(change, said, code="fixed"))
                elif changed:
                    self._complete(change, found)
                    updates.append(change)
                else:
                    batch.settle(Outcome(change, Kind.UNCHANGED, change.id, record=dict(found or {})))
        self._send(batch, "update", _distinct(batch, updates))
        self._send(batch, "create", creations)

    def _native(self, by: str | None) -> bool:
        how = self.resource.upsert
        if self.mode != "upsert" or how is None or by is None or self._is_id(by):
            return False
        excluded = how.not_by if isinstance(how, Write) else ()
        return by not in excluded and by in self.resource.match_fields(self.schema)

    def _looked_up(self, batch: _Batch, changes: list[Change]) -> list[tuple[Change, Record | None]]:
        """Return each change with the record it matches. An ambiguous match is rejected, with the candidates."""
        pairs: list[tuple[Change, Record | None]] = []
        for by in dict.fromkeys(str(c.by) for c in changes):
            those = [c for c in changes if c.by == by]
            asked = tuple(sorted({name for c in those for name in c.record} | {by, *self.resource.key, *self.resource.within}))
            found: dict[Any, list[Record]] = {}
            if self._is_id(by):  # known already; if there is none, the API will say so
                pairs += [(change, {by: change.id}) for change in those]
                continue
            for record in self.client.find(self.resource, by, [c.value for c in those], asked):
                found.setdefault(self._key(by, record.get(by), record), []).append(record)
            for change in those:
                key = self._key(by, change.value, change.record)
                hits = found.get(key, [])
                if len(hits) > 1:
                    ids = ", ".join(self._id(hit) for hit in hits[:10])
                    batch.settle(rejected(change, f"{len(hits)} records have the {by} {change.value}: {ids}", code="ambiguous"))
                elif hits or key not in self._recent:
                    pairs.append((change, hits[0] if hits else None))
                else:
                    pairs.append((change, {self.resource.key[0]: self._recent[key]}))
        return pairs

    # Deleting

    def _delete(self, batch: _Batch, changes: list[Change]) -> None:
        if not changes:
            return
        operation = "archive" if self.deletes == "archive" and self.resource.archive else "delete"
        if getattr(self.resource, operation) is None:
            operation = "archive" if self.resource.archive else "delete"
        there = []
        for change, found in self._looked_up(batch, changes):
            if found is None:
                said = f"there is no record with {change.by} {change.value}"
                batch.settle(Outcome(change, Kind.SKIPPED, problem=Problem(said)))
            else:
                change.id = self._id(found)
                self._complete(change, found)
                there.append(change)
        there = _distinct(batch, there)
        room = len(there) if self.mode == "delete" else self.allowance.room()
        for change in there[room:]:
            said = "it would delete more than max_delete allows; raise max_delete and send the rejects again"
            batch.settle(rejected(change, said, code="max_delete"))
        self.allowance.deleted += len(there[:room])
        self._send(batch, operation, there[:room])

    # Sending

    def _send(self, batch: _Batch, operation: str, changes: list[Change]) -> None:
        how = getattr(self.resource, operation)
        if changes and how is None:
            for change in changes:
                batch.settle(rejected(change, f"{self.client.api.name} cannot {operation} {self.resource.name}"))
            return
        size = how.batch if isinstance(how, Write) else 1
        for start in range(0, len(changes), size):
            group = changes[start : start + size]
            tries = 0
            while group:
                tries += 1
                outcomes = self._sent(batch, operation, group)
                lost = [o for o in outcomes if o.kind is Kind.UNKNOWN]
                group = []
                if lost:
                    settled, again = self._found_out(operation, lost)
                    if tries < _SETTLE_TRIES:
                        group = [o.change for o in again]
                    else:
                        settled += [_given_up(o, safe=operation != "create") for o in again]
                    outcomes = [o for o in outcomes if o.kind is not Kind.UNKNOWN] + settled
                    if self.journal:
                        self.journal.answered(settled)
                for outcome in outcomes:
                    self._remember(operation, outcome)
                    batch.settle(outcome)

    def _sent(self, batch: _Batch, operation: str, group: list[Change]) -> list[Outcome]:
        """Write the intent down, send, write the outcomes down."""
        sent_at = moment.rfc3339(moment.now())
        if self.journal:
            keys = [(batch.identities[c.token], batch.position(c)) for c in group]
            self.journal.intend(self.stream, self.resource.name, operation, group, keys)
        outcomes: list[Outcome] = []
        try:
            outcomes.extend(self.client.write(self.resource, operation, group))
        except (Unavailable, Unauthorized):
            if self.journal:
                self.journal.answered(outcomes)
                answered = {o.change.token for o in outcomes}
                self.journal.not_sent(c for c in group if c.token not in answered)
            raise
        done_at = moment.rfc3339(moment.now())
        for outcome in outcomes:
            outcome.operation, outcome.sent_at, outcome.done_at = operation, sent_at, done_at
        if self.journal:
            self.journal.answered(outcomes)
        return outcomes

    def _found_out(self, operation: str, lost: list[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
        """Return what became of changes whose answer was lost, and those that may be sent again.

        What is safe to repeat may be; a creation may where a look-up proves that it was not done.
        """
        how = getattr(self.resource, operation)
        if isinstance(how, Write) and (how.safe or how.remembers):
            return [], lost
        settled, again = [], []
        for by in dict.fromkeys(o.change.by for o in lost):
            those = [o for o in lost if o.change.by == by]
            if by is None or self.resource.find is None or operation != "create":
                settled += those
                continue
            asked = (by, *self.resource.key, *self.resource.within)
            records = self.client.find(self.resource, by, [o.change.value for o in those], asked)
            found = {self._key(by, record.get(by), record): record for record in records}
            for outcome in those:
                record = found.get(self._key(by, outcome.change.value, outcome.change.record))
                if record is not None:
                    outcome.kind, outcome.id, outcome.problem = Kind.CREATED, self._id(record), None
                if record is not None or not self._prompt(by):
                    settled.append(outcome)
                else:
                    again.append(outcome)
        return settled, again

    def settle(self, intent: Intent) -> Outcome | None:
        """Find out what became of *intent*; None where it may simply be done again."""
        outcome = Outcome(intent.change(), Kind.UNKNOWN, problem=Problem("the run ended before the answer came"))
        settled, _again = self._found_out(intent.operation, [outcome])
        return settled[0] if settled else None

    # Small questions

    def _refuse_impossible(self) -> None:
        can = {"upsert": ("upsert", "create", "update"), "delete": ("delete", "archive")}.get(self.mode, (self.mode,))
        if not any(getattr(self.resource, slot) for slot in can):
            has = ", ".join(self.resource.operations)
            raise SettingError(f"{self.where}: {self.resource.name} cannot be written in mode {self.mode}", hint=f"It has: {has}.")
        if self.deletes != "ignore" and not (self.resource.delete or self.resource.archive):
            raise SettingError(f"{self.where}: {self.resource.name} cannot be deleted", hint="Set deletes: ignore.")

    def _checked(self, match: Sequence[str]) -> tuple[str, ...]:
        known = self.schema.get("properties", {})
        for name in match:
            if name not in known:
                hint = did_you_mean(name, known)
                raise SettingError(f'{self.where}: match names "{name}", which {self.resource.name} does not have', hint=hint)
            if not self._is_id(name) and self.resource.find is None and not self._native(name):
                raise SettingError(f"{self.where}: {self.resource.name} cannot be looked up by {name}")
        return tuple(match) or self.resource.match_fields(self.schema)

    def _narrow(self, fields: set[str], *, asked: bool) -> None:
        """Keep the match fields that the stream can give; refuse a stream that gives none."""
        there = tuple(name for name in self._match if name in fields)
        if not there and (self.mode != "create" or asked):
            possible = ", ".join(self._match) or "none by default: name one"
            hint = f"Map a column to one of them with fields ({possible}), name another field as match, or set mode: create."
            raise SettingError(f"{self.where}: no column of the stream is a field to match {self.resource.name} by", hint=hint)
        self._match = there

    def _prompt(self, by: str) -> bool:
        if self.resource.prompt is None:
            return True
        unique = [n for n, f in self.schema.get("properties", {}).items() if f.get("x-unique")]
        return by in (*self.resource.prompt, *unique, *self.resource.key)

    def _fixed(self, changed: Sequence[str]) -> list[str]:
        """Return those of the *changed* fields that an update would silently ignore."""
        how = self.resource.update
        heeded = {*how.takes, *how.apart} if isinstance(how, Write) and how.takes else set(changed)
        return [name for name in changed if name not in heeded]

    def _complete(self, change: Change, found: Record) -> None:
        """Give *change* what the path of a request needs, and leave out what an update does not take."""
        how = self.resource.update or self.resource.delete or self.resource.archive
        if isinstance(how, Write):
            if how.takes:
                change.record = {k: v for k, v in change.record.items() if k in {*how.takes, *how.apart}}
            change.record |= {name: found[name] for name in how.apart if name not in change.record and name in found}

    def _is_id(self, name: str) -> bool:
        """Whether the field is the id that the API itself gave: then there is nothing to look up."""
        return name in self.resource.key and bool(self.schema.get("properties", {}).get(name, {}).get("readOnly"))

    def _key(self, by: str, value: Any, record: Mapping[str, Any]) -> Any:
        """Return what two records must agree in to be one."""
        text = str(value).strip()
        return (by, text.lower() if by in self.resource.folded else text, *(str(record.get(w)) for w in self.resource.within))

    def _id(self, record: Mapping[str, Any]) -> str:
        return str(record.get(self.resource.key[0]))

    def _remember(self, operation: str, outcome: Outcome) -> None:
        """Remember what was created, for look-ups that would not see it yet."""
        change = outcome.change
        if operation == "create" and outcome.kind is Kind.CREATED and change.by and not self._prompt(change.by) and outcome.id:
            if len(self._recent) >= _REMEMBERED:
                self._recent.pop(next(iter(self._recent)))
            self._recent[self._key(change.by, change.value, change.record)] = outcome.id


class _Batch:
    """The records of one call to :meth:`Writer.write`, and what has become of them so far."""

    def __init__(self, records: Sequence[Record], positions: Sequence[int]) -> None:
        self.positions = positions
        self.numbers: dict[str, int] = {}
        self.changes: list[Change] = []
        self.deletions: set[str] = set()
        self.identities: dict[str, bytes] = {}
        self._outcomes: list[Outcome | None] = [None] * len(records)

    def add(self, change: Change, n: int) -> None:
        self.numbers[change.token] = n
        self.changes.append(change)

    def settle(self, outcome: Outcome) -> None:
        self._outcomes[self.numbers[outcome.change.token]] = outcome

    def rename(self, change: Change, token: str) -> None:
        """Let *change* go by another token."""
        self.numbers[token] = self.numbers.pop(change.token)
        self.identities[token] = self.identities.pop(change.token)
        if change.token in self.deletions:
            self.deletions.add(token)
        change.token = token

    def waiting(self) -> list[Change]:
        return [c for c in self.changes if self._outcomes[self.numbers[c.token]] is None]

    def position(self, change: Change) -> int:
        return self.positions[self.numbers[change.token]]

    def in_order(self) -> list[Outcome]:
        return [
            o if o is not None else Outcome(c, Kind.UNKNOWN, problem=Problem("no outcome was reported for it"))
            for c, o in zip(self.changes, self._outcomes, strict=True)
        ]


def _given_up(outcome: Outcome, *, safe: bool) -> Outcome:
    """Return *outcome* after its last try: a creation that surely was not done is refused, anything else stays unknown."""
    if not safe:
        outcome.kind = Kind.REJECTED
    return outcome


def _distinct(batch: _Batch, changes: list[Change]) -> list[Change]:
    """Let the last of several changes to one record stand for all of them: no API takes a record twice in a batch."""
    last: dict[str | None, Change] = {}
    for change in changes:
        if earlier := last.pop(change.id, None):
            batch.settle(Outcome(earlier, Kind.SUPERSEDED, earlier.id, Problem("a later record is the same one there")))
        last[change.id] = change
    return list(last.values())


def _same(ours: Any, theirs: Any) -> bool:
    """Whether a field need not be sent. When in doubt it is."""
    if ours in (None, "") and theirs in (None, ""):
        return True
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return str(ours).lower() == str(theirs).lower()
    if ours == theirs:
        return type(ours) is type(theirs) or not isinstance(ours, str)
    return isinstance(ours, str) and str(theirs) == ours


def _older(sent_at: str, seconds: float) -> bool:
    return (moment.now() - moment.parse(sent_at)).total_seconds() > seconds


def settle_open(client: Client, journal: Journal) -> list[Outcome]:
    """Find out what became of everything that earlier runs had under way when they ended. Call before anything new is sent.

    Returns the outcomes that are known now; what may simply be done again is struck from the journal.
    """
    writers: dict[str, Writer] = {}
    known: list[Outcome] = []
    for intent in journal.open_intents():
        how = getattr(client.resource(intent.resource), intent.operation, None)
        if isinstance(how, Write) and how.remembers and not _older(intent.sent_at, how.remembers):
            continue  # sent again under the same token, should the source send it again
        if intent.resource not in writers:
            resource = client.resource(intent.resource)
            writers[intent.resource] = Writer(client, resource)
        outcome = writers[intent.resource].settle(intent)
        if outcome is None:
            journal.not_sent([intent.change()])
        else:
            outcome.operation = intent.operation
            journal.answered([outcome])
            known.append(outcome)
    return known
