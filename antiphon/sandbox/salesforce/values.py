"""From what a client sent to what is stored: checked against the field, in JSON's types or in CSV's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from antiphon.sandbox.salesforce import moments
from antiphon.sandbox.salesforce.fields import NUMERIC, Field
from antiphon.sandbox.salesforce.refusals import RowError, WrongType
from antiphon.sandbox.salesforce.store import Org, Stored

Taker = Callable[[Any], Stored]
_EMAIL = re.compile(r"[^@\s,;:()<>\[\]\"]+@[^@\s,;:()<>\[\]\".]+(\.[^@\s,;:()<>\[\]\".]+)+")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?Z?")
_INT_MAX = 2**31 - 1


def taker(org: Org, field: Field, *, csv: bool) -> Taker:
    """What turns a sent value of this field into a stored one; empty text is null. It raises RowError and WrongType."""
    make = _MAKERS.get(field.kind, _text)
    take = make(org, field)
    if csv or field.kind in NUMERIC or field.kind == "boolean":
        return take

    def from_json(value: Any) -> Stored:
        # The vendor writes a number or a flag that is meant for a text field as text.
        if isinstance(value, (dict, list)):
            raise WrongType(field.name, field.label, field.kind, value)
        if isinstance(value, bool):
            return take(str(value).lower())
        return take(value if isinstance(value, str) else str(value))

    return from_json


def _wrong(field: Field, value: object, kind: str = "") -> WrongType:
    return WrongType(field.name, field.label, kind or field.kind, value)


def _text(_org: Org, field: Field) -> Taker:
    most = field.length

    def take(value: str) -> Stored:
        text = value.strip()
        if len(text) > most:
            shown = text if len(text) <= 255 else text[:255]
            message = f"{field.label}: data value too large: {shown} (max length={most})"
            raise RowError("STRING_TOO_LONG", message, field.name)
        return text or None

    return take


def _email(org: Org, field: Field) -> Taker:
    short_enough = _text(org, field)

    def take(value: str) -> Stored:
        text = short_enough(value)
        if text is not None and not _EMAIL.fullmatch(str(text)):
            message = f"{field.label}: invalid email address: {text}"
            raise RowError("INVALID_EMAIL_ADDRESS", message, field.name)
        return text

    return take


def _picklist(org: Org, field: Field) -> Taker:
    short_enough = _text(org, field)
    by_lower = {option.lower(): option for option in field.options}

    def take(value: str) -> Stored:
        text = short_enough(value)
        if text is None or text in field.allowed or not field.restricted:
            return text
        known = by_lower.get(str(text).lower())
        if known is None:
            message = f"{field.label}: bad value for restricted picklist field: {text}"
            raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, field.name)
        return known

    return take


def _multipicklist(org: Org, field: Field) -> Taker:
    one = _picklist(org, field)

    def take(value: str) -> Stored:
        chosen = [str(found) for part in value.split(";") if (found := one(part)) is not None]
        return ";".join(dict.fromkeys(chosen)) or None

    return take


def _boolean(_org: Org, field: Field) -> Taker:
    def take(value: object) -> Stored:
        word = str(value).lower()
        if word in {"true", "yes", "y", "on", "1"}:
            return 1
        if word in {"false", "no", "n", "off", "0"}:
            return 0
        raise _wrong(field, value)

    return take


def _whole(_org: Org, field: Field) -> Taker:
    def take(value: object) -> Stored:
        number = _number(field, value)
        if number is None:
            return None
        if number != int(number):
            raise _wrong(field, value)
        if abs(number) > _INT_MAX and field.kind == "int":
            raise _out_of_range(field, number)
        return int(number)

    return take


def _real(_org: Org, field: Field) -> Taker:
    bound = 10 ** (field.precision - field.scale)
    places = field.scale

    def take(value: object) -> Stored:
        number = _number(field, value)
        if number is None:
            return None
        if abs(number) >= bound:
            raise _out_of_range(field, number)
        return round(number, places)

    return take


def _number(field: Field, value: object) -> float | None:
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _wrong(field, value, "double") from None
    if isinstance(value, bool) or number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124
        raise _wrong(field, value, "double")
    return number


def _out_of_range(field: Field, number: float) -> RowError:
    message = f"{field.label}: value outside of valid range on numeric field: {number}"
    return RowError("NUMBER_OUTSIDE_VALID_RANGE", message, field.name)


def _date(_org: Org, field: Field) -> Taker:
    def take(value: str) -> Stored:
        if not value:
            return None
        try:
            # A date-time is cut to its date; anything but ISO is refused.
            return date.fromisoformat(value[:10] if value[10:11] in {"", "T"} else value).isoformat()
        except ValueError:
            raise _wrong(field, value, "date") from None

    return take


def _datetime(_org: Org, field: Field) -> Taker:
    def take(value: str) -> Stored:
        if not value:
            return None
        try:
            return moments.parse(value)
        except ValueError:
            raise _wrong(field, value, "datetime") from None

    return take


def _time(_org: Org, field: Field) -> Taker:
    def take(value: str) -> Stored:
        if not value:
            return None
        if not _TIME.fullmatch(value):
            raise _wrong(field, value, "time")
        clock, _, fraction = value.removesuffix("Z").partition(".")
        return f"{clock}.{fraction:0<3}Z"

    return take


def _reference(org: Org, field: Field) -> Taker:
    def take(value: str) -> Stored:
        text = value.strip()
        if not text:
            return None
        number = org.ids.number(text)
        if number is None:
            raise RowError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", field.name)
        of = org.of(number)
        if of.name not in field.refers_to:
            message = f"{field.label}: id value of incorrect type: {text}"
            raise RowError("FIELD_INTEGRITY_EXCEPTION", message, field.name)
        gone = org.deleted(of, number)
        if gone is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if gone:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        return number

    return take


_MAKERS: dict[str, Callable[[Org, Field], Taker]] = {
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _multipicklist,
    "boolean": _boolean,
    "int": _whole,
    "long": _whole,
    "double": _real,
    "currency": _real,
    "percent": _real,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "reference": _reference,
}
