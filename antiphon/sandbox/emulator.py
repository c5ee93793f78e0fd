"""What every emulator shares: one call at a time, a log of calls, faults, and a control surface under `/_sandbox/`.

The control surface needs no credentials. Every emulator answers

- `GET  /_sandbox/calls` -> `{"calls": [{"method", "route", "count"}], "rate_limited": n}`
- `POST /_sandbox/calls/reset`
- `GET  /_sandbox/log` -> the last calls, oldest first: `{"log": [{"method", "route", "target", "status", "fault", "body", "at"}]}`
- `POST /_sandbox/faults` `{"429": 0.05, ...}` replaces the shares of all faults
- `POST /_sandbox/fail-next` `{"n": 1, "kind": "500", "route": null}`
- `POST /_sandbox/limit` `{"calls": 100, "seconds": 10}`, or `{}` for none
- `POST /_sandbox/token/expire`, `POST /_sandbox/token/renew` -> `{"access_token": ...}`

and those of its own vendor besides.
"""

from __future__ import annotations

import json
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.faults import AFTER, Faults
from antiphon.sandbox.limits import RollingLimit

PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>"
LOGGED_BODY = 1 << 18
"""Bytes of a body that the log keeps."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was received and answered. `fault` names the fault that struck it, if any; `at` is when it was answered, in seconds since 1970."""

    method: str
    route: str
    target: str
    status: int
    fault: str | None
    body: bytes
    at: float


class Emulator(ABC):
    """A vendor's API in memory. `handle` is safe to call from many threads.

    `calls` counts per (method, route), `log` holds the last 2,000 calls, `rate_limited` counts the 429s sent.
    `url` is where a server serves it, if one does.
    """

    name: ClassVar[str]

    def __init__(
        self,
        *,
        limit: tuple[int, float] | None = None,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        latency_ms: float = 0,
        stall_seconds: float = 0.2,
    ) -> None:
        self.lock = threading.RLock()
        self.faults = Faults(faults, seed)
        self.limit = RollingLimit(*limit) if limit else None
        self.latency_ms = latency_ms
        self.stall_seconds = stall_seconds
        self.calls: Counter[tuple[str, str]] = Counter()
        self.log: deque[Call] = deque(maxlen=2000)
        self.rate_limited = 0
        self.url = ""

    # What a vendor says for itself.

    @abstractmethod
    def config(self, base_url: str) -> dict[str, Any]:
        """The plugin config with which a client reaches this emulator."""

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """Do the work. Called with the lock held."""

    @abstractmethod
    def route(self, request: Request) -> str:
        """The name under which this request is counted."""

    @abstractmethod
    def writes(self, request: Request) -> bool:
        """Whether this request would change something."""

    @abstractmethod
    def refusal(self, kind: str) -> Response:
        """The vendor's own reply for the faults `429`, `500`, `conflict` and `token-expiry`."""

    @abstractmethod
    def expire_token(self) -> None:
        """From now on every call is refused as expired, until `renew_token`."""

    @abstractmethod
    def renew_token(self) -> str:
        """A fresh token, the only one that is accepted from now on."""

    def control(self, request: Request) -> Response | None:  # noqa: ARG002
        """The vendor's own part of the control surface; None when there is no such thing."""
        return None

    # What is the same for all.

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.segments[:1] == ["_sandbox"]:
            with self.lock:
                return self._control(request)
        with self.lock:
            route = self.route(request)
            fault = self.faults.draw(route, write=self.writes(request))
            response = self.answer(request) if fault is None or fault in AFTER else self._instead(fault)
            if fault == "cut":
                response.cut = True
            elif fault == "commit-timeout":
                response = Response(0, drop=True, stall=self.stall_seconds)
            if response.status == 429:
                self.rate_limited += 1
            self.calls[request.method, route] += 1
            logged = request.body[:LOGGED_BODY]
            self.log.append(Call(request.method, route, request.target, response.status, fault, logged, time.time()))
        return response

    def _instead(self, fault: str) -> Response:
        html = {"Content-Type": "text/html"}
        if fault == "timeout":
            return Response(0, drop=True, stall=self.stall_seconds)
        if fault == "502-html":
            return Response(502, PAGE % (b"502 Bad Gateway", b"502 Bad Gateway"), html)
        if fault == "html":
            return Response(200, PAGE % (b"Maintenance", b"We will be back"), html)
        if fault == "empty":
            return Response(200, b"", {"Content-Type": "application/json"})
        return self.refusal(fault)

    def fail_next(self, n: int, kind: str, route: str | None = None) -> None:
        """Let the next `n` calls (of a route that contains `route`, when given) fail in this way."""
        with self.lock:
            self.faults.fail_next(n, kind, route)

    def set_faults(self, shares: Mapping[str, float]) -> None:
        """Replace the shares of all faults."""
        with self.lock:
            self.faults.set(shares)

    def set_limit(self, limit: tuple[int, float] | None) -> None:
        """Announce and enforce another burst limit, or none."""
        with self.lock:
            self.limit = RollingLimit(*limit) if limit else None

    def count(self, route: str = "", method: str | None = None) -> int:
        """How many calls had a route that contains `route` (and this method)."""
        with self.lock:
            return sum(n for (verb, name), n in self.calls.items() if route in name and method in {None, verb})

    def reset_calls(self) -> None:
        """Forget the calls so far."""
        with self.lock:
            self.calls.clear()
            self.log.clear()
            self.rate_limited = 0

    def _control(self, request: Request) -> Response:
        what = (request.method, "/".join(request.segments[1:]))
        try:
            response = self._common_control(what, json.loads(request.body or b"{}")) or self.control(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return json_response(400, {"error": f"{type(error).__name__}: {error}"})
        return response or json_response(404, {"error": f"no such control: {' /_sandbox/'.join(what)}"})

    def _common_control(self, what: tuple[str, str], body: dict[str, Any]) -> Response | None:
        done: object = {"ok": True}
        match what:
            case ("GET", "calls"):
                counted = [{"method": m, "route": r, "count": n} for (m, r), n in sorted(self.calls.items())]
                done = {"calls": counted, "rate_limited": self.rate_limited}
            case ("POST", "calls/reset"):
                self.reset_calls()
            case ("GET", "log"):
                done = {"log": [_shown(call) for call in self.log]}
            case ("POST", "faults"):
                self.set_faults(body)
            case ("POST", "fail-next"):
                self.fail_next(int(body.get("n", 1)), body["kind"], body.get("route"))
            case ("POST", "limit"):
                self.set_limit((int(body["calls"]), float(body["seconds"])) if body else None)
            case ("POST", "token/expire"):
                self.expire_token()
            case ("POST", "token/renew"):
                done = {"access_token": self.renew_token()}
            case _:
                return None
        return json_response(200, done)


def _shown(call: Call) -> dict[str, Any]:
    return {
        "method": call.method,
        "route": call.route,
        "target": call.target,
        "status": call.status,
        "fault": call.fault,
        "body": call.body.decode("utf-8", "replace"),
        "at": call.at,
    }
