"""The records of one write and what has become of them so far: each settled once, told in the order they came."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.api import Record
from antiphon.outcome import Change, Kind, Outcome, Problem


class Batch:
    """The records of one call to :meth:`~antiphon.writeback.writer.Writer.write`."""

    def __init__(self, records: Sequence[Record], positions: Sequence[int]) -> None:
        self.positions = positions
        self.numbers: dict[str, int] = {}
        self.changes: list[Change] = []
        self.deletions: set[str] = set()
        self.identities: dict[str, bytes] = {}
        self.keys: dict[str, bytes] = {}
        self.busy: list[Change] = []
        """What waits for another run, which has one to the same key under way."""
        self.begun: set[str] = set()
        """Tokens of what was sent, or was about to be."""
        self.again = False
        """Whether what has waited is looked up anew."""
        self._outcomes: list[Outcome | None] = [None] * len(records)

    def add(self, change: Change, n: int) -> None:
        """Take *change*, made of the *n*-th record."""
        self.numbers[change.token] = n
        self.changes.append(change)

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

    def settled(self, change: Change) -> bool:
        """Return whether it is known what has become of *change*."""
        return self._outcomes[self.numbers[change.token]] is not None

    def waiting(self) -> list[Change]:
        """Return the changes that nothing has become of yet."""
        return [c for c in self.changes if not self.settled(c)]

    def position(self, change: Change) -> int:
        """Return the place in the stream of the record that *change* was made of."""
        return self.positions[self.numbers[change.token]]

    def in_order(self) -> list[Outcome]:
        """Return an outcome for each record."""
        return [
            o if o is not None else Outcome(c, Kind.UNKNOWN, problem=Problem("no outcome was reported for it"))
            for c, o in zip(self.changes, self._outcomes, strict=True)
        ]


def distinct(batch: Batch, changes: list[Change]) -> list[Change]:
    """Let the last of several changes to one record stand for all of them: no API takes a record twice in a batch."""
    last: dict[str | None, Change] = {}
    for change in changes:
        if earlier := last.pop(change.id, None):
            batch.settle(Outcome(earlier, Kind.SUPERSEDED, earlier.id, Problem("a later record is the same one there")))
        last[change.id] = change
    return list(last.values())
