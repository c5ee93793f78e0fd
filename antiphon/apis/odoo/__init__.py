"""Odoo, business applications: https://www.odoo.com/documentation/master/developer/reference/external_api.html.

Every model is read and written alike, so :func:`model` builds them all. The usual ones go by the words users say; every
other model an installation has goes by its own name. The fields of a model are known to the installation alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from antiphon import schema
from antiphon.api import Api, Read, Resource, Schema, Setting, Write
from antiphon.apis.odoo.growing import adding, refuse_name
from antiphon.apis.odoo.records import EXTERNAL, Find, getting, searching
from antiphon.apis.odoo.wire import OdooCalls
from antiphon.apis.odoo.writing import BATCH, Create, Load, Update, activating, calling, unlinking
from antiphon.client import Client
from antiphon.errors import BadReply, Forbidden, NotFound
from antiphon.vanished import Vanished

log = logging.getLogger("antiphon.odoo")

_WORDS = {
    "integer": "integer",
    "many2one": "integer",
    "many2one_reference": "integer",
    "float": "number",
    "monetary": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "date-time",
    "one2many": "array",
    "many2many": "array",
    "json": "any",
    "properties": "any",
}
_OPEN = {"json", "properties"}
"""Types whose values may have any shape; false is null."""
_BY_ODOO = {"id", "create_uid", "create_date", "write_uid", "write_date", "display_name"}
_ATTRIBUTES = ["type", "readonly", "store", "related", "relation", "relation_field", "selection"]
_QUIET = {"tracking_disable": True, "mail_create_nosubscribe": True}
"""Context of writes: no notes in the chatter and no followers for each of thousands of records."""


def model(
    name: str,
    technical: str,
    *,
    where: Iterable[Any] = (),
    context: Mapping[str, Any] | None = None,
    actions: Iterable[str] = (),
    common: bool = True,
    title: str = "",
    timed: bool = True,
) -> Resource:
    """Return one model as a resource.

    *where* are conditions for reading, *context* goes with writes; what is not *timed* has no write_date (reports).
    """
    context = {**_QUIET, **(context or {})}
    conditions = tuple(where)
    # By id within the window of time: write_date has microseconds that Odoo does not show, and many records may share one.
    changes = searching(
        technical,
        ["write_date", ">=", "{since}"],
        ["write_date", "<=", "{until}"],
        *conditions,
        latest="9000-01-01T00:00:00Z",
    )
    return Resource(
        name,
        schema=lambda client: _schema(client, technical),
        aliases=tuple(dict.fromkeys(alias for alias in (technical, f"{name}s") if alias != name)),
        title=title,
        created="create_date" if timed else "",
        updated="write_date" if timed else "",
        match=(EXTERNAL,),
        cleared=False,
        common=common,
        lookback=600,  # write_date is when a transaction began: a long one becomes visible that much later
        read=searching(technical, *conditions),
        changes=changes if timed else None,
        deleted=Vanished(searching(technical, *conditions, size=10_000)),
        get=getting(technical),
        find=Find(technical),
        create=Write(via=Create(technical, context), batch=BATCH, atomic=True),
        update=Write(via=Update(technical, context), batch=BATCH, safe=True),
        upsert=Write(via=Load(technical, context), batch=BATCH, safe=True),
        archived={"active": False},
        archive=activating(technical, context, active=False),
        restore=activating(technical, context, active=True),
        delete=unlinking(technical),
        add_field=adding(technical),
        refuse_field=refuse_name,
        actions={action: calling(technical, action) for action in (*actions, "action_archive", "action_unarchive")},
    )


def _schema(client: Client, technical: str) -> Schema:
    """Return the schema of a model from its fields (one call).

    What costs much is not read: binary fields, and those computed anew whenever they are read. It can be written.
    """
    doing = f"asking for the fields of {technical}"
    body = {"attributes": _ATTRIBUTES}
    found = client.call("POST", f"{technical}/fields_get", json=body, safe=True, doing=doing)
    if not isinstance(found, dict):
        raise BadReply(f"{client.api.name}: {doing} -> the answer is no list of fields")
    properties: dict[str, Schema] = {
        "id": schema.of("integer!", readOnly=True),
        EXTERNAL: schema.of("string", writeOnly=True),
    }
    for name, field in found.items():
        if name in properties or (made := _field(name, field)) is None:
            continue
        if field["type"] == "many2one" and "writeOnly" not in made:
            properties.setdefault(f"{name}_name", schema.of("string", readOnly=True))
        properties[name] = made
    return {"type": "object", "properties": properties}


def _field(name: str, field: Mapping[str, Any]) -> Schema | None:
    """Return the schema of a field as ``fields_get`` describes it; None where it is neither read nor written."""
    fixed = bool(field.get("readonly")) or name in _BY_ODOO
    kept = field.get("store", True) or field.get("related") or field.get("relation_field")
    cheap = bool(kept) and field["type"] != "binary"
    if fixed and not cheap:
        return None
    more: dict[str, Any] = {"readOnly": True} if fixed else {} if cheap else {"writeOnly": True}
    if field["type"] == "selection" and isinstance(field.get("selection"), list):
        more["x-options"] = [option[0] for option in field["selection"]]
        more["x-labels"] = {option[0]: option[1] for option in field["selection"]}
    if field["type"] == "many2one":
        more["x-relation"] = field.get("relation")
    if field["type"] == "one2many":
        more["x-children"] = field.get("relation")
    if field["type"] in _OPEN:
        more["type"] = ["object", "array", "string", "number", "null"]
    return schema.of(_WORDS.get(field["type"], "string"), **more)


def installed(client: Client) -> Iterable[Resource]:
    """Yield a resource for each model of the installation (two calls).

    A user who may not list them gets those of the usual ones that can be asked for their fields.
    """
    body: dict[str, Any] = {"domain": [["transient", "=", False]], "fields": ["model", "name"], "order": "model"}
    timed = {"domain": [["name", "=", "write_date"]], "fields": ["model"]}
    try:
        rows = client.call("POST", "ir.model/search_read", json=body, safe=True, doing="asking for the models")
        dated = client.call("POST", "ir.model.fields/search_read", json=timed, safe=True, doing="asking for the models")
    except Forbidden:
        log.info("%s: the user may not list the models; only the usual ones are tried", client.api.name)
        yield from (resource for resource in odoo.resources if _is_there(client, resource))
        return
    there = {row["model"]: row["name"] for row in rows}
    with_time = {row["model"] for row in dated}
    usual = {resource.aliases[0]: resource for resource in odoo.resources}
    yield from (resource for technical, resource in usual.items() if technical in there)
    for technical, title in there.items():
        if technical not in usual:
            name = technical.replace(".", "_")
            yield model(name, technical, common=False, title=title, timed=technical in with_time)


def _is_there(client: Client, resource: Resource) -> bool:
    try:
        client.schema(resource)
    except (NotFound, Forbidden):
        return False
    return True


_INVOICES = ["move_type", "in", ["out_invoice", "out_refund", "in_invoice", "in_refund", "out_receipt", "in_receipt"]]

odoo = Api(
    "odoo",
    title="Odoo",
    base_url="{base_url}",
    docs="https://www.odoo.com/documentation/master/developer/reference/external_api.html",
    settings=(
        Setting(
            "base_url",
            "URL",
            "Where Odoo answers.",
            required=True,
            pattern="^https?://",
            example="https://acme.odoo.com",
        ),
        Setting("database", "Database", "Its name; on Odoo Online the sub-domain.", example="acme"),
        Setting("login", "Login", "The user's e-mail; not needed for JSON-2.", example="bot@example.org"),
        Setting("password", "Password", "The user's; an API key is better.", secret=True),
        Setting(
            "api_key", "API key", "Made in Preferences > Account Security. JSON-2 takes nothing else.", secret=True
        ),
        Setting(
            "protocol",
            "Protocol",
            "How to speak to Odoo: JSON-2 from version 19 on where there is a key, else JSON-RPC, unless this says which.",
            default="auto",
            schema={"type": "string", "enum": ["auto", "json2", "jsonrpc", "xmlrpc"]},
        ),
    ),
    style=OdooCalls(),
    check=Read("res.users/context_get", "POST", body={}),
    account="{database}",
    discover=installed,
    complete=True,
    resources=(
        model("partner", "res.partner"),
        model("user", "res.users", context={"no_reset_password": True}),
        model("company", "res.company"),
        model("country", "res.country"),
        model("lead", "crm.lead"),
        model("product", "product.template"),
        model("product_variant", "product.product"),
        model("sale_order", "sale.order", actions=("action_confirm", "action_cancel", "action_draft")),
        model("sale_order_line", "sale.order.line"),
        model("purchase_order", "purchase.order", actions=("button_confirm", "button_cancel")),
        model(
            "invoice",
            "account.move",
            where=(_INVOICES,),
            context={"default_move_type": "out_invoice"},
            actions=("action_post", "button_draft", "button_cancel"),
        ),
        model("invoice_line", "account.move.line", where=(["move_id.move_type", *_INVOICES[1:]],)),
        model("project", "project.project"),
        model("task", "project.task"),
        model("employee", "hr.employee"),
        model("event", "event.event"),
        model("registration", "event.registration", actions=("action_confirm", "action_set_done", "action_cancel")),
    ),
)
