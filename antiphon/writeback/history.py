"""What earlier runs tell of the records of a batch: done already, unchanged since, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from antiphon import moment
from antiphon.api import Record, Resource, Write
from antiphon.outcome import Change, Kind, Outcome, Problem
from antiphon.writeback.batch import Batch
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.match import Match
from antiphon.writeback.records import PERHAPS, Known

_FRESH = 86400
"""Seconds for which it need not be noted that a record was seen again."""
_WRITTEN = frozenset({Kind.CREATED, Kind.UPDATED, Kind.DELETED})
"""What the ledger was told when it was answered, the version as well."""
_THERE = frozenset({Kind.CREATED, Kind.UPDATED, Kind.UNCHANGED})


class History:
    """What the *ledger* has of one *stream*."""

    def __init__(self, ledger: Ledger, match: Match, stream: str, *, creating: bool, full: bool) -> None:
        """*creating* is a stream whose mode leaves alone what is there; a *full* run asks the API all the same."""
        self._ledger, self._match, self._stream = ledger, match, stream
        self._resource: Resource = match.resource
        self._creating, self._full = creating, full
        self._recalling = ledger.earlier()
        self._stale = int(moment.now().timestamp()) - _FRESH
        self._new = not ledger.records.any(stream)
        """Whether nothing was known of it when this run met it: what this one writes twice it need not know, save of lately."""
        ledger.describe(stream, self._resource.name, match.names)

    def mark(self, batch: Batch, change: Change, *, deletion: bool) -> None:
        """Give *change*, whole as it is, what it is known by."""
        name, record = self._resource.name, change.record
        identity = self._ledger.identity(name, record, change.by, change.value, deletion=deletion)
        batch.identities[change.token] = identity
        if change.by is not None:
            batch.keys[change.token] = self._ledger.key(name, self._match.key_of(change))

    def key(self, match: Any) -> bytes:
        """Return what stands in the ledger for a record of the key *match*."""
        return self._ledger.key(self._resource.name, match)

    def doubt(self, keys: Iterable[bytes]) -> None:
        """Let what was written last by these *keys* count no more."""
        number = self._ledger.records.stream(self._stream)
        known = self._ledger.records.known(self._stream, list(keys))
        self._ledger.records.doubt([(number, key) for key, one in known.items() if one.content])

    def follow(self, batch: Batch) -> None:
        """Let the identity of a change tell what is written before it that may be to the same record: a run that has done it has done all of it."""
        last: dict[Any, Change] = {}
        if self._match.several:
            self._join(batch)
        for change in batch.waiting():
            if change.token not in batch.keys or batch.keys[change.token] in batch.sharing.mixed:
                continue
            keys = self._match.keys_of(change)
            if before := {last[key].token: last[key] for key in keys if key in last}:
                those = sorted(before.values(), key=lambda one: batch.numbers[one.token])
                n, token = batch.numbers[change.token], change.token
                batch.after[n], batch.alone[n] = those[-1], batch.identities[token]
                whole = [batch.identities[one.token].hex() for one in (*those, change)]
                batch.identities[token] = self._ledger.key(self._resource.name, whole)
            last |= dict.fromkeys(keys, change)

    def _join(self, batch: Batch) -> None:
        """Let the identity of a change that shares a value with another, or is joined to it by others, tell all that is written before it.

        That is where they go by several keys in the ledger: what one of them finds depends on all of these.
        """
        joined: dict[Any, Any] = {}

        def root(key: Any) -> Any:
            while joined[key] != key:
                joined[key] = key = joined[joined[key]]
            return key

        those = [change for change in batch.waiting() if change.token in batch.keys]
        for change in those:
            first, *_ = keys = self._match.keys_of(change)
            for key in keys:
                joined.setdefault(key, key)
                joined[root(key)] = root(first)
        sets: dict[Any, list[Change]] = {}
        for change in those:
            sets.setdefault(root(self._match.keys_of(change)[0]), []).append(change)
        for some in sets.values():
            mine = {batch.keys[change.token] for change in some}
            if len(mine) > 1:
                batch.sharing.mixed |= mine
                self._chain(batch, some)

    def _chain(self, batch: Batch, some: Sequence[Change]) -> None:
        whole = batch.identities[some[0].token]
        for before, change in pairwise(some):
            n = batch.numbers[change.token]
            batch.after[n], batch.alone[n] = before, batch.identities[change.token]
            whole = self._ledger.key(self._resource.name, [whole.hex(), batch.alone[n].hex()])
            if change.token not in batch.deletions:
                batch.identities[change.token] = whole
        values = {self.key(key) for change in some for key in self._match.keys_of(change)}
        batch.sharing.last[some[-1].token] = values

    def taken_over(self) -> None:
        """Hear that a run beside this one has ended and left something."""
        self._recalling, self._new = True, False

    def settle(self, batch: Batch, changes: Sequence[Change]) -> None:
        """Settle of *changes* what need not be sent: what an interrupted run has done, and what is as it was written last."""
        if self._recalling:
            self._recall(batch)
        keyed = {c.token: batch.keys[c.token] for c in changes if c.token in batch.keys and not batch.settled(c)}
        if self._new and not self._ledger.records.lately(keyed.values()):
            return
        known = self._ledger.records.known(self._stream, keyed.values())
        known = self._sure(batch, changes, known) if self._match.several else known
        overtaken = []
        for change in changes:
            one = known.get(keyed.get(change.token, b""))
            if one and one.content == batch.identities[change.token]:
                if one.kind == PERHAPS and change.record.keys() - {change.by}:
                    batch.perhaps[change.token] = one.remote_id
                if self._full:
                    continue
                if outcome := self._unchanged(change, one):
                    self._tell(batch, outcome, one)
                elif one.kind == Kind.SUPERSEDED:
                    overtaken.append((change, one))
        if overtaken:
            self._overtaken(batch, overtaken)

    def _sure(self, batch: Batch, changes: Iterable[Change], known: dict[bytes, Known]) -> dict[bytes, Known]:
        """Return of what is *known* what may be told of *changes* that are looked for by several fields.

        What shares values with others is told with all of them, or looked up; of a deletion it is to be seen first whether there is one again.
        """
        sure = {}
        for change in changes:
            key = batch.keys.get(change.token, b"")
            one = known.get(key)
            if one and one.kind == Kind.DELETED and not self._full:
                if one.content == batch.identities[change.token]:
                    batch.sharing.repeated[change.token] = one
            elif one and (one.kind == PERHAPS or key not in batch.sharing.mixed or self._whole(batch, change, one)):
                sure[key] = one
        return sure

    def _whole(self, batch: Batch, change: Change, one: Known) -> bool:
        """Whether all that shares values with *change* may be done with it, the last: nothing of it is written yet, and all the stream knows by these is *one*."""
        if change.token not in batch.sharing.last or batch.settled(batch.after[batch.numbers[change.token]]):
            return False
        known = self._ledger.records.known(self._stream, batch.sharing.last[change.token])
        return all(other.remote_id == one.remote_id for other in known.values() if other.kind != Kind.DELETED)

    def look_again(self, batch: Batch, changes: Iterable[Change]) -> None:
        """Let those of *changes* that were deleted before be looked for where they may be again; settle what may be nowhere.

        That is by the first of their values, and by others under which the stream knows a record. What else has one of these is another
        record: a deletion that comes twice is not to take two away.
        """
        those = [change for change in changes if change.token in batch.sharing.repeated]
        keys = {c.token: {by: self.key(self._match.key(by, v, c.record)) for by, v in c.matches.items()} for c in those}
        known = self._ledger.records.known(self._stream, {key for some in keys.values() for key in some.values()})
        for change in those:
            first = next(iter(change.matches))
            again = {
                by: value
                for by, value in change.matches.items()
                if (by == first and not self._match.is_id(by))
                or ((one := known.get(keys[change.token][by])) and one.kind != Kind.DELETED)
            }
            if again:
                change.matches = again
                self._match.aim(change, next(iter(again)))
            elif outcome := self._unchanged(change, batch.sharing.repeated[change.token]):
                self._tell(batch, outcome, batch.sharing.repeated[change.token])

    def found(self, batch: Batch, pairs: Iterable[tuple[Change, Record | None]]) -> set[str]:
        """Let what was found be known as it was written by its own key alone, where one may be written by several fields; return the ids.

        What is written under one of its keys changes what was written under the others.
        """
        if not self._match.several:
            return set()
        those = [(change, self._match.id(there)) for change, there in pairs if there is not None]
        ids = {id for _, id in those}
        self._ledger.records.rewritten(self._stream, ids, {batch.keys.get(change.token, b"") for change, _ in those})
        return ids

    def upserted(self, batch: Batch, changes: Iterable[Change]) -> None:
        """Let only what was written now be known of what the API itself has found, as with :meth:`found`."""
        if self._match.several:
            became = {change.token: batch.became(change) for change in changes}
            mine = {
                o.id: batch.keys[token] for token, o in became.items() if o and o.ok and o.id and token in batch.keys
            }
            self._ledger.records.rewritten(self._stream, mine, set(mine.values()))

    def keep(self, batch: Batch, outcomes: list[Outcome]) -> None:
        """Keep what was found to be so already, and of every record that it is in the batch's version of the stream, if that has one.

        What was looked for and is not there is not as it was written last.
        """
        found = [*batch.stale]
        seen = []
        gone: dict[bytes, bool] = {}
        latest: dict[str | None, Outcome] = {}
        if batch.after or batch.others or self._match.several:
            latest = {outcome.id: outcome for outcome in outcomes if outcome.kind in _WRITTEN}
        for n, outcome in enumerate(outcomes):
            token = outcome.change.token
            key = batch.keys.get(token)
            known = token in batch.told or token in batch.sharing.repeated
            missing = outcome.kind is Kind.SKIPPED and outcome.id is None and not known
            if key is not None and (missing or outcome.kind in _WRITTEN | {Kind.UNCHANGED}):
                gone[key] = missing
            restored = outcome.kind is Kind.UPDATED and outcome.operation == "restore"
            left = outcome.kind is Kind.SUPERSEDED or (outcome.kind is Kind.SKIPPED and self._creating)
            there = outcome.kind is Kind.UNCHANGED or restored or (left and outcome.id is not None)
            if there and token in batch.keys and token not in batch.told:
                kind: Kind = outcome.kind if left else Kind.UNCHANGED
                if outcome.kind is Kind.UNCHANGED and batch.perhaps.get(token) == outcome.id is not None:
                    kind = Kind.CREATED
                later = latest.get(outcome.id) if outcome.kind is Kind.UNCHANGED else None
                written = later is not None and batch.numbers[later.change.token] > n
                if written and later and (later.kind is Kind.DELETED or batch.keys.get(later.change.token) == key):
                    continue  # the ledger was told when that was answered
                written = written or batch.rewritten.get(batch.keys[token], -1) > n
                found.append((batch.keys[token], b"" if written else batch.identities[token], outcome.id, kind.value))
            elif token in batch.keys and outcome.kind not in _WRITTEN:
                seen.append(batch.keys[token])
        number = self._ledger.records.stream(self._stream)
        self._ledger.records.doubt([(number, key) for key, last in gone.items() if last])
        self._ledger.records.keep(self._stream, found, batch.version)
        if batch.version is not None:
            self._ledger.records.see(self._stream, seen, batch.version)
            if self._match.several:  # another may have taken its key since
                ids = {o.id for o in outcomes if o.ok and o.id is not None and o.kind is not Kind.DELETED}
                self._ledger.records.met(self._stream, ids, batch.version)

    def unplaced(self, batch: Batch, outcomes: Sequence[Outcome]) -> list[int]:
        """Return the numbers of records in the source that may be any of those known, and keep for the batch's version that there are such.

        One has its place if it was found there by the last of its values, or if it has one alone, and the record of an id was written
        last by that: by the others may go another. What was found there is in the version as well.
        """
        left = {n: o for n, o in enumerate(outcomes) if n not in batch.gone and not (o.ok and o.id is not None)}
        if not left or batch.version is None:
            return []
        records = self._ledger.records
        ids = {n: id for n, o in left.items() if (id := o.id or o.change.id)}
        known = records.met(self._stream, ids.values(), batch.version)
        last = {n: str(o.change.by) for n, o in left.items() if list(o.change.matches)[-1:] == [o.change.by]}
        found = {n for n, by in last.items() if n in ids and (ids[n] in known or not self._match.is_id(by))}
        single = {n for n, o in left.items() if len(o.change.matches) == 1 and n not in found}
        keys = {n: key for n in single if (key := batch.keys.get(left[n].change.token))}
        placed = records.placed(self._stream, keys.values())
        unplaced = [n for n in left if n not in found and keys.get(n) not in placed]
        records.add_unplaced(self._stream, batch.version, len(unplaced))
        return unplaced

    def _tell(self, batch: Batch, outcome: Outcome, one: Known) -> None:
        batch.told.add(outcome.change.token)
        batch.settle(outcome)
        if one.at < self._stale:
            batch.stale.append((batch.keys[outcome.change.token], one.content, one.remote_id, one.kind))

    def _overtaken(self, batch: Batch, those: Iterable[tuple[Change, Known]]) -> None:
        """Settle what a later record stood for, and does again: it is unchanged too, in the same batch."""
        told = (outcome for outcome in batch.told_unchanged() if outcome.kind is Kind.UNCHANGED)
        last = {outcome.id: batch.numbers[outcome.change.token] for outcome in told}
        for change, one in those:
            if one.remote_id and last.get(one.remote_id, -1) > batch.numbers[change.token]:
                said = Problem("a later record is the same one there")
                self._tell(batch, Outcome(change, Kind.SUPERSEDED, one.remote_id, said), one)

    def _unchanged(self, change: Change, one: Known) -> Outcome | None:
        """Return the outcome of *change*, which is what was written last; None where that tells nothing."""
        if one.kind in _THERE:
            return Outcome(change, Kind.UNCHANGED, one.remote_id)
        if one.kind == Kind.DELETED:
            return Outcome(change, Kind.SKIPPED, one.remote_id, Problem("it was deleted before"))
        if one.kind == Kind.SKIPPED and self._creating:
            return Outcome(change, Kind.SKIPPED, one.remote_id, Problem(f"there is one with this {change.by}"))
        return None

    def _recall(self, batch: Batch) -> None:
        asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting() if c.by is None]
        for outcome in self._ledger.recall(self._stream, asked):
            batch.settle(outcome)
        self._recalling = self._ledger.earlier()
        writes = (self._resource.create, self._resource.update)
        remembered = max((how.remembers for how in writes if isinstance(how, Write)), default=0)
        if remembered:
            since = moment.rfc3339(moment.now() - timedelta(seconds=remembered))
            asked = [(c, batch.identities[c.token], batch.position(c)) for c in batch.waiting()]
            tokens = self._ledger.tokens(self._stream, asked, since)
            for change in batch.waiting():
                if earlier := tokens.get(change.token):
                    batch.rename(change, earlier)
