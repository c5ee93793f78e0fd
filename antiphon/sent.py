"""What was sent of a list, known again by its key: the last twenty thousand records."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from itertools import islice, takewhile
from typing import Any

import msgspec

from antiphon.api import Record, Resource

REMEMBERED = 20_000
"""Records, at the least; at the most half as many more."""
TOLD = 20
"""Keys that a cursor holds, for an interrupted read to know where it is."""
_NEVER = object()
_PACKED = 1 << 63
"""Whole numbers below that are packed."""


class Sent:
    """The records of one walk through a list, by key, each with the time of change it had; the latest that were met come last."""

    def __init__(self, resource: Resource, told: Iterable[str] = ()) -> None:
        """Begin with the keys that a cursor *told*: those of the last records of an earlier walk."""
        self._key, self._updated = resource.key, resource.updated
        self._versions: dict[Hashable, Any] = {}
        self._told = list(told)
        self.whole = not self._told
        """Whether all is remembered, from the list's beginning."""
        self._ranges = None if self._told else _Ranges()
        """What is remembered, as long as each page has a range of keys for itself; by key in ``_versions`` once it does not, or one has to be found again."""
        self._turned = False
        self._ahead: set[Hashable] = set()
        """Those that are to come again since the walk went back, unless they have gone: others may have come in before them."""

    def __len__(self) -> int:
        """Return how many are remembered."""
        self._unpack()
        return len(self._versions) + len(self._told)

    def key(self, row: Record) -> Hashable:
        """Return the key of *row*: the value where the key is one field, else a tuple; None where it has none."""
        if len(self._key) == 1:
            key = row.get(self._key[0])
        else:
            key = tuple(row.get(name) for name in self._key)
            if not key or None in key:
                return None
        try:
            hash(key)
        except TypeError:
            return repr(key)
        return key

    def _unpack(self) -> None:
        if self._ranges:
            self._versions, self._ranges = self._ranges.versions(), None

    def _known(self, key: Hashable) -> bool:
        return key in self._versions or (bool(self._told) and repr(key) in self._told)

    def knows(self, found: Iterable[Record]) -> bool:
        """Return whether one of the records *found* was sent before."""
        self._unpack()
        return any(self._known(self.key(row)) for row in found)

    def took(self, keys: Sequence[Any], changed: Sequence[Any]) -> bool:
        """Return whether the records with these *keys*, *changed* at these times, come once and were not sent before; then they were, now."""
        if len(set(keys)) < len(keys):
            return False
        if self._ranges:
            if self._ranges.took(keys, changed):
                self.whole = self._ranges.whole
                return True
            self._unpack()
        if not self._versions.keys().isdisjoint(keys):
            return False
        if self._told and any(repr(key) in self._told for key in keys):
            return False
        self._versions.update(zip(keys, changed, strict=False))  # there are no keys where the resource has none
        self._forget()
        return True

    @property
    def lost(self) -> bool:
        """Whether more is to come again than can be remembered."""
        return len(self._ahead) > REMEMBERED

    def turn(self) -> None:
        """Go back: what was sent after the place that is read next comes again."""
        self._turned = True

    def _turn(self, found: Iterable[Record]) -> None:
        here = {self.key(row) for row in found}
        self._ahead |= set(takewhile(lambda key: key not in here, reversed(self._versions)))
        self._turned = False

    def fresh(self, found: Sequence[Record], *, ordered: bool) -> list[Record]:
        """Return the records that were not sent before, or have changed since; from now on they were.

        Where the list is *ordered* and not all is remembered, what comes before the first known record was sent and forgotten.
        """
        known = self.knows(found)  # unpacks
        if self._turned or (ordered and known):
            self._turn(found)
        late = not ordered or self.whole or not known
        fresh = []
        for row in found:
            key = self.key(row)
            if key is None:
                fresh.append(row)
                continue
            version = row.get(self._updated) if self._updated else None
            told, before = self._known(key), self._versions.pop(key, _NEVER)
            if not told and not late:
                continue
            late = late or told
            if not told or (before is not _NEVER and before != version):
                fresh.append(row)
            self._ahead.discard(key)
            self._versions[key] = version
        self._forget()
        return fresh

    def _forget(self) -> None:
        surplus = len(self._versions) - REMEMBERED - len(self._ahead)
        if surplus > REMEMBERED // 2:  # not at each page: those that are kept take time
            self.whole = False
            old = islice((key for key in self._versions if key not in self._ahead), surplus) if self._ahead else ()
            for key in list(old):
                del self._versions[key]
                surplus -= 1
            self._versions = dict(islice(self._versions.items(), surplus, None))

    def last(self) -> list[str]:
        """Return the keys of the last records, for a cursor to hold."""
        self._unpack()
        latest = [repr(key) for key in islice(reversed(self._versions), TOLD)][::-1]
        return [*self._told, *latest][-TOLD:]


class _Ranges:
    """The records of a list each of whose pages has its keys in a range of its own, packed: they rise from page to page, or fall.

    A page whose range meets none of those that are remembered holds nothing that was sent: no key need be looked up, and none be kept
    by itself.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.whole = True
        """Whether none was forgotten."""
        self._pages: deque[tuple[int, tuple[int, Any], bytes]] = deque()
        self._count = 0
        self._lowest: list[tuple[int, Any]] = []
        self._highest: list[tuple[int, Any]] = []
        """The ends of the ranges, in their order."""

    def took(self, keys: Sequence[Any], changed: Sequence[Any]) -> bool:
        """Return whether these *keys* are in a range of their own; then their records are remembered."""
        if not keys:
            return True
        kinds = set(map(type, keys))
        if kinds not in ({int}, {str}):
            return False
        rising = sorted(keys)  # as most lists are
        if kinds == {int}:
            lowest, highest = (0, rising[0]), (0, rising[-1])
        else:
            if len(set(map(len, keys))) > 1:
                rising.sort(key=len)  # the longer the higher: so numbers rise as texts, too
            lowest, highest = (1 + len(rising[0]), rising[0]), (1 + len(rising[-1]), rising[-1])
        place = bisect(self._lowest, lowest)
        if place and lowest <= self._highest[place - 1]:
            return False
        if place < len(self._lowest) and highest >= self._lowest[place]:
            return False
        if kinds == {int} and not -_PACKED <= lowest[1] <= highest[1] < _PACKED:
            return False
        self._lowest.insert(place, lowest)
        self._highest.insert(place, highest)
        self._pages.append((len(keys), lowest, msgspec.msgpack.encode((keys, changed))))
        self._count += len(keys)
        while self._count - self._pages[0][0] >= REMEMBERED:
            self._forget()
        return True

    def _forget(self) -> None:
        """Forget the page that came first."""
        count, lowest, _ = self._pages.popleft()
        place = bisect_left(self._lowest, lowest)
        del self._lowest[place], self._highest[place]
        self._count -= count
        self.whole = False

    def versions(self) -> dict[Hashable, Any]:
        """Return them all by key, each with the time of change it had."""
        found: dict[Hashable, Any] = {}
        for *_, packed in self._pages:
            keys, changed = msgspec.msgpack.decode(packed)
            found.update(zip(keys, changed, strict=True))
        return found
