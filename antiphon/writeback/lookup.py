"""Which records of an API changes are to: looked up in batches, what was found or written moments ago remembered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from antiphon import moment
from antiphon.api import Query, Record, Write
from antiphon.client import Client
from antiphon.errors import Refused
from antiphon.outcome import Change, Kind, Outcome, Problem, rejected
from antiphon.writeback.batch import Batch
from antiphon.writeback.flights import Flights, Steps
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.match import Match, text
from antiphon.writeback.recent import Recent

_REMEMBERED = 100_000
_LATE = 900
"""Seconds after which a look-up surely sees what was created."""
_LISTED = 10
AMBIGUOUS = "ambiguous"
"""The code of what is refused for it matches several records."""


class LookUp:
    """Finds the records that changes to one resource match."""

    def __init__(
        self,
        client: Client,
        match: Match,
        *,
        ledger: Ledger | None,
        recent: Recent | None,
        flights: Flights,
        by_id: bool = False,
    ) -> None:
        """Ask the *ledger* for what other runs have created moments ago; LookUps of one resource share *recent*.

        What goes by the API's own id is looked up only where *by_id* says so.
        """
        self._flights, self._by_id = flights, by_id
        self._client, self._resource, self._match, self._ledger = client, match.resource, match, ledger
        self.recent = recent or Recent()
        self._unset = (*match.marks, *match.further.values())
        """Fields that a new record has no values in, unless it is given some."""
        self._forms: dict[str, dict[str, list[str]]] = {}

    def __call__(self, batch: Batch, changes: list[Change]) -> Steps[list[tuple[Change, Record | None]]]:
        """Return each change with the record it matches; each is looked up by its first field, what is not found then by its next.

        What matches several records is none of them; it is among the doubts of *batch*, to be rejected with the candidates.
        """
        pairs: list[tuple[Change, Record | None]] = []
        left = {change.token: change for change in changes}
        for by in self._match.names:
            those = [change for change in left.values() if by in change.matches]
            if not those:
                continue
            for change in those:
                if change.by != by:
                    self._match.aim(change, by)
            heard: list[tuple[Change, Record | None]] = []
            yield from self._by(batch, by, those, heard)
            pairs += [(change, found) for change, found in heard if found is not None]
            done = {change.token for change, found in heard if found is not None}
            for token in done:
                batch.unsure.pop(token, None)
            done |= {change.token for change, _, _ in batch.doubts}
            left = {token: c for token, c in left.items() if token not in done and not batch.settled(c)}
        for change in left.values():
            if by := batch.unsure.pop(change.token, ""):
                said = f"a record with this {by} was sent before and not answered, and cannot be found yet"
                batch.settle(Outcome(change, Kind.UNKNOWN, problem=Problem(said)))
                continue
            if (by := self._match.made_by(change)) != change.by:
                self._match.aim(change, by)
            pairs.append((change, None))
        return pairs

    def _by(
        self, batch: Batch, by: str, changes: list[Change], pairs: list[tuple[Change, Record | None]]
    ) -> Steps[None]:
        """Add to *pairs* each of *changes* with the record that it matches by the field *by*; none where there is none."""
        if self._match.is_id(by) and not self._by_id:  # known already; if there is none, the API will say so
            sure = [c for c in changes if len(c.matches) == 1 or not self._resource.found_by(by)]
            pairs += [(change, {by: change.id}) for change in sure]
            known = {change.token for change in sure}
            changes = [change for change in changes if change.token not in known]
        asked = {by, *self._resource.key, *self._resource.within, *self._match.marks}
        asked |= {name for change in changes for name in change.record}
        if by in self._match.further:
            asked.add(self._match.further[by])
        if not batch.again:
            changes = [change for change in changes if not self._known(batch, change, asked, pairs)]
        if changes:
            yield from self._ask(batch, by, changes, tuple(sorted(asked)), pairs)

    def _ask(
        self,
        batch: Batch,
        by: str,
        changes: list[Change],
        asked: tuple[str, ...],
        pairs: list[tuple[Change, Record | None]],
    ) -> Steps[None]:
        """Look *changes* up by the field *by*, and add each to *pairs* with the record it matches, of which it is *asked* for these fields."""
        found: list[Record] = []
        turn = self.recent.turn
        if by in self._match.alike:
            self._there(by)  # read before several ask
        find = partial(self._find, batch, by, asked=asked)
        yield from self._flights.fly(find, self._parts(changes), found.extend, turn=batch.turn)
        hits: dict[Any, dict[str, Record]] = {}
        for record in found:
            for key in self._match.keys_in(by, record):
                hits.setdefault(key, {})[self._match.id(record)] = record
        if self._ledger and not self._match.prompt(by):
            self._ask_ledger(self._ledger, batch, changes)
        for change in changes:
            if batch.settled(change):
                continue
            key = self._match.key_of(change)
            mine = hits.get(key, {})
            if len(mine) == 1 and key not in self.recent.late:
                [(id, record)] = mine.items()
                self.recent.found(self._key(change), id, record, turn)
            if self._match.is_id(by):
                unseen = {by: change.id} if len(change.matches) == 1 else None
                pairs.append((change, mine.get(str(change.id), unseen)))
            else:
                self._matched(batch, change, [self._as_asked(batch, change, hit) for hit in mine.values()], pairs)

    def _as_asked(self, batch: Batch, change: Change, record: Record) -> Record:
        """Return the *record* that *change* has found as it shows the value it was found by; *batch* is told of its other keys."""
        by = str(change.by)
        if by not in self._match.further:
            return record
        keys, mine = self._match.keys_in(by, record), self._match.key_of(change)
        if len(keys) == 1:
            batch.others.pop(change.token, None)
            return record
        batch.others[change.token] = {*keys} - {mine}
        return record if keys[0] == mine else {**record, by: change.value}

    def _known(self, batch: Batch, change: Change, asked: set[str], pairs: list[tuple[Change, Record | None]]) -> bool:
        """Add to *pairs* what *change* matches, if that and the fields *asked* for are known since a moment ago."""
        record = self.recent.get(self._key(change), asked)
        by = str(change.by)
        if record is None or self._match.key_of(change) not in self._match.keys_in(by, record):
            return False
        pairs.append((change, self._as_asked(batch, change, record)))
        return True

    def _key(self, change: Change) -> Any:
        """Return by what a record is remembered: other writers may match in other ways."""
        return self._match.key_of(change), self._match.alike.get(str(change.by))

    def _keep(self, operation: str, outcome: Outcome, keys: Mapping[str, Any]) -> None:
        """Remember by its *keys* what a record has now, where that is sure: a PUT takes away what it does not name."""
        change, id, how = outcome.change, outcome.id or outcome.change.id, self._resource.update
        replaced = isinstance(how, Write) and how.method == "PUT"
        if id is None:
            return
        if operation == "create" and outcome.kind is Kind.CREATED and change.by:
            known = {change.by: change.value, self._resource.key[0]: id}
            record = dict.fromkeys(self._unset) | change.record | known
            for by, key in keys.items():
                self.recent.created((key, self._match.alike.get(by)), id, record)
        elif operation == "update" and outcome.kind is Kind.UPDATED and not replaced:
            self.recent.updated(id, change.record)
            for by, key in keys.items():
                if by in change.record and by != change.by:
                    self.recent.shared((key, self._match.alike.get(by)))
        else:
            self.recent.forget(id)

    def remember(self, operation: str, outcome: Outcome) -> None:
        """Remember what was written, for look-ups that would not see it yet, or need not be made."""
        change = outcome.change
        keys = self._keys(change)
        self._keep(operation, outcome, keys)
        if outcome.kind in {Kind.CREATED, Kind.UPDATED}:
            for by, value in change.matches.items():
                if by in self._forms and by in change.record:
                    self._note(by, value)
        lost = operation == "create" and outcome.kind is Kind.UNKNOWN
        late = self.recent.late
        for by, key in keys.items():
            if self._match.prompt(by):
                continue
            if outcome.kind is Kind.DELETED:
                late.pop(key, None)
            elif outcome.kind in {Kind.CREATED, Kind.UPDATED} or lost:
                if len(late) >= _REMEMBERED:
                    late.pop(next(iter(late)))
                late[key] = None if lost else outcome.id

    def _keys(self, change: Change) -> dict[str, Any]:
        """Return the keys of *change* by their fields, save its id's: what is created has another."""
        matches = change.matches or ({} if change.by is None else {change.by: change.value})
        return {
            by: self._match.key_of(change) if by == change.by else self._match.key(by, value, change.record)
            for by, value in matches.items()
            if not self._match.is_id(by)
        }

    def _ask_ledger(self, ledger: Ledger, batch: Batch, changes: list[Change]) -> None:
        """Remember what the *ledger* knows of *changes* that a look-up may not see yet."""
        keys = {batch.keys[c.token]: self._match.key_of(c) for c in changes}
        keys = {key: match for key, match in keys.items() if match not in self.recent.late}
        made = ledger.records.made(keys, int(moment.now().timestamp()) - _LATE)
        self.recent.late |= {keys[key]: id for key, id in made.items()}
        self.recent.late |= {keys[key]: None for key in ledger.unknown(keys)}

    def _parts(self, changes: list[Change]) -> list[list[Change]]:
        """Return *changes* in parts that are looked up at once: as many as one request takes, where the look-up says how many."""
        size = getattr(self._resource.find, "values", 0) if self._flights.most > 1 else 0
        size = size or len(changes)
        return [changes[start : start + size] for start in range(0, len(changes), size)]

    def _find(self, batch: Batch, by: str, changes: list[Change], asked: tuple[str, ...]) -> list[Record]:
        """Look *changes* up. One whose value the API does not even look for is rejected, and the others are looked up."""
        values = [c.value for c in changes]
        if by in self._match.alike:
            values = list(dict.fromkeys(form for value in values for form in self._spelled(by, value)))
        try:
            return self._client.find(self._resource, by, values, asked)
        except Refused as error:
            if len(changes) > 1:
                half = len(changes) // 2
                return [
                    *self._find(batch, by, changes[:half], asked=asked),
                    *self._find(batch, by, changes[half:], asked=asked),
                ]
            words = (error.message.partition(" -> ")[2] or error.message).removeprefix(f"{error.status} ")
            batch.settle(rejected(changes[0], words, status=error.status, code=error.code))
            return []

    def _spelled(self, by: str, value: Any) -> list[Any]:
        """Return the forms in which the API may have *value*: as it came, as all alike, and as it is there."""
        words = self._match.plain(by, text(value).strip())
        return [value, words, *self._there(by).get(words, ())]

    def _there(self, by: str) -> dict[str, list[str]]:
        """Return the values of the field *by* that the API has, by what they are all alike; read once, where it does not find them itself."""
        if by not in self._forms:
            self._forms[by] = {}
            query = Query(fields=(*self._resource.key, by))
            for page in self._client.read(self._resource, query) if self._match.hidden(by) else ():
                for record in page.records:
                    if record.get(by) not in (None, ""):
                        self._note(by, record[by])
        return self._forms[by]

    def _note(self, by: str, value: Any) -> None:
        words = text(value)
        self._there(by).setdefault(self._match.plain(by, words.strip()), []).append(words)

    def _matched(
        self, batch: Batch, change: Change, hits: list[Record], pairs: list[tuple[Change, Record | None]]
    ) -> None:
        """Add to *pairs* what *change* matches: what was found, or what was created and cannot be found yet."""
        key = self._match.key_of(change)
        if len(hits) > 1:
            ids = [self._match.id(hit) for hit in hits]
            listed = ", ".join(ids[:_LISTED]) + (", …" if len(ids) > _LISTED else "")
            said = f"{len(ids)} records have the {change.by} {change.value}: {listed}"
            batch.doubts.append((change, ids, rejected(change, said, code=AMBIGUOUS)))
        elif key not in self.recent.late:
            pairs.append((change, hits[0] if hits else None))
        elif (id := self.recent.late[key]) is not None:  # written moments ago: a look-up may show what was there before
            seen = {name: value for name, value in (hits[0] if hits else {}).items() if name not in change.record}
            pairs.append((change, {**seen, self._resource.key[0]: id}))
        elif hits:
            del self.recent.late[key]
            if self._ledger:
                self._ledger.found(batch.keys[change.token])
            pairs.append((change, hits[0]))
        else:
            batch.unsure[change.token] = str(change.by)
            pairs.append((change, None))
