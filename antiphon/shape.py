"""From an API's record to a stream's: nested fields lifted, text read as the schema's types, times in UTC.

The shape is data (:class:`~antiphon.api.Read`); it is compiled once per read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from antiphon import moment
from antiphon.api import Read, Record
from antiphon.schema import types

log = logging.getLogger("antiphon.shape")

Convert = Callable[[Any], Any]

_DIGITS = 4000
"""A whole number with more is a mistake, and ``1e999999999`` would take all memory."""


def compiled(read: Read, schema: Mapping[str, Any]) -> Callable[[Record], Record]:
    """Return the function that gives one of *read*'s records the shape that *schema* has."""
    lifts, nulls, pairs = read.lift, read.nulls, read.pairs
    properties = schema.get("properties", {})
    flags = {name for name, field in properties.items() if "boolean" in types(field)}
    whole = {name for name, field in properties.items() if types(field) != ("integer",)}
    named = {name.removesuffix(pairs) for name in properties if pairs and name.endswith(pairs)} - whole
    absent = {type(null) for null in nulls}
    converters = {
        name: convert
        for name, field in properties.items()
        if (convert := _converter(field, text=read.text)) is not None
    }
    warned: set[str] = set()

    def shape(record: Record) -> Record:
        for name in lifts:
            nested = record.pop(name, None)
            if isinstance(nested, dict):
                record = {**nested, **record}
        for name, value in record.items():
            if value is None:
                continue
            if type(value) in absent and value in nulls and not (value is False and name in flags):
                record[name] = None
            elif convert := converters.get(name):
                try:
                    record[name] = convert(value)
                except (ValueError, TypeError, InvalidOperation, OverflowError):
                    record[name] = None
                    if name not in warned:
                        warned.add(name)
                        log.warning(
                            'field "%s" holds a value that is not of its type; such values are read as null', name
                        )
        return _apart(record, pairs, named, whole) if pairs else record

    return shape


def _apart(record: Record, suffix: str, named: Collection[str], whole: Collection[str]) -> Record:
    """Take pairs of an id and a name apart: the id stays, the name becomes a field of its own.

    *named* have such a field, which is null where they are; lists in the fields *whole* are no pairs.
    """
    for name in [name for name, value in record.items() if type(value) is list and _is_pair(value)]:
        if name not in whole:
            record[name], record[name + suffix] = record[name]
    for name in named:
        if name in record and record[name] is None:
            record[name + suffix] = None
    return record


def _is_pair(value: list[Any]) -> bool:
    return len(value) == 2 and type(value[0]) is int and isinstance(value[1], str)  # noqa: PLR2004


def _converter(field: Mapping[str, Any], *, text: bool) -> Convert | None:
    kinds = types(field)
    form = field.get("format")
    if "string" in kinds and form == "date-time":
        return _moment
    if not text:
        return None
    if "string" in kinds:
        return _date if form == "date" else None
    if "integer" in kinds:
        return _integer
    if "number" in kinds:
        return _number
    return _boolean if "boolean" in kinds else None


def _moment(value: Any) -> str | None:
    if value == "":
        return None
    if isinstance(value, str) and value[-1:] == "Z" and value[10:11] == "T":
        return f"{value[:-5]}Z" if value.endswith(".000Z") else value
    return moment.rfc3339(value)


def _date(value: Any) -> str | None:
    if value == "":
        return None
    text = str(value)
    return text if text[4:5] == "-" and len(text) == 10 else moment.parse(value).date().isoformat()  # noqa: PLR2004


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
    number = Decimal(value)
    if number.adjusted() > _DIGITS or number != number.to_integral_value():
        raise ValueError(value)
    return int(number)


def _number(value: Any) -> Decimal | int | None:
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    value = value.strip()
    if not value:
        return None
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(value)
    return int(number) if "." not in value and "e" not in value.lower() else number


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    match str(value).strip().lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "no":
            return False
        case "":
            return None
    raise ValueError(value)
