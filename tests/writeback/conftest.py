"""An account of HubSpot to write to, in this process, and a folder for ledgers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests_mock

from antiphon import apis, http, schema
from antiphon.api import Api, Read, Resource, Write
from antiphon.client import Client
from antiphon.outcome import Nothing, PerItem
from antiphon.sandbox import Emulator, start
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.writer import Writer

ZOO = "https://zoo.example"


class Account:
    """A sandbox, and writers on it."""

    def __init__(self, folder: Path, **knobs: Any) -> None:
        self.server = start("hubspot", **{"records": 0, **knobs})
        self.app: Any = self.server.app
        self.client = Client(apis.load("hubspot"), self.server.config)
        self.folder = folder

    def writer(self, resource: str = "contacts", **more: Any) -> Writer:
        """Return a writer to *resource*."""
        return Writer(self.client, self.client.resource(resource), **more)

    def ledger(self) -> Ledger:
        """Return the ledger of the account."""
        return Ledger(self.folder, "hubspot")

    def shown(self, resource: str = "contacts", *fields: str) -> list[dict[str, str]]:
        """Return what the account has, with the *fields* that are set."""
        wanted = fields or ("email", "firstname", "lastname", "city", "domain", "name", "hs_note_body")
        found = [record["properties"] for record in self.app.records(resource)]
        return [{name: record[name] for name in wanted if record.get(name)} for record in found]

    def calls(self) -> dict[str, int]:
        """Return how often each route was called, the fields of an object left aside."""
        return {route: n for (_, route), n in sorted(self.app.calls.items()) if not route.startswith("properties/")}


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before trying again."""
    monkeypatch.setattr(http.random, "uniform", lambda _low, _high: 0.0)


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Callable[..., Account]]:
    """Make accounts."""
    made: list[Account] = []

    def make(**knobs: Any) -> Account:
        made.append(Account(tmp_path / "state", **knobs))
        return made[-1]

    yield make
    for account in made:
        account.client.http.session.close()
        account.server.stop()


@pytest.fixture
def account(accounts: Callable[..., Account]) -> Account:
    """An empty account."""
    return accounts()


@pytest.fixture
def app(account: Account) -> Emulator:
    """What is behind it."""
    return account.app


@pytest.fixture
def zoo() -> Iterator[tuple[Client, requests_mock.Mocker]]:
    """An API of our own: animals by name, in batches whose writes are neither safe nor atomic."""
    api = Api(
        "zoo",
        title="The Zoo",
        base_url=ZOO,
        resources=(
            Resource(
                "animals",
                schema.record(
                    {"id": "string!", "name": "string", "legs": "integer", "mood": "string"}, readonly=["id"]
                ),
                match=("name",),
                find=Read("/animals/find", params={"name": "{match.values}"}, records="items", values=100),
                create=Write("/animals/batch", batch=10, into="items", outcomes=PerItem("items")),
                update=Write("/animals/{id}", "PATCH", body="{record}", safe=True),
                delete=Write("/animals/{id}", "DELETE", outcomes=Nothing(), safe=True),
                actions={"feed": Write("/animals/{id}/feed", body="{record}")},
            ),
        ),
    )
    with requests_mock.Mocker() as mocked:
        yield Client(api, {}), mocked
