"""An org of the sandbox's, and what is tried on it: one-liners, the tap and the target as commands."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from singer.pipes import Message, Process, Ran, read, record, schema, state

from antiphon import http
from antiphon.api import Query
from antiphon.connection import Connection, settings
from antiphon.outcome import Outcome
from antiphon.sandbox import start
from antiphon.sandbox.exchange import Request, Response
from antiphon.singer.target import settle_open
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.writer import Writer

BIN = Path(sys.executable).parent
HASTY = """
import random, time
_sleep = time.sleep
random.uniform = lambda low, high: 0.0
time.sleep = lambda seconds: _sleep(min(seconds, 0.02))
"""


class Org:
    """An org, empty unless *knobs* say otherwise."""

    def __init__(self, folder: Path, **knobs: Any) -> None:
        self.folder = folder
        self.server = start("salesforce", **{"records": 0, **knobs})
        self.app: Any = self.server.app
        self.settings: dict[str, Any] = {**self.server.config, "state_dir": str(folder / "state")}
        self.rejects = folder / "rejects.jsonl"

    def connect(self, **given: Any) -> Connection:
        """Return a connection with *given* settings as well; None takes one away."""
        values = {name: value for name, value in {**self.settings, **given}.items() if value is not None}
        return Connection(settings("salesforce", values))

    def write(self, name: str, records: Sequence[dict[str, Any]], *, bulk_above: int = 0, **how: Any) -> list[Outcome]:
        """Write *records* as a target does, with a ledger, after what an earlier run left is settled."""
        client = self.connect(bulk_above=bulk_above).client
        with Ledger(self.folder / "state", "salesforce") as ledger:
            settle_open(client, ledger)
            return Writer(client, client.resource(name), ledger=ledger, **how).write(records)

    def pages(self, name: str, slot: str = "read", **query: Any) -> list[Any]:
        """Return the pages of a read; *query* may have ``bulk_above``."""
        client = self.connect(bulk_above=query.pop("bulk_above", 0)).client
        return list(client.read(client.resource(name), Query(**query), slot=slot))

    def rows(self, name: str, slot: str = "read", **query: Any) -> list[dict[str, Any]]:
        """Return the records of a read."""
        return [row for page in self.pages(name, slot, **query) for row in page.records]

    def ids(self, name: str = "Account") -> list[str]:
        """Return the ids that are there."""
        return [row["Id"] for row in self.app.records(name)]

    def jobs(self, kind: str = "ingest") -> list[Any]:
        """Return the jobs so far."""
        return list(getattr(self.app.state, "ingests" if kind == "ingest" else "extracts").jobs.values())

    def externals(self, name: str = "Account") -> Counter[str]:
        """Return how often each external id is there."""
        return Counter(row["Ext_Id__c"] for row in self.app.records(name) if row["Ext_Id__c"])

    def config(self, **given: Any) -> Path:
        """Write a config file for tap or target."""
        path = self.folder / "config.json"
        path.write_text(json.dumps({**self.settings, **given}))
        return path

    def command(self, name: str, *args: str, **given: Any) -> Process:
        """Start ``tap-salesforce`` or ``target-salesforce``; it does not wait before it tries again."""
        (self.folder / "sitecustomize.py").write_text(HASTY)
        more = {"rejects": str(self.rejects)} if name.startswith("target") else {}
        path = str(self.config(**more, **given))
        variables = {"PYTHONPATH": str(self.folder)}
        return Process("--config", path, *args, folder=self.folder, command=str(BIN / name), **variables)

    def target(self, messages: Iterable[Message], **given: Any) -> Ran:
        """Pipe *messages* into the target until it ends."""
        process = self.command("target-salesforce", **given)
        process.give(*messages, close=True)
        return process.ended(240)

    def tap(self, *args: str, **given: Any) -> Ran:
        """Run the tap to its end."""
        return self.command("tap-salesforce", *args, **given).ended(120)

    def kept(self) -> list[Message]:
        """Return the messages in the rejects file."""
        return read(self.rejects)

    def on(self, matches: Callable[[Request], bool], act: Callable[[], None], *, done: bool) -> None:
        """Once, when a request *matches*, *act*: after it is done, or instead of it."""
        handle, left = self.app.handle, [True]

        def handled(request: Request) -> Response:
            if not left or not matches(request):
                return handle(request)  # type: ignore[no-any-return]
            left.clear()
            response = handle(request) if done else Response(0, drop=True)
            act()
            return response  # type: ignore[no-any-return]

        self.app.handle = handled


@contextlib.contextmanager
def org(folder: Path, **knobs: Any) -> Iterator[Org]:
    """Give an org; nobody waits long before trying again in this process."""
    uniform, sleep = http.random.uniform, time.sleep
    http.random.uniform = lambda _low, _high: 0.0
    time.sleep = lambda seconds: sleep(min(seconds, 0.01))
    made = Org(folder, **knobs)
    try:
        yield made
    finally:
        http.random.uniform, time.sleep = uniform, sleep
        made.server.stop()


ACCOUNTS = schema("Account", "Ext_Id__c", "Name", "Phone", keys=["Ext_Id__c"])


def account(n: int, **more: Any) -> dict[str, Any]:
    """Return the n-th account that is written."""
    return {"Ext_Id__c": f"X-{n:05}", "Name": f"Acme {n}", "Phone": "2", **more}


def tapped(count: int) -> list[Message]:
    """Return what a tap of *count* accounts sends."""
    return [ACCOUNTS, *(record("Account", **account(n)) for n in range(count)), state({"done": count})]
