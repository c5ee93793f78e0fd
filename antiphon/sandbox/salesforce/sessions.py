"""Logging in: `/services/oauth2/…`, its sessions, its refresh tokens, and the key that signs assertions."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from antiphon.sandbox.exchange import Request, Response, json_response
from antiphon.sandbox.openssl import openssl
from antiphon.sandbox.salesforce.refusals import Refusal, not_found
from antiphon.sandbox.salesforce.seeds import USERS
from antiphon.sandbox.salesforce.settings import Settings

CLIENT_ID = "3MVG9sandbox.client"
CLIENT_SECRET = "sandbox-secret"
USERNAME = USERS[0][2]
ORG_ID = "00D5g00000Sandb0EA0"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CODE_LIFE = 900
ASSERTION_LIFE = 300
_LEEWAY = 30
_AUDIENCES = ("https://login.salesforce.com", "https://test.salesforce.com")
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_PUBLIC_EXPONENT = 65537
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
Form = dict[str, str]


class Denied(Exception):
    """A refusal in the shape of OAuth 2.0."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status

    def response(self) -> Response:
        """As JSON."""
        return json_response(self.status, {"error": self.error, "error_description": self.description})


@dataclass
class _Code:
    redirect_uri: str
    challenge: str | None
    ends: float
    scope: str


@dataclass
class _Family:
    """All refresh tokens that came of one login: the last one lives, and the reuse of another ends them all."""

    current: str
    scope: str
    revoked: bool = False


class Sessions:
    """Who is logged in. `user_id` is the one user there is to log in as."""

    def __init__(self, settings: Settings, user_id: str) -> None:
        self.settings = settings
        self.user_id = user_id
        self._count = 0
        self._live: dict[str, float | None] = {}
        self._codes: dict[str, _Code] = {}
        self._families: dict[str, _Family] = {}
        self.refresh_token = self._new_family("api refresh_token")

    # To look into and to steer.

    @cached_property
    def private_key(self) -> str:
        """The key for JWT bearer, in PEM, made when it is first asked for."""
        return openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    @cached_property
    def _modulus(self) -> int:
        return int(openssl("rsa", "-noout", "-modulus", given=self.private_key).strip().partition("=")[2], 16)

    def open(self) -> str:
        """A new session's token."""
        self._count += 1
        token = (
            f"{ORG_ID[:15]}!AQ{self._count:06d}.{hashlib.sha256(f'session {self._count}'.encode()).hexdigest()[:40]}"
        )
        life = self.settings.session_seconds
        self._live[token] = None if life is None else time.monotonic() + life
        return token

    def close_all(self) -> None:
        """End every session."""
        self._live.clear()

    def revoke_all(self) -> None:
        """What the user does who takes the app's access away: sessions and refresh tokens end."""
        self.close_all()
        for family in self._families.values():
            family.revoked = True

    def accepts(self, token: str) -> bool:
        """Whether a token is a live session's."""
        if token not in self._live:
            return False
        ends = self._live[token]
        return ends is None or time.monotonic() < ends

    def _new_family(self, scope: str) -> str:
        family = _Family("", scope)
        self._rotate(family)
        return family.current

    def _rotate(self, family: _Family) -> None:
        number = len(self._families) + 1
        family.current = f"5Aep861{hashlib.sha256(f'refresh {number}'.encode()).hexdigest()[:48]}"
        self._families[family.current] = family

    # The endpoints.

    def answer(self, request: Request, base: str, *, on_my_domain: bool) -> Response:
        """Answer below `/services/oauth2/`; `base` is the instance's own address."""
        form = {name: values[0] for name, values in request.query.items()}
        form |= {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        try:
            match request.segments[2:], request.method:
                case ["token"], "POST":
                    return self._token(request, form, base, on_my_domain=on_my_domain)
                case ["authorize"], "GET":
                    return self._authorize(form)
                case ["revoke"], "POST" | "GET":
                    return self._revoke(form)
                case ["userinfo"], "GET" | "POST":
                    return self.identity(request, base)
        except Denied as denied:
            return denied.response()
        raise not_found()

    def _token(self, request: Request, form: Form, base: str, *, on_my_domain: bool) -> Response:
        self._basic(request, form)
        match form.get("grant_type"):
            case "refresh_token":
                return self._refresh(form, base)
            case "authorization_code":
                return self._exchange(form, base)
            case "client_credentials":
                if not on_my_domain:
                    raise Denied("invalid_grant", "request not supported on this domain")
                self._client(form, secret=True)
                return self._granted(base, "api")
            case grant if grant == JWT_BEARER:
                self._assertion(form.get("assertion", ""), base)
                return self._granted(base, "api")
            case "password":
                raise Denied("invalid_grant", "authentication failure")
        raise Denied("unsupported_grant_type", "grant type not supported")

    @staticmethod
    def _basic(request: Request, form: Form) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(given).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise Denied("invalid_client", "invalid client credentials") from None
            form["client_id"], form["client_secret"] = unquote_plus(user), unquote_plus(password)

    @staticmethod
    def _client(form: Form, *, secret: bool) -> None:
        if form.get("client_id") != CLIENT_ID:
            raise Denied("invalid_client_id", "client identifier invalid")
        given = form.get("client_secret", "")
        if (secret or "client_secret" in form) and not hmac.compare_digest(given.encode(), CLIENT_SECRET.encode()):
            raise Denied("invalid_client", "invalid client credentials")

    def _refresh(self, form: Form, base: str) -> Response:
        self._client(form, secret=False)
        token = form.get("refresh_token", "")
        family = self._families.get(token)
        if family is not None and token != family.current:
            # An old token that comes again is taken for a stolen one.
            family.revoked = True
        if family is None or family.revoked:
            raise Denied("invalid_grant", "expired access/refresh token")
        if not self.settings.rotate:
            return self._granted(base, family.scope)
        self._rotate(family)
        if token == self.refresh_token:
            self.refresh_token = family.current
        return self._granted(base, family.scope, family.current)

    def _exchange(self, form: Form, base: str) -> Response:
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or time.monotonic() > code.ends:
            raise Denied("invalid_grant", "expired authorization code" if code else "invalid authorization code")
        # With a challenge the client may go without its secret.
        self._client(form, secret=code.challenge is None)
        if form.get("redirect_uri") != code.redirect_uri:
            raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
        if code.challenge is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
                raise Denied("invalid_grant", "invalid code verifier")
        refresh = None
        if {"refresh_token", "offline_access", "full"} & set(code.scope.split()):
            refresh = self._new_family(code.scope)
        return self._granted(base, code.scope, refresh)

    def _authorize(self, form: Form) -> Response:
        """Answer at once as a user would who agrees; `approve` says whether."""
        target = urlsplit(form.get("redirect_uri", ""))
        if form.get("client_id") != CLIENT_ID:
            raise Denied("invalid_client_id", "client identifier invalid")
        if target.hostname not in _LOOPBACK and target.scheme != "https":
            raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
        reply: Form = {"state": form["state"]} if "state" in form else {}
        challenge = form.get("code_challenge")
        if form.get("response_type") != "code":
            reply |= {"error": "unsupported_response_type", "error_description": "response type not supported"}
        elif (challenge and form.get("code_challenge_method") != "S256") or (self.settings.pkce and not challenge):
            reply |= {"error": "invalid_request", "error_description": "missing required code challenge"}
        elif not self.settings.approve:
            reply |= {"error": "access_denied", "error_description": "end-user denied authorization"}
        else:
            code = f"aPrx{hashlib.sha256(f'code {len(self._codes)} {time.monotonic()}'.encode()).hexdigest()[:40]}=="
            scope = form.get("scope", "api refresh_token")
            self._codes[code] = _Code(form["redirect_uri"], challenge, time.monotonic() + CODE_LIFE, scope)
            reply |= {"code": code}
        joint = "&" if target.query else "?"
        return Response(302, b"", {"Location": f"{form['redirect_uri']}{joint}{urlencode(reply)}"})

    def _assertion(self, assertion: str, base: str) -> None:
        try:
            signed, _, signature = assertion.rpartition(".")
            header, claims = (json.loads(_unpadded(part)) for part in signed.split("."))
            valid = header["alg"] == "RS256" and self._verifies(signed.encode(), _unpadded(signature))
            ends = float(claims["exp"])
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise Denied("invalid_grant", "invalid assertion") from None
        if not valid:
            raise Denied("invalid_grant", "invalid assertion")
        if claims.get("iss") != CLIENT_ID:
            raise Denied("invalid_client_id", "client identifier invalid")
        if str(claims.get("aud")).rstrip("/") not in {*_AUDIENCES, base, base.replace("127.0.0.1", "localhost")}:
            raise Denied("invalid_grant", "audience is invalid")
        if not time.time() - _LEEWAY < ends < time.time() + ASSERTION_LIFE + _LEEWAY:
            raise Denied("invalid_grant", "expired authorization code")
        if claims.get("sub") != USERNAME:
            raise Denied("invalid_grant", "user hasn't approved this consumer")

    def _verifies(self, signed: bytes, signature: bytes) -> bool:
        """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2)."""
        length = (self._modulus.bit_length() + 7) // 8
        number = int.from_bytes(signature, "big")
        if len(signature) != length or number >= self._modulus:
            return False
        digest = _SHA256_PREFIX + hashlib.sha256(signed).digest()
        expected = b"\x00\x01" + b"\xff" * (length - len(digest) - 3) + b"\x00" + digest
        return hmac.compare_digest(pow(number, _PUBLIC_EXPONENT, self._modulus).to_bytes(length, "big"), expected)

    def _granted(self, base: str, scope: str, refresh: str | None = None) -> Response:
        issued = str(int(time.time() * 1000))
        identity = f"{base}/id/{ORG_ID}/{self.user_id}"
        signature = hmac.new(CLIENT_SECRET.encode(), (identity + issued).encode(), hashlib.sha256).digest()
        grant = {
            "access_token": self.open(),
            "signature": base64.b64encode(signature).decode(),
            "scope": scope,
            "instance_url": base,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued,
        }
        if refresh is not None:
            grant["refresh_token"] = refresh
        return json_response(200, grant, {"Cache-Control": "no-cache, no-store"})

    def _revoke(self, form: Form) -> Response:
        token = form.get("token", "")
        family = self._families.get(token)
        if family is None and token not in self._live:
            raise Denied("unsupported_token_type", "this token type is not supported")
        if family is not None:
            family.revoked = True
        self._live.pop(token, None)
        return Response(200)

    def identity(self, request: Request, base: str) -> Response:
        """Who the session is of."""
        token = request.headers.get("authorization", "").partition(" ")[2]
        if not self.accepts(token):
            return Response(403, b"Bad_OAuth_Token", {"Content-Type": "text/plain"})
        first, last, name = USERS[0]
        url = f"{base}/id/{ORG_ID}/{self.user_id}"
        person: dict[str, Any] = {
            "sub": url, "id": url, "user_id": self.user_id, "organization_id": ORG_ID, "preferred_username": name,
            "username": name, "nickname": first.lower(), "name": f"{first} {last}", "display_name": f"{first} {last}",
            "email": name, "email_verified": True, "active": True, "user_type": "STANDARD", "language": "en_US",
            "urls": {"rest": f"{base}/services/data/v{{version}}/", "sobjects": f"{base}/services/data/v{{version}}/sobjects/"},
        }  # fmt: skip
        return json_response(200, person)


def expired() -> Refusal:
    """401 INVALID_SESSION_ID."""
    return Refusal(401, "INVALID_SESSION_ID", "Session expired or invalid")


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
