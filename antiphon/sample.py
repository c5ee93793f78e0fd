"""Records of an API that does not tell its fields, and the fields that can be seen in them: words for a schema.

A sample proves what there is and not what there is not: every field may be null, save those of the key; a field that is
only ever null, or of several types, is of any.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from antiphon import moment

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)?")
#: What a text stands for, where every value comes as text.
_IN_TEXT = (
    ("null", re.compile(r"\s*")),
    ("boolean", re.compile(r"true|false")),
    ("integer", re.compile(r"-?(0|[1-9]\d{0,17})")),
    ("number", re.compile(r"-?(0|[1-9]\d{0,17})\.\d+")),
)
_WORDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    Decimal: "number",
    list: "array",
    dict: "object",
}
#: What a word stands for besides itself.
_WIDER = {"number": {"integer"}, "string": {"date", "date-time"}}


@dataclass(frozen=True)
class Sample:
    """The fields seen in so many records, in the order they were met: words by name, and what there is to say of them."""

    records: int
    fields: Mapping[str, str]
    sometimes: frozenset[str]
    """The fields that are null in some record, or not there."""
    notes: tuple[str, ...]


def seen(records: Iterable[Mapping[str, Any]], key: Sequence[str], *, text: bool = False) -> Sample:
    """Return the fields of *records*, of which those of the *key* have a value in each; as *text*, numbers and flags are texts."""
    kinds: dict[str, set[str]] = {}
    given: Counter[str] = Counter()
    number = 0
    for record in records:
        number += 1
        for name, value in record.items():
            found = kind(value, text=text)
            kinds.setdefault(name, set()).add(found)
            given[name] += found != "null"
    words = {name: _word(found - {"null"}) for name, found in kinds.items()}
    always = {name for name in key if number and given[name] == number and words[name] != "any"}
    fields = {name: f"{word}!" if name in always else word for name, word in words.items()}
    sometimes = frozenset(name for name in kinds if given[name] < number)
    return Sample(number, fields, sometimes, tuple(_notes(kinds, words, {name: given[name] for name in key}, number)))


def _notes(
    kinds: Mapping[str, set[str]], words: Mapping[str, str], keys: Mapping[str, int], number: int
) -> Iterator[str]:
    for name, word in words.items():
        if kinds[name] == {"null"}:
            yield f"{name} is null in each: any"
        elif word == "any":
            yield f"{name} is now {' and now '.join(sorted(kinds[name] - {'null'}))}: any"
    for name, given in keys.items():
        if given < number:
            some = f"{number - given} have no value" if given else "none has a value"
            yield f"{some} in {name}, which is of the key: name what is the key as `key`"


def kind(value: Any, *, text: bool = False) -> str:
    """Return the word for the type of one value, ``null`` for None; as *text*, a text is what it looks like."""
    if not isinstance(value, str):
        return _WORDS.get(type(value), "any")
    if text and (like := next((word for word, form in _IN_TEXT if form.fullmatch(value)), "")):
        return like
    word = "date" if _DATE.fullmatch(value) else "date-time" if _TIME.fullmatch(value) else "string"
    try:
        return word if word == "string" or moment.parse(value) else "string"
    except (ValueError, OverflowError):
        return "string"


def settled(word: str, found: str, *, nullable: bool) -> str:
    """Return the word for a field that *word* describes, with what is said after it, and that is seen to be *found*.

    What was written stays, unless the sample contradicts it: a value is of another type, or there is none (*nullable*).
    """
    first, *marks = word.split()
    said, plain = first.removesuffix("!"), found.removesuffix("!")
    if said != "any" and plain not in {said, "any", *_WIDER.get(said, ())}:
        said = _word({said, plain})
    needed = first.endswith("!") and not nullable and said != "any"
    return " ".join((f"{said}!" if needed else said, *marks))


def _word(kinds: set[str]) -> str:
    """Return the one word that covers all *kinds*."""
    for wide in (*kinds, *_WIDER):
        if kinds and kinds <= {wide, *_WIDER.get(wide, ())}:
            return wide
    return "any"
