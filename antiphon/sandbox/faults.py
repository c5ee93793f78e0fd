"""The ways an emulator can be told to misbehave, drawn from a seeded generator so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Mapping

KINDS: dict[str, str] = {
    "429": "refused for calling too often",
    "500": "a server error as the vendor words it, nothing done",
    "502-html": "a gateway's error page, nothing done",
    "cut": "done, but the body ends halfway",
    "timeout": "nothing done, no answer: the connection is closed",
    "commit-timeout": "a write is done, and its answer never comes",
    "token-expiry": "401: this one call finds its token expired",
    "html": "200 with a page of HTML, nothing done",
    "empty": "200 with nothing in it, nothing done",
    "conflict": "a write is refused because another came in between, nothing done",
}
AFTER = frozenset({"cut", "commit-timeout"})
"""Faults that strike after the work is done."""
WRITES_ONLY = frozenset({"commit-timeout", "conflict"})


def _known(kind: str) -> str:
    if kind not in KINDS:
        msg = f"unknown fault {kind!r}: the faults are {', '.join(KINDS)}"
        raise ValueError(msg)
    return kind


def parse_faults(text: str) -> dict[str, float]:
    """`429=0.05,cut=0.01` as a mapping. Raises ValueError with what would have been right."""
    faults: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        kind, equals, share = part.partition("=")
        _known(kind)
        try:
            faults[kind] = float(share)
        except ValueError:
            msg = f"fault {kind!r} needs a share between 0 and 1, such as {kind}=0.05" + (
                f": {share!r} is not a number" if equals else ""
            )
            raise ValueError(msg) from None
    return Faults.checked(faults)


class Faults:
    """Decides, call by call, which fault strikes: those queued by `fail_next` first, else by chance."""

    def __init__(self, shares: Mapping[str, float] | None = None, seed: int = 0) -> None:
        self.shares = self.checked(shares or {})
        self._queued: list[tuple[str, str | None]] = []
        self._random = random.Random(f"faults:{seed}")

    @staticmethod
    def checked(shares: Mapping[str, float]) -> dict[str, float]:
        """The shares, each known and between 0 and 1, together at most 1; else ValueError."""
        for kind, share in shares.items():
            _known(kind)
            if not 0 <= share <= 1:
                msg = f"fault {kind!r} needs a share between 0 and 1, not {share}"
                raise ValueError(msg)
        if sum(shares.values()) > 1:
            msg = "the shares of all faults together must not pass 1"
            raise ValueError(msg)
        return dict(shares)

    def set(self, shares: Mapping[str, float]) -> None:
        """Replace all shares."""
        self.shares = self.checked(shares)

    def fail_next(self, n: int, kind: str, route: str | None = None) -> None:
        """Let the next `n` calls (of a route that contains `route`, when given) fail in this way."""
        self._queued.extend([(_known(kind), route)] * n)

    def clear(self) -> None:
        """No more faults, neither queued nor by chance."""
        self.shares = {}
        self._queued.clear()

    def draw(self, route: str, *, write: bool) -> str | None:
        """The fault that strikes this call, or None. A call that none of the shares is for uses no chance up."""
        for index, (kind, only) in enumerate(self._queued):
            if (write or kind not in WRITES_ONLY) and (only is None or only in route):
                del self._queued[index]
                return kind
        if not (write or self.shares.keys() - WRITES_ONLY):
            return None
        point = self._random.random()
        for kind, share in self.shares.items():
            point -= share
            if point < 0:
                return kind if write or kind not in WRITES_ONLY else None
        return None
