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
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import Any, Literal

from antiphon import moment
from antiphon.api import Job, Record, Resource, Schema, Write
from antiphon.client import Client
from antiphon.errors import (
    BadReply,
    DescriptionError,
    ForeignHost,
    InputError,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
    Unknown,
    did_you_mean,
)
from antiphon.outcome import Change, Kind, Outcome, Problem, rejected
from antiphon.schema import types
from antiphon.writeback.fields import DELETED_AT, Fields, Mapper
from antiphon.writeback.journal import Intent, Journal, identity

log = logging.getLogger("antiphon.writer")

Mode = Literal["upsert", "create", "update", "delete"]
Deletes = Literal["ignore", "archive", "delete"]

MODES: tuple[Mode, ...] = ("upsert", "create", "update", "delete")
DELETES: tuple[Deletes, ...] = ("ignore", "archive", "delete")
_SETTLE_TRIES = 5
"""How often a batch is sent whose answers are lost and that is found not to be there; in between, full jitter from 0-1 s on."""
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

    def __init__(  # noqa: PLR0913 - each says one thing of how a stream is written
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
        recent: dict[Any, str | None] | None = None,
    ) -> None:
        """Check the settings against the resource. *columns* are those of the stream, where they are known beforehand.

        *recent* remembers what was written and may not be found by a look-up yet; writers to one resource share it.
        """
        self.client, self.resource, self.deletes = client, resource, deletes
        self.mode: Mode = mode or ("upsert" if resource.upsert or resource.update else "create")
        self.stream = stream or resource.name
        self.where = f"{client.api.name}: {self.stream}"
        self.schema: Schema = client.schema(resource)
        self.journal = journal
        self.allowance = allowance or Allowance()
        self._refuse_impossible()
        self._match = self._checked(match)
        self._readonly = {name for name in self._match if self._property(name).get("readOnly")}
        self.mapper = Mapper(fields or Fields(), resource, self.schema, where=self.where, matched=self._match)
        if columns is not None:
            columns = list(columns)
            self.mapper.refuse_absent(columns)
            self.mapper.check(columns)
            self._narrow(self.mapper.fields(columns), asked=bool(match))
        self._recent: dict[Any, str | None] = {} if recent is None else recent  # None: perhaps it was created
        self._recalling = journal.earlier() if journal else False
        if journal and self._recalling and not resource.within:
            for by, value, id in journal.created(resource.name):
                if not self._prompt(by):
                    self._recent[self._key(by, value, {})] = id

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
        if self._recalling and self.journal:
            self._recall(batch, self.journal)
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
        if deleted and self.deletes == "ignore" and self.mode != "delete":
            batch.settle(
                Outcome(change, Kind.SKIPPED, problem=Problem("deleted at the source; deletes is set to ignore"))
            )
            return
        if deleted:
            batch.deletions.add(change.token)
        for name in self._match:
            if isinstance(mapped.get(name), str):
                mapped[name] = mapped[name].strip()
        by = next((name for name in self._match if mapped.get(name) not in (None, "")), None)
        if by is not None:
            change.by, change.value = by, mapped[by]
            if self._is_id(by):
                change.id = str(mapped[by])
        elif self.mode != "create" or deleted:
            names = " or ".join(self._match)
            batch.settle(rejected(change, f"no value in {names or 'any field'}, the field it is matched by"))
            return
        mapped = {name: value for name, value in mapped.items() if name not in self._readonly}
        change.record = mapped
        batch.identities[change.token] = identity(
            self.resource.name, mapped, change.by, change.value, deletion=deleted or self.mode == "delete"
        )
        if not mapped and not deleted and self.mode != "delete":
            batch.settle(rejected(change, "none of its columns is a field that the API lets one write"))

    def _supersede(self, batch: _Batch) -> None:
        """Let the last of several records with one key stand for all of them."""
        last: dict[Any, Change] = {}
        for change in batch.waiting():
            if change.by is None:
                continue
            key = self._key_of(change)
            if earlier := last.get(key):
                batch.settle(
                    Outcome(earlier, Kind.SUPERSEDED, problem=Problem(f"a later record has the same {change.by}"))
                )
            last[key] = change

    def _recall(self, batch: _Batch, journal: Journal) -> None:
        """Recognise what an interrupted run has done already, and what it left unknown."""
        asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting()]
        for outcome in journal.recall(self.stream, asked):
            batch.settle(outcome)
        self._recalling = journal.earlier()
        remembered = max(
            (h.remembers for h in (self.resource.create, self.resource.update) if isinstance(h, Write)), default=0
        )
        if remembered:
            since = moment.rfc3339(moment.now() - timedelta(seconds=remembered))
            asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting()]
            tokens = journal.tokens(self.stream, asked, since)
            for change in batch.waiting():
                if earlier := tokens.get(change.token):
                    batch.rename(change, earlier)

    # Creating and updating

    def _write(self, batch: _Batch, changes: list[Change]) -> None:
        if not changes:
            return
        native = [c for c in changes if self._native(c.by)]
        for by in dict.fromkeys(c.by for c in native):  # no API takes two match fields in one batch
            self._send(batch, "upsert", [c for c in native if c.by == by])
        others = [c for c in changes if not self._native(c.by)]
        creations, updates = [c for c in others if c.by is None], []
        for change, found in self._looked_up(batch, [c for c in others if c.by is not None]):
            if found is None and self.mode == "update":
                said = f"there is no record with {change.by} {change.value}"
                batch.settle(Outcome(change, Kind.SKIPPED, problem=Problem(said)))
            elif found is None:
                creations.append(change)
            elif self.mode == "create":
                batch.settle(
                    Outcome(change, Kind.SKIPPED, self._id(found), Problem(f"there is one with this {change.by}"))
                )
            else:
                change.id = self._id(found)
                if change.by and change.by in change.record and len(change.record) > 1:
                    change.record = {k: v for k, v in change.record.items() if k != change.by}
                changed = [name for name, value in change.record.items() if not self._same(name, value, found)]
                fixed = self._fixed(changed, change.record, found or {})
                changed = [name for name in changed if self._heeded(name)]
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
            if self._is_id(by):  # known already; if there is none, the API will say so
                pairs += [(change, {by: change.id}) for change in those]
                continue
            asked = tuple(
                sorted({name for c in those for name in c.record} | {by, *self.resource.key, *self.resource.within})
            )
            found: dict[Any, dict[str, Record]] = {}
            for record in self._find(batch, by, those, asked):
                found.setdefault(self._key(by, record.get(by), record), {})[self._id(record)] = record
            for change in those:
                if not batch.settled(change):
                    self._matched(batch, change, list(found.get(self._key_of(change), {}).values()), pairs)
        return pairs

    def _find(self, batch: _Batch, by: str, changes: list[Change], asked: tuple[str, ...]) -> list[Record]:
        """Look *changes* up. One whose value the API does not even look for is rejected, and the others are looked up."""
        try:
            return self.client.find(self.resource, by, [c.value for c in changes], asked)
        except Refused as error:
            if len(changes) > 1:
                half = len(changes) // 2
                return [
                    *self._find(batch, by, changes[:half], asked),
                    *self._find(batch, by, changes[half:], asked),
                ]
            words = (error.message.partition(" -> ")[2] or error.message).removeprefix(f"{error.status} ")
            batch.settle(rejected(changes[0], words, status=error.status, code=error.code))
            return []

    def _matched(
        self, batch: _Batch, change: Change, hits: list[Record], pairs: list[tuple[Change, Record | None]]
    ) -> None:
        """Add to *pairs* what *change* matches: what was found, or what was created and cannot be found yet."""
        key = self._key_of(change)
        if len(hits) > 1:
            ids = ", ".join(self._id(hit) for hit in hits[:10])
            said = f"{len(hits)} records have the {change.by} {change.value}: {ids}{', …' if len(hits) > 10 else ''}"  # noqa: PLR2004
            batch.settle(rejected(change, said, code="ambiguous"))
        elif key not in self._recent:
            pairs.append((change, hits[0] if hits else None))
        elif (id := self._recent[key]) is not None:  # written moments ago: a look-up may show what was there before
            seen = {name: value for name, value in (hits[0] if hits else {}).items() if name not in change.record}
            pairs.append((change, {**seen, self.resource.key[0]: id}))
        elif hits:
            del self._recent[key]
            if self.journal and change.by:
                self.journal.found(self.resource.name, change.by, change.value)
            pairs.append((change, hits[0]))
        else:
            said = f"a record with this {change.by} was sent before and not answered, and cannot be found yet"
            batch.settle(Outcome(change, Kind.UNKNOWN, problem=Problem(said)))

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
        job = self._job(how, changes)
        size = job.most if job else how.batch if isinstance(how, Write) else 1
        for start in range(0, len(changes), size):
            group = changes[start : start + size]
            tries = 0
            while group:
                if tries:
                    time.sleep(random.uniform(0, 2.0 ** (tries - 1)))  # noqa: S311
                tries += 1
                outcomes = self._sent(batch, operation, group, job)
                lost = [o for o in outcomes if o.kind is Kind.UNKNOWN]
                group = []
                if lost:
                    settled, again = self._found_out(operation, lost)
                    if tries < _SETTLE_TRIES:
                        group = [o.change for o in again]
                    else:
                        settled += self._given_up(operation, again, of=len(outcomes))
                    outcomes = [o for o in outcomes if o.kind is not Kind.UNKNOWN] + settled
                    if self.journal:
                        self.journal.answered(settled)
                for outcome in outcomes:
                    self._remember(operation, outcome)
                    batch.settle(outcome)

    def _job(self, how: Any, changes: Sequence[Change]) -> Job | None:
        """Return how *changes* are written as a job of the API's, if there are enough of them to be worth one."""
        job = how.job if isinstance(how, Write) else None
        if job is None or len({change.by for change in changes}) != 1 or changes[0].by is None:
            return None
        above = int(self.client.settings.get(job.above) or 0)
        return job if 0 < above < len(changes) else None

    def _by_job(self, job: Job, operation: str, group: list[Change]) -> Iterator[Outcome]:
        try:
            id = job.open(self.client, self.resource, group)
        except Refused as error:
            log.info("%s: written without a job, for it was refused: %s", self.where, error.message)
            yield from self.client.write(self.resource, operation, group)
            return
        if self.journal:
            self.journal.under_way(id, group)
        job.start(self.client, self.resource, id, group)
        yield from job.results(self.client, self.resource, id, group)

    def _sent(self, batch: _Batch, operation: str, group: list[Change], job: Job | None) -> list[Outcome]:
        """Write the intent down, send, write the outcomes down."""
        sent_at = moment.rfc3339(moment.now())
        if self.journal:
            keys = [(batch.identities[c.token], batch.position(c)) for c in group]
            self.journal.intend(self.stream, self.resource.name, operation, group, keys)
        outcomes: list[Outcome] = []
        try:
            written = self._by_job(job, operation, group) if job else self.client.write(self.resource, operation, group)
            outcomes.extend(written)
        except DescriptionError as error:  # the record lacks what the path needs
            outcomes.extend(rejected(change, error.message) for change in group)
        except (Unavailable, Unauthorized, ForeignHost, SettingError) as error:  # what has no outcome was not written
            how = getattr(self.resource, operation)
            perhaps = job is not None or (
                isinstance(error, Unavailable) and isinstance(how, Write) and how.remembers > 0 and not how.safe
            )
            if self.journal:
                self.journal.answered(outcomes)
                answered = {o.change.token for o in outcomes}
                self.journal.not_sent(c for c in group if c.token not in answered and not perhaps)
            raise
        done_at = moment.rfc3339(moment.now())
        for outcome in outcomes:
            outcome.operation, outcome.sent_at, outcome.done_at = operation, sent_at, done_at
        if self.journal:  # what is unknown stays an open intent until it is found out
            self.journal.answered(o for o in outcomes if o.kind is not Kind.UNKNOWN)
        return outcomes

    def _given_up(self, operation: str, again: list[Outcome], *, of: int) -> list[Outcome]:
        """Return the outcomes of what may be sent again after its last try: it is rejected, to be piped in again.

        Raises:
            BadReply: no answer to any of a batch, *of* so many, was one that the API documents.
        """
        first = again[0].problem if again else None
        if first and len(again) == of and HTTPStatus.OK <= first.status < HTTPStatus.MULTIPLE_CHOICES:
            if self.journal:
                self.journal.not_sent(o.change for o in again)
            doing = f"{self.client.api.name}: {operation} of {self.resource.name}"
            raise BadReply(f"{doing} -> {first.message.partition(' -> ')[2] or first.message}", status=first.status)
        for outcome in again:
            outcome.kind = Kind.REJECTED
        return again

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
                record = found.get(self._key_of(outcome.change))
                if record is not None:
                    outcome.kind, outcome.id, outcome.problem = Kind.CREATED, self._id(record), None
                if record is not None or not self._prompt(by):
                    settled.append(outcome)
                else:
                    again.append(outcome)
        return settled, again

    def settle(self, operation: str, intents: Sequence[Intent]) -> list[Outcome]:
        """Find out what became of *intents*, all of one operation. What has no outcome may simply be done again."""
        said = Problem("the run ended before the answer came")
        lost = [Outcome(intent.change(), Kind.UNKNOWN, problem=said, operation=operation) for intent in intents]
        return self._found_out(operation, lost)[0]

    # Small questions

    def _refuse_impossible(self) -> None:
        can = {"upsert": ("upsert", "create", "update"), "delete": ("delete", "archive")}.get(self.mode, (self.mode,))
        if not any(getattr(self.resource, slot) for slot in can):
            has = ", ".join(self.resource.operations)
            raise SettingError(
                f"{self.where}: {self.resource.name} cannot be written in mode {self.mode}", hint=f"It has: {has}."
            )
        if self.deletes != "ignore" and not (self.resource.delete or self.resource.archive):
            raise SettingError(f"{self.where}: {self.resource.name} cannot be deleted", hint="Set deletes: ignore.")

    def _checked(self, match: Sequence[str]) -> tuple[str, ...]:
        known = self.schema.get("properties", {})
        for name in match:
            if name not in known:
                hint = did_you_mean(name, known)
                raise SettingError(
                    f'{self.where}: match names "{name}", which {self.resource.name} does not have', hint=hint
                )
            if not self._is_id(name) and self.resource.find is None and not self._native(name):
                raise SettingError(f"{self.where}: {self.resource.name} cannot be looked up by {name}")
        return tuple(match) or self.resource.match_fields(self.schema)

    def _narrow(self, fields: set[str], *, asked: bool) -> None:
        """Keep the match fields that the stream can give; refuse a stream that gives none."""
        there = tuple(name for name in self._match if name in fields)
        if not there and (self.mode != "create" or asked):
            possible = ", ".join(self._match) or "none by default: name one"
            hint = f"Map a column to one of them with fields ({possible}), name another field as match, or set mode: create."
            raise SettingError(
                f"{self.where}: no column of the stream is a field to match {self.resource.name} by", hint=hint
            )
        self._match = there

    def _prompt(self, by: str) -> bool:
        if self.resource.prompt is None:
            return True
        unique = [n for n, f in self.schema.get("properties", {}).items() if f.get("x-unique")]
        return by in (*self.resource.prompt, *unique, *self.resource.key)

    def _fixed(self, changed: Sequence[str], record: Record, found: Record) -> list[str]:
        """Return those of the *changed* fields that an update would silently ignore, save those that only a creation takes.

        What holds all that is sent is no other: an API adds its own to objects and lists.
        """
        return [
            name
            for name in changed
            if not self._heeded(name)
            and not self._property(name).get("writeOnly")
            and not _holds(found.get(name), record[name])
        ]

    def _heeded(self, name: str) -> bool:
        """Whether an update changes the field."""
        how = self.resource.update
        return not (isinstance(how, Write) and how.takes) or name in {*how.takes, *how.apart}

    def _complete(self, change: Change, found: Record) -> None:
        """Give *change* what the path of a request needs, and leave out what an update does not take."""
        how = self.resource.update or self.resource.delete or self.resource.archive
        if isinstance(how, Write):
            if how.takes:
                change.record = {k: v for k, v in change.record.items() if k in {*how.takes, *how.apart}}
            change.record |= {name: found[name] for name in how.apart if name not in change.record and name in found}

    def _is_id(self, name: str) -> bool:
        """Whether the field is the id that the API itself gave: then there is nothing to look up."""
        return name in self.resource.key and bool(self._property(name).get("readOnly"))

    def _property(self, name: str) -> Mapping[str, Any]:
        return self.schema.get("properties", {}).get(name, {})  # type: ignore[no-any-return]

    def _key_of(self, change: Change) -> Any:
        return self._key(str(change.by), change.value, change.record)

    def _key(self, by: str, value: Any, record: Mapping[str, Any]) -> Any:
        """Return what two records must agree in to be one."""
        text = _text(value).strip()
        return (
            by,
            text.lower() if by in self.resource.folded else text,
            *(str(record.get(w)) for w in self.resource.within),
        )

    def _same(self, name: str, ours: Any, found: Mapping[str, Any]) -> bool:
        """Whether a field need not be sent. When in doubt it is."""
        if name not in found:
            return False
        theirs = found[name]
        if ours in (None, "") or theirs in (None, ""):
            return ours in (None, "") and theirs in (None, "")
        if isinstance(ours, bool) or isinstance(theirs, bool):
            return str(ours).lower() == str(theirs).lower()
        if isinstance(ours, dict | list) or isinstance(theirs, dict | list):
            return bool(ours == theirs)
        one, other = _text(ours), _text(theirs)
        if name in self.resource.folded:
            one, other = one.lower(), other.lower()
        numeric = bool({"number", "integer"} & {*types(self._property(name))})
        timed = self._property(name).get("format") == "date-time"
        if isinstance(ours, str) and self._property(name).get("x-relation") and ours == found.get(f"{name}_name"):
            return True
        alike = (numeric and _same_number(ours, theirs)) or (timed and _same_moment(ours, theirs))
        return alike or one == other or bool(ours == theirs)

    def _id(self, record: Mapping[str, Any]) -> str:
        return str(record.get(self.resource.key[0]))

    def _remember(self, operation: str, outcome: Outcome) -> None:
        """Remember what was written, for look-ups that would not see it yet."""
        change = outcome.change
        if not change.by or self._prompt(change.by):
            return
        key = self._key_of(change)
        if outcome.kind is Kind.DELETED:
            self._recent.pop(key, None)
        elif outcome.kind in {Kind.CREATED, Kind.UPDATED} or (operation == "create" and outcome.kind is Kind.UNKNOWN):
            if len(self._recent) >= _REMEMBERED:
                self._recent.pop(next(iter(self._recent)))
            self._recent[key] = None if outcome.kind is Kind.UNKNOWN else outcome.id


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

    def settled(self, change: Change) -> bool:
        return self._outcomes[self.numbers[change.token]] is not None

    def waiting(self) -> list[Change]:
        return [c for c in self.changes if not self.settled(c)]

    def position(self, change: Change) -> int:
        return self.positions[self.numbers[change.token]]

    def in_order(self) -> list[Outcome]:
        return [
            o if o is not None else Outcome(c, Kind.UNKNOWN, problem=Problem("no outcome was reported for it"))
            for c, o in zip(self.changes, self._outcomes, strict=True)
        ]


def _distinct(batch: _Batch, changes: list[Change]) -> list[Change]:
    """Let the last of several changes to one record stand for all of them: no API takes a record twice in a batch."""
    last: dict[str | None, Change] = {}
    for change in changes:
        if earlier := last.pop(change.id, None):
            batch.settle(Outcome(earlier, Kind.SUPERSEDED, earlier.id, Problem("a later record is the same one there")))
        last[change.id] = change
    return list(last.values())


def _text(value: Any) -> str:
    """Return *value* as a text; 5 and 5.0 are the same number."""
    text = str(value)
    number = isinstance(value, float | Decimal) and "." in text and "e" not in text.lower()
    return text.rstrip("0").rstrip(".") if number else text


def _same_moment(one: Any, other: Any) -> bool:
    try:
        return moment.parse(one) == moment.parse(other)
    except (ValueError, OverflowError):
        return False


def _same_number(one: Any, other: Any) -> bool:
    try:
        return Decimal(str(one).strip()) == Decimal(str(other).strip())
    except InvalidOperation:
        return False


def _holds(theirs: Any, ours: Any) -> bool:
    """Whether *theirs* has all that *ours* has, and perhaps more in its objects."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(_holds(theirs.get(name), value) for name, value in ours.items())
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(theirs) == len(ours) and all(map(_holds, theirs, ours))
    return bool(ours == theirs) or (ours in (None, "") and theirs in (None, "")) or _same_number(ours, theirs)


def _older(sent_at: str, seconds: float) -> bool:
    return (moment.now() - moment.parse(sent_at)).total_seconds() > seconds


def _told_by_jobs(client: Client, resource: Resource, job: Job, intents: Sequence[Intent]) -> list[Outcome]:
    """Return what became of *intents* that jobs of the API's were to carry out, as their results tell."""
    changes: dict[str, list[Change]] = {}
    for intent in intents:
        changes.setdefault(str(intent.job), []).append(intent.change())
    return [outcome for id, group in changes.items() for outcome in job.results(client, resource, id, group)]


def settle_open(client: Client, journal: Journal) -> list[Outcome]:
    """Find out what became of everything that earlier runs had under way when they ended. Call before anything new is sent.

    Returns the outcomes that are known now; what may simply be done again is struck from the journal.
    """
    groups: dict[tuple[str, str], list[Intent]] = {}
    for intent in journal.open_intents():
        groups.setdefault((intent.resource, intent.operation), []).append(intent)
    known: list[Outcome] = []
    for (name, operation), intents in groups.items():
        try:
            resource = client.resource(name)
        except Unknown as error:  # an object that is no more
            outcomes = [Outcome(i.change(), Kind.UNKNOWN, problem=Problem(error.message)) for i in intents]
            journal.answered(outcomes)
            known += outcomes
            continue
        how = getattr(resource, operation, None)
        remembers = how.remembers if isinstance(how, Write) else 0
        # Under its token it is sent again, should the source send it again.
        left = [intent for intent in intents if not remembers or _older(intent.sent_at, remembers)]
        if not left:
            continue
        job = how.job if isinstance(how, Write) else None
        begun = [intent for intent in left if job and intent.job]
        told = _told_by_jobs(client, resource, job, begun) if job else []
        lost = {outcome.change.token for outcome in told if outcome.kind is Kind.UNKNOWN}
        outcomes = [outcome for outcome in told if outcome.kind is not Kind.UNKNOWN]
        for outcome in outcomes:
            outcome.operation = operation
        unsettled = [intent for intent in left if not (job and intent.job) or intent.token in lost]
        outcomes += Writer(client, resource).settle(operation, unsettled)
        journal.answered(outcomes)
        answered = {outcome.change.token for outcome in outcomes}
        journal.not_sent(intent.change() for intent in left if intent.token not in answered)
        known += outcomes
    return known
