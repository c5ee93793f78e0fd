"""JSON Web Tokens that we sign ourselves (RFC 7519): sent with each request, or shown to a token endpoint (RFC 7523)."""

from __future__ import annotations

import base64
import binascii
import time
import uuid
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from antiphon.api import Auth, Reply, Request
from antiphon.auth.library import library
from antiphon.bounds import Count
from antiphon.errors import SettingError
from antiphon.fill import fill, names, text

if TYPE_CHECKING:
    from antiphon.http import Http

Algorithm = Literal[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
KeyEncoding = Literal["raw", "base64", "hex"]
_TYPES = {"HS": "oct", "ES": "EC", "Ed": "OKP"}


@dataclass(frozen=True)
class Jwt(Auth):
    """A token that we sign with the user's key, for a few minutes each (RFC 7519); another is signed before it ends.

    ``iat``, ``exp`` and ``jti`` are added to the claims; one that is null is left out.
    """

    key: str = "{private_key}"
    """The key: a PEM text without a password (RS, PS, ES, EdDSA), or a shared secret (HS)."""
    algorithm: Algorithm = "RS256"
    """HS256, HS384, HS512, and the same of RS, PS and ES, or EdDSA."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What it says, ``{iss: "{client_id}", aud: "https://login.example.org"}``."""
    seconds: Count = 180
    """How long it is valid."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What its header says besides the algorithm: ``{kid: "{key_id}"}``."""
    key_encoding: KeyEncoding = "raw"
    """How a shared secret is written in its setting: raw, base64 or hex."""
    scheme: str = "Bearer"
    """The word before it in the Authorization header."""

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold the key and what is said with it."""
        return tuple(sorted(names([self.key, self.claims, self.headers])))

    def prepare(self, http: Http) -> None:
        """Have a token that is valid for some time yet.

        Raises:
            SettingError: a setting is missing, the key is none, or a library is missing.
        """
        _, ends = http.notes.get("jwt", ("", 0))
        if time.time() >= ends - min(60, self.seconds / 5):
            self._new(http)

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"{self.scheme} {http.notes['jwt'][0]}".strip()

    def renew(self, http: Http, reply: Reply) -> bool:  # noqa: ARG002
        """Sign another: the clocks may differ, or it may be taken only once."""
        self._new(http)
        return True

    def _new(self, http: Http) -> None:
        ends = time.time() + self.seconds
        token = self.signed(http)
        http.hide(token)
        http.notes["jwt"] = token, ends

    def signed(self, http: Http, **claims: Any) -> str:
        """Return a new token; its *claims* give way to those of the description.

        Raises:
            SettingError: a setting is missing, the key is none, or a library is missing.
        """
        for name in sorted(names([self.key, self.claims, self.headers])):
            if not http.settings.get(name):
                said = f"{http.name}: the setting {name} is missing"
                raise SettingError(said, hint="It goes into the token that is signed, or signs it.")
        now = int(time.time())
        claims = {**claims, "iat": now, "exp": now + self.seconds, "jti": str(uuid.uuid4())}
        claims = {k: v for k, v in (claims | fill(self.claims, http.settings)).items() if v is not None}
        header = {"alg": self.algorithm, **fill(self.headers, http.settings)}
        jwk, jwt, errors = (library(f"joserfc.{name}", "a signed token", "oauth") for name in ("jwk", "jwt", "errors"))
        try:
            with warnings.catch_warnings():  # of a short secret, and of EdDSA's name: neither is ours to choose
                warnings.simplefilter("ignore", errors.SecurityWarning)
                key = jwk.import_key(self._key(http), _TYPES.get(self.algorithm[:2], "RSA"))
                return str(jwt.encode(header, claims, key, algorithms=[self.algorithm]))
        except (ValueError, TypeError, errors.JoseError):
            raise self._no_key(http) from None

    def _key(self, http: Http) -> str | bytes:
        written = text(fill(self.key, http.settings))
        if not self.algorithm.startswith("HS"):
            return written.replace("\\n", "\n")  # variables often hold a PEM in one line
        return decoded(written, self.key_encoding)

    def _no_key(self, http: Http) -> SettingError:
        setting = " and ".join(sorted(names(self.key)))
        if self.algorithm.startswith("HS"):
            said = f"{http.name}: the setting {setting} is no secret in {self.key_encoding} for {self.algorithm}"
            return SettingError(said, hint="Copy it again from where the API shows it.")
        hint = "It takes the text of the file, not its name; the key without a password."
        return SettingError(
            f"{http.name}: the setting {setting} is no private key in PEM form for {self.algorithm}", hint=hint
        )


def decoded(secret: str, encoding: KeyEncoding) -> bytes:
    """Return the bytes of a *secret* that is written ``raw``, in ``base64`` (of either alphabet) or in ``hex``.

    Raises:
        ValueError: it is not.
    """
    if encoding == "raw":
        return secret.encode()
    secret = "".join(secret.split())
    if encoding == "hex":
        return bytes.fromhex(secret)
    plain = secret.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        raise ValueError(encoding) from None
