"""Reads by way of libcurl are those of urllib3: the same answers, the same errors, nothing trusted that is not trusted there."""

import gzip
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager

from antiphon import adapter as adapters
from antiphon import curl
from antiphon.adapter import Adapter
from antiphon.api import Request
from antiphon.errors import SettingError, Unavailable
from antiphon.http import Http
from antiphon.sandbox.openssl import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NEVER = 1 << 30


@pytest.fixture(autouse=True)
def way(monkeypatch):
    """All reads go by way of libcurl, from the first on."""
    monkeypatch.setattr(adapters, "_FEW", 1)


@contextmanager
def served(handle, context=None, host="127.0.0.1"):
    """A server that keeps connections and answers GET as *handle* does; the value is it, with its requests and connections counted."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            server.connections += 1
            super().setup()

        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            server.asked.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
            handle(self)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads, server.asked, server.connections = True, [], 0
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"http{'s' if context else ''}://{host}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(body=b"{}", **headers):
    """A handler that says *body*."""

    def handle(handler):
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return handle


def reading(http, path="x", **more):
    return http.send(Request("GET", path, **more), "reading")


def test_connections_are_kept_and_requests_are_those_of_requests(monkeypatch):
    with served(said()) as server:
        for few in (1, NEVER):
            monkeypatch.setattr(adapters, "_FEW", few)
            http = Http("x", server.url)
            for _ in range(3):
                reading(http, "a b/ü", params={"q": "ö &"}, headers={"X-One": "1", "X-None": ""})
        assert server.connections == 2
        ours, theirs = server.asked[:3], server.asked[3:]
        assert ours == theirs


def test_each_request_has_its_own_headers_whatever_went_before_it_on_the_connection(monkeypatch):
    with served(said()) as server:
        for few in (1, NEVER):
            monkeypatch.setattr(adapters, "_FEW", few)
            http = Http("x", server.url)
            for headers in ({"X-One": "1"}, {"X-One": "1"}, {"X-One": "2"}, {}, {"X-Two": "é"}):
                reading(http, headers=headers)
                http.send(Request("POST", "x", headers=headers, body={"n": 1}), "writing")
            http.session.cookies.set("at", "home")
            reading(http)
            http.session.cookies.clear()
            reading(http)
        ours, theirs = server.asked[:12], server.asked[12:]
        assert ours == theirs
        sent = [headers for method, _, headers, _ in ours if method == "GET"]
        assert [headers.get("X-One") for headers in sent] == ["1", "1", "2", None, None, None, None]
        assert [headers.get("Cookie") for headers in sent] == [None] * 5 + ["at=home", None]
        assert not any("Content-Length" in headers for headers in sent)


def test_several_threads_read_at_once():
    barrier = threading.Barrier(4, timeout=60)

    def together(handler):
        barrier.wait()
        said(handler.path.encode())(handler)

    with served(together) as server, ThreadPoolExecutor(4) as pool:
        http = Http("x", server.url)
        found = list(pool.map(lambda n: reading(http, str(n)).body, range(40)))
        assert found == [b"/%d" % n for n in range(40)]
        assert server.connections == 4


def test_only_reads_go_that_way_and_no_write_is_sent_twice(raw_server):
    """The server drops each connection after its answer, and says it would keep it."""
    server = raw_server(OK, OK, OK, b"")
    http = Http("x", server.url)
    reading(http)
    reading(http)
    http.send(Request("POST", "x", body={}), "writing", safe=False)
    assert [request.split(b" ")[0] for request in server.requests] == [b"GET", b"GET", b"POST"]
    with requests.Session() as session:
        session.mount("http://", Adapter())
        with pytest.raises(requests.ConnectionError):
            session.post(server.url)
    assert len(server.requests) == 4


def test_a_read_on_a_connection_that_was_dropped_is_sent_anew(raw_server, waits):
    server = raw_server(OK)
    http = Http("x", server.url)
    for _ in range(3):
        assert reading(http).body == b"{}"
    assert waits == []


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\nX-A: hint\r\n\r\n",
    ],
)
def test_what_comes_before_the_answer_is_not_the_answer(raw_server, head):
    server = raw_server(head + b"HTTP/1.1 200 Fine so\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\n\r\n{}")
    reply = reading(Http("x", server.url))
    assert (reply.status, reply.headers["x-a"], reply.body) == (200, "1, 2", b"{}")
    assert "Link" not in reply.headers


def test_what_is_packed_is_unpacked():
    packed = gzip.compress(b'{"k": 1}')
    with served(said(packed, Content_Encoding="gzip")) as server:
        assert reading(Http("x", server.url)).json() == {"k": 1}
        assert "gzip" in server.asked[0][2]["Accept-Encoding"]


def test_cookies_are_kept():
    with served(said(Set_Cookie="at=home; Path=/")) as server:
        http = Http("x", server.url)
        for _ in range(2):
            reading(http)
        assert [headers.get("Cookie") for *_, headers, _ in server.asked] == [None, "at=home"]


def test_no_proxy_of_the_environment_is_taken_that_requests_does_not_take(raw_server, monkeypatch):
    server, proxy = raw_server(OK), raw_server(OK)
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    reading(Http("x", server.url))
    monkeypatch.delenv("no_proxy")
    reading(Http("x", server.url))
    assert [request.split(b" ")[1] for request in server.requests] == [b"/x"]
    assert [request.split(b" ")[1] for request in proxy.requests] == [f"{server.url}/x".encode()]


def test_a_certificate_is_checked_as_ever(waits):
    tls = self_signed()
    with served(said(), tls.context) as server:
        trusting = Http("x", server.url, settings={"ca_bundle": str(tls.certificate)})
        assert [reading(trusting).body for _ in range(2)] == [b"{}"] * 2
        assert server.connections == 1
        with pytest.raises(SettingError, match="its certificate is not trusted"):
            reading(Http("x", server.url))
    with served(said(), tls.context, "127.0.0.2") as other, pytest.raises(SettingError, match="is not trusted"):
        reading(Http("x", other.url, settings={"ca_bundle": str(tls.certificate)}))
    assert waits == []


def test_a_bundle_that_holds_no_certificate_is_told_at_once(waits, tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate")
    with (
        served(said(), self_signed().context) as server,
        pytest.raises(SettingError, match="certificate is not trusted"),
    ):
        reading(Http("x", server.url, settings={"ca_bundle": str(bundle)}))
    assert waits == []


def test_where_no_tls_is_spoken_one_line_says_so():
    with served(said()) as server, pytest.raises(Unavailable, match="no TLS is spoken there"):
        reading(Http("x", server.url.replace("http:", "https:")))


def test_a_server_that_does_not_answer_is_given_up(raw_server):
    given_up = threading.Event()

    def slow(handler):
        given_up.wait(60)
        said()(handler)

    with served(slow) as server, requests.Session() as session:
        session.mount("http://", Adapter())
        with pytest.raises(requests.ReadTimeout):
            session.get(server.url, timeout=(10, 1))
        given_up.set()


def test_an_interrupt_is_heard_while_an_answer_is_waited_for(raw_server):
    asked = threading.Event()

    def never(handler):
        asked.set()
        answered.wait(60)

    answered = threading.Event()
    script = (
        "import sys; from antiphon import adapter; adapter._FEW = 1\n"
        "from antiphon.http import Http; from antiphon.api import Request\n"
        "Http('x', sys.argv[1]).send(Request('GET', 'x'), 'reading')"
    )
    with served(never) as server, subprocess.Popen([sys.executable, "-c", script, server.url], stderr=-1) as process:
        try:
            assert asked.wait(60)
            process.send_signal(signal.SIGINT)
            assert b"KeyboardInterrupt" in process.communicate(timeout=50)[1]
        finally:
            answered.set()


@pytest.mark.parametrize(
    ("pool", "right"),
    [
        (HTTPConnectionPool("a.org"), True),
        (HTTPSConnectionPool("a.org", cert_reqs="CERT_REQUIRED", ca_certs="ca.pem"), True),
        (HTTPSConnectionPool("a.org", cert_reqs="CERT_REQUIRED", ca_cert_dir="cas"), False),
        (HTTPSConnectionPool("a.org", cert_reqs="CERT_NONE", ca_certs="ca.pem"), False),
        (HTTPSConnectionPool("a.org", cert_reqs="CERT_REQUIRED", ca_certs="ca.pem", cert_file="me.pem"), False),
        (HTTPSConnectionPool("a.org", cert_reqs="CERT_REQUIRED", ca_certs="ca.pem", ssl_context=object()), False),
        (ProxyManager("http://proxy:1").connection_from_url("http://a.org"), False),
    ],
)
def test_what_is_not_usual_goes_by_way_of_urllib3(pool, right):
    assert curl.serves(pool) is right


def test_a_server_by_its_ipv6_address():
    assert curl.Reads(HTTPConnectionPool("::1", 80), 1)._base == "http://[::1]:80"


def test_libcurl_is_loaded_for_those_who_read_more_than_a_little(monkeypatch):
    monkeypatch.setattr(adapters, "_FEW", 3)
    with served(said()) as server, requests.Session() as session:
        session.mount("http://", adapter := Adapter())
        by = []
        for _ in range(4):
            session.get(server.url)
            by.append(adapter._last.reads is not None)
    assert by == [False, False, True, True]
