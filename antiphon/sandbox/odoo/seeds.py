"""Made-up records for a new database: the same for the same seed, spread over the year before yesterday."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from antiphon.sandbox.odoo import moments, registry
from antiphon.sandbox.odoo.database import ADMIN, SUPERUSER, Database, Env, Records
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.writing import create

Values = dict[str, Any]

_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Emeka", "Fátima", "Grace", "Hiroshi", "Ines", "João", "Keiko", "Łukasz",
          "Mei", "Noor", "Oluwaseun", "Priya", "Quentin", "Rosa", "Siobhán", "Tariq")  # fmt: skip
_LAST = ("Abe", "Brandt", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jansen", "Kaya",
         "Lindqvist", "Müller", "Nakamura", "O'Brien", "Park", "Quispe", "Rossi", "Silva", "Tanaka")  # fmt: skip
_TRADES = ("Bakery", "Logistics", "Optics", "Robotics", "Timber", "Textiles & Sons")
_CITIES = (("Berlin", "10115", 2), ("Bruxelles", "1000", 1), ("Lyon", "69002", 3), ("Boston", "02108", 4))
_TITLES = ("Accountant", "Engineer", "Head of Sales", "Buyer, Northern Europe", 'Director "EMEA"', "Owner")
SHARES = {
    "product.template": 0.2,
    "crm.lead": 0.3,
    "sale.order": 0.3,
    "account.move": 0.2,
    "project.project": 0.03,
    "project.task": 0.3,
    "hr.employee": 0.1,
    "event.event": 0.03,
    "event.registration": 0.3,
}
"""How many records of a model there are for one contact."""
MOST = 2000
"""Of the other models, unless asked for by name."""
EARLY = 4
"""So many of these come before the company does."""
BASE: tuple[tuple[str, tuple[Values, ...]], ...] = (
    ("res.currency", ({"name": "EUR", "symbol": "€"}, {"name": "USD", "symbol": "$"})),
    ("res.lang", ({"name": "English (US)", "code": "en_US"}, {"name": "French (BE)", "code": "fr_BE"})),
    ("res.country", (
        {"name": "Belgium", "code": "BE", "phone_code": 32}, {"name": "Germany", "code": "DE", "phone_code": 49},
        {"name": "France", "code": "FR", "phone_code": 33}, {"name": "United States", "code": "US", "phone_code": 1},
    )),
    ("res.country.state", (
        {"name": "Massachusetts", "code": "MA", "country_id": 4}, {"name": "California", "code": "CA", "country_id": 4},
    )),
    ("res.partner.category", ({"name": "Prospect"}, {"name": "Vendor"}, {"name": "VIP"})),
    ("uom.uom", ({"name": "Units"}, {"name": "Hours"})),
    ("product.category", ({"name": "All"}, {"name": "Saleable", "parent_id": 1}, {"name": "Services", "parent_id": 1})),
    ("product.pricelist", ({"name": "Default"},)),
    ("crm.team", ({"name": "Sales"}, {"name": "Website"})),
    ("crm.stage", (
        {"name": "New"}, {"name": "Qualified"}, {"name": "Proposition"}, {"name": "Won", "is_won": True},
    )),
    ("crm.tag", ({"name": "Product"}, {"name": "Training"})),
    ("account.account", (
        {"name": "Product Sales", "code": "400000"},
        {"name": "Account Receivable", "code": "121000", "account_type": "asset_receivable"},
    )),
    ("account.journal", (
        {"name": "Sales", "code": "INV", "type": "sale"}, {"name": "Bank", "code": "BNK1", "type": "bank"},
    )),
    ("project.task.type", ({"name": "To Do"}, {"name": "In Progress"}, {"name": "Done", "fold": True})),
    ("hr.department", ({"name": "Administration"}, {"name": "Sales"})),
    ("hr.job", ({"name": "Chief Executive Officer"}, {"name": "Consultant"})),
    ("event.stage", ({"name": "New"}, {"name": "Announced"}, {"name": "Ended", "pipe_end": True})),
)  # fmt: skip
EXTERNAL = (
    ("base", "main_company", "res.company", 1),
    ("base", "main_partner", "res.partner", 1),
    ("base", "user_admin", "res.users", ADMIN),
    ("base", "partner_admin", "res.partner", 3),
    ("base", "EUR", "res.currency", 1),
    ("base", "be", "res.country", 1),
    ("base", "de", "res.country", 2),
    ("base", "fr", "res.country", 3),
    ("base", "us", "res.country", 4),
    ("uom", "product_uom_unit", "uom.uom", 1),
    ("product", "product_category_all", "product.category", 1),
)


def sow(db: Database, records: int, counts: Mapping[str, int], seed: int, login: str) -> None:
    """Fill a database: `records` contacts (three at least, the vendor's own) and fewer of the rest."""
    last = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(days=1)
    env = Env(db, SUPERUSER, now=moments.stored(last - timedelta(days=400)), sudo=True)
    _base(env, login)
    _partners(db, max(counts.get("res.partner", records), 3), random.Random(f"{seed}:partners"), last)
    for name, share in SHARES.items():
        if name not in db.models:
            continue
        rng = random.Random(f"{seed}:{name}")
        wanted = counts.get(name, min(round(records * share), MOST))
        births = sorted(last - timedelta(seconds=rng.uniform(0, 364 * 86400)) for _ in range(wanted))
        for n, born in enumerate(births):
            inside = Env(db, ADMIN, now=moments.stored(born), sudo=True)
            _plant(inside, name, [MAKERS[name](rng, n, db)])
    if {"sale.report", "sale.order.line"} <= db.models.keys():
        _report(db)


def describe(db: Database) -> None:
    """Write down in `ir.model` and `ir.model.fields` which models and fields there are."""
    db.repoint()
    models, fields = db.tables["ir.model"], db.tables["ir.model.fields"]
    stamp = {"create_uid": 1, "create_date": "2024-01-01 00:00:00.000000", "write_uid": 1}
    stamp["write_date"] = stamp["create_date"]
    known = {row["model"]: id_ for id_, row in models.rows.items()}
    for gone in known.keys() - db.models.keys():
        for id_ in [*fields.lookup("model", [gone])]:
            fields.put(id_, None)
        models.put(known[gone], None)
    for name, model in db.models.items():
        id_ = known.get(name) or models.new_id()
        state = "manual" if model.manual else "base"
        row = {"id": id_, "name": model.label, "model": name, "state": state, "transient": model.transient or None}
        models.put(id_, {key: value for key, value in {**stamp, **row}.items() if value is not None})
        _describe_fields(fields, model, id_, stamp)
    db.revision += 1


def _describe_fields(fields: Any, model: Model, model_id: int, stamp: Values) -> None:
    known = {fields.rows[id_]["name"]: id_ for id_ in fields.lookup("model", [model.name])}
    for gone in known.keys() - model.fields.keys():
        fields.put(known[gone], None)
    for of in model.fields.values():
        id_ = known.get(of.name) or fields.new_id()
        row = {
            "id": id_,
            "name": of.name,
            "model": model.name,
            "model_id": model_id,
            "field_description": of.string,
            "ttype": of.type,
            "relation": of.relation,
            "relation_field": of.inverse,
            "required": of.required or None,
            "readonly": of.readonly or None,
            "store": of.store or None,
            "translate": of.more.get("translate"),
            "state": "manual" if of.manual else "base",
            "selection": repr(list(of.selection)) if of.selection else None,
        }
        fields.put(id_, {key: value for key, value in {**stamp, **row}.items() if value is not None})


def add_model(db: Database, name: str, fields: Mapping[str, Any], records: int, label: str) -> None:
    """A custom model, and so many records in it."""
    model = Model(name, label or name.removeprefix("x_").replace("_", " ").title(), manual=True)
    model.fields.update(registry.magic(model))
    model.fields.update((field, registry.field_from(field, definition)) for field, definition in fields.items())
    db.models[name] = model
    db.tables[name] = type(db.tables["res.partner"])()
    describe(db)
    texts = [of.name for of in model.fields.values() if of.type == "char" and not of.readonly]
    for n in range(1, records + 1):
        _plant(Env(db, ADMIN, sudo=True), name, [{field: f"{field} {n}" for field in texts}])


def _plant(env: Env, model: str, values: list[Values]) -> None:
    fields = env.db.model(model).fields
    known = [{key: value for key, value in one.items() if key in fields and value is not None} for one in values]
    create(Records(env, env.db.model(model), []), known)


def _base(env: Env, login: str) -> None:
    db = env.db
    for name, values in BASE[:EARLY]:
        _plant(env, name, list(values))
    company = {"name": "My Company", "is_company": True, "email": "info@example.com", "country_id": 1}
    robot = {"name": "OdooBot", "email": "odoobot@example.com", "active": False}
    admin = {"name": "Mitchell Admin", "email": "admin@example.com", "tz": "Europe/Brussels"}
    _plant(env, "res.partner", [company, robot, admin])
    _plant(env, "res.company", [{"partner_id": 1}])
    system = {"login": "__system__", "partner_id": 2, "active": False, "company_ids": [1]}
    _plant(env, "res.users", [system, {"login": login, "partner_id": 3, "company_ids": [1]}])
    for name, values in BASE[EARLY:]:
        if name in db.models:
            _plant(env, name, list(values))
    for module, label, model, id_ in EXTERNAL:
        if model in db.models:
            entry = {"module": module, "name": label, "model": model, "res_id": id_, "noupdate": True}
            _plant(env, "ir.model.data", [entry])


def _partners(db: Database, wanted: int, rng: random.Random, last: datetime) -> None:  # noqa: C901
    """Straight into the table: there may be hundreds of thousands."""
    table, companies = db.tables["res.partner"], list[int]()
    count = wanted - len(table)
    births = sorted(last - timedelta(seconds=rng.uniform(0, 364 * 86400)) for _ in range(count))
    # A fifth came in by import, many to a transaction, and so share one moment to the microsecond.
    size = min(max(count // 10, 1), 500)
    for begin in range(count // 5, 2 * count // 5, size):
        batch = range(begin, min(begin + size, 2 * count // 5))
        for n in batch:
            births[n] = births[batch[0]]
    imported = range(count // 5, 2 * count // 5)
    for n, born in enumerate(births):
        id_ = table.new_id()
        created = born.strftime(moments.STORED)
        changed = created
        if n not in imported:
            changed = (born + (last - born) * rng.random()).strftime(moments.STORED)
        row = {"id": id_, "create_uid": ADMIN, "create_date": created, "write_uid": ADMIN, "write_date": changed}
        row |= {"active": True, "lang": "en_US", "type": "contact"}
        city, code, country = rng.choice(_CITIES)
        row |= {"city": city, "zip": code, "country_id": country}
        if n % 5 == 0:
            row |= {"name": f"{rng.choice(_LAST)} {rng.choice(_TRADES)} {n}", "is_company": True}
            row["website"] = f"https://company{n:05d}.example"
            companies.append(id_)
        else:
            row["name"] = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
            row["function"] = rng.choice(_TITLES)
            if n % 2 == 0:
                row["parent_id"] = companies[-1]
        row["email"] = f"person{n:05d}@example.{rng.choice(('com', 'org', 'net'))}"
        if n % 3:
            row["phone"] = f"+32 2 {rng.randrange(10**6, 10**7)}"
        if n % 4 == 0:
            row |= {"category_id": [rng.randrange(1, 4)], "user_id": ADMIN, "ref": f"C{n:06d}"}
        if n % 25 == 24:
            del row["active"]
        if n % 50 == 1:
            row["comment"] = "<p>Prefers “mail” &amp; <b>calls</b></p>"
        table.put(id_, row)
    db.revision += 1


def _report(db: Database) -> None:
    table, lines = db.tables["sale.report"], db.tables["sale.order.line"]
    for line in list(lines.rows.values()):
        order = db.tables["sale.order"].rows[line["order_id"]]
        quantity, price = line.get("product_uom_qty", 0.0), line.get("price_unit", 0.0)
        row = {"id": line["id"], "name": order["name"], "date": order["date_order"], "partner_id": order["partner_id"]}
        table.put(line["id"], {**row, "product_uom_qty": quantity, "price_total": quantity * price})


Maker = Callable[[random.Random, int, Database], Values]


def _any_of(db: Database, model: str, rng: random.Random) -> int | None:
    ids = db.tables[model].ids if model in db.tables else []
    return rng.choice(ids) if ids else None


def _product(rng: random.Random, n: int, _db: Database) -> Values:
    kind = rng.choice(("consu", "consu", "service"))
    values = {"name": f"Product {n}", "default_code": f"SKU-{n:05d}", "list_price": rng.randrange(1, 900) + 0.9}
    return {**values, "type": kind, "categ_id": rng.randrange(1, 4), "active": n % 20 != 19}


def _lead(rng: random.Random, n: int, db: Database) -> Values:
    return {
        "name": f"Lead {n}: {rng.choice(_TRADES)}",
        "partner_id": _any_of(db, "res.partner", rng),
        "email_from": f"lead{n:05d}@example.com",
        "stage_id": rng.randrange(1, 5),
        "expected_revenue": float(rng.randrange(100, 90_000)),
        "priority": rng.choice("0123"),
        "tag_ids": [rng.randrange(1, 3)],
        "user_id": ADMIN,
    }


def _order(rng: random.Random, n: int, db: Database) -> Values:
    lines = []
    for _ in range(rng.randrange(1, 4)):
        product = _any_of(db, "product.product", rng)
        line: Values = {"product_id": product} if product else {"name": "Something", "price_unit": 10.0}
        lines.append([0, 0, {**line, "product_uom_qty": float(rng.randrange(1, 9))}])
    state = rng.choice(("draft", "sale", "sale", "cancel"))
    order = {"partner_id": _any_of(db, "res.partner", rng), "state": state, "client_order_ref": f"PO{n:05d}"}
    return {**order, "order_line": lines}


def _invoice(rng: random.Random, n: int, db: Database) -> Values:
    posted = rng.random() < 0.7
    line = {"name": f"Work {n}", "quantity": float(rng.randrange(1, 9)), "price_unit": rng.randrange(10, 900) + 0.5}
    line["analytic_distribution"] = {"1": 100.0}
    day = f"2026-{rng.randrange(1, 11):02d}-{rng.randrange(1, 28):02d}"
    values = {"move_type": "out_invoice", "partner_id": _any_of(db, "res.partner", rng), "invoice_date": day}
    if posted:
        paid = rng.choice(("not_paid", "paid"))
        values |= {"state": "posted", "name": f"INV/2026/{n + 1:05d}", "payment_state": paid}
    return {**values, "invoice_date_due": day, "invoice_line_ids": [[0, 0, line]]}


def _project(rng: random.Random, n: int, db: Database) -> Values:
    return {"name": f"Project {n}", "partner_id": _any_of(db, "res.partner", rng), "user_id": ADMIN}


def _task(rng: random.Random, n: int, db: Database) -> Values:
    task = {"name": f"Task {n}", "project_id": _any_of(db, "project.project", rng), "stage_id": rng.randrange(1, 4)}
    return {**task, "user_ids": [ADMIN], "date_deadline": f"2026-0{rng.randrange(1, 9)}-15 16:00:00"}


def _employee(rng: random.Random, n: int, _db: Database) -> Values:
    name = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    return {"name": name, "work_email": f"staff{n:04d}@example.com", "job_id": 2, "department_id": rng.randrange(1, 3)}


def _event(rng: random.Random, n: int, _db: Database) -> Values:
    day = f"2026-{rng.randrange(1, 12):02d}-{rng.randrange(1, 28):02d}"
    tickets = [[0, 0, {"name": "Standard", "price": 50.0}]]
    return {
        "name": f"Event {n}",
        "date_begin": f"{day} 08:00:00",
        "date_end": f"{day} 17:30:00",
        "event_ticket_ids": tickets,
    }


def _registration(rng: random.Random, n: int, db: Database) -> Values:
    event = _any_of(db, "event.event", rng)
    if event is None:
        event = create(Records(Env(db, sudo=True), db.model("event.event"), []), [_event(rng, n, db)])[0]
    state = rng.choice(("draft", "open", "open", "done", "cancel"))
    return {"event_id": event, "name": f"Guest {n}", "email": f"guest{n:05d}@example.com", "state": state}


MAKERS: dict[str, Maker] = {
    "product.template": _product,
    "crm.lead": _lead,
    "sale.order": _order,
    "account.move": _invoice,
    "project.project": _project,
    "project.task": _task,
    "hr.employee": _employee,
    "event.event": _event,
    "event.registration": _registration,
}
