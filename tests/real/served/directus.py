"""Directus (https://directus.io): any table as REST and as GraphQL, here one of people, on SQLite.

Three of the packages it names need a compiler or a download from elsewhere, and nothing here needs them: they are
replaced by empty ones. ``sqlite3``, of that kind too, is replaced by `sqlite3.js`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real.served import Row, Served, ask
from tests.real.served.node import node
from tests.real.servers import LOOPBACK, DidNotStartError, free_port, installed, npm_packages, start

VERSION = "12.4.0"
TOKEN = "only-for-tests-on-this-machine"
DRIVER = Path(__file__).with_name("sqlite3.js")
EMPTY = "isolated-vm", "oracledb", "braintrust"
TIME = {"type": "timestamp", "schema": {}}
PEOPLE = [
    {"field": "id", "type": "integer", "schema": {"is_primary_key": True, "has_auto_increment": True}},
    {"field": "email", "type": "string", "schema": {"is_unique": True, "is_nullable": False}},
    {"field": "name", "type": "string", "schema": {}},
    {"field": "age", "type": "integer", "schema": {}},
    {"field": "vip", "type": "boolean", "schema": {}, "meta": {"special": ["cast-boolean"]}},
    {"field": "date_created", **TIME, "meta": {"special": ["date-created"]}},
    {"field": "date_updated", **TIME, "meta": {"special": ["date-created", "date-updated"]}},
]


@dataclass(frozen=True)
class People:
    """The table."""

    url: str

    def add(self, rows: list[Row]) -> None:
        """Create rows, all or none."""
        self._ask("POST", "/items/people", json=rows)

    def rows(self) -> list[Row]:
        """Return all rows."""
        found: list[Row] = self._ask("GET", "/items/people?limit=-1")["data"]
        return found

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row."""
        self._ask("PATCH", f"/items/people/{row['id']}", json=fields)

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self._ask("DELETE", f"/items/people/{row['id']}")

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        return ask(method, self.url + path, headers={"Authorization": f"Bearer {TOKEN}"}, **options)


def start_directus(folder: Path) -> Served:
    """Start it with an empty table. Raises `CannotInstallError` or `DidNotStartError`."""
    home = installed("directus", f"{VERSION}-{_digest(DRIVER)}", _install)
    command: list[str | Path] = [node(), home / "node_modules" / "directus" / "cli.js"]

    def bootstrap(empty: Path) -> None:
        done = subprocess.run(
            [*command, "bootstrap"],
            check=False,
            capture_output=True,
            text=True,
            cwd=empty,
            env={**os.environ, **_environment(empty, 0)},
        )
        if done.returncode:
            raise DidNotStartError(f"directus bootstrap ended with {done.returncode}:\n{done.stderr[-3000:]}")

    template = installed("directus-seed", home.name.removeprefix("directus-"), bootstrap)
    shutil.copy(template / "data.sqlite", folder)
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    server = start(
        [*command, "start"], ready=f"{url}/server/ping", folder=folder, environment=_environment(folder, port)
    )
    table = People(url)
    table._ask("POST", "/collections", json={"collection": "people", "schema": {}, "meta": {}, "fields": PEOPLE})
    return Served({"base_url": url, "access_token": TOKEN}, table, server)


def _install(folder: Path) -> None:
    stubs = dict.fromkeys(EMPTY, "") | {"sqlite3": DRIVER.read_text()}
    for name, code in stubs.items():
        stub = folder / "stubs" / name
        stub.mkdir(parents=True)
        (stub / "package.json").write_text(json.dumps({"name": name, "version": "99.0.0", "main": "index.js"}))
        (stub / "index.js").write_text(code)
    overrides = {name: f"file:{folder}/stubs/{name}" for name in EMPTY}
    (folder / "package.json").write_text(
        json.dumps(
            {
                "private": True,
                "dependencies": {"sqlite3": f"file:{folder}/stubs/sqlite3"},
                "overrides": {**overrides, "sqlite3": "$sqlite3"},
            }
        )
    )
    npm_packages(f"directus@{VERSION}")(folder)


def _environment(folder: Path, port: int) -> dict[str, str]:
    return {
        "HOME": str(folder),
        "HOST": LOOPBACK,
        "PORT": str(port),
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "DB_CLIENT": "sqlite3",
        "DB_FILENAME": str(folder / "data.sqlite"),
        "SECRET": TOKEN,
        "ADMIN_EMAIL": "ada@example.org",
        "ADMIN_PASSWORD": TOKEN,
        "ADMIN_TOKEN": TOKEN,
        "SERVE_APP": "false",
        "TELEMETRY": "false",
        "PRESSURE_LIMITER_ENABLED": "false",
        "EXTENSIONS_PATH": str(folder / "extensions"),
        "STORAGE_LOCAL_ROOT": str(folder / "uploads"),
    }


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]
