r"""Placeholders: ``{record.email}`` names a value to put in. Nothing here computes.

Values are found by dotted paths. A dot that belongs to a key is escaped with a backslash: ``@odata\.nextLink``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from antiphon.errors import DescriptionError, did_you_mean

_NAME = re.compile(r"\{([A-Za-z_]\w*(?:\.(?:[\w@$#:-]|\\\.)+)*)\}")
_DOT = re.compile(r"(?<!\\)\.")
_DIGITS = 400
"""Digits that a number is spelled out in; ``1e999999999`` would take all memory."""


class _Missing:
    """The absence of a value; unlike None, which is a value."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()


@lru_cache(maxsize=4096)
def parts(path: str) -> tuple[str, ...]:
    r"""Return the keys that a dotted *path* names one after the other.

    >>> parts(r"meta.@odata\.nextLink")
    ('meta', '@odata.nextLink')
    """
    if "\\" not in path:
        return tuple(path.split("."))
    return tuple(part.replace(r"\.", ".") for part in _DOT.split(path))


def look(value: Any, path: str, default: Any = None) -> Any:
    """Return what stands at the dotted *path* in *value*; an empty path is *value* itself.

    A part that is a number looks into a list: ``errors.0.message``.
    """
    if path:
        for part in parts(path):
            if isinstance(value, Mapping):
                if part not in value:
                    return default
                value = value[part]
            elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            else:
                return default
    return value


def put(into: Any, path: str, value: Any) -> None:
    """Set *value* at the dotted *path* in *into*, making the objects on the way. A number is a place in a list there is."""
    *parents, last = parts(path)
    for part in parents:
        into = into[int(part)] if isinstance(into, list) else into.setdefault(part, {})
    if isinstance(into, list):
        into[int(last)] = value
    else:
        into[last] = value


def with_value(value: Any, path: str, new: Any) -> Any:
    """Return a copy of *value* with *new* at the dotted *path*; what is not on the way there is shared."""
    return _with(value, parts(path), new)


def _with(value: Any, path: tuple[str, ...], new: Any) -> Any:
    if not path:
        return new
    part, rest = path[0], path[1:]
    if isinstance(value, list) and part.isdecimal():
        longer = [*value, *[None] * (int(part) + 1 - len(value))]
        longer[int(part)] = _with(longer[int(part)], rest, new)
        return longer
    inner = dict(value) if isinstance(value, Mapping) else {}
    return {**inner, part: _with(inner.get(part), rest, new)}


def fill(template: Any, values: Mapping[str, Any], *, doubled: str = "") -> Any:
    """Return *template* with its placeholders replaced from *values*.

    A text that is wholly one placeholder keeps the value's type. An entry of an object whose placeholders have no value
    (:data:`MISSING`, or a path that leads nowhere) is left out; so is one of a list. Keys are filled as well. In a value that
    stands between two of the character *doubled*, as texts do in OData and SQL, that character is doubled.

    >>> fill({"id": "{id}", "name": "n-{id}", "tag": "{tag}", "above": "gt:{tag}"}, {"id": 3})
    {'id': 3, 'name': 'n-3'}
    """
    if isinstance(template, str):
        whole = _NAME.fullmatch(template)
        if whole:
            return look(values, whole[1], MISSING)
        return _NAME.sub(lambda match: _literal(match, text(look(values, match[1], "")), doubled), template)
    if isinstance(template, Mapping):
        filled = (
            (fill(key, values, doubled=doubled) if "{" in key else key, fill(value, values, doubled=doubled))
            for key, value in template.items()
            if not _hollow(value, values)
        )
        return {text(key): value for key, value in filled if key is not MISSING}
    if isinstance(template, list | tuple):
        return [fill(value, values, doubled=doubled) for value in template if not _hollow(value, values)]
    return template


def _hollow(template: Any, values: Mapping[str, Any]) -> bool:
    """Whether *template* is a text with placeholders of which none has a value."""
    if not isinstance(template, str) or "{" not in template:
        return False
    named = _NAME.findall(template)
    return bool(named) and all(look(values, name, MISSING) is MISSING for name in named)


def _literal(match: re.Match[str], value: str, doubled: str) -> str:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if doubled and before.endswith(doubled) and after.startswith(doubled):
        return value.replace(doubled, 2 * doubled)
    return value


def fill_path(template: str, values: Mapping[str, Any], *, doubled: str = "") -> str:
    """Return a URL path with its placeholders replaced and percent-encoded; *doubled* as :func:`fill` has it.

    Raises:
        DescriptionError: a placeholder has no value, or one that climbs: such a path would ask for something else.
    """

    def one(match: re.Match[str]) -> str:
        value = text(look(values, match[1], MISSING))
        if value in {"", ".", ".."}:
            said = f'the path "{template}" needs a value for {{{match[1]}}}'
            raise DescriptionError(said, hint="Give it in the settings or with the record.")
        return quote(_literal(match, value, doubled), safe="")

    return _NAME.sub(one, template)


def paths(template: Any) -> set[str]:
    """Return the paths that the placeholders of *template* name: ``{record.email}`` -> ``record.email``."""
    if isinstance(template, str):
        return set(_NAME.findall(template))
    if isinstance(template, Mapping):
        return set().union(*(paths(value) for value in template.values()), *(paths(key) for key in template))
    if isinstance(template, list | tuple):
        return set().union(*(paths(value) for value in template))
    return set()


def names(template: Any) -> set[str]:
    """Return the names that the placeholders of *template* begin with: ``{record.email}`` -> ``record``."""
    return {path.split(".")[0] for path in paths(template)}


def refuse_unknown(template: Any, known: set[str], where: str) -> None:
    """Raise :class:`DescriptionError` if *template* names a value that nobody will give."""
    for name in sorted(names(template) - known):
        raise DescriptionError(f"{where}: unknown placeholder {{{name}}}", hint=did_you_mean(name, known))


def text(value: Any) -> str:
    """Return *value* as it stands in a URL: true and false in lower case, lists joined by commas, null empty."""
    if value is MISSING or value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        try:
            return ",".join(value)
        except TypeError:  # not all of them are texts
            return ",".join(text(item) for item in value)
    return str(value)


def spelled(number: Decimal) -> str:
    """Return *number* digit by digit, as those want it who know no exponents; with one where it would have hundreds of digits."""
    return f"{number:f}" if abs(number.adjusted()) <= _DIGITS else str(number)


def folded(text: str) -> str:
    """Return *text* as it is one to its readers, whatever its case, its spaces and its Unicode form.

    >>> folded(" Brand  new É") == folded("brand new e\u0301")
    True
    """
    apart = unicodedata.normalize("NFD", text)  # case is folded right in this form alone
    return unicodedata.normalize("NFC", " ".join(apart.casefold().split()))
