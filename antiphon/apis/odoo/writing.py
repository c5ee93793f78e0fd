"""Odoo's records written: created, changed, loaded by external id, archived, removed, and their methods called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon import moment
from antiphon.api import Record, Resource, Schema, Write
from antiphon.apis.odoo.records import EXTERNAL, TIME, external_ids
from antiphon.apis.odoo.relations import is_external, resolved
from antiphon.apis.odoo.wire import UNSENT, number
from antiphon.client import Client
from antiphon.errors import BadReply, Forbidden, NotFound, Refused
from antiphon.outcome import Change, Kind, Nothing, Outcome, Problem, Said, rejected, unanswered
from antiphon.schema import types

BATCH = 200
"""Records in one transaction: a worker has about two minutes for it."""
_LINK, _SET = 4, 6
"""The x2many commands that an import can carry out: ``[4, id]`` and ``[6, 0, ids]``."""

Row = tuple[Change, dict[str, Any]]
"""A change, and its cells by column."""


@dataclass(frozen=True)
class Create:
    """Create records, two hundred in a transaction; those with an external id by ``load``, which keeps it."""

    model: str
    context: Mapping[str, Any]

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        if loaded := [change for change in changes if change.record.get(EXTERNAL)]:
            yield from Load(self.model, self.context)(client, resource, loaded)
        others, unclear = resolved(client, resource, [c for c in changes if not c.record.get(EXTERNAL)])
        yield from unclear
        for change in others:
            change.record.pop(EXTERNAL, None)
        one = Write(
            f"{self.model}/create",
            body={"context": dict(self.context)},
            into="vals_list",
            outcomes=created,
            atomic=True,
            time=TIME,
        )
        if others:
            yield from client.send_changes(one, resource, others, "create")


def created(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the answer to ``create``: the new ids, in the order of the values."""
    ids = said.body if isinstance(said.body, list) else [said.body]
    if len(ids) != len(changes) or not all(type(id) is int for id in ids):
        return [unanswered(change) for change in changes]
    return [
        Outcome(change, kind, str(id), record={**change.record, "id": id})
        for change, id in zip(changes, ids, strict=True)
    ]


@dataclass(frozen=True)
class Update:
    """Change records: those that get the same values in one call, the others one by one."""

    model: str
    context: Mapping[str, Any]

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        known, unclear = resolved(client, resource, changes)
        yield from unclear
        groups: dict[str, list[Change]] = {}
        for change in known:
            change.record.pop(EXTERNAL, None)
            groups.setdefault(repr(sorted(change.record.items())), []).append(change)
        one = Write(
            f"{self.model}/write",
            body={"vals": "{record}", "context": dict(self.context)},
            into="ids",
            each="{id}",
            outcomes=changed,
            safe=True,
            time=TIME,
        )
        for group in groups.values():
            yield from client.send_changes(one, resource, group, "update")


def changed(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the answer to ``write`` or ``unlink``: true, for all of them."""
    if said.body is not True and said.body != UNSENT:
        return [unanswered(change) for change in changes]
    return [Outcome(c, kind, c.id, record={"id": number(c.id), **c.record}) for c in changes]


@dataclass(frozen=True)
class Load:
    """Create or change records by their external id, with Odoo's import. A row it refuses is named; the others are sent again."""

    model: str
    context: Mapping[str, Any]

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        clear, unclear = resolved(client, resource, changes, external=True)
        yield from unclear
        try:
            there = external_ids(client, self.model, [str(change.record[EXTERNAL]) for change in clear])
        except Forbidden:  # created or changed: the import does not tell
            there = {}
        schema = client.schema(resource)
        groups: dict[tuple[str, ...], list[Row]] = {}
        for change in clear:
            try:
                cells = dict(_cells(change.record, schema))
            except ValueError as error:
                yield rejected(change, str(error), status=422)
            else:
                groups.setdefault(tuple(cells), []).append((change, cells))
        for rows in groups.values():
            yield from self._load(client, resource, rows, there)

    def _load(self, client: Client, resource: Resource, rows: list[Row], there: Mapping[str, int]) -> Iterator[Outcome]:
        doing = f"loading {resource.name}"
        while rows:
            body = {
                "fields": list(rows[0][1]),
                "data": [list(cells.values()) for _, cells in rows],
                "context": {**self.context, "tz": "UTC"},
            }
            try:
                answer = client.call("POST", f"{self.model}/load", json=body, safe=True, doing=doing)
            except (Refused, NotFound, Forbidden) as error:
                if len(rows) > 1 and not isinstance(error, Forbidden):
                    half = len(rows) // 2
                    yield from self._load(client, resource, rows[:half], there)
                    yield from self._load(client, resource, rows[half:], there)
                else:
                    said = error.message.partition(" -> ")[2] or error.message
                    yield from (rejected(c, said, status=error.status, code=error.code) for c, _ in rows)
                return
            except BadReply as error:
                yield from (Outcome(c, Kind.UNKNOWN, problem=Problem(error.message, error.status)) for c, _ in rows)
                return
            ids = answer.get("ids") if isinstance(answer, dict) else None
            if ids and len(ids) == len(rows):
                for (change, _), id in zip(rows, ids, strict=True):
                    kind = Kind.UPDATED if str(change.record[EXTERNAL]) in there else Kind.CREATED
                    yield Outcome(change, kind, str(id), record={"id": id, **change.record})
                return
            refused = _refusals(answer.get("messages") or [], len(rows)) if isinstance(answer, dict) else {}
            if not refused:
                yield from (unanswered(change) for change, _ in rows)
                return
            yield from (rejected(rows[n][0], words, status=422) for n, words in refused.items())
            rows = [row for n, row in enumerate(rows) if n not in refused]


def _refusals(messages: Sequence[Mapping[str, Any]], count: int) -> dict[int, str]:
    """Return what the import said against rows, by their number."""
    refused: dict[int, str] = {}
    for message in messages:
        if message.get("type") != "error":
            continue
        rows = message.get("rows") or {}
        first, last = rows.get("from", message.get("record", 0)), rows.get("to", message.get("record", 0))
        words = str(message.get("message") or "refused")
        options = message.get("moreinfo")
        if isinstance(options, list) and options:
            words = f"{words}. There are: {', '.join(map(str, options[:40]))}"
        for n in range(max(0, first), min(last, count - 1) + 1):
            refused[n] = f"{refused[n]}; {words}" if n in refused else words
    return refused


def _cells(record: Record, schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield the import's columns and cells for *record*.

    Raises:
        ValueError: a list of commands that an import cannot carry out.
    """
    known = schema.get("properties", {})
    for name, value in record.items():
        field = known.get(name, {})
        if name == EXTERNAL:
            yield "id", str(value)
        elif field.get("x-relation"):
            if value is None or value is False or value == "":
                yield f"{name}/.id", ""
            else:
                yield (f"{name}/id", value) if is_external(value) else (f"{name}/.id", str(value))
        elif isinstance(value, list) and "array" in types(field):
            yield f"{name}/.id", ",".join(str(id) for id in _linked(name, value))
        elif isinstance(value, dict | list):
            yield name, value
        elif field.get("format") == "date-time" and value:
            yield name, _time(value)
        elif value is None or value is False:
            yield name, "False" if value is False and "boolean" in types(field) else ""
        else:
            yield name, str(value)


def _time(value: Any) -> str:
    try:
        return str(moment.written(moment.rfc3339(value), TIME))
    except (ValueError, OverflowError):
        return str(value)  # Odoo says why not


def _linked(name: str, value: list[Any]) -> list[int]:
    """Return the ids in a list of ids, or of commands that link records: ``[[6, 0, ids]]``, ``[[4, id]]``."""
    ids: list[int] = []
    for one in value:
        match one:
            case [int(command), _, list(linked)] if command == _SET:
                ids += linked
            case [int(command), int(id), *_] if command == _LINK:
                ids.append(id)
            case int(id):
                ids.append(id)
            case _:
                raise ValueError(
                    f"{name}: with an {EXTERNAL} there may be ids, [4, id] and [6, 0, ids] in it, and no other command;"
                    " write the lines as a stream of their own, or match by another field"
                )
    return ids


def unlinking(model: str) -> Write:
    """Return the removal of records for good."""
    return Write(f"{model}/unlink", batch=BATCH, into="ids", each="{id}", outcomes=changed, safe=True)


def activating(model: str, context: Mapping[str, Any], *, active: bool) -> Write:
    """Return the restoring of records, or where they are not to be *active* their archiving: they are hidden, and kept."""
    return Write(
        f"{model}/write",
        body={"vals": {"active": active}, "context": dict(context)},
        batch=BATCH,
        into="ids",
        each="{id}",
        outcomes=changed,
        safe=True,
    )


def calling(model: str, method: str) -> Write:
    """Return the call of a record's method (``action_confirm``) with arguments by name. What it returns means nothing to us."""
    return Write(f"{model}/{method}", body="{record}", into="ids", each="{id}", outcomes=Nothing())
