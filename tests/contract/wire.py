"""What goes over the wire between the library and a server, in order, and faults put in on the way.

It sits at the adapter of every session of `requests`, and looks only at what is sent under the library's own name.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

_SEND = HTTPAdapter.send
WORDS = b'{"message": "put in by the test"}'
LOST = "lost"
"""Carried out by the server, and the answer is lost."""
_READING = ("/search", "/batch/read", "/search_read", "/read", "/fields_get", "/context_get")
"""How paths end that are asked with POST and change nothing."""
CUT = "cut"
"""Never sent: the connection breaks."""


class Wire:
    """The requests so far, and the faults that are still to strike."""

    def __init__(self) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self._faults: list[tuple[int | str, Callable[[requests.PreparedRequest], object]]] = []

    def fail(
        self, *faults: int | str, only: Callable[[requests.PreparedRequest], object] = lambda _request: True
    ) -> None:
        """Let each of *faults* (a status, `LOST` or `CUT`) strike one of the next requests, of those that *only* takes."""
        self._faults += [(fault, only) for fault in faults]

    @property
    def waiting(self) -> int:
        """How many faults have not struck yet."""
        return len(self._faults)

    def clear(self) -> None:
        """Forget the requests so far."""
        self.requests.clear()

    def send(self, adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Pass *request* on, or do to it what is to be done."""
        if not str(request.headers.get("User-Agent", "")).startswith("antiphon"):
            return _SEND(adapter, request, **options)
        self.requests.append(request)
        fault = self._struck(request)
        if fault == CUT:
            raise requests.ConnectionError("Connection aborted: the connection was reset", request=request)
        if isinstance(fault, int):
            headers = {"Content-Type": "application/json", "Retry-After": "0"}
            raw = urllib3.HTTPResponse(io.BytesIO(WORDS), headers, fault, preload_content=False)
            return adapter.build_response(request, raw)
        response = _SEND(adapter, request, **options)
        if fault == LOST:
            response.close()
            raise requests.ConnectionError("Connection aborted: without response", request=request)
        return response

    def _struck(self, request: requests.PreparedRequest) -> int | str | None:
        for number, (fault, only) in enumerate(self._faults):
            if only(request):
                del self._faults[number]
                return fault
        return None


def tapped(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """A wire through which everything goes until the test ends."""
    wire = Wire()

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        return wire.send(adapter, request, **options)

    monkeypatch.setattr(HTTPAdapter, "send", send)
    return wire


def writes(request: requests.PreparedRequest) -> bool:
    """Whether *request* changes something, as its method and path tell."""
    path = urlsplit(str(request.url)).path
    return request.method != "GET" and not path.endswith(_READING)


def doubled(sent: Iterable[requests.PreparedRequest]) -> list[str]:
    """The reads that were sent more than once although nothing asked for it."""
    reads = Counter((r.method, r.url, r.body) for r in sent if not writes(r))
    return [f"{method} {url} {body!r}" for (method, url, body), n in reads.items() if n > 1]


# How requests are shown in a snapshot.

_TOKEN = re.compile(r"[0-9a-f]{32}")
_SHOWN = ("Authorization", "Content-Type", "X-Idempotency-Key")
_IDS = frozenset({"id", "ids", "list", "lists", "item", "subevent", "position", "inputs"})
_MASKS = {"after": "<cursor>", "secret": "<secret of a ticket>"}


def shown(request: requests.PreparedRequest, root: str, secret: str, ids: Iterable[str]) -> dict[str, Any]:
    """*request* as a reader wants it: the path below *root*, parameters sorted; *secret*, *ids* and tokens masked."""
    known = set(ids)
    url = urlsplit(str(request.url))
    found: dict[str, Any] = {str(request.method): _path(url.path.removeprefix(urlsplit(root).path), known)}
    if params := sorted(parse_qsl(url.query, keep_blank_values=True)):
        found["params"] = {name: _masked(value, name, known) for name, value in params}
    headers = {name: request.headers[name] for name in _SHOWN if name in request.headers}
    found["headers"] = {
        name: _masked(str(value).replace(secret, "<token>"), name, known) for name, value in headers.items()
    }
    if request.body and "json" in headers.get("Content-Type", ""):
        found["body"] = _masked(msgspec.json.decode(request.body), "", known)
    elif request.body:
        text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        found["body"] = [",".join(_masked(cell, "id", known) for cell in line.split(",")) for line in text.splitlines()]
    return found


def collapsed(pages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Requests without those that another was like: how many pages and parents there are is not a snapshot's affair."""
    kept: list[dict[str, Any]] = []
    for one in pages:
        if one not in kept:
            kept.append(one)
    return kept


def _path(path: str, ids: set[str]) -> str:
    return "/".join("<id>" if part.isdigit() or part in ids else part for part in path.split("/"))


def _masked(value: Any, name: str, ids: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _masked(inner, key, ids) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, name, ids) for inner in value]
    if name in _MASKS:
        return _MASKS[name]
    if isinstance(value, str) and _TOKEN.fullmatch(value):
        return "<token>"
    if value in ids or (name in _IDS and str(value).isdigit()):
        return "<id>"
    return "<number>" if name == "page" else value
