"""One call: the request, the reply, and the protocols of what signs, writes, reads and pages it."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, ClassVar, Protocol

import msgspec

from antiphon.api.settings import JSON
from antiphon.errors import BadReply

if TYPE_CHECKING:
    from antiphon.errors import ApiError
    from antiphon.http import Http

decode = msgspec.json.Decoder(float_hook=Decimal).decode
"""Reads JSON; numbers with a fraction become Decimals."""


class Auth(Protocol):
    """How a request is signed. See :mod:`antiphon.auth`. As it is here: by what the settings hold, which nothing renews."""

    PUBLIC: ClassVar[frozenset[str]] = frozenset()
    """The parameters that it adds and that are no secret: an error may tell them."""
    per_thread: ClassVar[bool] = False
    """Whether each thread has a credential of its own, and not all of them the same."""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the settings that hold the credential."""

    def heeds(self) -> tuple[str, ...]:
        """Return the names of the settings that it can do without, and uses where they are given."""
        return ()

    def prepare(self, http: Http) -> None:  # noqa: ARG002
        """Have a credential before a request is made; *http* has the settings, and the way to where a token is asked for."""
        return  # most are in the settings

    def sign(self, request: Request, http: Http) -> None:
        """Put the credential into *request*, which is otherwise as it will be sent: texts, and a body of bytes."""

    def refuses(self, reply: Reply) -> bool:  # noqa: ARG002
        """Return whether *reply* says, in other words than a 401, that the credential is not accepted."""
        return False

    def renew(self, http: Http, reply: Reply) -> bool:  # noqa: ARG002
        """Get another credential than the last one, which *reply* did not accept; return whether there is one."""
        return False


class Style(Protocol):
    """How a kind of API speaks: how a call is encoded, a fault recognised, an answer opened. See :mod:`antiphon.style`."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the request that goes out for *request*; *http* has the settings, and ``notes`` to keep things in."""

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, whatever its status, or None."""

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* without its envelope."""


class Format(Protocol):
    """How the body of an answer is read. See :mod:`antiphon.formats`."""

    @property
    def accept(self) -> str:
        """What is asked for in the Accept header."""

    text: ClassVar[bool]
    """Whether all values are texts, to be read by the schema's types."""

    def decode(self, body: bytes) -> JSON:
        """Return what *body* holds; raise :class:`~antiphon.errors.BadReply` where it cannot be read."""


class Encoding(Protocol):
    """How the body of a request is written. See :mod:`antiphon.formats`."""

    def encode(self, body: JSON) -> tuple[bytes, str]:
        """Return *body* as bytes, and their content type; raise :class:`~antiphon.errors.Refused` where it cannot be."""


@dataclass(slots=True)
class Request:
    """One request before it is sent. ``url`` is absolute, or a path below the API's base URL."""

    method: str
    url: str
    params: dict[str, JSON] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: JSON = None
    """Sent as its encoding writes it, unless it is bytes or None."""
    format: Format | None = None
    encoding: Encoding | None = None
    """How the answer is read, and how the body is written; None: as everywhere in this API."""
    accepts: tuple[str, ...] = ()
    """Statuses, or ranges of them (``409``, ``400-499``), that are no fault here but an answer."""

    def copy(self) -> Request:
        """Return it anew, with parameters and headers of its own."""
        params, headers = dict(self.params), dict(self.headers)
        return Request(self.method, self.url, params, headers, self.body, self.format, self.encoding, self.accepts)


@dataclass(slots=True)
class Reply:
    """One answer: status, headers (names in any case), body as bytes, and the URL that gave it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    attempts: int = 1
    format: Format | None = None
    """What the body is written in; None for JSON."""
    _json: JSON = None

    def json(self) -> JSON:
        """Return the body as its format reads it: as JSON has it. Numbers with a fraction become Decimals.

        Raises:
            BadReply: it cannot be read so.
        """
        if self._json is None:
            if not self.body.strip():
                raise BadReply(
                    f"an empty body where {'JSON' if self.format is None else 'something'} was due", status=self.status
                )
            try:
                self._json = self.format.decode(self.body) if self.format else decoded(self.body)
            except BadReply as error:
                raise BadReply(error.message, hint=error.hint, status=self.status) from None
        return self._json


class Paging(Protocol):
    """How the pages of a list follow each other. See :mod:`antiphon.paging`. A cursor is JSON and fits into a state."""

    def first(self) -> JSON:
        """Return the cursor of the first page."""

    def ask(self, request: Request, cursor: JSON) -> Request:
        """Return *request* made to ask for the page at *cursor*."""

    def following(self, cursor: JSON, reply: Reply, records: Sequence[JSON]) -> JSON:
        """Return the cursor of the next page, or None if the page at *cursor* was the last."""


def decoded(body: bytes) -> JSON:
    """Return the JSON in *body*; numbers with a fraction become Decimals.

    Raises:
        BadReply: it is none.
    """
    try:
        return decode(body)
    except RecursionError:
        raise BadReply("JSON that is nested too deeply") from None
    except msgspec.ValidationError:  # all else is what JSON may hold
        raise BadReply("a whole number with too many digits to be read", hint="The server is at fault.") from None
    except InvalidOperation:  # more than a Decimal holds
        raise BadReply("a number whose exponent is too long to be read", hint="The server is at fault.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        if body.startswith(BOM_UTF8):  # some servers put one in
            return decoded(body.removeprefix(BOM_UTF8))
        raise BadReply(f'no JSON but "{beginning(body)}"') from None


def beginning(body: bytes) -> str:
    """Return how *body* begins, in one line, to show what came instead of what was due."""
    return " ".join(body[:60].decode("utf-8", "replace").split())
