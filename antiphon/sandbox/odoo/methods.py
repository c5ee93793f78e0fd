"""The public methods of models, under the vendor's names and with its parameters' names, which JSON-2 callers must use."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antiphon.sandbox.odoo import business, failures, fields, registry, searching, seeds, values, writing
from antiphon.sandbox.odoo.database import Records
from antiphon.sandbox.odoo.imports import load
from antiphon.sandbox.odoo.registry import Model

Dict = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A public method. `of_model` ones take no ids; `reads` ones change nothing; `since` and `until` are versions."""

    call: Callable[..., Any]
    of_model: bool = False
    reads: bool = False
    since: int = 0
    until: int = 99

    @property
    def signature(self) -> inspect.Signature:
        """Its parameters, without the records it is called on."""
        whole = inspect.signature(self.call)
        return whole.replace(parameters=list(whole.parameters.values())[1:])

    def invoke(self, records: Records, args: list[Any], kwargs: Dict) -> Any:
        """Call it. Raises TypeError when the arguments do not fit."""
        self.signature.bind(*args, **kwargs)
        return self.call(records, *args, **kwargs)


def search(
    records: Records, domain: Any, offset: int = 0, limit: int | None = None, order: str | None = None
) -> Records:
    """The records that meet a domain."""
    return records.browse(searching.search(records, domain, offset=offset, limit=limit or None, order=order or None))


def search_count(records: Records, domain: Any, limit: int | None = None) -> int:
    """How many records meet a domain."""
    return searching.count(records, domain, limit)


def search_read(
    records: Records,
    domain: Any = None,
    fields: list[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    load: str | None = "_classic_read",
) -> list[Dict]:
    """Search and read in one."""
    return read(search(records, domain or [], offset, limit, order), fields, load)


def read(records: Records, fields: list[str] | None = None, load: str | None = "_classic_read") -> list[Dict]:
    """The records that are there, with these fields or all."""
    records.env.check(records.model.name, "read")
    names = list(fields) if fields else list(records.model.fields)
    return values.read(records.env, records.model, records.ids, names, classic=load == "_classic_read")


def create(records: Records, vals_list: Any) -> Records:
    """One record for a mapping, several for a list."""
    given = vals_list if isinstance(vals_list, list | tuple) else [vals_list]
    return records.browse(writing.create(records, list(given)))


def create_fields(records: Records, vals_list: Any) -> Records:
    """Custom fields of a model, as `ir.model.fields` makes them."""
    env = records.env
    env.check(records.model.name, "create")
    made = []
    for vals in vals_list if isinstance(vals_list, list | tuple) else [vals_list]:
        if not str(vals.get("name")).startswith("x_") or vals.get("state", "manual") != "manual":
            raise failures.validation("Custom fields must have a name that starts with 'x_'!")
        row = env.db.tables["ir.model"].rows.get(vals.get("model_id"))
        if row is None:
            raise failures.validation("Missing required value for the field 'Model' (model_id)")
        model = env.db.model(row["model"])
        if vals["name"] in model.fields:
            raise failures.validation("Field names must be unique per model.")
        definition = {"type": vals["ttype"], "string": vals["field_description"]}
        model.fields[vals["name"]] = registry.field_from(vals["name"], definition)
        seeds.describe(env.db)
        named = env.db.tables["ir.model.fields"]
        made += [id_ for id_ in named.lookup("model", [model.name]) if named.rows[id_]["name"] == vals["name"]]
    return records.browse(made)


def write(records: Records, vals: Dict) -> bool:
    """The same values for all."""
    writing.write(records, vals)
    return True


def unlink(records: Records) -> bool:
    """Delete. True also for records that are gone already."""
    writing.unlink(records)
    return True


def copy(records: Records, default: Dict | None = None) -> Records:
    """Duplicate."""
    return records.browse(writing.copy(records, default))


def fields_get(records: Records, allfields: list[str] | None = None, attributes: list[str] | None = None) -> Dict:
    """The fields, with these attributes or all. Also for those who may not read the records."""
    denied, name = records.env.db.denied, records.model.name
    frozen = not records.env.sudo and {(name, "write"), (name, "create")} <= denied
    shown = {}
    for of in records.model.fields.values():
        if not allfields or of.name in allfields:
            whole = fields.description(of)
            whole["readonly"] = whole["readonly"] or frozen
            shown[of.name] = {name: whole[name] for name in whole if not attributes or name in attributes}
    return shown


def default_get(records: Records, fields: list[str] | None = None) -> Dict:
    """The values a new record would start with."""
    known = records.model.fields.values()
    return {of.name: of.default for of in known if of.default is not None and (not fields or of.name in fields)}


def _found_names(records: Records, name: str, domain: Any, operator: str, limit: int | None) -> list[list[Any]]:
    env, model = records.env, records.model
    also = {"res.partner": ["email", "ref"], "product.template": ["default_code"], "product.product": ["default_code"]}
    first = "complete_name" if model.name == "res.partner" else model.rec_name
    terms: list[Any] = [[field, operator, name] for field in [first, *also.get(model.name, [])]] if name else []
    wanted = ["|"] * (len(terms) - 1) + terms
    ids = searching.search(
        records, [*(["&"] if domain and wanted else []), *_normal(domain or []), *wanted], limit=limit
    )
    return [[id_, values.display_name(env, model.name, id_)] for id_ in ids]


def _normal(domain: list[Any]) -> list[Any]:
    """A domain as one term, with the `&` that may be left out."""
    open_terms = sum(-1 if item in ("&", "|") else 0 if item == "!" else 1 for item in domain)
    return ["&"] * (open_terms - 1) + list(domain)


def name_search(
    records: Records, name: str = "", domain: Any = None, operator: str = "ilike", limit: int | None = 100
) -> list[list[Any]]:
    """Pairs of id and name."""
    return _found_names(records, name, domain, operator, limit)


def name_search_args(
    records: Records, name: str = "", args: Any = None, operator: str = "ilike", limit: int | None = 100
) -> list[list[Any]]:
    """The same, as it was before version 19."""
    return _found_names(records, name, args, operator, limit)


def name_create(records: Records, name: str) -> list[Any]:
    """A new record from nothing but its name."""
    id_ = writing.create(records, [{records.model.rec_name: name}])[0]
    return [id_, values.display_name(records.env, records.model.name, id_)]


def name_get(records: Records) -> list[list[Any]]:
    """Pairs of id and name, before version 17."""
    records.there()
    return [[id_, values.display_name(records.env, records.model.name, id_)] for id_ in records.ids]


def check_access_rights(records: Records, operation: str, raise_exception: bool = True) -> bool:
    """Whether the user may, or an AccessError."""
    try:
        records.env.check(records.model.name, operation)
    except failures.Failure:
        if raise_exception:
            raise
        return False
    return True


def exists(records: Records) -> Records:
    """Those of the records that are there."""
    return records.browse([id_ for id_ in records.ids if id_ in records.table.rows])


def action_archive(records: Records) -> bool | None:
    """Put out of sight. It answered None before version 18."""
    return _set_active(records, active=False)


def action_unarchive(records: Records) -> bool | None:
    """Bring back into sight."""
    return _set_active(records, active=True)


def _set_active(records: Records, *, active: bool) -> bool | None:
    chosen = [row["id"] for row in records.there() if bool(row.get("active")) != active]
    writing.write(records.browse(chosen), {"active": active})
    return True if records.env.db.version >= 18 else None


def context_get(records: Records) -> Dict:
    """The user's own context."""
    env = records.env
    row = env.rows("res.users")[env.uid]
    context: Dict = {name: values.value(env, "res.users", row, name) or False for name in ("lang", "tz")}
    return context | {"uid": env.uid}


def check_object_reference(
    records: Records,
    module: str,
    xml_id: str,
    raise_on_access_error: bool = False,  # noqa: ARG001
) -> list[Any]:
    """Model and id behind an external id."""
    for id_ in records.table.lookup("name", [xml_id]):
        row = records.table.rows[id_]
        if row["module"] == module:
            return [row["model"], row.get("res_id") or False]
    raise failures.wrong_value(f"No record found for unique ID {module}.{xml_id}. It may have been deleted.")


GENERIC: dict[str, Method] = {
    "search": Method(search, of_model=True, reads=True),
    "search_count": Method(search_count, of_model=True, reads=True),
    "search_read": Method(search_read, of_model=True, reads=True),
    "read": Method(read, reads=True),
    "create": Method(create, of_model=True),
    "write": Method(write),
    "unlink": Method(unlink),
    "copy": Method(copy),
    "fields_get": Method(fields_get, of_model=True, reads=True),
    "default_get": Method(default_get, of_model=True, reads=True),
    "load": Method(load, of_model=True),
    "name_search": Method(name_search, of_model=True, reads=True),
    "name_create": Method(name_create, of_model=True),
    "exists": Method(exists, reads=True),
}
SINCE: dict[str, list[Method]] = {
    "name_search": [Method(name_search_args, of_model=True, reads=True, until=18)],
    "name_get": [Method(name_get, reads=True, until=16)],
    "check_access_rights": [Method(check_access_rights, of_model=True, reads=True, until=18)],
}
ARCHIVING = {"action_archive": Method(action_archive), "action_unarchive": Method(action_unarchive)}
OWN: dict[str, dict[str, Method]] = {
    "res.users": {"context_get": Method(context_get, of_model=True, reads=True)},
    "ir.model.fields": {"create": Method(create_fields, of_model=True)},
    "ir.model.data": {"check_object_reference": Method(check_object_reference, of_model=True, reads=True)},
    "sale.order": {
        "action_confirm": Method(business.confirm_order),
        "action_cancel": Method(business.cancel_order),
        "action_draft": Method(business.draft_order),
    },
    "account.move": {
        "action_post": Method(business.post),
        "button_draft": Method(business.draft_move),
        "button_cancel": Method(business.cancel_move),
    },
    "crm.lead": {"action_set_won": Method(business.won), "action_set_lost": Method(business.lost)},
    "event.registration": {
        "action_confirm": Method(business.register),
        "action_set_done": Method(business.attend),
        "action_cancel": Method(business.unregister),
    },
}


def of(model: Model, version: int) -> dict[str, Method]:
    """Every public method of a model in a version."""
    known = {**GENERIC, **(ARCHIVING if "active" in model.fields else {}), **OWN.get(model.name, {})}
    for name, variants in SINCE.items():
        for method in variants:
            if method.since <= version <= method.until:
                known[name] = method
    return known
