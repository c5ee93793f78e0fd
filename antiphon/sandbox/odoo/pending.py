"""A transaction that takes its time: its rows appear when it commits, dated to when it began."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from antiphon.sandbox.odoo.emulator import Odoo


class Pending:
    """Work that nobody sees yet. `at` is the transaction's start, which every row it touches will carry."""

    def __init__(self, app: Odoo, at: str) -> None:
        self.at = at
        self._app = app
        self._work: list[Callable[[], Iterable[int]]] = []

    def add(self, model: str, *given: Mapping[str, Any]) -> None:
        """New records."""
        self._work.append(lambda: self._app.add(model, *given, at=self.at))

    def edit(self, model: str, given: Mapping[str, Any], *, ids: Iterable[int] | None = None) -> None:
        """The same values for many records."""
        self._work.append(lambda: self._app.edit(model, given, ids=ids, at=self.at))

    def delete(self, model: str, *ids: int) -> None:
        """Delete for good."""

        def do() -> Iterable[int]:
            self._app.delete(model, *ids)
            return ids

        self._work.append(do)

    def commit(self) -> list[int]:
        """Let everybody see it; the ids of all records it touched. May be called once."""
        with self._app.lock:
            work, self._work = self._work, []
            return [id_ for do in work for id_ in do()]
