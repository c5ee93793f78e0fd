"""The columns of a stream, by what its SCHEMA says of them: where a path leads, and what can be made of what is there."""

from __future__ import annotations

from antiphon.api import Schema
from antiphon.schema import types

#: What a field of each type can be made of; other types of a column are refused before anything is sent.
_SIMPLE = {"string", "number", "integer", "boolean"}
_MADE_OF = {
    "string": _SIMPLE,
    "number": {"number", "integer", "string"},
    "integer": _SIMPLE,
    "boolean": _SIMPLE,
    "array": {"array", "string"},
    "object": {"object", "string"},
}


def fits(source: Schema, known: Schema, *, made: bool = False) -> bool:
    """Return whether a column of the schema *source* can become a field of the schema *known*; *made* by policies, or as it is."""
    has, takes = set(types(source)), set(types(known))
    if not has or not takes or known.get("x-relation"):
        return True
    possible = set().union(*(_MADE_OF.get(kind, has) for kind in takes))
    if made:
        possible |= _SIMPLE | ({"array"} if known.get("x-several") else set())
    elif known.get("format") in {"date", "date-time"}:
        possible -= {"boolean"}
    return bool(has & possible)


def nested(schema: Schema) -> str:
    """Return the type of a column of *schema* whose values have parts, ``object`` or ``array``; empty where they have none."""
    return " or ".join(kind for kind in types(schema) if kind in {"object", "array"})


def column_of(source: str, there: set[str]) -> str:
    """Return the column that *source* takes: itself, or what stands before its first dot."""
    return source if source in there else source.partition(".")[0]


def inner(schema: Schema, source: str, column: str) -> Schema | None:
    """Return the schema of what *source* leads to within *column*; None where there is no such thing."""
    for part in source.removeprefix(column).split(".")[1:]:
        inner = schema.get("properties")
        if not inner:
            return {}
        if part not in inner:
            return {} if schema.get("additionalProperties") else None
        schema = inner[part]
    return schema
