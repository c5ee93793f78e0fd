"""What the matrix writes: to every API with an emulator, and to one that is described in YAML, by each way to be done once or not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar

from antiphon import sandbox
from antiphon.sandbox import Server

from .till import Till

NOBODY = 99_999
"""No record of Odoo has that id."""


@dataclass(frozen=True)
class Writing:
    """A stream that is written to a resource, and where somebody who knows nothing of the target finds what came of it."""

    api: str
    resource: str
    mode: str
    once: bool
    """Whether the table of guarantees says that it is done exactly once; else it is done at most once."""
    key: str
    """The field by which one record is told from another, there as here."""
    text: str
    """A field that is compared, and changed by a later record of the same key."""
    keys: str = "{n:05}"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What each record has besides."""
    spoilt: Mapping[str, Any] = field(default_factory=dict)
    """What makes the API refuse a record, and none of its neighbours."""
    match: tuple[str, ...] = ()
    model: str = ""
    """What the emulator calls the resource, where it has a name of its own for it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Any] = field(default_factory=dict)
    held: int = 1000
    """How many records are held before they are written: few where else a call would take so many that hardly one is left for a fault."""
    kind: str = ""
    """How the matrix calls it, besides its resource and mode."""
    unmatched: bool = False
    """Whether two records of one key are two, although each is written exactly once."""
    server: ClassVar[str] = "an emulator"

    @property
    def name(self) -> str:
        """What the matrix calls it."""
        return f"{self.resource} {self.mode}{f' {self.kind}' if self.kind else ''}"

    @property
    def matched(self) -> bool:
        """Whether records of one key are one."""
        return self.once and not self.unmatched

    @property
    def plugin(self) -> str:
        """The module of the target."""
        return "target_universal" if self.api == "till" else f"target_{self.api}"

    @property
    def plan(self) -> dict[str, Any]:
        """How the target is told to write the stream."""
        return {"mode": self.mode, **({"match": list(self.match)} if self.match else {})}

    def started(self) -> AbstractContextManager[Server]:
        """Start the API, with nothing in it."""
        knobs = {"records": 0, "stall_seconds": 0.01, "seed": 7, **self.knobs}
        if self.api == "till":
            return Server(Till(**knobs))
        return sandbox.start(self.api, **knobs)

    def record(self, n: int, text: str) -> dict[str, Any]:
        """Return the *n*-th record, with a *text*."""
        return {self.key: self.keys.format(n=n), self.text: text, **_filled(self.fields, n)}

    def spoiled(self, n: int, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return *record*, the *n*-th, as one that the API refuses."""
        return {**record, **_filled(self.spoilt, n)}

    def add(self, app: Any, record: Mapping[str, Any]) -> None:
        """Have *record* there already."""
        fields = dict(record)
        external = fields.pop("external_id", None)  # Odoo keeps them elsewhere
        made = app.add(self.model or self.resource, fields)
        if external:
            app.external_id(external, self.model, *made)

    def there(self, app: Any) -> list[tuple[str, str]]:
        """Return key and text of every record there is, as the emulator itself shows them."""
        asked = [[self.key, self.text]] if self.api == "odoo" else []
        rows = app.records(self.model or self.resource, *asked)
        rows = [row.get("properties", row) for row in rows]
        return [(row[self.key], row.get(self.text)) for row in rows if row.get(self.key)]


def _filled(fields: Mapping[str, Any], n: int) -> dict[str, Any]:
    return {name: value.format(n=n) if isinstance(value, str) else value for name, value in fields.items()}


_CONTACTS = Writing(
    "hubspot", "contacts", "upsert", once=True, key="email", text="city", keys="p{n:05}@example.com",
    spoilt={"email": "bad {n}"}, held=25,
)  # fmt: skip
_LOGIN = {"login": "client_credentials"}

WRITINGS = (
    _CONTACTS,
    Writing(**{**vars(_CONTACTS), "mode": "create"}),
    Writing(
        "hubspot", "notes", "create", once=False, key="hs_note_body", text="hs_activity_type",
        fields={"hs_timestamp": "2026-01-02T03:04:05Z"}, spoilt={"hs_timestamp": None}, held=25,
    ),
    Writing(
        "odoo", "partner", "upsert", once=True, key="ref", text="city", keys="R{n:05}", match=("ref",),
        fields={"name": "Somebody"}, spoilt={"country_id": NOBODY}, model="res.partner", held=25,
    ),
    Writing(
        "odoo", "partner", "upsert", once=True, key="ref", text="city", keys="R{n:05}", match=("external_id",),
        fields={"name": "Somebody", "external_id": "shop.r{n}"}, spoilt={"country_id": NOBODY}, model="res.partner",
        kind="by external id", held=25,
    ),
    Writing(
        "odoo", "lead", "create", once=False, key="name", text="contact_name", keys="Lead {n:05}",
        spoilt={"partner_id": NOBODY}, model="crm.lead", held=25,
    ),
    Writing(
        "salesforce", "Account", "upsert", once=True, key="Ext_Id__c", text="BillingCity", keys="X{n:05}",
        match=("Ext_Id__c",), fields={"Name": "Acme"}, spoilt={"BillingCity": "x" * 300}, knobs=_LOGIN,
        held=25,
    ),
    Writing(
        "salesforce", "Account", "upsert", once=True, key="Ext_Id__c", text="BillingCity", keys="X{n:05}",
        match=("Ext_Id__c",), fields={"Name": "Acme"}, spoilt={"BillingCity": "x" * 300}, knobs=_LOGIN,
        config={"bulk_above": 50}, kind="by Bulk jobs", held=250,
    ),
    Writing(
        "salesforce", "Contact", "create", once=True, key="LastName", text="Department", keys="L{n:05}",
        match=("LastName",), spoilt={"Department": "x" * 300}, knobs=_LOGIN, held=25,
    ),
    Writing(
        "salesforce", "Task", "create", once=False, key="Subject", text="Description", keys="Task {n:05}",
        spoilt={"WhatId": "001000000000001AAA"}, knobs=_LOGIN, held=25,
    ),
    Writing("till", "orders", "upsert", once=True, key="code", text="city", keys="O{n:05}", spoilt={"price": -1}),
    Writing(
        "till", "scans", "create", once=False, key="code", text="city", keys="S{n:05}", spoilt={"price": -1}, held=25,
    ),
)  # fmt: skip
