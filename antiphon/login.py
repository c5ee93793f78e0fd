"""Logging in: a user lets a connection into an account, in a browser; the token goes into the connection's store.

``by_page`` waits for the vendor's answer on a port of 127.0.0.1 (RFC 8252, with PKCE; or OAuth 1's, RFC 5849), or takes the
address that the browser was sent to, pasted. ``device_code`` (RFC 8628) shows a code to type in on another device.
"""

from __future__ import annotations

import queue
import secrets
import socketserver
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from antiphon.api import Auth
from antiphon.auth import All, Login, OAuth1, OAuth2
from antiphon.auth.library import plain
from antiphon.auth.stored import store_of
from antiphon.client import Client
from antiphon.connection import variable
from antiphon.errors import ApiError, SettingError, Unauthorized, Unavailable
from antiphon.fill import fill, names
from antiphon.http import Http

PATH = "/callback"
PATIENCE = 300.0
"""Seconds to wait for somebody to log in."""
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5.0
"""Seconds: how often to ask where a server does not say, and how much less often once it says ``slow_down`` (RFC 8628, 3.5)."""
_PAGE = "<!doctype html><meta charset=utf-8><title>Antiphon</title><p>{}</p>"
_HEARD = "Antiphon has its answer, and says in the terminal what became of it. You can close this window."
_AGAIN = "Log in again."


def auth_of(client: Client) -> OAuth1 | OAuth2 | Login:
    """Return how *client* is logged in.

    Raises:
        SettingError: it has a credential that nobody logs in for, or lacks what is needed to log in.
    """
    kinds = client.api.auth if isinstance(client.api.auth, tuple) else (client.api.auth,)
    name = client.http.connection
    found = next(
        (auth for kind in kinds for auth in _parts(kind) if isinstance(auth, OAuth2 | Login) or page_of(auth)), None
    )
    if not isinstance(found, OAuth1 | OAuth2 | Login):
        needed = " and ".join(setting for kind in kinds for setting in kind.needs())
        raise SettingError(
            f"{name}: there is no log-in for {client.api.title}", hint=f"Set {needed}." if needed else ""
        )
    for setting in found.needs():
        if not client.settings.get(setting):
            hint = f"Give it in the config, or as the variable {variable(name, setting)}."
            raise SettingError(f"{name}: the setting {setting} is missing", hint=hint)
    first = _before(client, found)
    if first:
        raise SettingError(f"{name}: the setting {first} comes before any log-in", hint=f"Leave {first} out.")
    return found


def _parts(kind: Auth) -> tuple[Auth, ...]:
    return kind.of if isinstance(kind, All) else (kind,)


def _before(client: Client, found: Auth) -> str:
    """Return the settings that hold a credential which is used before what a log-in gives."""
    auth = client.http.auth
    if auth and found not in _parts(auth):
        return " and ".join(auth.needs())
    token = names(found.token) if isinstance(found, OAuth1) else ()
    return " and ".join(name for name in token if client.settings.get(name))


def page_of(auth: Auth) -> str:
    """Return the page to log in on, empty where there is none."""
    return auth.authorize_url if isinstance(auth, OAuth1 | OAuth2) else ""


def device_of(auth: Auth) -> str:
    """Return the address that gives codes to type on another device, empty where there is none."""
    return auth.device_url if isinstance(auth, OAuth2) else ""


def held(client: Client) -> str:
    """Return what the settings are enough to log in with, see :meth:`OAuth2.held`; empty where somebody must."""
    auth = auth_of(client)
    return auth.held(client.http) if isinstance(auth, OAuth2) else "settings" if isinstance(auth, Login) else ""


def with_settings(client: Client) -> None:
    """Log in with what the settings hold, see :func:`held`, and store what that gives.

    Raises:
        Unauthorized: it was refused.
    """
    auth = auth_of(client)
    with _told(client.http):
        if not isinstance(auth, OAuth1):
            auth.again(client.http)


def by_page(
    client: Client,
    *,
    show: Callable[[str], None],
    port: int = 0,
    paste: Callable[[], str] | None = None,
    redirect_uri: str = "",
    wait: float = PATIENCE,
) -> None:
    """Log in on the vendor's page: authorization code with PKCE (OAuth 2), or a request token (OAuth 1).

    *show* is given the address to open. With *paste* that is asked for the address the browser ended at; otherwise the answer is
    waited for on 127.0.0.1, at *port* or a free one, for *wait* seconds.

    Raises:
        Unauthorized: the user said no, the answer is not to our question, or what it gave was refused.
        SettingError: there is no page to log in on, or the port is taken.
    """
    http, auth = client.http, auth_of(client)
    if isinstance(auth, Login) or not auth.authorize_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no page to log in on", hint=_other(auth))
    with _told(http):
        if paste:
            uri = redirect_uri or f"http://127.0.0.1{f':{port}' if port else ''}{PATH}"
            _consent(auth, http, uri, show, paste)
        else:
            with closing(_listening(http, port)) as callback:
                uri = f"http://127.0.0.1:{callback.server_address[1]}{PATH}"
                _consent(auth, http, uri, show, lambda: callback.wait(wait))


def device_code(client: Client, *, show: Callable[[str, str], None]) -> None:
    """Log in on another device: *show* is given the address to open there, and the code to type.

    Raises:
        Unauthorized: the user said no, or did not come in time.
        SettingError: the API has no such way.
    """
    http, auth = client.http, auth_of(client)
    if not isinstance(auth, OAuth2) or not auth.device_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no log-in by device code", hint=_other(auth))
    with _told(http):
        started = auth.asked(http, {"scope": auth.scope} if auth.scope else {}, _AGAIN, device=True)
        address = started.get("verification_uri") or started.get("verification_url")
        if not started.get("device_code") or not address:
            raise Unavailable("the log-in answers without a device code")
        show(plain(str(started.get("verification_uri_complete") or address)), plain(str(started.get("user_code"))))
        auth.accept(http, _polled(auth, http, started))


def forget(client: Client) -> bool:
    """Remove what is stored of a log-in; return whether there was any. The API is told where it has a request for that.

    Raises:
        SettingError: the API has no log-in.
    """
    auth = auth_of(client)
    with _told(client.http):
        return auth.forget(client.http) if isinstance(auth, Login) else store_of(client.http).remove()


def _consent(
    auth: OAuth1 | OAuth2, http: Http, uri: str, show: Callable[[str], None], answer: Callable[[], str]
) -> None:
    """Show the page, and have a token for the user's consent, which the browser comes back to *uri* with."""
    page = str(fill(auth.authorize_url, http.settings))
    if isinstance(auth, OAuth1):
        token, secret = auth.request_token(http, uri)
        show(f"{page}{'&' if '?' in page else '?'}{urlencode({'oauth_token': token})}")
        auth.accept(http, token, secret, _said(answer(), "oauth_token", token, "oauth_verifier"))
        return
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
    session = auth.client(http, redirect_uri=uri, code_challenge_method="S256")
    show(session.create_authorization_url(page, state=state, code_verifier=verifier)[0])
    code = _said(answer(), "state", state, "code")
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri, "code_verifier": verifier}
    auth.accept(http, auth.asked(http, grant, _AGAIN))


def _said(address: str, mark: str, ours: str, name: str) -> str:
    """Return what the *address* that the browser was sent back to has for *name*, if its *mark* is *ours*."""
    try:
        found = {name: values[-1] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    except ValueError:
        found = {}
    if not secrets.compare_digest(found.get(mark, "").encode(), ours.encode()):
        raise Unauthorized(f"this is no answer to what was asked (another {mark})", status=401, hint=_AGAIN)
    if "error" in found:
        words = ": ".join(found[name] for name in ("error", "error_description") if name in found)
        raise Unauthorized(plain(words), status=401, code=plain(found["error"]), hint=_AGAIN)
    if not found.get(name):
        raise Unauthorized(f"the answer holds no {name.removeprefix('oauth_')}", status=401, hint=_AGAIN)
    return found[name]


def _polled(auth: OAuth2, http: Http, started: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the token endpoint's reply once the code was typed."""
    interval, life = _number(started.get("interval")) or _SLOWER, _number(started.get("expires_in")) or PATIENCE
    ends = time.monotonic() + life
    while time.monotonic() < ends:
        time.sleep(interval)
        try:
            return auth.asked(http, {"grant_type": _DEVICE, "device_code": str(started["device_code"])}, _AGAIN)
        except Unavailable:
            interval *= 2
        except Unauthorized as error:
            if error.code not in {"authorization_pending", "slow_down"}:
                raise
            interval += _SLOWER if error.code == "slow_down" else 0
    raise Unauthorized("nobody typed the code in time", status=401, hint=_AGAIN)


def _number(given: Any) -> float:
    try:
        return max(0.0, float(given))
    except (TypeError, ValueError):
        return 0


def _other(auth: Auth) -> str:
    """Return which other way there is."""
    return "Use --device." if device_of(auth) else "Leave --device out." if page_of(auth) else ""


@contextmanager
def _told(http: Http) -> Iterator[None]:
    """Tell the API's errors as ones of logging in."""
    try:
        yield
    except ApiError as error:
        http.fail(error, "logging in")


def _listening(http: Http, port: int) -> _Callback:
    try:
        return _Callback(port)
    except OSError as error:
        said = f"{http.connection}: port {port} of 127.0.0.1 cannot be listened on: {error.strerror}"
        raise SettingError(said, hint="Choose another --port, or use --paste.") from None


class _Callback(socketserver.ThreadingTCPServer):
    """Waits on 127.0.0.1 for the browser to be sent back, on the one path.

    Each connection has a thread: browsers open some on which they send nothing.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        super().__init__(("127.0.0.1", port), _Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def wait(self, seconds: float) -> str:
        """Return the address that the browser came back to.

        Raises:
            Unauthorized: it did not in time.
        """
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            raise Unauthorized(f"nobody logged in within {seconds:.0f} s", status=401, hint=_AGAIN) from None

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Callback
    timeout = 10

    def do_GET(self) -> None:
        ours = urlsplit(self.path).path == PATH
        page = _PAGE.format(_HEARD if ours else "There is nothing here.").encode()
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(page)
        self.wfile.flush()
        if ours:
            self.server.answers.put(self.path)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the address holds the code."""
