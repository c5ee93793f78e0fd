"""Schemas of records: JSON Schema, written with one word per field.

The words: ``string``, ``integer``, ``number``, ``boolean``, ``date``, ``date-time``, ``object``, ``array``, ``any``. Every field may
be null, unless its word ends with ``!`` (keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from antiphon.errors import DescriptionError, did_you_mean

WORDS: dict[str, dict[str, Any]] = {
    "string": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "date-time": {"type": ["string", "null"], "format": "date-time"},
    "object": {"type": ["object", "null"], "additionalProperties": True},
    "array": {"type": ["array", "null"], "items": {}},
    "any": {},
}

#: Keywords that the writing side reads and that a catalog does not carry.
OWN_KEYWORDS = ("readOnly", "x-unique", "x-options", "x-labels", "x-several", "x-relation")


def of(word: str, **more: Any) -> dict[str, Any]:
    """Return the schema of one field: ``of("string", readOnly=True)``.

    Raises:
        DescriptionError: there is no such word.
    """
    name = word.removesuffix("!")
    if name not in WORDS:
        raise DescriptionError(f'no type of field is called "{name}"', hint=did_you_mean(name, WORDS))
    schema = deepcopy(WORDS[name])
    if word.endswith("!") and "type" in schema:
        schema["type"] = schema["type"][0]
    return {**schema, **more}


def record(fields: Mapping[str, str | Mapping[str, Any]], *, readonly: Iterable[str] = ()) -> dict[str, Any]:
    """Return the schema of a record: ``record({"id": "string!", "email": "string"}, readonly=["id"])``."""
    fixed = set(readonly)
    properties: dict[str, Any] = {}
    for name, what in fields.items():
        properties[name] = of(what) if isinstance(what, str) else dict(what)
        if name in fixed:
            properties[name]["readOnly"] = True
    return {"type": "object", "properties": properties}


def types(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the types a field may have, without null."""
    kind = schema.get("type", ())
    return tuple(t for t in ([kind] if isinstance(kind, str) else kind) if t != "null")


def unique_fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that the API keeps unique."""
    return tuple(name for name, field in schema.get("properties", {}).items() if field.get("x-unique"))


def for_catalog(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return *schema* as a Singer catalog has it: without the keywords that only the writing side reads."""
    properties = {
        name: {key: value for key, value in field.items() if key not in OWN_KEYWORDS}
        for name, field in schema.get("properties", {}).items()
        if not field.get("writeOnly")
    }
    return {**{key: value for key, value in schema.items() if key != "patternProperties"}, "properties": properties}
