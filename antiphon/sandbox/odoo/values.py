"""What a field of a record is worth: stored, followed through a relation, or computed; and how a reply shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.sandbox.odoo import failures
from antiphon.sandbox.odoo.database import Env
from antiphon.sandbox.odoo.fields import TO_MANY, Field
from antiphon.sandbox.odoo.registry import Model
from antiphon.sandbox.odoo.tables import Row

Getter = Callable[[Row], Any]


def getter(env: Env, model: Model, name: str) -> Getter:
    """A function from a row to the value, as it is kept: an id, a list of ids, None when it is not set."""
    of = model.fields[name]
    if name in model.broken:
        return _broken
    if of.related is not None:
        return _related(env, model, of.related)
    if of.computed:
        make = COMPUTED.get((model.name, name)) or (_display_name if name == "display_name" else None)
        if make is not None:
            return lambda row: make(env, model, row)
    if of.type == "one2many":
        relation, inverse = of.relation or "", of.inverse or ""
        table = env.db.tables[relation]
        return lambda row: _visible(env, relation, sorted(table.lookup(inverse, [row["id"]])))
    if of.type == "many2many":
        return lambda row: _visible(env, of.relation or "", row.get(name) or [])
    return lambda row: row.get(name)


def value(env: Env, model: str, row: Row, name: str) -> Any:
    """One value, as it is kept."""
    return getter(env, env.db.model(model), name)(row)


def display_name(env: Env, model: str, id_: int) -> str:
    """The words that stand for a record. Known for the length of a call."""
    found = env.names.get((model, id_))
    if found is None:
        row = env.rows(model).get(id_)
        found = f"{model},{id_}" if row is None else _display_name(env, env.db.model(model), row)
        env.names[model, id_] = found
    return found


def shower(env: Env, model: Model, name: str, *, classic: bool) -> Getter:
    """A function from a row to the value as `read` shows it."""
    of, get = model.fields[name], getter(env, model, name)
    null = of.null
    plain = of.related is None and not of.computed and name not in model.broken and of.type not in TO_MANY
    if of.type == "many2one" and classic:
        relation = of.relation or ""

        def named(row: Row) -> Any:
            id_ = get(row)
            return [id_, display_name(env, relation, id_)] if id_ else False

        return named
    if of.type == "datetime":
        return lambda row: (get(row) or "")[:19] or False
    if of.type == "binary" and env.context.get("bin_size"):
        return lambda row: _size(get(row))
    if plain and null is False:
        return lambda row: row.get(name, False)

    def shown(row: Row) -> Any:
        found = get(row)
        return null if found is None else found

    return shown


def read(env: Env, model: Model, ids: list[int], names: list[str], *, classic: bool = True) -> list[dict[str, Any]]:
    """The records that are there, in the order of their ids, with `id` and these fields."""
    for name in names:
        if name not in model.fields:
            raise invalid_field(model, name)
    shown = [(name, shower(env, model, name, classic=classic)) for name in dict.fromkeys(["id", *names])]
    rows = env.rows(model.name)
    return [{name: show(rows[id_]) for name, show in shown} for id_ in ids if id_ in rows]


def invalid_field(model: Model, name: str) -> failures.Failure:
    """A field that the model does not have."""
    return failures.wrong_value(f"Invalid field {name!r} on model {model.name!r}")


def _related(env: Env, model: Model, path: str) -> Getter:
    first, _, rest = path.partition(".")
    relation = model.fields[first].relation or ""
    head, tail = getter(env, model, first), getter(env, env.db.model(relation), rest)
    rows = env.rows(relation)

    def follow(row: Row) -> Any:
        found = rows.get(head(row) or 0)
        return None if found is None else tail(found)

    return follow


def _visible(env: Env, model: str, ids: list[int]) -> list[int]:
    rows = env.rows(model)
    if env.active_test and "active" in env.db.model(model).fields:
        return [id_ for id_ in ids if id_ in rows and rows[id_].get("active")]
    return [id_ for id_ in ids if id_ in rows]


def _broken(_row: Row) -> Any:
    raise failures.Failure("builtins.ZeroDivisionError", "float division by zero")


def _size(content: str | None) -> Any:
    if not content:
        return False
    size = len(content) * 3 // 4
    return f"{size:.2f} bytes" if size < 1024 else f"{size / 1024:.2f} Kb"


# Names and computed fields.


def _display_name(env: Env, model: Model, row: Row) -> str:  # noqa: PLR0911 - models that have their own way
    if model.name == "res.partner":
        return _partner_name(env, model, row)
    if model.name == "product.category":
        return _category_name(env, model, row)
    if model.name == "ir.model.data":
        return f"{row.get('module')}.{row.get('name')}"
    name = getter(env, model, model.rec_name)(row)
    if model.name in {"product.template", "product.product"}:
        code = value(env, model.name, row, "default_code")
        return f"[{code}] {name}" if code else str(name)
    if model.name == "account.move" and not name:
        return f"Draft Invoice (* {row['id']})"
    if model.name == "sale.order.line":
        return f"{display_name(env, 'sale.order', row['order_id'])} - {(name or '').partition(chr(10))[0]}"
    return str(name) if name else f"{model.name},{row['id']}"


def _partner_name(env: Env, _model: Model, row: Row) -> str:
    parent = env.rows("res.partner").get(row.get("parent_id") or 0)
    name = row.get("name") or ""
    return f"{parent.get('name')}, {name}" if parent is not None and not row.get("is_company") else name


def _category_name(env: Env, model: Model, row: Row) -> str:
    parent = env.rows(model.name).get(row.get("parent_id") or 0)
    return f"{_category_name(env, model, parent)} / {row['name']}" if parent is not None else str(row["name"])


def _commercial(env: Env, _model: Model, row: Row) -> int:
    rows = env.rows("res.partner")
    while row.get("parent_id") and not row.get("is_company"):
        row = rows[row["parent_id"]]
    return int(row["id"])


def _address(env: Env, _model: Model, row: Row) -> str:
    country = env.rows("res.country").get(row.get("country_id") or 0, {}).get("name", "")
    place = f"{row.get('city') or ''}  {row.get('zip') or ''}"
    return "\n".join([row.get("street") or "", row.get("street2") or "", place, country])


def _lines(env: Env, model: str, inverse: str, id_: int) -> list[Row]:
    rows = env.rows(model)
    return [rows[line] for line in env.db.tables[model].lookup(inverse, [id_])]


def _order_total(env: Env, _model: Model, row: Row) -> float:
    return round(
        sum(_order_subtotal(env, _model, line) for line in _lines(env, "sale.order.line", "order_id", row["id"])), 2
    )


def _order_subtotal(_env: Env, _model: Model, row: Row) -> float:
    price = (row.get("price_unit") or 0.0) * (1 - (row.get("discount") or 0.0) / 100)
    return float(round((row.get("product_uom_qty") or 0.0) * price, 2))


def _move_total(env: Env, _model: Model, row: Row) -> float:
    return round(
        sum(_move_subtotal(env, _model, line) for line in _lines(env, "account.move.line", "move_id", row["id"])), 2
    )


def _move_subtotal(_env: Env, _model: Model, row: Row) -> float:
    return float(round((row.get("quantity") or 0.0) * (row.get("price_unit") or 0.0), 2))


def _move_due(env: Env, model: Model, row: Row) -> float:
    return 0.0 if row.get("payment_state") in {"paid", "in_payment"} else _move_total(env, model, row)


def _taken(env: Env, _model: Model, row: Row) -> int:
    lines = _lines(env, "event.registration", "event_id", row["id"]) if "event.registration" in env.db.models else []
    return sum(line.get("state") in {"open", "done"} for line in lines)


Computed = Callable[[Env, Model, Row], Any]
COMPUTED: dict[tuple[str, str], Computed] = {
    ("res.partner", "complete_name"): _partner_name,
    ("res.partner", "company_type"): lambda _e, _m, row: "company" if row.get("is_company") else "person",
    ("res.partner", "email_normalized"): lambda _e, _m, row: (row.get("email") or "").strip().lower() or None,
    ("res.partner", "commercial_partner_id"): _commercial,
    ("res.partner", "contact_address"): _address,
    ("product.category", "complete_name"): _category_name,
    ("product.template", "product_variant_count"): lambda env, _m, row: len(
        env.db.tables["product.product"].lookup("product_tmpl_id", [row["id"]])
    ),
    ("sale.order", "amount_untaxed"): _order_total,
    ("sale.order", "amount_tax"): lambda _e, _m, _row: 0.0,
    ("sale.order", "amount_total"): _order_total,
    ("sale.order.line", "price_subtotal"): _order_subtotal,
    ("account.move", "amount_untaxed"): _move_total,
    ("account.move", "amount_tax"): lambda _e, _m, _row: 0.0,
    ("account.move", "amount_total"): _move_total,
    ("account.move", "amount_residual"): _move_due,
    ("account.move.line", "price_subtotal"): _move_subtotal,
    ("event.event", "seats_taken"): _taken,
    ("ir.model", "modules"): lambda env, _m, row: (
        env.db.models[row["model"]].module if row["model"] in env.db.models else None
    ),
    ("ir.model.data", "complete_name"): lambda _e, _m, row: f"{row['module']}.{row['name']}",
    ("ir.model.data", "reference"): lambda _e, _m, row: f"{row['model']},{row.get('res_id') or 0}",
}


def is_plain(of: Field) -> bool:
    """Whether a row itself holds the value."""
    return of.related is None and not of.computed and of.type not in TO_MANY
