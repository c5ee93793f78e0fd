"""The search route: filters, one sort, and an index that lags when told to."""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable
from typing import Any

from antiphon.sandbox.exchange import Request, Response, encode
from antiphon.sandbox.hubspot import moments, paging
from antiphon.sandbox.hubspot.objects import JSON
from antiphon.sandbox.hubspot.portal import Portal
from antiphon.sandbox.hubspot.properties import Property, comparable
from antiphon.sandbox.hubspot.refusals import invalid
from antiphon.sandbox.hubspot.store import Record, Store

# The vendor's search guide.
MAX_PAGE = 200
MAX_RESULTS = 10_000
MAX_GROUPS, MAX_FILTERS_PER_GROUP, MAX_FILTERS = 5, 6, 18
MAX_BODY = 3000

Seen = tuple[Record, dict[str, str], int]
"""A record as the index has it: its values and the time of its last change."""
Test = Callable[[Seen], bool]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "LT": operator.lt,
    "LTE": operator.le,
    "GT": operator.gt,
    "GTE": operator.ge,
}
_OPERATORS = (
    "EQ", "NEQ", *_COMPARE, "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN",
    "NOT_CONTAINS_TOKEN",
)  # fmt: skip


def search(portal: Portal, store: Store, request: Request) -> Response:
    """One page of the live records that pass any group of filters."""
    if len(request.body.decode("utf-8", "replace")) > MAX_BODY:
        raise invalid(f"The request body must not exceed {MAX_BODY} characters")
    document = paging.body(request)
    limit = paging.size(document["limit"], MAX_PAGE) if document.get("limit") is not None else 10
    after = _offset(document.get("after"))
    if after + limit > MAX_RESULTS:
        raise invalid(f"Cannot page past {MAX_RESULTS} results: after {after} with limit {limit}")
    matched = _matched(portal, store, document)
    names = document.get("properties") or []
    selection = store.select(names) if names else store.default
    page = [_shown(store, seen, selection) for seen in matched[after : after + limit]]
    about: dict[str, Any] = {"total": len(matched)}
    body = encode(about)[:-1] + b',"results":[' + b",".join(page) + b"]"
    if after + limit < len(matched):
        body += b',"paging":' + encode({"next": {"after": str(after + limit)}})
    return Response(200, body + b"}", dict(JSON))


def _matched(portal: Portal, store: Store, document: dict[str, Any]) -> list[Seen]:
    """All that passes, in order; the last answer of a store is kept for its next page, while nothing changes."""
    what = {name: value for name, value in document.items() if name not in {"after", "limit", "properties"}}
    key = (store.revision, encode(what))
    steady = not store.lag_ms and b'"associations.' not in key[1]
    if steady and store.searched is not None and store.searched[0] == key:
        kept: list[Seen] = store.searched[1]
        return kept
    matched = _ordered(store, _matching(portal, store, document), document.get("sorts") or [])
    store.searched = (key, matched) if steady else None
    return matched


def _offset(after: object) -> int:
    if after in {None, ""}:
        return 0
    text = str(after)
    if not text.isdigit():
        raise invalid(f"Invalid paging offset: {text}")
    return int(text)


def _seen(store: Store) -> list[Seen]:
    now = moments.now()
    found: list[Seen] = []
    for number in store.live:
        record = store.records[number]
        if record.indexed_until <= now:
            found.append((record, record.properties, record.updated))
        elif record.indexed is not None:
            found.append((record, *record.indexed))
    return found


def _shown(store: Store, seen: Seen, selection: tuple[str, ...]) -> bytes:
    record, values, updated = seen
    if values is record.properties:
        return store.show(record, selection)
    old = Record(record.id, values, record.created, updated)
    return encode(store.document(old, selection))


def _matching(portal: Portal, store: Store, document: dict[str, Any]) -> list[Seen]:
    groups = document.get("filterGroups") or []
    if document.get("filters"):
        groups = [*groups, {"filters": document["filters"]}]
    sizes = [len(group.get("filters") or []) for group in groups]
    if len(groups) > MAX_GROUPS:
        raise invalid(f"At most {MAX_GROUPS} filterGroups, got {len(groups)}")
    if any(size > MAX_FILTERS_PER_GROUP for size in sizes) or sum(sizes) > MAX_FILTERS:
        raise invalid(f"At most {MAX_FILTERS_PER_GROUP} filters per group and {MAX_FILTERS} in all")
    tests = [[_test(portal, store, each) for each in group.get("filters") or []] for group in groups]
    seen = _seen(store)
    if tests and all(tests):
        seen = [one for one in seen if any(all(test(one) for test in group) for group in tests)]
    text = document.get("query")
    if text:
        lowered = str(text).lower()
        seen = [one for one in seen if any(lowered in value.lower() for value in one[1].values())]
    return seen


def _getter(store: Store, name: str) -> Callable[[Seen], str | None]:
    if name == store.modified_name:
        return lambda seen: str(seen[2])
    if name in {"createdate", "hs_createdate"}:
        return lambda seen: str(seen[0].created)
    if name == "hs_object_id":
        return lambda seen: str(seen[0].id)
    if name in store.computed:
        return lambda seen: store.value(seen[0], name)
    return lambda seen: seen[1].get(name) or None


def _test(portal: Portal, store: Store, each: dict[str, Any]) -> Test:
    name, op = str(each.get("propertyName")), each.get("operator")
    if op not in _OPERATORS:
        raise invalid(f"Invalid filter operator {op}: it is one of {', '.join(_OPERATORS)}")
    needs = ("value", "highValue") if op == "BETWEEN" else ("values",) if op in {"IN", "NOT_IN"} else ("value",)
    if "HAS_PROPERTY" not in op and any(each.get(need) in {None, ""} for need in needs if need != "values"):
        raise invalid(f"operator {op} requires {' and '.join(needs)}")
    if needs == ("values",) and not isinstance(each.get("values"), list):
        raise invalid(f"operator {op} requires values")
    if name.startswith("associations."):
        return _associated(portal, store, name.partition(".")[2], op, each)
    definition = store.properties.get(name)
    if definition is None:
        raise invalid(f"There was a problem with the request: property {name} does not exist")
    get = _getter(store, name)
    if op == "HAS_PROPERTY":
        return lambda seen: get(seen) is not None
    if op == "NOT_HAS_PROPERTY":
        return lambda seen: get(seen) is None
    try:
        return _compared(definition, op, each, get)
    except (ValueError, OverflowError):
        raise invalid(f"Invalid value in the filter on {name}: {each.get('value', each.get('values'))}") from None


def _compared(definition: Property, op: str, each: dict[str, Any], get: Callable[[Seen], str | None]) -> Test:
    def key(text: str) -> Any:
        return comparable(definition, text)

    if op in _COMPARE:
        compare, bound = _COMPARE[op], key(str(each["value"]))
        return lambda seen: (value := get(seen)) is not None and compare(key(value), bound)
    if op == "BETWEEN":
        low, high = key(str(each["value"])), key(str(each["highValue"]))
        return lambda seen: (value := get(seen)) is not None and low <= key(value) <= high
    if op in {"CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}:
        wanted, has = str(each["value"]).lower(), op == "CONTAINS_TOKEN"
        return lambda seen: (value := get(seen)) is not None and _contains(value.lower(), wanted) is has
    given = [str(value) for value in each["values"]] if op in {"IN", "NOT_IN"} else [str(each["value"])]
    positive = op in {"EQ", "IN"}
    if definition.type in {"enumeration", "bool"}:  # option values are case sensitive
        options = set(given)
        return lambda seen: (value := get(seen)) is not None and bool(options & set(value.split(";"))) is positive
    # IN and NOT_IN compare text with the lower-cased value and lower-case nothing that they are given.
    text = definition.type in {"string", "phone_number"} and op in {"IN", "NOT_IN"}
    wanted_keys = set(given) if text else {key(value) for value in given}
    return lambda seen: (value := get(seen)) is not None and (key(value) in wanted_keys) is positive


def _contains(value: str, wanted: str) -> bool:
    tokens = re.split(r"[^\w]+", value)
    if "*" in wanted:
        return any(fnmatch.fnmatchcase(token, wanted) for token in [value, *tokens])
    return all(part in tokens for part in re.split(r"[^\w]+", wanted) if part)


def _associated(portal: Portal, store: Store, other: str, op: str, each: dict[str, Any]) -> Test:
    target = portal.find(other)
    if target is None or target.custom or store.custom:
        raise invalid(f"associations.{other} cannot be searched by")
    pair = (store.name, target.name)
    wanted = {str(value) for value in (each["values"] if op == "IN" else [each.get("value")])}
    if op not in {"EQ", "IN"}:
        raise invalid(f"associations.{other} takes EQ and IN, not {op}")
    return lambda seen: any(str(number) in wanted for number in portal.associations.of(pair, seen[0].id))


def _ordered(store: Store, found: list[Seen], sorts: list[Any]) -> list[Seen]:
    if len(sorts) > 1:
        raise invalid("At most one sort")
    if not sorts:
        return sorted(found, key=lambda seen: (seen[0].created, seen[0].id))
    sort = sorts[0]
    if isinstance(sort, str):
        sort = {"propertyName": sort.lstrip("-"), "direction": "DESCENDING" if sort.startswith("-") else "ASCENDING"}
    name, direction = str(sort.get("propertyName")), sort.get("direction", "ASCENDING")
    definition = store.properties.get(name)
    if definition is None:
        raise invalid(f"There was a problem with the request: cannot sort by {name}, which does not exist")
    if direction not in {"ASCENDING", "DESCENDING"}:
        raise invalid(f"Invalid sort direction {direction}")
    get = _getter(store, name)
    valued = [(comparable(definition, value), seen) for seen in found if (value := get(seen)) is not None]
    without = [seen for seen in found if get(seen) is None]
    valued.sort(key=lambda pair: pair[0], reverse=direction == "DESCENDING")
    return [seen for _, seen in valued] + without
