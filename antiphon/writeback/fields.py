"""From a stream's columns to an API's fields: renamed, given constants, nulls left out or cleared.

``fields`` maps an API's field to a column, or to a constant: ``{"email": "attendee_email", "source": {"const": "pretix"}}``. A column that
has an API field's name is passed as it is, unless ``fields`` has used it already.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from antiphon.api import Record, Resource, Schema
from antiphon.errors import InputError, SettingError, did_you_mean

log = logging.getLogger("antiphon.fields")

Unknown = Literal["ignore", "reject", "fail"]
Nulls = Literal["omit", "clear"]

DELETED_AT = "_sdc_deleted_at"


@dataclass(frozen=True)
class Fields:
    """How the fields of a record are made; see the module."""

    given: Mapping[str, Any] = field(default_factory=dict)
    unknown: Unknown = "ignore"
    nulls: Nulls = "omit"


class Mapper:
    """Maps the records of one stream to one resource.

    Raises:
        SettingError: ``fields`` names a field that the API does not have or cannot write.
    """

    def __init__(
        self, fields: Fields, resource: Resource, schema: Schema, *, where: str, matched: Iterable[str] = ()
    ) -> None:
        """Check *fields* against *schema*; *where* opens each message; *matched* may be named although they are read-only."""
        self._fields = fields
        self._where = where
        self._cleared = resource.cleared
        known = schema.get("properties", {})
        self._open = schema.get("additionalProperties") is True
        self._patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", {})]
        self._writable = {name for name, f in known.items() if not f.get("readOnly")} | set(matched)
        self._constants: Record = {}
        self._columns: dict[str, list[str]] = {}  # column -> fields
        for name, source in fields.given.items():
            if name not in known and not self._further(name):
                hint = did_you_mean(name, self._writable)
                raise SettingError(f'{where}: fields maps to "{name}", which {resource.name} does not have', hint=hint)
            if name not in self._writable and not self._further(name):
                raise SettingError(f'{where}: fields maps to "{name}", which the API does not let anyone write')
            if isinstance(source, Mapping):
                if set(source) != {"const"}:
                    raise SettingError(
                        f"{where}: fields.{name} must be a column's name or {{const: value}}, not {source}"
                    )
                self._constants[name] = source["const"]
            elif isinstance(source, str):
                self._columns.setdefault(source, []).append(name)
            else:
                raise SettingError(f"{where}: fields.{name} must be a column's name or {{const: value}}, not {source}")
        self._told: set[str] = set()

    def targets(self, column: str) -> tuple[str, ...]:
        """Return the fields that *column* goes to."""
        if column in self._columns:
            return tuple(self._columns[column])
        if column in self._fields.given:
            return ()
        return (column,) if column in self._writable or self._further(column) else ()

    def _further(self, name: str) -> bool:
        """Whether the API takes a field of that name although its schema does not list it."""
        return self._open or any(pattern.search(name) for pattern in self._patterns)

    def fields(self, columns: Iterable[str]) -> set[str]:
        """Return the fields that a stream with these *columns* can give."""
        return {name for column in columns for name in self.targets(column)} | set(self._constants)

    def refuse_absent(self, columns: Iterable[str]) -> None:
        """Raise :class:`SettingError` if ``fields`` takes a column that the stream does not have."""
        there = set(columns)
        for column, names in self._columns.items():
            if there and column not in there:
                said = f'{self._where}: fields.{names[0]} takes the column "{column}", which the stream does not have'
                raise SettingError(said, hint=did_you_mean(column, there))

    def check(self, columns: Iterable[str]) -> None:
        """Say once which *columns* will not be written; where ``unknown`` is ``fail``, raise :class:`SettingError`."""
        lost = [c for c in columns if self._lost(c)]
        if lost and self._fields.unknown == "fail":
            hint = "Map them with fields, drop them from the stream, or set unknown: ignore."
            raise SettingError(
                f"{self._where}: the API has no field that can be written for {', '.join(lost)}", hint=hint
            )
        for column in lost:
            if column not in self._told:
                self._told.add(column)
                log.warning(
                    '%s: column "%s" is not written: the API has no such field that can be written', self._where, column
                )

    def __call__(self, record: Record) -> Record:
        """Return the fields of *record*.

        Raises:
            InputError: it has a column that the API does not have, and ``unknown`` is ``reject``.
        """
        mapped: Record = {}
        lost: list[str] = []
        for column, value in record.items():
            if self._lost(column):
                lost.append(column)
            elif value is not None:
                mapped |= dict.fromkeys(self.targets(column), value)
            elif self._fields.nulls == "clear":
                mapped |= dict.fromkeys(self.targets(column), self._cleared)
        if lost and self._fields.unknown == "reject":
            raise InputError(f"the API has no field that can be written for {', '.join(lost)}")
        if lost:
            self.check(lost)
        return {**mapped, **self._constants}

    def _lost(self, column: str) -> bool:
        used = column in self._columns or column in self._fields.given
        return not used and not column.startswith("_sdc_") and not self.targets(column)
