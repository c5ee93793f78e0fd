"""What many2one fields point to: given as an id, an external id or a name, sent as an id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.api import Resource
from antiphon.apis.odoo.records import CONTEXT, external_ids
from antiphon.client import Client
from antiphon.errors import Forbidden, NotFound, Refused
from antiphon.kept import Kept
from antiphon.outcome import Change, Outcome, rejected

_MOST = 10_000
_SECONDS = 60
"""Names whose records are remembered, and for how many seconds. That there is none of a name is asked again each time."""


def is_external(value: Any) -> bool:
    """Whether *value* looks like an external id: ``base.be``."""
    return isinstance(value, str) and "." in value and " " not in value


def resolved(
    client: Client, resource: Resource, changes: Sequence[Change], *, external: bool = False
) -> tuple[list[Change], list[Outcome]]:
    """Put ids for the names and external ids in the many2one fields of *changes*.

    Returns those that are clear then, and refusals of those that are not. With *external* an external id that leads nowhere
    stays as it is: another record of the same batch may be about to have it.
    """
    known = client.schema(resource).get("properties", {})
    models = {name: field["x-relation"] for name, field in known.items() if field.get("x-relation")}
    wanted: dict[str, set[str]] = {}
    for change in changes:
        for name, value in _texts(change, models):
            if not value.strip():
                change.record[name] = False
            elif value.isdecimal():
                change.record[name] = int(value)
            else:
                wanted.setdefault(models[name], set()).add(value)
    found = {model: _known(client, model, values) for model, values in wanted.items()}
    clear, unclear = [], []
    for change in changes:
        problems: list[str] = []
        for name, value in _texts(change, models):
            ids = found[models[name]]
            if isinstance(ids, dict) and len(ids.get(value, ())) == 1:
                [change.record[name]] = ids[value]
            elif not (external and is_external(value) and isinstance(ids, dict) and value not in ids):
                problems.append(f"{name}: {_why_not(models[name], value, ids)}")
        if problems:
            unclear.append(rejected(change, "; ".join(problems), status=422, code="relation"))
        else:
            clear.append(change)
    return clear, unclear


def _texts(change: Change, models: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the many2one fields of *change* that hold a text, with it."""
    return [(name, v) for name in models if isinstance(v := change.record.get(name), str)]


def _why_not(model: str, value: str, found: dict[str, list[int]] | str) -> str:
    if isinstance(found, str):
        return f'"{value}" could not be looked up: {found}'
    if value not in found:
        return f'no record of {model} is called "{value}"'
    shown = ", ".join(map(str, sorted(found[value])[:10]))
    return f'{len(found[value])} records of {model} are called "{value}" ({shown}): give an id or an external id'


def _known(client: Client, model: str, values: set[str]) -> dict[str, list[int]] | str:
    """Return what :func:`_tried` finds, or found within the last minute: batch after batch points to the same few records."""
    kept: Kept[tuple[str, str], int] = client.http.notes.setdefault("relations", Kept(_MOST, _SECONDS))
    known = {value: id for value in values if (id := kept.get((model, value))) is not None}
    left = sorted(values - known.keys())
    found = _tried(client, model, left) if left else {}
    if isinstance(found, str):
        return found
    for value, ids in found.items():
        if len(ids) == 1:
            kept.put((model, value), ids[0])
    return found | {value: [id] for value, id in known.items()}


def _tried(client: Client, model: str, values: list[str]) -> dict[str, list[int]] | str:
    """Return what :func:`_called` finds, or Odoo's words where it may not be looked up."""
    try:
        return _called(client, model, values)
    except (Forbidden, NotFound, Refused) as error:
        return error.message.partition(" -> ")[2] or error.message


def _called(client: Client, model: str, values: list[str]) -> dict[str, list[int]]:
    """Return the ids of the records of *model* with these external ids or names."""
    found = {name: [id] for name, id in external_ids(client, model, [v for v in values if is_external(v)]).items()}
    names = [value for value in values if value not in found]
    if not names:
        return found
    doing = f"looking up {model} by name"
    body: dict[str, Any] = {"domain": [["name", "in", names]], "fields": ["name"], "context": CONTEXT}
    try:
        for row in client.call("POST", f"{model}/search_read", json=body, safe=True, doing=doing):
            found.setdefault(row["name"], []).append(row["id"])
    except Refused:  # a model whose records are not called by a field "name"
        for name in names:
            body = {"name": name, "operator": "=", "context": CONTEXT}
            pairs = client.call("POST", f"{model}/name_search", json=body, safe=True, doing=doing)
            if pairs:
                found[name] = [id for id, _ in pairs]
    return found
