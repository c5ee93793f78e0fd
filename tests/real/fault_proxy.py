"""mitmproxy's script behind `faults`: spoils some of the requests that pass, and says which.

Its own address is ``/-/faults`` on the proxy. ``PUT`` takes a plan (the fields of `faults.Plan`) and begins anew,
``GET`` answers ``{"passed": 3, "injected": [{"fault": "bad_gateway", "method": "GET", "path": "/api/v1/version"}]}``.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from typing import Any

from mitmproxy import http  # type: ignore[import-not-found,unused-ignore]

CONTROL = "/-/faults"
FAULTS = "rate_limited", "bad_gateway", "cut", "delayed", "truncated", "lost_answer"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
HTML = b"<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body></html>\n"


class Faults:
    """A plan, the dice it is carried out with, and a record of what it led to."""

    def __init__(self) -> None:
        """Begin with a plan that spoils nothing."""
        self.follow({})

    def follow(self, plan: dict[str, Any]) -> None:
        """Take up a plan and forget what happened before."""
        self.plan = plan
        self.dice = random.Random(plan.get("seed", 0))
        self.due = [fault for fault in FAULTS if plan.get(fault)]
        self.in_a_row: dict[tuple[str, str, bytes], int] = {}
        self.passed = 0
        self.injected: list[dict[str, str]] = []

    def request(self, flow: http.HTTPFlow) -> None:
        """Choose what becomes of a request, and do what is done before the server sees it."""
        if flow.request.path == CONTROL:
            flow.response = self.control(flow.request)
            return
        fault = self.choose(flow.request)
        flow.metadata["fault"] = fault
        if fault == "rate_limited":
            headers = {"Content-Type": "application/json", "Retry-After": str(self.plan["retry_after"])}
            flow.response = http.Response.make(429, b'{"detail": "Request was throttled."}', headers)
        elif fault == "bad_gateway":
            flow.response = http.Response.make(502, HTML, {"Content-Type": "text/html"})
        elif fault == "cut":
            flow.kill()

    async def response(self, flow: http.HTTPFlow) -> None:
        """Do to an answer of the server's what was chosen for it."""
        fault = flow.metadata.get("fault")
        if fault == "delayed":
            await asyncio.sleep(self.plan["delay"])
        elif fault == "truncated":
            # The length announced stays what it was; closing the connection tells the client that no more will come.
            content = flow.response.raw_content
            flow.response.headers["Content-Length"] = str(len(content))
            flow.response.headers["Connection"] = "close"
            flow.response.data.content = content[: len(content) // 2]
        elif fault == "lost_answer":
            flow.kill()

    def choose(self, request: http.Request) -> str | None:
        """The fault for this request, or None to let it pass, and make a note of it."""
        key = request.method, request.path, request.raw_content or b""
        spared = not self.plan or self.in_a_row.get(key, 0) >= self.plan["in_a_row"]
        fault = None if spared else self.draw(request)
        if fault is None:
            self.in_a_row.pop(key, None)
            self.passed += 1
            return None
        self.in_a_row[key] = self.in_a_row.get(key, 0) + 1
        self.injected.append({"fault": fault, "method": request.method, "path": request.path})
        return fault

    def draw(self, request: http.Request) -> str | None:
        """The next fault that has not struck yet, whoever comes first; then throw the dice, once for each request meant."""
        if not re.search(self.plan["only"], f"{request.method} {request.path}"):
            return None
        possible = [fault for fault in FAULTS if fault != "lost_answer" or request.method in WRITES]
        for fault in self.due:
            if fault in possible:
                self.due.remove(fault)
                return fault
        left = self.dice.random()
        for fault in FAULTS:
            left -= self.plan[fault]
            if left < 0:
                return fault if fault in possible else None
        return None

    def control(self, request: http.Request) -> http.Response:
        """Answer the tests themselves."""
        if request.method == "PUT":
            self.follow(json.loads(request.content))
        said = json.dumps({"passed": self.passed, "injected": self.injected})
        return http.Response.make(200, said, {"Content-Type": "application/json"})


addons = [Faults()]
