"""Emulators of vendors' APIs, for demos and tests: stateful, strict, and able to misbehave when asked.

    with start("hubspot", records=50) as server:
        requests.get(server.url + "/crm/v3/objects/contacts", headers=...)

An emulator is written from its vendor's documentation and imports nothing of the library it helps to test.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import threading
from collections.abc import Mapping
from importlib import import_module
from types import FrameType
from typing import Any

from antiphon.sandbox.emulator import Call, Emulator
from antiphon.sandbox.faults import KINDS, parse_faults
from antiphon.sandbox.limits import parse_limit
from antiphon.sandbox.server import Server

__all__ = ["KINDS", "Call", "Emulator", "Server", "names", "parse_faults", "parse_limit", "run", "start"]

# Loaded when named: the module, and the class in it.
_EMULATORS = {
    "hubspot": ("antiphon.sandbox.hubspot", "HubSpot"),
    "odoo": ("antiphon.sandbox.odoo", "Odoo"),
    "salesforce": ("antiphon.sandbox.salesforce", "Salesforce"),
}


def names() -> list[str]:
    """The vendors that can be emulated."""
    return sorted(_EMULATORS)


def emulator(name: str, **knobs: Any) -> Emulator:
    """An emulator without a server, to be called with `handle`. Raises ValueError for a name that is none."""
    if name not in _EMULATORS:
        msg = f"there is no sandbox for {name!r}: there is one for {', '.join(names())}"
        raise ValueError(msg)
    module, kind = _EMULATORS[name]
    made: Emulator = getattr(import_module(module), kind)(**knobs)
    return made


def start(
    name: str,
    *,
    port: int = 0,
    records: int = 100,
    latency_ms: float = 0,
    limit: tuple[int, float] | None = None,
    faults: Mapping[str, float] | None = None,
    seed: int = 0,
    tls: bool = False,
    **knobs: Any,
) -> Server:
    """Serve an emulator from threads of this process, bound to 127.0.0.1.

    `records` is the number of records of the main resource, `limit` (calls, seconds), `faults` shares between 0 and 1
    by kind (`KINDS`). With `tls` the config names the self-signed certificate to trust, `ca_bundle`. Further knobs belong
    to the vendor. Raises ValueError for a name or a fault that is none.
    """
    app = emulator(name, records=records, latency_ms=latency_ms, limit=limit, faults=faults, seed=seed, **knobs)
    return Server(app, port, tls=tls)


def run(name: str, **knobs: Any) -> None:
    """Serve in the foreground until SIGTERM or SIGINT; takes what `start` takes.

    Without a `seed` it is another account each time: it has nothing of what was written to the last one. Prints one line of JSON,
    `{"config": {...}}`, once the server answers. For the main thread of a process.
    """
    if knobs.get("seed") is None:
        knobs = {**knobs, "seed": 0, **({"portal_id": 10**8 + secrets.randbelow(10**9)} if name == "hubspot" else {})}

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with contextlib.suppress(KeyboardInterrupt), start(name, **knobs) as server:
        print(json.dumps({"config": server.config}), flush=True)  # noqa: T201 - the contract of the command
        threading.Event().wait()
