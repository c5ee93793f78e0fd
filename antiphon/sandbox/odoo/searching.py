"""Finding and ordering records: by the order of change or of ids where that serves, else by looking at every row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.database import Env, Records
from antiphon.sandbox.odoo.domains import Condition, mentions, parse
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.tables import Table
from antiphon.sandbox.odoo.values import display_name, getter

Order = list[tuple[str, bool]]
"""Fields, and whether they descend."""
_TERM = re.compile(r"\s*([a-z0-9_]+)(?:\s+(asc|desc))?(?:\s+nulls\s+(?:first|last))?\s*", re.IGNORECASE)
REMEMBERED = 8


def order_of(model: Model, text: str | None) -> Order:
    """An order clause, read. Raises Failure for one that is none, or for a field that is none."""
    order: Order = []
    for term in (text or model.order).split(","):
        match = _TERM.fullmatch(term)
        if match is None:
            raise failures.user(
                f'Invalid "order" specified ({text}). A valid "order" specification is a comma-separated list of '
                "valid field names (optionally followed by asc/desc for the direction)"
            )
        name, direction = match.groups()
        if name not in model.fields:
            if not text:  # the model's own order names a field of another version
                continue
            raise failures.wrong_value(f"Invalid field {name!r} on model {model.name!r}")
        order.append((name, (direction or "").lower() == "desc"))
    return order


def search(
    records: Records, domain: Any, *, offset: int = 0, limit: int | None = None, order: str | None = None
) -> list[int]:
    """The ids of the records that meet a domain, in order."""
    env, model = records.env, records.model
    env.check(model.name, "read")
    spec = order_of(model, order)
    condition = _condition(env, model, domain)
    begin, end = offset or 0, (offset or 0) + limit if limit else None
    walk = _walk(records.table, condition, spec)
    if walk is not None:
        rows = records.table.rows
        return list(islice((id_ for id_ in walk if condition.test(rows[id_])), begin, end))
    asked = json.dumps([model.name, domain, spec, env.active_test], default=str)
    known = env.db.found.get(asked)
    if known is None or known[0] != env.db.revision:
        known = env.db.revision, ordered(env, model, matching(records.table, condition), spec)
        while len(env.db.found) >= REMEMBERED:
            del env.db.found[next(iter(env.db.found))]
        env.db.found[asked] = known
    return known[1][begin:end]


def count(records: Records, domain: Any, limit: int | None = None) -> int:
    """How many records meet a domain, `limit` at most."""
    env, model = records.env, records.model
    env.check(model.name, "read")
    found = len(matching(records.table, _condition(env, model, domain)))
    return min(found, limit) if limit else found


def _condition(env: Env, model: Model, domain: Any) -> Condition:
    condition = parse(env, model, domain or [])
    if env.active_test and "active" in model.fields and not mentions(domain or [], "active"):
        inner = condition.test
        condition.test = lambda row: bool(row.get("active")) and inner(row)
    return condition


def _walk(table: Table, condition: Condition, order: Order) -> Iterable[int] | None:
    """The ids in the wished order, when an index has them so and would not waste more than it saves."""
    names = [name for name, _ in order]
    if condition.ids is not None or len({descends for _, descends in order}) > 1:
        return None
    descends = order[0][1]
    ids, first, last = table.by_id(*condition.id_span)
    if names in (["write_date"], ["write_date", "id"]):
        changes, begin, end = table.by_change(*condition.span)
        if (last - first) * 4 < end - begin:
            return None
        return (changes[place][1] for place in _places(begin, end, descends))
    if names[:1] == ["id"]:
        if condition.span[0][0] or condition.span[1][0] != "~":
            _, begin, end = table.by_change(*condition.span)
            if (end - begin) * 4 < last - first:
                return None
        return (ids[place] for place in _places(first, last, descends))
    return None


def _places(begin: int, end: int, descends: bool) -> Iterator[int]:
    return iter(range(end - 1, begin - 1, -1) if descends else range(begin, end))


def matching(table: Table, condition: Condition) -> list[int]:
    """The ids of every row that meets a condition, in no order, through the narrowest way there is."""
    rows, test = table.rows, condition.test
    if condition.ids is not None:
        return [id_ for id_ in condition.ids if id_ in rows and test(rows[id_])]
    ids, first, last = table.by_id(*condition.id_span)
    if condition.span[0][0] or condition.span[1][0] != "~":
        changes, begin, end = table.by_change(*condition.span)
        if end - begin < last - first:
            return [id_ for _, id_ in changes[begin:end] if test(rows[id_])]
    return [id_ for id_ in ids[first:last] if test(rows[id_])]


def ordered(env: Env, model: Model, ids: list[int], order: Order) -> list[int]:
    """The ids in order, values that are not set last when it ascends, as PostgreSQL has it."""
    rows = env.rows(model.name)
    for name, descends in reversed([*order, ("id", False)] if ("id" not in dict(order)) else order):
        of, get = model.fields[name], getter(env, model, name)

        def key(id_: int, of: Any = of, get: Any = get) -> tuple[bool, Any]:
            value = get(rows[id_])
            if value is None and of.type != "boolean":
                return of.null is False, of.null if of.null is not False else ""
            if of.type == "many2one":
                return False, display_name(env, of.relation or "", value or 0).casefold()
            return False, value.casefold() if isinstance(value, str) else bool(value) if of.type == "boolean" else value

        ids = sorted(ids, key=key, reverse=descends)
    return ids
