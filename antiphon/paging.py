"""How the pages of a list follow each other.

Each kind turns a cursor into a request and a reply into the next cursor. Cursors are JSON, so that a read can be resumed
from a Singer state. :class:`~antiphon.client.Client` walks them and stops at a cursor that comes twice.

Where ``size`` is given it is the pair of parameter and value that sets the page's size: ``("limit", 100)``.
Parameters go into the query of a GET and into the body of anything else, at a dotted path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from antiphon.api import Reply, Request
from antiphon.fill import look, put


def _set(request: Request, name: str, value: Any) -> None:
    if request.method == "GET":
        request.params[name] = value
    else:
        request.body = dict(request.body or {})
        put(request.body, name, value)


def _sized(request: Request, size: tuple[str, int] | None) -> Request:
    if size:
        _set(request, *size)
    return request


@dataclass(frozen=True)
class Cursor:
    """The reply names the next page at *next*; the request takes that name in *param*. The last page names none."""

    next: str
    param: str
    size: tuple[str, int] | None = None

    def first(self) -> Any:
        """Return the cursor of the first page: none yet."""
        return {"after": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the cursor in."""
        if cursor["after"] is not None:
            _set(request, self.param, cursor["after"])
        return _sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Read the next cursor from the reply."""
        after = look(reply.json(), self.next)
        return None if after in (None, "", False) else {"after": after}


@dataclass(frozen=True)
class Keyset:
    """Each page asks for the records after the last key seen, in the order of that key.

    ``param`` takes the key, or ``{last}`` stands for it somewhere in the request. Rows that are added or go away meanwhile
    cannot shift the rest, and no cap on the number of results is met. ``more`` names a value that is absent on the last
    page; without it the walk ends at an empty page.
    """

    key: str = "id"
    start: Any = 0
    param: str = ""
    size: tuple[str, int] | None = None
    more: str = ""

    def first(self) -> Any:
        """Return the key that is before every other."""
        return {"last": self.start}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the key in at the parameter; wherever ``{last}`` stands it is filled in already."""
        if self.param:
            _set(request, self.param, cursor["last"])
        return _sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Return the key of the last record."""
        if not records or (self.more and look(reply.json(), self.more) in (None, "", False)):
            return None
        return {"last": look(records[-1], self.key)}


@dataclass(frozen=True)
class Page:
    """Pages by number. They end at an empty page, or at the number of pages that the reply gives at *pages*."""

    param: str = "page"
    start: int = 1
    size: tuple[str, int] | None = None
    pages: str = ""

    def first(self) -> Any:
        """Return the number of the first page."""
        return {"page": self.start}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the number in."""
        _set(request, self.param, cursor["page"])
        return _sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the next number."""
        done = cursor["page"] - self.start + 1
        if not records or (self.pages and _reached(done, look(reply.json(), self.pages))):
            return None
        return {"page": cursor["page"] + 1}


@dataclass(frozen=True)
class Offset:
    """Pages by the number of records before them. They end at an empty page, or at *total* records."""

    param: str = "offset"
    size: tuple[str, int] | None = None
    total: str = ""

    def first(self) -> Any:
        """Return no records before the first page."""
        return {"offset": 0}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the offset in."""
        _set(request, self.param, cursor["offset"])
        return _sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Count what came."""
        offset = cursor["offset"] + len(records)
        if not records or (self.total and _reached(offset, look(reply.json(), self.total))):
            return None
        return {"offset": offset}


@dataclass(frozen=True)
class NextUrl:
    """The reply gives the URL of the next page at *at*, absolute or relative. It is used as it came."""

    at: str = "next"
    size: tuple[str, int] | None = None

    def first(self) -> Any:
        """Return no URL: the first page is the request itself."""
        return {"url": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Use the URL in place of path and parameters."""
        return _sized(request, self.size) if cursor["url"] is None else _at(request, cursor["url"])

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Read the next URL from the body."""
        url = look(reply.json(), self.at)
        return _next(reply, str(url)) if url else None


@dataclass(frozen=True)
class LinkHeader:
    """The reply gives the URL of the next page in its Link header (RFC 8288), as the relation *rel*."""

    rel: str = "next"
    size: tuple[str, int] | None = None

    def first(self) -> Any:
        """Return no URL: the first page is the request itself."""
        return {"url": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Use the URL in place of path and parameters."""
        return _sized(request, self.size) if cursor["url"] is None else _at(request, cursor["url"])

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Read the next URL from the header."""
        url = link(reply.headers.get("Link", ""), self.rel)
        return _next(reply, url) if url else None


def _at(request: Request, url: str) -> Request:
    return Request(request.method, url, {}, request.headers, request.body)


def _next(reply: Reply, url: str) -> dict[str, str]:
    try:
        return {"url": urljoin(reply.url, url)}
    except ValueError:  # refused when it is asked for
        return {"url": url}


def _reached(count: int, total: Any) -> bool:
    """Return whether *count* is all there is; a total that is no whole number says nothing."""
    return str(total).isdecimal() and count >= int(total)


_QUOTED = r'"(?:[^"\\]|\\.)*"'
_LINK = re.compile(rf"<([^>]*)>((?:[^,\"]|{_QUOTED})*)")
_PARAMETER = re.compile(rf";\s*([^\s=;,]+)\s*=\s*({_QUOTED}|[^\s;,]*)")


def link(header: str, rel: str) -> str | None:
    """Return the target in a Link *header* whose relations, several words perhaps, include *rel*."""
    for target, parameters in _LINK.findall(header):
        relations = next((value for name, value in _PARAMETER.findall(parameters) if name.lower() == "rel"), "")
        if rel.lower() in relations.strip('"').lower().split():
            return str(target)
    return None


#: What `paging` may be, by the word for it in a description.
KINDS: dict[str, type] = {
    "cursor": Cursor,
    "keyset": Keyset,
    "page": Page,
    "offset": Offset,
    "next_url": NextUrl,
    "link_header": LinkHeader,
}
