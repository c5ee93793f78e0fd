"""Logging in: a user lets a connection into an account, in a browser; the token goes into the connection's store.

``authorization_code`` opens the vendor's page and waits for the answer on a port of 127.0.0.1 (RFC 8252, with PKCE), or takes the
address that the browser was sent to, pasted. ``device_code`` (RFC 8628) shows a code to type in on another device.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from antiphon.client import Client
from antiphon.errors import SettingError, Unauthorized
from antiphon.fill import fill
from antiphon.oauth import OAuth2

PATH = "/callback"
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_PAGE = "<!doctype html><meta charset=utf-8><title>Antiphon</title><p>{}</p>"


def auth_of(client: Client) -> OAuth2:
    """Return how *client* gets its tokens.

    Raises:
        SettingError: it has a credential that nobody logs in for.
    """
    auth = client.http.auth
    if not isinstance(auth, OAuth2):
        kinds = client.api.auth if isinstance(client.api.auth, tuple) else (client.api.auth,)
        auth = next((kind for kind in kinds if isinstance(kind, OAuth2)), None)
        if auth is None:
            names = " and ".join(name for kind in kinds for name in kind.needs())
            raise SettingError(f"{client.http.connection}: {client.api.title} has no log-in", hint=f"Set {names}.")
        client.http.auth = auth
    return auth


def with_settings(client: Client) -> None:
    """Get a token with what the settings hold (an assertion, client credentials, a refresh token), and store it.

    Raises:
        Unauthorized: it was refused, or the settings hold nothing to get one with.
    """
    auth_of(client).prepare(client.http)


def authorization_code(
    client: Client,
    *,
    show: Callable[[str], None],
    port: int = 0,
    paste: Callable[[], str] | None = None,
    redirect_uri: str = "",
    wait: float = 300,
) -> None:
    """Log in with authorization code and PKCE.

    *show* is given the address to open. With *paste* that is asked for the address the browser ended at; otherwise the answer is
    waited for on 127.0.0.1, at *port* or a free one, for *wait* seconds.

    Raises:
        Unauthorized: the user said no, the answer is not to our question, or the code was refused.
    """
    http, auth = client.http, auth_of(client)
    if not auth.authorize_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no page to log in on")
    server = None if paste else _Callback(port)
    uri = redirect_uri or (f"http://127.0.0.1:{server.server_port}{PATH}" if server else f"http://127.0.0.1{PATH}")
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)

    def ask(session: Any, url: str, more: dict[str, Any]) -> Any:
        address, _ = session.create_authorization_url(str(fill(auth.authorize_url, http.settings)), state=state, code_verifier=verifier)
        show(address)
        answer = paste() if paste else server.wait(wait) if server else ""
        given = {name: values[0] for name, values in parse_qs(urlsplit(answer.strip()).query).items()}
        if "error" in given:
            raise Unauthorized(f"{http.connection}: logging in -> {given['error']} {given.get('error_description', '')}".rstrip())
        if not secrets.compare_digest(given.get("state", ""), state):
            raise Unauthorized(f"{http.connection}: logging in -> the answer is not to our question (state)", hint="Log in again.")
        if not given.get("code"):
            raise Unauthorized(f"{http.connection}: logging in -> the answer holds no code", hint="Log in again.")
        return session.fetch_token(url, grant_type="authorization_code", code=given["code"], code_verifier=verifier, **more)

    try:
        token = auth.asked(http, ask, redirect_uri=uri, code_challenge_method="S256")
    finally:
        if server:
            server.server_close()
    auth.accept(http, token)


def device_code(client: Client, *, show: Callable[[str, str], None], sleep: Callable[[float], None] = time.sleep) -> None:
    """Log in on another device: *show* is given the address to open there, and the code to type.

    Raises:
        Unauthorized: the user said no, or did not come in time.
    """
    http, auth = client.http, auth_of(client)
    if not auth.device_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no log-in by device code")
    client_id = fill(auth.client_id, http.settings)

    def ask(session: Any, url: str, more: dict[str, Any]) -> Any:
        body = {"client_id": client_id, **({"scope": auth.scope} if auth.scope else {})}
        started = session.request("POST", str(fill(auth.device_url, http.settings)), withhold_token=True, data=body, **more)
        found = started.json()
        if "device_code" not in found:
            raise Unauthorized(f"{http.connection}: logging in -> {found.get('error')} {found.get('error_description', '')}".rstrip())
        show(found.get("verification_uri_complete") or found["verification_uri"], found["user_code"])
        interval, ends = float(found.get("interval") or 5), time.monotonic() + float(found.get("expires_in") or 600)
        while time.monotonic() < ends:
            sleep(interval)
            form = {"grant_type": _DEVICE, "device_code": found["device_code"], "client_id": client_id}
            reply = session.request("POST", url, withhold_token=True, data=form, **more).json()
            match reply.get("error"):
                case None:
                    return reply
                case "authorization_pending":
                    continue
                case "slow_down":
                    interval += 5
                case error:
                    raise Unauthorized(f"{http.connection}: logging in -> {error} {reply.get('error_description', '')}".rstrip())
        raise Unauthorized(f"{http.connection}: logging in -> nobody typed the code in time", hint="Log in again.")

    auth.accept(http, auth.asked(http, ask))


class _Callback(HTTPServer):
    """Waits on 127.0.0.1 for the browser to be sent back, once, on the one path."""

    def __init__(self, port: int) -> None:
        self.answer = ""
        super().__init__(("127.0.0.1", port), _Handler)

    def wait(self, seconds: float) -> str:
        """Return the address that the browser came back to.

        Raises:
            Unauthorized: it did not in time.
        """
        ends = time.monotonic() + seconds
        while not self.answer:
            self.timeout = ends - time.monotonic()
            if self.timeout <= 0:
                raise Unauthorized(f"nobody logged in within {seconds:.0f} s", hint="Log in again.")
            self.handle_request()
        return self.answer


class _Handler(BaseHTTPRequestHandler):
    server: _Callback

    def do_GET(self) -> None:
        ours = urlsplit(self.path).path == PATH
        if ours:
            self.server.answer = self.path
        page = _PAGE.format("Thank you. You can close this window." if ours else "There is nothing here.").encode()
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address holds the code."""
