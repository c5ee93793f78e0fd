"""Conditions as data: what must hold of a value at a path. Nothing here computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from antiphon.fill import look


@dataclass(frozen=True)
class Condition:
    """What must hold of the value at a path; all that is said must hold."""

    path: str
    """Where the value is: a dotted path."""
    empty: bool | None = None
    """Whether there is none: absent, null, false, or an empty text, list or object."""
    equals: Any = None
    """The value it has, or a list of those it may have."""
    above: float | None = None
    """The number it is greater than."""
    below: float | None = None
    """The number it is less than."""

    def holds(self, values: Any) -> bool:
        """Return whether it holds of *values*."""
        found = look(values, self.path)
        if self.empty is not None and (found in (None, "", False, [], {})) is not self.empty:
            return False
        if self.equals is not None and not one_of(found, self.equals):
            return False
        return (self.above is None or _number(found, self.above) > self.above) and (
            self.below is None or _number(found, self.below) < self.below
        )


def all_hold(conditions: Iterable[Condition], values: Mapping[str, Any]) -> bool:
    """Return whether there are *conditions* and each of them holds."""
    conditions = tuple(conditions)
    return bool(conditions) and all(condition.holds(values) for condition in conditions)


def one_of(found: Any, wanted: Any) -> bool:
    """Return whether *found* is *wanted*, or one of a list of them. True is not 1."""
    if isinstance(wanted, list | tuple):
        return any(one_of(found, one) for one in wanted)
    return isinstance(found, bool) is isinstance(wanted, bool) and bool(found == wanted)


def _number(found: Any, otherwise: float) -> Decimal | float:
    """Return *found* as a number; what is none is neither above nor below *otherwise*."""
    if isinstance(found, bool) or found is None:
        return otherwise
    try:
        number = Decimal(str(found))
    except InvalidOperation:
        return otherwise
    return number if number.is_finite() else otherwise
