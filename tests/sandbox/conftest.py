"""A sandbox and the vendor's own client on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hubspot import HubSpot as Client

from antiphon.sandbox import Server, start


class Caller:
    """Requests with the sandbox's token."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.app: Any = server.app
        self.session = requests.Session()
        self.session.trust_env = False

    def __call__(self, method: str, path: str, json: Any = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.server.config['access_token']}", **more.pop("headers", {})}
        return self.session.request(method, self.server.url + path, json=json, headers=headers, timeout=5, **more)

    def get(self, path: str, **params: Any) -> Any:
        reply = self("GET", path, params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def post(self, path: str, json: Any, *, expect: int = 200) -> Any:
        reply = self("POST", path, json)
        assert reply.status_code == expect, reply.text
        return reply.json() if reply.content else None


@pytest.fixture
def made() -> Iterator[Callable[..., Caller]]:
    """Makes sandboxes, and stops them."""
    callers: list[Caller] = []

    def make(**knobs: Any) -> Caller:
        callers.append(Caller(start("hubspot", **{"records": 12, **knobs})))
        return callers[-1]

    yield make
    for caller in callers:
        caller.session.close()
        caller.server.stop()


@pytest.fixture
def sandbox(made: Callable[..., Caller]) -> Caller:
    """A small account."""
    return made()


@pytest.fixture
def client(sandbox: Caller) -> Client:
    """The vendor's own client on it."""
    return Client(access_token=sandbox.server.config["access_token"], host=sandbox.server.url)
