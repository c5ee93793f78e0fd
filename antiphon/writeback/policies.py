"""What a field's value must be and is made into: one small callable for each policy.

A policy takes a value and returns what is sent in its place, :data:`OMIT` for nothing at all; where there is nothing to send it raises ValueError
with the reason. What a policy returns it leaves as it is, so that a record may be mapped again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from antiphon.fill import text

Policy = Callable[[Any], Any]
Otherwise = Literal["error", "default", "omit", "create"]

_SHOWN = 40
"""Options, and characters of a value, in one message."""


class _Omit:
    def __repr__(self) -> str:
        return "OMIT"


OMIT: Any = _Omit()
"""What a policy returns where the field is to be left out."""


@dataclass(frozen=True)
class Replace:
    """Texts replaced by others, the longest first, in one pass."""

    texts: Mapping[str, str]

    def __call__(self, value: Any) -> Any:
        """Return *value* with the replacements made; what is no text stays."""
        if not isinstance(value, str):
            return value
        return _any_of(tuple(self.texts)).sub(lambda found: self.texts[found[0]], value)


@cache
def _any_of(texts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


@dataclass(frozen=True)
class Choose:
    """One of the options of a drop-down, or several of them where the field takes several."""

    map: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    """What the API takes; empty where it does not tell: then what *map* leads to."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels, in lower case, and the options they stand for."""
    several: str = ""
    """What stands between several options in one text; empty where there is but one."""
    otherwise: Otherwise = "error"
    default: Any = None
    create: Callable[[str], None] | None = None
    """Adds an option in the API."""

    def __call__(self, value: Any) -> Any:
        """Return the option for *value*.

        Raises:
            ValueError: it is none, and ``otherwise`` does not say what to do then.
        """
        parts = self._parts(value)
        if parts is None:
            return self._one(value)
        chosen = [one for part in parts if (one := self._one(part)) is not OMIT]
        return self.several.join(dict.fromkeys(map(text, chosen))) if chosen or not parts else OMIT

    def _parts(self, value: Any) -> list[Any] | None:
        if not self.several:
            return None
        if isinstance(value, list):
            return value
        whole = isinstance(value, str) and self.several in value and value not in self.map
        return [part.strip() for part in value.split(self.several) if part.strip()] if whole else None

    def _one(self, value: Any) -> Any:
        if value == "":
            return value
        key = text(value).strip()
        if key in self.map:
            return self.option(text(self.map[key])) or self.map[key]
        if (option := self.option(key)) is not None:
            return value if option == text(value) else option
        if self.otherwise == "default":
            return self.default
        if self.otherwise == "omit":
            return OMIT
        if self.otherwise == "create" and self.create:
            self.create(key)
            return key
        raise ValueError(f'"{key[:_SHOWN]}" is no option; there are: {self._listed()}')

    def option(self, key: str) -> str | None:
        """Return the option that *key* is, or is the label of; None where it is none."""
        known = self.options or tuple(map(text, self.map.values()))
        if key in known:
            return key
        return self.labels.get(key.lower())

    def _listed(self) -> str:
        known = list(dict.fromkeys([*self.map, *(self.options or map(text, self.map.values()))]))
        return ", ".join(known[:_SHOWN]) + (" …" if len(known) > _SHOWN else "")


@dataclass(frozen=True)
class Allowed:
    """A text of allowed characters alone; *pattern* is a regular expression for one of them."""

    pattern: str

    def __call__(self, value: Any) -> Any:
        """Return *value*.

        Raises:
            ValueError: it has other characters.
        """
        if isinstance(value, str):
            left = "".join(dict.fromkeys(re.sub(self.pattern, "", value)))
            if left:
                raise ValueError(f'"{left[:_SHOWN]}" is not allowed in it, only {self.pattern}')
        return value


@dataclass(frozen=True)
class Length:
    """A text of at most so many characters."""

    most: int
    truncate: bool = False

    def __call__(self, value: Any) -> Any:
        """Return *value*, cut where that is wanted.

        Raises:
            ValueError: it is too long.
        """
        if not isinstance(value, str) or len(value) <= self.most:
            return value
        if self.truncate:
            return value[: self.most].rstrip()
        raise ValueError(f"{len(value)} characters are too many, the most is {self.most}")
