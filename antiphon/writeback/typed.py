"""Values as an API's fields have them, so that what is looked up is what is written.

In a field of texts 5 and 5.0 are "5" and true is "true"; in one of whole numbers "5" and 5.0 are 5.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from antiphon.api import Schema
from antiphon.schema import types
from antiphon.writeback.match import text

_DIGITS = 40
"""No API's whole number has more, and 1e999999999 would take all memory."""
_NUMBERS = int | float | Decimal


def typed(value: Any, field: Schema) -> Any:
    """Return *value* as *field* has it, so that two that are one there are one here; what does not fit stays."""
    if isinstance(value, str):
        value = value.strip()
    if types(field) == ("string",) and field.get("format") not in {"date", "date-time"}:
        return str(value).lower() if isinstance(value, bool) else text(value) if isinstance(value, _NUMBERS) else value
    if types(field) == ("integer",) and isinstance(value, str | float | Decimal):
        try:
            number = Decimal(value)
            whole = number.is_finite() and number.adjusted() <= _DIGITS and number == number.to_integral_value()
            return int(number) if whole else value
        except InvalidOperation:
            return value
    return value
