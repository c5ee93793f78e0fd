"""The records of one object type: kept in id order, indexed by their unique values, encoded once per selection."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from antiphon.sandbox.exchange import encode
from antiphon.sandbox.hubspot import moments
from antiphon.sandbox.hubspot.catalogue import COMMON, Standard
from antiphon.sandbox.hubspot.moments import Moment
from antiphon.sandbox.hubspot.properties import Property, parse_catalogue


@dataclass(slots=True)
class Record:
    """One record. Times are epoch milliseconds; `properties` holds the values that are set, as text.

    `indexed` is what search still sees, (properties, updated) or None for nothing, until the clock passes
    `indexed_until`; that is how index lag looks.
    """

    id: int
    properties: dict[str, str]
    created: int
    updated: int
    archived_at: int | None = None
    history: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    indexed: tuple[dict[str, str], int] | None = None
    indexed_until: int = 0
    encoded: dict[int, bytes] = field(default_factory=dict)


Computed = Callable[[Record], str | None]


class Store:
    """An object type and its records.

    The methods do as told and check nothing: they are what happens in the vendor's own UI, and what the routes do once
    a request has passed. `lag_ms` is how long search takes to notice a change.
    """

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        type_id: str,
        singular: str,
        properties: dict[str, Property],
        *,
        default: tuple[str, ...] = (),
        required: tuple[tuple[str, ...], ...] = (),
        first_id: int = 1001,
        portal: int = 0,
        pipeline: tuple[str, str] | None = None,
    ) -> None:
        self.name = name
        self.type_id = type_id
        self.singular = singular
        self.properties = properties
        self.required = required
        self.pipeline = pipeline
        self.portal = portal
        self.custom = type_id.startswith("2-")
        self.group = f"{singular.lower().replace(' ', '')}information"
        self.groups = {self.group: f"{singular} information"}
        # The vendor's contacts are older than its other objects and name their timestamps differently.
        self.modified_name = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
        created = [name for name in ("createdate", "hs_createdate") if name in properties]
        self.always = (*created[:1], self.modified_name, "hs_object_id")
        self.default = tuple(sorted({*default, *self.always}))
        self.computed: dict[str, Computed] = {
            self.modified_name: lambda record: moments.iso(record.updated),
            "hs_object_id": lambda record: str(record.id),
        }
        for created_name in created:
            self.computed[created_name] = lambda record: moments.iso(record.created)
        if name == "contacts":
            self.computed["hs_email_domain"] = lambda record: record.properties.get("email", "").partition("@")[2]
            self.computed["hs_full_name_or_email"] = _full_name
        self.records: dict[int, Record] = {}
        self.live: list[int] = []
        self.archived: list[int] = []
        self.aliases: dict[int, int] = {}
        self.unique: dict[str, dict[str, int]] = {}
        self.revision = 0
        self.lag_ms = 0
        self.searched: tuple[tuple[int, bytes], list[Any]] | None = None
        self._next_id = first_id
        self._selections: dict[tuple[str, ...], int] = {}

    @classmethod
    def standard(cls, of: Standard, portal: int) -> Store:
        """The store of an object that every portal has."""
        properties = parse_catalogue(of.properties + COMMON, f"{of.singular.lower().replace(' ', '')}information")
        return cls(
            of.name, of.type_id, of.singular, properties,
            default=of.default, required=of.required, first_id=of.first_id, portal=portal, pipeline=of.pipeline,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.live)

    def __iter__(self) -> Iterator[Record]:
        return (self.records[number] for number in self.live)

    # Reading.

    def get(self, number: int | str) -> Record | None:
        """The live record with this id, or the one it was merged into."""
        try:
            key = int(number)
        except ValueError:
            return None
        while key in self.aliases:
            key = self.aliases[key]
        record = self.records.get(key)
        return record if record is not None and record.archived_at is None else None

    def by(self, name: str, value: str) -> Record | None:
        """The live record that holds this value of a unique property (or this address, primary or secondary)."""
        key = self.unique.get(name, {}).get(value.lower() if name == "email" else value)
        return None if key is None else self.records[key]

    def value(self, record: Record, name: str) -> str | None:
        """One value as a reply shows it."""
        computed = self.computed.get(name)
        if computed is not None and name in self.properties:
            return computed(record) or None
        return record.properties.get(name) or None

    def page(self, after: int, limit: int, *, archived: bool = False) -> tuple[list[Record], int | None]:
        """Up to `limit` records from the id `after` on, in id order, and the id where the next page begins."""
        ids = self.archived if archived else self.live
        begin = bisect_left(ids, after)
        page = ids[begin : begin + limit]
        more = begin + limit < len(ids)
        return [self.records[number] for number in page], page[-1] + 1 if more else None

    def select(self, names: Iterable[str]) -> tuple[str, ...]:
        """The properties a reply shows when these are asked for; unknown names are silently dropped."""
        asked = [
            n for n in names if (definition := self.properties.get(n)) is not None and definition.archived_at is None
        ]
        return tuple(sorted({*asked, *self.always}))

    def show(self, record: Record, selection: tuple[str, ...]) -> bytes:
        """The record as a JSON object, encoded once per change and selection."""
        key = self._selections.setdefault(selection, len(self._selections))
        encoded = record.encoded.get(key)
        if encoded is None:
            if len(record.encoded) > 3:
                record.encoded.clear()
            encoded = record.encoded[key] = encode(self.document(record, selection))
        return encoded

    def document(self, record: Record, selection: Iterable[str]) -> dict[str, Any]:
        """The record as the vendor shows it."""
        shown: dict[str, Any] = {
            "id": str(record.id),
            "properties": {name: self.value(record, name) for name in selection},
            "createdAt": moments.iso(record.created),
            "updatedAt": moments.iso(record.updated),
            "archived": record.archived_at is not None,
            "url": f"https://app.hubspot.com/contacts/{self.portal}/record/{self.type_id}/{record.id}",
        }
        if record.archived_at is not None:
            shown["archivedAt"] = moments.iso(record.archived_at)
        return shown

    def history(self, record: Record, name: str) -> list[dict[str, Any]]:
        """The values a property has had, newest first; the vendor keeps 45 for contacts and 20 for others."""
        current = self.value(record, name)
        versions = record.history.get(name) or ([(current, record.created)] if current is not None else [])
        kept = versions[-45 if self.name == "contacts" else -20 :]
        return [
            {"value": value, "timestamp": moments.iso(at), "sourceType": "INTEGRATION", "sourceId": "sandbox"}
            for value, at in reversed(kept)
        ]

    # Writing.

    def add(
        self, properties: Mapping[str, str], *, created: Moment | None = None, updated: Moment | None = None
    ) -> Record:
        """A new record, with these times (now, unless given)."""
        at = moments.milliseconds(created)
        number = self._next_id
        self._next_id += 1
        values = {name: str(value) for name, value in properties.items() if value != ""}
        record = Record(number, values, at, at if updated is None else moments.milliseconds(updated))
        if self.lag_ms:
            record.indexed_until = moments.now() + self.lag_ms
        self.records[number] = record
        self.live.append(number)
        self._index(record, values)
        self.revision += 1
        return record

    def edit(self, record: Record | int | str, changes: Mapping[str, str], at: Moment | None = None) -> Record:
        """Set values (empty clears) and the time of the last change (now, unless given)."""
        record = self._record(record)
        moment = moments.milliseconds(at)
        self._delay(record)
        self._unindex(record, changes)
        for name, value in changes.items():
            old = record.properties.get(name, "")
            versions = record.history.setdefault(name, [(old, record.created)] if old else [])
            if value != old:
                versions.append((value, moment))
            if value == "":
                record.properties.pop(name, None)
            else:
                record.properties[name] = value
        if changes.get("createdate"):
            record.created = moments.parse(record.properties.pop("createdate"))
        self._index(record, changes)
        return self._touched(record, moment)

    def archive(self, record: Record | int | str, at: Moment | None = None) -> Record:
        """Move a record to the recycle bin, where its unique values are free again."""
        record = self._record(record)
        if record.archived_at is None:
            record.archived_at = moments.milliseconds(at)
            self._unindex(record, record.properties)
            _drop(self.live, record.id)
            insort(self.archived, record.id)
        return self._touched(record, max(record.updated, record.archived_at))

    def restore(self, record: Record | int | str, at: Moment | None = None) -> Record:
        """Take a record out of the recycle bin."""
        record = self._record(record)
        if record.archived_at is not None:
            record.archived_at = None
            _drop(self.archived, record.id)
            insort(self.live, record.id)
            self._index(record, record.properties)
        return self._touched(record, moments.milliseconds(at))

    def remove(self, record: Record | int | str) -> None:
        """Forget a record: erased for privacy, merged away, or 90 days in the recycle bin."""
        record = self._record(record)
        if record.archived_at is None:
            self._unindex(record, record.properties)
            _drop(self.live, record.id)
        else:
            _drop(self.archived, record.id)
        del self.records[record.id]
        self.revision += 1

    def forget_encoded(self) -> None:
        """After the definitions changed: encode afresh."""
        for record in self.records.values():
            record.encoded.clear()
        self.revision += 1

    def reindex(self, name: str) -> None:
        """Build the index of a property that has become unique."""
        self.unique[name] = {
            self.records[number].properties[name]: number
            for number in self.live
            if name in self.records[number].properties
        }

    def _record(self, which: Record | int | str) -> Record:
        return which if isinstance(which, Record) else self.records[int(which)]

    def _touched(self, record: Record, moment: int) -> Record:
        record.updated = moment
        record.encoded.clear()
        self.revision += 1
        return record

    def _delay(self, record: Record) -> None:
        now = moments.now()
        if not self.lag_ms:
            return
        if record.indexed_until <= now:
            record.indexed = dict(record.properties), record.updated
        record.indexed_until = now + self.lag_ms

    def _keys(self, record: Record, names: Iterable[str]) -> Iterable[tuple[str, str]]:
        for name in names:
            value = record.properties.get(name)
            definition = self.properties.get(name)
            if not value:
                continue
            if definition is not None and definition.unique:
                yield name, value
            elif self.name == "contacts" and name in {"email", "hs_additional_emails"}:
                for address in value.lower().split(";"):
                    yield "email", address

    def _index(self, record: Record, names: Iterable[str]) -> None:
        for name, value in self._keys(record, names):
            self.unique.setdefault(name, {})[value] = record.id

    def _unindex(self, record: Record, names: Iterable[str]) -> None:
        for name, value in self._keys(record, names):
            index = self.unique.get(name, {})
            if index.get(value) == record.id:
                del index[value]


def _drop(ids: list[int], number: int) -> None:
    del ids[bisect_left(ids, number)]


def _full_name(record: Record) -> str | None:
    names = (record.properties.get("firstname"), record.properties.get("lastname"))
    return " ".join(filter(None, names)) or record.properties.get("email")
