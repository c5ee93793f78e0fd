"""Odoo's records read: listed by id, looked up by any field or by their external id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from antiphon.api import Page, Parts, Query, Read, Resource
from antiphon.apis.odoo.wire import number
from antiphon.client import Client
from antiphon.paging import Keyset

EXTERNAL = "external_id"
"""The field of ours that stands for a record's external id: ``module.name``, or a bare name in the module ``__import__``."""
TIME = "%Y-%m-%d %H:%M:%S"
CONTEXT = {"active_test": False, "tz": "UTC"}
"""Archived records are records."""
_PAGE = 1000
_AT_ONCE = 500
"""Values in one look-up."""


def searching(model: str, *conditions: Any, size: int = _PAGE, **more: Any) -> Read:
    """Return the list of a model's records that fulfil all *conditions*, by id, *size* to a page."""
    path = f"{model}/search_read"
    last = {"domain": list(conditions), "fields": ["id"], "order": "id desc", "limit": 1, "context": CONTEXT}
    return Read(
        path,
        "POST",
        body={"domain": [["id", ">", "{last}"], *conditions], "fields": "{fields}", "order": "id", "context": CONTEXT},
        paging=Keyset("id", size=("limit", size)),
        parts=Parts(Read(path, "POST", body=last, time=TIME, latest=str(more.get("latest", "")))),
        time=TIME,
        nulls=(False,),
        pairs="_name",
        **more,
    )


def getting(model: str) -> Read:
    """Return the reading of one record."""
    body = {"ids": ["{id}"], "fields": "{fields}", "context": CONTEXT}
    return Read(f"{model}/read", "POST", body=body, nulls=(False,), pairs="_name")


@dataclass(frozen=True)
class Find:
    """Look records up by any field, or by their external id."""

    model: str
    values: ClassVar[int] = _AT_ONCE

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield the records whose field has one of the values. A page that is not full is taken for the last."""
        field, values = query.where["field"], list(query.where["values"])
        by_id: dict[int, list[str]] = {}
        if field == EXTERNAL:
            for external, id in external_ids(client, self.model, [str(v) for v in values]).items():
                by_id.setdefault(id, []).append(external)
            field, values = "id", list(by_id)
        asked = tuple(name for name in query.fields if name != EXTERNAL) if query.fields is not None else None
        for start in range(0, len(values), _AT_ONCE):
            wanted = [number(v) if field == "id" else v for v in values[start : start + _AT_ONCE]]
            read = searching(self.model, [field, "in", "{wanted}"])
            for page in client.pages(read, resource, Query(asked), values={"wanted": wanted}):
                full = len(page.records) == _PAGE
                if by_id:
                    page.rows = [{**row, EXTERNAL: external} for row in page.records for external in by_id[row["id"]]]
                yield page
                if not full:
                    break


def external_ids(client: Client, model: str, externals: Sequence[str]) -> dict[str, int]:
    """Return the ids behind external ids, as far as there are any."""
    names: dict[tuple[str, str], list[str]] = {}
    for external in externals:
        module, dot, name = external.partition(".")
        names.setdefault((module, name) if dot else ("__import__", external), []).append(external)
    found: dict[str, int] = {}
    keys = list(names)
    for start in range(0, len(keys), _AT_ONCE):
        part = keys[start : start + _AT_ONCE]
        domain = [
            ["model", "=", model],
            ["module", "in", sorted({module for module, _ in part})],
            ["name", "in", [name for _, name in part]],
        ]
        body = {"domain": domain, "fields": ["module", "name", "res_id"]}
        for row in client.call(
            "POST", "ir.model.data/search_read", json=body, safe=True, doing="looking up external ids"
        ):
            found.update((external, row["res_id"]) for external in names.get((row["module"], row["name"]), ()))
    return found
