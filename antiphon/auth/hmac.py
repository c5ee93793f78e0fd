"""Requests signed with a shared secret, by a template of what is signed: as many APIs have it, each in its own way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING, ClassVar, Literal
from urllib.parse import urlsplit

from antiphon import moment
from antiphon.api import Auth, Request
from antiphon.auth.jwt import KeyEncoding, decoded
from antiphon.auth.place import content_type, set_header
from antiphon.errors import SettingError
from antiphon.fill import fill, names, text
from antiphon.http import written_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.http import Http

Hash = Literal["md5", "sha1", "sha256", "sha384", "sha512"]
Encoding = Literal["hex", "base64", "base64url"]
_WRITTEN: dict[Encoding, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda found: base64.b64encode(found).decode(),
    "base64url": lambda found: base64.urlsafe_b64encode(found).decode().rstrip("="),
}


@dataclass(frozen=True)
class Hmac(Auth):
    """A signature of each request with a shared secret (HMAC), by a template of what is signed.

    Templates may name every setting, and ``{method}``, ``{url}``, ``{host}``, ``{path}``, ``{query}`` (as they are sent),
    ``{sorted_query}``, ``{content_type}``, ``{body}``, ``{body_hash}``, ``{timestamp}`` and ``{nonce}``; where the signature
    goes, also ``{signature}``.
    """

    template: str
    """What is signed: ``"{timestamp}{method}{path}{body}"``."""
    headers: Mapping[str, str]
    """The headers that are set: ``{X-Signature: "{signature}", X-Timestamp: "{timestamp}"}``."""
    key: str = "{secret}"
    """The shared secret."""
    key_encoding: KeyEncoding = "raw"
    """How it is written in its setting: raw, base64 or hex."""
    hash: Hash = "sha256"
    """md5, sha1, sha256, sha384 or sha512."""
    encoding: Encoding = "hex"
    """How the signature is written: hex, base64 or base64url."""
    body_hash: Hash = "sha256"
    """The hash that ``{body_hash}`` is of the body."""
    body_encoding: Encoding = "hex"
    """How that is written: hex, base64 or base64url."""
    time: str = "s"
    """How ``{timestamp}`` is written: s or ms (since the epoch), iso, http (the form of a Date header), or a strftime format."""
    params: Mapping[str, str] = field(default_factory=dict)
    """The parameters that are added to the query, as ``headers``; they are not signed."""

    VALUES: ClassVar[frozenset[str]] = frozenset({
        "method", "url", "host", "path", "query", "sorted_query", "content_type", "body", "body_hash", "timestamp", "nonce",
        "signature",
    })  # fmt: skip

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold the key and what is sent with the signature."""
        return tuple(sorted(names([self.key, self.template, self.headers, self.params]) - self.VALUES))

    def sign(self, request: Request, http: Http) -> None:
        """Sign the very bytes that are sent, and put the signature into its places.

        Raises:
            SettingError: the secret is not written as it should be.
        """
        values = {**http.settings, **self._values(request)}
        said = text(fill(self.template, values)).encode("utf-8", "surrogateescape")
        try:
            key = decoded(text(fill(self.key, http.settings)), self.key_encoding)
        except ValueError:
            setting = " and ".join(sorted(names(self.key)))
            raise SettingError(f"{http.name}: the setting {setting} is not written in {self.key_encoding}") from None
        values["signature"] = _WRITTEN[self.encoding](hmac.digest(key, said, self.hash))
        for name, template in self.headers.items():
            set_header(request, name, text(fill(template, values)))
        request.params |= {name: text(fill(template, values)) for name, template in self.params.items()}

    def _values(self, request: Request) -> dict[str, str]:
        url, body = written_url(request), request.body or b""
        parts = urlsplit(url)
        return {
            "method": request.method,
            "url": url,
            "host": parts.netloc,
            "path": parts.path,
            "query": parts.query,
            "sorted_query": "&".join(sorted(filter(None, parts.query.split("&")))),
            "content_type": content_type(request),
            "body": body.decode("utf-8", "surrogateescape"),
            "body_hash": _WRITTEN[self.body_encoding](
                hashlib.new(self.body_hash, body, usedforsecurity=False).digest()
            ),
            "timestamp": _now(self.time),
            "nonce": uuid.uuid4().hex,
        }


def _now(form: str) -> str:
    now = moment.now()
    if form == "http":
        return format_datetime(now, usegmt=True)
    whole = now.replace(microsecond=now.microsecond // 1000 * 1000)
    return text(moment.written(moment.rfc3339(whole), form))
