"""From the bytes of a page to RECORD lines, with no Python object for a value that nobody has to look at.

An :class:`Encoder` is made for one stream. For each shape in which its pages come it compiles a type (:mod:`antiphon.layout`) that
is decoded in one go. A page that does not fit it goes the ordinary way: its records are decoded one and all, and what
comes out means the same; a number that Python does not read, for all its digits or its exponent, passes where nobody looks at it, and so do bytes that are no
UTF-8 in what is not written: they are an error of the list there. Records that were made in Python are written by the same :func:`lines`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw

from antiphon import paging
from antiphon.api import Paging, Read, Record, Reply, Resource, Schema
from antiphon.api.wire import decoded
from antiphon.fill import fill, names, parts
from antiphon.layout import Layout, Unfit, written
from antiphon.schema import types
from antiphon.shape import Shape

log = logging.getLogger("antiphon.encode")

_MISFITS = 3
"""Pages in a row that do not fit; then it is not tried again."""
_FAILS = (Unfit, msgspec.DecodeError, UnicodeDecodeError, InvalidOperation, RecursionError)

_SINGLE = frozenset({str, int, bool, Decimal})
"""The types of values that a key may have."""
_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode

Envelope = tuple[bytes, bytes]
"""What stands before a record and behind it in a line."""


def lines(records: Sequence[Record], envelope: Envelope) -> bytes:
    """Return *records*, each as a line within *envelope*."""
    return wrapped(written(records), envelope)


def wrapped(records: bytes, envelope: Envelope) -> bytes:
    """Return *records*, the text of one in each line, within *envelope*."""
    before, behind = envelope
    return (before + records.replace(b"\n", behind + b"\n" + before)).removesuffix(before)


@dataclass(frozen=True)
class Rows:
    """The rows of one page, written but for the envelope. To a paging, the sequence of the records as they came."""

    records: bytes
    """The text of each record, in a line of its own."""
    count: int
    keys: Sequence[Any]
    """The key of each: the value where the key is one field, else a tuple; none where the resource has no key."""
    changed: Sequence[Any]
    """The time of change of each; None where it has none."""
    came: Came
    around: Reply
    """The reply, as far as it tells where the next page is."""

    def only(self, places: Sequence[int]) -> Rows:
        """Return the rows at these *places*."""
        lines = self.records.splitlines(keepends=True)
        keys, changed = ([of[at] for at in places] if of else of for of in (self.keys, self.changed))
        return replace(
            self, records=b"".join(lines[at] for at in places), count=len(places), keys=keys, changed=changed
        )


class Came(Sequence[Any]):
    """The records of a page as they came, decoded when they are looked at."""

    def __init__(self, body: bytes, path: Sequence[str], count: int) -> None:
        """Take the *count* records that stand at *path* in *body*."""
        self._body, self._path, self._count = body, path, count

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __getitem__(self, index: Any) -> Any:
        """Return one of them, or some.

        Raises:
            BadReply: it holds what cannot be read.
        """
        found = self._raws[index]
        return [decoded(raw) for raw in found] if isinstance(index, slice) else decoded(found)

    @cached_property
    def _raws(self) -> list[Raw]:
        found: Any = self._body
        for part in self._path:
            found = _object(found)[part]
        return _list(found)


class Encoder:
    """Writes the pages of one stream: of *resource*, which has this *schema*, the *chosen* fields."""

    def __init__(self, resource: Resource, schema: Schema, chosen: Collection[str]) -> None:
        """Compile nothing yet: how pages look is known when the first has come."""
        self.resource, self.schema, self.chosen = resource, schema, chosen
        self._forms: dict[Any, _Form] = {}

    def rows(self, read: Read, replies: Sequence[Reply], values: Mapping[str, Any]) -> Rows | None:
        """Return the rows in *replies*, which *read* got with *values*; None if their records are to be decoded."""
        looks = (read.records, read.lift, read.text, repr(read.nulls), read.pairs, read.each, repr(read.keep))
        if looks not in self._forms:
            self._forms[looks] = _Form(self.resource, self.schema, read, self.chosen)
        return self._forms[looks].rows(read, replies, values)


class _Form:
    """One shape in which pages come: the layout that was found for it, and whether it holds."""

    def __init__(self, resource: Resource, schema: Schema, read: Read, chosen: Collection[str]) -> None:
        self.resource = resource
        self.why = _unfit(read, chosen) or _untimed(resource.updated, schema)
        self.misfits = 0
        self.path = parts(read.records) if read.records else ()
        self.skims: tuple[Paging | None, bool] = (None, False)
        """A paging, and whether it is told only what is around the records."""
        needed = [name for name in (*resource.key, resource.updated) if name]
        self.layout = Layout(self.path, Shape(read, schema), schema, chosen, needed, tuple(read.keep))
        log.debug("%s: %s", resource.name, f"record by record, for {self.why}" if self.why else "page by page")

    def rows(self, read: Read, replies: Sequence[Reply], values: Mapping[str, Any]) -> Rows | None:
        if self.why:
            return None
        try:
            rows = self._rows(read, replies, values)
        except _FAILS as error:
            self.misfits += 1
            log.debug("%s: a page goes record by record: %s", self.resource.name, error)
            if self.misfits == _MISFITS:
                self.why = str(error)
                log.debug("%s: record by record from now on", self.resource.name)
            return None
        self.misfits = 0
        return rows

    def _rows(self, read: Read, replies: Sequence[Reply], values: Mapping[str, Any]) -> Rows:
        kept = self.layout.shape({**fill(read.keep, values)}) if read.keep else {}
        texts: list[bytes] = []
        keys: list[Any] = []
        changed: list[Any] = []
        pages = [self.layout.taken(_body(reply), kept) for reply in replies]
        for page in pages:
            columns = [_key(page.column(name)) for name in self.resource.key]
            keys += columns[0] if len(columns) == 1 else zip(*columns, strict=True)
            changed += page.column(self.resource.updated) if self.resource.updated else [None] * len(page)
            texts.append(page.text())
        paging, skims = self.skims
        if paging is not read.paging:  # lists that look alike share this, each with a paging of its own
            paging, skims = self.skims = read.paging, _looks_around(read.paging, read.records)
        first, around = replies[0], pages[0].around() if skims else None
        came = Came(first.body, self.path, len(pages[0]))
        told = first if around is None else replace(first, _json=around)
        return Rows(b"".join(texts), len(changed), keys, changed, came, told)


def _key(column: list[Any]) -> list[Any]:
    """Return the *column* of a key, each of whose values there is, and is a single one."""
    kinds = set(map(type, column))
    if not kinds <= _SINGLE:
        raise Unfit("a record without its key" if type(None) in kinds else "a key that is no single value")
    return column


def _unfit(read: Read, chosen: Collection[str]) -> str:
    """Return why the pages of *read* cannot go as bytes; nothing if they can."""
    if read.each:
        return f'the lines in "{read.each}"'
    if "record" in names(read.keep):
        return "fields that are made of others"
    if read.pairs and (read.lift or read.keep):
        return "pairs among fields that are lifted or kept"
    lifted = set(read.lift) & {*chosen, *read.keep}
    return f'"{min(lifted)}", which is lifted and a field as well' if lifted else ""


def _untimed(updated: str, schema: Schema) -> str:
    field = schema.get("properties", {}).get(updated, {})
    right = not updated or (field.get("format") == "date-time" and "string" in types(field))
    return "" if right else "a time of change that is no date-time"


def _body(reply: Reply) -> bytes:
    """Return the JSON in *reply*."""
    if reply.format or reply._json is not None:  # noqa: SLF001 - opened already: the body is not what was asked for
        raise Unfit("a body that is not JSON, or has an envelope")
    return reply.body


def _looks_around(kind: Paging | None, records: str) -> bool:
    """Return whether *kind* is one of ours, and reads nothing of the records in the reply itself."""
    if not records or kind is None or not type(kind).__module__.startswith(f"{paging.__name__}."):
        return False
    values = [getattr(kind, field.name) for field in fields(kind)]  # type: ignore[arg-type]
    return not any(isinstance(value, str) and f"{value}.".startswith(f"{records}.") for value in values)
