"""Reading what is common to requests: page sizes, cursors, property lists, JSON bodies."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from antiphon.sandbox.exchange import Request
from antiphon.sandbox.hubspot.refusals import invalid


def limit(request: Request, default: int, most: int) -> int:
    """The page size asked for; refused outside 1 to `most`."""
    text = request.first("limit")
    return default if text is None else size(text, most)


def size(value: object, most: int) -> int:
    """A page size; refused outside 1 to `most`."""
    try:
        number = int(str(value))
    except ValueError:
        raise invalid(f"Invalid integer value {value!r} for parameter limit") from None
    if not 1 <= number <= most:
        raise invalid(f"limit must be between 1 and {most}, not {number}")
    return number


def cursor(position: int) -> str:
    """A position as the opaque text the vendor pages with."""
    return base64.b64encode(f"{position}\n".encode()).decode()


def position(text: str | None) -> int:
    """The position behind a cursor; 0 without one. A cursor of the caller's own making is refused."""
    if not text:
        return 0
    try:
        return int(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise invalid(f"invalid paging cursor: {text}") from None


def names(request: Request, parameter: str) -> list[str] | None:
    """A comma list or a repeated parameter, or a mix; None when it is not there."""
    values = request.query.get(parameter)
    if values is None:
        return None
    return [name for value in values for name in value.split(",") if name]


def flag(request: Request, parameter: str) -> bool:
    """`true` or `false`."""
    text = (request.first(parameter) or "false").lower()
    if text not in {"true", "false"}:
        raise invalid(f"Invalid boolean value {text!r} for parameter {parameter}")
    return text == "true"


def document(request: Request) -> Any:
    """The JSON in the body, its members of the types the vendor declares; refused otherwise."""
    try:
        decoded = json.loads(request.body)
    except ValueError:
        raise invalid("Invalid input JSON on line 1, column 1") from None
    return _shaped(decoded, "body")


def body(request: Request) -> dict[str, Any]:
    """The same, which must be an object."""
    decoded = document(request)
    if not isinstance(decoded, dict):
        raise invalid("Invalid input JSON on line 1, column 1: Cannot deserialize value of type object")
    return decoded


# A member is of the same type wherever it occurs. A type in a list is the type of a list's elements.
_SHAPES: dict[str, tuple[object, ...]] = {
    "inputs": ([dict],),
    "associations": ([dict],),
    "types": ([dict],),
    "from": (dict,),
    "to": (dict, [dict]),
    "associationTypeId": (int,),
    "associationCategory": (str,),
    "idProperty": (str,),
    "objectWriteTraceId": (str,),
    "propertiesWithHistory": ([str],),
    "filterGroups": ([dict],),
    "filters": ([dict],),
    "propertyName": (str,),
    "operator": (str,),
    "value": (str, int, float, bool),
    "highValue": (str, int, float),
    "values": ([str], [int]),
    "sorts": ([dict], [str]),
    "name": (str,),
    "label": (str,),
    "labels": (dict,),
    "options": ([dict],),
    "requiredProperties": ([str],),
    "associatedObjects": ([str],),
    "displayOrder": (int,),
}


def _shaped(value: Any, name: str) -> Any:
    allowed = _SHAPES.get(name)
    if allowed is not None and value is not None and not any(_is(value, kind) for kind in allowed):
        raise invalid(f"Invalid input JSON: cannot read {name}")
    for each in value if isinstance(value, list) else [value]:
        # What `properties` holds, when an object, are names and values of the account's own.
        if isinstance(each, dict) and not (name == "properties" and isinstance(value, dict)):
            for member, inner in each.items():
                _shaped(inner, member)
    return value


def _is(value: object, kind: object) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(isinstance(each, kind[0]) for each in value)
    return isinstance(kind, type) and isinstance(value, kind)


def inputs(document: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The rows of a batch; refused when there are none, or more than `most`."""
    rows = document.get("inputs")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise invalid("Some required fields were not set: [inputs]")
    if len(rows) > most:
        raise invalid(f"Maximum of {most} inputs per batch, got {len(rows)}")
    return rows
