"""SAP's Cloud Application Programming model (https://cap.cloud.sap): an OData v4 service of the model in ``cap/``.

It pages by 40 whatever is asked for, and wants an ``If-Match`` header for every change of a record that has an ETag.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from tests.real.served import Row, Served, ask
from tests.real.served.node import node
from tests.real.servers import LOOPBACK, free_port, installed, npm_packages, start

VERSION = "10.1.1"
PACKAGES = f"@sap/cds@{VERSION}", "@cap-js/sqlite@3.1.1", "express@5"
PROJECT = Path(__file__).with_name("cap")
USER = "ada", "only-for-tests-é".encode()


@dataclass(frozen=True)
class People:
    """The table."""

    url: str

    def add(self, rows: list[Row]) -> None:
        """Create rows."""
        for row in rows:
            self._ask("POST", "People", json=row)

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = []
        link: str | None = "People"
        while link:
            page = self._ask("GET", link)
            found += page["value"]
            link = page.get("@odata.nextLink")
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        self._ask("PATCH", f"People({row['ID']})", json=fields, headers={"If-Match": "*"})

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._ask("DELETE", f"People({row['ID']})", headers={"If-Match": "*"})

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        return ask(method, urljoin(f"{self.url}/", path), auth=USER, **options)


def start_cap(folder: Path) -> Served:
    """Start it with an empty table. Raises `CannotInstallError` or `DidNotStartError`."""
    home = installed("cap", VERSION, npm_packages(*PACKAGES))
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    (folder / "node_modules").symlink_to(home / "node_modules")
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    command = [node(), "node_modules/@sap/cds/bin/serve.js", "all", "--in-memory", "--port", str(port)]
    server = start(command, ready=url, folder=folder, environment={"HOME": str(folder)})
    config = {"base_url": f"{url}/sales", "username": USER[0], "password": USER[1].decode()}
    return Served(config, People(config["base_url"]), server)
