"""What every kind of paging does to a request: put a parameter in, ask for a size, go to another URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from antiphon.api import Paging, Request
from antiphon.fill import with_value

EMPTY: tuple[Any, ...] = (None, "", False)
"""Values that say that nothing follows."""


def asked_with(paging: Paging, request: Request, cursor: Any, values: Mapping[str, Any]) -> Request:
    """Return *request* made to ask for the page at *cursor*; *values* are for those kinds whose parameters name some."""
    ask_with = getattr(paging, "ask_with", None)
    return ask_with(request, cursor, values) if ask_with else paging.ask(request, cursor)


def put_in(request: Request, name: str, value: Any) -> None:
    """Set a parameter: in the query of a GET without a body, at a dotted path in the body of anything else."""
    if request.method == "GET" and request.body is None:
        request.params = {**request.params, name: value}
    else:
        request.body = with_value(request.body, name, value)


def sized(request: Request, size: tuple[str, int] | None) -> Request:
    """Ask for pages of that *size*."""
    if size:
        put_in(request, *size)
    return request


def at(request: Request, url: str) -> Request:
    """Return *request* at another URL, whose query is part of it."""
    return replace(request, url=url, params={})


def reached(count: int, total: Any) -> bool:
    """Return whether *count* is all there is; a total that is no whole number says nothing."""
    return str(total).isdecimal() and count >= int(total)
