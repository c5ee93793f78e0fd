"""Pages that the reply before names, and pages by the last key seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urljoin

import msgspec

from antiphon.api import Reply, Request
from antiphon.bounds import Count, Place
from antiphon.errors import BadReply, PagingError
from antiphon.fill import look, with_value
from antiphon.paging.asked import EMPTY, at, put_in, sized


@dataclass(frozen=True)
class Single:
    """All records come in one answer."""

    def first(self) -> Any:
        """Return a cursor that says nothing."""
        return {}

    def ask(self, request: Request, cursor: Any) -> Request:  # noqa: ARG002
        """Ask for nothing else."""
        return request

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Return that there is no other page."""
        return None


@dataclass(frozen=True)
class Cursor:
    """The reply names the next page, and the request takes that name in a parameter. The last page names none."""

    next: str = ""
    """Where in the reply the name is: a dotted path."""
    param: str = "cursor"
    """The parameter that takes it, in the query or in the body."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size."""
    header: str = ""
    """The header of the reply that has the name, instead of its body."""
    more: str = ""
    """Where in the reply it is said whether there are more pages, if a name is given on the last one too."""

    def first(self) -> Any:
        """Return the cursor of the first page: none yet."""
        return {"after": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the cursor in."""
        if cursor["after"] is not None:
            put_in(request, self.param, cursor["after"])
        return sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Read the next cursor from the reply."""
        if self.more and look(reply.json(), self.more) in EMPTY:
            return None
        after = reply.headers.get(self.header) if self.header else look(reply.json(), self.next)
        return None if after in EMPTY else {"after": after}


@dataclass(frozen=True)
class Keyset:
    """Each page asks for the records after the last key seen, in the order of that key.

    Rows that are added or go away meanwhile cannot shift the rest, and no cap on the number of results is met. The walk ends at an
    empty page, unless ``more`` or ``short_is_last`` ends it sooner.
    """

    key: str = "id"
    """Where in a record the key is."""
    start: Any = 0
    """A key before every other; null where the first request names none."""
    param: str = ""
    """The parameter that takes the key; without it ``{last}`` stands for the key somewhere in the request."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size."""
    more: str = ""
    """Where in the reply there is something unless the page is the last (Stripe's ``has_more``)."""
    inclusive: bool = False
    """Whether the record with that key comes again (the API compares with "not less"): keys may be equal then."""
    short_is_last: bool = False
    """Whether a page with fewer records than were asked for is surely the last."""

    def first(self) -> Any:
        """Return the key that is before every other."""
        return {"last": self.start}

    def after(self, key: Any) -> Any:
        """Return the cursor of the records after *key*."""
        return {"last": key}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the key in at the parameter; wherever ``{last}`` stands it is filled in already."""
        if self.param and cursor["last"] is not None:
            put_in(request, self.param, cursor["last"])
        return sized(request, self.size)

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:
        """Return the key of the last record.

        Raises:
            PagingError: a whole page has one key, and there may be more with it.
        """
        short = self.size is not None and len(records) < self.size[1]
        if not records or (short and self.short_is_last) or (self.more and look(reply.json(), self.more) in EMPTY):
            return None
        last = look(records[-1], self.key)
        if self.inclusive and last == cursor["last"]:
            if short or len(records) == 1:
                return None
            said = f"all {len(records)} records of a page have the {self.key} {last}, and there may be more"
            raise PagingError(said, hint="Ask for larger pages, or page by a field whose values differ.")
        return {"last": last}


class _Following:
    """Pages whose URL the reply before gives: it is used as it came, in place of path and parameters."""

    hint: ClassVar[str] = ""
    """What to do where something else stands in its place."""

    def first(self) -> Any:
        """Return no URL: the first page is the request itself."""
        return {"url": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Use the URL in place of path and parameters."""
        return self.opening(request) if cursor["url"] is None else at(request, cursor["url"])

    def opening(self, request: Request) -> Request:
        """Return the *request* for the first page."""
        return sized(request, getattr(self, "size", None))

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Return the next URL.

        Raises:
            BadReply: what stands in its place is none.
        """
        url = self.told(reply)
        if url in EMPTY:
            return None
        if not isinstance(url, str):
            said = msgspec.json.encode(url, enc_hook=str).decode()[:80]
            raise BadReply(f"the next page is no URL but {said}", hint=self.hint)
        try:
            return {"url": urljoin(reply.url, url)}
        except ValueError:  # refused when it is asked for
            return {"url": url}

    def told(self, reply: Reply) -> Any:
        """Return what *reply* has for the URL of the next page."""
        raise NotImplementedError


@dataclass(frozen=True)
class NextUrl(_Following):
    """The reply gives the URL of the next page at *at*, absolute or relative. It is used as it came."""

    at: str = "next"
    """Where in the reply the URL is."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size."""

    hint: ClassVar[str] = "If that is the name of a page, or its number: paging: {cursor: …}."

    def told(self, reply: Reply) -> Any:
        """Read it from the body."""
        return look(reply.json(), self.at)


@dataclass(frozen=True)
class LinkHeader(_Following):
    """The reply gives the URL of the next page in its Link header (RFC 8288), as the relation *rel*."""

    rel: str = "next"
    """The relation of the next page."""
    size: tuple[str, Count] | None = None
    """The parameter that sets the size of a page, and that size."""

    def told(self, reply: Reply) -> Any:
        """Read it from the header."""
        return link(reply.headers.get("Link", ""), self.rel)


@dataclass(frozen=True)
class ODataLinks(_Following):
    """The reply gives the URL of the next page as OData does (v4, v3 or v2). It is used as it came."""

    size: Place = 0
    """Records of a page, as far as the service heeds it (``Prefer: odata.maxpagesize``)."""

    def ask(self, request: Request, cursor: Any) -> Request:
        """Use the URL, with the wish for a size each time."""
        if self.size:
            asked = [request.headers["Prefer"]] if "Prefer" in request.headers else []
            request.headers = {**request.headers, "Prefer": ",".join([*asked, f"odata.maxpagesize={self.size}"])}
        return super().ask(request, cursor)

    def opening(self, request: Request) -> Request:
        """Return *request* as it is."""
        return request

    def told(self, reply: Reply) -> Any:
        """Read it from the body."""
        body = reply.json()
        return next((u for p in (r"@odata\.nextLink", r"odata\.nextLink", "d.__next") if (u := look(body, p))), None)


@dataclass(frozen=True)
class Relay:
    """Pages of a GraphQL connection: its ``pageInfo`` names the cursor after which the next one begins."""

    at: str
    """Where in the data the connection is."""
    after: str = "after"
    """The variable that takes the cursor."""
    size: tuple[str, Count] | None = None
    """The variable that sets the size of a page, and that size."""

    def first(self) -> Any:
        """Return the cursor of the first page: none yet."""
        return {"after": None}

    def ask(self, request: Request, cursor: Any) -> Request:
        """Put the cursor into the variables."""
        variables = {self.after: cursor["after"], **({self.size[0]: self.size[1]} if self.size else {})}
        for name, value in variables.items():
            if value is not None:
                request.body = with_value(request.body, f"variables.{name}", value)
        return request

    def following(self, cursor: Any, reply: Reply, records: Sequence[Any]) -> Any:  # noqa: ARG002
        """Read where the page ends.

        Raises:
            BadReply: there is no ``pageInfo``, or it does not say where the next page begins.
        """
        info = look(reply.json(), f"{self.at}.pageInfo" if self.at else "pageInfo")
        if not isinstance(info, Mapping):
            raise BadReply(
                f'the answer has no pageInfo at "{self.at}"', hint="Ask for pageInfo { hasNextPage endCursor }."
            )
        if not info.get("hasNextPage"):
            return None
        if info.get("endCursor") in EMPTY:
            raise BadReply("there are more pages, and no endCursor", hint="Ask for pageInfo { hasNextPage endCursor }.")
        return {"after": info["endCursor"]}


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
