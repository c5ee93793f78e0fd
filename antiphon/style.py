"""How a kind of API speaks: how a call is encoded, and how a fault is recognised and told.

A style is asked for the fault in every reply, whatever its status: some APIs hide errors behind a 200.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from antiphon.api import Reply, Request
from antiphon.errors import ApiError, Forbidden, NotFound, QuotaSpent, Refused, Unauthorized, Unavailable
from antiphon.fill import look

if TYPE_CHECKING:
    from antiphon.http import Http

#: Statuses that mean "not now": RFC 9110, RFC 6585, RFC 8470.
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_KINDS: dict[int, type[ApiError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound, 410: NotFound}


@dataclass(frozen=True)
class Rest:
    """REST with JSON: the status tells whether it worked, the body why not.

    ``message`` and ``code`` are the places in an error's body to look for its words and its code, the first found wins; or
    ``message`` is a function of the body. ``retry`` are statuses of this API that mean "not now" besides the
    usual. A fault whose body has one of the values of ``spent`` is a quota that does not come back soon. ``kind`` is a function
    of status and body that says which error it is where these do not; None leaves it to them.
    """

    message: tuple[str, ...] | Callable[[Any], str] = (
        "message",
        "error_description",
        "error.message",
        "errors.0.message",
        "error",
        "detail",
        "title",
    )
    code: tuple[str, ...] = ("code", "error.code", "errors.0.code", "error")
    retry: frozenset[int] = frozenset()
    spent: Mapping[str, Any] = field(default_factory=dict)
    kind: Callable[[int, Any], type[ApiError] | None] | None = None

    def encode(self, http: Http, request: Request) -> Request:  # noqa: ARG002
        """Return *request* as it is."""
        return request

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* as it is: its body is what was asked for."""
        return reply

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, or None."""
        if reply.status < HTTPStatus.MULTIPLE_CHOICES:
            return None
        body = _body(reply)
        kind = (self.kind and self.kind(reply.status, body)) or self._kind(reply.status, body)
        words = " ".join(self._words(body, reply).split())
        hint = "The quota is used up; run again when it is renewed." if kind is QuotaSpent else ""
        return kind(f"{reply.status} {words}", hint=hint, status=reply.status, code=self._code(body))

    def _kind(self, status: int, body: Any) -> type[ApiError]:
        if status in RETRIED | self.retry or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            spent = any(look(body, path) == value for path, value in self.spent.items())
            return QuotaSpent if spent else Unavailable
        return _KINDS.get(status, Refused)

    def _words(self, body: Any, reply: Reply) -> str:
        if callable(self.message):
            found: Any = self.message(body) if body is not None else ""
        else:
            found = next((value for path in self.message if (value := look(body, path))), "")
        if found:
            return found if isinstance(found, str) else msgspec.json.encode(found).decode()
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "without a reason"
        return phrase

    def _code(self, body: Any) -> str:
        found = next((value for path in self.code if isinstance(value := look(body, path), str | int)), "")
        return str(found)


def _body(reply: Reply) -> Any:
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


#: What `style` may be, by the word for it in a description.
KINDS: dict[str, type] = {"rest": Rest}
