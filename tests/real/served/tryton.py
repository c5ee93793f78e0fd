"""Tryton (https://www.tryton.org), an ERP: JSON-RPC with a session, here its parties, on SQLite."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.real.served import Row, Served, ask
from tests.real.served.python import PACKAGES, programs
from tests.real.servers import LOOPBACK, DidNotStartError, free_port, installed, start

PASSWORD = "only-for-tests-on-this-machine"
FIELDS = ["name", "code", "active", "create_date", "write_date"]
CONFIGURATION = """\
[database]
uri = sqlite://
path = {folder}
[web]
listen = {address}
"""


@dataclass(frozen=True)
class Parties:
    """The table."""

    url: str
    cookie: str

    def add(self, rows: list[Row]) -> None:
        """Create rows, all or none."""
        self._call("create", rows)

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._call("search_read", [], 0, None, None, FIELDS)
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        self._call("write", [row["id"]], fields)

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._call("delete", [row["id"]])

    def _call(self, method: str, *params: Any) -> Any:
        call = {"id": 1, "method": f"model.party.party.{method}", "params": [*params, {}]}
        answer = ask("POST", f"{self.url}/rpc/", json=call, headers={"Cookie": self.cookie})
        assert "error" not in answer, answer["error"]
        return answer["result"]


def start_tryton(folder: Path) -> Served:
    """Start it without a party. Raises `CannotInstallError` or `DidNotStartError`."""
    home = programs()

    def create(empty: Path) -> None:
        _configure(empty, "")
        (empty / "erp.sqlite").touch()
        (empty / "password").write_text(PASSWORD)
        done = subprocess.run(
            [
                home / "trytond-admin",
                "-c",
                empty / "trytond.conf",
                "-d",
                "erp",
                "-u",
                "party",
                "--activate-dependencies",
            ],
            check=False,
            capture_output=True,
            text=True,
            input="\n",  # no address for the administrator
            env={**os.environ, "TRYTONPASSFILE": str(empty / "password")},
        )
        if done.returncode:
            raise DidNotStartError(f"trytond-admin ended with {done.returncode}:\n{done.stderr[-3000:]}")

    version = next(package.partition("==")[2] for package in PACKAGES if package.startswith("trytond=="))
    template = installed("tryton-seed", version, create)
    for file in template.glob("erp.sqlite*"):
        shutil.copy(file, folder)
    address = f"{LOOPBACK}:{free_port()}"
    _configure(folder, address)
    command = [home / "trytond", "-c", folder / "trytond.conf", "-d", "erp"]
    server = start(command, ready=f"http://{address}/", folder=folder)
    url = f"http://{address}/erp"
    login = {"id": 1, "method": "login", "params": ["admin", {"password": PASSWORD}]}
    config = {"base_url": url, "username": "admin", "password": PASSWORD}
    return Served(config, Parties(url, _cookie(f"{url}/session/login", login)), server)


def _configure(folder: Path, address: str) -> None:
    (folder / "trytond.conf").write_text(CONFIGURATION.format(folder=folder, address=address))


def _cookie(url: str, login: Any) -> str:
    answer = requests.post(url, json=login, timeout=60)
    return answer.headers["Set-Cookie"].partition(";")[0]
