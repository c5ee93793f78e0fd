"""How requests are signed: each kind says which settings it needs and puts the credential into the request."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.api import Request
from antiphon.fill import fill, names, text

if TYPE_CHECKING:
    from antiphon.http import Http


@dataclass(frozen=True)
class Bearer:
    """A token after a scheme word in the Authorization header (RFC 6750; ``Token``, ``JWT`` … at other vendors)."""

    token: str = "{access_token}"  # noqa: S105
    scheme: str = "Bearer"

    def needs(self) -> tuple[str, ...]:
        """Return the setting that holds the token."""
        return tuple(sorted(names(self.token)))

    def prepare(self, http: Http) -> None:
        """Do nothing: the credential is in the settings."""

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"{self.scheme} {text(fill(self.token, http.settings))}".strip()

    def renew(self, http: Http) -> bool:  # noqa: ARG002
        """Return that there is no other: only the user can give one."""
        return False


@dataclass(frozen=True)
class ApiKey:
    """A key in a header or in the query: name one of the two."""

    value: str = "{api_key}"
    header: str = ""
    query: str = ""

    def needs(self) -> tuple[str, ...]:
        """Return the setting that holds the key."""
        return tuple(sorted(names(self.value)))

    def prepare(self, http: Http) -> None:
        """Do nothing: the credential is in the settings."""

    def sign(self, request: Request, http: Http) -> None:
        """Set the header, or the query parameter."""
        value = text(fill(self.value, http.settings))
        if self.header:
            request.headers[self.header] = value
        if self.query:
            request.params[self.query] = value

    def renew(self, http: Http) -> bool:  # noqa: ARG002
        """Return that there is no other: only the user can give one."""
        return False


@dataclass(frozen=True)
class Basic:
    """User and password, UTF-8 (RFC 7617)."""

    user: str = "{username}"
    password: str = "{password}"  # noqa: S105

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold user and password."""
        return tuple(sorted(names([self.user, self.password])))

    def prepare(self, http: Http) -> None:
        """Do nothing: the credential is in the settings."""

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        pair = f"{text(fill(self.user, http.settings))}:{text(fill(self.password, http.settings))}"
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()

    def renew(self, http: Http) -> bool:  # noqa: ARG002
        """Return that there is no other: only the user can give one."""
        return False


#: What `auth` may be, by the word for it in a description.
KINDS: dict[str, type] = {"bearer": Bearer, "api_key": ApiKey, "basic": Basic}
