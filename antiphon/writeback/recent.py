"""What was found and written moments ago, of one resource: a record that comes in batch after batch is looked up once.

That a record is there is believed for a minute. That there is none never is: somebody may have made it meanwhile, and it would be made
twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from antiphon.kept import Kept
from antiphon.outcome import Record

_MOST = 10_000
_SECONDS = 60


class Recent:
    """Shared by all who write to the resource in one run: what one of them writes, the others know."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.late: dict[Any, str | None] = {}
        """Match key -> id of what was written and may not be found by a look-up yet; None: perhaps it was created."""
        self.turn = 0
        """How many records were written so far."""
        self._ids: Kept[Any, str] = Kept(_MOST, _SECONDS)
        self._records: Kept[str, tuple[int, Record | None]] = Kept(_MOST, _SECONDS)
        """By id: the turn at which a record was written, or asked for, and what it has since then; None where that is not known."""

    def get(self, key: Any, fields: set[str]) -> Record | None:
        """Return the record of that *key*, if all these *fields* of it are known."""
        id = self._ids.get(key)
        record = self._of(id) if id is not None else None
        return record if record is not None and fields <= record.keys() else None

    def found(self, key: Any, id: str, record: Record, turn: int) -> None:
        """Note what a look-up by *key*, begun at that *turn*, has found: the record, if it was not written since."""
        self._ids.put(key, id)
        known = self._records.get(id)
        if known is None or known[0] <= turn:
            self._records.put(id, (turn, record))

    def created(self, key: Any, id: str, record: Record) -> None:
        """Note that there is a *record* of that *key* now."""
        self._ids.put(key, id)
        self._written(id, record)

    def updated(self, id: str, fields: Record) -> None:
        """Note that the record of that *id* has these *fields* now."""
        known = self._of(id)
        self._written(id, known | fields if known is not None else None)

    def rewritten(self, ids: Collection[str], spared: Collection[Any]) -> None:
        """Note that the records with these *ids* may go by other keys now than they did, save those *spared*."""
        if ids and self.late:
            gone = [key for key, id in self.late.items() if id in ids]
            self.late |= dict.fromkeys(set(gone).difference(spared))

    def shared(self, key: Any) -> None:
        """Note that several records may be of that *key* by now."""
        self._ids.drop(key)

    def forget(self, id: str) -> None:
        """Note that the record of that *id* was written, and what it has now is not known."""
        self._written(id, None)

    def _of(self, id: str) -> Record | None:
        known = self._records.get(id)
        return known[1] if known else None

    def _written(self, id: str, record: Record | None) -> None:
        self.turn += 1
        self._records.put(id, (self.turn, record))
