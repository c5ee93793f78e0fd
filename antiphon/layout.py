"""The type of a page's records, compiled from schema, selection and shape, and what is to be done to them once they are decoded.

What is not selected is dropped by the decoder; what is as it should be stays a piece of the page; only fields that the shape changes,
or that are looked at, become values. Where each field stands (in the record, or in an object that is lifted) and in which order
is learned from a page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw

from antiphon.api import Schema
from antiphon.schema import types
from antiphon.shape import NATIVE, Shape, are_written_right, is_pair

_JOINT = "antiphon:joint"
"""The key at which the text of a record goes on with that of a lifted object."""
_NOWHERE = Literal["antiphon:nowhere"]
"""The type of a field where it was never seen: no value fits."""
_NO_NUMBER = (b"NaN", b"Infinity")
"""What JSON cannot say of a number, as a Decimal is written."""

_Field = tuple[str, Any, Any, str]
"""Attribute, type, default and name."""

_decode = msgspec.json.Decoder(list[dict[str, Any]], float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode_lines


class Unfit(Exception):
    """A page, or all of a stream, cannot be taken as bytes; the text says why."""


def written(records: Sequence[Any]) -> bytes:
    """Return the text of *records*, each in a line of its own. Decimals are written digit by digit, as numbers."""
    return _encode(records)


class Layout:
    """How the records of one shape are decoded."""

    def __init__(
        self, shape: Shape, schema: Schema, chosen: Collection[str], needed: Collection[str], kept: Collection[str]
    ) -> None:
        """Prepare; *needed* fields are looked at, *kept* ones are given to every record."""
        self.shape, self.kept = shape, [name for name in kept if name in chosen or name in needed]
        self.properties = schema.get("properties", {})
        stems = (name.removesuffix(shape.pairs) for name in chosen if shape.pairs)
        self.wanted = list(dict.fromkeys((*chosen, *needed, *(stem for stem in stems if stem in shape.named))))
        self.needed, self.unsent = needed, [name for name in self.wanted if name not in chosen]
        self.attributes = {name: f"f{number}" for number, name in enumerate(self.wanted)}
        self.places: dict[str, int] = {}
        """By field: 0 for the record itself, else the number of the lifted object; in the order in which they come."""
        self.native = True
        """Whether numbers and flags are read by msgspec; it is stricter than the shape, so that one odd value ends that."""
        self.decode: Any = None

    def taken(self, records: Raw | bytes, kept: Mapping[str, Any]) -> Taken:
        """Return the list of *records* decoded and in shape; each is given the fields *kept*.

        Raises:
            Unfit: they are not what the shape can be compiled for.
            msgspec.DecodeError: they are not what was compiled, or no JSON.
        """
        for retry in (self._learn_more, self._read_natively_no_more, None):
            try:
                if self.decode is None:
                    self._learn(records)
                decode: Any = self.decode  # _learn has set it
                return Taken(self, decode(records), kept)
            except msgspec.ValidationError:
                if retry is None:
                    raise
                retry(records)
        raise AssertionError

    def _learn_more(self, records: Raw | bytes) -> None:
        known = len(self.places)
        self._learn(records)
        if known == len(self.places):
            self._read_natively_no_more(records)

    def _read_natively_no_more(self, records: Raw | bytes) -> None:  # noqa: ARG002
        self.native = False
        self._compile()

    def _learn(self, records: Raw | bytes) -> None:
        lifts = {name: number for number, name in enumerate(self.shape.lifts, 1)}
        for row in _decode(records):
            for name, value in row.items():
                if name not in lifts:
                    self._seen(name, 0)
                elif isinstance(value, dict):
                    for inner in value:
                        self._seen(inner, lifts[name])
        self._compile()

    def _seen(self, name: str, place: int) -> None:
        if name in self.attributes and name not in self.kept and self.places.setdefault(name, place) != place:
            raise Unfit(f'"{name}", which stands in two places')

    def _compile(self) -> None:
        known = [name for name in self.wanted if name not in self.kept]
        names = [*self.places, *(name for name in known if name not in self.places)]
        depth = len(self.shape.lifts)
        self.inner = [self._struct(names, place, []) for place in range(1, depth + 1)]
        lifted: list[_Field] = [
            (f"lift{place}", inner | None, UNSET, self.shape.lifts[place - 1])
            for place, inner in enumerate(self.inner, 1)
        ]
        given: list[_Field] = [(self.attributes[name], Any, UNSET, name) for name in self.kept]
        row = self._struct(names, 0, [*given, *lifted])
        self.decode = msgspec.json.Decoder(list[row], strict=not self.native, float_hook=Decimal).decode  # type: ignore[valid-type]
        self.changed = [name for name in known if self._type(name) is Any and self._changes(name)]
        self.decimals = any(self._type(name) not in {Raw, Any} for name in known)

    def _struct(self, names: Sequence[str], place: int, more: Sequence[_Field]) -> Any:
        """Return the type of the record (*place* 0) or of a lifted object, which knows all fields: those of other places fit nothing."""
        single = not self.shape.lifts
        made: list[_Field] = [
            (
                self.attributes[name],
                self._type(name) if single or self.places.get(name) == place else _NOWHERE,
                UNSET,
                name,
            )
            for name in names
        ]
        joint: list[_Field] = [("joint", _NOWHERE, "", _JOINT)] if place < len(self.shape.lifts) else []
        made += [*more, *joint]
        try:
            return msgspec.defstruct(
                "Row", [field[:3] for field in made], rename={attribute: name for attribute, *_, name in made}, gc=False
            )
        except ValueError as error:  # a name that msgspec does not take
            raise Unfit(str(error)) from None

    def _type(self, name: str) -> Any:
        if self._changes(name):
            native = NATIVE.get(self.shape.converters.get(name))
            return native if native and self.native and not self.shape.nulls else Any
        return Any if name in self.needed else Raw

    def _changes(self, name: str) -> bool:
        return name in self.shape.converters or bool(self.shape.nulls) or self.pair(name)

    def pair(self, name: str) -> bool:
        """Return whether the field may hold an id and a name."""
        return bool(self.shape.pairs) and types(self.properties.get(name, {})) == ("integer",)


class Taken:
    """The records of one page, decoded and in shape."""

    def __init__(self, layout: Layout, rows: list[Any], kept: Mapping[str, Any]) -> None:
        """Bring *rows* into shape."""
        self.layout = layout
        self.places = [rows]
        """The records themselves, then for each lifted object those of all records."""
        for number, inner in enumerate(layout.inner, 1):
            empty, lift = inner(), f"lift{number}"
            self.places.append([found or empty for found in map(attrgetter(lift), rows)])
            for row in rows:
                setattr(row, lift, UNSET)
        for name in layout.kept:
            for row in rows:
                setattr(row, layout.attributes[name], kept.get(name, UNSET))
        for name in layout.changed:
            self._shape(name)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.places[0])

    def column(self, name: str) -> list[Any]:
        """Return the values of the field *name*; None where there is none."""
        values = map(attrgetter(self.layout.attributes[name]), self._rows(name))
        return [None if value is UNSET else value for value in values]

    def text(self) -> bytes:
        """Return the records, each in a line of its own. Their fields that are not sent are gone then.

        Raises:
            Unfit: a text that was to be a number is none.
        """
        for name in self.layout.unsent:
            for row in self._rows(name):
                setattr(row, self.layout.attributes[name], UNSET)
        text = self._joined() if len(self.places) > 1 else written(self.places[0])
        if self.layout.decimals and any(word in text for word in _NO_NUMBER):
            raise Unfit("a number that is none")
        return text

    def _rows(self, name: str) -> list[Any]:
        return self.places[self.layout.places.get(name, 0)]

    def _shape(self, name: str) -> None:
        layout, shape, rows = self.layout, self.layout.shape, self._rows(name)
        attribute = layout.attributes[name]
        values = list(map(attrgetter(attribute), rows))
        converted = name in shape.converters
        if not shape.nulls and shape.is_time(name) and are_written_right(values):
            return
        for row, value in zip(rows, values, strict=True):
            if value is not None and value is not UNSET and (converted or type(value) in shape.absent):
                setattr(row, attribute, shape.value(name, value))
        if layout.pair(name):
            self._apart(name)

    def _apart(self, name: str) -> None:
        """Take pairs of an id and a name apart, as :mod:`antiphon.shape` does."""
        layout, attribute = self.layout, self.layout.attributes[name]
        named = layout.attributes.get(name + layout.shape.pairs)
        for row in self.places[0]:
            value = getattr(row, attribute)
            if type(value) is list and is_pair(value):
                setattr(row, attribute, value[0])
                if named:
                    setattr(row, named, value[1])
            elif value is None and named:
                setattr(row, named, None)

    def _joined(self) -> bytes:
        """Write each record and its lifted objects as one."""
        depth = len(self.places)
        woven: list[Any] = [None] * (depth * len(self))
        for place, rows in enumerate(self.places):
            woven[place::depth] = rows
        text, joint = written(woven), f'"{_JOINT}":""}}\n'.encode()
        for _ in range(1, depth):  # an empty one at the end goes first, then perhaps the one before it
            text = text.replace(b"{" + joint + b"{}", b"{}").replace(b"," + joint + b"{}", b"}")
        return text.replace(joint + b"{", b"")
