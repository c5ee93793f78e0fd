"""A real pretix behind the faults of the sandbox, so that the fault matrix runs on it as on an emulator.

What stands before it passes every request on, but for those that a fault strikes: these are refused, cut or dropped before pretix has
seen them or after it has done what they ask. What came of it all is read from pretix's own tables.
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from faults.writings import Writing

from antiphon.sandbox import Emulator, Server
from antiphon.sandbox.exchange import Request, Response, json_response

from . import pretix_seed as seed
from .pretix import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pretix import Pretix

_HOP = {"connection", "content-length", "transfer-encoding", "content-encoding", "date", "server"}


class Faulty(Emulator):
    """Stands before a running pretix. Its token is its own, and may expire; pretix knows another."""

    name: ClassVar[str] = "pretix"

    def __init__(self, pretix: Pretix, **knobs: Any) -> None:
        """Pass on to *pretix*."""
        super().__init__(**knobs)
        self.pretix = pretix
        self._token = secrets.token_hex(16)
        self._session = requests.Session()

    def config(self, base_url: str) -> dict[str, Any]:
        """Return the config of target-pretix."""
        return {**self.pretix.config_at(base_url), "api_token": self._token}

    def route(self, request: Request) -> str:
        """Return the path below the organizer."""
        return "/".join(request.segments[4:])

    def writes(self, request: Request) -> bool:
        """Return whether it changes anything."""
        return request.method != "GET"

    def refusal(self, kind: str) -> Response:
        """Say it as pretix, or the server before it, does."""
        if kind == "429":
            return json_response(429, {"detail": "Request was throttled."}, {"Retry-After": "0"})
        return Response(500, b"<h1>Server Error (500)</h1>", {"Content-Type": "text/html"})

    def expire_token(self) -> None:
        """Accept no token."""
        self._token = ""

    def renew_token(self) -> str:
        """Accept another one, and no other."""
        self._token = secrets.token_hex(16)
        return self._token

    def answer(self, request: Request) -> Response:
        """Ask pretix; a token that is not ours is one that pretix does not know either."""
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        if self._token and headers.get("authorization") == f"Token {self._token}":
            headers["authorization"] = f"Token {self.pretix.token}"
        url = f"{self.pretix.url}{request.target}"
        came = self._session.request(
            request.method, url, headers=headers, data=request.body, timeout=60, allow_redirects=False
        )
        return Response(
            came.status_code, came.content, {n: v for n, v in came.headers.items() if n.lower() not in _HOP}
        )


@dataclass(frozen=True)
class PretixWriting(Writing):
    """A stream that is written to a real pretix."""

    table: str = ""
    """Where in its database the records are."""
    pretix: Pretix | None = None
    server: ClassVar[str] = f"a real pretix {VERSION}"

    def started(self) -> Server:
        """Put pretix back to its beginning, and stand before it."""
        assert self.pretix
        self.pretix.reset()
        return Server(Faulty(self.pretix, stall_seconds=0.01, seed=7))

    def add(self, app: Any, record: Mapping[str, Any]) -> None:
        """Have *record* there already."""
        below = f"{seed.HOME}/events/{record['event']}" if "event" in record else seed.HOME
        fields = {name: value for name, value in record.items() if name != "event"}
        app.pretix.api("POST", f"{below}/{self.resource}/", fields)

    def there(self, app: Any) -> list[tuple[str, str]]:
        """Return key and text of each record that is not of the seed."""
        like = self.keys.partition("{")[0] + "%"
        select = f"select {self.key}, {self.text} from {self.table} where {self.key} like ?"
        with contextlib.closing(sqlite3.connect(app.pretix.database)) as database:
            return list(database.execute(select, (like,)))


WRITINGS = (
    PretixWriting(
        "pretix", "customers", "upsert", once=True, key="email", text="notes", keys="p{n:05}@example.com",
        fields={"name_parts": {"_scheme": "full", "full_name": "Somebody"}}, spoilt={"email": "bad {n}"},
        table="pretixbase_customer",
    ),
    PretixWriting(
        "pretix", "vouchers", "create", once=True, key="code", text="comment", keys="FAULT{n:05}",
        fields={"event": "conference", "max_usages": 1}, spoilt={"price_mode": "nonsense"}, table="pretixbase_voucher",
    ),
    PretixWriting(
        "pretix", "orders", "create", once=True, unmatched=True, key="email", text="comment", keys="p{n:05}@example.com",
        fields={"event": "conference", "locale": "en", "sales_channel": "web", "status": "p", "payment_provider": "manual"},
        spoilt={"positions": []}, table="pretixbase_order",
    ),
)  # fmt: skip


def sold_at(pretix: Pretix, writing: PretixWriting) -> dict[str, Any]:
    """Return what each record of *writing* has besides, an order its ticket."""
    if writing.resource != "orders":
        return dict(writing.fields)
    item = min(row["id"] for row in pretix.every(f"{seed.CONFERENCE}/items/"))
    return {**writing.fields, "positions": [{"item": item, "price": "120.00", "answers": [], **seed.attendee(300)}]}
