"""A request and a response as plain data, so that an emulator can be called without a socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote


@dataclass(slots=True)
class Request:
    """One HTTP request. Header names are lower case, path segments are percent-decoded, a trailing slash is dropped."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    segments: list[str] = field(init=False)
    _query: dict[str, list[str]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        path = self.target.partition("?")[0].strip("/")
        self.segments = [unquote(segment) for segment in path.split("/")] if path else []

    @property
    def query(self) -> dict[str, list[str]]:
        """The query string, every name with all its values."""
        if self._query is None:
            self._query = parse_qs(self.target.partition("?")[2], keep_blank_values=True)
        return self._query

    def first(self, name: str) -> str | None:
        """The first value of a query parameter, or None."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclass(slots=True)
class Response:
    """One HTTP response, and how the server is to misbehave while sending it.

    `cut` announces the whole body and sends half of it; `drop` waits `stall` seconds and closes without a word.
    `file` is a body that is too large to hold, read while it is sent; `body` is empty then.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    drop: bool = False
    stall: float = 0.0
    file: Path | None = None

    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


def encode(document: object) -> bytes:
    """A document as compact UTF-8 JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def json_response(status: int, document: object, headers: dict[str, str] | None = None) -> Response:
    """A response that carries a document."""
    return Response(status, encode(document), {"Content-Type": "application/json;charset=utf-8", **(headers or {})})
