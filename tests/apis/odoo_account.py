"""An Odoo of the sandbox, and everything of ours that speaks to it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from contract import plugins

from antiphon import http
from antiphon.client import Client
from antiphon.connection import Connection, connect
from antiphon.sandbox import start
from tap_odoo import TapOdoo
from target_odoo import TargetOdoo

PROTOCOLS = ("json2", "jsonrpc", "xmlrpc")
EACH = pytest.mark.parametrize("protocol", PROTOCOLS)
"""The test is run by each protocol."""


@dataclass
class Account:
    """An Odoo with a user who may come in."""

    app: Any
    config: dict[str, Any]
    folder: Path

    def connection(self, **more: Any) -> Connection:
        return connect("odoo", **{**self.config, **more})

    def client(self, **more: Any) -> Client:
        return self.connection(**more).client

    def read(self, stream: str, state: Any = None, **more: Any) -> plugins.Read:
        """What tap-odoo says of one stream."""
        return plugins.read(TapOdoo, {**self.config, **more}, stream, state=state)

    def write(
        self, records: list[dict[str, Any]], resource: str = "partner", *, full: bool = False, **plan: Any
    ) -> plugins.Written:
        """Write records by target-odoo."""
        config = {**self.config, "full": full, "streams": {"people": {"resource": resource, **plan}}}
        return plugins.write(TargetOdoo, config, plugins.stream("people", records), self.folder)

    def partners(self, *names: str) -> list[dict[str, Any]]:
        return [{name: row[name] for name in names} for row in self.app.records("res.partner", ["id", *names])]

    def called(self, name: str) -> int:
        """How many calls there were of what ends so: ``res.partner/create``."""
        return sum(count for (_, route), count in self.app.calls.items() if route.endswith(name))


@contextlib.contextmanager
def odoo(
    folder: Path, protocol: str = "json2", settings: Mapping[str, Any] | None = None, **knobs: Any
) -> Iterator[Account]:
    """Give an account that is spoken to by *protocol*, and nobody waits before trying again."""
    uniform = http.random.uniform
    http.random.uniform = lambda _low, _high: 0.0
    server = start("odoo", **{"records": 12, "stall_seconds": 0.0, **knobs})
    try:
        config = {**server.config, "protocol": protocol, "state_dir": str(folder / "state"), **(settings or {})}
        yield Account(server.app, {name: value for name, value in config.items() if value is not None}, folder)
    finally:
        http.random.uniform = uniform
        server.stop()


def written(said: plugins.Written) -> dict[str, int]:
    """How many records had which outcome."""
    return {kind: said.outcomes.count(kind) for kind in sorted(set(said.outcomes))}


def as_json(value: Any) -> Any:
    """*value* as it is after a way through JSON, its fractions as texts."""
    return json.loads(json.dumps(value, default=str))
