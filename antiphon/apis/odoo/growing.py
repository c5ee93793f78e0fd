"""Fields added to a model of Odoo, as its settings page adds custom ones; the user needs the right to do that."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from antiphon import schema
from antiphon.api import Resource, Schema
from antiphon.client import Client
from antiphon.errors import Refused, name_it

_KINDS = {
    "date-time": "datetime",
    "date": "date",
    "boolean": "boolean",
    "integer": "integer",
    "number": "float",
    "string": "char",
}
_NAME = re.compile(r"x_[a-z0-9_]{1,61}")


def refuse_name(client: Client, resource: Resource, name: str) -> None:
    """Raise ``Refused`` for a name that no custom field can have."""
    if not _NAME.fullmatch(name):
        doing = f"{client.api.name}: adding {name} to the fields of {resource.name}"
        said = f'{doing} -> the name of a custom field begins with "x_" and has lower-case letters, digits and "_"'
        raise Refused(said, hint=name_it(name, "x_"))


def adding(model: str) -> Callable[[Client, Resource, str, Schema], Schema]:
    """Return what adds a field to a model, labelled by its name."""

    def add(client: Client, resource: Resource, name: str, column: Schema) -> Schema:
        doing = f"adding {name} to the fields of {resource.name}"
        refuse_name(client, resource, name)
        word = next(word for word in (column.get("format"), *schema.types(column), "string") if word in _KINDS)
        asked: dict[str, Any] = {"domain": [["model", "=", model]], "fields": ["id"]}
        rows = client.call("POST", "ir.model/search_read", json=asked, safe=True, doing=doing)
        made = {
            "name": name,
            "field_description": name.removeprefix("x_").replace("_", " ").capitalize(),
            "model_id": rows[0]["id"],
            "ttype": _KINDS[word],
            "state": "manual",
        }
        client.call("POST", "ir.model.fields/create", json={"vals_list": [made]}, doing=doing)
        return schema.of(word)

    return add
