"""How requests reaches a server: what is the same for all calls to it is found out once.

Of requests' own adapter this keeps sending, errors, proxies and certificates. It looks for the connections to a server, and for the
files of its certificates, at the first call to it and not at each; it makes no cookies where there are none.
"""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter


class Adapter(HTTPAdapter):
    """Sends requests by way of urllib3."""

    def __init__(self) -> None:
        """Know of no server yet."""
        self._last: tuple[Any, Any] = None, None
        super().__init__()

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the connections to the server of *request*: those of the call before, if that went there as well.

        Raises:
            OSError: the file of a certificate is not there.
        """
        there = str(request.url).split("/", 3)[:3], verify, proxies, cert
        known, connections = self._last
        if known != there:
            connections = super().get_connection_with_tls_context(request, verify, proxies, cert)
            super().cert_verify(connections, str(request.url), verify, cert)  # type: ignore[no-untyped-call]
            self._last = (there, connections)
        return connections

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
        self._last = None, None
        super().close()
