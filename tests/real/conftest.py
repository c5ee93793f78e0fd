"""The real servers as fixtures, each started once for a run.

Where a server can't be installed, the tests that need it are skipped and say why; with ``CI`` set they fail.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from .faults import FaultProxy, Plan, start_fault_proxy
from .oidc_provider import Provider, start_provider
from .pretix import Pretix, start_pretix
from .served import Served
from .served.cap import start_cap
from .served.directus import start_directus
from .served.localstripe import start_localstripe
from .served.moto import start_buckets, start_parameters, start_users
from .served.oauth1 import start_oauth1
from .served.scim import start_scim
from .served.tryton import start_tryton
from .servers import CannotInstallError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
Started = TypeVar("Started")
SERVERS = {
    "cap": start_cap,
    "directus": start_directus,
    "buckets": start_buckets,
    "localstripe": start_localstripe,
    "oauth1": start_oauth1,
    "parameters": start_parameters,
    "scim": start_scim,
    "tryton": start_tryton,
    "users": start_users,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder ``real``."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("real")


@pytest.fixture(scope="session")
def pretix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pretix]:
    """A running pretix with `pretix_seed` in it, and whatever this run's tests have done to it since."""
    running = _or_skip(lambda: start_pretix(tmp_path_factory.mktemp("pretix")))
    yield running
    running.stop()


@pytest.fixture
def fresh_pretix(pretix: Pretix) -> Pretix:
    """The same pretix, put back to exactly what `pretix_seed` made."""
    pretix.reset()
    return pretix


@pytest.fixture(scope="session")
def pretix_proxy(pretix: Pretix, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    """A proxy before pretix; ask for `pretix_faulty` to have it do something."""
    running = _or_skip(lambda: start_fault_proxy(pretix.url, tmp_path_factory.mktemp("fault-proxy")))
    yield running
    running.stop()


@pytest.fixture
def pretix_faulty(pretix_proxy: FaultProxy) -> Iterator[Callable[[Plan], FaultProxy]]:
    """Gives, for a plan, the proxy that carries it out, until the test ends.

    ``proxy = pretix_faulty(Plan(cut=0.1)); config = pretix.config_at(proxy.url); ...; proxy.counts()["cut"]``
    """

    def faulty(plan: Plan) -> FaultProxy:
        pretix_proxy.follow(plan)
        return pretix_proxy

    yield faulty
    pretix_proxy.follow(Plan())


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    """A running OpenID provider of this test's own; it takes half a second."""
    running = _or_skip(lambda: start_provider(tmp_path))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """Gives, for its name, one of the servers that the examples are tried on, started when first asked for."""
    running: dict[str, Served] = {}

    def start(name: str) -> Served:
        if name not in running:
            running[name] = _or_skip(lambda: SERVERS[name](tmp_path_factory.mktemp(name)))
        return running[name]

    yield start
    for server in running.values():
        server.stop()


def _or_skip(start: Callable[[], Started]) -> Started:
    try:
        return start()
    except CannotInstallError as why:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(why))
