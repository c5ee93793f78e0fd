"""Accounts for the contract, and the wire to them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from contract.apis import Account, Entry
from contract.wire import Wire, tapped


@pytest.fixture(autouse=True)
def _nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no state but the test's own."""
    for name in os.environ:
        if name.startswith(("TAP_", "TARGET_", "HUBSPOT_", "ODOO_", "PRETIX_", "CSV_", "SALESFORCE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """All that the library sends; between two tries it waits no longer than it is asked to."""
    monkeypatch.setattr(random, "uniform", lambda low, _high: low)
    return tapped(monkeypatch)


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Entry], Any]]:
    """Gives what an entry's accounts need, started once."""
    running: dict[str, Any] = {}
    with ExitStack() as stack:

        def of(entry: Entry) -> Any:
            if entry.started and entry.name not in running:
                running[entry.name] = stack.enter_context(entry.started(tmp_path_factory.mktemp(entry.name)))
            return running.get(entry.name)

        yield of


@pytest.fixture
def account(request: pytest.FixtureRequest, started: Callable[[Entry], Any], tmp_path: Path) -> Iterator[Account]:
    """An account of the test's entry."""
    entry: Entry = request.node.callspec.params["entry"]
    with entry.account(started(entry), tmp_path) as made:
        yield made
