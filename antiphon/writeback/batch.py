"""The records of one write and what has become of them so far: each settled once, told in the order they came."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from antiphon.api import Record
from antiphon.outcome import Change, Kind, Outcome, Problem
from antiphon.writeback.records import Known

_UNHEARD = Problem("no outcome was reported for it")


@dataclass(frozen=True)
class Refused:
    """Why a record is not written, before it is known which one it is."""

    why: str
    code: str = ""
    brief: str = ""
    """The same without anything of the record."""
    columns: Collection[str] = ()
    """Its columns that are not to be believed."""
    sure: bool = True
    """Whether these are all."""


@dataclass(slots=True)
class Sharing:
    """What of a batch is looked for by several fields and has values in common with others."""

    mixed: set[bytes] = field(default_factory=set)
    """Keys in the ledger of what shares a value with another change that goes by another key."""
    last: dict[str, set[bytes]] = field(default_factory=dict)
    """By the token of the last of such as share values: what stands in the ledger for these."""
    repeated: dict[str, Known] = field(default_factory=dict)
    """By token: deletions that were done before, and may be looked for once more, with what is known of them."""


class Batch:
    """Records that are written together, and how that goes beside the batches before it that are not done yet."""

    def __init__(self, records: Sequence[Record], positions: Sequence[int], version: int | None = None) -> None:
        """Begin with nothing known of *records*; *positions* are theirs in the stream, which is of that *version* if it has any."""
        self.positions, self.version = positions, version
        self.numbers: dict[str, int] = {}
        self.changes: list[Change] = []
        self.standing: dict[int, Change] = {}
        """What is to be written, by number: a change, or one that stands for several to the same record."""
        self.stood_for: dict[int, list[Change]] = {}
        """By the number of what stands for several: these, in their order."""
        self.after: dict[int, Change] = {}
        """By number: what is to be written before it, for it has the same key in the ledger."""
        self.deletions: set[str] = set()
        self.gone: set[int] = set()
        """Numbers of the records that say themselves that they are gone: they are not in the source."""
        self.alone: dict[int, bytes] = {}
        """Of these what tells them from others, if what is before them is not done."""
        self.identities: dict[str, bytes] = {}
        self.keys: dict[str, bytes] = {}
        self.unsure: dict[str, str] = {}
        """Tokens of what was perhaps created before and cannot be found yet, and the fields by which it was not found."""
        self.others: dict[str, set[Any]] = {}
        """By token: the keys by which what was found is found as well."""
        self.rewritten: dict[bytes, int] = {}
        """Keys in the ledger of records that were written by another key of theirs, and the number of what did it last."""
        self.sharing = Sharing()
        self.doubts: list[tuple[Change, list[str], Outcome]] = []
        """What matches several records, their ids, and what is to become of it if it still does when it is its turn."""
        self.busy: list[Change] = []
        """What waits for another run, which has one to the same key under way."""
        self.begun: set[str] = set()
        """Tokens of what was sent, or was about to be."""
        self.again = False
        """Whether what has waited is looked up anew."""
        self.received = 0
        """How many records of the stream had been received when it was made."""
        self.told: set[str] = set()
        """Tokens of what the ledger told the outcome of."""
        self.perhaps: dict[str, str | None] = {}
        """Ids by token: what an earlier run perhaps created, of these very values."""
        self.stale: list[tuple[bytes, bytes, str | None, str]] = []
        """Of these what it was long ago told last: key, content, id and outcome."""
        self.turn = 0
        """Its number among those under way."""
        self.done = False
        self.earlier: Sequence[Batch] = ()
        """Those that were under way when it was begun."""
        self.by: tuple[object, str] | None = None
        """Who writes it, and the one field that all its records are matched by; None where it is not to be written beside others."""
        self.matches: frozenset[Any] = frozenset()
        """What its records are matched by."""
        self._outcomes: list[Outcome | None] = [None] * len(records)

    @property
    def first(self) -> bool:
        """Whether all before it are done."""
        return all(batch.done for batch in self.earlier)

    @property
    def free(self) -> bool:
        """Whether nothing before it may be about the same records, which cannot be told where they are matched by other fields."""
        return all(
            batch.done or (batch.by is not None and batch.by == self.by and self.matches.isdisjoint(batch.matches))
            for batch in self.earlier
        )

    def add(self, change: Change, n: int) -> None:
        """Take *change*, made of the *n*-th record."""
        self.numbers[change.token] = n
        self.changes.append(change)
        self.standing[n] = change

    def stand(self, change: Change, several: Sequence[Change]) -> None:
        """Let *change* stand for *several*, and go by the last of them unless it is one of them itself."""
        n = self.numbers.setdefault(change.token, self.numbers[several[-1].token])
        these = [one for each in several for one in self.members(each)]
        for one in several:
            self.standing.pop(self.numbers[one.token], None)
            self.stood_for.pop(self.numbers[one.token], None)
        self.standing[n], self.stood_for[n] = change, these

    def members(self, change: Change) -> list[Change]:
        """Return what *change* stands for: itself, or several in their order."""
        return self.stood_for.get(self.numbers[change.token], [change])

    def disband(self, change: Change) -> list[Change]:
        """Let what *change* stands for be written each by itself; return it."""
        these = self.stood_for.pop(self.numbers[change.token])
        for one in these:
            n = self.numbers[one.token]
            self.standing[n], self._outcomes[n] = one, None
        return these

    def reopen(self, change: Change) -> None:
        """Let *change*, of which the ledger told what has become of it, be written after all, and so what was to be written before it."""
        self.told.discard(change.token)
        self.stale = [one for one in self.stale if one[0] != self.keys[change.token]]
        n = self.numbers[change.token]
        self._outcomes[n] = None
        while (before := self.after.get(n)) and (outcome := self.became(before)) and outcome.kind is Kind.SUPERSEDED:
            n = self.numbers[before.token]
            self._outcomes[n] = None

    def settle(self, outcome: Outcome) -> None:
        """Keep what has become of a change."""
        self._outcomes[self.numbers[outcome.change.token]] = outcome

    def rename(self, change: Change, token: str) -> None:
        """Let *change* go by another token."""
        self.numbers[token] = self.numbers.pop(change.token)
        self.identities[token] = self.identities.pop(change.token)
        if change.token in self.keys:
            self.keys[token] = self.keys.pop(change.token)
        if change.token in self.deletions:
            self.deletions.add(token)
        change.token = token

    def done_as_it_stood(self, change: Change) -> bool:
        """Return whether *change* was written, and nothing of what it stands for by itself."""
        outcome = self.became(change)
        return outcome is not None and outcome.ok and self.standing.get(self.numbers[change.token]) is change

    def stands(self, change: Change) -> bool:
        """Return whether *change* is to be written as it is, and nothing has become of it yet."""
        return self.standing.get(self.numbers[change.token]) is change and not self.settled(change)

    def settled(self, change: Change) -> bool:
        """Return whether it is known what has become of *change*."""
        return self._outcomes[self.numbers[change.token]] is not None

    def waiting(self) -> list[Change]:
        """Return the changes that nothing has become of yet."""
        return [self.standing[n] for n in sorted(self.standing) if self._outcomes[n] is None]

    def became(self, change: Change) -> Outcome | None:
        """Return what has become of *change*, if that is known."""
        return self._outcomes[self.numbers[change.token]]

    def told_unchanged(self) -> list[Outcome]:
        """Return the outcomes of what need not be written, as the ledger told."""
        those = [self.became(change) for change in self.standing.values() if change.token in self.told]
        return [outcome for outcome in those if outcome and outcome.kind in {Kind.UNCHANGED, Kind.SUPERSEDED}]

    def position(self, change: Change) -> int:
        """Return the place in the stream of the record that *change* was made of."""
        return self.positions[self.numbers[change.token]]

    def heard(self, changes: Iterable[Change]) -> None:
        """Settle what of *changes*, all of which were sent, nothing was heard of and no other run has under way."""
        waits = {change.token for change in self.busy}
        for change in changes:
            if not self.settled(change) and change.token not in waits:
                self.settle(Outcome(change, Kind.UNKNOWN, problem=_UNHEARD))

    def in_order(self) -> list[Outcome]:
        """Return an outcome for each record."""
        return [
            o if o is not None else Outcome(c, Kind.UNKNOWN, problem=_UNHEARD)
            for c, o in zip(self.changes, self._outcomes, strict=True)
        ]
