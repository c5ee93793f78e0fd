"""Where a credential stands in a request: in a header, in the query, in a cookie, or in a field of the body."""

from __future__ import annotations

from urllib.parse import quote_plus

from antiphon import fill
from antiphon.api import Reply, Request
from antiphon.errors import BadReply, DescriptionError
from antiphon.formats import Json
from antiphon.http import without

FORM = "application/x-www-form-urlencoded"


def header_of(request: Request, name: str) -> str:
    """Return the value of a header, in whatever case it is written; empty where there is none."""
    return next((value for key, value in request.headers.items() if key.lower() == name.lower()), "")


def content_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return header_of(request, "Content-Type").partition(";")[0].strip().lower()


def set_header(request: Request, name: str, value: str) -> None:
    """Set a header in place of one that is written in another case."""
    for other in [key for key in request.headers if key.lower() == name.lower() and key != name]:
        del request.headers[other]
    request.headers[name] = value


def put(request: Request, value: str, *, header: str = "", query: str = "", cookie: str = "", body: str = "") -> None:
    """Put *value* into *request*, in each of the places that are named; what stood there goes.

    Raises:
        DescriptionError: it is to stand in a body, and there is none that has fields.
    """
    if header:
        set_header(request, header, value)
    if query:
        request.url = without(request.url, {query})
        request.params[query] = value
    if cookie:
        others = [part for part in header_of(request, "Cookie").split("; ") if part.partition("=")[0] != cookie]
        set_header(request, "Cookie", "; ".join([*filter(None, others), f"{cookie}={value}"]))
    if body:
        request.body = _with_field(request, body, value)


def _with_field(request: Request, path: str, value: str) -> bytes:
    if content_type(request) == FORM:
        return b"&".join(filter(None, [request.body or b"", f"{quote_plus(path)}={quote_plus(value)}".encode()]))
    if request.body is None and request.method not in {"GET", "HEAD"}:
        request.headers["Content-Type"], request.body = "application/json", b"{}"
    try:
        found = Reply(0, {}, request.body or b"", "").json()
    except BadReply:
        found = None
    if not isinstance(found, dict):
        raise DescriptionError(f'the credential goes into the field "{path}" of a body, and this request has none')
    fill.put(found, path, value)
    return Json().encode(found)[0]
