"""A shop with an API that nobody has heard of, on this machine, and descriptions of it in Python and in YAML."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "t0k3n-of-the-till"
PAGE = 2

SCRIPT = """\
from antiphon import schema
from antiphon.api import Api, Read, Resource, Setting, Write
from antiphon.auth import Bearer
from antiphon.paging import Page

shop = Api(
    "shop",
    title="The shop",
    base_url="{url}",
    auth=Bearer("{{token}}"),
    settings=(Setting("token", "Token", "From the till.", secret=True, required=True, example="t0k3n-…"),),
    check=Read("/me"),
    resources=(
        Resource(
            "orders",
            schema.record({{"id": "integer!", "code": "string", "paid": "boolean"}}, readonly=["id"]),
            aliases=("order",),
            match=("code",),
            read=Read("/orders", records="items", paging=Page()),
            get=Read("/orders/{{id}}"),
            find=Read("/orders", params={{"code": "{{match.value}}"}}, records="items"),
            create=Write("/orders", body="{{record}}"),
            update=Write("/orders/{{id}}", "PATCH", body="{{record}}", safe=True),
        ),
    ),
)
"""

YAML = """\
name: till
title: The till
base_url: {url}
auth: {{bearer: "{{token}}"}}
settings: {{token: {{secret: true, required: true}}}}
resources:
  orders:
    schema: {{id: integer! readonly, code: string, paid: boolean}}
    match: code
    read: &list {{path: /orders, records: items, paging: page}}
    find: {{path: /orders, params: {{code: "{{match.value}}"}}, records: items}}
    create: {{path: /orders, body: "{{record}}"}}
    update: {{path: "/orders/{{id}}", method: PATCH, body: "{{record}}", safe: true}}
"""


class Shop(ThreadingHTTPServer):
    """The server; its orders are at hand."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Till)
        self.orders: dict[int, dict[str, Any]] = {}
        for code in ("A1", "A2", "A3"):
            self.add({"code": code, "paid": False})

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, order: dict[str, Any]) -> dict[str, Any]:
        """Add an order; return it with its id."""
        order = {"id": len(self.orders) + 1, **order}
        self.orders[order["id"]] = order
        return order


class _Till(BaseHTTPRequestHandler):
    server: Shop

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        orders = [o for o in self.server.orders.values() if o["code"] == asked.get("code", o["code"])]
        page = int(asked.get("page", 1))
        if url.path == "/me":
            self._answer(200, {"name": "till 1"})
        elif url.path == "/orders":
            self._answer(200, {"items": orders[(page - 1) * PAGE : page * PAGE]})
        else:
            self._one(url.path)

    def do_POST(self) -> None:
        order = self._body()
        if not order.get("code"):
            self._answer(422, {"message": "an order needs a code"})
        else:
            self._answer(201, self.server.add(order))

    def do_PATCH(self) -> None:
        changed = self._body()
        self._one(self.path, changed)

    def _one(self, path: str, changed: dict[str, Any] | None = None) -> None:
        id = path.rpartition("/")[2]
        order = self.server.orders.get(int(id)) if id.isdecimal() else None
        if order is None:
            self._answer(404, {"message": "there is no such order"})
        else:
            order.update(changed or {})
            self._answer(200, order)

    def _body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _answer(self, status: int, body: Any) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status, body = 401, {"message": "who are you?"}
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@contextmanager
def opened() -> Iterator[Shop]:
    """Open the shop."""
    with Shop() as shop:
        threading.Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield shop
        shop.shutdown()
