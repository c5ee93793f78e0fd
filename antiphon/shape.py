"""From an API's record to a stream's: nested fields lifted, text read as the schema's types, times in UTC.

The shape is data (:class:`~antiphon.api.Read`); it is compiled once per read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import UNSET

from antiphon import moment
from antiphon.api import Read, Record
from antiphon.schema import types

log = logging.getLogger("antiphon.shape")

Convert = Callable[[Any], Any]

_FULL = re.compile(r"\.000Z$", re.MULTILINE)
_DIGITS = 4000
"""A whole number with more is a mistake, and ``1e999999999`` would take all memory."""


def compiled(read: Read, schema: Mapping[str, Any]) -> Shape:
    """Return what gives one of *read*'s records the shape that *schema* has."""
    return Shape(read, schema)


class Shape:
    """The shape of one read's records: called with a record, it returns it as the schema has it."""

    def __init__(self, read: Read, schema: Mapping[str, Any]) -> None:
        """Compile the shape that is declared in *read*."""
        self.lifts, self.nulls, self.pairs = read.lift, read.nulls, read.pairs
        properties = schema.get("properties", {})
        self.flags = {name for name, field in properties.items() if "boolean" in types(field)}
        self.whole = {name for name, field in properties.items() if types(field) != ("integer",)}
        """Fields that hold no pairs."""
        self.named = {
            n.removesuffix(self.pairs) for n in properties if self.pairs and n.endswith(self.pairs)
        } - self.whole
        """Fields of pairs whose names have a field of their own."""
        self.absent = {type(null) for null in self.nulls}
        self.converters = {
            name: convert
            for name, field in properties.items()
            if (convert := _converter(field, text=read.text)) is not None
        }
        self._warned: set[str] = set()

    def __call__(self, record: Record) -> Record:
        """Return *record*, which may be changed in place, in its shape."""
        for name in self.lifts:
            nested = record.pop(name, None)
            if isinstance(nested, dict):
                record = {**nested, **record}
        absent, converters = self.absent, self.converters
        for name, value in record.items():
            if value is not None and (name in converters or type(value) in absent):
                record[name] = self.value(name, value)
        return _apart(record, self.pairs, self.named, self.whole) if self.pairs else record

    def is_time(self, name: str) -> bool:
        """Return whether the field *name* is a date-time."""
        return self.converters.get(name) is _moment

    def is_number(self, name: str) -> bool:
        """Return whether the field *name* is a number that is read from text."""
        return self.converters.get(name) is _number

    def value(self, name: str, value: Any) -> Any:
        """Return one *value*, not null, of the field *name* as the schema has it; null where it is none of its type."""
        if type(value) in self.absent and value in self.nulls and not (value is False and name in self.flags):
            return None
        convert = self.converters.get(name)
        if convert is None:
            return value
        try:
            return convert(value)
        except (ValueError, TypeError, InvalidOperation, OverflowError):
            if name not in self._warned:
                self._warned.add(name)
                log.warning('field "%s" holds a value that is not of its type; such values are read as null', name)
            return None


def _apart(record: Record, suffix: str, named: Collection[str], whole: Collection[str]) -> Record:
    """Take pairs of an id and a name apart: the id stays, the name becomes a field of its own.

    *named* have such a field, which is null where they are; lists in the fields *whole* are no pairs.
    """
    for name in [name for name, value in record.items() if type(value) is list and is_pair(value)]:
        if name not in whole:
            record[name], record[name + suffix] = record[name]
    for name in named:
        if name in record and record[name] is None:
            record[name + suffix] = None
    return record


def is_pair(value: list[Any]) -> bool:
    """Return whether *value* is an id and a name."""
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


def full_seconds(values: Sequence[Any]) -> list[int] | None:
    """Return where in *values* full seconds are written with a fraction; None unless all that are given are date-times in UTC and of one length."""
    given: Sequence[int] = range(len(values))
    text = _on_lines(values)
    if text is None:
        given = [place for place, value in enumerate(values) if value is not None and value is not UNSET]
        text = _on_lines([values[place] for place in given])
    count = len(given)
    if text is None or not count:
        return None if text is None else []
    each, more = divmod(len(text) + 1, count)
    right = (
        not more
        and each > len("2026-01-31TZ")
        and text[10::each] == "T" * count
        and text[each - 2 :: each] == "Z" * count
        and text[each - 1 :: each] == "\n" * (count - 1)
        and text.count("\n") == count - 1
    )
    if not right:
        return None
    return [given[found.start() // each] for found in _FULL.finditer(text)] if ".000Z" in text else []


def _on_lines(values: Sequence[Any]) -> str | None:
    try:
        return "\n".join(values)
    except TypeError:
        return None


def _date(value: Any) -> str | None:
    if value == "":
        return None
    text = str(value)
    return text if text[4:5] == "-" and len(text) == 10 else moment.parse(value).date().isoformat()  # noqa: PLR2004


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value
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
    if "." in value or "e" in value.lower():
        return number
    if number.adjusted() > _DIGITS:
        raise ValueError(value)
    return int(number)


def _boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    match str(value).strip().lower():
        case "true" | "1" | "yes":
            return True
        case "false" | "0" | "-0" | "no":
            return False
        case "":
            return None
    raise ValueError(value)


#: The types of values that :mod:`msgspec` (not strict) reads from text as these do, if it takes them at all; but for no number (NaN).
NATIVE: dict[Convert | None, Any] = {_number: int | Decimal | None, _boolean: bool | None}
