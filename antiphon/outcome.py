"""What becomes of one record: a :class:`Change` asked for, an :class:`Outcome` got, and how replies are read for them."""

from __future__ import annotations

import enum
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import count
from typing import Any, Literal
from urllib.parse import unquote

import msgspec

from antiphon.fill import look

Record = dict[str, Any]
_RANGE = re.compile(r"(\d+)-(\d+)")
_IN_BRACKETS = re.compile(r"[^()]*\((.*)\)")


class _Tokens:
    """Numbers under a random name that no other process has: to ask the system for each token anew takes it longer than the rest of a change."""

    def __init__(self) -> None:
        self._begin()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._name, self._numbers = secrets.token_hex(8), count()

    def new(self) -> str:
        return f"{self._name}{next(self._numbers):016x}"


_tokens = _Tokens()


class Kind(enum.StrEnum):
    """The nine things that can become of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    DONE = "done"  # an action was carried out
    SKIPPED = "skipped"  # the mode says no
    SUPERSEDED = "superseded"  # a later record of the same batch is the same one, and stands for both
    REJECTED = "rejected"  # refused, by us or by the API
    UNKNOWN = "unknown"  # the answer was lost and could not be found out


Became = Literal["created", "updated", "unchanged", "deleted", "done", "rejected"]
"""What an API may say has become of a record."""


@dataclass(slots=True)
class Change:
    """One record to be written: its fields as the API names them, and how it is found on the other side."""

    record: Record
    id: str | None = None
    by: str | None = None
    """The field that the record is matched by."""
    value: Any = None
    """What stands in that field."""
    token: str = field(default_factory=_tokens.new)
    """Unique for this change; stays the same when it is sent again (idempotency key, trace id)."""
    matches: dict[str, Any] = field(default_factory=dict)
    """The fields that the record may be matched by, in the order they are tried, and what stands in them; *by* is one of them."""
    key: Any = field(default=None, repr=False, compare=False)
    """What another change must agree in to be one to the same record, once that was asked for."""

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
    brief: str = ""
    """What may be said of it where nothing of the record may: fields, no values."""

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


def rejected(change: Change, message: str, *, status: int = 0, code: str = "", brief: str = "") -> Outcome:
    """Return the outcome of a record that we or the API refused."""
    return Outcome(change, Kind.REJECTED, change.id, Problem(message, status, code, brief))


@dataclass(frozen=True, slots=True)
class Said:
    """A reply to a write: its HTTP status, its decoded body (None where it had none) and its headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


#: A reply, the changes it answers and what success means here -> an Outcome for each of the changes.
Outcomes = Callable[[Said, Sequence[Change], Kind], list[Outcome]]


@dataclass(frozen=True)
class One:
    """The reply holds the one record that was written."""

    id: str = "id"
    """Where in the record its id is."""
    at: str = ""
    """Where in the reply the record is."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Read *said* for the only change there is."""
        [change] = changes
        if said.body is None and said.status != HTTPStatus.NO_CONTENT:
            return [unanswered(change)]
        return [_done(change, look(said.body, self.at), kind, self.id)]


@dataclass(frozen=True)
class Nothing:
    """The API answers without a word for each record: its status speaks for all of them (a 204 after a delete)."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:  # noqa: ARG002
        """Take the reply as the answer for every change."""
        return [Outcome(change, kind, change.id) for change in changes]


@dataclass(frozen=True)
class Location:
    """A header of the reply has the URL of the one record that was written; its last part is the id."""

    header: str = "Location"
    """The header's name."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Read the header; without one the change is unknown, unless its id was known before."""
        [change] = changes
        url = said.headers.get(self.header, "")
        if not url and change.id is None:
            return [unanswered(change)]
        record = said.body if isinstance(said.body, dict) else None
        return [Outcome(change, kind, last_part(url) if url else change.id, record=record)]


@dataclass(frozen=True)
class ByStatus:
    """The status tells what became of the one record: ``{"201": created, "200-299": updated}``, the first that fits.

    A status that is no 2xx comes here only if the Write ``accepts`` it. One that fits nowhere is a refusal.
    """

    kinds: Mapping[str, Became] = field(default_factory=lambda: {"201": "created", "200-299": "updated"})
    """Status, or a range of them -> ``created``, ``updated``, ``unchanged``, ``deleted``, ``done`` or ``rejected``."""
    id: str = "id"
    """Where in the record its id is."""
    at: str = ""
    """Where in the reply the record is."""
    error: str = "message"
    """Where in the reply the words of a refusal are."""
    code: str = "code"
    """Where in the reply its code is."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:  # noqa: ARG002
        """Read *said* for the only change there is."""
        [change] = changes
        became = _word(said.status, self.kinds)
        if became is None or became is Kind.REJECTED:
            return [_failed(change, said.body, self.error, self.code, said.status)]
        return [_done(change, look(said.body, self.at), became, self.id)]


@dataclass(frozen=True)
class ByPath:
    """A value in the reply tells whether it worked, for the one record or for the whole batch: ``{"success": true}``."""

    path: str
    """Where the value is."""
    good: Any = True
    """The value that means success, or a list of those, or a range of numbers (``200-299``)."""
    kinds: Mapping[str, Became] = field(default_factory=dict)
    """Value -> ``created``, ``updated``, ``unchanged`` …, where it tells that; these are successes then."""
    id: str = "id"
    """Where in the record its id is."""
    at: str = ""
    """Where in the reply the record is."""
    error: str = "message"
    """Where in the reply the words of a refusal are."""
    code: str = "code"
    """Where in the reply its code is."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Read *said* for all changes."""
        found = look(said.body, self.path)
        if said.body is None or found is None:
            return [unanswered(change) for change in changes]
        became = _word(found, self.kinds) or (kind if fits(found, self.good) else None)
        if became is None or became is Kind.REJECTED:
            return [_failed(change, said.body, self.error, self.code, said.status) for change in changes]
        if len(changes) == 1:
            return [_done(changes[0], look(said.body, self.at), became, self.id)]
        return [Outcome(change, became, change.id) for change in changes]


@dataclass(frozen=True)
class PerItem:
    """The reply holds a list with an entry per record: in the order they were sent, or each with a key.

    An entry that is missing leaves its change unknown.
    """

    at: str = ""
    """Where in the reply the list is."""
    id: str = "id"
    """Where in an entry the record's id is; empty where the entry itself is it."""
    error: str = "error"
    """Where an entry that failed has its words."""
    code: str = "code"
    """Where it has its code."""
    status: str = ""
    """Where in an entry it is said whether it worked; without it, an entry with an error failed."""
    good: Any = None
    """What is said there of a success: a value, a list of values, or a range of numbers (``200-299``)."""
    kinds: Mapping[str, Became] = field(default_factory=dict)
    """What is said there -> ``created``, ``updated``, ``unchanged`` …, where it tells that; these are successes then."""
    key: str = ""
    """Where in an entry the key is by which it is paired with a change (SCIM's ``bulkId``); without it, by their order."""
    of: str = "token"
    """What that is the key of: ``token``, ``id``, ``match.value``, or a field of the record (``record.email``)."""
    url: bool = False
    """Whether the id is the last part of a URL."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Pair entries with changes."""
        items = look(said.body, self.at)
        items = items if isinstance(items, list) else []
        if self.key:
            entries = {str(look(item, self.key)): item for item in items}
            paired = [entries.get(_key(change, self.of)) for change in changes]
        else:
            paired = [*items, *[None] * len(changes)][: len(changes)]
        return [self._one(change, item, kind) for change, item in zip(changes, paired, strict=True)]

    def _one(self, change: Change, item: Any, kind: Kind) -> Outcome:
        if item is None:
            return unanswered(change)
        found = look(item, self.status) if self.status else None
        became = _word(found, self.kinds) if self.status else None
        if became is None:
            failed = not fits(found, self.good) if self.status else bool(look(item, self.error))
            became = Kind.REJECTED if failed else kind
        if became is Kind.REJECTED:
            status = int(str(found)) if str(found).isdecimal() else 0
            return rejected(
                change, _words(look(item, self.error) or item), status=status, code=str(look(item, self.code) or "")
            )
        return _done(change, item, became, self.id, url=self.url)


@dataclass(frozen=True)
class Failures:
    """The reply lists those that failed and no others; all that it does not list are as they should be."""

    at: str = "errors"
    """Where in the reply the list is."""
    index: str = "index"
    """Where in an entry the number of the record is, in the order they were sent."""
    first: int = 0
    """What the first record's number is."""
    key: str = ""
    """Where in an entry the key of the record is, instead of its number."""
    of: str = "id"
    """What that is the key of: ``token``, ``id``, ``match.value``, or a field of the record (``record.email``)."""
    error: str = "message"
    """Where an entry has its words."""
    code: str = "code"
    """Where it has its code."""

    def __call__(self, said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
        """Pair entries with changes. One that names no record leaves all that are not named unknown."""
        found = look(said.body, self.at)
        items = found if isinstance(found, list) else [found] if found else []
        keys = [_key(change, self.of) if self.key else str(n + self.first) for n, change in enumerate(changes)]
        failed = {str(look(item, self.key or self.index)): item for item in items}
        strange = failed.keys() - set(keys)
        return [
            rejected(change, _words(look(item, self.error) or item), code=str(look(item, self.code) or ""))
            if (item := failed.get(key)) is not None
            else unanswered(change)
            if strange
            else Outcome(change, kind, change.id)
            for change, key in zip(changes, keys, strict=True)
        ]


def fits(found: Any, wanted: Any) -> bool:
    """Return whether *found* is what is *wanted*: a value, one of a list, or within a range of numbers (``200-299``).

    >>> fits(201, "200-299"), fits("201", [200, 201]), fits(True, 1)
    (True, True, False)
    """
    if isinstance(wanted, list | tuple):
        return any(fits(found, one) for one in wanted)
    if isinstance(found, bool) or isinstance(wanted, bool) or found is None:
        return found is wanted
    if (bounds := _RANGE.fullmatch(str(wanted))) and str(found).isdecimal():
        return int(bounds[1]) <= int(found) <= int(bounds[2])
    return str(found) == str(wanted)


def last_part(url: str) -> str:
    """Return the last part of the path of *url*: the id of what is there. Of ``…/People('7')`` it is ``7``."""
    part = unquote(url.partition("?")[0].rstrip("/").rpartition("/")[2])
    inside = _IN_BRACKETS.fullmatch(part)
    return inside[1].strip("'") if inside else part


def _key(change: Change, path: str) -> str:
    return str(look(change.values(), path))


def _word(found: Any, kinds: Mapping[str, Became]) -> Kind | None:
    return next((Kind(word) for wanted, word in kinds.items() if fits(found, wanted)), None)


def _words(found: Any) -> str:
    return found if isinstance(found, str) else msgspec.json.encode(found, enc_hook=str).decode()


def _done(change: Change, item: Any, kind: Kind | None, id: str, *, url: bool = False) -> Outcome:
    found = look(item, id)
    told = change.id if found is None or isinstance(found, dict | list) else str(found)
    record = item if isinstance(item, dict) else None
    return Outcome(change, kind or Kind.DONE, last_part(told) if url and told else told, record=record)


def _failed(change: Change, body: Any, error: str, code: str, status: int) -> Outcome:
    words = look(body, error) or body or f"{status} without a reason"
    return rejected(change, _words(words), status=status, code=str(look(body, code) or ""))


def unanswered(change: Change) -> Outcome:
    """Return the outcome of a change that the API's reply does not mention."""
    return Outcome(change, Kind.UNKNOWN, change.id, Problem("the reply does not mention this record"))


#: How `outcomes` may read a reply, by the word for it in a description.
KINDS: dict[str, type] = {
    "one": One,
    "nothing": Nothing,
    "location": Location,
    "by_status": ByStatus,
    "by_path": ByPath,
    "per_item": PerItem,
    "failures": Failures,
}
