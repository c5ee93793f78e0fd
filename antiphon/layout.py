"""The type of a page, compiled from schema, selection and shape, and what is to be done to its records once they are decoded.

What is not selected is dropped by the decoder; what is as it should be stays a piece of the page; only fields that the shape changes,
or that are looked at, become values. Where each field stands (in the record, or in an object that is lifted), in which order,
and what there is around the records is learned from a page.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import repeat
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw

from antiphon.api import Schema
from antiphon.schema import types
from antiphon.shape import NATIVE, Shape, full_seconds, is_pair

_TEXT = str | None
"""The type of a field that is decoded because that is quicker: see :attr:`Layout.texts`."""
_NOWHERE = Literal["antiphon:nowhere"]
"""The type of a field where it was never seen: no value fits."""
_SHORT, _PLAIN = 60, 4
"""Short texts of ASCII, of up to so many characters, are quicker decoded than left as they came, if so many come for each other one."""
_MOST_AROUND = 100
"""Names beside the records that are learned: more are data, and differ from page to page."""

_Field = tuple[str, Any, Any, str]
"""Attribute, type, default and name."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode_lines


class Unfit(Exception):
    """A page, or all of a stream, cannot be taken as bytes; the text says why."""


def written(records: Sequence[Any]) -> bytes:
    """Return the text of *records*, each in a line of its own. Decimals are written digit by digit, as numbers."""
    return _encode(records)


@dataclass(frozen=True)
class _Plan:
    """What was learned until then, compiled: pages that are taken at the same time in other threads may teach more meanwhile."""

    decode: Callable[[bytes], Any]
    places: Mapping[str, int]
    """By field: 0 for the record itself, else the number of the lifted object; in the order in which they come."""
    around: Sequence[Mapping[str, str]] | None
    """The names beside each part of the path, and their attributes; None where they are too many."""
    inner: Sequence[Any]
    """The types of the lifted objects."""
    present: Sequence[str]
    """The fields that records may have."""
    changed: Sequence[str]
    """Those of them that the shape changes."""
    numbers: Sequence[str]
    """Those that are read as numbers from text."""
    raw: bool
    """Whether there are fields that stay a piece of the page: what is not decoded is not checked either."""


class Layout:
    """How pages of one shape are decoded, whose records stand at *path*."""

    def __init__(
        self,
        path: Sequence[str],
        shape: Shape,
        schema: Schema,
        chosen: Collection[str],
        needed: Collection[str],
        kept: Collection[str],
    ) -> None:
        """Prepare; *needed* fields are looked at, *kept* ones are given to every record."""
        self.path = path
        self.shape, self.kept = shape, [name for name in kept if name in chosen or name in needed]
        self.properties = schema.get("properties", {})
        stems = (name.removesuffix(shape.pairs) for name in chosen if shape.pairs)
        self.wanted = list(dict.fromkeys((*chosen, *needed, *(stem for stem in stems if stem in shape.named))))
        self.needed, self.unsent = needed, [name for name in self.wanted if name not in chosen]
        self.attributes = {name: f"f{number}" for number, name in enumerate(self.wanted)}
        self.column = cache(_column)
        self.places: dict[str, int] = {}
        """By field: 0 for the record itself, else the number of the lifted object; in the order in which they come."""
        self.around: list[dict[str, str]] | None = [{} for _ in path]
        """The names beside each part of the path, and their attributes; None where they are too many."""
        self.native = {
            name
            for name in self.wanted
            if NATIVE.get(shape.converters.get(name)) and not shape.nulls and not self.pair(name)
        }
        """Numbers and flags that are read by msgspec. It is stricter than the shape: a field with an odd value is one no more."""
        self.texts: set[str] = set()
        """Fields that are decoded although nobody looks at them: for texts that are short it is quicker, where nothing else stays a piece of the page."""
        self._plain, self._others = 0, 0
        """Texts that were seen: those of ASCII that are short, and others."""
        self._odd: set[str] = set()
        """Fields that hold other things than texts."""
        self._plan: _Plan | None = None
        self._lock = threading.Lock()

    def taken(self, body: bytes, kept: Mapping[str, Any]) -> Taken:
        """Return the records in *body* decoded and in shape; each is given the fields *kept*.

        Raises:
            Unfit: they are not what the shape can be compiled for.
            msgspec.DecodeError: they are not what was compiled, or no JSON.
            UnicodeDecodeError: it is no UTF-8.
        """
        plan = self._plan or self._learned(body, None)
        while True:
            try:
                return Taken(self, plan, plan.decode(_checked(body) if plan.raw else body), kept)
            except msgspec.ValidationError as error:
                found = self._learned(body, plan, str(error))
                if found is plan:
                    raise
                plan = found

    def _learned(self, body: bytes, before: _Plan | None, said: str = "") -> _Plan:
        """Return another plan than *before*, for which *body* does not fit as was *said*; the same where there is none."""
        with self._lock:
            if self._plan is None:
                self._learn(body)
            elif self._plan is before and not self._yields(said, body):
                return before
            return self._plan  # type: ignore[return-value]  # it has been made by then

    def _yields(self, said: str, body: bytes) -> bool:
        """Make room for what did not fit, and return whether that is something else than before."""
        odd = [name for name in (*self.native, *self.texts) if said.endswith(f".{name}`")]
        if odd:
            name = max(odd, key=len)
            self.native.discard(name)
            self._odd.add(name)
            self._compile()
            return True
        known = self._known()
        self._learn(body)
        return known != self._known()

    def _known(self) -> tuple[int, int]:
        return len(self.places), -1 if self.around is None else sum(map(len, self.around))

    def _learn(self, body: bytes) -> None:
        lifts = {name: number for number, name in enumerate(self.shape.lifts, 1)}
        found = _decode(body)
        for depth, part in enumerate(self.path):
            if not isinstance(found, dict) or part not in found:
                raise Unfit(f'no "{part}"')
            self._beside(depth, [name for name in found if name != part])
            found = found[part]
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Unfit("no list of records")
        for row in found:
            for name, value in row.items():
                if name not in lifts:
                    self._seen(name, 0, value)
                elif isinstance(value, dict):
                    for inner, held in value.items():
                        self._seen(inner, lifts[name], held)
        self._compile()

    def _beside(self, depth: int, names: Sequence[str]) -> None:
        if self.around is not None:
            there = self.around[depth]
            for name in names:
                there.setdefault(name, f"around{len(there)}")
            if len(there) > _MOST_AROUND:
                self.around = None

    def _seen(self, name: str, place: int, value: Any) -> None:
        if name not in self.attributes or name in self.kept:
            return
        if self.places.setdefault(name, place) != place:
            raise Unfit(f'"{name}", which stands in two places')
        if isinstance(value, str):
            plain = value.isascii() and len(value) <= _SHORT
            self._plain, self._others = self._plain + plain, self._others + (not plain)
        elif value is not None:
            self._odd.add(name)

    def _compile(self) -> None:
        known = [name for name in self.wanted if name not in self.kept]
        names = sorted(self.places, key=self.places.__getitem__)
        names += [name for name in known if name not in self.places]
        left = {name for name in known if self._type(name) in {Raw, _TEXT}}
        self.texts = left if self._plain >= _PLAIN * self._others and all(map(self._is_text, left)) else set()
        present = list(self.places) if self.shape.lifts else names
        inner = [self._struct(names, place, []) for place in range(1, len(self.shape.lifts) + 1)]
        lifted: list[_Field] = [
            (f"lift{place}", type_ | None, UNSET, self.shape.lifts[place - 1]) for place, type_ in enumerate(inner, 1)
        ]
        row = self._struct(names, 0, lifted)
        page: Any = list[row]  # type: ignore[valid-type]
        for depth, part in reversed(list(enumerate(self.path))):
            beside = self.around[depth] if self.around is not None else {}
            others: list[_Field] = [(attribute, Any, UNSET, name) for name, attribute in beside.items()]
            page = _defined(
                [("inside", page, msgspec.NODEFAULT, part), *others],
                forbid_unknown_fields=self.around is not None,
            )
        self._plan = _Plan(
            msgspec.json.Decoder(page, strict=not self.native, float_hook=Decimal).decode,
            dict(self.places),
            None if self.around is None else [dict(beside) for beside in self.around],
            inner,
            present,
            [name for name in present if self._type(name) is Any and self._changes(name)],
            [name for name in present if name in self.native and self.shape.is_number(name)],
            raw=left != self.texts,
        )

    def _struct(self, names: Sequence[str], place: int, more: Sequence[_Field]) -> Any:
        """Return the type of the record (*place* 0) or of a lifted object, which has all fields: those of other places fit nothing.

        Fields that are kept are last.
        """
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
        kept: list[_Field] = [(self.attributes[name], Any, UNSET, name) for name in self.kept]
        return _defined([*made, *kept, *more])

    def _type(self, name: str) -> Any:
        if name in self.native:
            return NATIVE[self.shape.converters[name]]
        if name in self.needed or self._changes(name):
            return Any
        return _TEXT if name in self.texts else Raw

    def _is_text(self, name: str) -> bool:
        return "string" in types(self.properties.get(name, {})) and name not in self._odd

    def _changes(self, name: str) -> bool:
        return name in self.shape.converters or bool(self.shape.nulls) or self.pair(name)

    def pair(self, name: str) -> bool:
        """Return whether the field may hold an id and a name."""
        return bool(self.shape.pairs) and types(self.properties.get(name, {})) == ("integer",)


def _defined(made: Sequence[_Field], **options: Any) -> Any:
    names = {attribute: name for attribute, *_, name in made}
    try:
        return msgspec.defstruct("Row", [field[:3] for field in made], rename=names, gc=False, **options)
    except ValueError as error:  # a name that msgspec does not take
        raise Unfit(str(error)) from None


class Taken:
    """The records of one page, decoded and in shape."""

    def __init__(self, layout: Layout, plan: _Plan, page: Any, kept: Mapping[str, Any]) -> None:
        """Bring the records in *page* into shape."""
        self.layout, self.plan, self.page, self.kept = layout, plan, page, kept
        for _ in layout.path:
            page = page.inside
        self.places: list[list[Any]] = [page]
        """The records themselves, then for each lifted object those of all records."""
        self._columns: dict[str, list[Any]] = {}
        """The values of fields that were looked at."""
        for number, inner in enumerate(plan.inner, 1):
            found = layout.column(f"lift{number}")(page)
            self.places.append(found if all(found) else [one or inner() for one in found])
        for name in plan.changed:
            self._shape(name)
        for name in plan.numbers:
            self._number(name)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.places[0])

    def around(self) -> dict[str, Any] | None:
        """Return the page without its records; None where what is around them was not decoded."""
        if self.plan.around is None:
            return None
        level = around = dict[str, Any]()
        page = self.page
        for part, beside in zip(self.layout.path, self.plan.around, strict=True):
            level |= {name: value for name, at in beside.items() if (value := getattr(page, at)) is not UNSET}
            level[part] = level = {}
            page = page.inside
        return around

    def column(self, name: str) -> list[Any]:
        """Return the values of the field *name*; None where there is none."""
        if name in self.layout.kept:
            return [self.kept.get(name)] * len(self)
        values = self._column(name)
        return [None if value is UNSET else value for value in values] if UNSET in values else values

    def text(self) -> bytes:
        """Return the records, each in a line of its own. They are of no more use then.

        Raises:
            Unfit: a number cannot be written.
        """
        layout = self.layout
        at = min(1, len(self.plan.inner))  # what is lifted is most of a record: the rest moves there
        rows = self.places[at]
        for name in self.plan.present:
            attribute, there = layout.attributes[name], self._rows(name)
            if name in layout.unsent:
                _set(there, attribute, repeat(UNSET))
            elif there is not rows:
                _set(rows, attribute, self._column(name))
        for name in layout.kept:
            _set(rows, layout.attributes[name], repeat(UNSET if name in layout.unsent else self.kept.get(name, UNSET)))
        try:
            return written(rows)
        except ValueError as error:  # a whole number with thousands of digits
            raise Unfit(str(error)) from None

    def _rows(self, name: str) -> list[Any]:
        return self.places[self.plan.places.get(name, 0)]

    def _column(self, name: str) -> list[Any]:
        """Return the values of the field *name* as they are in the records."""
        if name not in self._columns:
            self._columns[name] = self.layout.column(self.layout.attributes[name])(self._rows(name))
        return self._columns[name]

    def _shape(self, name: str) -> None:
        layout, shape, values = self.layout, self.layout.shape, self._column(name)
        wrong = full_seconds(values) if not shape.nulls and shape.is_time(name) else None
        if wrong is None:
            absent, converted = shape.absent, name in shape.converters
            wrong = [
                place
                for place, value in enumerate(values)
                if value is not None and value is not UNSET and (converted or type(value) in absent)
            ]
        self._reshape(name, wrong)
        if layout.pair(name):
            self._apart(name)

    def _number(self, name: str) -> None:
        """Read values as the shape does that are no finite numbers: JSON has no word for them."""
        values = self._column(name)
        kinds = set(map(type, values))
        if Decimal not in kinds or (len(kinds) == 1 and all(map(Decimal.is_finite, values))):
            return
        odd = [place for place, value in enumerate(values) if type(value) is Decimal and not value.is_finite()]
        for place in odd:
            values[place] = str(values[place])
        self._reshape(name, odd)

    def _reshape(self, name: str, places: Sequence[int]) -> None:
        """Bring the values of the field *name* at these *places* into shape."""
        rows, attribute, values = self._rows(name), self.layout.attributes[name], self._column(name)
        for place in places:
            values[place] = self.layout.shape.value(name, values[place])
            setattr(rows[place], attribute, values[place])

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
        self._columns.clear()


def _column(attribute: str) -> Callable[[list[Any]], list[Any]]:
    """Return what takes *attribute*, one of our own names, out of many objects of one type.

    Python takes an attribute whose name stands in the code in half the time that ``attrgetter`` does.
    """
    return eval(f"lambda rows: [row.{attribute} for row in rows]")  # type: ignore[no-any-return]  # noqa: S307


def _checked(body: bytes) -> bytes:
    """Return *body*, which is UTF-8, in one line."""
    if not body.isascii():
        body.decode()
    return msgspec.json.format(body, indent=-1) if b"\n" in body or b"\r" in body else body


def _set(rows: Iterable[Any], attribute: str, values: Iterable[Any]) -> None:
    deque(map(setattr, rows, repeat(attribute), values), maxlen=0)
