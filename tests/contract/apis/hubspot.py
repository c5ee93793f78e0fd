"""HubSpot under the contract: the sandbox, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from antiphon.sandbox import start
from antiphon.sandbox.hubspot import moments
from antiphon.sandbox.hubspot.portal import Owner
from contract.apis import Account, Case, Entry, Key, Sample

HELD = 8
"""Records of each object: three pages of three."""
OBJECTS = [
    "contacts",
    "companies",
    "deals",
    "tickets",
    "products",
    "line_items",
    "notes",
    "calls",
    "meetings",
    "tasks",
    "emails",
]
_SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal"}
_NUMBERS = count(1)


@contextmanager
def account(_started: None, folder: Path) -> Iterator[Account]:
    """An account with a few records of everything, a custom object among them."""
    with start("hubspot", records=HELD, counts=dict.fromkeys(OBJECTS, HELD), searches_per_second=1000) as server:
        app: Any = server.app
        app.add_schema("rooms", {"title": "string", "seats": "number", "opened": "date"}, records=HELD)
        config = {**server.config, "state_dir": str(folder / "state")}
        yield Account(config, app, config["access_token"], {"access_token": "pat-na1-nobody-has-this-one"})


def crm(name: str, text: str, sample: Sample) -> Case:
    """An object; *text* is a property that holds any text."""

    def insert(app: Any) -> Key:
        return (str(app.add(name, {text: f"inserted {next(_NUMBERS)}"}).id),)

    def edit(app: Any, key: Key) -> None:
        app.edit(name, key[0], {text: f"edited {next(_NUMBERS)}"})

    def delete(app: Any, key: Key) -> None:
        app.archive(name, key[0])

    def keys(app: Any) -> Iterable[Key]:
        return [(record["id"],) for record in app.records(name)]

    return Case(name, keys, ("id",), insert, edit, delete, sample=sample)


def engagement(name: str, text: str, **more: str) -> Case:
    """Something that happened with somebody: nothing of it is unique, so that it is found by its text."""

    def records(_app: Any) -> list[dict[str, Any]]:
        times = ("2026-05-01T10:00:00.000Z", "2026-05-02T10:00:00.000Z", "2026-05-03T10:00:00.000Z")
        return [{text: f"written {number}", "hs_timestamp": at, **more} for number, at in enumerate(times)]

    fault, said = {text: "unwritable", "hs_timestamp": "the day before yesterday"}, "was not a valid datetime"
    change = {"hs_timestamp": "2026-06-01T08:30:00.000Z"}
    return crm(name, text, Sample(records, change, fault, said, match=(text,), settles=False))


def several(*records: dict[str, Any]) -> Callable[[Any], list[dict[str, Any]]]:
    """The same records, whatever is in the account."""
    return lambda _app: [dict(record) for record in records]


def associations(one: str, many: str) -> Case:
    """The associations of one object with another."""

    def keys(app: Any) -> Iterable[Key]:
        linked = app.portal.associations.of
        return [(str(a), str(b)) for a in app.store(one).live for b in linked((one, many), a)]

    def insert(app: Any) -> Key:
        a, b = app.add(one, {}).id, app.store(many).live[0]
        app.associate(one, a, many, b)
        return str(a), str(b)

    def delete(app: Any, key: Key) -> None:
        app.portal.associations.unlink((one, many), *map(int, key))

    why = "an association has no time at which it was changed: all are read each time"
    key = (f"{_SINGULAR[one]}_id", f"{_SINGULAR[many]}_id")
    return Case(f"{one}_{many}", keys, key, insert, None, delete, why=why)


def _owners(app: Any) -> Iterable[Key]:
    return [(str(owner.id),) for owner in app.portal.owners if not owner.archived]


class _Hired(Owner):
    """An owner of today."""

    def document(self) -> dict[str, Any]:
        today = moments.iso(moments.now())
        return {**super().document(), "createdAt": today, "updatedAt": today}


def _hire(app: Any) -> Key:
    number = 81_300_000 + next(_NUMBERS)
    app.portal.owners.append(_Hired(number, f"owner{number}@example.com", "New", "Owner"))
    return (str(number),)


def _dismiss(app: Any, key: Key) -> None:
    [owner] = [owner for owner in app.portal.owners if str(owner.id) == key[0]]
    owner.archived = True


def _pipelines(app: Any) -> Iterable[Key]:
    return [(kind, pipeline[0]) for kind in ("deals", "tickets") for pipeline in app.portal.pipelines[kind]]


CONTACTS = Sample(
    several(
        {"email": "ada@contract.example", "firstname": "Ada", "city": "Gent", "hs_email_optout": False},
        {"email": "björn.å@contract.example", "firstname": "Björn", "city": "Århus", "jobtitle": "Ünder, “secretary”"},
        {"email": "cy@contract.example", "firstname": "山田", "lifecyclestage": "lead"},
    ),
    change={"city": "Brussel"},
    fault={"email": "no address at all"},
    said="Email address no address at all is invalid",
)
COMPANIES = Sample(
    several(
        {"domain": "one.contract.example", "name": "One", "numberofemployees": 12, "annualrevenue": 1200.5},
        {"domain": "two.contract.example", "name": "Two & Söhne", "industry": "BANKING"},
        {"domain": "three.contract.example", "name": "Three"},
    ),
    change={"name": "Renamed"},
    fault={"domain": "four.contract.example", "numberofemployees": "many"},
    said="many was not a valid number",
    settles=False,
)
DEALS = Sample(
    several(
        {"dealname": "Contract 1", "dealstage": "contractsent", "amount": 1500.25},
        {"dealname": "Contract 2", "dealstage": "closedwon", "closedate": "2026-05-01T10:00:00.000Z"},
        {"dealname": "Contract 3", "dealstage": "appointmentscheduled"},
    ),
    change={"amount": 1700},
    fault={"dealname": "Contract 4", "dealstage": "nowhere"},
    said="nowhere was not one of the allowed options",
    match=("dealname",),
    settles=False,
)
TICKETS = Sample(
    several(
        *(
            {"subject": f"Ticket of the contract {n}", "hs_pipeline": "0", "hs_pipeline_stage": stage}
            for n, stage in enumerate("123")
        )
    ),
    change={"hs_pipeline_stage": "4"},
    fault={"subject": "Ticket that is none", "hs_pipeline_stage": "nowhere"},
    said="nowhere was not one of the allowed options",
    match=("subject",),
    settles=False,
)
PRODUCTS = Sample(
    several(
        {"hs_sku": "CONTRACT-1", "name": "Lamp", "price": 12.5},
        {"hs_sku": "CONTRACT-2", "name": "Würfel", "price": 3},
        {"hs_sku": "CONTRACT-3", "name": "Chair"},
    ),
    change={"price": 99},
    fault={"hs_sku": "CONTRACT-4", "price": "cheap"},
    said="cheap was not a valid number",
    settles=False,
)
LINE_ITEMS = Sample(
    several(*({"name": f"Line of the contract {n}", "quantity": n + 1, "price": 10} for n in range(3))),
    change={"quantity": 7},
    fault={"name": "Line that is none", "quantity": "a dozen"},
    said="a dozen was not a valid number",
    match=("name",),
    settles=False,
)
ROOMS = Sample(
    several(
        {"title": "Contract hall", "seats": 120, "opened": "1999-12-31"},
        {"title": "Contract cellar", "seats": 12},
        {"title": "Contract attic"},
    ),
    change={"seats": 99},
    fault={"title": "Contract void", "seats": "plenty"},
    said="plenty was not a valid number",
    match=("title",),
    settles=False,
)

ENTRY = Entry(
    name="hubspot",
    tap="tap_hubspot:TapHubSpot",
    target="target_hubspot:TargetHubSpot",
    account=account,
    cases=(
        crm("contacts", "firstname", CONTACTS),
        crm("companies", "name", COMPANIES),
        crm("deals", "dealname", DEALS),
        crm("tickets", "subject", TICKETS),
        crm("products", "name", PRODUCTS),
        crm("line_items", "name", LINE_ITEMS),
        engagement("notes", "hs_note_body"),
        engagement("calls", "hs_call_title", hs_call_direction="INBOUND"),
        engagement("meetings", "hs_meeting_title", hs_meeting_outcome="SCHEDULED"),
        engagement("tasks", "hs_task_subject", hs_task_status="WAITING"),
        engagement("emails", "hs_email_subject", hs_email_direction="EMAIL"),
        crm("rooms", "title", ROOMS),
        Case("owners", _owners, ("id",), _hire, None, _dismiss, why="the vendor's API changes no owner"),
        Case(
            "pipelines",
            _pipelines,
            ("objectType", "id"),
            why="they are few, come in one page each, and have no time of change to read by",
        ),
        associations("contacts", "companies"),
        associations("contacts", "deals"),
        associations("companies", "deals"),
    ),
)
