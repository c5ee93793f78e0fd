"""What a request is where its description does not say: by the slot that it fills, and by what is said of ``read``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from antiphon.api.reading import Read
from antiphon.api.settings import JSON
from antiphon.api.writing import Write, outcome_of_one
from antiphon.fill import names
from antiphon.outcome import Nothing, One, Outcomes


@dataclass(frozen=True)
class Usual:
    """A kind of write as most APIs have it."""

    method: str = "POST"
    sends: bool = False
    """Whether the record is its body."""
    safe: bool = True
    """Whether it may be repeated: fields that are set twice are as they were set once, what is deleted is gone."""
    outcomes: Outcomes = outcome_of_one


#: By the slot of a resource; an action is as ``Usual(safe=False)``.
WRITES: Mapping[str, Usual] = {
    "create": Usual(sends=True, safe=False),
    "update": Usual("PATCH", sends=True),
    "upsert": Usual(sends=True),
    "archive": Usual(),
    "restore": Usual(),
    "delete": Usual("DELETE", outcomes=Nothing()),
    "erase": Usual("DELETE", outcomes=Nothing()),
}
#: What placeholders may name in a request besides settings.
PLACEHOLDERS = {
    "since", "until", "fields", "id", "ids", "match", "record", "parent", "token", "last", "upto", "records",
}  # fmt: skip
_VARIABLE = re.compile(r"\$(\w+)\s*:")
_MERGED = ("params", "headers", "body")
_LOOKS = ("lift", "text", "nulls", "pairs")
"""What is said of how a record looks."""


def written(slot: str, key: tuple[str, ...], write: Write) -> Write:
    """Return *write* with what it does not say as it usually is in that *slot* of a resource with that *key*."""
    usual = WRITES.get(slot, Usual(safe=False))
    outcomes = One(key[0]) if len(key) == 1 and usual.outcomes is outcome_of_one else usual.outcomes
    return replace(
        write,
        method=write.method or _method(write, usual),
        body=_body(write) if write.body is None and usual.sends else _variables(write),
        safe=usual.safe if write.safe is None else write.safe,
        outcomes=outcomes if write.outcomes is outcome_of_one and not write.via else write.outcomes,
    )


def _method(write: Write, usual: Usual) -> str:
    several = write.into or write.batch > 1 or write.via
    return "POST" if several or (usual.method == "DELETE" and write.body is not None) else usual.method


def _variables(what: Read | Write) -> JSON:
    """Return the body, which is the variables of a GraphQL document where there is one: those called as a placeholder are its value."""
    declared = _VARIABLE.findall(what.query)
    named = {name: f"{{{name}}}" for name in declared if name in PLACEHOLDERS}
    return {**named, **(what.body or {})} if named and isinstance(what.body, Mapping | None) else what.body


def _body(write: Write) -> JSON:
    """Return the body of a write that names none: the record, unless the record is said to go elsewhere."""
    if write.query:
        return _variables(write)
    elsewhere = write.into or write.via or write.job
    if elsewhere or names([write.params, write.headers]) & {"record", "records"}:
        return None
    return "{record}" if write.batch == 1 else "{records}"


def completed(resource: Any) -> dict[str, Any]:
    """Return the requests of a resource by their slots, each with what it does not say as it usually is."""
    found: dict[str, Any] = {}
    if isinstance(resource.read, Read):
        found["read"] = filled_in(resource.read)
    for slot, like in _READS.items():
        if isinstance(other := getattr(resource, slot), Read):
            found[slot] = like(resource.read if isinstance(resource.read, Read) else Read(), other)
    for slot in WRITES:
        if isinstance(write := getattr(resource, slot), Write):
            found[slot] = written(slot, resource.key, write)
    actions = {n: written(n, resource.key, w) if isinstance(w, Write) else w for n, w in resource.actions.items()}
    return {**found, "actions": actions}


def shortened(resource: Any) -> Any:
    """Return *resource* with nothing said in its requests that goes without saying. It is for showing, not for use."""
    slots = {slot: what for slot, what in completed(resource).items() if slot != "actions"}
    made = copy(resource)
    for slot, what in slots.items():
        like = _READS.get(slot)
        whole = filled_in if slot == "read" else partial(written, slot, resource.key)
        if like:
            whole = partial(like, resource.read if isinstance(resource.read, Read) else Read())
        object.__setattr__(made, slot, _shortest(what, whole))
    actions = {
        name: _shortest(what, partial(written, name, resource.key)) if isinstance(what, Write) else what
        for name, what in resource.actions.items()
    }
    object.__setattr__(made, "actions", actions)
    return made


def _shortest(what: Any, whole: Callable[[Any], Any]) -> Any:
    """Return what makes the same as *what* when it is made *whole*, with as much as may be at its default."""
    plain = type(what)()
    for field in fields(what):
        shorter = replace(what, **{field.name: getattr(plain, field.name)})
        if whole(shorter) == whole(what):
            what = shorter
    return what


def listed(read: Read, other: Read) -> Read:
    """Return *other*, a list of some of the records of *read*, with what it does not say as *read* says it.

    Only where it names no path nor document of its own. Parameters, headers and the fields of a body are added to those of *read*.
    """
    if other.path or other.query:
        return shown(read, other)
    plain = Read()
    said: dict[str, Any] = {
        field.name: value
        for field in fields(Read)
        if (value := getattr(other, field.name)) != getattr(plain, field.name)
    }
    if read.parts and read.parts.read:  # which finds others than these
        said.setdefault("parts", None)
    for name in _MERGED:
        more = getattr(read, name)
        if isinstance(said.get(name), Mapping) and isinstance(more, Mapping):
            said[name] = {**more, **said[name]}
    return filled_in(replace(read, **said))


def filled_in(read: Read) -> Read:
    """Return *read* with the variables of its document, and with whole requests for its parts."""
    if read.parts:
        last = listed(replace(read, paging=None, parts=None), read.parts.last)
        by = shown(read, read.parts.read) if read.parts.read else None
        read = replace(read, parts=replace(read.parts, last=last, read=by))
    return replace(read, body=_variables(read)) if read.query else read


def shown(read: Read, other: Read) -> Read:
    """Return *other*, whose records look like those of *read* unless it says otherwise."""
    looks = {name: getattr(other, name) or getattr(read, name) for name in _LOOKS}
    return filled_in(replace(other, body=_variables(other), **looks))


_READS: Mapping[str, Callable[[Read, Read], Read]] = {
    "changes": listed, "deleted": listed, "find": listed, "get": shown,
}  # fmt: skip
