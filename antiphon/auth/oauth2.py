"""OAuth 2: tokens got with what the settings hold, or by a user who logs in; renewed and stored.

How a client names itself and asks for a code is authlib's (extra ``oauth``), and assertions are signed by joserfc. A token
is renewed shortly before it ends, and once when the API does not accept it; all processes of a connection share one store
(:mod:`antiphon.tokens`).
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote_plus, urlsplit

from antiphon.api import Auth, Reply, Request
from antiphon.auth.jwt import Jwt
from antiphon.auth.library import library, plain
from antiphon.auth.stored import digest_of, store_of
from antiphon.bounds import Url, Wait
from antiphon.errors import DescriptionError, SettingError, Unauthorized, Unavailable
from antiphon.fill import fill, look, names
from antiphon.http import Http, origin, retry_after
from antiphon.tokens import Token, TokenStore

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SHOWN = ("grant_type", "scope", "client_id", "client_assertion_type")
"""What a token is asked for with that is no secret."""
_LONGEST = 30.0
"""Seconds to wait for the token endpoint, at most: others may be waiting for the lock."""
_LATER = frozenset({"temporarily_unavailable", "server_error"})
_CLIENT = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True)
class OAuth2(Auth):
    """Tokens from a token endpoint (RFC 6749), renewed shortly before they end and once when one is not accepted.

    The first of these is done that there are settings (or a stored token) for: an assertion, a refresh token, the grant. A
    token from ``antiphon login`` (authorization code with PKCE, device code) is a stored one.
    """

    token_url: Url
    """The token endpoint."""
    authorize_url: Url = ""
    """The page on which a user says yes; what else a vendor wants to be told stands in its query."""
    device_url: Url = ""
    """The address that gives codes to type on another device (RFC 8628)."""
    scope: str = ""
    """What is asked for when somebody logs in."""
    client_id: str = "{client_id}"
    """The name of the app."""
    client_secret: str = "{client_secret}"  # noqa: S105
    """Its secret; may be empty where users log in."""
    refresh_token: str = "{refresh_token}"  # noqa: S105
    """A refresh token from elsewhere."""
    assertion: Jwt | None = None
    """A signed token that is traded for one of the API (RFC 7523)."""
    grant: Mapping[str, str] = field(default_factory=dict)
    """The form that a token is asked for with where nobody logs in: ``{grant_type: client_credentials}``, ``{grant_type:
    password, username: "{username}", password: "{password}"}``, a token exchange (RFC 8693) or a vendor's own."""
    client_auth: Literal["client_secret_post", "client_secret_basic", "private_key_jwt", "none"] = "client_secret_post"
    """How the client names itself: client_secret_post, client_secret_basic, private_key_jwt (by a token that it signs, RFC 7523) or
    none."""
    client_assertion: Jwt = field(default_factory=Jwt)
    """The token of ``private_key_jwt``, where it is not signed by RS256 with the setting ``private_key``; iss, sub and aud are in it
    unless its claims say otherwise. With HS256 and ``key: "{client_secret}"`` it is client_secret_jwt."""
    encoding: Literal["form", "json"] = "form"
    """How a token is asked for: by a form, as the standard has it, or by the same in JSON, as some have it."""
    base: str = ""
    """Where in the token's reply the API's base URL is, if that is where it is told."""
    lifetime: Wait = 0
    """Seconds a token lives where the reply does not say; 0: until it is not accepted any more."""
    scheme: str = "Bearer"
    """The word before the token in the Authorization header."""

    def __post_init__(self) -> None:
        """Refuse a grant that has no type."""
        if self.grant and not self.grant.get("grant_type"):
            raise DescriptionError("oauth2: the grant has no grant_type", hint="For example: client_credentials.")

    def needs(self) -> tuple[str, ...]:
        """Return the setting without which there is no token."""
        return tuple(sorted(names(self.client_id)))

    def heeds(self) -> tuple[str, ...]:
        """Return the settings that hold the client's secret and what a token is got with."""
        assertion = [self.assertion.key, self.assertion.claims, self.assertion.headers] if self.assertion else []
        held = [*assertion, *self.grant.values()] or [self.refresh_token]
        return tuple(sorted(names([*self._credential(), *held]) - {*self.needs()}))

    def prepare(self, http: Http) -> None:
        """Have a token that is valid, and the API's base URL.

        Raises:
            Unauthorized: the token endpoint refused, or there is nothing to get a token with.
            Unavailable: it cannot be reached, or does not answer as it should.
            SettingError: a setting is wrong, or a library is missing.
            Busy, Storage: the store cannot be used.
        """
        token = http.notes.get("oauth")
        if token is None or token.ending():
            self._renewed(http, unlike=token)

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"{self.scheme} {http.notes['oauth'].access_token}"

    def renew(self, http: Http, reply: Reply) -> bool:  # noqa: ARG002
        """Get another token than the one that was not accepted."""
        self._renewed(http, unlike=http.notes["oauth"])
        return True

    def held(self, http: Http) -> str:
        """Return what the settings are enough for: assertion, refresh_token, the type of the grant, or nothing."""
        if self.assertion and value(self.assertion.key, http):
            return "assertion"
        if value(self.refresh_token, http):
            return "refresh_token"
        enough = self.grant and all(http.settings.get(name) for name in names(self._granting()))
        return self.grant["grant_type"] if enough else ""

    def accept(self, http: Http, reply: Mapping[str, Any]) -> None:
        """Store the token in the token endpoint's *reply* to a log-in, and use it."""
        store = store_of(http)
        with store.locked():
            self._keep(http, store, reply, None)

    def again(self, http: Http) -> None:
        """Get a token with what the settings hold, however good the stored one looks."""
        stored = store_of(http).load()
        self._renewed(http, unlike=stored)

    def _renewed(self, http: Http, *, unlike: Token | None) -> None:
        """Use a token from the store if another process has put a newer one there; else get one and put it there."""
        store = store_of(http)
        with store.locked():
            stored = store.load()
            if stored and not self._is_ours(stored, http):
                stored = None
            other = stored and (unlike is None or stored.access_token != unlike.access_token)
            if stored and other and not stored.ending():
                self._use(http, stored)
            else:
                self._keep(http, store, self._got(http, stored), stored)

    def _got(self, http: Http, stored: Token | None) -> Mapping[str, Any]:
        """Return the token endpoint's reply to the grant there are settings for."""
        held, kept = self.held(http), stored.refresh_token if stored else ""
        if held == "assertion" and self.assertion:
            hint = f"Check the settings {_listed([self.client_id, self.assertion.claims, self.assertion.key])}."
            reply = self.asked(http, {"grant_type": _JWT, "assertion": self.assertion.signed(http)}, hint)
            return _alone(reply)
        if refresh := kept or value(self.refresh_token, http):
            form = {"grant_type": "refresh_token", "refresh_token": refresh}
            return self.asked(http, form, self._renewal(http, stored))
        if held:
            hint = f"Check the settings {_listed([self.client_id, self._granting()])}."
            return _alone(self.asked(http, {name: value(said, http) for name, said in self.grant.items()}, hint))
        said = "401 nobody has logged in yet, and no setting holds a credential"
        if stored:
            said = "401 the token has run out, and there is none to renew it with"
        raise Unauthorized(said, status=401, hint=self._renewal(http, stored))

    def asked(self, http: Http, form: Mapping[str, str], hint: str, *, device: bool = False) -> Mapping[str, Any]:
        """Return what the token endpoint (or that for *device* codes) answers to *form*; *hint* is told if it refuses.

        Redirects are not followed: secrets go to the address in the description alone.

        Raises:
            Unauthorized: it refused; ``code`` is OAuth's word for why.
            Unavailable: it cannot be reached, or does not answer as it should.
            SettingError: its address or its certificate is wrong, or a library is missing.
        """
        template = self.device_url if device else self.token_url
        url, where = str(fill(template, http.settings)), _listed([template]) or "the settings"
        sent, headers = self._named(http, form, str(fill(self.token_url, http.settings)))
        proxy = http.settings.get("proxy")
        timeout = min(float(http.settings.get("timeout") or _LONGEST), _LONGEST)
        try:
            response = self.client(http).post(
                url,
                **({"json": sent} if self.encoding == "json" else {"data": sent}),
                headers={"Accept": "application/json", "User-Agent": http.session.headers["User-Agent"], **headers},
                auth=_as_it_is,
                withhold_token=True,
                allow_redirects=False,
                timeout=timeout,
                verify=http.settings.get("ca_bundle") or None,
                proxies={"http": proxy, "https": proxy} if proxy else None,
            )
        except (OSError, UnicodeError) as error:
            raise http.trouble(error, url, where=where) from None
        secrets = [
            value(self.client_secret, http),
            *(said for name, said in sent.items() if name not in {*_SHOWN, *_fixed(self.grant)}),
        ]
        return _granted(response, f"{http.name}: {origin(url)}", hint, self._check_client(), secrets, where)

    def client(self, http: Http, **more: Any) -> Any:
        """Return a session of authlib's, with which a log-in begins; *more* it is told."""
        authlib = library("authlib.integrations.requests_client", "OAuth 2", "oauth")
        session = authlib.OAuth2Session(value(self.client_id, http), scope=self.scope or None, **more)
        session.adapters = http.session.adapters
        session.get_redirect_target = _nowhere
        return session

    def _credential(self) -> list[Any]:
        """Return the templates of what the client shows that it is itself with."""
        if self.client_auth == "private_key_jwt":
            return [self.client_assertion.key, self.client_assertion.claims, self.client_assertion.headers]
        return [self.client_secret]

    def _named(self, http: Http, form: Mapping[str, str], audience: str) -> tuple[dict[str, str], dict[str, str]]:
        """Return *form* with the client's name and what shows that it is it, and the headers for that."""
        id, secret = value(self.client_id, http), value(self.client_secret, http)
        if self.client_auth == "private_key_jwt":
            assertion = self.client_assertion.signed(http, iss=id, sub=id, aud=audience)
            return {**form, "client_id": id, "client_assertion_type": _ASSERTION, "client_assertion": assertion}, {}
        if not secret or self.client_auth == "none":
            return {**form, "client_id": id}, {}
        if self.client_auth == "client_secret_post":
            return {**form, "client_id": id, "client_secret": secret}, {}
        pair = f"{quote_plus(id)}:{quote_plus(secret)}"  # each form-encoded first: RFC 6749, 2.3.1
        return dict(form), {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}

    def _keep(self, http: Http, store: TokenStore, reply: Mapping[str, Any], before: Token | None) -> None:
        """Store the token in *reply*, which came in place of *before*, and use it; see :meth:`TokenStore.save`."""
        if not reply.get("access_token"):
            raise Unavailable("the log-in answers without an access_token")
        now, seconds = time.time(), _seconds(reply.get("expires_in")) or self.lifetime
        url = str((look(reply, self.base) if self.base else None) or "")
        if url and urlsplit(url).scheme not in {"https", urlsplit(str(fill(self.token_url, http.settings))).scheme}:
            raise Unavailable(f"the log-in names an API that is spoken to without encryption ({url})")
        token = Token(
            str(reply["access_token"]),
            got_at=now,
            expires_at=now + seconds if seconds else 0,
            refresh_token=str(reply.get("refresh_token") or (before.refresh_token if before else "")),
            base_url=url or (before.base_url if before else ""),
            owner=self._owner(http),
            seed=digest_of(value(self.refresh_token, http)) or (before.seed if before else ""),
        )
        store.save(token)
        self._use(http, token)

    def _use(self, http: Http, token: Token) -> None:
        http.hide(token.access_token, token.refresh_token)
        http.notes["oauth"] = token
        if token.base_url and not http.settings.get("base_url"):
            http.move(token.base_url)

    def _is_ours(self, token: Token, http: Http) -> bool:
        """Whether *token* was got with these settings; those that hold no refresh token may use what came of one."""
        return token.owner == self._owner(http) and digest_of(value(self.refresh_token, http)) in {"", token.seed}

    def _owner(self, http: Http) -> str:
        """Return a hash of the settings that say whose a token is. A new client secret changes nothing in that."""
        held, who = self.held(http), {}
        if held == "assertion" and self.assertion:
            who = fill(self.assertion.claims, http.settings)
        elif held and held == self.grant.get("grant_type"):  # without the password: a short hash would give it away
            who = {k: value(v, http) for k, v in self.grant.items() if k not in {"password", *_fixed(self.grant)}}
        return digest_of(repr([str(fill(self.token_url, http.settings)), value(self.client_id, http), who or ""]))

    def _granting(self) -> list[Any]:
        """Return the templates whose settings the grant wants."""
        shown = self._credential() if self.grant.get("grant_type") == "client_credentials" else []
        return [*self.grant.values(), *shown]

    def _renewal(self, http: Http, stored: Token | None) -> str:
        """Return what to do when there is no token, or the one to renew it with is dead."""
        setting = _listed([self.refresh_token])
        if not self.authorize_url and not self.device_url:
            missing = self.grant and not value(self.refresh_token, http)
            return f"Set {_listed(self._granting())}." if missing else f"Set {setting} anew."
        ours = value(self.refresh_token, http) and (stored is None or stored.seed)
        return f"Run: antiphon login {http.connection}" + (f" (and leave out the setting {setting})" if ours else "")

    def _check_client(self) -> str:
        return f"Check the settings {_listed([self.client_id, *self._credential()])}."


def value(template: str, http: Http) -> str:
    """Return the text that *template* stands for; empty where its setting has no value."""
    return str(fill(template, http.settings) or "")


def _granted(
    response: Any, who: str, hint: str, check_client: str, secrets: Iterable[str], where: str
) -> Mapping[str, Any]:
    """Return the reply in *response*; raise what it says if it is a refusal."""
    status: int = response.status_code
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise SettingError(f"{who} -> {status} redirects elsewhere; it was not followed", hint=f"Check {where}.")
    try:
        reply = response.json()
    except ValueError:
        reply = None
    error = str(reply.get("error") or "") if isinstance(reply, Mapping) else ""
    words = f"{status} {error or 'and no token'}"
    if isinstance(reply, Mapping) and reply.get("error_description"):
        words = f"{words}: {reply['error_description']}"
    words = plain(words)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        words = words.replace(secret, "***")
    if status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS} or status >= 500 or error in _LATER:  # noqa: PLR2004
        raise Unavailable(f"the log-in says {words}", status=status, retry_after=retry_after(response.headers))
    if error or status >= HTTPStatus.BAD_REQUEST:
        raise Unauthorized(words, status=401, code=error, hint=check_client if error in _CLIENT else hint)
    if not isinstance(reply, Mapping):
        raise Unavailable(f"{status} and no JSON from {who.partition(': ')[2]}", hint=f"Check {where}.")
    return reply


def _nowhere(response: Any) -> None:
    """Tell requests that *response* redirects nowhere: even when told not to follow, it takes the target apart."""


def _alone(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *reply* without a refresh token: only one that a user consented to is worth keeping."""
    return {name: given for name, given in reply.items() if name != "refresh_token"}


def _as_it_is(prepared: Any) -> Any:
    """Sign nothing: without this, a password from ``~/.netrc`` would be put in."""
    return prepared


def _fixed(grant: Mapping[str, str]) -> set[str]:
    """Return the names of what is the same in *grant* for everybody."""
    return {name for name, said in grant.items() if not names(said)}


def _seconds(given: Any) -> float:
    """Return how long a token lives, 0 where *given* does not tell."""
    try:
        found = float(given)
    except (TypeError, ValueError):
        return 0
    return found if math.isfinite(found) and found > 0 else 0


def _listed(templates: Any) -> str:
    return " and ".join(sorted(names(templates)))
