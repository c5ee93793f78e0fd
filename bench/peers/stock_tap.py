"""The mock's two lists as a tap of the stock singer-sdk. What it writes means what ours writes: contacts flat, and with their types.

Contacts are paged as the SDK's documentation shows (``next_page_token_jsonpath``), for which the SDK decodes each page a second time;
of items each page is decoded once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from singer_sdk import RESTStream, Tap
from singer_sdk.helpers.jsonpath import extract_jsonpath
from singer_sdk.pagination import BasePageNumberPaginator

SCHEMA = json.loads(Path(os.environ["SCHEMA"]).read_text("utf-8"))
_READ = {"number": Decimal, "boolean": lambda text: text == "true"}
CASTS = {
    name: cast
    for name, field in SCHEMA["properties"].items()
    for kind, cast in _READ.items()
    if kind in field["type"] and name != "archived"
}


class Contacts(RESTStream[str]):
    """HubSpot's contacts."""

    name = "contacts"
    path = "/crm/objects/2026-09/contacts"
    primary_keys = ("id",)
    replication_key = "updatedAt"
    url_base = os.environ["BASE"]
    schema = SCHEMA
    records_jsonpath = "$.results[*]"
    next_page_token_jsonpath = "$.paging.next.after"

    def get_url_params(self, context: Any, next_page_token: str | None) -> dict[str, Any]:  # noqa: ARG002
        """Ask for a hundred."""
        return {"limit": 100, **({"after": next_page_token} if next_page_token else {})}

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """Lift the properties and read those that are no texts."""
        row |= row.pop("properties")
        for name, cast in CASTS.items():
            if row.get(name) is not None:
                row[name] = cast(row[name])
        return row


class Pages(BasePageNumberPaginator):
    """Pages by number."""

    more = True

    def has_more(self, response: Any) -> bool:  # noqa: ARG002
        """Return what the page said of it."""
        return self.more


class Items(RESTStream[int]):
    """Flat items."""

    name = "items"
    path = "/items"
    primary_keys = ("id",)
    replication_key = "updated_at"
    url_base = os.environ["BASE"]
    schema = SCHEMA
    records_jsonpath = "$.data[*]"

    def get_new_paginator(self) -> Pages:
        """Begin with page 1."""
        self.pages = Pages(start_value=1)
        return self.pages

    def parse_response(self, response: Any) -> Any:
        """Return the items, as the SDK does, and keep what else the page says: so it is decoded once."""
        page = response.json(parse_float=Decimal)
        self.pages.more = page["has_more"]
        return extract_jsonpath(self.records_jsonpath, input=page)

    def get_url_params(self, context: Any, next_page_token: int | None) -> Mapping[str, Any]:  # noqa: ARG002
        """Ask for a thousand."""
        return {"page": next_page_token, "per_page": 1000}


class TapMock(Tap):
    """Reads one of them."""

    name = "tap-mock"
    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}

    def discover_streams(self) -> list[Any]:
        """Return the stream that is asked for."""
        return [Contacts(self) if os.environ["STREAM"] == "contacts" else Items(self)]


if __name__ == "__main__":
    TapMock.cli()
