"""What really befell the calls on their way into an emulator: so that a fault which never struck is not taken for one that was borne."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from antiphon.sandbox.faults import WRITES_ONLY

LOST = frozenset({"500", "502-html", "cut", "timeout", "commit-timeout"})
"""The faults after which a client cannot know whether a write was done."""
_EXPIRED = b"AccessDenied", b"SessionExpired"
"""How Odoo says it, with a status of 200."""


class Watch:
    """Sees every call and its answer, from before the first run to after the last."""

    def __init__(self, app: Any, keys: str, *, expires: int) -> None:
        """Watch *app*, whose records have *keys* of that form; its token is no good from the write number *expires* on."""
        self.struck: Counter[str] = Counter()
        """How many calls each fault struck; ``expired``: how many were refused for their token."""
        self.lost: set[str] = set()
        """The keys of all records that were in a write whose answer was lost."""
        self.writes = 0
        self._key = re.compile(re.escape(keys).replace(re.escape("{n:05}"), r"\d{5}"))
        self._app, self._expires, self._expired = app, expires, False
        self._handle = app.handle
        app.handle = self._watching

    def expected(self, shares: dict[str, float]) -> float:
        """Return how many calls *shares* should have struck, of those that there were."""
        calls = self._app.count()
        return sum(share * (self.writes if kind in WRITES_ONLY else calls) for kind, share in shares.items())

    def _watching(self, request: Any) -> Any:
        if request.segments[:1] == ["_sandbox"]:
            return self._handle(request)
        with self._app.lock:
            write = self._app.writes(request)
            self.writes += write
            if write and self.writes == self._expires:
                self._app.expire_token()
                self._expired = True
            response = self._handle(request)
            fault = self._app.log[-1].fault
        if fault:
            self.struck[fault] += 1
        if self._expired and (response.status == 401 or any(word in response.body for word in _EXPIRED)):
            self.struck["expired"] += 1
        if write and fault in LOST:
            self.lost.update(self._key.findall(request.body.decode("utf-8", "replace")))
        return response
