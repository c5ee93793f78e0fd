"""By which fields the records of a resource are matched, and what makes two values, or two records, one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from antiphon import moment
from antiphon.api import Record, Resource, Schema
from antiphon.outcome import Change
from antiphon.schema import types
from antiphon.writeback.alike import Alike, plain


class Match:
    """How records of *resource* are matched: by the first of the fields *names* that has a value, or where several are asked for, by the first that finds it."""

    def __init__(
        self, resource: Resource, schema: Schema, names: Sequence[str] = (), alike: Alike | None = None
    ) -> None:
        """Take *names*, or the resource's own match fields; *alike* says in which ways their values may differ and be one."""
        self.resource, self.schema, self.alike = resource, schema, alike or {}
        self.names = tuple(names) or resource.match_fields(schema)
        self._tried = bool(names)
        known = schema.get("properties", {})
        self.marks = {name: value for name, value in resource.archived.items() if name in known}
        """The fields by which an archived record is known, and their values then."""
        self.further = {by: name for by, name in resource.further.items() if name in known}
        """Match fields, each with the field that holds further values of it."""
        unique = (name for name, field in schema.get("properties", {}).items() if field.get("x-unique"))
        self._prompt = None if resource.prompt is None else {*resource.prompt, *unique, *resource.key}

    def field(self, name: str) -> Mapping[str, Any]:
        """Return what the schema says of a field."""
        return self.schema.get("properties", {}).get(name, {})  # type: ignore[no-any-return]

    def is_id(self, name: str) -> bool:
        """Return whether the field is the id that the API itself gave: then there is nothing to look up."""
        return name in self.resource.key and bool(self.field(name).get("readOnly"))

    def id(self, record: Record) -> str:
        """Return the id of a record of the API's."""
        return str(record.get(self.resource.key[0]))

    def given(self, value: Any) -> bool:
        """Return whether *value* is one to go by, and not what stands for none here or there."""
        return value not in (None, "") and value is not self.resource.cleared

    @property
    def several(self) -> bool:
        """Whether one record may be looked for by several fields, one after the other."""
        return self._tried and len(self.names) > 1

    def of(self, record: Record) -> dict[str, Any]:
        """Return the fields that *record* is to be looked for by, in their order, and what stands in them; nothing where none has a value."""
        found = {name: record[name] for name in self.names if self.given(record.get(name))}
        return found if self._tried else dict(list(found.items())[:1])

    def key(self, by: str, value: Any, record: Mapping[str, Any]) -> Any:
        """Return what two records must agree in to be one."""
        words = text(value).strip()
        return (
            by,
            self.plain(by, words.lower() if by in self.resource.folded else words),
            *(str(record.get(w)) for w in self.resource.within),
        )

    def keys_in(self, by: str, record: Mapping[str, Any]) -> list[Any]:
        """Return the keys by which a *record* of the API's is found by the field *by*: that of its own value, then those of further ones."""
        keys = [self.key(by, record.get(by), record)]
        if further := record.get(self.further[by]) if by in self.further else None:
            parted = self.field(self.further[by]).get("x-several")
            values = further if isinstance(further, list) else text(further).split(parted) if parted else [further]
            keys += [self.key(by, value, record) for value in values if self.given(value)]
        return keys

    def plain(self, by: str, words: str) -> str:
        """Return a value as all that is alike to it."""
        return plain(words, self.alike[by]) if by in self.alike else words

    def hidden(self, by: str) -> bool:
        """Return whether the API may have a value in a form by which it does not find it: it knows of case alone, if of anything."""
        return bool(set(self.alike.get(by, ())) - ({"lower"} if by in self.resource.folded else set()))

    def aim(self, change: Change, by: str) -> None:
        """Let *change* be matched by one field of its matches; by an id it has that id."""
        change.by, change.value, change.key = by, change.matches[by], None
        change.id = str(change.value) if self.is_id(by) else None

    def made_by(self, change: Change) -> str:
        """Return the field by which *change* can be found once it is created: the first that it writes."""
        return next((by for by in change.matches if by in change.record), str(change.by))

    def key_of(self, change: Change) -> Any:
        """Return what another change must agree in to be one to the same record."""
        if change.key is None:
            change.key = self.key(str(change.by), change.value, change.record)
        return change.key

    def keys_of(self, change: Change) -> tuple[Any, ...]:
        """Return what two changes must have one of in common to be perhaps to the same record; nothing where nothing identifies it."""
        if len(change.matches) > 1:
            return tuple(self.key(by, value, change.record) for by, value in change.matches.items())
        return () if change.by is None else (self.key_of(change),)

    def prompt(self, by: str) -> bool:
        """Return whether a look-up by this field sees a new record at once."""
        return self._prompt is None or by in self._prompt

    def same(self, name: str, ours: Any, found: Mapping[str, Any]) -> bool:
        """Return whether a field need not be sent. When in doubt it is."""
        if name not in found:
            return False
        theirs = found[name]
        if ours in (None, "") or theirs in (None, ""):
            none = ours in (None, "") or ours is self.resource.cleared
            return none and theirs in (None, "")
        if isinstance(ours, bool) or isinstance(theirs, bool):
            return str(ours).lower() == str(theirs).lower()
        if isinstance(ours, dict | list) or isinstance(theirs, dict | list):
            return bool(ours == theirs)
        one, other = text(ours), text(theirs)
        if name in self.resource.folded:
            one, other = one.lower(), other.lower()
        one, other = self.plain(name, one), self.plain(name, other)
        numeric = bool({"number", "integer"} & {*types(self.field(name))})
        timed = self.field(name).get("format") == "date-time"
        if isinstance(ours, str) and self.field(name).get("x-relation") and ours == found.get(f"{name}_name"):
            return True
        alike = (numeric and _same_number(ours, theirs)) or (timed and _same_moment(ours, theirs))
        return alike or one == other or bool(ours == theirs)

    def agrees(self, record: Record, found: Mapping[str, Any]) -> bool:
        """Return whether what was *found* has the values of *record*, as far as it shows those fields."""
        return all(name not in found or self.same(name, value, found) for name, value in record.items())


def text(value: Any) -> str:
    """Return *value* as a text; 5 and 5.0 are the same number."""
    words = str(value)
    number = isinstance(value, float | Decimal) and "." in words and "e" not in words.lower()
    return words.rstrip("0").rstrip(".") if number else words


def holds(theirs: Any, ours: Any) -> bool:
    """Return whether *theirs* has all that *ours* has, and perhaps more in its objects."""
    if isinstance(ours, Mapping):
        return isinstance(theirs, Mapping) and all(holds(theirs.get(name), value) for name, value in ours.items())
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(theirs) == len(ours) and all(map(holds, theirs, ours))
    return bool(ours == theirs) or (ours in (None, "") and theirs in (None, "")) or _same_number(ours, theirs)


def _same_moment(one: Any, other: Any) -> bool:
    try:
        return moment.parse(one) == moment.parse(other)
    except (ValueError, OverflowError):
        return False


def _same_number(one: Any, other: Any) -> bool:
    try:
        return Decimal(str(one).strip()) == Decimal(str(other).strip())
    except InvalidOperation:
        return False
