"""One request done well: signed, held to the rate limit, sent, retried where that is right, its errors told in one line.

What may be repeated is repeated: after 408, 425, 429, 5xx or a dropped connection, with full jitter, ``Retry-After`` as a floor.
A write that has an effect each time is repeated only when the server surely did not carry it out (no connection, 429,
503); otherwise it ends as :class:`~antiphon.errors.Lost`, for the caller to find out what became of it.

Redirects are followed on the API's own hosts only. Nothing in ``~/.netrc`` replaces a credential; proxies and CA bundles
from the environment are honoured.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Generator, Iterable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus, urljoin, urlsplit

import backoff
import msgspec
import requests
import urllib3.exceptions
from requests.auth import AuthBase

from antiphon import moment
from antiphon.api import Auth, Reply, Request
from antiphon.errors import ApiError, BadReply, ForeignHost, Lost, QuotaSpent, Refused, SettingError, Unauthorized, Unavailable
from antiphon.fill import text
from antiphon.limits import Limiter
from antiphon.style import Rest

log = logging.getLogger("antiphon.http")

MAX_BODY = 512 * 1024 * 1024
"""Bytes; a longer answer is refused."""
TRIES = 8
LONGEST_WAIT = 30.0
"""Seconds between two tries, unless the server asks for more."""
LONGEST_RETRY_AFTER = 600.0
"""Seconds; a server that asks for more than that gets no further try."""
_NOT_DONE = frozenset({429, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODE = msgspec.json.Encoder(decimal_format="number").encode


class _Signed(AuthBase):
    """Tells requests that a request is signed already, so that it does not look into ``~/.netrc``."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class Http:
    """The way to one API with one set of settings."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        auth: Auth | None = None,
        settings: Mapping[str, Any] | None = None,
        secrets: Iterable[str] = (),
        hosts: Iterable[str] = (),
        style: Rest | None = None,
        limiter: Limiter | None = None,
        session: requests.Session | None = None,
    ) -> None:
        """Prepare a session; nothing is sent. *hosts* may be spoken to besides the one of *base_url*."""
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.auth = auth
        self.settings = dict(settings or {})
        self.style = style or Rest()
        self.limiter = limiter or Limiter(())
        self.session = session or requests.Session()
        self._hosts = {_host(self.base_url), *(host.lower() for host in hosts)}
        self._secrets = sorted(
            {form for s in secrets if s for form in (s, quote(s, safe=""), quote_plus(s))}, key=len, reverse=True
        )
        proxy = self.settings.get("proxy")
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        self.session.headers["User-Agent"] = self.settings.get("user_agent") or "antiphon"

    def send(self, request: Request, doing: str, *, safe: bool = True) -> Reply:
        """Send *request* and return the answer; *doing* says in a word or two what for ("reading contacts").

        Raises:
            ApiError: by kind, see :mod:`antiphon.errors`.
            SettingError: the server's certificate is not trusted.
        """
        attempt = 0

        @backoff.on_exception(
            _waits, Unavailable, max_tries=TRIES, jitter=None, giveup=_hopeless, logger=None, on_backoff=self._tell
        )
        def trying() -> Reply:
            nonlocal attempt
            attempt += 1
            return self._once(request, safe=safe)

        try:
            reply = trying()
        except ApiError as error:
            self._fail(error, doing)
        reply.attempts = attempt
        return reply

    def redact(self, words: str) -> str:
        """Return *words* with every secret replaced by ``***``."""
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return words

    def same_host(self, url: str) -> str:
        """Return *url*, made absolute, if it is on one of the API's hosts.

        Raises:
            ForeignHost: it is not.
        """
        url = url if "://" in url else f"{self.base_url}/{url.lstrip('/')}"
        if _host(url) not in self._hosts:
            hint = "Nothing was sent there. If that host is right, set base_url to it."
            raise ForeignHost(f"the API pointed at another host, {_host(url)}", hint=hint)
        return url

    def _once(self, request: Request, *, safe: bool) -> Reply:
        signed = Request(request.method, self.same_host(request.url), dict(request.params), dict(request.headers), request.body)
        if self.auth:
            self.auth.sign(signed, self.settings)
        data = signed.body
        if data is not None and not isinstance(data, bytes):
            data = _ENCODE(data)
            signed.headers.setdefault("Content-Type", "application/json")
        signed.headers.setdefault("Accept", "application/json")
        params = {key: text(value) for key, value in signed.params.items() if value is not None and value != []}
        for _ in range(5):
            reply = self._exchange(signed, params, data, safe=safe)
            if reply.status not in _REDIRECTS or "Location" not in reply.headers:
                break
            target = self.same_host(urljoin(reply.url, reply.headers["Location"]))
            if signed.method not in {"GET", "HEAD"} and reply.status < 307:  # noqa: PLR2004
                raise Refused(f"{reply.status} redirected to {target}", hint="Set base_url to where the API really is.")
            if reply.url.startswith("https:") and target.startswith("http:"):
                raise ForeignHost("the API redirected from https to http", hint="Nothing was sent there.")
            signed.url, params = target, {}
        error = self.style.fault(reply)
        if error is None:
            return reply
        error.retry_after = retry_after(reply.headers)
        if isinstance(error, Unavailable) and not isinstance(error, QuotaSpent) and not safe and error.status not in _NOT_DONE:
            raise Lost(error.message, status=error.status, code=error.code)
        raise error

    def _exchange(self, request: Request, params: dict[str, str], data: bytes | None, *, safe: bool) -> Reply:
        self.limiter.acquire(request.url)
        headers: Mapping[str, str] = {}
        timeout = float(self.settings.get("timeout") or 120)
        try:
            with self.session.request(
                request.method,
                request.url,
                params=params,
                data=data,
                headers=request.headers,
                auth=_Signed(),
                timeout=(min(timeout, 30.0), timeout),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies,
                verify=self.settings.get("ca_bundle") or None,
            ) as response:
                headers = response.headers
                return Reply(response.status_code, headers, _body(response), response.url)
        except requests.exceptions.SSLError as error:
            hint = "If the server's certificate is signed by a private authority, set ca_bundle to that authority's PEM file."
            raise SettingError(f"{self.name}: {_host(request.url)} -> its certificate is not trusted", hint=hint) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema) as error:
            raise SettingError(f"{self.name}: no usable URL: {self.redact(request.url)}", hint="Check base_url.") from error
        except OSError as error:  # every error of requests is one
            if _surely_not_sent(error):
                raise Unavailable(f"no connection to {_origin(request.url)} ({_why(error)})", hint=_CHECK) from error
            if safe:
                raise Unavailable(f"no answer from {_origin(request.url)} ({_why(error)})", hint=_CHECK) from error
            raise Lost(f"no answer from {_origin(request.url)} ({_why(error)})") from error
        finally:
            self.limiter.release(request.url, headers)

    def _fail(self, error: ApiError, doing: str) -> NoReturn:
        told = type(error)(
            self.redact(f"{self.name}: {doing} -> {error.message}"),
            hint=error.hint or self._hint(error),
            status=error.status,
            code=error.code,
            retry_after=error.retry_after,
        )
        raise told from error

    def _hint(self, error: ApiError) -> str:
        if isinstance(error, Unauthorized):
            names = " and ".join(self.auth.needs()) if self.auth else "the credential"
            return f"Check the setting {names}: it is not accepted."
        if isinstance(error, Unavailable):
            return f"Tried {TRIES} times; try again later."
        return ""

    def _tell(self, details: Any) -> None:
        error = details["exception"]
        log.info("%s: %s; trying again in %.1f s", self.name, self.redact(str(error.message)), details["wait"])


_CHECK = "Check base_url, the network and the proxy."


def _waits() -> Generator[float, Any, None]:
    """Yield the seconds to wait after each failure: full jitter, never less than the server asks for."""
    error = yield 0
    ceiling = 1.0
    while True:
        wait = random.uniform(0, ceiling)  # noqa: S311
        error = yield max(wait, error.retry_after or 0.0)
        ceiling = min(ceiling * 2, LONGEST_WAIT)


def _hopeless(error: Exception) -> bool:
    return isinstance(error, QuotaSpent) or (getattr(error, "retry_after", None) or 0) > LONGEST_RETRY_AFTER


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for (RFC 9110: seconds, or an HTTP date), or None."""
    asked = headers.get("Retry-After", "").strip()
    if not asked:
        return None
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        there = moment.parse(headers["Date"]) if headers.get("Date") else moment.now()
        return max(0.0, (moment.parse(asked) - there).total_seconds())
    except (ValueError, TypeError):
        return None


def _body(response: requests.Response) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_content(1 << 20):
        size += len(chunk)
        if size > MAX_BODY:
            raise BadReply(f"an answer of more than {MAX_BODY >> 20} MB", status=response.status_code)
        chunks.append(chunk)
    return b"".join(chunks)


def _host(url: str) -> str:
    return (urlsplit(url).netloc.rpartition("@")[2] or url).lower()


def _origin(url: str) -> str:
    return f"{urlsplit(url).scheme}://{_host(url)}"


def _surely_not_sent(error: BaseException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _why(error: BaseException) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "timed out"
    words = str(error).lower()
    for part, why in (
        ("refused", "connection refused"),
        ("name or service not known", "unknown host name"),
        ("failed to resolve", "unknown host name"),
        ("incompleteread", "the answer was cut short"),
        ("prematurely", "the answer was cut short"),
        ("without response", "the connection was dropped"),
        ("reset", "the connection was reset"),
    ):
        if part in words:
            return why
    return type(error).__name__



