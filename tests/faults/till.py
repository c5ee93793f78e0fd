"""An API that nobody has heard of: the till of a shop. It is served from here, and described in YAML for target-universal."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import yaml

from antiphon.sandbox import Emulator
from antiphon.sandbox.exchange import Request, Response, json_response

DESCRIPTION = """\
name: till
title: The till
base_url: "{url}"
auth: {{bearer: "{{token}}"}}
settings: {{token: {{secret: true, required: true}}}}
resources:
  orders:
    schema: {{id: integer! readonly, code: string, city: string, price: number}}
    match: code
    find: {{path: /orders/find, method: POST, body: {{codes: "{{match.values}}"}}, records: items, values: 100}}
    create: {{path: /orders, batch: 100, into: rows, outcomes: {{per_item: {{at: items}}}}}}
    update: {{path: "/orders/{{id}}", method: PATCH, body: "{{record}}", safe: true}}
  scans: # nothing finds one again
    schema: {{id: integer! readonly, code: string, city: string, price: number}}
    create: {{path: /scans, batch: 100, into: rows, outcomes: {{per_item: {{at: items}}}}}}
"""


class Till(Emulator):
    """Orders and scans, each a list; a row with a price below zero is refused, and its neighbours are not."""

    name: ClassVar[str] = "till"

    def __init__(self, *, records: int = 0, **knobs: Any) -> None:
        """Begin with nothing: *records* is there for the sake of likeness."""
        super().__init__(**knobs)
        assert not records
        self.rows: dict[str, list[dict[str, Any]]] = {"orders": [], "scans": []}
        self._by_code: dict[str, list[dict[str, Any]]] = {}
        self._tokens = 1
        self._expired = False

    def add(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        """Add a row; return it with its id."""
        row = {"id": len(self.rows[kind]) + 1, **row}
        self.rows[kind].append(row)
        if kind == "orders":
            self._by_code.setdefault(row["code"], []).append(row)
        return row

    def records(self, kind: str) -> list[dict[str, Any]]:
        """Return all rows."""
        with self.lock:
            return list(self.rows[kind])

    def config(self, base_url: str) -> dict[str, Any]:
        """Return the config of target-universal, description and all."""
        return {"api": yaml.safe_load(DESCRIPTION.format(url=base_url)), "token": self._token}

    @property
    def _token(self) -> str:
        return f"till-{self._tokens}"

    def route(self, request: Request) -> str:
        """Return the path without ids."""
        return "orders/{id}" if request.method == "PATCH" else "/".join(request.segments)

    def writes(self, request: Request) -> bool:
        """Return whether it is no look-up."""
        return request.segments != ["orders", "find"]

    def expire_token(self) -> None:
        """Accept no token."""
        self._expired = True

    def renew_token(self) -> str:
        """Accept another one, and no other."""
        self._tokens += 1
        self._expired = False
        return self._token

    def refusal(self, kind: str) -> Response:
        """Say it with the status."""
        status = {"429": 429, "conflict": 409, "token-expiry": 401}.get(kind, 500)
        return json_response(status, {"message": f"the till says {status}"})

    def answer(self, request: Request) -> Response:
        """Do the work."""
        if self._expired or request.headers.get("authorization") != f"Bearer {self._token}":
            return self.refusal("token-expiry")
        match request.method, request.segments:
            case "POST", ["orders", "find"]:
                codes = json.loads(request.body)["codes"]
                return json_response(200, {"items": [row for code in codes for row in self._by_code.get(code, ())]})
            case "POST", ["orders" | "scans" as kind]:
                return json_response(
                    201, {"items": [self._made(kind, row) for row in json.loads(request.body)["rows"]]}
                )
            case "PATCH", ["orders", id]:
                row = self.rows["orders"][int(id) - 1]
                row.update(json.loads(request.body))
                return json_response(200, row)
        return json_response(404, {"message": "there is no such thing"})

    def _made(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        if row.get("price", 0) < 0:
            return {"error": "a price cannot be below zero"}
        return self.add(kind, row)
