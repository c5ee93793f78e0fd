"""scim2-server (https://github.com/python-scim/scim2-server): users by RFC 7644, kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.served import Row, Served, ask
from tests.real.served.python import programs
from tests.real.servers import LOOPBACK, free_port, start

TOKEN = "only-for-tests-on-this-machine"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True)
class Users:
    """The table."""

    url: str

    def add(self, rows: list[Row]) -> None:
        """Create rows."""
        for row in rows:
            self._ask("POST", "/Users", json={"schemas": [USER], **row})

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._ask("GET", "/Users?count=1000").get("Resources", [])
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        patch = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": fields}]}
        self._ask("PATCH", f"/Users/{row['id']}", json=patch)

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._ask("DELETE", f"/Users/{row['id']}")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        return ask(method, self.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, **options)


def start_scim(folder: Path) -> Served:
    """Start it without a user. Raises `CannotInstallError` or `DidNotStartError`."""
    port = free_port()
    url = f"http://{LOOPBACK}:{port}/v2"
    command = [programs() / "scim2-server", "--hostname", LOOPBACK, "--port", str(port), "--bearer-token", TOKEN]
    server = start(command, ready=f"{url}/ServiceProviderConfig", folder=folder)
    return Served({"base_url": url, "access_token": TOKEN}, Users(url), server)
