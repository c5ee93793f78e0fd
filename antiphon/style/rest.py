"""REST: the status tells whether a call worked, the body why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from antiphon.api import Reply, Request
from antiphon.bounds import Status
from antiphon.condition import Condition, all_hold
from antiphon.errors import (
    ApiError,
    BadReply,
    Forbidden,
    NotFound,
    QuotaSpent,
    Refused,
    Unauthorized,
    Unavailable,
)
from antiphon.fill import look

if TYPE_CHECKING:
    from antiphon.http import Http

#: Statuses that mean "not now": RFC 9110, RFC 6585, RFC 8470.
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_WORDS = 300
"""Letters of an error that is told in a text."""
_BY_STATUS: dict[int, type[ApiError]] = {401: Unauthorized, 403: Forbidden, 404: NotFound, 410: NotFound}
Meaning = Literal["unauthorized", "forbidden", "not_found", "refused", "unavailable", "quota_spent"]
"""What a code may mean, in words."""
_MEANINGS: dict[str, type[ApiError]] = {
    "unauthorized": Unauthorized,
    "forbidden": Forbidden,
    "not_found": NotFound,
    "refused": Refused,
    "unavailable": Unavailable,
    "quota_spent": QuotaSpent,
}


@dataclass(frozen=True)
class Rest:
    """REST: the status tells whether it worked, the body why not."""

    message: tuple[str, ...] | Callable[[Any], str] = (
        "message",
        "error_description",
        "error.message",
        "errors.0.message",
        "error",
        "detail",
        "title",
    )
    """Where an error's body has its words, the first found wins; or a function of the body."""
    code: tuple[str, ...] = ("code", "error.code", "errors.0.code", "error")
    """Where it has its code."""
    retry: frozenset[Status] = frozenset()
    """Statuses of this API that mean "not now" besides the usual."""
    spent: Mapping[str, Any] = field(default_factory=dict)
    """Path -> value: a fault whose body has one of them is a quota that does not come back soon."""
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    """Code -> what it means, where the status does not tell: ``unauthorized``, ``forbidden``, ``not_found``, ``refused``,
    ``unavailable`` or ``quota_spent``."""
    failed: tuple[Condition, ...] = ()
    """What holds of the body of a fault that comes with a good status: ``{path: ok, equals: false}``."""
    doubled: str = ""
    """A character that is doubled in a value between two of it, as in ``name eq '{match.value}'``; usually ``'``."""
    kind: Callable[[int, Any], type[ApiError] | None] | None = None
    """A function of status and body that says which error it is where these do not; None leaves it to them."""

    def encode(self, http: Http, request: Request) -> Request:  # noqa: ARG002
        """Return *request* as it is."""
        return request

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, or None."""
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            return self.told(reply.status, body_of(reply))
        if self.failed and all_hold(self.failed, body := body_of(reply)):
            return self.told(reply.status, body)
        return None

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* as it is."""
        return reply

    def told(self, status: int, body: Any) -> ApiError:
        """Return the error that a *body* tells of; one with a good *status* that means "not now" was surely not done."""
        code = self._code(body)
        kind = (
            _MEANINGS.get(self.codes.get(code, ""))
            or (self.kind and self.kind(status, body))
            or self._kind(status, body)
        )
        words = " ".join(self._words(body, status).split())
        hint = "The quota is used up; run again when it is renewed." if kind is QuotaSpent else ""
        good = status < HTTPStatus.MULTIPLE_CHOICES
        told = HTTPStatus.TOO_MANY_REQUESTS if good and issubclass(kind, Unavailable) else status
        return kind(f"{status} {words}", hint=hint, status=told, code=code)

    def _kind(self, status: int, body: Any) -> type[ApiError]:
        if status in RETRIED | self.retry or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            spent = any(look(body, path) == value for path, value in self.spent.items())
            return QuotaSpent if spent else Unavailable
        return _BY_STATUS.get(status, Refused)

    def _words(self, body: Any, status: int) -> str:
        if isinstance(body, str):  # a page for people, or broken JSON, says nothing
            found: Any = "" if body.lstrip().startswith(("<", "{", "[")) else body.strip()[:_MOST_WORDS]
        elif callable(self.message):
            found = self.message(body) if body is not None else ""
        else:
            found = next((value for path in self.message if (value := look(body, path))), "")
        if found:
            return found if isinstance(found, str) else msgspec.json.encode(found).decode()
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "without a reason"
        return phrase

    def _code(self, body: Any) -> str:
        found = next((value for path in self.code if isinstance(value := look(body, path), str | int)), "")
        return str(found)


def body_of(reply: Reply) -> Any:
    """Return what *reply* holds, in its own format or as JSON; its text where it is neither, None where there is none."""
    try:
        return msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    with suppress(BadReply):
        if reply.format:
            return reply.json()
    try:
        return reply.body.decode() or None
    except UnicodeDecodeError:
        return None
