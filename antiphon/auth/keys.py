"""Credentials that are in the settings: user and password, a key, a token; and several kinds at once."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.api import Auth, Reply, Request
from antiphon.auth.place import put
from antiphon.errors import DescriptionError
from antiphon.fill import fill, names, text

if TYPE_CHECKING:
    from antiphon.http import Http


@dataclass(frozen=True)
class Bearer(Auth):
    """A token after a scheme word in the Authorization header (RFC 6750; ``Token``, ``JWT`` … at other vendors)."""

    token: str = "{access_token}"  # noqa: S105
    """The token."""
    scheme: str = "Bearer"
    """The word before it; none if this is empty."""

    def needs(self) -> tuple[str, ...]:
        """Return the setting that holds the token."""
        return tuple(sorted(names(self.token)))

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"{self.scheme} {text(fill(self.token, http.settings))}".strip()


@dataclass(frozen=True)
class ApiKey(Auth):
    """A key in a header, in the query, in a cookie or in a field of the body: name one of the four."""

    value: str = "{api_key}"
    """The key, with what stands before or after it: ``key={api_key}``."""
    header: str = ""
    """The header that it stands in."""
    query: str = ""
    """The parameter of the query that it stands in."""
    cookie: str = ""
    """The cookie that it stands in."""
    body: str = ""
    """The field of the body that it stands in: a dotted path where that is JSON, a name where it is a form."""

    def __post_init__(self) -> None:
        """Refuse a key that stands nowhere, or in two places."""
        if len([place for place in (self.header, self.query, self.cookie, self.body) if place]) != 1:
            raise DescriptionError("api_key: name one place for the key: header, query, cookie or body")

    def needs(self) -> tuple[str, ...]:
        """Return the setting that holds the key."""
        return tuple(sorted(names(self.value)))

    def sign(self, request: Request, http: Http) -> None:
        """Put the key in its place."""
        value = text(fill(self.value, http.settings))
        put(request, value, header=self.header, query=self.query, cookie=self.cookie, body=self.body)


@dataclass(frozen=True)
class Basic(Auth):
    """User and password, UTF-8 (RFC 7617)."""

    user: str = "{username}"
    """The user; some APIs take a key here."""
    password: str = "{password}"  # noqa: S105
    """The password; may be empty, or a fixed word."""

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold user and password."""
        return tuple(sorted(names([self.user, self.password])))

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        pair = f"{text(fill(self.user, http.settings))}:{text(fill(self.password, http.settings))}"
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()


@dataclass(frozen=True)
class All(Auth):
    """Several kinds at once, where an API wants a client certificate and a token, or a key and a signature."""

    of: tuple[Auth, ...]
    """The kinds, in the order in which they sign: one that signs all of a request comes last."""

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold the credentials of all."""
        return tuple(sorted({name for auth in self.of for name in auth.needs()}))

    def heeds(self) -> tuple[str, ...]:
        """Return the settings that one of them can do without."""
        return tuple(sorted({name for auth in self.of for name in auth.heeds()}))

    def prepare(self, http: Http) -> None:
        """Have each prepared."""
        for auth in self.of:
            auth.prepare(http)

    def sign(self, request: Request, http: Http) -> None:
        """Let each sign."""
        for auth in self.of:
            auth.sign(request, http)

    def refuses(self, reply: Reply) -> bool:
        """Return whether one of them reads a refusal in *reply*."""
        return any(auth.refuses(reply) for auth in self.of)

    def renew(self, http: Http, reply: Reply) -> bool:
        """Renew each that can be; return whether there was one."""
        renewed = [auth.renew(http, reply) for auth in self.of]
        return any(renewed)
