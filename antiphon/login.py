"""Logging in: a user lets a connection into an account, in a browser; the token goes into the connection's store.

``authorization_code`` waits for the vendor's answer on a port of 127.0.0.1 (RFC 8252, with PKCE), or takes the address that
the browser was sent to, pasted. ``device_code`` (RFC 8628) shows a code to type in on another device.
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
from urllib.parse import parse_qs, urlsplit

from antiphon.auth.library import plain
from antiphon.auth.oauth2 import OAuth2
from antiphon.auth.stored import store_of
from antiphon.client import Client
from antiphon.connection import variable
from antiphon.errors import ApiError, SettingError, Unauthorized, Unavailable
from antiphon.fill import fill
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


def auth_of(client: Client) -> OAuth2:
    """Return how *client* gets its tokens.

    Raises:
        SettingError: it has a credential that nobody logs in for, or lacks what is needed to log in.
    """
    kinds = client.api.auth if isinstance(client.api.auth, tuple) else (client.api.auth,)
    name, auth = client.http.connection, client.http.auth
    found = next((kind for kind in kinds if isinstance(kind, OAuth2)), None)
    if found is None:
        names = " and ".join(setting for kind in kinds for setting in kind.needs())
        raise SettingError(f"{name}: there is no log-in for {client.api.title}", hint=f"Set {names}." if names else "")
    for setting in found.needs():
        if not client.settings.get(setting):
            hint = f"Give it in the config, or as the variable {variable(name, setting)}."
            raise SettingError(f"{name}: the setting {setting} is missing", hint=hint)
    if auth and not isinstance(auth, OAuth2):
        names = " and ".join(auth.needs())
        raise SettingError(f"{name}: the setting {names} comes before any log-in", hint=f"Leave {names} out.")
    return found


def with_settings(client: Client) -> None:
    """Get a token with what the settings hold (an assertion, a refresh token, client credentials), and store it.

    Raises:
        Unauthorized: it was refused.
    """
    with _told(client.http):
        auth_of(client).again(client.http)


def authorization_code(
    client: Client,
    *,
    show: Callable[[str], None],
    port: int = 0,
    paste: Callable[[], str] | None = None,
    redirect_uri: str = "",
    wait: float = PATIENCE,
) -> None:
    """Log in with authorization code and PKCE.

    *show* is given the address to open. With *paste* that is asked for the address the browser ended at; otherwise the answer is
    waited for on 127.0.0.1, at *port* or a free one, for *wait* seconds.

    Raises:
        Unauthorized: the user said no, the answer is not to our question, or the code was refused.
        SettingError: there is no page to log in on, or the port is taken.
    """
    http, auth = client.http, auth_of(client)
    if not auth.authorize_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no page to log in on", hint=_other(auth))
    with _told(http):
        if paste:
            uri = redirect_uri or f"http://127.0.0.1{f':{port}' if port else ''}{PATH}"
            code, verifier = _consent(auth, http, uri, show, paste)
        else:
            with closing(_listening(http, port)) as callback:
                uri = f"http://127.0.0.1:{callback.server_address[1]}{PATH}"
                code, verifier = _consent(auth, http, uri, show, lambda: callback.wait(wait))
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": uri, "code_verifier": verifier}
        auth.accept(http, auth.asked(http, grant, _AGAIN))


def device_code(client: Client, *, show: Callable[[str, str], None]) -> None:
    """Log in on another device: *show* is given the address to open there, and the code to type.

    Raises:
        Unauthorized: the user said no, or did not come in time.
        SettingError: the API has no such way.
    """
    http, auth = client.http, auth_of(client)
    if not auth.device_url:
        raise SettingError(f"{http.connection}: {client.api.title} has no log-in by device code", hint=_other(auth))
    with _told(http):
        started = auth.asked(http, {"scope": auth.scope} if auth.scope else {}, _AGAIN, device=True)
        address = started.get("verification_uri") or started.get("verification_url")
        if not started.get("device_code") or not address:
            raise Unavailable("the log-in answers without a device code")
        show(plain(str(started.get("verification_uri_complete") or address)), plain(str(started.get("user_code"))))
        auth.accept(http, _polled(auth, http, started))


def forget(client: Client) -> bool:
    """Remove the token that is stored; return whether there was one. Its vendor is told nothing.

    Raises:
        SettingError: the API has no log-in.
    """
    auth_of(client)
    return store_of(client.http).remove()


def _consent(
    auth: OAuth2, http: Http, uri: str, show: Callable[[str], None], answer: Callable[[], str]
) -> tuple[str, str]:
    """Return the code that the vendor gave for the user's consent, and the verifier that goes with it."""
    verifier, state = secrets.token_urlsafe(64), secrets.token_urlsafe(24)
    session = auth.client(http, redirect_uri=uri, code_challenge_method="S256")
    page = str(fill(auth.authorize_url, http.settings))
    address, _ = session.create_authorization_url(page, state=state, code_verifier=verifier)
    show(address)
    return _code(answer(), state), verifier


def _code(address: str, state: str) -> str:
    """Return the code in the *address* that the browser was sent back to."""
    try:
        found = {name: values[-1] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    except ValueError:
        found = {}
    if not secrets.compare_digest(found.get("state", "").encode(), state.encode()):
        raise Unauthorized("this is no answer to what was asked (another state)", status=401, hint=_AGAIN)
    if "error" in found:
        words = ": ".join(found[name] for name in ("error", "error_description") if name in found)
        raise Unauthorized(plain(words), status=401, code=plain(found["error"]), hint=_AGAIN)
    if not found.get("code"):
        raise Unauthorized("the answer holds no code", status=401, hint=_AGAIN)
    return found["code"]


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


def _other(auth: OAuth2) -> str:
    """Return which other way there is."""
    return "Use --device." if auth.device_url else "Leave --device out." if auth.authorize_url else ""


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
