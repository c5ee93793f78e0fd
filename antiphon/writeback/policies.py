"""What a field's value must be and is made into: one small callable for each policy.

A policy takes a value and returns what is sent in its place, :data:`OMIT` for nothing at all; where there is nothing to send it raises ValueError
with the reason. What a policy returns it leaves as it is, so that a record may be mapped again. An empty text, or one of spaces
alone, is no value: it is empty whatever the policy, unless a map says otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal

from antiphon.fill import folded, text
from antiphon.writeback import graphemes, match

Policy = Callable[[Any], Any]
Otherwise = Literal["error", "default", "omit", "create"]

_SHOWN = 40
"""Options, and characters of a value, in one message."""
_LONGEST = 255
"""Characters of an option that is added, where the API does not say how many there may be."""


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
        """Return *value* with the replacements made; a number is taken as it is written, and stays one where there are none."""
        if (said := _plain(value)) is None:
            return value
        made = _any_of(tuple(self.texts)).sub(lambda found: self.texts[found[0]], said)
        return value if made == said else made


@cache
def _any_of(texts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(texts, key=len, reverse=True))) or "(?!)")


@dataclass(frozen=True)
class Choose:
    """One of the options of a drop-down, or several of them where the field takes several."""

    map: Mapping[str, Any] = field(default_factory=dict)
    """Values, without spaces around them, and what the API has for each."""
    options: tuple[str, ...] = ()
    """What the API takes; empty where it does not tell: then what *map* leads to."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Options and labels as they are one to readers (:func:`antiphon.fill.folded`), and the options they stand for."""
    several: str = ""
    """What stands between several options in one text; empty where there is but one."""
    otherwise: Otherwise = "error"
    default: Any = None
    create: Callable[[str], str] | None = None
    """Adds an option in the API, and returns how it is written there."""
    longest: int = _LONGEST
    """Characters of an option that is added, at most."""

    def __call__(self, value: Any) -> Any:
        """Return the option for *value*.

        Raises:
            ValueError: it is none, and ``otherwise`` does not say what to do then.
        """
        parts = self._parts(value)
        if parts is None:
            return self._one(value)
        chosen = [one for part in parts if (one := self._one(part)) is not OMIT]
        each = [option for one in chosen for option in text(one).split(self.several)]
        return self.several.join(dict.fromkeys(each)) if chosen or not parts else OMIT

    def _parts(self, value: Any) -> list[Any] | None:
        if not self.several:
            return None
        if isinstance(value, list):
            return [part for part in value if text(part).strip()]
        whole = isinstance(value, str) and self.several in value and value.strip() not in self.map
        return [part.strip() for part in value.split(self.several) if part.strip()] if whole else None

    def _one(self, value: Any) -> Any:
        key = _said(value).strip()
        for said in (text(value).strip(), key):
            if said in self.map:
                return self._meant(self.map[said])
        if not key:
            return key
        if (option := self.option(key)) is not None:
            return value if option == text(value) else option
        if self.otherwise == "default":
            return self._meant(self.default)
        if self.otherwise == "omit":
            return OMIT
        if self.otherwise == "create" and self.create:
            return self.create(self._new(key))
        raise ValueError(f'"{key[:_SHOWN]}" is no option; there are: {self._listed()}')

    def _meant(self, value: Any) -> Any:
        """Return the option, or the options, that the settings mean by *value*: perhaps by a label."""
        said = text(value)
        parts = [part.strip() for part in said.split(self.several)] if self.several else [said]
        options = [self.option(part) or part for part in parts]
        made = self.several.join(options)
        return value if made == said or not any(parts) else made

    def _new(self, key: str) -> str:
        """Return the option to add for *key*, in the form in which texts are commonly written.

        Raises:
            ValueError: nobody would want such an option.
        """
        option = unicodedata.normalize("NFC", " ".join(key.split()))
        if len(option) > self.longest:
            raise ValueError(f"{len(option)} characters are too many for an option, the most is {self.longest}")
        if self.several and self.several in option:
            raise ValueError(f'"{option[:_SHOWN]}" cannot be an option: "{self.several}" stands between options')
        if not option.isprintable():
            raise ValueError(f'"{option[:_SHOWN]}" cannot be an option: it has characters that cannot be seen')
        return option

    def option(self, key: str) -> str | None:
        """Return the option that *key* is, or is the label of; None where it is none."""
        known = self.options or tuple(map(text, self.map.values()))
        if key in known:
            return key
        return self.labels.get(folded(key))

    def _listed(self) -> str:
        known = list(filter(None, dict.fromkeys([*self.map, *(self.options or map(text, self.map.values()))])))
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
        left = "".join(each for each in dict.fromkeys(_plain(value) or "") if not re.fullmatch(self.pattern, each))
        if left:
            raise ValueError(f'"{left[:_SHOWN]}" is not allowed in it, only {self.pattern}')
        return value


@dataclass(frozen=True)
class Length:
    """A text of at most so many characters."""

    most: int
    truncate: bool = False

    def __call__(self, value: Any) -> Any:
        """Return *value*, cut where that is wanted: without the spaces around it.

        Raises:
            ValueError: it is too long.
        """
        said = _plain(value)
        if said is None or len(said) <= self.most:
            return value
        held = said.strip()
        whole = graphemes.cut(held, self.most) if self.truncate else ""
        if whole or (self.truncate and not held):
            return whole.rstrip()
        raise ValueError(f"{len(said)} characters are too many, the most is {self.most}")


def _plain(value: Any) -> str | None:
    """Return *value*, a text, a number or a flag, as it is written; None where it is something else."""
    return _said(value) if isinstance(value, str | bool | int | float | Decimal) else None


def _said(value: Any) -> str:
    """Return *value* as a text; 5 and 5.0 are the same number."""
    return match.text(value) if isinstance(value, float | Decimal) else text(value)
