"""A search domain, read and made into a test of rows; and what it says at once about where matching rows can be."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.database import Env
from antiphon.sandbox.odoo.fields import NUMBERS, TO_MANY, Field, literal
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.tables import ALWAYS, Edge, Row
from antiphon.sandbox.odoo.values import display_name, getter, is_plain

Test = Callable[[Row], bool]
Span = tuple[Edge, Edge]
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le,
}  # fmt: skip
LIKE = {"like", "ilike", "not like", "not ilike", "=like", "=ilike", "not =like", "not =ilike"}
OPERATORS = {"=", "!=", "<>", "==", "=?", "in", "not in", "child_of", "any", "not any", *COMPARE, *LIKE}
INDEXED = {"char", "many2one", "integer", "many2one_reference", "date"}
INFINITE = float("inf")


@dataclass(slots=True)
class Condition:
    """What a row must meet. `ids` (when known) and `span`, in order of change, contain every row that does."""

    test: Test
    ids: set[int] | None = None
    span: Span = ALWAYS
    id_span: tuple[float, float] = (-INFINITE, INFINITE)


def parse(env: Env, model: Model, domain: Any) -> Condition:
    """The condition a domain stands for. Raises Failure in the vendor's words."""
    if not isinstance(domain, list | tuple):
        raise failures.wrong_value(f"Domain() invalid domain: {domain!r}")
    stack: list[Condition] = []
    for item in reversed(domain):
        if item in ("&", "|"):
            if len(stack) < 2:
                raise failures.wrong_value(f"Domain() missing terms for {item!r} in domain {domain!r}")
            stack.append((_all if item == "&" else _any)([stack.pop(), stack.pop()]))
        elif item == "!":
            if not stack:
                raise failures.wrong_value(f"Domain() missing terms for {item!r} in domain {domain!r}")
            stack.append(_not(stack.pop()))
        elif isinstance(item, list | tuple) and len(item) == 3:
            stack.append(_leaf(env, model, *item))
        else:
            raise failures.wrong_value(f"Domain() invalid item in domain: {item!r}")
    return _all(stack) if stack else Condition(lambda _row: True)


def mentions(domain: Any, name: str) -> bool:
    """Whether some term of a domain is about a field itself."""
    return any(isinstance(item, list | tuple) and item and item[0] == name for item in domain)


def _all(parts: list[Condition]) -> Condition:
    if len(parts) == 1:
        return parts[0]
    tests = [part.test for part in parts]
    known = [part.ids for part in parts if part.ids is not None]
    low = max(part.span[0] for part in parts)
    high = min(part.span[1] for part in parts)
    id_span = max(part.id_span[0] for part in parts), min(part.id_span[1] for part in parts)
    if low[0] == high[0]:  # one moment only: the ids narrow the span
        low, high = max(low, (low[0], id_span[0])), min(high, (high[0], id_span[1]))
    if len(tests) == 2:
        one, two = tests
        return Condition(lambda row: one(row) and two(row), min(known, key=len, default=None), (low, high), id_span)
    return Condition(
        lambda row: all(test(row) for test in tests), min(known, key=len, default=None), (low, high), id_span
    )


def _any(parts: list[Condition]) -> Condition:
    one, two = (part.test for part in parts)
    known = [part.ids for part in parts]
    ids = reduce(operator.or_, (found for found in known if found is not None)) if None not in known else None
    return Condition(
        lambda row: one(row) or two(row),
        ids,
        (min(part.span[0] for part in parts), max(part.span[1] for part in parts)),
        (min(part.id_span[0] for part in parts), max(part.id_span[1] for part in parts)),
    )


def _not(part: Condition) -> Condition:
    return Condition(lambda row: not part.test(row))


def _leaf(env: Env, model: Model, path: Any, op: Any, wanted: Any) -> Condition:  # noqa: PLR0911 - a way for each kind of term
    if path in (1, 0) and op == "=" and wanted == 1:
        return Condition(lambda _row: bool(path), None if path else set())
    name, _, rest = str(path).partition(".")
    of = model.fields.get(name)
    if of is None:
        raise failures.wrong_value(f"Invalid field {model.name}.{name} in leaf {(path, op, wanted)!r}")
    operation = {"<>": "!=", "==": "="}.get(op, op)
    if op not in OPERATORS:
        raise failures.wrong_value(f"Invalid operator {op!r} in domain term {(path, op, wanted)!r}")
    if rest:
        return _through(env, model, of, [[rest, op, wanted]])
    if operation in {"any", "not any"}:
        found = _through(env, model, of, wanted)
        return found if operation == "any" else _not(found)
    if operation == "=?":
        return Condition(lambda _row: True) if wanted in (None, False) else _leaf(env, model, path, "=", wanted)
    if operation == "child_of":
        return _child_of(env, model, of, wanted)
    if of.type == "many2one" or of.type in TO_MANY:
        return _relational(env, model, of, operation, wanted)
    return _scalar(env, model, of, operation, wanted)


def _through(env: Env, model: Model, of: Field, domain: Any) -> Condition:
    if of.relation is None:
        raise failures.wrong_value(f"Invalid field {model.name}.{of.name} in leaf: it is not relational")
    inner = parse(env, env.db.model(of.relation), domain).test
    rows, get = env.rows(of.relation), getter(env, model, of.name)
    if of.type == "many2one":
        return Condition(lambda row: (found := rows.get(get(row) or 0)) is not None and inner(found))
    return Condition(lambda row: any(inner(rows[id_]) for id_ in get(row)))


def _child_of(env: Env, model: Model, of: Field, wanted: Any) -> Condition:
    relation = model.name if of.name == "id" else of.relation or ""
    roots = set(wanted) if isinstance(wanted, list | tuple) else {wanted}
    table, seen = env.db.tables[relation], set[int]()
    while roots:
        seen |= roots
        roots = table.lookup("parent_id", roots) - seen
    return _leaf(env, model, of.name, "in", sorted(seen))


def _relational(env: Env, model: Model, of: Field, op: str, wanted: Any) -> Condition:
    get, relation = getter(env, model, of.name), of.relation or ""
    listed = list(wanted) if isinstance(wanted, list | tuple) else [wanted]
    if op in LIKE or any(isinstance(one, str) for one in listed):
        by_name = _named(env, relation, op, wanted)
        if of.type == "many2one":
            return Condition(lambda row: by_name(get(row)))
        return Condition(lambda row: any(by_name(id_) for id_ in get(row)))
    if op in COMPARE:
        compare = COMPARE[op]
        return Condition(lambda row: bool(get(row)) and compare(get(row), wanted))
    ids = {one for one in listed if one}
    empty = not all(listed)
    if of.type == "many2one":
        condition = Condition(_one_of(get, ids, empty))
    else:
        condition = Condition(lambda row: not ids.isdisjoint(found := get(row)) or (empty and not found))
    if of.type == "many2one" and not empty and is_plain(of):
        condition.ids = env.db.tables[model.name].lookup(of.name, ids)
    return condition if op in {"=", "in"} else _not(condition)


def _one_of(get: Callable[[Row], Any], wanted: set[Any], empty: bool) -> Test:
    def test(row: Row) -> bool:
        found = get(row)
        return found in wanted if found else empty

    return test


def _named(env: Env, relation: str, op: str, wanted: Any) -> Callable[[int | None], bool]:
    if op in LIKE:
        matches = _like(op, wanted)
        return lambda id_: matches(display_name(env, relation, id_) if id_ else None)
    names = set(wanted) if isinstance(wanted, list | tuple) else {wanted}
    positive = op in {"=", "in"}
    return lambda id_: (bool(id_) and display_name(env, relation, id_ or 0) in names) == positive


def _scalar(env: Env, model: Model, of: Field, op: str, wanted: Any) -> Condition:  # noqa: C901
    get = getter(env, model, of.name)
    if op in LIKE:
        matches = _like(op, wanted)
        condition = Condition(lambda row: matches(get(row)))
        exact = _exact(str(wanted))
        if op == "=ilike" and exact is not None and is_plain(of) and of.type == "char":
            condition.ids = env.db.tables[model.name].lookup(of.name, [exact], folded=True)
        return condition
    if op in COMPARE:
        return _compared(get, of, op, wanted)
    if op in {"in", "not in"} and not isinstance(wanted, list | tuple):
        wanted = [wanted] if wanted not in (None, False) else [False]
    values = list(wanted) if op in {"in", "not in"} else [wanted]
    kept = [literal(of, one) for one in values]
    empty = any(one is None or one is False or (one == 0 and of.type in NUMBERS) for one in kept)
    chosen = {one for one in kept if one not in (None, False)}
    if of.type == "boolean":
        condition = Condition(lambda row: bool(get(row)) in chosen if get(row) else empty)
    else:
        condition = Condition(_one_of(get, chosen, empty))
    if op in {"!=", "not in"}:
        return _not(condition)
    if not empty:
        if of.name == "id":
            ids = {int(one) for one in chosen}
            condition.ids, condition.id_span = ids, (min(ids, default=0), max(ids, default=0))
        elif of.type in INDEXED and is_plain(of):
            condition.ids = env.db.tables[model.name].lookup(of.name, chosen)
        elif of.name == "write_date" and chosen:
            condition.span = (min(chosen), -INFINITE), (max(chosen), INFINITE)
    return condition


def _compared(get: Callable[[Row], Any], of: Field, op: str, wanted: Any) -> Condition:
    compare = COMPARE[op]
    if of.type in NUMBERS:
        if not isinstance(wanted, int | float):
            raise failures.wrong_value(f"could not convert {wanted!r} for {of.name}")
        condition = Condition(lambda row: compare(get(row) or 0, wanted))
        if of.name == "id":
            condition.id_span = (wanted, INFINITE) if op[0] == ">" else (-INFINITE, wanted)
        return condition
    if of.type == "datetime" and isinstance(wanted, str) and len(wanted) == 10 and op in {">", "<="}:
        wanted = f"{wanted} 23:59:59"  # a day counts as a whole
    kept = literal(of, wanted)
    if not isinstance(kept, str):
        return Condition(lambda _row: False, set())
    condition = Condition(lambda row: (found := get(row)) is not None and compare(found, kept))
    if of.name == "write_date":
        after = (kept, INFINITE if op == ">" else -INFINITE), ALWAYS[1]
        before = ALWAYS[0], (kept, -INFINITE if op == "<" else INFINITE)
        condition.span = after if op[0] == ">" else before
    return condition


def _like(op: str, wanted: Any) -> Callable[[Any], bool]:
    positive = not op.startswith("not ")
    kind = op.removeprefix("not ")
    text = "" if wanted in (None, False) else str(wanted)
    if not text:
        return lambda _value: positive
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in kind else 0)
    expression = "".join(_pieces(text))
    match = re.compile(expression, flags).fullmatch if kind.startswith("=") else re.compile(expression, flags).search
    return lambda value: (value is not None and match(str(value)) is not None) == positive


def _pieces(pattern: str) -> list[str]:
    pieces = []
    for piece in re.findall(r"\\.|.", pattern, re.DOTALL):
        wild = {"%": ".*", "_": "."}.get(piece)
        pieces.append(wild or re.escape(piece[1:] if len(piece) == 2 else piece))
    return pieces


def _exact(pattern: str) -> str | None:
    if re.search(r"(?<!\\)[%_]", pattern):
        return None
    return re.sub(r"\\(.)", r"\1", pattern)
