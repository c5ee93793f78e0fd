"""Schemas of records: JSON Schema, written with one word per field.

The words: ``string``, ``integer``, ``number``, ``boolean``, ``date``, ``date-time``, ``object``, ``array``, ``any``. Every field may
be null, unless its word ends with ``!`` (keys). After it may stand what else is to be said: ``readonly``, ``writeonly``, ``unique``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import msgspec

from antiphon.errors import DescriptionError, did_you_mean, one_line

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

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

#: What may stand after a field's word, and the keyword it stands for.
MARKS = {"readonly": "readOnly", "writeonly": "writeOnly", "unique": "x-unique"}

_ALL = (*WORDS, *(f"{name}!" for name in WORDS if name != "any"))

#: Keywords that the writing side reads and that a catalog does not carry.
OWN_KEYWORDS = ("readOnly", "x-unique", "x-options", "x-labels", "x-several", "x-relation", "x-children")

_KINDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}
_SHOWN = 80
"""Characters of a value in a message."""
_SAYING_NOTHING = frozenset({"title", "description", "default", "examples", "format", "secret", "writeOnly"})
"""Keywords of a setting that no value can fail by."""


def of(word: str, **more: Any) -> dict[str, Any]:
    """Return the schema of one field: ``of("string! unique", maxLength=40)``.

    Raises:
        DescriptionError: there is no such word.
    """
    first, *marks = word.split() or [""]
    name = first.removesuffix("!")
    if name not in WORDS:
        raise DescriptionError(f'no type of field is called "{name}"', hint=did_you_mean(name, WORDS))
    for mark in marks:
        if mark not in MARKS:
            raise DescriptionError(
                f'nothing that is said of a field is called "{mark}"', hint=did_you_mean(mark, MARKS)
            )
    schema = deepcopy(WORDS[name])
    if first.endswith("!") and "type" in schema:
        schema["type"] = schema["type"][0]
    return {**schema, **{MARKS[mark]: True for mark in marks}, **more}


def is_word(text: str) -> bool:
    """Whether *text* is what :func:`of` takes, perhaps with a mistake in what stands after the word."""
    return text.partition(" ")[0].removesuffix("!") in WORDS


def word(schema: Mapping[str, Any]) -> str | None:
    """Return the word that :func:`of` makes *schema* of; None where there is none."""
    rest = dict(schema)
    marks = [mark for mark, keyword in MARKS.items() if rest.get(keyword) is True and rest.pop(keyword)]
    name = next((name for name in _ALL if of(name) == rest), None)
    return name and " ".join((name, *marks))


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
    if isinstance(kind, str):
        return (kind,) if kind != "null" else ()
    return tuple(t for t in kind if t != "null")


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


def misfit(schema: Mapping[str, Any], value: Any) -> ValidationError | None:
    """Return the error that tells best why *value* is not valid by *schema*, None where it is."""
    if _is_such_text(schema, value):
        return None
    from jsonschema import Draft7Validator  # noqa: PLC0415 - it takes longer to import than a request takes
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    found: ValidationError | None = best_match(Draft7Validator(schema).iter_errors(value))
    return found


def said(error: ValidationError) -> tuple[str, str]:
    """Return what *error* says of its value, which it does not repeat, and a hint; one of them may be empty."""
    if error.validator == "enum":
        return "", did_you_mean(str(error.instance), map(str, cast("list[Any]", error.validator_value)))
    if error.validator == "type":
        return f"it is to be {' or '.join(_KINDS[kind] for kind in types({'type': error.validator_value}))}", ""
    return error.message.replace(repr(error.instance), "it", 1), ""


def shown(value: Any) -> str:
    """Return *value* as a user writes it in JSON, on one line and not too long."""
    return one_line(msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value).decode(), _SHOWN)


def _is_such_text(schema: Mapping[str, Any], value: Any) -> bool:
    """Return whether *value* is a text and *schema* wants a text, of a form or of any: what nearly all settings are."""
    if not isinstance(value, str) or schema.get("type") != "string":
        return False
    wanted = schema.keys() - _SAYING_NOTHING
    return wanted <= {"type", "pattern"} and re.search(schema.get("pattern", ""), value) is not None
