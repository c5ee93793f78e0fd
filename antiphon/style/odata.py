"""OData v4: REST whose texts stand in single quotes, and whose records carry an ETag that a change must name.

http://docs.oasis-open.org/odata/odata/v4.01/odata-v4.01-part1-protocol.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from antiphon.api import Reply, Request
from antiphon.errors import ApiError
from antiphon.fill import look
from antiphon.style.rest import Meaning, Rest

if TYPE_CHECKING:
    from antiphon.http import Http

_HINTS: dict[int, str] = {
    HTTPStatus.PRECONDITION_FAILED: "It was changed meanwhile, or is not there: read it again, then decide.",
    HTTPStatus.PRECONDITION_REQUIRED: 'The service wants an ETag: say etag: "*" or etag: read in the style.',
}


@dataclass(frozen=True)
class OData:
    """OData v4, with JSON. In a value that stands between single quotes, these are doubled."""

    etag: Literal["*", "read", ""] = "*"
    """What a change of a record is made under, unless its Write names an ``If-Match`` itself: ``*`` (whatever the record is
    now, if it is there), ``read`` (as it is when looked at right before), or nothing."""
    version: str = "4.0"
    """What the headers say that is spoken."""
    doubled: str = "'"
    """A character that is doubled in a value between two of it."""
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    """An error's code -> what it means, where the status does not tell: ``unauthorized``, ``forbidden``, ``not_found``,
    ``refused``, ``unavailable`` or ``quota_spent``."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the request with the headers of OData, and for a change the ETag it is made under."""
        headers = {"OData-Version": self.version, "OData-MaxVersion": self.version, **request.headers}
        if request.method in {"PATCH", "PUT", "DELETE"} and self.etag:
            named = {name.lower() for name in request.headers}
            if not named & {"if-match", "if-none-match"}:
                headers["If-Match"] = self._read(http, request) if self.etag == "read" else self.etag
        return replace(request, headers=headers)

    def _read(self, http: Http, request: Request) -> str:
        reply = http.send(Request("GET", request.url), "reading the ETag")
        return str(reply.headers.get("ETag") or look(reply.json(), r"@odata\.etag") or "*")

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, or None."""
        error = Rest(codes=self.codes).fault(reply)
        if error:
            error.hint = error.hint or _HINTS.get(reply.status, "")
        return error

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* as it is."""
        return reply
