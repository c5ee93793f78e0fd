"""How requests reaches a server: what is the same for all calls to it is found out once.

Of requests' own adapter this keeps sending, errors, proxies and certificates. It looks for the connections to a server, and for the
files of its certificates, at the first call to it and not at each; it makes no cookies where there are none. Where libcurl is there
(the extra ``curl``), it takes over the reads from a server that is read from often.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPResponse, RemoteDisconnected, parse_headers
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from antiphon.curl import Reads

_FEW = 3
"""Reads from one server for which libcurl is not loaded yet: that takes time as well."""


@dataclass
class _Server:
    """A server, and what leads there: urllib3's *connections*, and once it was read from often enough those for *reads*."""

    at: Any = None
    connections: Any = None
    read: int = 0
    reads: Reads | None = None


class Adapter(HTTPAdapter):
    """Sends requests by way of urllib3, and reads by way of libcurl where it is there; of its answers none may have more than *most* bytes."""

    def __init__(self, most: int = sys.maxsize) -> None:
        """Know of no server yet."""
        self._most = most
        self._last = _Server()
        self._lock = threading.Lock()
        super().__init__()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the connections to the server of *request*: those of the call before, if that went there as well.

        Raises:
            OSError: the file of a certificate is not there.
        """
        at = str(request.url).split("/", 3)[:3], verify, proxies, cert
        with self._lock:
            last = self._last
            if last.at != at:
                connections: Any = super().get_connection_with_tls_context(request, verify, proxies, cert)
                super().cert_verify(connections, str(request.url), verify, cert)  # type: ignore[no-untyped-call]
                connections.ConnectionCls = _patient(connections.ConnectionCls)
                last = self._last = _Server(at, connections)
            if request.method != "GET" or request.body is not None:
                return last.connections
            last.read += 1
            if last.read == _FEW:
                last.reads = _reads(last.connections, self._most)
            return last.reads or last.connections

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: the certificates were found with the connections."""

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        """Return what is asked for: without a proxy the path."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the answer, with urllib3's headers: they take names in any case, too."""
        if "Set-Cookie" in resp.headers:
            return super().build_response(req, resp)
        response = requests.Response()
        response.status_code, response.reason, response.headers = resp.status, resp.reason, resp.headers
        response.url, response.raw, response.request = str(req.url), resp, req
        response.connection = self
        return response

    def close(self) -> None:
        """Close all connections."""
        if self._last.reads:
            self._last.reads.close()
        self._last = _Server()
        super().close()


class _Lines:
    """The lines with which an answer begins; each is whole."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._begun = False

    def readline(self, limit: int) -> bytes:
        line = self._source.readline(limit)
        if line[-1:] != b"\n" and len(line) < limit and (line or self._begun):
            raise RemoteDisconnected("its head ended prematurely")
        self._begun = True
        return line

    def close(self) -> None:
        self._source.close()


class _Response(HTTPResponse):
    """An answer that begins where it does, and not with what a server says before it: ``103 Early Hints``; one cut within its head is none."""

    def begin(self) -> None:
        """Read the head.

        Raises:
            RemoteDisconnected: it does not come to its end.
        """
        source = self.fp
        self.fp: Any = _Lines(source)
        try:
            super().begin()
        finally:
            if type(self.fp) is _Lines:
                self.fp = source

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            if not HTTPStatus.CONTINUE <= found[1] < HTTPStatus.OK or found[1] == HTTPStatus.SWITCHING_PROTOCOLS:
                return found
            parse_headers(self.fp)


@cache
def _patient(connection: type) -> type:
    """Return a kind of *connection* that waits for the answer itself."""
    return type(connection.__name__, (connection,), {"response_class": _Response})


@cache
def _libcurl() -> ModuleType | None:
    """Return what reads by way of libcurl, if that is there, and of a release that measures what it is sent."""
    try:
        from antiphon import curl  # noqa: PLC0415 - it is an extra, and takes time to load
    except ImportError:
        return None
    return curl if curl.MEASURES else None


def _reads(connections: Any, most: int) -> Reads | None:
    """Return what reads by way of libcurl from the server of urllib3's *connections*, if it can."""
    curl = _libcurl()
    return curl.Reads(connections, most) if curl and curl.serves(connections) else None
