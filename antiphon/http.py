"""One request done well: signed, held to the rate limit, sent, retried where that is right, its errors told in one line.

What may be repeated is repeated: after 408, 425, 429, 5xx or a dropped connection, with full jitter, ``Retry-After`` as a floor.
A write that has an effect each time is repeated only when the server surely did not carry it out (no connection, 429,
503); otherwise it ends as :class:`~antiphon.errors.Lost`, for the caller to find out what became of it.

Redirects are followed on the API's own hosts only. Nothing in ``~/.netrc`` replaces a credential; proxies and CA bundles
from the environment are honoured.
"""

from __future__ import annotations

import logging
import math
import random
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, quote_plus, unquote_plus, urljoin

import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict
from urllib3.util import parse_url

from antiphon import moment, received
from antiphon.adapter import Adapter
from antiphon.api import Auth, Encoding, Format, Quota, Reply, Request, Style
from antiphon.errors import (
    AntiphonError,
    ApiError,
    BadReply,
    ForeignHost,
    Lost,
    QuotaSpent,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
)
from antiphon.fill import text
from antiphon.formats import Json
from antiphon.limits import Limiter
from antiphon.outcome import fits
from antiphon.pauses import Pauses
from antiphon.style import Rest

log = logging.getLogger("antiphon.http")

TRIES = 8
LONGEST_WAIT = 30.0
"""Seconds between two tries, unless the server asks for more."""
LONGEST_RETRY_AFTER = 600.0
"""Seconds; a server that asks for more than that gets no further try."""
_QUOTA_HOLDS = 60.0
"""Seconds for which what was said of a quota is believed; then the API is asked again, for quotas are renewed."""
_NOT_DONE = frozenset({403, 429, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LONG = re.compile(r"[^\s\"',;=&]{16,}=*")
_USAGE = re.compile(r"(\d+)/(\d+)")
_BUNDLES = "REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE in the environment"
_TOO_MANY = "the answer has more headers than can be read"
_PORTS = {"http": 80, "https": 443}


class _Prepared(requests.PreparedRequest):
    """A request of ours: signed already, its query quoted already. What it has in common with those before it is looked into once."""

    def prepare_url(self, url: Any, params: Any) -> None:
        if "?" in url or "#" in url:
            super().prepare_url(url, params)
        else:
            self.url = f"{_prepared_url(url)}?{params}" if params else _prepared_url(url)

    def prepare_headers(self, headers: Any) -> None:
        self.headers = _prepared_headers(tuple(headers.items())).copy()

    def prepare_cookies(self, cookies: Any) -> None:
        if cookies:
            super().prepare_cookies(cookies)
        else:
            self._cookies = cookies

    def prepare_body(self, data: Any, files: Any, json: Any = None) -> None:
        if data is not None or self.method not in {"GET", "HEAD"}:
            super().prepare_body(data, files, json)

    def prepare_auth(self, auth: Any, url: str = "") -> None:
        """Do nothing: requests would look for a credential in the URL."""

    @property
    def path_url(self) -> str:
        path = str(self.url).split("/", 3)[3:]
        return "/" + path[0].partition("#")[0] if path else super().path_url


class _NoQuery(logging.Filter):
    """Cuts URLs in urllib3's log records at the question mark: a key may stand behind it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in record.args)
        return True


for _logger in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_logger).addFilter(_NoQuery())


class Http:
    """The way to one API with one set of settings."""

    def __init__(  # noqa: PLR0913 - one for each thing that a connection may bring
        self,
        name: str,
        base_url: str,
        *,
        auth: Auth | None = None,
        settings: Mapping[str, Any] | None = None,
        secrets: Iterable[str] = (),
        hosts: Iterable[str] = (),
        style: Style | None = None,
        format: Format | None = None,
        encoding: Encoding | None = None,
        limiter: Limiter | None = None,
        quota: Quota | None = None,
        session: requests.Session | None = None,
        folder: Path | None = None,
        connection: str = "",
    ) -> None:
        """Prepare a session; nothing is sent. *hosts* may be spoken to besides the one of *base_url*."""
        self.name = name
        self.folder = folder
        self.connection = connection or name
        self.auth = auth
        self.settings = dict(settings or {})
        self.style: Style = style or Rest()
        self.format, self.encoding = format, encoding
        self.notes: dict[str, Any] = {}
        """What auth and style find out on the way and keep for later: a token, a session, the protocol spoken."""
        self.limiter = limiter or Limiter(())
        self.pauses = Pauses()
        self.session = session or _session()
        # Even when told not to follow, requests reads a redirect's body whole, and takes each URL apart.
        self.session.resolve_redirects = _nowhere  # type: ignore[method-assign]
        self._lock = threading.RLock()
        """Held by who logs in: requests go out from several threads, and one credential is for all of them."""
        self._renewed = 0
        self.proven = False
        """Whether the API has answered well at its base URL."""
        self.quoting = True
        """Whether the log may have the API's words: they may quote what was sent."""
        self.quota = quota
        self._left: tuple[float, float] | None = None
        self._left_at = 0.0
        self._others = {host.lower() for host in hosts}
        self.base_setting = "base_url"
        """The setting that says where the API is."""
        self.move(base_url)
        self._secrets: list[str] = []
        self.hide(*secrets)
        self._added: list[str] = []
        self._key_params: set[str] = set()
        proxy = self.settings.get("proxy")
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        self._ways: dict[tuple[str, str], Mapping[str, Any]] = {}
        self.session.headers["User-Agent"] = self.settings.get("user_agent") or "antiphon"

    def send(self, request: Request, doing: str, *, safe: bool = True, plain: bool = False) -> Reply:
        """Send *request* and return the answer; *doing* says in a word or two what for ("reading contacts").

        A *plain* one goes out unsigned and unencoded, and no status is an error: this is how auth and style ask.

        Raises:
            ApiError: by kind, see :mod:`antiphon.errors`.
            SettingError: the server's certificate is not trusted.
            Interrupted: the process is to end, see :class:`~antiphon.pauses.Pauses`.
        """
        attempt = 1
        while True:
            try:
                self.pauses.heed()
                reply = self._once(request, safe=safe, plain=plain)
            except Unavailable as error:
                if attempt == TRIES or _hopeless(error):
                    self.fail(error, doing, attempt)
                wait = _wait(error, attempt)
                level = logging.INFO if attempt == 1 else logging.WARNING
                said = self.redact(error.message if self.quoting else error.brief)
                log.log(level, "%s: %s; trying again in %.1f s", self.name, said, wait)
                self.pauses.wait(wait)
                attempt += 1
            except ApiError as error:
                self.fail(error, doing, attempt)
            else:
                reply.attempts = attempt
                return reply

    def move(self, base_url: str) -> None:
        """Speak to the API at *base_url* from now on."""
        self.base_url = base_url.rstrip("/")
        self._scheme, self._host = _origin(self.base_url)
        self._hosts = {self._host, *self._others}

    def redact(self, words: str) -> str:
        """Return *words* with every secret replaced by ``***``, those too that the last request was signed with."""
        for secret in (*_parts(self._added), *self._secrets):
            words = words.replace(secret, "***")
        return words

    def hide(self, *secrets: str) -> None:
        """Never show *secrets* from now on: what was got on the way, such as a token."""
        found = {form for secret in secrets if secret for form in _forms(secret)}
        self._secrets = sorted({*self._secrets, *found}, key=len, reverse=True)

    def unsigned(self, url: str) -> str:
        """Return *url* without the key that a server may have put into its query again."""
        return without(url, self._key_params)

    def same_host(self, url: str) -> str:
        """Return *url*, made absolute, if it is on one of the API's hosts.

        Raises:
            ForeignHost: it is not, or it would be spoken to without encryption although base_url is with.
            SettingError: base_url is no URL.
        """
        if not self._host:
            raise SettingError(
                f"{self.name}: {self.base_setting} is no URL with a scheme and a host",
                hint="For example: https://example.org",
            )
        url = url if _ABSOLUTE.match(url) else f"{self.base_url}/{url.lstrip('/')}"
        scheme, host = _origin(url)
        if host not in self._hosts:
            hint = "Nothing was sent there. If that host is right, set base_url to it, or name it in the description's hosts."
            raise ForeignHost(f"the API pointed at another host, {host or url}", hint=hint)
        if scheme not in {self._scheme, "https"}:
            raise ForeignHost(f"the API pointed from {self._scheme} to {scheme}", hint="Nothing was sent there.")
        return url

    def _once(self, request: Request, *, safe: bool, plain: bool) -> Reply:
        if plain:
            return self._followed(request, safe=safe, plain=True)
        self._spare_quota()
        renewed = self._renewed
        reply = self._followed(self._encoded(request), safe=safe)
        error = self._fault(reply, request)
        if isinstance(error, Unauthorized) and self._renew(reply, renewed):
            reply = self._followed(self._encoded(request), safe=safe)
            error = self._fault(reply, request)
        if error is None:
            self.proven = True
            return self.style.decode(reply)
        if (told := retry_after(reply.headers)) is not None:
            error.retry_after = max(told, error.retry_after or 0.0)
        if (
            isinstance(error, Unavailable)
            and not isinstance(error, QuotaSpent)
            and not safe
            and error.status not in _NOT_DONE
        ):
            raise Lost(error.message, status=error.status, code=error.code)
        raise error

    def _encoded(self, request: Request) -> Request:
        with self._lock:
            if self.auth:
                self.auth.prepare(self)
            return self.style.encode(self, request)

    def _renew(self, reply: Reply, before: int) -> bool:
        """Have another credential than the one that *reply* did not accept, unless another thread has got one since."""
        with self._lock:
            if self.auth is None:
                return False
            if self.auth.per_thread:
                return self.auth.renew(self, reply)
            if self._renewed == before and self.auth.renew(self, reply):
                self._renewed += 1
            return self._renewed != before

    def _fault(self, reply: Reply, request: Request) -> ApiError | None:
        if request.accepts and fits(reply.status, request.accepts):
            return None
        if self.auth and self.auth.refuses(reply):
            return Unauthorized(f"{reply.status} does not accept the credential", status=reply.status)
        return self.style.fault(reply)

    def _followed(self, request: Request, *, safe: bool, plain: bool = False) -> Reply:
        """Return the answer to *request*, at the end of the API's own redirects."""
        url, params = self.same_host(request.url), request.params
        for _ in range(1 + _MOST_REDIRECTS):
            reply = self._exchange(self._signed(request, url, params, plain=plain), safe=safe)
            if reply.status not in _REDIRECTS or "Location" not in reply.headers:
                break
            url, params = self.same_host(_joined(reply.url, reply.headers["Location"])), {}
            if request.method not in {"GET", "HEAD"} and reply.status < 307:  # noqa: PLR2004
                hint = "Set base_url to where the API really is."
                raise Refused(f"{reply.status} redirected to {url}", hint=hint, status=reply.status)
        else:
            raise Refused(f"{reply.status} redirected more than {_MOST_REDIRECTS} times", status=reply.status)
        return reply

    def ask(self, request: Request, where: str) -> Reply:
        """Return the answer to a *request* of auth's own, whatever it is; *where* says what its address comes from.

        It goes out unsigned, to the address that the description gives, on whatever host that is. No redirect is followed.

        Raises:
            Unavailable: there is no answer.
            SettingError: the address is no URL, or one without encryption although the API's is with.
        """
        url = request.url if _ABSOLUTE.match(request.url) else f"{self.base_url}/{request.url.lstrip('/')}"
        scheme, host = _origin(url)
        if not host or scheme not in {self._scheme, "https"}:
            wrong = f"would be spoken to without encryption ({scheme}://{host})" if host else "is no URL"
            raise SettingError(f"{self.name}: the address to log in at {wrong}", hint=f"Check {where}.")
        return self._exchange(self._written(request, url, request.params, plain=True), safe=True, where=where)

    def _signed(self, request: Request, url: str, params: Mapping[str, Any], *, plain: bool = False) -> Request:
        """Return *request* as it is sent, see :meth:`_written`, with the credential."""
        signed = self._written(request, url, params, plain=plain)
        if self.auth and not plain:
            headers, sent = dict(signed.headers), dict(signed.params)
            self.auth.sign(signed, self)
            added = [*self._new(signed.headers, headers)]
            if signed.params != sent:
                added += self._new(signed.params, sent)
                self._key_params |= signed.params.keys() - sent.keys()
                signed.url = without(signed.url, signed.params)
            self._added = added
        return signed

    def _new(self, signed: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the values that auth has *signed* with and that are secrets."""
        public = self.auth.PUBLIC if self.auth else ()
        return (value for name, value in signed.items() if before.get(name) != value and name not in public)

    def _written(self, request: Request, url: str, params: Mapping[str, Any], *, plain: bool) -> Request:
        """Return *request* as it is sent: to *url*, its body as bytes, all else as text."""
        form = request.format or (None if plain else self.format)
        accept = form.accept if form else "application/json"
        headers = {"Accept": accept, **{k: text(v) for k, v in request.headers.items() if v is not None}}
        body = request.body
        if body is not None and not isinstance(body, bytes):
            encoding = request.encoding or (None if plain else self.encoding) or Json()
            body, kind = encoding.encode(body)
            headers.setdefault("Content-Type", kind)
        sent = {name: _sent(name, value) for name, value in params.items() if value is not None and value != []}
        return Request(request.method, without(url, sent), sent, headers, body, form)

    def _exchange(self, request: Request, *, safe: bool, where: str = "base_url") -> Reply:
        headers: Mapping[str, str] = {}
        timeout = float(self.settings.get("timeout") or 120)
        try:
            prepared = _Prepared()
            prepared.prepare(
                method=request.method,
                url=request.url,
                params=_query(request.params),
                headers={**self.session.headers, **request.headers},
                data=request.body,
                cookies=self.session.cookies,
            )
            way = self._way(request.url)
            sent = self.limiter.acquire(request.url)
            try:
                response = self.session.send(
                    prepared, timeout=(min(timeout, 30.0), timeout), allow_redirects=False, **way
                )
                headers = response.headers
            finally:  # the body may take long: the server has counted the call before it began to answer
                self.limiter.release(request.url, headers, sent)
            with response:
                if left := _left(self.quota, headers):
                    self._left, self._left_at = left, time.monotonic()
                body = received.body(response)
                return Reply(response.status_code, headers, body, response.url, format=request.format)
        except (requests.exceptions.InvalidHeader, UnicodeError) as error:
            if _is_theirs(error):
                raise self.trouble(error, request.url, safe=safe, where=where) from None
            raise self._wrong_header({**self.session.headers, **request.headers}) from None
        except OSError as error:  # every error of requests is an OSError
            raise self.trouble(error, request.url, safe=safe, where=where) from None

    def _way(self, url: str) -> Mapping[str, Any]:
        """Return how requests reaches the host of *url*: proxies, certificates, those of the environment included.

        Found out once for each host: a session that is asked to make a request reads the whole environment each time, which costs
        as much again as the request.
        """
        there = _origin(url)
        if there not in self._ways:
            self._ways[there] = self.session.merge_environment_settings(
                url, self._proxies or {}, True, self.settings.get("ca_bundle") or None, None
            )
        return self._ways[there]

    def _spare_quota(self) -> None:
        """Stop before the part of the quota is used that is for others.

        Raises:
            QuotaSpent: it would be.
        """
        if self._left is None or time.monotonic() - self._left_at > _QUOTA_HOLDS:
            return
        left, limit = self._left
        reserve = float(self.settings.get("quota_reserve", 0.1))
        if limit > 0 and left <= limit * reserve:
            hint = f"The last {reserve:.0%} are kept for others (quota_reserve); run again when the quota is renewed."
            raise QuotaSpent(f"{left:,.0f} of {limit:,.0f} calls are left of the quota", hint=hint)

    def trouble(self, error: Exception, url: str, *, safe: bool = True, where: str = "base_url") -> AntiphonError:
        """Return what to raise for an *error* of requests at *url*, which is set by *where*.

        No error of requests is shown, nor its cause: they hold whole URLs.
        """
        if wrong := self._wrong_setting(error, url, where):
            return wrong
        why = _why(error)
        if safe and why == _TOO_MANY:  # and will have as many the next time
            return BadReply(why)
        check = f"Check {where}, the network and the proxy."
        if _surely_not_sent(error):
            return Unavailable(f"no connection to {origin(url)} ({why})", hint=check)
        if safe:
            return Unavailable(f"no answer from {origin(url)} ({why})", hint=check)
        return Lost(f"no answer from {origin(url)} ({why})")

    def _wrong_setting(self, error: Exception, url: str, where: str) -> SettingError | None:
        match error:
            case requests.exceptions.ConnectionError() if "certificate" in _reason(error):
                host, said = _origin(url)[1], "its certificate is not trusted"
                hint = "If it is signed by a private authority, set ca_bundle to that authority's PEM file."
                if "alert" in _reason(error):  # it is the server that says so, of ours
                    said, hint = "it wants another certificate of ours", "Check the client certificate (mutual TLS)."
                return SettingError(f"{self.name}: {host} -> {said}", hint=hint)
            case requests.exceptions.InvalidProxyURL():
                return SettingError(f"{self.name}: no usable URL", hint="Check the setting proxy.")
            case (
                requests.exceptions.InvalidURL()
                | requests.exceptions.InvalidSchema()
                | requests.exceptions.MissingSchema()
            ):
                return SettingError(f"{self.name}: no usable URL", hint=f"Check {where} and proxy.")
            case requests.exceptions.InvalidHeader() | UnicodeError() if not _is_theirs(error):
                return self._wrong_header({})
            case requests.exceptions.RequestException():
                return None
        of = "the setting ca_bundle" if self.settings.get("ca_bundle") else _BUNDLES
        return SettingError(f"{self.name}: {error}", hint=f"Check {of}.")

    def _wrong_header(self, headers: Mapping[str, Any]) -> SettingError:
        """Return what to say of the one among *headers* that cannot be sent; of one of auth's where none of them is it."""
        name = next((name for name, value in headers.items() if not _can_be_sent(name, value)), "")
        said, check = "a header", "the setting user_agent"
        if not name or headers[name] in self._added:
            check = f"the setting {' and '.join(self.auth.needs() if self.auth else ()) or 'user_agent'}"
        elif name != "User-Agent":
            said, check = f'the header "{name}"', "what it is made of"
        hint = f"Check {check}: a line break, or a letter outside of Latin-1?"
        return SettingError(f"{self.name}: {said} cannot hold what it is to hold", hint=hint)

    def fail(self, error: ApiError, doing: str, attempts: int = 1) -> NoReturn:
        """Raise *error* anew, told in one line: whose, at what, and without a secret."""
        if error.told:
            raise error
        told = type(error)(
            self.redact(f"{self.name}: {doing} -> {error.message}"),
            hint=error.hint or self._hint(error, attempts),
            status=error.status,
            code=self.redact(error.code),
            retry_after=error.retry_after,
        )
        told.told = True
        raise told from None

    def _hint(self, error: ApiError, attempts: int) -> str:
        if isinstance(error, Unauthorized):
            names = " and ".join(self.auth.needs() if self.auth else ())
            return f"Check the setting {names or 'that holds the credential'}: it is not accepted."
        if _hopeless(error):
            return f"It asks for a wait of {error.retry_after:.0f} s; run again then."
        if isinstance(error, Unavailable):
            return f"Tried {attempts} times; try again later."
        return ""


def _session() -> requests.Session:
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter(received.MOST))
    return session


def _left(quota: Quota | None, headers: Mapping[str, str]) -> tuple[float, float] | None:
    """Return the calls that are left of a quota and how many it has, as the reply's *headers* tell."""
    if quota is None:
        return None
    if quota.usage:
        found = _USAGE.search(headers.get(quota.usage, ""))
        return (float(found[2]) - float(found[1]), float(found[2])) if found else None
    try:
        left, limit = float(headers[quota.remaining]), float(headers[quota.limit])
    except (KeyError, ValueError):
        return None
    return (left, limit) if math.isfinite(left) and math.isfinite(limit) else None


def _wait(error: ApiError, attempt: int) -> float:
    """Return the seconds to wait after that *attempt*: full jitter, never less than the server asks for."""
    return max(random.uniform(0, min(2.0 ** (attempt - 1), LONGEST_WAIT)), error.retry_after or 0.0)  # noqa: S311


def _hopeless(error: Exception) -> bool:
    if getattr(error, "told", False) or isinstance(error, QuotaSpent):
        return True
    return (getattr(error, "retry_after", None) or 0) > LONGEST_RETRY_AFTER


def _forms(secret: str) -> set[str]:
    """Return *secret* as it is and in the forms it takes in a URL."""
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return {secret, *quoted, *(re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in quoted)}


def _parts(values: Iterable[str]) -> list[str]:
    """Return *values* in all their forms, and what is long or last in them, for an API may quote that alone; longest first."""
    words = {word for value in values for word in (value, value.rpartition(" ")[2], *_LONG.findall(value)) if word}
    return sorted({form for word in words for form in (*_forms(word), unquote_plus(word))}, key=len, reverse=True)


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


def _sent(name: str, value: Any) -> Any:
    """Return a parameter as it is sent: as text; of a list each value by itself where the *name* ends with ``[]``."""
    if name.endswith("[]") and isinstance(value, list | tuple):
        return [text(one) for one in value]
    return text(value)


def origin(url: str) -> str:
    """Return *url* as far as it may be shown: scheme and host."""
    return "://".join(_origin(url))


def _origin(url: str) -> tuple[str, str]:
    """Return scheme and host, with the port if it is not the usual one; the host is empty where *url* is no URL.

    They are read by the same code that will connect: two readers of one odd URL need not see the same host in it.
    """
    return _authority(url.partition("?")[0])


@lru_cache(64)
def _authority(url: str) -> tuple[str, str]:
    try:
        parsed = parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return "", ""
    scheme, host = (parsed.scheme or "").lower(), (parsed.host or "").lower()
    if not scheme or not host:
        return "", ""
    return scheme, host if parsed.port in {None, _PORTS.get(scheme)} else f"{host}:{parsed.port}"


def _nowhere(*_answer: Any, **_options: Any) -> Iterator[Any]:
    """Tell requests that an answer redirects nowhere; see :meth:`Http._followed`."""
    return iter(())


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return url


def written_url(request: Request) -> str:
    """Return the URL that a *request* goes to, with its query, letter for letter: for those who sign it."""
    prepared = _Prepared()
    prepared.prepare_url(request.url, _query(request.params))
    return str(prepared.url)


@lru_cache(256)
def _prepared_url(url: str) -> str:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url)


@lru_cache(16)
def _prepared_headers(headers: tuple[tuple[str, str], ...]) -> CaseInsensitiveDict[str]:
    prepared = requests.PreparedRequest()
    prepared.prepare_headers(dict(headers))
    return prepared.headers


def _query(params: Mapping[str, Any]) -> str:
    """Return *params* as a query. A space is ``%20``, which all understand; ``+`` means one only where forms are read."""
    pairs = ((name, one) for name, sent in params.items() for one in ([sent] if isinstance(sent, str) else sent))
    return "&".join(f"{_quoted(name)}={_quoted(one)}" for name, one in pairs)


@lru_cache(64)  # the fields asked for are many, and the same for each page
def _quoted(words: str) -> str:
    return quote(words, safe="")


def without(url: str, params: Collection[str]) -> str:
    """Return *url* without the *params* in its query; all else stays as it is written."""
    path, mark, query = url.partition("?")
    if not query or not params:
        return url
    query, sharp, fragment = query.partition("#")
    kept = "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in params)
    return path + (mark + kept if kept else "") + sharp + fragment


def _can_be_sent(name: str, value: Any) -> bool:
    try:
        requests.utils.check_header_validity((name, value))
        str(value).encode("latin-1")
    except (requests.exceptions.InvalidHeader, UnicodeError):
        return False
    return True


def _surely_not_sent(error: Exception) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _is_theirs(error: Exception) -> bool:
    """Return whether the header that is wrong by *error* is the answer's, and not one of ours."""
    return isinstance(error.args[0] if error.args else None, urllib3.exceptions.InvalidHeader)


def _reason(error: Exception) -> str:
    """Return what *error* says of the cause, in lower case; not the URL, whose words mean nothing."""
    return str(getattr(error.args[0] if error.args else None, "reason", None) or error).lower()


def _why(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "timed out"
    words = _reason(error)
    for part, why in (
        ("refused", "connection refused"),
        ("name or service not known", "unknown host name"),
        ("failed to resolve", "unknown host name"),
        ("incompleteread", "the answer was cut short"),
        ("prematurely", "the answer was cut short"),
        ("without response", "the connection was dropped"),
        ("reset", "the connection was reset"),
        ("got more than", _TOO_MANY),
        ("content-length", "the answer's Content-Length cannot be right"),
        ("wrong version number", "no TLS is spoken there"),
    ):
        if part in words:
            return why
    return type(error).__name__
