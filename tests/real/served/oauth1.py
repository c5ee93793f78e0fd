"""An API that takes OAuth 1 signatures alone, checked by oauthlib (https://github.com/oauthlib/oauthlib)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.served import Row, Served, ask
from tests.real.served.python import programs
from tests.real.servers import LOOPBACK, free_port, start

SCRIPT = Path(__file__).with_name("oauth1_server.py")
HAND = {"X-Hand": "only-for-tests-on-this-machine"}
SECRETS = {
    "consumer_key": "app",
    "consumer_secret": "app-secret&+é",
    "token": "token",
    "token_secret": "token-secret",
}


@dataclass(frozen=True)
class People:
    """The table."""

    url: str

    def add(self, rows: list[Row]) -> None:
        """Create rows."""
        for row in rows:
            self._ask("POST", "/people", json=row)

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._ask("GET", "/people?per_page=100000")["people"]
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        self._ask("PUT", f"/people/{row['id']}", json=fields)

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._ask("DELETE", f"/people/{row['id']}")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        return ask(method, self.url + path, headers=HAND, **options)


def start_oauth1(folder: Path) -> Served:
    """Start it without a person. Raises `CannotInstallError` or `DidNotStartError`."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    server = start([programs() / "python", SCRIPT, str(port)], ready=f"{url}/people", folder=folder)
    return Served({"base_url": url, **SECRETS}, People(url), server)
