"""Styles that put calls and answers into an envelope: JSON-RPC and GraphQL. Both hide errors behind a 200."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from antiphon.api import Reply, Request
from antiphon.errors import ApiError, BadReply
from antiphon.fill import MISSING, fill, fill_path, look
from antiphon.style.rest import Meaning, Rest, body_of

if TYPE_CHECKING:
    from antiphon.http import Http

log = logging.getLogger("antiphon.style")


class _Answer(msgspec.Struct):
    """What an envelope holds; the payload stays as it came."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    data: msgspec.Raw = msgspec.Raw(b"null")
    error: Any = None
    errors: Any = None


def _rest(style: JsonRpc | GraphQL) -> Rest:
    """Return what tells the faults of an envelope as REST tells its own, by the places that *style* names."""
    return Rest(style.message, style.code, codes=style.codes)


@dataclass(frozen=True)
class JsonRpc:
    """JSON-RPC: a body names a ``method`` and its ``params``; the answer holds a ``result`` or an ``error``."""

    path: str = ""
    """Where calls go that name no path of their own."""
    version: Literal["2.0", "1.0"] = "2.0"
    """``2.0``, or ``1.0``, where calls do not name their version."""
    members: Mapping[str, Any] = field(default_factory=dict)
    """What stands beside method and params in each call: ``{auth: "{token}"}``."""
    last: Any = None
    """What is added at the end of each call's list of params: a context, a session."""
    message: tuple[str, ...] = (
        "error.data.message",
        "error.message",
        "error.1.0",
        "error.1",
        "error",
        "message",
    )
    """Where the answer has an error's words, the first found wins."""
    code: tuple[str, ...] = ("error.code", "error.0", "code")
    """Where it has an error's code."""
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    """Code -> what it means: ``unauthorized``, ``forbidden``, ``not_found``, ``refused``, ``unavailable`` or ``quota_spent``."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the call in its envelope; a body that names no method goes out as it is."""
        if not isinstance(request.body, Mapping) or "method" not in request.body:
            return request
        call = {"id": 1, **fill(self.members, http.settings), **request.body}
        if self.version != "1.0":
            call["jsonrpc"] = self.version
        if self.last is not None:
            call["params"] = [*(call.get("params") or ()), fill(self.last, http.settings)]
        return replace(request, method="POST", url=request.url or fill_path(self.path, http.settings), body=call)

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, by its status or in its envelope."""
        answer = _opened(reply)
        if answer is None or not answer.error:
            return _rest(self).fault(reply)
        return _rest(self).told(reply.status, body_of(reply))

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* with the result for a body."""
        answer = _opened(reply)
        return reply if answer is None else replace(reply, body=bytes(answer.result), _json=None)


@dataclass(frozen=True)
class Cost:
    """Where a GraphQL API tells what a query costs, and how much of a budget there is: all dotted paths in the answer."""

    requested: str
    """What the query costs."""
    available: str
    """What is left of the budget."""
    rate: str
    """How much of the budget comes back in a second."""

    def wait(self, body: Any) -> float | None:
        """Return the seconds after which the query can be afforded."""
        asked, left, rate = (_number(look(body, path)) for path in (self.requested, self.available, self.rate))
        if asked is None or left is None or not rate:
            return None
        return max(0.0, (asked - left) / rate)


@dataclass(frozen=True)
class GraphQL:
    """GraphQL: documents are posted to one path, values go in as variables; ``data`` is the answer, ``errors`` are faults."""

    path: str = "/graphql"
    """Where documents go."""
    partial: bool = False
    """Whether data that comes together with errors is taken, with a warning. No: it is a fault."""
    user_errors: str = "userErrors"
    """The field in which each part of a mutation's answer lists what was wrong with the input."""
    wait: str = ""
    """Where in the answer it says for how many seconds to wait (``errors.0.extensions.retry_in_seconds``)."""
    cost: Cost | None = None
    """What queries cost, where the API has a budget for them."""
    message: tuple[str, ...] = ("errors.0.message", "errors.0", "message", "error.message", "error")
    """Where the answer has an error's words, the first found wins."""
    code: tuple[str, ...] = ("errors.0.extensions.code", "errors.0.code", "error_code", "code")
    """Where it has an error's code."""
    codes: Mapping[str, Meaning] = field(default_factory=dict)
    """Code -> what it means: ``unauthorized``, ``forbidden``, ``not_found``, ``refused``, ``unavailable`` or ``quota_spent``."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the document as it is posted; what is no document goes out as it is."""
        if not isinstance(request.body, Mapping) or "query" not in request.body:
            return request
        return replace(request, method="POST", url=request.url or fill_path(self.path, http.settings))

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, whatever its status."""
        answer = _opened(reply)
        if answer is None or not (answer.errors or reply.status >= HTTPStatus.MULTIPLE_CHOICES):
            return _rest(self).fault(reply) or (self._user_error(reply, answer) if answer else None)
        body = body_of(reply)
        if self.partial and answer.errors and look(body, "data") is not None:
            log.warning("GraphQL: data came with errors: %s", _rest(self).told(reply.status, body).message)
            return None
        error = _rest(self).told(reply.status, body)
        told = _number(look(body, self.wait)) if self.wait else None
        error.retry_after = told if told is not None else self.cost.wait(body) if self.cost else None
        return error

    def _user_error(self, reply: Reply, answer: _Answer) -> ApiError | None:
        """Return what a mutation was refused for. Nothing is decoded for it unless the name of the field is there."""
        if not self.user_errors or self.user_errors.encode() not in bytes(answer.data):
            return None
        data = look(body_of(reply), "data")
        for part in data.values() if isinstance(data, Mapping) else ():
            if isinstance(part, Mapping) and (found := part.get(self.user_errors)):
                return _rest(self).told(HTTPStatus.UNPROCESSABLE_ENTITY, {"errors": found})
        return None

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* with the data for a body.

        Raises:
            BadReply: there is none.
        """
        answer = _opened(reply)
        if answer is None:
            raise BadReply("the answer is none of GraphQL", status=reply.status)
        return replace(reply, body=bytes(answer.data), _json=None)


def _opened(reply: Reply) -> _Answer | None:
    try:
        return msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    try:
        number = Decimal(str(value)) if value is not None and value is not MISSING else None
    except InvalidOperation:
        return None
    return float(number) if number is not None and math.isfinite(number) else None
