"""One row written, whichever route it came by: who may be written, what must be there, what must be unique."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.sandbox.salesforce.fields import Field
from antiphon.sandbox.salesforce.refusals import RowError, WrongType
from antiphon.sandbox.salesforce.settings import Settings
from antiphon.sandbox.salesforce.store import Org, SObject, Stored
from antiphon.sandbox.salesforce.values import Taker, taker

Values = dict[str, Stored]


class Several(Exception):
    """An external id that more than one record has."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(numbers)
        self.numbers = numbers


class Locks:
    """Rows that another transaction holds: so many of the next, and a share of all."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.next = 0
        self._settings = settings
        self._random = random.Random(f"locks:{seed}")

    def check(self, org: Org, number: int | None) -> None:
        """Raise RowError when this row is held; None for a new one."""
        held = self.next > 0
        if held:
            self.next -= 1
        elif self._settings.lock_share:
            held = self._random.random() < self._settings.lock_share
        if held:
            row = "new record" if number is None else org.ids.text(number)
            message = f"unable to obtain exclusive access to this record or 1 records: {row}"
            raise RowError("UNABLE_TO_LOCK_ROW", message)


class Writer:
    """Writes rows of one object. `csv` says in which types the values come."""

    def __init__(self, org: Org, of: SObject, locks: Locks, *, csv: bool = False) -> None:
        self.org = org
        self.of = of
        self.locks = locks
        self.csv = csv
        self._takers: dict[str, Taker] = {}

    # Reading what was sent.

    def read(self, record: Mapping[str, Any]) -> Values:
        """A record of JSON as stored values. Raises RowError, and WrongType when the document is at fault."""
        values: Values = {}
        for name, value in record.items():
            if name.lower() in {"attributes", "id"}:
                continue
            field = self.of.field(name)
            if field is not None:
                values[field.name] = None if value is None else self._taker(field)(value)
                continue
            reference = self.of.parent(name)
            if reference is None or not (value is None or isinstance(value, dict)):
                raise self.unknown(name)
            values[reference.name] = None if value is None else self._parent(reference, value)
        return values

    def column(self, header: str) -> tuple[str, Taker] | None:
        """The field that a column of CSV fills, and how to take its cells; None for a header that names none."""
        field = self.of.field(header)
        if field is not None:
            return field.name, self._taker(field)
        relationship, _, key = header.rpartition(".")
        reference = self.of.parent(relationship.rpartition(":")[2])
        if reference is None:
            return None
        # A polymorphic one names its object: `Contact:Who.Ext_Id__c`.
        named = relationship.rpartition(":")[0]
        for name in [named] if named in reference.refers_to else reference.refers_to:
            found = self.org.objects[name].field(key)
            if found is not None and (found.external_id or found.id_lookup or found.kind == "id"):
                return reference.name, self._parent_taker(self.org.objects[name], found)
        return None

    def _taker(self, field: Field) -> Taker:
        take = self._takers.get(field.name)
        if take is None:
            take = self._takers[field.name] = taker(self.org, field, csv=self.csv)
        return take

    def _parent(self, reference: Field, given: Mapping[str, Any]) -> Stored:
        keys = [name for name in given if name != "attributes"]
        named = (given.get("attributes") or {}).get("type")
        if len(keys) != 1 or (named is None and len(reference.refers_to) > 1):
            message = f"Cannot reference a foreign key field {reference.relationship}."
            raise RowError("INVALID_FIELD", message)
        of = self.org.find(named or next(iter(reference.refers_to), ""))
        field = of.field(keys[0]) if of else None
        if of is None or field is None or not (field.external_id or field.id_lookup):
            name = of.name if of else str(named)
            raise RowError(
                "INVALID_FIELD", f"Field name provided, {keys[0]} is not an External ID or indexed field for {name}"
            )
        return self._parent_taker(of, field)(given[keys[0]])

    def _parent_taker(self, of: SObject, field: Field) -> Taker:
        take = taker(self.org, field, csv=self.csv) if field.kind != "id" else self.org.ids.number

        def found(value: Any) -> Stored:
            matches = self.org.matches(of, field, take(value), 2)
            if len(matches) == 1:
                return matches[0]
            what = "not found" if not matches else "matches more than one record"
            message = f"Foreign key external ID: {value} {what} for field {field.name} in entity {of.name}"
            raise RowError("INVALID_FIELD", message)

        return found

    def unknown(self, name: str) -> RowError:
        """The error for a field that does not exist."""
        return RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {self.of.name}")

    # Writing it.

    def create(self, values: Values) -> int:
        """A new record. Raises RowError."""
        self._allowed(values, lambda field: field.createable)
        missing = [name for name in self.of.required if values.get(name) is None and not self._filled(name, values)]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise RowError("REQUIRED_FIELD_MISSING", message, *missing)
        self._unique(values, None)
        self.locks.check(self.org, None)
        return self.org.insert(self.of, values)

    def update(self, number: int, values: Values) -> None:
        """Change a record. Raises RowError."""
        self.live(number)
        self._change(number, values)

    def _change(self, number: int, values: Values) -> None:
        self._allowed(values, lambda field: field.updateable)
        emptied = [name for name in self.of.required if name in values and values[name] is None]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise RowError("REQUIRED_FIELD_MISSING", message, *emptied)
        self._unique(values, number)
        self.locks.check(self.org, number)
        self.org.update(self.of, number, values)

    def upsert(self, field: Field, key: Stored, values: Values) -> tuple[int, bool]:
        """Change the record with this external id, or create it: its number, and whether it is new.

        Raises RowError, and Several when more than one record has the id.
        """
        found = self.matches(field, key)
        if found is not None:
            self._change(found, values)
            return found, False
        return self.create({field.name: key, **values}), True

    def matches(self, field: Field, key: Stored) -> int | None:
        """The record with this external id, if any. Raises Several."""
        matches = self.org.matches(self.of, field, key)
        if len(matches) > 1:
            raise Several(matches)
        return matches[0] if matches else None

    def delete(self, number: int, *, hard: bool = False) -> None:
        """Into the recycle bin, or past it. Raises RowError."""
        if not hard or self.org.deleted(self.of, number) is None:
            self.live(number)
        self.locks.check(self.org, number)
        (self.org.erase if hard else self.org.delete)(self.of, number)

    def key(self, field: Field, value: Any) -> Stored:
        """An external id as it is stored. Raises RowError for nothing, and WrongType."""
        stored = None if value is None else self._taker(field)(value)
        if stored is None:
            raise RowError("MISSING_ARGUMENT", f"{field.name} not specified")
        return stored

    def number(self, value: Any) -> int:
        """The number of an id that was sent. Raises RowError."""
        text = value.strip() if isinstance(value, str) else ""
        number = self.org.ids.number(text)
        if number is None or self.org.of(number) is not self.of:
            raise RowError("MALFORMED_ID", f"{self.of.label} ID: id value of incorrect type: {value}", "Id")
        return number

    def live(self, number: int) -> None:
        """Raise RowError unless this record is there, and not in the recycle bin."""
        gone = self.org.deleted(self.of, number)
        if gone is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if gone:
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")

    def _allowed(self, values: Values, may: Callable[[Field], bool]) -> None:
        refused = [name for name in values if not may(self.of.fields[name])]
        if refused:
            message = (
                f"Unable to create/update fields: {', '.join(refused)}. Please check the security settings of this "
                "field and verify that it is read/write for your profile or permission set."
            )
            raise RowError("INVALID_FIELD_FOR_INSERT_UPDATE", message, *refused)
        for name, value in values.items():
            if value is None and self.of.fields[name].kind == "boolean":
                raise WrongType(name, self.of.fields[name].label, "boolean", "null").row()

    def _filled(self, name: str, values: Values) -> bool:
        return name not in values and self.of.fields[name].default is not None

    def _unique(self, values: Values, own: int | None) -> None:
        for field in self.of.unique:
            value = values.get(field.name)
            if value is None:
                continue
            others = [number for number in self.org.matches(self.of, field, value, 2) if number != own]
            if others:
                other = self.org.ids.text(others[0])
                message = f"duplicate value found: {field.name} duplicates value on record with id: {other}"
                raise RowError("DUPLICATE_VALUE", message)
