"""Odoo under the contract: the sandbox, in this process, spoken to by JSON-2."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from antiphon.sandbox import start
from contract.apis import Account, Case, Entry, Key, Sample

HELD = 8
"""Records of each model."""
MODELS = (
    "product.template",
    "crm.lead",
    "sale.order",
    "account.move",
    "project.project",
    "project.task",
    "hr.employee",
    "event.event",
    "event.registration",
)
BADGE = {"x_name": "char", "x_level": "integer", "x_owner": "many2one:res.partner", "x_since": "date"}
NOBODY = 99_999
"""No record has that id; Odoo says so of whatever points to it."""
SAID = "The operation cannot be completed"
_NUMBERS = count(1)


@contextmanager
def account(_started: None, folder: Path) -> Iterator[Account]:
    """An installation with a few records of everything, a custom model among them."""
    with start("odoo", records=HELD, counts=dict.fromkeys(MODELS, HELD)) as server:
        app: Any = server.app
        app.add_model("x_badge", BADGE, records=HELD)
        known = server.config
        config = {name: known[name] for name in ("base_url", "database", "api_key")}
        config |= {"protocol": "json2", "state_dir": str(folder / "state")}
        yield Account(config, app, known["api_key"], {"api_key": "a-key-that-nobody-has"})


def model(name: str, technical: str, text: str, sample: Sample, **needed: Any) -> Case:
    """A model; *text* is a field that holds any text, and *needed* are those that a record cannot be without."""

    def insert(app: Any) -> Key:
        [id] = app.add(technical, {**needed, text: f"inserted {next(_NUMBERS)}"})
        return (str(id),)

    def edit(app: Any, key: Key) -> None:
        app.edit(technical, {text: f"edited {next(_NUMBERS)}"}, ids=[int(key[0])])

    def delete(app: Any, key: Key) -> None:
        app.delete(technical, int(key[0]))

    def keys(app: Any) -> Iterable[Key]:
        return [(str(row["id"]),) for row in app.records(technical, ["id"])]

    return Case(name, keys, ("id",), insert, edit, delete, sample=sample)


def several(*records: dict[str, Any]) -> Callable[[Any], list[dict[str, Any]]]:
    """The same records, whatever is in the account."""
    return lambda _app: [dict(record) for record in records]


def three(match: str, **more: Any) -> Callable[[Any], list[dict[str, Any]]]:
    """Three records that differ in the field they are found by."""
    return several(*({match: f"Contract {number}", **more} for number in (1, 2, 3)))


PARTNERS = Sample(
    several(
        {"ref": "C-1", "name": "Ada", "city": "Gent", "is_company": False, "country_id": 1, "email": "ada@c.example"},
        {"ref": "C-2", "name": "Björn & Søn <ApS>", "city": "Århus", "is_company": True, "partner_latitude": 51.0543},
        {"ref": "C-3", "name": "山田", "type": "invoice", "category_id": [1, 2]},
    ),
    change={"city": "Brussel"},
    fault={"country_id": NOBODY},
    said=SAID,
    match=("ref",),
)
PRODUCTS = Sample(
    several(
        {"default_code": "C-1", "name": "Lamp", "list_price": 12.1},
        {"default_code": "C-2", "name": "Würfel", "list_price": 3, "sale_ok": False},
        {"default_code": "C-3", "name": "Service", "type": "service"},
    ),
    change={"list_price": 99.99},
    fault={"categ_id": NOBODY},
    said=SAID,
    match=("default_code",),
)
LEADS = Sample(
    three("name", email_from="someone@c.example", expected_revenue=1500.25, date_deadline="2026-12-31"),
    change={"priority": "2"},
    fault={"partner_id": NOBODY},
    said=SAID,
    match=("name",),
)
ORDERS = Sample(
    three("client_order_ref", partner_id=3, date_order="2026-05-01T10:00:00Z"),
    change={"validity_date": "2026-06-01"},
    fault={"partner_id": NOBODY},
    said=SAID,
    match=("client_order_ref",),
)
TASKS = Sample(
    three("name", project_id=1, allocated_hours=1.5, date_deadline="2026-05-01T10:00:00+02:00"),
    change={"priority": "1"},
    fault={"project_id": NOBODY},
    said=SAID,
    match=("name",),
)
EMPLOYEES = Sample(
    three("name", job_title="Clerk", birthday="1990-02-28"),
    change={"job_title": "Chief"},
    fault={"department_id": NOBODY},
    said=SAID,
    match=("name",),
)
EVENTS = Sample(
    three("name", date_begin="2026-09-01T08:00:00Z", date_end="2026-09-02T18:00:00Z", seats_limited=True, seats_max=50),
    change={"date_end": "2026-09-03T18:00:00Z"},
    fault={"organizer_id": NOBODY},
    said=SAID,
    match=("name",),
)
REGISTRATIONS = Sample(
    three("email", event_id=1, name="Somebody"),
    change={"phone": "+32 2 555 12 12"},
    fault={"event_id": NOBODY},
    said=SAID,
    match=("email",),
)
BADGES = Sample(
    three("x_name", x_level=3, x_since="1999-12-31"),
    change={"x_level": 0},
    fault={"x_owner": NOBODY},
    said=SAID,
    match=("x_name",),
)

ENTRY = Entry(
    name="odoo",
    tap="tap_odoo:TapOdoo",
    target="target_odoo:TargetOdoo",
    account=account,
    cases=(
        model("partner", "res.partner", "name", PARTNERS),
        model("product", "product.template", "name", PRODUCTS),
        model("lead", "crm.lead", "name", LEADS),
        model("sale_order", "sale.order", "client_order_ref", ORDERS, partner_id=3),
        model("task", "project.task", "name", TASKS),
        model("employee", "hr.employee", "name", EMPLOYEES),
        model("event", "event.event", "name", EVENTS, date_begin="2026-09-01 08:00:00", date_end="2026-09-02 18:00:00"),
        model("registration", "event.registration", "name", REGISTRATIONS, event_id=1),
        model("x_badge", "x_badge", "x_name", BADGES),
    ),
)
