"""OAuth 2: tokens got by refresh token, client credentials, a signed assertion, or by a user who logs in; renewed and stored.

The requests to the token endpoint are authlib's (extra ``oauth``). A token is renewed shortly before it ends, and once when the API
does not accept it; all processes of a connection share one store (:mod:`antiphon.tokens`).
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from antiphon.api import Request
from antiphon.errors import ApiError, SettingError, Unauthorized, Unavailable
from antiphon.fill import MISSING, fill, look, names
from antiphon.tokens import TokenStore

if TYPE_CHECKING:
    from antiphon.http import Http

_EARLY = 60.0
"""Seconds before its end at which a token is renewed; a fifth of its life where that is less."""


@dataclass(frozen=True)
class Assertion:
    """A JWT that we sign for the token endpoint (RFC 7523): the key's setting, the algorithm, and the claims.

    ``iat``, ``exp`` and ``jti`` are added.
    """

    key: str = "{private_key}"
    algorithm: str = "RS256"
    claims: Mapping[str, Any] = field(default_factory=dict)
    seconds: int = 180
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OAuth2:
    """Bearer tokens from *token_url*.

    The first of these is done that there are settings (or a stored token) for: an assertion, a refresh token, client credentials. A
    token from ``antiphon login`` (authorization code with PKCE at *authorize_url*, device code at *device_url*) is a stored one.
    """

    token_url: str
    authorize_url: str = ""
    device_url: str = ""
    scope: str = ""
    client_id: str = "{client_id}"
    client_secret: str = "{client_secret}"  # noqa: S105
    refresh_token: str = "{refresh_token}"  # noqa: S105
    assertion: Assertion | None = None
    client_credentials: bool = False
    client_auth: str = "client_secret_post"
    """How the client names itself: ``client_secret_post``, ``client_secret_basic`` or ``none``."""
    base: str = ""
    """Where in the token's reply the API's base URL is, if that is where it is told."""
    lifetime: float = 0
    """Seconds a token lives where the reply does not say; 0: until it is not accepted any more."""
    scheme: str = "Bearer"

    def needs(self) -> tuple[str, ...]:
        """Return the setting without which there is no token."""
        return tuple(sorted(names(self.client_id)))

    def prepare(self, http: Http) -> None:
        """Have a token that is valid, and the API's base URL."""
        token = http.notes.get("oauth")
        if token is None or _ending(token):
            self._renewed(http, unlike=token)

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"{self.scheme} {http.notes['oauth']['access_token']}"

    def renew(self, http: Http) -> bool:
        """Get another token than the one that was not accepted."""
        if http.notes.get("oauth") is None:
            return False
        self._renewed(http, unlike=http.notes["oauth"])
        return True

    def accept(self, http: Http, token: Mapping[str, Any]) -> None:
        """Store the *token* that a log-in gave, and use it."""
        store = _store(http)
        with store.locked():
            self._keep(http, store, token, self._fingerprint(http))

    def _renewed(self, http: Http, *, unlike: Mapping[str, Any] | None) -> None:
        """Use a token from the store if another process has put a newer one there; else get one and put it there."""
        store = _store(http)
        given = self._fingerprint(http)
        with store.locked():
            stored = store.load()
            if stored.get("given") not in (None, given):
                stored = {}  # the settings have changed since: what was got with the old ones is not theirs
            used = unlike.get("access_token") if unlike else None
            if stored.get("access_token") not in (None, used) and not _ending(stored):
                self._use(http, stored)
                return
            self._keep(http, store, self._got(http, stored), given, before=stored)

    def _got(self, http: Http, stored: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the token endpoint's reply to the grant there are settings for.

        Raises:
            Unauthorized: it was refused, or there is nothing to get a token with.
        """
        if self.assertion and _value(self.assertion.key, http):
            grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
            return self.asked(http, lambda s, url, more: s.fetch_token(url, grant_type=grant, assertion=self._signed(http), **more))
        refresh = stored.get("refresh_token") or _value(self.refresh_token, http)
        if refresh:
            return self.asked(http, lambda s, url, more: s.refresh_token(url, refresh_token=refresh, **more))
        if self.client_credentials and _value(self.client_secret, http):
            return self.asked(http, lambda s, url, more: s.fetch_token(url, grant_type="client_credentials", **more))
        said = "401 nobody has logged in yet, and no setting holds a credential"
        raise Unauthorized(said, status=401, hint=_login(http))

    def asked(self, http: Http, ask: Callable[[Any, str, dict[str, Any]], Mapping[str, Any]], **session: Any) -> Mapping[str, Any]:
        """Return what *ask*, given a session of authlib's, the token endpoint and how to send, gets from it.

        Raises:
            Unauthorized: the endpoint refused; the text has its words.
            Unavailable: it cannot be reached.
        """
        import requests  # noqa: PLC0415

        library = authlib()
        url = str(fill(self.token_url, http.settings))
        client = library["OAuth2Session"](
            _value(self.client_id, http),
            _value(self.client_secret, http) or None,
            token_endpoint_auth_method=self.client_auth if _value(self.client_secret, http) else "none",
            scope=self.scope or None,
            **session,
        )
        client.adapters = http.session.adapters
        proxy = http.settings.get("proxy")
        more = {
            "verify": http.settings.get("ca_bundle") or True,
            "timeout": float(http.settings.get("timeout") or 120),
            "proxies": {"http": proxy, "https": proxy} if proxy else None,
        }
        try:
            return dict(ask(client, url, more))
        except library["OAuthError"] as error:
            words = f"401 {error.error}: {error.description}" if error.description else f"401 {error.error}"
            raise Unauthorized(words, status=401, code=str(error.error), hint=_login(http)) from None
        except requests.exceptions.SSLError:
            hint = "If it is signed by a private authority, set ca_bundle to that authority's PEM file."
            raise SettingError(f"{http.name}: {url} -> its certificate is not trusted", hint=hint) from None
        except requests.exceptions.HTTPError as error:
            raise Unavailable(f"{error.response.status_code} from {url}", status=error.response.status_code) from None
        except (OSError, ValueError) as error:
            raise Unavailable(f"no token from {url} ({type(error).__name__})", hint="Check the URL and the network.") from None

    def _signed(self, http: Http) -> str:
        """Return the assertion, signed."""
        assert self.assertion  # noqa: S101
        library = joserfc()
        now = int(time.time())
        claims = {**fill(self.assertion.claims, http.settings), "iat": now, "exp": now + self.assertion.seconds}
        claims["jti"] = str(uuid.uuid4())
        header = {"alg": self.assertion.algorithm, **self.assertion.headers}
        kind = "oct" if self.assertion.algorithm.startswith("HS") else "EC" if self.assertion.algorithm.startswith("ES") else "RSA"
        try:
            key = library["jwk"].import_key(str(_value(self.assertion.key, http)), kind)
            return str(library["jwt"].encode(header, claims, key, algorithms=[self.assertion.algorithm]))
        except ValueError:
            [name] = names(self.assertion.key)
            raise SettingError(f"{http.name}: the setting {name} is no private key in PEM form") from None

    def _keep(
        self, http: Http, store: TokenStore, reply: Mapping[str, Any], given: str, before: Mapping[str, Any] | None = None
    ) -> None:
        token: dict[str, Any] = {"access_token": reply.get("access_token"), "given": given, "got_at": time.time()}
        if not token["access_token"]:
            raise ApiError("the token endpoint's answer holds no access_token")
        if refresh := reply.get("refresh_token") or (before or {}).get("refresh_token"):
            token["refresh_token"] = refresh
        if lifetime := float(reply.get("expires_in") or self.lifetime or 0):
            token["expires_at"] = token["got_at"] + lifetime
        if self.base:
            token["base_url"] = look(reply, self.base)
        store.save(token)
        self._use(http, token)

    def _use(self, http: Http, token: Mapping[str, Any]) -> None:
        http.notes["oauth"] = token
        if token.get("base_url") and not http.settings.get("base_url"):
            http.move(str(token["base_url"]))

    def _fingerprint(self, http: Http) -> str:
        """Return a hash of the settings that a stored token belongs to."""
        parts = [self.token_url, self.client_id, self.client_secret, self.refresh_token]
        text = "\n".join(str(fill(part, http.settings) or "") for part in parts)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def authlib() -> dict[str, Any]:
    """Return what we use of authlib.

    Raises:
        SettingError: it is not installed.
    """
    try:
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415
        from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415
    except ImportError:
        raise SettingError("OAuth needs a library that is not installed", hint='Run: pip install "antiphon[oauth]".') from None
    return {"OAuth2Session": OAuth2Session, "OAuthError": OAuthError}


def joserfc() -> dict[str, Any]:
    """Return what we use of joserfc.

    Raises:
        SettingError: it is not installed.
    """
    try:
        from joserfc import jwk, jwt  # noqa: PLC0415
    except ImportError:
        raise SettingError("a signed assertion needs a library that is not installed", hint='Run: pip install "antiphon[oauth]".') from None
    return {"jwk": jwk, "jwt": jwt}


def _store(http: Http) -> TokenStore:
    if "tokens" not in http.notes:
        http.notes["tokens"] = TokenStore(http.folder)
    store: TokenStore = http.notes["tokens"]
    return store


def _ending(token: Mapping[str, Any]) -> bool:
    """Whether *token* ends so soon that it should be renewed now."""
    ends = token.get("expires_at")
    if not ends:
        return False
    life = float(ends) - float(token.get("got_at") or 0)
    return time.time() >= float(ends) - min(_EARLY, life / 5)


def _value(template: str, http: Http) -> Any:
    found = fill(template, http.settings)
    return None if found is MISSING else found


def _login(http: Http) -> str:
    return f"Run: antiphon login {http.connection}."
