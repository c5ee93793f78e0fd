"""From a stream's columns to an API's fields: renamed, made what the field takes, nulls left out or cleared.

``fields`` says where an API's field comes from: a column, a constant, or a column and what its value must be
(:mod:`antiphon.writeback.policies`)::

    {"email": "attendee_email", "source": {"const": "pretix"}, "address.city": "town",
     "born": {"from": "person.birthday", "format": "%d/%m/%Y"}}

A dot leads into an object, on either side, unless the whole is a name. A column that has an API field's name is passed as it is, unless
``fields`` has used it already.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from antiphon.api import Record, Resource, Schema
from antiphon.errors import InputError, SettingError, did_you_mean
from antiphon.fill import MISSING, look
from antiphon.schema import shown, types
from antiphon.writeback.columns import column_of, fits, inner, nested
from antiphon.writeback.entry import read, refuse_option
from antiphon.writeback.growth import Growth
from antiphon.writeback.policies import OMIT, Allowed, Policy

log = logging.getLogger("antiphon.fields")

Unknown = Literal["ignore", "reject", "fail", "create"]
Nulls = Literal["omit", "clear"]

_TYPO = 0.85
"""How like a field that is there (difflib's ratio) a name is that is taken for a mistake, and not for a field to add."""
_A_PART = 'Map a part of it, such as "address.city", to a field.'
DELETED_AT = "_sdc_deleted_at"


@dataclass(frozen=True)
class Fields:
    """How the fields of a record are made; see the module."""

    given: Mapping[str, Any] = field(default_factory=dict)
    unknown: Unknown = "ignore"
    nulls: Nulls = "omit"
    where: str = ""
    """What opens a message about them: ``target-hubspot: streams.people``."""


class Misfit(InputError):
    """A record that cannot be mapped; ``brief`` says why without anything of it."""

    def __init__(self, wrong: Sequence[tuple[str, str]], lost: str = "") -> None:
        """Say all that is *wrong*, by the fields, and of columns that are *lost*."""
        super().__init__("; ".join(filter(None, (*(f"{name}: {said}" for name, said in wrong), lost))))
        names = ", ".join(dict.fromkeys(name for name, _ in wrong))
        self.brief = "; ".join(filter(None, (names and f"{names}: not what fields allows", lost)))


@dataclass(frozen=True)
class Entry:
    """What ``fields`` says of one field."""

    name: str
    source: str = ""
    const: Any = MISSING
    policies: tuple[Policy, ...] = ()
    path: tuple[str, ...] = ()
    """Where in the record it goes, if not under its name."""
    schema: Schema = field(default_factory=dict)
    """What the API says of it."""

    def value(self, record: Record) -> Any:
        """Return what *record* has for it, as it came; MISSING where it has nothing."""
        return record[self.source] if self.source in record else look(record, self.source, MISSING)

    def put(self, into: Record, value: Any) -> None:
        """Set the field in *into*, whose objects are not changed but made anew."""
        *parents, last = self.path or (self.name,)
        for part in parents:
            there = into.get(part)
            into[part] = into = dict(there) if isinstance(there, dict) else {}
        into[last] = value


class Mapper:
    """Maps the records of one stream to one resource.

    Raises:
        SettingError: ``fields`` names a field that the API does not have or cannot write, or sets for it what cannot be.
    """

    def __init__(
        self,
        fields: Fields,
        resource: Resource,
        schema: Schema,
        *,
        where: str,
        matched: Iterable[str] = (),
        growth: Growth | None = None,
    ) -> None:
        """Check *fields* against *schema*; *where* opens each message; *matched* may be named although they are read-only.

        *growth* adds fields and options in the API, where they are to be added.
        """
        self._fields, self._resource, self._growth = fields, resource, growth
        self._where, self._settings = where, fields.where or where
        self._known: dict[str, Any] = dict(schema.get("properties", {}))
        self._open = schema.get("additionalProperties") is True
        self._patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", {})]
        self._writable = {name for name, f in self._known.items() if not f.get("readOnly")} | (
            set(matched) & self._known.keys()
        )
        if fields.unknown == "create" and not (growth and resource.add_field):
            hint = "Set unknown to ignore, reject or fail, and add the field there by hand."
            raise SettingError(
                f"{self._settings}.unknown: there is no way to add a field to {resource.name} through this API",
                hint=hint,
            )
        self._new: list[str] = []
        """Fields to add in the API that ``fields`` names."""
        entries = [self._entry(name, given) for name, given in fields.given.items()]
        self._constants = [entry for entry in entries if entry.const is not MISSING]
        self._entries = [entry for entry in entries if entry.const is MISSING]
        self._routes: dict[str, bool | None] = {}
        self._told: set[str] = set()

    def fields(self, columns: Iterable[str]) -> set[str]:
        """Return the fields that a stream with these *columns* can give."""
        there = set(columns)
        given = {e.name for e in self._entries if column_of(e.source, there) in there} | {
            e.name for e in self._constants
        }
        return given | {column for column in there if self._route(column)}

    def came(self, name: str, record: Record) -> Any:
        """Return what *record* has for the field *name*, as it came; None where it has nothing."""
        entry = next((entry for entry in self._entries if entry.name == name), None)
        value = entry.value(record) if entry else record.get(name)
        return None if value is MISSING else value

    def refuse_absent(self, columns: Iterable[str] | Mapping[str, Schema]) -> None:
        """Raise :class:`SettingError` if ``fields`` takes a column that the stream does not have, or of a type that cannot be.

        *columns* are names, or names and their schemas.
        """
        there = set(columns)
        for entry in self._entries if there else ():
            column = column_of(entry.source, there)
            said = f"{self._settings}.fields.{entry.name}"
            if column not in there:
                raise SettingError(f'{said}: the stream has no column "{column}"', hint=did_you_mean(column, there))
            if isinstance(columns, Mapping):
                self._refuse_type(entry, columns[column], column, said)

    def _refuse_type(self, entry: Entry, schema: Schema, column: str, said: str) -> None:
        source = inner(schema, entry.source, column)
        if source is None:
            hint = did_you_mean(entry.source.rpartition(".")[2], schema.get("properties", ()))
            raise SettingError(f'{said}: there is no "{entry.source}" in the stream', hint=hint)
        known = entry.schema
        if not fits(source, known, made=bool(entry.policies)):
            holds = known.get("format") or " or ".join(sorted(types(known)))
            parts = list(source.get("properties", ()))
            hint = (
                f'Take a part of it, such as "{entry.source}.{parts[0]}".'
                if parts
                else "Map another column to it, or none."
            )
            is_it = " or ".join(sorted(types(source)))
            raise SettingError(f'{said}: "{entry.source}" is {is_it} and not {holds}', hint=hint)

    def check(self, columns: Iterable[str] | Mapping[str, Schema]) -> None:
        """Say once which *columns* will not be written.

        With ``unknown: create`` they are added in the API, and the fields that ``fields`` names, unless what they hold is nested.

        Raises:
            SettingError: there are some, and ``unknown`` is ``fail``; or one cannot be added.
        """
        new = self._named(columns)
        lost = [column for column in columns if self._route(column) is None]
        if lost and self._fields.unknown == "fail":
            hint = "Map them with fields, drop them from the stream, or set unknown: ignore."
            raise SettingError(
                f"{self._where}: the API has no field that can be written for {', '.join(lost)}", hint=hint
            )
        if self._adds and isinstance(columns, Mapping):
            where = f"{self._settings}.unknown"  # what is known and lost is read-only
            more = [name for name in lost if name not in self._known and not nested(columns[name])]
            new += [(name, columns[name], where) for name in more]
        self._add(new)
        for column in [column for column in lost if column in self._writable]:
            del self._routes[column]
            lost.remove(column)
        for column in lost:
            if column not in self._told:
                self._told.add(column)
                kept = nested(columns[column]) if isinstance(columns, Mapping) and self._adds else ""
                why = (
                    f"no field is added for what is {kept}" if kept else "the API has no such field that can be written"
                )
                log.warning('%s: column "%s" is not written: %s', self._where, column, why)

    @property
    def _adds(self) -> bool:
        return self._fields.unknown == "create" and self._growth is not None

    def _add(self, new: list[tuple[str, Schema, str]]) -> None:
        """Add fields in the API: their names, the schemas of their values and the settings that want them; none if one cannot be called so."""
        if self._growth is None:
            return
        for name, _, where in new:
            self._growth.refuse(name, where)
        for name, schema, where in new:
            self._known[name] = self._growth.field(name, schema, where)
            self._writable.add(name)

    def _named(self, columns: Iterable[str] | Mapping[str, Schema]) -> list[tuple[str, Schema, str]]:
        """Return the fields that ``fields`` names and the API does not have, each for what of *columns* it comes from."""
        new, self._new = self._new, []
        found: list[tuple[str, Schema, str]] = []
        for name in new:
            entry = next((entry for entry in self._entries if entry.name == name), None)
            column = column_of(entry.source, set(columns)) if entry else ""
            if entry is None or not isinstance(columns, Mapping) or column not in columns:
                raise self._no_such(name)
            source, where = inner(columns[column], entry.source, column) or {}, f"{self._settings}.fields.{name}"
            if kept := nested(source):
                raise SettingError(f'{where}: "{entry.source}" is {kept}, for which no field is added', hint=_A_PART)
            found.append((name, source, where))
        return found

    def __call__(self, record: Record) -> Record:
        """Return the fields of *record*.

        Raises:
            Misfit: all that is wrong with it: values that the policies refuse; columns that the API does not have, where
                ``unknown`` is ``reject``.
        """
        mapped, lost = self._passed(record)
        wrong = self._fill(mapped, record, self._entries)
        for entry in self._constants:
            entry.put(mapped, entry.const)
        said = ""
        if lost and self._fields.unknown == "reject":
            said = f"the API has no field that can be written for {', '.join(lost)}"
        elif lost:
            self.check(lost)
        if self._growth:
            wrong += self._growth.options(refused=bool(wrong or said))
        if wrong or said:
            raise Misfit(wrong, said)
        return mapped

    def some(self, record: Record, names: Iterable[str], wrong: Collection[str] = ()) -> Record | None:
        """Return the fields *names* alone of a *record* that is refused for others.

        None where they cannot be told: a policy refuses one of them, or it is made of one of the columns that are *wrong*.
        """
        wanted = set(names)
        entries = [entry for entry in self._entries if (entry.path or (entry.name,))[0] in wanted]
        columns = {column_of(entry.source, set(record)) for entry in entries} | {n for n in wanted if self._route(n)}
        if not columns.isdisjoint(wrong):
            return None
        mapped, _ = self._passed({name: record[name] for name in wanted if name in record})
        bad = self._fill(mapped, record, entries)
        for entry in self._constants:
            if entry.name in wanted:
                entry.put(mapped, entry.const)
        if self._growth:
            self._growth.options(refused=True)
        return None if bad else mapped

    def _fill(self, mapped: Record, record: Record, entries: Iterable[Entry]) -> list[tuple[str, str]]:
        """Put the fields that *entries* make of *record* into *mapped*; return what is wrong with them."""
        wrong: list[tuple[str, str]] = []
        for entry in entries:
            value = entry.value(record)
            if value is None and self._fields.nulls == "clear":
                entry.put(mapped, self._resource.cleared)
            elif value is not None and value is not MISSING:
                self._make(entry, value, mapped, wrong)
        return wrong

    def _passed(self, record: Record) -> tuple[Record, list[str]]:
        """Return the columns that are passed as they are, and the names of those that nothing is done with."""
        mapped: Record = {}
        lost: list[str] = []
        clear = self._fields.nulls == "clear"
        for column, value in record.items():
            route = self._routes[column] if column in self._routes else self._route(column)
            if route is None:
                lost.append(column)
            elif route and value is not None:
                mapped[column] = value
            elif route and clear:
                mapped[column] = self._resource.cleared
        return mapped, lost

    def _make(self, entry: Entry, value: Any, mapped: Record, wrong: list[tuple[str, str]]) -> None:
        before = len(wrong)
        for policy in entry.policies:
            try:
                value = policy(value)
            except ValueError as error:
                wrong.append((entry.name, str(error)))
                if not isinstance(policy, Allowed):  # which leaves the text as it is: it may be too long as well
                    return
            if value is OMIT:
                return
        if len(wrong) == before:
            entry.put(mapped, value)

    # What the settings say

    def _entry(self, name: str, given: Any) -> Entry:
        where = f"{self._settings}.fields.{name}"
        path = self._path(name)
        known = self._known.get(name) or (inner(self._known.get(path[0], {}), name, path[0]) if path else None) or {}
        if isinstance(given, str) and given:
            return Entry(name, given, path=path, schema=known)
        if not isinstance(given, Mapping):
            raise SettingError(
                f"{where} must be a column's name, {{const: value}} or an object with from, not {shown(given)}"
            )
        if "const" in given:
            if len(given) > 1:
                raise SettingError(f"{where}: const stands alone; nothing else is done to it")
            refuse_option(given["const"], known, where)
            return Entry(name, const=given["const"], path=path)
        create = self._growth.wanting(name) if self._growth and self._resource.add_option else None
        source = given.get("from", name)
        if not isinstance(source, str) or not source:
            raise SettingError(f"{where}.from must be a column's name, not {shown(source)}")
        return Entry(name, source, policies=read(given, known, where, create), path=path, schema=known)

    def _path(self, name: str) -> tuple[str, ...]:
        """Return where the field called *name* goes, if into an object; nothing where it is a field's own name.

        Raises:
            SettingError: the API has no such field, or does not let one write it.
        """
        where = f"{self._settings}.fields.{name}"
        if name in self._writable or self._further(name):
            return ()
        if name in self._known:
            hint = "Leave it out of fields; if records are to be found by it, name it as match."
            raise SettingError(f"{where}: the API does not let anyone write it", hint=hint)
        first, *rest = name.split(".")
        holder = self._known.get(first, {})
        if rest and first in self._writable and (not types(holder) or "object" in types(holder)):
            within = holder.get("properties")
            if within and rest[0] not in within:
                raise SettingError(f"{where}: {first} has no {rest[0]}", hint=did_you_mean(rest[0], within))
            return (first, *rest)
        if rest or not self._adds or difflib.get_close_matches(name, self._writable, n=1, cutoff=_TYPO):
            raise self._no_such(name)
        self._new.append(name)
        return ()

    def _no_such(self, name: str) -> SettingError:
        first, *rest = name.split(".")
        hint = did_you_mean(first if rest else name, self._writable)
        return SettingError(f"{self._settings}.fields.{name}: {self._resource.name} has no such field", hint=hint)

    def _further(self, name: str) -> bool:
        """Whether the API takes a field of that name although its schema does not list it."""
        return self._open or any(pattern.search(name) for pattern in self._patterns)

    def _route(self, column: str) -> bool | None:
        """Return whether *column* is passed as it is; None where nothing is done with it at all."""
        if column not in self._routes:
            used = any(column_of(entry.source, {column}) == column for entry in self._entries)
            passed = column in self._writable or self._further(column)
            if used or column in self._fields.given:
                self._routes[column] = False
            else:
                self._routes[column] = True if passed else False if column.startswith("_sdc_") else None
        return self._routes[column]
