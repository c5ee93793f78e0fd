"""What single models do beside what all do: sequences, variants, and the methods behind their buttons."""

from __future__ import annotations

from typing import Any

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.database import Env, Records
from antiphon.sandbox.odoo.tables import Row
from antiphon.sandbox.odoo.writing import AFTER, BEFORE, GUARDS, Values, create, write

PREFIXES = {"out_invoice": "INV", "out_refund": "RINV", "in_invoice": "BILL", "in_refund": "RBILL"}


def _records(env: Env, model: str, ids: list[int] | None = None) -> Records:
    return Records(env, env.db.model(model), ids or [])


# Before and after a record is created.


def _user(env: Env, values: Values) -> Values:
    if not values.get("partner_id"):
        partner = {name: values[name] for name in ("name", "email", "lang", "tz") if values.get(name)}
        partner.setdefault("name", values.get("login") or "User")
        values["partner_id"] = create(_records(env, "res.partner"), [partner])[0]
    return values


def _company(env: Env, values: Values) -> Values:
    if not values.get("partner_id"):
        partner = {"name": values.get("name"), "is_company": True}
        values["partner_id"] = create(_records(env, "res.partner"), [partner])[0]
    return values


def _variant(env: Env, values: Values) -> Values:
    if not values.get("product_tmpl_id"):
        fields = env.db.model("product.product").fields
        mine = {name: value for name, value in values.items() if (fields[name].related or "").startswith("product_")}
        context = {**env.context, "no_variant": True}
        inside = Env(env.db, env.uid, context, env.now, sudo=True)
        values["product_tmpl_id"] = create(_records(inside, "product.template"), [mine])[0]
    return values


def _template(env: Env, id_: int) -> None:
    if not env.context.get("no_variant") and "product.product" in env.db.models:
        create(_records(env, "product.product"), [{"product_tmpl_id": id_}])


def _order(env: Env, values: Values) -> Values:
    values.setdefault("date_order", env.now[:19])
    if values.get("name", "New") == "New":
        values["name"] = f"S{env.db.tables['sale.order'].next_id:05d}"
    values.setdefault("user_id", env.uid)
    return values


def _order_line(env: Env, values: Values) -> Values:
    product = env.rows("product.product").get(values.get("product_id") or 0)
    if product is not None:
        template = env.rows("product.template")[product["product_tmpl_id"]]
        values.setdefault("price_unit", template.get("list_price", 0.0))
        values.setdefault("name", template["name"])
    values.setdefault("price_unit", 0.0)
    return values


def _move(env: Env, values: Values) -> Values:
    values.setdefault("date", values.get("invoice_date") or env.now[:10])
    return values


def _move_line(env: Env, values: Values) -> Values:
    product = env.rows("product.product").get(values.get("product_id") or 0)
    if product is not None:
        template = env.rows("product.template")[product["product_tmpl_id"]]
        values.setdefault("price_unit", template.get("list_price", 0.0))
        values.setdefault("name", template["name"])
    return values


def _registration(env: Env, values: Values) -> Values:
    partner = env.rows("res.partner").get(values.get("partner_id") or 0, {})
    for name in ("name", "email", "phone"):
        if not values.get(name) and partner.get(name):
            values[name] = partner[name]
    return values


def _event(env: Env, id_: int) -> None:
    row = env.rows("event.event")[id_]
    if row["date_end"] < row["date_begin"]:
        raise failures.validation("The closing date cannot be earlier than the beginning date.")


BEFORE |= {
    "res.users": _user,
    "res.company": _company,
    "product.product": _variant,
    "sale.order": _order,
    "sale.order.line": _order_line,
    "account.move": _move,
    "account.move.line": _move_line,
    "event.registration": _registration,
}
AFTER |= {"product.template": _template, "event.event": _event}


# What forbids a deletion.


def _keep_orders(_env: Env, rows: list[Row]) -> None:
    if any(row.get("state") not in {"draft", "cancel"} for row in rows):
        raise failures.user("You can not delete a sent quotation or a confirmed sales order. You must first cancel it.")


def _keep_moves(_env: Env, rows: list[Row]) -> None:
    if any(row.get("state") == "posted" for row in rows):
        raise failures.user("You cannot delete a posted entry. Reset it to draft or cancel it first.")


GUARDS |= {"sale.order": _keep_orders, "account.move": _keep_moves}


# The methods behind buttons. Those that end without a value answer None, which XML-RPC cannot marshal.


def confirm_order(records: Records) -> bool:
    """Turn quotations into sales orders."""
    rows = records.there()
    if any(row.get("state") not in {"draft", "sent"} for row in rows):
        raise failures.user("Some orders are not in a state requiring confirmation.")
    write(records, {"state": "sale", "date_order": records.env.now[:19], "invoice_status": "to invoice"})
    return True


def cancel_order(records: Records) -> bool:
    """Cancel orders."""
    write(records, {"state": "cancel"})
    return True


def draft_order(records: Records) -> bool:
    """Back to a quotation."""
    write(records, {"state": "draft"})
    return True


def post(records: Records) -> bool:
    """Validate entries: they get their number. The vendor answers False."""
    for row in records.there():
        if row.get("state") != "draft":
            raise failures.user(f"The entry {row.get('name') or ''} (id {row['id']}) must be in draft.")
        values: Values = {"state": "posted"}
        invoiced = row["move_type"] != "entry"
        if invoiced and not row.get("partner_id"):
            raise failures.user(
                "The field 'Customer' is required, please complete it to validate the Customer Invoice."
            )
        if invoiced and not records.of("account.move.line").table.lookup("move_id", [row["id"]]):
            raise failures.user("Even magicians can't post nothing!")
        if invoiced and not row.get("invoice_date"):
            values["invoice_date"] = records.env.now[:10]
        if not row.get("name"):
            year = (values.get("invoice_date") or row["date"])[:4]
            values["name"] = f"{PREFIXES.get(row['move_type'], 'MISC')}/{year}/{row['id']:05d}"
        write(records.browse([row["id"]]), values)
    return False


def draft_move(records: Records) -> None:
    """Reset entries to draft."""
    write(records, {"state": "draft"})


def cancel_move(records: Records) -> None:
    """Cancel entries."""
    write(records, {"state": "cancel"})


def won(records: Records) -> bool:
    """Mark leads as won."""
    stages = records.env.rows("crm.stage")
    stage = next((id_ for id_, row in stages.items() if row.get("is_won")), None)
    write(records, {"stage_id": stage, "probability": 100.0, "active": True})
    return True


def lost(records: Records, **additional_values: Any) -> bool:
    """Mark leads as lost: they are archived."""
    write(records, {"probability": 0.0, "active": False, **additional_values})
    return True


def register(records: Records) -> None:
    """Confirm registrations."""
    write(records, {"state": "open"})


def attend(records: Records) -> None:
    """Mark attendees as present."""
    write(records, {"state": "done", "date_closed": records.env.now[:19]})


def unregister(records: Records) -> None:
    """Cancel registrations."""
    write(records, {"state": "cancel"})
