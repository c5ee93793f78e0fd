"""A real pretix (event ticketing, https://pretix.eu) on this machine, with a conference and a workshop series in it.

The first use installs pretix, creates its tables and sells the tickets `pretix_seed` describes, in under two minutes;
what comes out is kept as a template database, and every later start copies that and takes three seconds.

What pretix's own documentation doesn't say, as version 2026.8.0 behaves:

* ``next`` and ``previous`` in lists are built from the request's ``Host`` header, so a proxy that passes ``Host`` on
  gets addresses leading back to itself. pretix answers for any port on the host name of its configured ``url`` and on
  ``localhost``, and 400 with an HTML page for other names. Addresses in the data (an order's ``url``, an event's
  ``public_url``) always begin with the configured ``url``.
* Its migrations run for minutes; telling Django that no app has any makes ``migrate --run-syncdb`` create the same
  tables from the models in seconds.
* Celery tasks run inside the request that causes them when no broker is configured, so webhooks have been delivered by
  the time a write is answered. Loopback addresses are refused as webhook targets unless the configuration allows them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from . import pretix_seed
from .servers import LOOPBACK, DidNotStartError, Server, free_port, installed, pip_packages, start

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "2026.8.0"
PACKAGES = f"pretix=={VERSION}", "gunicorn==27.0.1"
ORGANIZER = pretix_seed.ORGANIZER
ERROR = 400

CONFIGURATION = """\
[pretix]
url={url}
datadir={folder}
registration=off
allow_http_to_private_networks=on
[database]
backend=sqlite3
[django]
secret=only-for-tests-on-this-machine
"""

SETTINGS = '''\
"""pretix's settings, without migrations, mail, or waiting for the disk."""
from pretix.settings import *


class NoMigrations:
    def __contains__(self, app):
        return True

    def __getitem__(self, app):
        return None


MIGRATION_MODULES = NoMigrations()
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
# Writers queue up for the one lock sqlite has, instead of failing with "database is locked".
DATABASES["default"]["OPTIONS"] |= {
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL",
}
'''

# The one thing the REST API can't give: the token to use it with.
FIRST_LOGIN = """\
from django_scopes import scopes_disabled
from pretix.base.models import Organizer
with scopes_disabled():
    organizer = Organizer.objects.create(name="Acme Events", slug={organizer!r})
    team = organizer.teams.create(
        name="API", all_events=True, all_event_permissions=True, all_organizer_permissions=True
    )
    team.tokens.create(name="tests", token={token!r})
"""


@dataclass(frozen=True)
class Pretix:
    """A running pretix: where it is, how to log in, and a hand to edit it with as a person would in its pages."""

    url: str
    token: str
    server: Server
    database: Path
    template: Path
    organizer: str = ORGANIZER

    @property
    def config(self) -> dict[str, Any]:
        """The settings a tap or target needs to connect."""
        return self.config_at(self.url)

    def config_at(self, url: str) -> dict[str, Any]:
        """The same settings by way of a proxy at `url`."""
        return {"base_url": f"{url}/api/v1", "api_token": self.token, "organizer": self.organizer}

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """One call with the token, answered in whatever way; `path` follows ``/api/v1``, `options` are requests'."""
        headers = {"Authorization": f"Token {self.token}", **options.pop("headers", {})}
        return requests.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=60, **options)

    def api(self, method: str, path: str, json: Any = None) -> Any:
        """What one successful call answers, decoded; None for an empty answer.

        ``pretix.api("PATCH", "/organizers/acme/events/conference/orders/ANTAA/", {"comment": "VIP"})``. Raises
        `requests.HTTPError` with the answer's text for a refusal.
        """
        answer = self.request(method, path, json=json)
        if answer.status_code >= ERROR:
            raise requests.HTTPError(f"{method} {path} -> {answer.status_code} {answer.text[:500]}", response=answer)
        return answer.json() if answer.content else None

    def every(self, path: str) -> Iterator[Any]:
        """Each row of a list, page after page."""
        page = self.api("GET", path)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.api("GET", page["next"].removeprefix(f"{self.url}/api/v1"))

    def reset(self) -> None:
        """Put everything back as seeded, while the server keeps running."""
        _copy(self.template / "db.sqlite3", self.database)

    def stop(self) -> None:
        """End the server."""
        self.server.stop()


def start_pretix(folder: Path) -> Pretix:
    """Start the seeded pretix, its data and log in `folder` (empty, and left for a look afterwards).

    Raises `CannotInstallError` or `DidNotStartError`.
    """
    home = installed("pretix", VERSION, pip_packages(*PACKAGES))
    recipe = [Path(__file__), Path(pretix_seed.__file__)]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in recipe)).hexdigest()[:8]
    template = installed("pretix-seed", f"{VERSION}-{digest}", lambda empty: _build_template(home, empty))
    return _serve(home, folder, template)


def _build_template(home: Path, template: Path) -> None:
    token = secrets.token_hex(32)
    (template / "token.json").write_text(json.dumps(token))
    building = template / "building"
    building.mkdir()
    environment = _configure(building, f"http://{LOOPBACK}")
    first_login = FIRST_LOGIN.format(organizer=ORGANIZER, token=token)
    for arguments in ["migrate", "--run-syncdb", "--verbosity=0"], ["shell", "-c", first_login]:
        command = [str(home / "bin" / "python"), "-m", "pretix", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=building, env=environment)
        if done.returncode:
            raise DidNotStartError(f"pretix {arguments[0]} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    _copy(building / "db.sqlite3", template / "db.sqlite3")
    shutil.rmtree(building)
    building.mkdir()
    pretix = _serve(home, building, template)
    try:
        pretix_seed.sell_tickets(pretix.api)
    finally:
        pretix.stop()
    _copy(building / "db.sqlite3", template / "db.sqlite3")
    shutil.rmtree(building)


def _serve(home: Path, folder: Path, template: Path) -> Pretix:
    url = f"http://{LOOPBACK}:{free_port()}"
    environment = _configure(folder, url)
    database = folder / "db.sqlite3"
    _copy(template / "db.sqlite3", database)
    # With gunicorn's own --keep-alive of 2 s, idle connections close just as a client writes on them.
    options = ["--bind", url.removeprefix("http://"), "--workers=1", "--threads=4", "--keep-alive=75"]
    server = start(
        [home / "bin" / "gunicorn", "pretix.wsgi:application", *options, "--no-control-socket"],
        ready=f"{url}/api/v1/version",
        folder=folder,
        environment=environment,
    )
    return Pretix(url, json.loads((template / "token.json").read_text()), server, database, template)


def _configure(folder: Path, url: str) -> dict[str, str]:
    """Write pretix's configuration into `folder`; returns the environment that points at it."""
    (folder / "pretix.cfg").write_text(CONFIGURATION.format(url=url, folder=folder))
    (folder / "settings_for_tests.py").write_text(SETTINGS)
    return {
        "PRETIX_CONFIG_FILE": str(folder / "pretix.cfg"),
        "DJANGO_SETTINGS_MODULE": "settings_for_tests",
        "PYTHONPATH": str(folder),
    }


def _copy(source: Path, destination: Path) -> None:
    """Copy a sqlite database as of one moment, into one that may be open elsewhere."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(destination)) as new:
        old.backup(new)
