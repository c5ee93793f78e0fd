"""Reads by way of libcurl, which takes a third of the CPU that urllib3 does; with a hundred records a page, most of what a page costs is HTTP.

requests stays what it is, with its session, adapter, errors and proxies; only the connections below it are others. They serve plain
reads. libcurl sends anew what went out on a connection that the server had just closed, which is right for a read alone: all that has
an effect goes by way of urllib3.
"""

from __future__ import annotations

import io
import math
import os
from collections import deque
from collections.abc import Iterator, Mapping
from email.message import Message
from http.client import RemoteDisconnected
from socket import gaierror
from typing import Any

import pycurl
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from antiphon.errors import too_long

MEASURES = pycurl.version_info()[2] >= 0x080400  # noqa: PLR2004
"""Whether this libcurl stops reading an answer that grows too long, and not only one that says so beforehand."""
_TICK = 0.5
"""Seconds after which a wait is looked at: a signal is heard then."""
_NO_TRUST = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_SSL_CACERT,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
    }
)
_ENDS = frozenset({b"\r\n", b"\n"})
"""The lines with which a head ends."""


def serves(pool: Any) -> bool:
    """Return whether reads may do without the urllib3 *pool*: no proxy, no certificate of ours, no TLS but the usual."""
    own = pool.proxy or {"ssl_context", "ssl_minimum_version"} & pool.conn_kw.keys()
    if own or pool.scheme == "http":
        return not own
    usual = pool.cert_reqs == "CERT_REQUIRED" and pool.ca_certs and not pool.ca_cert_dir
    return bool(usual and not (pool.cert_file or pool.key_file))


class _Connection:
    """A connection to the server of *pool*, and what is told once of all that goes by way of it; an answer may have *most* bytes."""

    def __init__(self, pool: Any, most: int) -> None:
        self.multi, self.curl = pycurl.CurlMulti(), pycurl.Curl()
        self.head: list[bytes] = []
        self.came: list[bytes] = []
        self._told: Any = None
        for option, value in {
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
            pycurl.PATH_AS_IS: 1,
            pycurl.PROXY: "",  # none of the environment either
            pycurl.NOSIGNAL: 1,
            pycurl.LOW_SPEED_LIMIT: 1,
            pycurl.MAXFILESIZE_LARGE: most,
            pycurl.BUFFERSIZE: 1 << 19,
            pycurl.SSLVERSION: pycurl.SSLVERSION_TLSv1_2,
            # Both are called without Python's interpreter: no signal can be lost there.
            pycurl.HEADERFUNCTION: self.head.append,
            pycurl.WRITEFUNCTION: self.came.append,
        }.items():
            self.curl.setopt(option, value)
        if pool.scheme == "https":
            self.curl.setopt(pycurl.CAINFO, pool.ca_certs)

    def ask(self, url: str, headers: Mapping[str, str], timeout: Any) -> None:
        """Prepare to ask for *url*."""
        self.curl.setopt(pycurl.URL, url)
        told = [*headers.items()], timeout.connect_timeout, timeout.read_timeout
        if told != self._told:
            # Without a value libcurl takes a colon for a header that it is to leave out, and a semicolon for an empty one.
            lines = [(f"{name}: {value}" if value else f"{name};").encode("latin-1") for name, value in headers.items()]
            self.curl.setopt(pycurl.HTTPHEADER, lines)
            self.curl.setopt(pycurl.CONNECTTIMEOUT_MS, math.ceil((timeout.connect_timeout or 0) * 1000))
            self.curl.setopt(pycurl.LOW_SPEED_TIME, math.ceil(timeout.read_timeout or 0))
            self._told = told

    def taken(self) -> tuple[list[bytes], bytes]:
        """Return the lines of the head that came, and the body; they are not held any more."""
        head, body = self.head.copy(), b"".join(self.came)
        self.head.clear()
        self.came.clear()
        return head, body


class Reads:
    """The connections to the server of *pool*, called as that is; an answer may have *most* bytes."""

    def __init__(self, pool: Any, most: int) -> None:
        """Connect to nothing yet."""
        host = f"[{pool.host}]" if ":" in pool.host else pool.host
        self._pool, self._base, self._most = pool, f"{pool.scheme}://{host}:{pool.port}", most
        self._idle: deque[_Connection] = deque()

    def urlopen(
        self,
        *,
        method: str,  # noqa: ARG002
        url: str,
        headers: Mapping[str, str],
        timeout: Any,
        **_options: Any,
    ) -> Answer | HTTPResponse:
        """Return the answer to GET *url*, a path with its query.

        Raises:
            HTTPError: as urllib3 raises it where it does not try again.
            BadReply: the answer has more bytes than it may.
        """
        connection = self._idle.pop() if self._idle else _Connection(self._pool, self._most)
        multi, curl = connection.multi, connection.curl
        connection.ask(self._base + url, headers, timeout)
        multi.add_handle(curl)
        try:
            while multi.perform()[1]:
                multi.select(_TICK)
            [*_, failed] = multi.info_read()
            status = curl.getinfo(pycurl.RESPONSE_CODE)
        finally:
            multi.remove_handle(curl)
        for _, number, words in failed:
            why = curl.getinfo(pycurl.OS_ERRNO) if number == pycurl.E_COULDNT_CONNECT else 0
            said = os.strerror(why) if why else words
            raise self._error(number, said, url, status, connected=bool(curl.getinfo(pycurl.CONNECT_TIME)))
        head, body = connection.taken()
        self._idle.append(connection)
        return _answer(status, head, body)

    def close(self) -> None:
        """Close all connections that nobody waits for."""
        while self._idle:
            connection = self._idle.pop()
            connection.curl.close()
            connection.multi.close()

    def _error(self, number: int, words: str, url: str, status: int, *, connected: bool) -> Exception:
        """Return what to raise for libcurl's error *number*, of which it says *words*."""
        pool = self._pool
        found: HTTPError
        if number == pycurl.E_FILESIZE_EXCEEDED:
            return too_long(self._most, status)
        if number == pycurl.E_COULDNT_RESOLVE_HOST:
            found = NameResolutionError(pool.host, pool, gaierror(words))
        elif number == pycurl.E_COULDNT_CONNECT:
            found = NewConnectionError(pool, f"Failed to establish a new connection: {words}")
        elif number == pycurl.E_OPERATION_TIMEDOUT and connected:
            return ReadTimeoutError(pool, url, "Read timed out.")
        elif number == pycurl.E_OPERATION_TIMEDOUT:
            found = ConnectTimeoutError(pool, "Connection timed out.")
        elif number == pycurl.E_SSL_CACERT_BADFILE:
            found = SSLError(f"No certificate is there: {words}")
        elif number in _NO_TRUST:
            found = SSLError(words)
        elif number == pycurl.E_GOT_NOTHING:
            return ProtocolError("Connection aborted.", RemoteDisconnected("closed without response"))
        elif number == pycurl.E_PARTIAL_FILE:
            return ProtocolError(f"Connection broken: IncompleteRead: {words}")
        else:
            return ProtocolError(f"Connection broken: {words}")
        return MaxRetryError(pool, url, found)


def _answer(status: int, head: list[bytes], body: bytes) -> Answer | HTTPResponse:
    # What came before the last of these was not the answer yet.
    first = max(at for at, line in enumerate(head) if line.startswith(b"HTTP/"))
    lines = [line.decode("latin-1").rstrip("\r\n") for line in head[first:] if line.strip()]
    if _ENDS.isdisjoint(head[first:]):
        raise ProtocolError("Connection broken: its head ended prematurely")
    headers = HTTPHeaderDict()
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.add(name, value.strip())
    reason = lines[0].partition(" ")[2].partition(" ")[2]
    if "Content-Encoding" in headers or "Set-Cookie" in headers:
        told: Any = _Told(headers)
        return HTTPResponse(
            io.BytesIO(body), headers, status, 11, "HTTP/1.1", reason, preload_content=False, original_response=told
        )
    return Answer(status, reason, headers, body)


class _Told:
    """The headers as requests looks for cookies in them: those of the answer that urllib3 was made from."""

    def __init__(self, headers: HTTPHeaderDict) -> None:
        self.msg = Message()
        for name, value in headers.iteritems():
            self.msg.add_header(name, value)

    def close(self) -> None:
        """Do nothing: it has no connection."""

    def isclosed(self) -> bool:
        """Return that nothing more will come."""
        return True


class Answer:
    """An answer that is here already, as far as requests reads one."""

    version = 11

    def __init__(self, status: int, reason: str, headers: HTTPHeaderDict, body: bytes) -> None:
        """Hold its parts."""
        self.status, self.reason, self.headers = status, reason, headers
        self._body = body

    def stream(self, _size: int, *, decode_content: bool = True) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the body, once."""
        body, self._body = self._body, b""
        yield body

    def close(self) -> None:
        """Do nothing: the connection is free again."""

    release_conn = close
