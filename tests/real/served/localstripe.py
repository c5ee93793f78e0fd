"""localstripe (https://github.com/adrienverge/localstripe), which speaks as Stripe does: form bodies, keyset paging."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.served import Row, Served, ask
from tests.real.served.python import programs
from tests.real.servers import LOOPBACK, free_port, start

KEY = "sk_test_only-for-tests"
# Its own command listens on every address, and keeps what it is told in /tmp.
PROGRAM = """\
import sys
from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app

Store.dump_to_disk = lambda store: None
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]))
"""


@dataclass(frozen=True)
class Customers:
    """The table."""

    url: str

    def add(self, rows: list[Row]) -> None:
        """Create rows."""
        for row in rows:
            self._ask("POST", "/customers", data=row)

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._ask("GET", "/customers?limit=100000")["data"]
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        self._ask("POST", f"/customers/{row['id']}", data=fields)

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._ask("DELETE", f"/customers/{row['id']}")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        return ask(method, self.url + path, auth=(KEY, ""), **options)


def start_localstripe(folder: Path) -> Served:
    """Start it without a customer. Raises `CannotInstallError` or `DidNotStartError`."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    server = start([programs() / "python", "-c", PROGRAM, str(port)], ready=f"{url}/v1/customers", folder=folder)
    return Served({"base_url": f"{url}/v1", "api_key": KEY}, Customers(f"{url}/v1"), server)
