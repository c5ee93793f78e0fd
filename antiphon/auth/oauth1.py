"""OAuth 1: every request is signed with the secrets of an app and of a user (RFC 5849), by oauthlib."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import parse_qsl, quote, urlsplit

from antiphon.api import Auth, Request
from antiphon.auth.library import library, plain
from antiphon.auth.place import FORM, content_type, set_header
from antiphon.auth.stored import digest_of, store_of
from antiphon.bounds import Url
from antiphon.errors import DescriptionError, Refused, SettingError, Unauthorized, Unavailable
from antiphon.fill import fill, names, text
from antiphon.http import written_url
from antiphon.tokens import Token

if TYPE_CHECKING:
    from antiphon.http import Http

Method = Literal["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "RSA-SHA512", "PLAINTEXT"]


@dataclass(frozen=True)
class OAuth1(Auth):
    """A signature of each request with an app's secret, and a user's where there is one (RFC 5849).

    The user's token is in the settings, or comes of ``antiphon login`` where the three addresses are given. Without it requests
    are signed for the app alone.
    """

    consumer_key: str = "{consumer_key}"
    """The name of the app."""
    consumer_secret: str = "{consumer_secret}"  # noqa: S105
    """Its secret; with RSA there is none."""
    token: str = "{token}"  # noqa: S105
    """The user's token; empty for requests of the app alone."""
    token_secret: str = "{token_secret}"  # noqa: S105
    """The secret that came with it."""
    method: Method = "HMAC-SHA1"
    """HMAC-SHA1, HMAC-SHA256, HMAC-SHA512, the same of RSA, or PLAINTEXT."""
    private_key: str = "{private_key}"
    """The app's key for RSA: a PEM text without a password."""
    realm: str = ""
    """What stands before the parameters of the header, where the API wants it (NetSuite: the account)."""
    query: bool = False
    """Whether the signature stands in the query, not in the Authorization header."""
    request_url: Url = ""
    """Where a log-in begins: the address that gives a request token."""
    authorize_url: Url = ""
    """The page on which the user says yes."""
    access_url: Url = ""
    """The address that gives the token for the user's yes."""

    PUBLIC: ClassVar[frozenset[str]] = frozenset({"oauth_version", "oauth_signature_method", "oauth_timestamp"})

    def __post_init__(self) -> None:
        """Refuse a log-in with a part missing."""
        if len([url for url in self.addresses if url]) not in {0, len(self.addresses)}:
            raise DescriptionError("oauth1: a log-in needs request_url, authorize_url and access_url")

    @property
    def addresses(self) -> tuple[str, str, str]:
        """The three addresses of a log-in; empty where there is none."""
        return self.request_url, self.authorize_url, self.access_url

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold what the app signs with; the user's are here only where nobody can log in."""
        signs = self.private_key if self.method.startswith("RSA") else self.consumer_secret
        users = [] if self.request_url else [self.token, self.token_secret]
        return tuple(sorted(names([self.consumer_key, signs, *users])))

    def heeds(self) -> tuple[str, ...]:
        """Return the settings that hold the user's token, if there need not be one."""
        return tuple(sorted(names([self.token, self.token_secret]))) if self.request_url else ()

    def prepare(self, http: Http) -> None:
        """Have the user's token, if the API wants one.

        Raises:
            Unauthorized: nobody has logged in.
        """
        if "oauth1" in http.notes:
            return
        token, secret = self._filled(self.token, http), self._filled(self.token_secret, http)
        if not token and self.request_url:
            stored = store_of(http).load()
            if not stored or stored.owner != self._owner(http):
                raise Unauthorized(
                    "401 nobody has logged in yet", status=401, hint=f"Run: antiphon login {http.connection}"
                )
            token, secret = stored.access_token, str(stored.taken.get("secret", ""))
        self._use(http, token, secret)

    def sign(self, request: Request, http: Http) -> None:
        """Sign method, address, query and the fields of a form; put the signature into the header or the query."""
        token, secret = http.notes["oauth1"]
        self._sign(request, http, resource_owner_key=token or None, resource_owner_secret=secret or None)

    def request_token(self, http: Http, callback: str) -> tuple[str, str]:
        """Return a request token and its secret, with which a log-in begins."""
        reply = self._asked(http, self.request_url, callback_uri=callback)
        return reply["oauth_token"], reply.get("oauth_token_secret", "")

    def accept(self, http: Http, token: str, secret: str, verifier: str) -> None:
        """Trade the request *token* that the user said yes to for one of the user's; store and use that."""
        more = {"resource_owner_key": token, "resource_owner_secret": secret, "verifier": verifier}
        reply = self._asked(http, self.access_url, **more)
        found, its = reply["oauth_token"], reply.get("oauth_token_secret", "")
        store = store_of(http)
        with store.locked():
            store.save(Token(found, 0, owner=self._owner(http), taken={"secret": its}))
        self._use(http, found, its)

    def _use(self, http: Http, token: str, secret: str) -> None:
        http.hide(token, secret)
        http.notes["oauth1"] = token, secret

    def _owner(self, http: Http) -> str:
        return digest_of(self._filled(self.request_url, http), self._filled(self.consumer_key, http))

    def _filled(self, template: str, http: Http) -> str:
        return text(fill(template, http.settings))

    def _asked(self, http: Http, template: str, **more: Any) -> dict[str, str]:
        """Return what a token address answers to a signed request."""
        request = Request("POST", self._filled(template, http), headers={"Accept": "*/*"})
        self._sign(request, http, **more)
        where = " and ".join(sorted(names(template))) or "the description"
        reply = http.ask(request, where)
        found = dict(parse_qsl(reply.body.decode("utf-8", "replace").strip()))
        http.hide(*(found.get(name, "") for name in ("oauth_token", "oauth_token_secret")))
        if reply.status >= 500:  # noqa: PLR2004
            raise Unavailable(f"the log-in says {reply.status}", status=reply.status)
        if reply.status >= 300 or not found.get("oauth_token"):  # noqa: PLR2004
            said = plain(found.get("oauth_problem", "") or "and no token")
            hint = f"Check the settings {' and '.join(sorted(names([self.consumer_key, self.consumer_secret])))}."
            raise Unauthorized(f"{reply.status} {said}", status=401, code=found.get("oauth_problem", ""), hint=hint)
        return found

    def _sign(self, request: Request, http: Http, **more: Any) -> None:
        oauth1 = library("oauthlib.oauth1", "OAuth 1", "oauth")
        logging.getLogger("oauthlib").setLevel(logging.INFO)  # below that it logs what it signs, tokens and forms
        client = oauth1.Client(
            self._filled(self.consumer_key, http),
            client_secret=self._filled(self.consumer_secret, http) or None,
            signature_method=self.method,
            signature_type=oauth1.SIGNATURE_TYPE_QUERY if self.query else oauth1.SIGNATURE_TYPE_AUTH_HEADER,
            rsa_key=self._filled(self.private_key, http).replace("\\n", "\n") or None,
            realm=self._filled(self.realm, http) or None,
            **more,
        )
        request.url = _strict(request.url)
        form = content_type(request) == FORM and request.method not in {"GET", "HEAD"} and request.body
        headers = {"Content-Type": FORM} if form else {}
        try:
            url, headers, _ = client.sign(
                written_url(request), request.method, request.body.decode() if form else None, headers
            )
        except Exception as error:
            if self.method.startswith("RSA") and not isinstance(error, UnicodeDecodeError):
                said = f"{http.name}: the setting {' and '.join(sorted(names(self.private_key)))} is no private key"
                raise SettingError(
                    said, hint="It takes the text of the PEM file; the key without a password."
                ) from None
            if isinstance(error, ValueError):
                raise Refused("what is to be sent cannot be signed: it is no form, or its address is none") from None
            raise
        if self.query:
            request.params |= {k: v for k, v in parse_qsl(urlsplit(url).query) if k.startswith("oauth_")}
        else:
            set_header(request, "Authorization", headers["Authorization"])


def _strict(url: str) -> str:
    """Return *url* with that in its query encoded which RFC 3986 has encoded: oauthlib signs nothing else."""
    path, mark, query = url.partition("?")
    return path + mark + quote(query, safe="=&;:%+~,*@!()/?'$")
