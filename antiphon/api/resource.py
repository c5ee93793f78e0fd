"""A kind of record, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from antiphon.api import usual
from antiphon.api.reading import Read, Reader
from antiphon.api.settings import JSON
from antiphon.api.writing import Write, Writer
from antiphon.bounds import Wait
from antiphon.schema import unique_fields

if TYPE_CHECKING:
    from antiphon.client import Client

Schema = Mapping[str, JSON]


@dataclass(frozen=True)
class Resource:
    """One kind of record, under the word a user would say.

    The slots for reading: ``read`` lists all of them, ``changes`` those changed since a time, ``deleted`` those
    that are gone, ``get`` one by id, ``find`` those with given values in one field. For writing: ``create``, ``update``,
    ``upsert``, ``archive``, ``restore``, ``delete``, ``erase`` (privacy), and ``actions`` by name.
    """

    name: str
    """What its records are called: the word in commands, and the name of the stream."""
    schema: Schema | Callable[[Client], Schema]
    """The fields of a record: a word for each, a JSON Schema, or where the API tells them."""
    key: tuple[str, ...] = ("id",)
    """The fields by which a record is known; none where it cannot be known again."""
    aliases: tuple[str, ...] = ()
    """Other words for it."""
    title: str = ""
    """What people call it."""
    created: str = ""
    """The field that holds when a record was made."""
    updated: str = ""
    """The field that holds when it was last changed: the replication key."""
    match: tuple[str, ...] = ()
    """Unique fields to find a record by, best first."""
    prompt: tuple[str, ...] | None = None
    """Fields by which a lookup sees a new record at once, besides those the schema calls unique; None: any field. A
    lookup by another field that finds nothing proves nothing."""
    within: tuple[str, ...] = ()
    """Fields that two records must agree in as well to match: a voucher's code is unique within its event."""
    folded: tuple[str, ...] = ()
    """Fields whose values are the same in upper and lower case."""
    further: Mapping[str, str] = field(default_factory=dict)
    """Match fields of which a record may have several values, each of which finds it, and the field that holds those besides
    its own: ``{"email": "hs_additional_emails"}``; a list, or a text that is parted as its schema's ``x-several`` says."""
    cleared: JSON = None
    """What is sent to clear a field."""
    archived: Mapping[str, JSON] = field(default_factory=dict)
    """The fields by which an archived record is known, and the values they have then; where the schema has none of them,
    nothing can be archived."""
    always: tuple[str, ...] = ()
    """Fields that come whether asked for or not."""
    parent: str = ""
    """The resource under whose records these are listed."""
    common: bool = True
    """Whether its stream is selected unless the user says otherwise."""
    lookback: Wait = 0
    """Seconds by which a change may become visible late."""
    read: Read | Reader | None = None
    """The list of all records."""
    changes: Read | Reader | None = None
    """The list of those that were changed since ``{since}``."""
    deleted: Read | Reader | None = None
    """The list of those that are gone."""
    get: Read | Reader | None = None
    """One record, by its ``{id}``."""
    find: Read | Reader | None = None
    """Those with given values in one field: ``{match.field}``, ``{match.values}``."""
    create: Write | Writer | None = None
    """Makes a record."""
    update: Write | Writer | None = None
    """Changes fields of the record that has the ``{id}``."""
    upsert: Write | Writer | None = None
    """Changes the record that the API itself finds, or makes it."""
    archive: Write | Writer | None = None
    """Takes the record with the ``{id}`` out of use; it can be restored."""
    restore: Write | Writer | None = None
    """Takes an archived record into use again."""
    delete: Write | Writer | None = None
    """Deletes the record with the ``{id}``."""
    erase: Write | Writer | None = None
    """Deletes it for good, where privacy wants that."""
    add_field: Callable[[Client, Resource, str, Schema], Schema] | None = None
    """Adds a field in the API for a column of that name and schema, and returns the field's schema."""
    refuse_field: Callable[[Client, Resource, str], None] | None = None
    """Raises ``Refused`` for a name that no new field can have, before anything is asked of the API."""
    add_option: Callable[[Client, Resource, str, str], None] | None = None
    """Adds an option to the field of that name."""
    actions: Mapping[str, Write | Writer] = field(default_factory=dict)
    """What else can be done with a record, by name: ``cancel``."""

    READING: ClassVar[tuple[str, ...]] = ("read", "changes", "deleted", "get", "find")
    WRITING: ClassVar[tuple[str, ...]] = (
        "create", "update", "upsert", "archive", "restore", "delete", "erase",
    )  # fmt: skip

    def __post_init__(self) -> None:
        """Let requests be as they usually are where they do not say otherwise: see :mod:`antiphon.api.usual`."""
        for name, made in usual.completed(self).items():
            object.__setattr__(self, name, made)

    @property
    def writable(self) -> bool:
        """Whether a stream can be written to it."""
        return any((self.create, self.update, self.upsert, self.delete, self.archive))

    @property
    def operations(self) -> tuple[str, ...]:
        """The slots it fills, and its actions by name."""
        return (*(s for s in (*self.READING, *self.WRITING) if getattr(self, s)), *self.actions)

    def found_by(self, field: str) -> bool:
        """Whether its records can be looked up by *field*: by a search, or one by one by their key."""
        return self.find is not None or (self.get is not None and self.key == (field,))

    def match_fields(self, schema: Schema) -> tuple[str, ...]:
        """Return the fields a record can be matched by, best first: those declared, then those the API calls unique."""
        known = schema.get("properties", {})
        given = (name for name in unique_fields(schema) if not known[name].get("readOnly"))
        return tuple(dict.fromkeys((*self.match, *given)))
