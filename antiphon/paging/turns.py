"""Pages by time, halved where the API's cap is met; and a loop whose turns are told by conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from antiphon import moment
from antiphon.api import Paging, Query, Reply, Request
from antiphon.bounds import Count, Place, Seconds, Span
from antiphon.condition import Condition, all_hold
from antiphon.errors import DescriptionError, PagingError, did_you_mean
from antiphon.fill import fill, look, parts, paths, put
from antiphon.paging.asked import asked_with
from antiphon.paging.links import link

MOST_IN_A_WINDOW = 20_000
"""Records; so many are remembered, to leave out those that come again in the halves of a window."""


@dataclass(frozen=True)
class Windows:
    """Each turn asks for what lies in one window of time: ``{since}`` and ``{until}`` are its bounds, both inclusive.

    Where a window holds as many records as the API gives at most, it is halved and asked for again.
    """

    seconds: Seconds
    """How long a window is, at most."""
    cap: Annotated[int, Span(least=1, most=MOST_IN_A_WINDOW)]
    """How many records the API gives for one question, at most."""
    start: str = moment.EPOCH
    """Where the first window begins (RFC 3339) when all is asked for."""
    total: str = ""
    """Where in the reply it is told how many records the window holds."""
    within: Paging | None = None
    """How the pages of one window follow each other. Pages by place do not overlap here: take others where rows come and go."""
    least: Seconds = 1
    """Seconds; a window that short is not halved any more."""

    def __post_init__(self) -> None:
        """Let the pages of one window not overlap."""
        if getattr(self.within, "overlap", False):
            object.__setattr__(self, "within", replace(self.within, overlap=False))  # type: ignore[type-var]

    def first(self) -> Any:
        """Return the first window of all there is."""
        return self.begin(Query())

    def begin(self, query: Query) -> Any:
        """Return the first window of what *query* asks for."""
        begin = moment.parse(query.since or self.start)
        end = max(begin, moment.parse(query.until) if query.until else moment.now())
        return self._window(begin, timedelta(seconds=self.seconds), end)

    def bounds(self, cursor: Any) -> tuple[str, str]:
        """Return the first and the last moment of the window."""
        return cursor["from"], cursor["to"]

    def ask(self, request: Request, cursor: Any) -> Request:
        """Ask for a page of the window, whose bounds are filled in already."""
        return self.ask_with(request, cursor, {})

    def ask_with(self, request: Request, cursor: Any, values: Mapping[str, Any]) -> Request:
        """Ask, where the pages of the window are told by *values*, too."""
        return asked_with(self.within, request, cursor["at"], values) if self.within else request

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the window's next page, its first half, or the window after it.

        Raises:
            PagingError: the shortest window still holds too many.
        """
        begin, stop, end = (moment.parse(cursor[name]) for name in ("from", "to", "end"))
        count = cursor["count"] + len(records)
        told = str(look(reply.json(), self.total)) if self.total else ""
        if int(told) > self.cap if told.isdecimal() else count >= self.cap:
            if (stop - begin).total_seconds() <= self.least:
                said = f"more than {self.cap} records between {cursor['from']} and {cursor['to']}"
                raise PagingError(
                    said, hint="The API gives no more for one question, and no shorter time can be asked for."
                )
            return self._window(begin, (stop - begin) / 2, end)
        if self.within and (at := self.within.following(cursor["at"], reply, records)) is not None:
            return {**cursor, "at": at, "count": count}
        if stop >= end:
            return None
        return self._window(stop, min(timedelta(seconds=self.seconds), 2 * (stop - begin)), end)

    ends: ClassVar[bool] = True
    """It is known beforehand where the windows end."""

    def expected(self, cursor: Any, reply: Reply, came: int) -> Any:  # noqa: ARG002
        """Return the next window, if this one is not halved: while windows are shorter than they may be, nobody knows."""
        begin, stop, end = (moment.parse(cursor[name]) for name in ("from", "to", "end"))
        long = timedelta(seconds=self.seconds)
        return None if stop >= end or stop - begin < long else self._window(stop, long, end)

    def _window(self, begin: datetime, long: timedelta, end: datetime) -> Any:
        stop = min(end, begin + long)
        bounds = {name: moment.rfc3339(at) for name, at in (("from", begin), ("to", stop), ("end", end))}
        return {**bounds, "at": self.within.first() if self.within else None, "count": 0}


@dataclass(frozen=True)
class Advanced:
    """A loop told by conditions: on each turn, first whether to stop, then whether to add parameters to the request.

    It ends at an answer without records. What conditions and parameters may name:

    ===================  ==================================================================
    ``iteration``        the number of the turn: 0, 1, 2 …; ``number`` is one more
    ``limit``, ``skip``  the size of a page as said here, and how many records that makes in all turns before
    ``count``            how many records have come
    ``response…``        the body of the answer before
    ``headers…``         its headers; ``links.next`` … are the URLs in its Link header
    ===================  ==================================================================

    Parameters may name settings and the rest of what a request may name, besides.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are added to the query."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """Headers that are added."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """What is added to the body."""
    add_if: tuple[Condition, ...] = ()
    """When these are added: when all of the conditions hold. None: always."""
    break_early: tuple[Condition, ...] = ()
    """When the loop ends before a request: when all of the conditions hold. None: never."""
    limit: Place = 0
    """The size of a page, for ``limit`` and ``skip``."""
    most: Count = 1000
    """Turns; more are an error."""

    VALUES: ClassVar[tuple[str, ...]] = (
        "iteration",
        "number",
        "limit",
        "skip",
        "count",
        "response",
        "headers",
        "links",
    )
    """What its placeholders may name."""

    def __post_init__(self) -> None:
        """Refuse conditions on what there is not."""
        for slot in ("add_if", "break_early"):
            for condition in getattr(self, slot):
                if (name := parts(condition.path)[0]) not in self.VALUES:
                    said = f'there is no "{name}"'
                    raise DescriptionError(
                        f"advanced: {slot}: {said}", hint=did_you_mean(name, self.VALUES), at=(slot,), said=said
                    )

    def first(self) -> Any:
        """Return the first turn."""
        return {"iteration": 0, "count": 0}

    def begin(self, query: Query) -> Any:  # noqa: ARG002
        """Return the first turn, or None where the loop ends before it."""
        return None if all_hold(self.break_early, self._values(self.first())) else self.first()

    def ask(self, request: Request, cursor: Any) -> Request:
        """Add what is to be added on this turn."""
        return self.ask_with(request, cursor, {})

    def ask_with(self, request: Request, cursor: Any, values: Mapping[str, Any]) -> Request:
        """Add what is to be added on this turn, which may name *values*, too."""
        params, headers, body = self._added(cursor, values)
        added = replace(request, params={**request.params, **params}, headers={**request.headers, **headers})
        return replace(added, body={**(request.body or {}), **body}) if body else added

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the next turn.

        Raises:
            PagingError: it would ask for the same as the last one, or there were too many.
        """
        if not records:
            return None
        after = {
            "iteration": cursor["iteration"] + 1,
            "count": cursor["count"] + len(records),
            **self._kept(reply),
        }
        if all_hold(self.break_early, self._values(after)):
            return None
        if after["iteration"] >= self.most:
            raise PagingError(f"{self.most} turns and no end", hint="Mend the conditions, or allow for more turns.")
        if self._added(after) == self._added(cursor):
            raise PagingError(
                "the same page was asked for twice", hint="Nothing that is added differs from turn to turn."
            )
        return after

    def _values(self, cursor: Any) -> dict[str, Any]:
        turn = cursor["iteration"]
        return {**cursor, "number": turn + 1, "limit": self.limit, "skip": turn * self.limit}

    def _added(self, cursor: Any, known: Mapping[str, Any] = MappingProxyType({})) -> Any:
        own = self._values(cursor)
        if self.add_if and not all_hold(self.add_if, own):
            return {}, {}, {}
        values = {**known, **own}
        return fill(self.params, values), fill(self.headers, values), fill(self.body, values)

    def _kept(self, reply: Reply) -> dict[str, Any]:
        """Return what the next turn may name of *reply*, and no more: it is kept in a state."""
        conditions = (*self.add_if, *self.break_early)
        kept: dict[str, Any] = {}
        for path in sorted(paths([self.params, self.headers, self.body]) | {c.path for c in conditions}):
            of, *rest = parts(path)
            if of == "response":
                found = look({"response": reply.json()}, path)
            elif of == "headers" and rest:
                found = reply.headers.get(rest[0])
            elif of == "links" and rest:
                found = link(reply.headers.get("Link", ""), rest[0])
            else:
                continue
            if found is not None:
                put(kept, path, found)
        return kept
