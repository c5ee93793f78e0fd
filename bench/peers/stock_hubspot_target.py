"""A target of the Singer SDK that writes people to HubSpot one batch after the other: a batch read by e-mail, then a batch create."""

from __future__ import annotations

import os
from typing import Any

import requests
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th


class People(BatchSink):
    """Writes people, a hundred in a request."""

    max_size = 100
    session = requests.Session()

    def process_batch(self, context: dict[str, Any]) -> None:
        """Look the batch up, and create it: none of it is there."""
        records = context["records"]
        asked = {
            "idProperty": "email",
            "properties": ["email"],
            "propertiesWithHistory": [],
            "inputs": [{"id": record["email"]} for record in records],
        }
        self.post("2026-09", "read", asked)
        fields = ("email", "firstname", "lastname", "jobtitle")
        self.post(
            "2026-03",
            "create",
            {"inputs": [{"properties": {name: record[name] for name in fields}} for record in records]},
        )

    def post(self, version: str, what: str, body: dict[str, Any]) -> None:
        """Make one request."""
        url = f"{os.environ['BASE']}/crm/objects/{version}/contacts/batch/{what}"
        reply = self.session.post(
            url, json=body, headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=60
        )
        reply.raise_for_status()


class TargetStockHubSpot(Target):
    """Writes people to HubSpot."""

    name = "target-stock-hubspot"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = People


if __name__ == "__main__":
    TargetStockHubSpot.cli()
