"""The JSON Schema of descriptions, for editors: made of the types, and explained by their docstrings."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache
from typing import Any

from antiphon import schema
from antiphon.api import Api
from antiphon.description import shapes
from antiphon.description.shapes import Shape

JsonSchema = dict[str, Any]

_ROLE = re.compile(r":\w+:`~?\.?(?:[\w.]*\.)?(\w+)`")
_WORD = f"^ *({'|'.join(schema.WORDS)})!?( +({'|'.join(schema.MARKS)}))* *$"


def json_schema() -> JsonSchema:
    """Return the JSON Schema (draft 7, which editors know best) that descriptions are valid by."""
    definitions: dict[str, JsonSchema] = {}
    root = _object(Api, definitions)
    root["properties"] = {"$schema": {"type": "string"}, **root["properties"]}
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "The description of an API", **root}
    return {**whole, "definitions": dict(sorted(definitions.items()))}


def summary(cls: type) -> str:
    """Return the first paragraph of a class's docstring, in plain words."""
    return _words((inspect.getdoc(cls) or "").partition("\n\n")[0])


@cache
def explained(cls: type) -> dict[str, str]:
    """Return what the docstrings below the fields of *cls* say of them."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)  # noqa: S101
    found = {}
    for field, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match after:
                case ast.Expr(ast.Constant(str(said))):
                    found[field.target.id] = _words(inspect.cleandoc(said))
    return found


def _words(text: str) -> str:
    return " ".join(_ROLE.sub(r"`\1`", text).replace("``", "`").split())


def _object(cls: type, definitions: dict[str, JsonSchema], *, without: str = "") -> JsonSchema:
    properties = {}
    for name, field in shapes.fields(cls).items():
        if name != without and not isinstance(field.shape, shapes.Function):
            said = explained(cls).get(name)
            properties[name] = {**({"description": said} if said else {}), **_schema(field.shape, definitions)}
    required = [name for name, field in shapes.fields(cls).items() if field.required and name != without]
    return {
        "description": summary(cls),
        "type": "object" if required else ["object", "null"],
        "properties": properties,
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _reference(cls: type, definitions: dict[str, JsonSchema], *, without: str = "") -> JsonSchema:
    """Return a reference to the schema of *cls*, which is added to *definitions* unless it is there."""
    name = f"{cls.__module__.removeprefix('antiphon.')}.{cls.__name__}"
    if name not in definitions:
        definitions[name] = {}
        made = _object(cls, definitions, without=without)
        short = None if without else shapes.brief(cls)
        definitions[name] = {"anyOf": [made, _schema(short.shape, definitions)]} if short else made
    return {"$ref": f"#/definitions/{name}"}


def _schema(shape: Shape, definitions: dict[str, JsonSchema]) -> JsonSchema:  # noqa: C901, PLR0911, PLR0912 - one case for each shape
    match shape:
        case shapes.Text():
            return {"type": "string", **(shape.bounds.schema() if shape.bounds else {})}
        case shapes.Whole():
            return {"type": "integer", **(shape.bounds.schema() if shape.bounds else {})}
        case shapes.Number():
            return {"type": "number", **(shape.bounds.schema() if shape.bounds else {})}
        case shapes.Flag():
            return {"type": "boolean"}
        case shapes.Word():
            return {"enum": list(shape.words)}
        case shapes.Many() if not isinstance(shape.item, shapes.Anything):
            item = _schema(shape.item, definitions)
            return {"anyOf": [{"type": "array", "items": item}, item]}
        case shapes.Pair():
            value = _schema(shape.value, definitions)
            pair = {"type": "array", "items": [{"type": "string"}, value], "minItems": 2, "maxItems": 2}
            one = {"type": "object", "additionalProperties": value, "minProperties": 1, "maxProperties": 1}
            return {"anyOf": [one, pair]}
        case shapes.Table():
            return {"type": "object", "additionalProperties": _schema(shape.value, definitions)}
        case shapes.Named():
            return {"type": "object", "additionalProperties": _reference(shape.cls, definitions, without="name")}
        case shapes.Record():
            return _reference(shape.cls, definitions)
        case shapes.Choice():
            return _choice(shape, definitions)
        case shapes.Either():
            return {"anyOf": [_schema(each, definitions) for each in shape.shapes]}
        case shapes.Maybe():
            return {"anyOf": [_schema(shape.shape, definitions), {"type": "null"}]}
        case shapes.Fields():
            return _fields()
        case _:
            return {}


def _choice(shape: shapes.Choice, definitions: dict[str, JsonSchema]) -> JsonSchema:
    name = f"slots.{shape.slot}" + (f".{shape.plain.cls.__name__}" if isinstance(shape.plain, shapes.Record) else "")
    if name not in definitions:
        definitions[name] = {}
        definitions[name] = {"anyOf": _forms(shape, definitions)}
    return {"$ref": f"#/definitions/{name}"}


def _forms(shape: shapes.Choice, definitions: dict[str, JsonSchema]) -> list[JsonSchema]:
    forms = [_schema(shape.plain, definitions)] if shape.plain else []
    bare = [word for word, cls in shape.kinds.items() if not any(f.required for f in shapes.fields(cls).values())]
    if bare and not shape.plain:
        forms.append({"enum": bare})
    for word, cls in shape.kinds.items():
        inside = {"description": summary(cls), **_reference(cls, definitions)}
        forms.append({
            "type": "object",
            "properties": {word: inside},
            "required": [word],
            "additionalProperties": False,
        })  # fmt: skip
    return forms


def _fields() -> JsonSchema:
    """Return the schema of a resource's schema: a JSON Schema, or a word for each field."""
    words = [f"{word}{mark}" for word in schema.WORDS for mark in ("", "!")]
    word = {"anyOf": [{"enum": words}, {"type": "string", "pattern": _WORD}]}
    whole = {
        "description": "A JSON Schema.",
        "type": "object",
        "properties": {
            "type": {"const": "object"},
            "properties": {"type": "object", "additionalProperties": {"type": "object"}},
        },
        "required": ["properties"],
    }
    taken = [
        {"required": [kind], "properties": {kind: {"not": word}}, "maxProperties": 1} for kind in shapes.kinds("schema")
    ]
    seems_whole = {
        "properties": {"type": {"const": "object"}, "properties": {"type": "object"}},
        "required": ["properties"],
    }
    by_field = {
        "description": "A word for each field; ! after it: never null.",
        "type": "object",
        "additionalProperties": {"anyOf": [word, {"type": "object"}]},
        "not": {"anyOf": [seems_whole, *taken]},
    }
    return {"anyOf": [by_field, whole]}
