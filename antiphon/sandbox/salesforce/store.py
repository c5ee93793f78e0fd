"""The records of an org, in an SQLite database of its own that spills to disk, and is gone with the sandbox.

Ids and references are kept as numbers (`ids`), times as epoch seconds, flags as 0 and 1, all else as it is written.
The methods do as told and check nothing: they are what happens once a request has passed.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from antiphon.sandbox.salesforce import moments
from antiphon.sandbox.salesforce.catalogue import GROUP, STANDARD, USER, Standard
from antiphon.sandbox.salesforce.fields import Field, parse_catalogue
from antiphon.sandbox.salesforce.ids import SHIFT, Ids

Stored = str | int | float | None
_FIRST_CUSTOM = 1


class SObject:
    """One object of the org: its fields and how many records it ever had."""

    def __init__(self, name: str, prefix: str, kind: int, fields: dict[str, Field], label: str, plural: str) -> None:
        self.name = name
        self.prefix = prefix
        self.kind = kind
        self.label = label or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))
        self.plural = plural or f"{self.label}s"
        self.fields = fields
        self.count = 0
        self.changed = moments.now()
        self.inserts: dict[tuple[str, ...], str] = {}
        self.updates: dict[tuple[str, ...], str] = {}
        self._by_lower: dict[str, Field] = {}
        self._parents: dict[str, Field] = {}
        self.index()

    def index(self) -> None:
        """Notice that the fields have changed."""
        self.changed = moments.now()
        self._by_lower = {name.lower(): each for name, each in self.fields.items()}
        self._parents = {each.relationship.lower(): each for each in self.fields.values() if each.relationship}
        self.unique = [each for each in self.fields.values() if each.unique]
        self.required = [each.name for each in self.fields.values() if each.required]

    @property
    def custom(self) -> bool:
        """Whether the org added it."""
        return self.name.endswith("__c")

    @property
    def table(self) -> str:
        """Its table in SQL."""
        return f'"{self.name}"'

    def field(self, name: str) -> Field | None:
        """A field by its name, in any case."""
        return self._by_lower.get(name.lower())

    def parent(self, relationship: str) -> Field | None:
        """The reference field behind a relationship's name, in any case."""
        return self._parents.get(relationship.lower())

    @property
    def stored(self) -> list[Field]:
        """The fields that have a column."""
        return [each for each in self.fields.values() if each.stored]


class Org:
    """The objects, their records, and who is logged in. `folder` holds what Bulk jobs leave on disk."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="salesforce-sandbox-"))
        self.database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        weakref.finalize(self, _end, self.database, self.folder)
        for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-65536", "temp_store=FILE"):
            self.database.execute(f"PRAGMA {pragma}")
        self.ids = Ids()
        self.database.create_function("sf_id", 1, self._id_text, deterministic=True)
        self.objects: dict[str, SObject] = {}
        self._by_lower: dict[str, SObject] = {}
        self.execute("CREATE TABLE _gone (object TEXT, id INTEGER, at INTEGER)")
        self.user = (len((GROUP, USER)) - 1) << SHIFT | 1
        for each in STANDARD:
            self._make(each)

    # Objects.

    def find(self, name: str) -> SObject | None:
        """An object by its name, in any case."""
        return self._by_lower.get(name.lower())

    def of(self, number: int) -> SObject:
        """The object that a record's number belongs to."""
        return list(self.objects.values())[number >> SHIFT]

    def add_object(self, name: str, catalogue: str, *, prefix: str | None = None) -> SObject:
        """A custom object (`name` ends in `__c`) with these fields besides the system's, a Name and an owner."""
        text = f"Name:string(80),req,name\n{catalogue}\nOwnerId:reference,req,default>User\n"
        given = prefix or f"a{_FIRST_CUSTOM + len(self.objects):02d}"
        return self._make(Standard(name, given, text))

    def _make(self, each: Standard) -> SObject:
        fields = parse_catalogue(each.fields, each.expressions)
        kind = self.ids.add(each.prefix)
        made = SObject(each.name, each.prefix, kind, fields, each.label, each.plural)
        columns = [one.column(self.user) for one in made.stored if one.name != "Id"]
        self.execute(f'CREATE TABLE {made.table} ("Id" INTEGER PRIMARY KEY, {", ".join(columns)})')
        # The vendor's own order of changes, complete without a look at the table.
        self.execute(f'CREATE INDEX "{made.name}.stamp" ON {made.table} ("SystemModstamp", "Id", "IsDeleted")')
        self.objects[made.name] = self._by_lower[made.name.lower()] = made
        for one in made.stored:
            self._index_field(made, one)
        return made

    def _index_field(self, of: SObject, one: Field) -> None:
        if (one.external_id or one.unique or one.id_lookup) and one.name != "Id":
            self.execute(f'CREATE INDEX "{of.name}.{one.name}" ON {of.table} ("{one.name}")')

    def add_fields(self, of: SObject, catalogue: str) -> list[Field]:
        """More fields for an object; the records have nothing in them yet."""
        fields = parse_catalogue(catalogue)
        for one in fields.values():
            if one.stored:
                self.execute(f"ALTER TABLE {of.table} ADD COLUMN {one.column(self.user)}")
            of.fields[one.name] = one
            self._index_field(of, one)
        of.index()
        return list(fields.values())

    def hide_field(self, of: SObject, name: str) -> None:
        """Take a field from the user's sight, as field-level security does; its values stay."""
        del of.fields[name]
        of.index()

    # Records.

    def execute(self, sql: str, values: Sequence[Stored] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self.database.execute(sql, values)

    def insert(self, of: SObject, values: Mapping[str, Stored], *, at: int | None = None) -> int:
        """A new record with these stored values; its number."""
        of.count += 1
        number = of.kind << SHIFT | of.count
        stamp = at or moments.now()
        self.execute(self._inserting(of, tuple(values)), (number, stamp, stamp, stamp, *values.values()))
        return number

    def insert_many(self, of: SObject, names: tuple[str, ...], rows: Iterable[tuple[Stored, ...]]) -> None:
        """Many new records, each as (created, last modified, stamp) and the values of these fields."""

        def numbered() -> Iterator[tuple[Stored, ...]]:
            for row in rows:
                of.count += 1
                yield (of.kind << SHIFT | of.count, *row)

        self.database.executemany(self._inserting(of, names), numbered())

    def _inserting(self, of: SObject, names: tuple[str, ...]) -> str:
        sql = of.inserts.get(names)
        if sql is None:
            listed = "".join(f', "{name}"' for name in names)
            sql = of.inserts[names] = (
                f'INSERT INTO {of.table} ("Id", "CreatedDate", "LastModifiedDate", "SystemModstamp", "IsDeleted", '
                f'"CreatedById", "LastModifiedById"{listed}) '
                f"VALUES (?, ?, ?, ?, 0, {self.user}, {self.user}{', ?' * len(names)})"
            )
        return sql

    def update(self, of: SObject, number: int, values: Mapping[str, Stored], *, at: int | None = None) -> None:
        """Set stored values, and the stamps."""
        names = tuple(values)
        sql = of.updates.get(names)
        if sql is None:
            listed = "".join(f', "{name}" = ?' for name in names)
            sql = of.updates[names] = (
                f'UPDATE {of.table} SET "LastModifiedDate" = ?, "SystemModstamp" = ?, '
                f'"LastModifiedById" = {self.user}{listed} WHERE "Id" = ?'
            )
        stamp = at or moments.now()
        self.execute(sql, (stamp, stamp, *values.values(), number))

    def delete(self, of: SObject, number: int, *, at: int | None = None) -> None:
        """Into the recycle bin."""
        self.update(of, number, {"IsDeleted": 1}, at=at)

    def erase(self, of: SObject, number: int, *, at: int | None = None) -> None:
        """Past the recycle bin."""
        self.execute(f'DELETE FROM {of.table} WHERE "Id" = ?', (number,))
        self.execute("INSERT INTO _gone VALUES (?, ?, ?)", (of.name, number, at or moments.now()))

    def deleted(self, of: SObject, number: int) -> bool | None:
        """Whether a record is in the recycle bin; None when there is no such record."""
        row = self.execute(f'SELECT "IsDeleted" FROM {of.table} WHERE "Id" = ?', (number,)).fetchone()
        return None if row is None else bool(row[0])

    def matches(self, of: SObject, field: Field, value: Stored, most: int = 10) -> list[int]:
        """The live records with this value."""
        sql = f'SELECT "Id" FROM {of.table} WHERE "{field.name}" = ? AND "IsDeleted" = 0 LIMIT ?'
        return [row[0] for row in self.execute(sql, (value, most))]

    def size(self, of: SObject) -> int:
        """How many live records there are."""
        total: int = self.execute(f'SELECT count(*) FROM {of.table} WHERE "IsDeleted" = 0').fetchone()[0]
        return total

    def documents(self, of: SObject, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Every record as JSON replies have it, without compounds."""
        names = [each.name for each in of.stored]
        columns = '", "'.join(names)
        sql = f'SELECT "{columns}" FROM {of.table} WHERE "IsDeleted" = ? ORDER BY "Id"'
        fields = of.stored
        return [
            {one.name: self.shown(one, value) for one, value in zip(fields, row, strict=True)}
            for row in self.execute(sql, (int(deleted),))
        ]

    def shown(self, field: Field, value: Stored) -> Any:
        """A stored value as JSON replies have it."""
        if value is None:
            return None
        match field.kind:
            case "id" | "reference":
                return self.ids.text(int(value))
            case "datetime":
                return moments.json_text(int(value))
            case "boolean":
                return bool(value)
        return value

    def _id_text(self, number: int | None) -> str | None:
        return None if number is None else self.ids.text(number)


def _end(database: sqlite3.Connection, folder: Path) -> None:
    database.close()
    shutil.rmtree(folder, ignore_errors=True)
