"""A field of an object: what describe says of it, and the column that holds its values.

A catalogue writes `Name:type(length)`, `Name:currency(precision,scale)`, then flags: `ro` neither createable nor
updateable, `create` only createable, `req` not nillable, `default` filled when left out, `ext` external id, `unique`,
`lookup` idLookup, `case` case-sensitive, `calc` formula, `auto` number, `name` the name field, `closed` restricted
picklist, `in=Compound`; `>Account` or `>Contact+Lead` what it refers to; and `=a|*b|c` the picklist, its default starred.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TEXTUAL = frozenset(
    "string textarea picklist multipicklist combobox email phone url encryptedstring date time".split()  # noqa: SIM905
)
QUOTED = TEXTUAL - {"date", "time"} | {"id", "reference"}
"""Types whose values stand in quotes in SOQL."""
NUMERIC = frozenset({"int", "long", "double", "currency", "percent"})
COMPOUND = frozenset({"address", "location"})
_SOAP = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long",
         "double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date",
         "datetime": "xsd:dateTime", "time": "xsd:time", "address": "urn:address", "location": "urn:location"}  # fmt: skip
_LENGTHS = {"string": 255, "textarea": 255, "picklist": 255, "multipicklist": 4099, "combobox": 255, "email": 80,
            "phone": 40, "url": 255, "encryptedstring": 175, "id": 18, "reference": 18}  # fmt: skip
_LINE = re.compile(r"(\w+):(\w+)(?:\((\d+)(?:,(\d+))?\))?((?:,[\w=]+)*)(?:>([\w+]+))?(?:=(.*))?")


@dataclass(frozen=True)
class Field:
    """One field. `expression` is the SQL of a value that is worked out from the record's others."""

    name: str
    kind: str = "string"
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted: bool = False
    external_id: bool = False
    unique: bool = False
    id_lookup: bool = False
    case_sensitive: bool = False
    calculated: bool = False
    auto_number: bool = False
    name_field: bool = False
    restricted: bool = False
    options: tuple[str, ...] = ()
    default: str | None = None
    refers_to: tuple[str, ...] = ()
    compound: str | None = None
    label: str = ""
    expression: str | None = None
    allowed: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "allowed", frozenset(self.options))
        if not self.length and self.kind in _LENGTHS:
            put(self, "length", _LENGTHS[self.kind])
        if not self.precision and self.kind in {"double", "currency", "percent"}:
            put(self, "precision", 18)
            put(self, "scale", 2)
        if not self.label:
            put(self, "label", _label(self.name, self.kind))

    @property
    def custom(self) -> bool:
        """Whether the org added it."""
        return self.name.endswith(("__c", "__s"))

    @property
    def relationship(self) -> str | None:
        """The name under which a query reaches what it refers to."""
        if self.kind != "reference":
            return None
        return self.name[:-1] + "r" if self.name.endswith("__c") else self.name.removesuffix("Id")

    @property
    def filterable(self) -> bool:
        """Whether WHERE takes it: not long text, nor compounds but for distances."""
        return self.kind not in COMPOUND and not (self.kind == "textarea" and self.length > 255)

    @property
    def stored(self) -> bool:
        """Whether it has a column: compounds are put together from others."""
        return self.kind not in COMPOUND

    @property
    def required(self) -> bool:
        """Whether a record cannot be created without it."""
        return not self.nillable and self.createable and not self.defaulted and self.kind != "boolean"

    def column(self, default_owner: int) -> str:
        """Its column in SQL."""
        name = f'"{self.name}"'
        if self.kind in {"double", "currency", "percent"}:
            type_ = "REAL"
        elif self.kind in TEXTUAL:
            type_ = "TEXT" if self.case_sensitive else "TEXT COLLATE NOCASE"
        else:
            type_ = "INTEGER"
        if self.expression:
            return f"{name} {type_} GENERATED ALWAYS AS ({self.expression}) VIRTUAL"
        if self.kind == "boolean":
            return f"{name} INTEGER DEFAULT {int(self.default == 'true')}"
        if self.name == "OwnerId":
            return f"{name} INTEGER DEFAULT {default_owner}"
        if self.default is not None:
            default = self.default.replace("'", "''")
            return f"{name} {type_} DEFAULT '{default}'"
        return f"{name} {type_}"

    def describe(self) -> dict[str, Any]:
        """As `describe` shows it."""
        wide = 3 * self.length if self.kind in TEXTUAL - {"date", "time"} else self.length
        return {
            "aggregatable": self.kind not in COMPOUND,
            "autoNumber": self.auto_number,
            "byteLength": wide,
            "calculated": self.calculated,
            "calculatedFormula": None,
            "cascadeDelete": False,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": self.compound,
            "controllerName": None,
            "createable": self.createable,
            "custom": self.custom,
            "defaultValue": False if self.kind == "boolean" else None,
            "defaultedOnCreate": self.defaulted or self.kind == "boolean" or self.default is not None,
            "dependentPicklist": False,
            "deprecatedAndHidden": False,
            "digits": 8 if self.kind == "int" else 0,
            "encrypted": self.kind == "encryptedstring",
            "externalId": self.external_id,
            "extraTypeInfo": "plaintextarea" if self.kind == "textarea" else None,
            "filterable": self.filterable,
            "groupable": self.filterable and self.kind not in {"double", "currency", "percent", "datetime"},
            "htmlFormatted": False,
            "idLookup": self.id_lookup or self.external_id or self.kind == "id",
            "inlineHelpText": None,
            "label": self.label,
            "length": self.length,
            "name": self.name,
            "nameField": self.name_field,
            "namePointing": len(self.refers_to) > 1,
            "nillable": self.nillable,
            "permissionable": self.nillable and self.kind != "id",
            "picklistValues": [
                {
                    "active": True,
                    "defaultValue": value == self.default,
                    "label": value,
                    "validFor": None,
                    "value": value,
                }
                for value in self.options
            ],
            "polymorphicForeignKey": len(self.refers_to) > 1,
            "precision": self.precision,
            "referenceTo": list(self.refers_to),
            "relationshipName": self.relationship,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "soapType": _SOAP.get(self.kind, "xsd:string"),
            "sortable": self.filterable and self.kind != "multipicklist",
            "type": self.kind,
            "unique": self.unique,
            "updateable": self.updateable,
        }


def parse_catalogue(text: str, expressions: dict[str, str] | None = None) -> dict[str, Field]:
    """The fields that a catalogue's lines write, by name. Raises ValueError for a line that it cannot read."""
    found: dict[str, Field] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ValueError(line)
        name, kind, size, scale, flags, refers_to, options = parts.groups()
        words: dict[str, str] = {}
        for flag in flags.split(",")[1:]:
            word, _, value = flag.partition("=")
            words[word] = value
        choices = options.split("|") if options else []
        expression = (expressions or {}).get(name)
        read_only = "ro" in words or expression is not None or kind in COMPOUND
        found[name] = Field(
            name,
            kind,
            length=0 if kind in NUMERIC else int(size or 0),
            precision=int(size or 0) if kind in NUMERIC else 0,
            scale=int(scale or 0),
            nillable="req" not in words and kind not in {"boolean", "id"},
            createable=not read_only,
            updateable=not read_only and "create" not in words,
            defaulted="default" in words,
            external_id="ext" in words,
            unique="unique" in words,
            id_lookup="lookup" in words,
            case_sensitive="case" in words,
            calculated="calc" in words,
            auto_number="auto" in words,
            name_field="name" in words,
            restricted="closed" in words,
            options=tuple(choice.removeprefix("*") for choice in choices),
            default=next((choice[1:] for choice in choices if choice.startswith("*")), None),
            refers_to=tuple(refers_to.split("+")) if refers_to else (),
            compound=words.get("in"),
            expression=expression,
        )
    return found


def _label(name: str, kind: str) -> str:
    if kind == "reference" and not name.endswith("__c"):
        return _label(name.removesuffix("Id"), "string") + " ID"
    bare = re.sub(r"__[cs]$", "", name).replace("_", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare)
