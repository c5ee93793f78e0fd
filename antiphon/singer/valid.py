"""Whether a record is valid by its stream's schema, answered from the line that it is on where that can be done.

The keywords that taps use are compiled into a type by which msgspec reads the line once, in C. It accepts a part of what the
schema accepts: what it does not accept is held against the schema itself by jsonschema, whose verdict counts. A schema with other
keywords is not compiled, and every record of its stream goes the second way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Protocol, Union

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

_SAYS_NOTHING = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "format", "readOnly", "writeOnly", "deprecated"}
)  # fmt: skip
_KNOWN = _SAYS_NOTHING | {
    "type", "properties", "required", "items", "additionalProperties", "enum", "minLength", "maxLength", "minimum", "maximum",
}  # fmt: skip


class _NotCompiledError(Exception):
    """A schema says something that no type of msgspec's says."""


class Line(Protocol):
    """A RECORD whose record is surely valid."""

    version: int | None


Check = Callable[[bytes], Line]
"""Raises :class:`msgspec.MsgspecError` unless the line is a RECORD whose record is surely valid. Its bytes have to be UTF-8."""


def compiled(stream: str, schema: Mapping[str, Any]) -> Check | None:
    """Return what checks the lines of *stream* by *schema*; None where *schema* cannot be compiled.

    A record is an object, whether or not the schema says so.
    """
    try:
        fields: list[Any] = [("stream", Literal[stream]), ("record", _record(schema)), ("version", int | None, None)]
        line = msgspec.defstruct("Line", fields, tag_field="type", tag="RECORD", gc=False)
        check: Check = msgspec.json.Decoder(line).decode  # type: ignore[assignment]
    except (_NotCompiledError, LookupError, TypeError, ValueError, RecursionError, AttributeError):
        return None
    return check


def _record(schema: Mapping[str, Any]) -> Any:
    kinds = schema.get("type", "object")
    if "object" not in ([kinds] if isinstance(kinds, str) else kinds):
        raise _NotCompiledError(kinds)
    return _type({**schema, "type": "object"})


def _type(schema: Any) -> Any:
    if schema is True or not isinstance(schema, Mapping):
        return _any(schema)
    if unknown := {key for key in schema.keys() - _KNOWN if not key.startswith("x-")}:
        raise _NotCompiledError(unknown)
    kinds = schema.get("type")
    if kinds is None:
        return _any(not schema.keys() - _SAYS_NOTHING or schema)
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "enum" in schema:
        return _one_of(schema, kinds)
    return Union[tuple(_KINDS[kind](schema) for kind in kinds)]  # noqa: UP007 - made at run time


def _any(schema: Any) -> Any:
    if schema is not True:
        raise _NotCompiledError(schema)
    return Raw


def _one_of(schema: Mapping[str, Any], kinds: list[str]) -> Any:
    """Return the type of the values in the enum of *schema*: texts, of those lengths that it allows, and null."""
    values, least, most = schema["enum"], schema.get("minLength", 0), schema.get("maxLength", sys.maxsize)
    texts = [value for value in values if isinstance(value, str)]
    right = tuple(text for text in texts if least <= len(text) <= most)
    if not right or "string" not in kinds or len(texts) + (None in values) != len(values):
        raise _NotCompiledError(values)
    found: Any = Literal[right]
    return found | None if None in values and "null" in kinds else found


def _string(schema: Mapping[str, Any]) -> Any:
    lengths = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
    return _with(str, lengths)


def _integer(schema: Mapping[str, Any]) -> Any:
    return _with(int, {"ge": schema.get("minimum"), "le": schema.get("maximum")})


def _number(schema: Mapping[str, Any]) -> Any:
    if "minimum" in schema or "maximum" in schema:
        raise _NotCompiledError("a bound of a number that may not be exact in floating point")
    return float


def _with(kind: type, said: Mapping[str, Any]) -> Any:
    said = {name: value for name, value in said.items() if value is not None}
    if any(type(value) is not int for value in said.values()):
        raise _NotCompiledError(said)
    return Annotated[kind, Meta(**said)] if said else kind


def _object(schema: Mapping[str, Any]) -> Any:
    further = schema.get("additionalProperties", True)
    if not isinstance(further, bool):
        raise _NotCompiledError(further)
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    if not properties and not required and further:
        return dict[str, Raw]
    names = list(dict.fromkeys([*properties, *(sorted(required) if further else ())]))
    if not required <= set(names):
        raise _NotCompiledError(required)
    fields: list[Any] = []
    for number, name in enumerate(names):
        kind = _type(properties.get(name, True))
        absent = () if name in required else (UNSET,)
        fields.append((f"f{number}", kind if name in required else kind | UnsetType, *absent))
    return msgspec.defstruct(
        "Record",
        sorted(fields, key=len),
        rename={f"f{number}": name for number, name in enumerate(names)},
        forbid_unknown_fields=not further,
        gc=False,
    )


def _array(schema: Mapping[str, Any]) -> Any:
    return list[_type(schema.get("items", True))]  # type: ignore[misc]


_KINDS: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "null": lambda _schema: None,
    "boolean": lambda _schema: bool,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "object": _object,
    "array": _array,
}
