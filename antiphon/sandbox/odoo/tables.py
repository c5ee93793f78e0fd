"""The rows of one model: by id, in order of their last change, and by value where somebody looks values up.

`put` is the only way in, so that whoever keeps what it replaced can put that back.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
Edge = tuple[str, float]
"""A place in the order of change: (write_date, id)."""
ALWAYS: tuple[Edge, Edge] = (("", float("-inf")), ("~", float("inf")))
FEW = 5000


class Table:
    """Rows by id. A row is replaced, never changed in place. `revision` grows with every change."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self.next_id = 1
        self.revision = 0
        self._by_change: list[tuple[str, int]] | None = None
        self._by_value: dict[tuple[str, bool], dict[Any, set[int]]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def new_id(self) -> int:
        """An id that no row has or had."""
        self.next_id += 1
        return self.next_id - 1

    def put(self, id_: int, row: Row | None) -> Row | None:
        """Store a row (or drop it, for None) and return the one that was there."""
        old = self.rows.get(id_)
        self.revision += 1
        if row is None:
            if old is None:
                return None
            del self.rows[id_]
            del self.ids[bisect_left(self.ids, id_)]
        else:
            self.rows[id_] = row
            self.next_id = max(self.next_id, id_ + 1)
            if old is None:
                insort(self.ids, id_)
        self._reorder(id_, old, row)
        for (name, folded), index in self._by_value.items():
            was, now = _key(old, name, folded), _key(row, name, folded)
            if was != now or (old is None) != (row is None):
                if old is not None and was is not None:
                    index[was].discard(id_)
                if row is not None and now is not None:
                    index.setdefault(now, set()).add(id_)
        return old

    def _reorder(self, id_: int, old: Row | None, row: Row | None) -> None:
        order = self._by_change
        if order is None:
            return
        was = old.get("write_date", "") if old is not None else None
        now = row.get("write_date", "") if row is not None else None
        if was == now:
            return
        if was is not None:
            del order[bisect_left(order, (was, id_))]
        if now is not None:
            insort(order, (now, id_))

    def expect_many(self, count: int) -> None:
        """Many rows are about to change: order them again when somebody asks, not one by one."""
        if count > FEW:
            self._by_change = None

    def by_change(self, low: Edge, high: Edge) -> tuple[list[tuple[str, int]], int, int]:
        """The order of change, and where in it the rows between two edges (both included) begin and end."""
        if self._by_change is None:
            self._by_change = sorted((row.get("write_date", ""), id_) for id_, row in self.rows.items())
        order = self._by_change
        return order, bisect_left(order, low), bisect_right(order, high)

    def by_id(self, low: float, high: float) -> tuple[list[int], int, int]:
        """All ids in order, and where in them those between two bounds (both included) begin and end."""
        return self.ids, bisect_left(self.ids, low), bisect_right(self.ids, high)

    def lookup(self, name: str, values: Iterable[Any], *, folded: bool = False) -> set[int]:
        """The ids of the rows that hold one of these values. Builds its index when first asked for the field."""
        index = self._by_value.get((name, folded))
        if index is None:
            index = self._by_value[name, folded] = {}
            for id_, row in self.rows.items():
                key = _key(row, name, folded)
                if key is not None:
                    index.setdefault(key, set()).add(id_)
        found: set[int] = set()
        for value in values:
            found |= index.get(value.lower() if folded else value, set())
        return found


def _key(row: Row | None, name: str, folded: bool) -> Any:
    value = None if row is None else row.get(name)
    return value.lower() if folded and isinstance(value, str) else value
