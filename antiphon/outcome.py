"""What becomes of one record: a :class:`Change` asked for, an :class:`Outcome` got, and how replies are read for them."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from antiphon.fill import look

Record = dict[str, Any]


class Kind(enum.StrEnum):
    """The nine things that can become of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    DONE = "done"  # an action was carried out
    SKIPPED = "skipped"  # the mode says no
    SUPERSEDED = "superseded"  # a later record of the same batch has the same key
    REJECTED = "rejected"  # refused, by us or by the API
    UNKNOWN = "unknown"  # the answer was lost and could not be found out


@dataclass(slots=True)
class Change:
    """One record to be written: its fields as the API names them, and how it is found on the other side."""

    record: Record
    id: str | None = None
    by: str | None = None
    """The field that the record is matched by."""
    value: Any = None
    """What stands in that field."""
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Unique for this change; stays the same when it is sent again (idempotency key, trace id)."""

    def values(self) -> dict[str, Any]:
        """Return what the placeholders of a :class:`~antiphon.api.Write` may name."""
        return {
            "record": self.record,
            "id": self.id,
            "match": {"field": self.by, "value": self.value},
            "token": self.token,
        }


@dataclass(slots=True)
class Problem:
    """Why a record was refused: the HTTP status (0: we refused it), the API's word for it, and its text."""

    message: str
    status: int = 0
    code: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return ``{status, code, message}``, as a rejects file has it."""
        return {"status": self.status, "code": self.code, "message": self.message}


@dataclass(slots=True)
class Outcome:
    """What became of one change."""

    change: Change
    kind: Kind
    id: str | None = None
    """The record's id on the other side."""
    problem: Problem | None = None
    record: Record | None = None
    """The record as the API returned it."""
    attempts: int = 1
    operation: str = ""
    """What was asked of the API for it: ``create``, ``update`` …; empty where nothing was."""
    sent_at: str = ""
    done_at: str = ""

    @property
    def ok(self) -> bool:
        """Whether what was asked for is so now."""
        return self.kind not in {Kind.REJECTED, Kind.UNKNOWN}


def rejected(change: Change, message: str, *, status: int = 0, code: str = "") -> Outcome:
    """Return the outcome of a record that we or the API refused."""
    return Outcome(change, Kind.REJECTED, change.id, Problem(message, status, code))


@dataclass(frozen=True, slots=True)
class Said:
    """A reply to a write: its HTTP status and its decoded body (None where it had none)."""

    status: int
    body: Any


#: A reply, the changes it answers and what success means here -> an Outcome for each of the changes.
Outcomes = Callable[[Said, Sequence[Change], Kind], list[Outcome]]


@dataclass(frozen=True)
class One:
    """The reply holds the one record that was written, and its id at *id*."""

    id: str = "id"
    at: str = ""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Read *said* for the only change there is."""
        [change] = changes
        if said.body is None and said.status != HTTPStatus.NO_CONTENT:
            return [unanswered(change)]
        body = look(said.body, self.at)
        found = look(body, self.id)
        return [
            Outcome(
                change,
                kind,
                change.id if found is None else str(found),
                record=body if isinstance(body, dict) else None,
            )
        ]


@dataclass(frozen=True)
class Nothing:
    """The API answers without a word for each record: its status speaks for all of them (a 204 after a delete)."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:  # noqa: ARG002
        """Take the reply as the answer for every change."""
        return [Outcome(change, kind, change.id) for change in changes]


@dataclass(frozen=True)
class PerItem:
    """The reply holds a list with an entry per record, in the order they were sent.

    ``error`` is where an entry that failed has its words; ``code`` its code; ``status`` the field that must equal
    ``good`` where the API says success that way.
    """

    at: str = ""
    id: str = "id"
    error: str = "error"
    code: str = "code"
    status: str = ""
    good: Any = None

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Pair entries with changes; an entry that is missing leaves its change unknown."""
        items = look(said.body, self.at)
        items = items if isinstance(items, list) else []
        return [self._one(change, items[n] if n < len(items) else None, kind) for n, change in enumerate(changes)]

    def _one(self, change: Change, item: Any, kind: Kind) -> Outcome:
        if item is None:
            return unanswered(change)
        failed = look(item, self.status) != self.good if self.status else bool(look(item, self.error))
        if failed:
            return rejected(change, str(look(item, self.error) or item), code=str(look(item, self.code) or ""))
        found = look(item, self.id)
        return Outcome(change, kind, change.id if found is None else str(found), record=item)


def unanswered(change: Change) -> Outcome:
    """Return the outcome of a change that the API's reply does not mention."""
    return Outcome(change, Kind.UNKNOWN, change.id, Problem("the reply does not mention this record"))


#: What `outcomes` may be, by the word for it in a description.
KINDS: dict[str, type] = {"one": One, "nothing": Nothing, "per_item": PerItem}
