"""Properties of an object type: their definitions, and which values they take."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from antiphon.sandbox.hubspot import moments

EMAIL = re.compile(r"[^\s@\"<>(),:;\[\]\\]+@(?:[\w-]+\.)+[^\W\d_]{2,}", re.UNICODE)
TYPES = ("string", "number", "date", "datetime", "enumeration", "bool", "phone_number")
FIELD_TYPES = (
    "textarea", "text", "date", "file", "number", "select", "radio", "checkbox", "booleancheckbox", "html",
    "phonenumber", "calculation_equation",
)  # fmt: skip
_FIELD_OF = {
    "string": "text", "number": "number", "date": "date", "datetime": "date", "enumeration": "select",
    "bool": "booleancheckbox", "phone_number": "phonenumber",
}  # fmt: skip
MAX_TEXT = 65_536
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


class InvalidValue(Exception):
    """A value that a property does not take."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Property:
    """The definition of one property. `external` options live elsewhere: owners, pipelines, other records."""

    name: str
    type: str = "string"
    label: str = ""
    field_type: str = ""
    group: str = ""
    description: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)
    unique: bool = False
    read_only: bool = False
    calculated: bool = False
    external: bool = False
    hidden: bool = False
    form_field: bool = False
    defined_by_vendor: bool = False
    display_order: int = -1
    created: int = 0
    updated: int = 0
    archived_at: int | None = None

    def __post_init__(self) -> None:
        self.label = self.label or self.name.removeprefix("hs_").replace("_", " ").capitalize()
        self.field_type = self.field_type or _FIELD_OF[self.type]
        if self.type == "bool" and not self.options:
            self.options = options(["true", "false"])

    @property
    def writable(self) -> bool:
        """Whether a value may be written."""
        return not (self.read_only or self.calculated)

    @property
    def several(self) -> bool:
        """Whether a value may hold several options, separated by semicolons."""
        return self.field_type == "checkbox"

    def document(self) -> dict[str, Any]:
        """The definition as the vendor shows it."""
        shown: dict[str, Any] = {
            "updatedAt": moments.iso(self.updated),
            "createdAt": moments.iso(self.created),
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self.options,
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external,
            "archived": self.archived_at is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "formField": self.form_field,
            "dataSensitivity": "non_sensitive",
            "modificationMetadata": {
                "archivable": not self.defined_by_vendor,
                "readOnlyDefinition": self.defined_by_vendor,
                "readOnlyValue": not self.writable,
            },
        }
        if self.type == "enumeration":
            shown["modificationMetadata"]["readOnlyOptions"] = self.external
        if self.defined_by_vendor:
            shown["hubspotDefined"] = True
        if self.name == "hubspot_owner_id":
            shown["referencedObjectType"] = "OWNER"
        if self.archived_at is not None:
            shown["archivedAt"] = moments.iso(self.archived_at)
        return shown

    def accept(self, value: object) -> str:
        """The value as it is kept, text; empty clears. Raises InvalidValue."""
        text = _text(value)
        if not self.writable:
            msg = f'"{self.name}" is a read only property; its value cannot be set.'
            raise InvalidValue("READ_ONLY_VALUE", msg)
        if not text:
            return ""
        if self.type in {"string", "phone_number"}:
            return self._accept_text(text)
        if self.type == "number":
            return _accept_number(text)
        if self.type == "date":
            return _accept_moment(text, day=True)
        if self.type == "datetime":
            return _accept_moment(text, day=False)
        return self._accept_option(text)

    def _accept_text(self, text: str) -> str:
        if self.name == "email":
            if not EMAIL.fullmatch(text):
                msg = f"Email address {text} is invalid"
                raise InvalidValue("INVALID_EMAIL", msg)
            return text.lower()
        if len(text) > MAX_TEXT:
            msg = f"{self.name} was {len(text)} characters long, the most is {MAX_TEXT}"
            raise InvalidValue("VALUE_TOO_LONG", msg)
        return text

    def _accept_option(self, text: str) -> str:
        if self.external:
            return text
        allowed = [option["value"] for option in self.options]
        for part in text.strip(";").split(";") if self.several else [text]:
            if part not in allowed:
                msg = f"{part} was not one of the allowed options: [{', '.join(allowed)}]"
                raise InvalidValue("INVALID_OPTION", msg)
        return text


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    msg = f"{value!r} is neither text nor a number"
    raise InvalidValue("INVALID_VALUE", msg)


def _accept_number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        msg = f"{text} was not a valid number."
        raise InvalidValue("INVALID_INTEGER", msg)
    return text


def _accept_moment(text: str, *, day: bool) -> str:
    try:
        return moments.parse_date(text) if day else moments.iso(moments.parse(text))
    except (ValueError, OverflowError):
        kind = "date" if day else "datetime"
        msg = f"{text} was not a valid {kind}."
        raise InvalidValue("INVALID_DATE", msg) from None


def options(values: list[str]) -> list[dict[str, Any]]:
    """Options as the vendor shows them."""
    return [
        {"label": value.replace("_", " ").capitalize(), "value": value, "displayOrder": order, "hidden": False}
        for order, value in enumerate(values)
    ]


def parse_catalogue(text: str, group: str) -> dict[str, Property]:
    """The definitions of a catalogue entry, in the notation described there."""
    found: dict[str, Property] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, values = line.partition("=")
        name, _, rest = head.partition(":")
        kind, *flags = rest.split(",")
        found[name] = Property(
            name,
            kind,
            field_type="checkbox" if "multi" in flags else "textarea" if "area" in flags else "",
            group=group,
            options=options(values.split("|")) if values else [],
            unique="unique" in flags,
            read_only="ro" in flags,
            calculated="calc" in flags,
            external="ext" in flags,
            hidden="hidden" in flags,
            form_field=not flags,
            defined_by_vendor=True,
        )
    return found


def comparable(definition: Property, text: str) -> str | int | Decimal:
    """A value such that greater and smaller mean what the vendor means by them; ValueError when it is no such value."""
    if definition.type == "number":
        if not _NUMBER.fullmatch(text):
            msg = f"{text} is not a number"
            raise ValueError(msg)
        return Decimal(text)
    if definition.type in {"date", "datetime"}:
        return moments.parse(text)
    return text.lower()
