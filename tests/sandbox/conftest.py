"""A sandbox and the vendor's own client on it."""

from __future__ import annotations

import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hubspot import HubSpot as Client

from antiphon.sandbox import Server, start

from .salesforce_org import org, orgs  # noqa: F401 - fixtures


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
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Puts the clock forward by so many seconds, so that nobody has to wait, and nothing depends on how fast the machine is."""

    def put(seconds: float) -> None:
        monotonic, now, nanoseconds = time.monotonic, time.time, time.time_ns
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + seconds)
        monkeypatch.setattr(time, "time", lambda: now() + seconds)
        monkeypatch.setattr(time, "time_ns", lambda: nanoseconds() + int(seconds * 1e9))

    return put


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


class OdooCaller:
    """Calls of an Odoo sandbox: by XML-RPC as `odoo("res.partner", "read", [1])`, by JSON-2 as `odoo.json2`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.app: Any = server.app
        self.config = server.config
        self.session = requests.Session()
        self.session.trust_env = False
        self.object = xmlrpc.client.ServerProxy(server.url + "/xmlrpc/2/object", allow_none=True)

    def __call__(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        config = self.config
        return self.object.execute_kw(config["database"], 2, config["password"], model, method, list(args), kwargs)

    def fault(self, model: str, method: str, *args: Any, **kwargs: Any) -> xmlrpc.client.Fault:
        with pytest.raises(xmlrpc.client.Fault) as caught:
            self(model, method, *args, **kwargs)
        return caught.value

    def jsonrpc(self, service: str, method: str, *args: Any) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "id": 7, "params": params}
        reply = self.session.post(self.server.url + "/jsonrpc", json=body, timeout=5)
        assert reply.status_code == 200
        return reply.json()

    def post(self, path: str, body: Any, **headers: str) -> requests.Response:
        known = {"Authorization": f"Bearer {self.app.api_key}", **headers}
        return self.session.post(self.server.url + path, json=body, headers=known, timeout=5)

    def json2(self, model: str, method: str, **body: Any) -> Any:
        reply = self.post(f"/json/2/{model}/{method}", body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def close(self) -> None:
        self.object("close")()
        self.session.close()
        self.server.stop()


@pytest.fixture
def made_odoo() -> Iterator[Callable[..., OdooCaller]]:
    """Makes Odoo sandboxes, and stops them."""
    callers: list[OdooCaller] = []

    def make(**knobs: Any) -> OdooCaller:
        callers.append(OdooCaller(start("odoo", **{"records": 12, **knobs})))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()


@pytest.fixture
def odoo(made_odoo: Callable[..., OdooCaller]) -> OdooCaller:
    """A small Odoo 19."""
    return made_odoo()


@pytest.fixture
def sandbox(made: Callable[..., Caller]) -> Caller:
    """A small account."""
    return made()


@pytest.fixture
def client(sandbox: Caller) -> Client:
    """The vendor's own client on it."""
    return Client(access_token=sandbox.server.config["access_token"], host=sandbox.server.url)
