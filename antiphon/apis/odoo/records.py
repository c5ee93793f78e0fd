"""Odoo's records: looked up, created, changed, loaded by external id; many2one values given as id, external id or name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon import moment
from antiphon.api import Page, Query, Read, Record, Resource, Schema, Write
from antiphon.client import Client
from antiphon.outcome import Change, Kind, Nothing, Outcome, Said, rejected, unanswered
from antiphon.paging import Keyset

EXTERNAL = "external_id"
"""The field of ours that stands for a record's external id: ``module.name``, or a bare name in the module ``__import__``."""
TIME = "%Y-%m-%d %H:%M:%S"
CONTEXT = {"active_test": False, "tz": "UTC"}
_MANY = 200
"""Records in one transaction: a worker has about two minutes for it."""


def searching(model: str, *conditions: Any, **more: Any) -> Read:
    """Return the list of a model's records that fulfil all *conditions*, by id."""
    return Read(
        f"{model}/search_read",
        "POST",
        body={"domain": [["id", ">", "{last}"], *conditions], "fields": "{fields}", "order": "id", "context": CONTEXT},
        paging=Keyset("id", size=("limit", 1000)),
        time=TIME,
        nulls=(False,),
        pairs="_name",
        **more,
    )


@dataclass(frozen=True)
class Find:
    """Look records up by any field, or by their external id."""

    model: str

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values."""
        field, values = query.where["field"], list(query.where["values"])
        by_id: dict[int, str] = {}
        if field == EXTERNAL:
            by_id = {id: external for external, id in _ids(client, self.model, [str(v) for v in values]).items()}
            field, values = "id", list(by_id)
        asked = tuple(name for name in query.fields if name != EXTERNAL) if query.fields is not None else None
        for start in range(0, len(values), 500):
            wanted = [int(v) if field == "id" else v for v in values[start : start + 500]]
            read = searching(self.model, [field, "in", "{wanted}"])
            for page in client.pages(read, resource, Query(asked), values={"wanted": wanted}):
                for record in page.records:
                    if by_id:
                        record[EXTERNAL] = by_id[record["id"]]
                yield page


def _ids(client: Client, model: str, externals: Sequence[str]) -> dict[str, int]:
    """Return the ids behind external ids, as far as there are any."""
    names: dict[tuple[str, str], str] = {}
    for external in externals:
        module, _, name = external.rpartition(".")
        names[module or "__import__", name] = external
    found: dict[str, int] = {}
    keys = list(names)
    for start in range(0, len(keys), 500):
        part = keys[start : start + 500]
        domain = [
            ["model", "=", model],
            ["module", "in", sorted({module for module, _ in part})],
            ["name", "in", [name for _, name in part]],
        ]
        body = {"domain": domain, "fields": ["module", "name", "res_id"]}
        for row in client.call(
            "POST", "ir.model.data/search_read", json=body, safe=True, doing="looking up external ids"
        ):
            external = names.get((row["module"], row["name"]))
            if external is not None:
                found[external] = row["res_id"]
    return found


# Writing


@dataclass(frozen=True)
class Create:
    """Create records, two hundred in a transaction; those with an external id by ``load``, which keeps it."""

    model: str
    context: Mapping[str, Any]

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        loaded = [change for change in changes if change.record.get(EXTERNAL)]
        if loaded:
            yield from Load(self.model, self.context)(client, resource, loaded)
        others, unclear = _related(client, resource, [change for change in changes if not change.record.get(EXTERNAL)])
        yield from unclear
        one = Write(
            f"{self.model}/create",
            body={"context": dict(self.context)},
            batch=_MANY,
            into="vals_list",
            each="{record}",
            outcomes=created,
            atomic=True,
            time=TIME,
        )
        if others:
            yield from client.send_changes(one, resource, others, "create")


def created(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the answer to ``create``: the new ids, in the order of the values."""
    ids = said.body if isinstance(said.body, list) else [said.body]
    if len(ids) != len(changes) or not all(isinstance(id, int) for id in ids):
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
        known, unclear = _related(client, resource, changes)
        yield from unclear
        groups: dict[str, list[Change]] = {}
        for change in known:
            change.record.pop(EXTERNAL, None)
            groups.setdefault(repr(sorted(change.record.items())), []).append(change)
        one = Write(
            f"{self.model}/write",
            body={"vals": "{record}", "context": dict(self.context)},
            batch=_MANY,
            into="ids",
            each="{id}",
            outcomes=changed,
            safe=True,
            time=TIME,
        )
        for group in groups.values():
            yield from client.send_changes(one, resource, group, "update")


def changed(said: Said, changes: Sequence[Change], kind: Kind) -> list[Outcome]:
    """Read the answer to ``write``: true, for all of them."""
    if said.body is not True:
        return [unanswered(change) for change in changes]
    return [Outcome(change, kind, change.id, record={"id": _int(change.id), **change.record}) for change in changes]


@dataclass(frozen=True)
class Load:
    """Create or change records by their external id, with Odoo's import. A row it refuses is named; the others are sent again."""

    model: str
    context: Mapping[str, Any]

    def __call__(self, client: Client, resource: Resource, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Yield what became of each of *changes*."""
        there = _ids(client, self.model, [str(change.record[EXTERNAL]) for change in changes])
        schema = client.schema(resource)
        groups: dict[tuple[str, ...], list[tuple[Change, list[Any]]]] = {}
        for change in changes:
            cells = dict(_cells(change.record, schema))
            groups.setdefault(tuple(cells), []).append((change, list(cells.values())))
        for header, rows in groups.items():
            yield from self._load(client, resource, header, rows, there)

    def _load(
        self,
        client: Client,
        resource: Resource,
        header: tuple[str, ...],
        rows: list[tuple[Change, list[Any]]],
        there: Mapping[str, int],
    ) -> Iterator[Outcome]:
        while rows:
            body = {
                "fields": list(header),
                "data": [cells for _, cells in rows],
                "context": {**self.context, "tz": "UTC"},
            }
            doing = f"loading {resource.name}"
            answer = client.call("POST", f"{self.model}/load", json=body, safe=True, doing=doing)
            ids = answer.get("ids")
            if ids:
                for (change, _), id in zip(rows, ids, strict=True):
                    kind = Kind.UPDATED if change.record[EXTERNAL] in there else Kind.CREATED
                    yield Outcome(change, kind, str(id), record={"id": id, **change.record})
                return
            refused = _refusals(answer.get("messages") or [], len(rows))
            if not refused:
                for change, _ in rows:
                    yield unanswered(change)
                return
            for n, words in refused.items():
                yield rejected(rows[n][0], words)
            rows = [row for n, row in enumerate(rows) if n not in refused]


def _refusals(messages: Sequence[Mapping[str, Any]], count: int) -> dict[int, str]:
    """Return what the import said against rows, by their number."""
    refused: dict[int, str] = {}
    for message in messages:
        if message.get("type") != "error":
            continue
        rows = message.get("rows") or {}
        first, last = rows.get("from", message.get("record", 0)), rows.get("to", message.get("record", 0))
        for n in range(max(0, first), min(last, count - 1) + 1):
            refused[n] = "; ".join(filter(None, (refused.get(n), str(message.get("message", "refused")))))
    return refused


def _cells(record: Record, schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield the import's columns and cells for *record*."""
    known = schema.get("properties", {})
    for name, value in record.items():
        field = known.get(name, {})
        if name == EXTERNAL:
            yield "id", value
        elif field.get("x-relation") and not isinstance(value, list):
            if value in (None, False, ""):
                yield f"{name}/id", ""
            elif isinstance(value, int):
                yield f"{name}/.id", str(value)
            else:
                yield (f"{name}/id" if _external(value) else name), value
        elif isinstance(value, list):
            yield f"{name}/.id", ",".join(str(id) for id in _linked(value))
        elif field.get("format") == "date-time" and value:
            yield name, moment.written(moment.rfc3339(value), TIME)
        elif value in (None, False):
            yield name, "" if value is None or "boolean" not in str(field.get("type")) else "False"
        else:
            yield name, str(value)


def _linked(value: list[Any]) -> list[Any]:
    """Return the ids in a list of ids, or in a list with the command that sets them: ``[[6, 0, ids]]``."""
    if value and isinstance(value[0], list):
        return [id for command in value for id in (command[2] if command[0] == 6 else [command[1]])]  # noqa: PLR2004
    return value


def _related(client: Client, resource: Resource, changes: Sequence[Change]) -> tuple[list[Change], list[Outcome]]:
    """Put ids for the names and external ids in many2one fields; return what is clear, and refusals for what is not."""
    known = client.schema(resource).get("properties", {})
    wanted: dict[str, set[str]] = {}
    for change in changes:
        for name, value in change.record.items():
            model = known.get(name, {}).get("x-relation")
            if model and isinstance(value, str) and value:
                if value.isdigit():
                    change.record[name] = int(value)
                else:
                    wanted.setdefault(model, set()).add(value)
    found = {model: _named(client, model, sorted(values)) for model, values in wanted.items()}
    clear, unclear = [], []
    for change in changes:
        problems = []
        for name, value in change.record.items():
            model = known.get(name, {}).get("x-relation")
            if not model or not isinstance(value, str) or not value:
                continue
            ids = found[model].get(value, [])
            if len(ids) == 1:
                change.record[name] = ids[0]
            else:
                problems.append(f'{name}: {len(ids) or "no"} records of {model} are called "{value}"')
        if problems:
            unclear.append(rejected(change, "; ".join(problems), code="relation"))
        else:
            clear.append(change)
    return clear, unclear


def _named(client: Client, model: str, values: list[str]) -> dict[str, list[int]]:
    """Return the ids of the records of *model* with these external ids or display names."""
    found = {external: [id] for external, id in _ids(client, model, [v for v in values if _external(v)]).items()}
    names = [value for value in values if value not in found]
    if names:
        body = {"domain": [["name", "in", names]], "fields": ["name"], "context": CONTEXT}
        for row in client.call(
            "POST", f"{model}/search_read", json=body, safe=True, doing=f"looking up {model} by name"
        ):
            found.setdefault(row["name"], []).append(row["id"])
    return found


def _external(value: str) -> bool:
    return "." in value and " " not in value


def _int(id: str | None) -> int | None:
    return int(id) if id else None


def unlinking(model: str) -> Write:
    """Return the removal of records for good."""
    return Write(f"{model}/unlink", batch=_MANY, into="ids", each="{id}", outcomes=Nothing(), safe=True)


def archiving(model: str) -> Write:
    """Return the archiving of records: they are hidden, and kept."""
    return Write(
        f"{model}/write",
        body={"vals": {"active": False}},
        batch=_MANY,
        into="ids",
        each="{id}",
        outcomes=changed,
        safe=True,
    )


def calling(model: str, method: str) -> Write:
    """Return the call of a record's method (``action_confirm``). What it returns, if anything, means nothing to us."""
    return Write(f"{model}/{method}", body={"ids": ["{id}"]}, outcomes=Nothing())
