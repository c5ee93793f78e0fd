"""A mapping proposed from the schemas of both sides: which column of a stream an API's field may come from, and why."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.api import Resource, Schema
from antiphon.schema import types
from antiphon.writeback.columns import fits

_ALIKE = 0.85
"""How like two names are from which on they may mean one thing (difflib's ratio)."""
#: Names that mean one thing, as people and APIs write them; compared without spaces, case and signs.
_SYNONYMS = """
birthdate birthday dateofbirth dob born
city town locality municipality
company organisation organization companyname accountname employer
country countryname
createdate createdat created creationdate
description note notes comment comments remarks
email mail emailaddress
fax faxnumber
firstname givenname forename prenom voornaam vorname
gender sex
jobtitle function position role
language lang locale
lastname surname familyname nom achternaam nachname
mobilephone mobile mobilephonenumber cell cellphone gsm
name fullname displayname
phone telephone tel phonenumber
price amount unitprice listprice
sku productcode articlenumber defaultcode
state region province
street address address1 streetaddress addressline1
street2 address2 addressline2
vat vatnumber vatid taxid
website url homepage
zip zipcode postalcode postcode
"""
_MEANS = {word: line.split()[0] for line in _SYNONYMS.strip().split("\n") for word in line.split()}


@dataclass(frozen=True)
class Pair:
    """A field of the API, and the column it may come from."""

    field: str
    column: str
    why: str
    likeness: float
    entry: Any
    """What ``fields`` would say of it; None where nothing need be said."""


def propose(resource: Resource, target: Schema, source: Schema) -> list[Pair]:
    """Return a pair for each field of *target*, the schema of *resource*, that a column of *source* may fill; each column once."""
    fields = {name: field for name, field in target.get("properties", {}).items() if not field.get("readOnly")}
    columns = dict(_leaves(source))
    own = {_plain(word) for word in (resource.name, *resource.aliases)}
    found = [
        pair
        for column, has in columns.items()
        for name, takes in fields.items()
        if fits(has, takes, made=bool(takes.get("x-options"))) and (pair := _pair(name, takes, column, has, own))
    ]
    chosen: dict[str, Pair] = {}
    used: set[str] = set()
    for pair in sorted(found, key=lambda pair: -pair.likeness):
        if pair.field not in chosen and pair.column not in used:
            chosen[pair.field] = pair
            used.add(pair.column)
    return [chosen[name] for name in fields if name in chosen]


def matched(resource: Resource, target: Schema, pairs: list[Pair]) -> list[str]:
    """Return the fields that records can be matched by and that *pairs* fill, best first."""
    filled = {pair.field for pair in pairs}
    return [name for name in resource.match_fields(target) if name in filled]


def plan(resource: Resource, target: Schema, pairs: list[Pair]) -> dict[str, Any]:
    """Return the entry of ``streams`` that *pairs* make."""
    return {
        "resource": resource.name,
        **found_by(resource, target, matched(resource, target, pairs)),
        "fields": {pair.field: pair.entry for pair in pairs if pair.entry is not None},
    }


def found_by(resource: Resource, target: Schema, match: Sequence[str]) -> dict[str, Any]:
    """Return what the entry says of how records are found, by the fields *match*: what nothing identifies can only be created."""
    if match:
        return {"match": list(match)}
    return {} if resource.match_fields(target) else {"mode": "create"}


def _pair(name: str, takes: Schema, column: str, has: Schema, own: set[str]) -> Pair | None:
    likeness, why = _likeness(name, column, own)
    if not likeness:
        return None
    entry: Any = None if column == name else column
    if takes.get("x-options") and not has.get("enum"):
        entry, why = {"from": column, "otherwise": "error"}, f"{why}; one of {len(takes['x-options'])} options"
    elif takes.get("format") == "date" and has.get("format") == "date-time":
        entry, why = {"from": column, "target_zone": "UTC"}, f"{why}; a time cut to its date"
    return Pair(name, column, why, likeness, entry)


def _likeness(name: str, column: str, own: set[str]) -> tuple[float, str]:
    """Return how surely *column* means the field *name*, from 0 to 1, and why."""
    if column == name:
        return 1.0, "the same name"
    one, other = _plain(name), _plain(column)
    for word in own:
        other = other.removeprefix(word) or other
    if one == other:
        return 0.95, "the same name but for its form"
    if _MEANS.get(one, one) == _MEANS.get(other, other):
        return 0.9, "another word for it"
    last = _plain(column.rpartition(".")[2])
    tail = _plain(re.split(r"[^A-Za-z0-9]", column)[-1])
    if _MEANS.get(one, one) in {_MEANS.get(last, last), _MEANS.get(tail, tail)}:
        return 0.7, "the end of its name"
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return (0.5 * ratio, "a name that is much like it") if ratio >= _ALIKE else (0.0, "")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _leaves(schema: Schema, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the columns of *schema*, and the paths to what is inside those that are objects."""
    for name, field in schema.get("properties", {}).items():
        if not name.startswith("_sdc_"):
            yield f"{path}{name}", field
            if types(field) == ("object",):
                yield from _leaves(field, f"{path}{name}.")
