"""Where a resource's schema comes from, if it is not written down: from an endpoint that lists the fields, or from an OpenAPI document.

Each kind is a function of the client as data, and fits where a schema fits.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from antiphon import openapi, schema
from antiphon.api import Query, Read, Request, Resource, Schema
from antiphon.errors import BadReply, DescriptionError
from antiphon.fill import look

if TYPE_CHECKING:
    from antiphon.client import Client

log = logging.getLogger("antiphon.sources")


@dataclass(frozen=True)
class Metadata:
    """The fields are listed by the API: one record of *read* is one field, in which the paths below lead to what it is."""

    read: Read
    """The list of the fields."""
    name: str = "name"
    """Where its name is. Empty: the reply has the fields by their names."""
    type: str = "type"
    """Where the API's word for its type is."""
    types: Mapping[str, str] = field(default_factory=dict)
    """The API's words for types to ours: ``{text: string, datetime: date-time}``. A word of ours needs no entry; a field whose word
    is in neither is of any type."""
    label: str = ""
    """Where its title is."""
    required: str = ""
    """Where it says that the field has a value in every record."""
    nullable: str = ""
    """Where it says that it may be null, if the API says it that way round."""
    unique: str = ""
    """Where it says that no two records have the same value."""
    readonly: str = ""
    """Where it says that the field cannot be written."""
    writable: str = ""
    """Where it says that it can, if the API says it that way round."""
    options: str = ""
    """Where the values are that it may have."""
    option: str = ""
    """Where in each of these the value is; empty: it is the value."""
    also: Mapping[str, str] = field(default_factory=dict)
    """Fields that are not listed, by name: ``{id: string!}``."""

    def __post_init__(self) -> None:
        """Refuse words that are none of ours.

        Raises:
            DescriptionError: which one it is, and those there are.
        """
        for word in (*self.types.values(), *self.also.values()):
            schema.of(word)

    def __call__(self, client: Client) -> Schema:
        """Ask the API for its fields.

        Raises:
            ApiError: it cannot be asked.
            BadReply: a field has no name.
        """
        doing = "asking for the fields"
        asked = Resource("fields", {})
        rows = [row for page in client.pages(self.read, asked, Query(), doing=doing) for row in page.records]
        if not self.name:
            rows = [{"": name, **row} for whole in rows for name, row in whole.items() if isinstance(row, Mapping)]
        found: dict[str, Any] = {name: schema.of(word) for name, word in self.also.items()}
        for row in rows:
            name = look(row, self.name) if self.name else row[""]
            if not isinstance(name, str) or not name:
                raise BadReply(f"{client.api.name}: {doing} -> a field without a name at {self.name}: {row}")
            found[name] = self._field(row, name)
        return schema.record(found)

    def _field(self, row: Any, name: str) -> dict[str, Any]:
        said = str(look(row, self.type))
        ours = said.lower() if said.lower() in schema.WORDS else ""
        if not (word := self.types.get(said, ours)):
            log.info("the type %s of the field %s is not in `types`: any value is let through", said, name)
        made = schema.of(word or "any")
        never_null = (self.required and look(row, self.required)) or (
            self.nullable and look(row, self.nullable) is False
        )
        if never_null and isinstance(made.get("type"), list):
            made["type"] = made["type"][0]
        if (self.readonly and look(row, self.readonly)) or (self.writable and not look(row, self.writable)):
            made["readOnly"] = True
        if self.unique and look(row, self.unique):
            made["x-unique"] = True
        options = look(row, self.options) if self.options else None
        if isinstance(options, list) and options:
            made["x-options"] = [look(option, self.option) for option in options]
        title = look(row, self.label) if self.label else None
        return {**made, "title": title} if isinstance(title, str) else made


@dataclass(frozen=True)
class OpenApi:
    """The fields are in an OpenAPI document (3.0, 3.1, Swagger 2): in a *component*, or in what *method* on *path* answers with."""

    url: str = ""
    """Where the API has the document."""
    file: str = ""
    """Or the document's file, beside the description."""
    component: str = ""
    """A component's name: ``Order``."""
    path: str = ""
    """Or an operation's path as the document has it."""
    method: Literal["get", "put", "post", "delete", "patch"] = "get"
    """The operation's method."""
    records: str = ""
    """Where in that operation's answer the records are."""

    def __post_init__(self) -> None:
        """Refuse what leaves open which document, or which schema in it.

        Raises:
            DescriptionError: saying what to give.
        """
        for one, other in (("url", "file"), ("component", "path")):
            if bool(getattr(self, one)) == bool(getattr(self, other)):
                raise DescriptionError(f"a schema from an OpenAPI document needs either `{one}` or `{other}`")

    def __call__(self, client: Client) -> Schema:
        """Get the document, once for all resources, and return the schema.

        Raises:
            ApiError: the API does not give it.
            DescriptionError: it is none, or describes no such thing.
        """
        document = openapi.Document(self._document(client), self.url or self.file)
        if self.component:
            found = document.component(self.component)
        else:
            found = document.answer(self.path, self.method, self.records)
        for warning in document.warnings:
            log.warning("%s: %s", document.where, warning)
        return found

    def _document(self, client: Client) -> Any:
        kept = client.http.notes.setdefault("openapi", {})
        where = self.url or self.file
        if where not in kept:
            kept[where] = openapi.parsed(self._body(client), where)
        return kept[where]

    def _body(self, client: Client) -> bytes:
        if self.url:
            return client.http.send(Request("GET", self.url), "asking for the OpenAPI document").body
        try:
            with Path(self.file).open("rb") as file:
                return file.read(openapi.MOST_BYTES + 1)
        except OSError as error:
            raise DescriptionError(f"reading {self.file} -> {error.strerror}", hint="Check the path.") from None


#: What `schema` may be besides fields and their types, by the word for it in a description.
KINDS: dict[str, type] = {"metadata": Metadata, "openapi": OpenApi}
