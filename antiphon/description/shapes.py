"""What may stand where in a description: the types of :mod:`antiphon.api` and of the kinds, taken apart.

All that reads, writes or explains a description goes by these shapes. A new field, or a new kind in a registry ``KINDS``, needs nothing
here; a new slot (a protocol, or a kind of function) needs its line in :data:`SLOTS`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from antiphon import api, outcome
from antiphon.api import Resource, Setting
from antiphon.bounds import Span, Written

if TYPE_CHECKING:
    from antiphon.client import Client


@dataclass(frozen=True)
class Text:
    """A text, which may have to be written in a certain way."""

    bounds: Written | None = None


@dataclass(frozen=True)
class Whole:
    """A whole number, perhaps within bounds."""

    bounds: Span | None = None


@dataclass(frozen=True)
class Number:
    """A number, perhaps within bounds."""

    bounds: Span | None = None


@dataclass(frozen=True)
class Flag:
    """True or false."""


@dataclass(frozen=True)
class Word:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Anything:
    """Any value that JSON has."""


@dataclass(frozen=True)
class Fields:
    """The schema of a record: a word for each field, or a JSON Schema."""


@dataclass(frozen=True)
class Many:
    """A list, which is ``of`` a type; one value may stand for a list of one."""

    item: Shape
    of: type = tuple


@dataclass(frozen=True)
class Pair:
    """A name and a value, written as a list of the two or as a mapping of the one to the other."""

    value: Shape


@dataclass(frozen=True)
class Table:
    """A mapping of names to values."""

    value: Shape


@dataclass(frozen=True)
class Named:
    """A mapping of names to objects that begin with their name."""

    cls: type


@dataclass(frozen=True)
class Record:
    """An object with known fields; where no field but the first has to be given, that one's text, word or list may stand for it."""

    cls: type


@dataclass(frozen=True)
class Choice:
    """An object of one of the kinds in a slot, written under the word for it; or ``plain``, which needs no word."""

    slot: str
    plain: Shape | None = None

    @property
    def kinds(self) -> Mapping[str, type]:
        """The kinds, by the words for them."""
        return kinds(self.slot)


@dataclass(frozen=True)
class Either:
    """One shape or another."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Maybe:
    """A shape, or nothing."""

    shape: Shape


@dataclass(frozen=True)
class Function:
    """A function, which only a description in Python can give."""


Shape = (
    Text | Whole | Number | Flag | Word | Anything | Fields | Many | Pair | Table | Named | Record | Choice | Either | Maybe
    | Function
)  # fmt: skip

#: The slots that are filled by kinds, and the registry of each: module and name.
SLOTS: dict[str, str] = {
    "auth": "auth.KINDS",
    "paging": "paging.KINDS",
    "style": "style.KINDS",
    "format": "formats.KINDS",
    "encoding": "formats.ENCODINGS",
    "outcomes": "outcome.KINDS",
    "reader": "vanished.KINDS",
    "writer": "",
    "schema": "sources.KINDS",
}
_SCALARS: dict[Any, Shape] = {str: Text(), int: Whole(), float: Number(), bool: Flag(), Any: Anything()}


@cache
def kinds(slot: str) -> Mapping[str, type]:
    """Return the kinds that may fill *slot*, by the words for them."""
    module, _, name = SLOTS[slot].rpartition(".")
    found: Mapping[str, type] = getattr(import_module(f"antiphon.{module}"), name) if module else {}
    return found


@dataclass(frozen=True)
class Field:
    """A field of an object: its shape, and whether it has to be given; else its default."""

    name: str
    shape: Shape
    required: bool
    default: Any = None


@cache
def fields(cls: type) -> dict[str, Field]:
    """Return the fields of a dataclass, by name."""
    found = {}
    for field, hint in _hinted(cls):
        default = field.default_factory() if callable(field.default_factory) else field.default
        found[field.name] = Field(field.name, _shape(hint), _required(field), default)
    return found


@cache
def brief(cls: type) -> Field | None:
    """Return the field whose text, word or list may stand for the whole object: the first, where no other has to be given."""
    first, *others = fields(cls).values() or (None,)
    if first is None or any(field.required for field in others):
        return None
    return first if isinstance(first.shape, Text | Word | Many) else None


@cache
def in_python_alone(cls: type) -> bool:
    """Whether an object needs a function, so that only a description in Python can give it."""
    return any(_required(field) and _is_function(hint) for field, hint in _hinted(cls))


def is_json_schema(value: Mapping[str, Any]) -> bool:
    """Whether what :class:`Fields` stands for is a JSON Schema as it is, and not a word for each field."""
    return isinstance(value.get("properties"), Mapping) and value.get("type", "object") == "object"


def _hinted(cls: type) -> list[tuple[dataclasses.Field[Any], Any]]:
    hints = typing.get_type_hints(cls, localns=_names(), include_extras=True)
    return [(field, hints[field.name]) for field in dataclasses.fields(cls) if field.init]


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _is_function(hint: Any) -> bool:
    return hint not in _slots() and get_origin(hint) is Callable


def _shape(hint: Any) -> Shape:  # noqa: PLR0911 - one for each way to write a type
    if hint in _SCALARS:
        return _SCALARS[hint]
    if hint in _slots():
        return Choice(_slots()[hint])
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(_shape(args[0]), args[1])
    if origin in {typing.Union, types.UnionType}:
        return _union(args)
    if origin is typing.Literal:
        return Word(args)
    if origin in {tuple, frozenset, list}:
        return _list(origin, args)
    if origin is not None and issubclass(origin, Mapping):
        return Table(_shape(args[1]))
    if _is_function(hint):
        return Function()
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return Function() if in_python_alone(hint) else Record(hint)
    raise TypeError(f"no shape for the type {hint}: a slot needs its line in antiphon.description.shapes.SLOTS")


def _bounded(shape: Shape, bounds: Any) -> Shape:
    assert isinstance(shape, Text | Whole | Number)  # noqa: S101
    return replace(shape, bounds=bounds)


def _list(origin: type, args: tuple[Any, ...]) -> Shape:
    if origin is tuple and args[-1] is not Ellipsis:
        name, value = args
        assert name is str  # noqa: S101
        return Pair(_shape(value))
    if args[0] in {Resource, Setting}:
        return Named(args[0])
    return Many(_shape(args[0]), origin)


def _union(args: tuple[Any, ...]) -> Shape:
    shapes = [_shape(arg) for arg in args if arg is not type(None)]
    slot = next((shape for shape in shapes if isinstance(shape, Choice)), None)
    plain = [shape for shape in shapes if not isinstance(shape, Choice | Function)]
    if slot and plain and not (isinstance(plain[0], Many) and plain[0].item == slot):
        made: Shape = Choice(slot.slot, Fields() if slot.slot == "schema" else plain[0])
    elif slot:
        made = Either((plain[0], slot)) if plain else slot
    elif plain:
        made = plain[0] if len(plain) == 1 else Either(tuple(plain))
    else:
        made = Function()
    if slot and slot == made and not SLOTS[slot.slot]:
        made = Function()
    return Maybe(made) if type(None) in args and not isinstance(made, Function) else made


class _Slots:
    """The types of :data:`SLOTS`."""

    auth: api.Auth
    paging: api.Paging
    style: api.Style
    format: api.Format
    encoding: api.Encoding
    outcomes: outcome.Outcomes
    reader: api.Reader
    writer: api.Writer
    schema: Callable[[Client], api.Schema]


@cache
def _slots() -> dict[Any, str]:
    return {hint: slot for slot, hint in typing.get_type_hints(_Slots, localns=_names()).items()}


@cache
def _names() -> dict[str, Any]:
    """Return what annotations name and import for type checkers alone."""
    from antiphon.client import Client  # noqa: PLC0415
    from antiphon.errors import ApiError  # noqa: PLC0415
    from antiphon.http import Http  # noqa: PLC0415

    return {"Resource": Resource, "Client": Client, "Http": Http, "ApiError": ApiError}
