"""The servers that the descriptions in ``examples/`` are tried on, and one table of each as plain requests see it.

None of them was written here. They keep their data in memory or in the test's folder, and listen on 127.0.0.1 alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from tests.real.servers import Server

Row = dict[str, Any]
ERROR = 400


class Table(Protocol):
    """Rows of one kind on a server, handled by its own API without anything of ours."""

    def add(self, rows: list[Row]) -> None:
        """Create rows."""

    def rows(self) -> list[Row]:
        """Return all rows, in any order."""

    def change(self, row: Row, fields: Row) -> None:
        """Change some fields of a row that `rows` returned."""

    def remove(self, row: Row) -> None:
        """Delete a row that `rows` returned."""


@dataclass(frozen=True)
class Served:
    """A running server: the settings that the description beside it takes, and a table to try it on."""

    config: Mapping[str, Any]
    table: Table
    server: Server

    def stop(self) -> None:
        """End the server."""
        self.server.stop()


Start = Callable[[Path], Served]


def ask(method: str, url: str, **options: Any) -> Any:
    """What one successful call answers, decoded; None for an empty answer. `options` are requests' own.

    Raises `requests.HTTPError` with the answer's text for a refusal.
    """
    answer = requests.request(method, url, timeout=60, **options)
    if answer.status_code >= ERROR:
        raise requests.HTTPError(f"{method} {url} -> {answer.status_code} {answer.text[:500]}", response=answer)
    return answer.json() if answer.content else None
