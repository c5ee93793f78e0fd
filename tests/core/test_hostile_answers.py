"""Servers that mean harm, or have gone wrong: refused in one clear line, and never with more memory than was allowed for."""

import gzip
import threading
import tracemalloc
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from antiphon import received
from antiphon.api import Read
from antiphon.errors import BadReply, ForeignHost, PagingError
from antiphon.formats import Csv, JsonLines, Xml
from antiphon.paging import Advanced, Cursor, LinkHeader, NextUrl, ODataLinks, Windows

from .tiny import a_client, an_api, people

MOST = 4 << 20
"""Bytes of an answer, for these tests."""
ROOM = 10 * MOST
"""Bytes that a client may hold at once for it: the pieces, what they are joined to, what it is unpacked to."""
METADATA = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"


@pytest.fixture
def serve(way, monkeypatch):
    """Start a server whose every answer is made by a function that writes; give its URL."""
    monkeypatch.setattr(received, "MOST", MOST)
    servers = []

    def start(write, **headers):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.send_response(200)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                try:
                    write(self.wfile.write)
                except OSError:  # the client has had enough
                    return

            def log_message(self, *args):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join(5)


def refusal(url, read=None, **api):
    """Read from *url* and return what was raised; the memory it took is looked at."""
    client = a_client(an_api(people(read=read or Read("/people")), **api), base_url=url)
    tracemalloc.start()
    try:
        with pytest.raises((BadReply, ForeignHost)) as caught:
            list(client.read(client.resource("people")))
        assert tracemalloc.get_traced_memory()[1] < ROOM
    finally:
        tracemalloc.stop()
    said = str(caught.value)
    assert said.startswith("tiny: reading people -> ")
    assert "\n" not in said
    assert len(said) < 400
    return said


def endless(write):
    write(b"[")
    while True:
        write(b'{"id": 1},' * 10_000)


def test_an_answer_without_an_end_is_refused(serve):
    assert "an answer of more than 4 MB" in refusal(serve(endless))


def test_an_answer_that_promises_little_and_never_ends_is_refused(serve):
    def chunks(write):
        while True:
            write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")

    assert "an answer of more than 4 MB" in refusal(serve(chunks, Transfer_Encoding="chunked"))


def bomb(wbits):
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(300)), packer.flush()])


@pytest.mark.parametrize(("encoding", "wbits"), [("gzip", 31), ("deflate", 15)])
def test_a_compression_bomb_is_measured_as_it_unpacks(serve, encoding, wbits):
    packed = bomb(wbits)
    assert len(packed) < MOST
    assert "an answer of more than 4 MB" in refusal(serve(lambda write: write(packed), Content_Encoding=encoding))


def test_a_bomb_within_a_bomb_is_measured_too(serve):
    packed = gzip.compress(bomb(31), 9)
    said = refusal(serve(lambda write: write(packed), Content_Encoding="gzip, gzip"))
    assert "an answer of more than 4 MB" in said


def test_a_bomb_in_a_gzip_file_is_measured_as_it_unpacks(serve):
    packed = bomb(31)
    said = refusal(serve(lambda write: write(packed), Content_Type="application/gzip"), format=JsonLines())
    assert "a gzip file of more than 4 MB" in said


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (None, b"[" * (3 << 20)),
        (None, b'{"a":' * 500_000),
        (JsonLines(), b"[" * (3 << 20)),
        (Xml(), b"<a>" * (1 << 20)),
        (Xml(), b"<!DOCTYPE a [" + b"<!ENTITY e 'eeeeeeeee'>" * 1000 + b"]><a>&e;</a>"),
        (Xml(), b'<!DOCTYPE a SYSTEM "http://169.254.169.254/x"><a/>'),
        (Csv(), b'a,b\n"' + b"x" * (3 << 20)),
        (Csv(), b"\xff\xfe" * 1000),
    ],
)
def test_a_body_that_would_exhaust_its_reader_is_refused(serve, form, body):
    refusal(serve(lambda write: write(body)), format=form)


@pytest.mark.parametrize(
    "target", [METADATA, "http://localhost:1/", "//169.254.169.254/x", "http://[::ffff:169.254.169.254]/"]
)
@pytest.mark.parametrize("kind", ["redirect", "next_url", "link_header", "odata"])
def test_what_points_to_another_host_is_not_followed(session, adapter, kind, target):
    answers = {
        "redirect": (None, {"status_code": 302, "headers": {"Location": target}}),
        "next_url": (NextUrl(), {"json": {"results": [], "next": target}}),
        "link_header": (LinkHeader(), {"json": {"results": []}, "headers": {"Link": f"<{target}>; rel=next"}}),
        "odata": (ODataLinks(), {"json": {"results": [], "@odata.nextLink": target}}),
    }
    paging, answer = answers[kind]
    adapter.register_uri("GET", "https://api.example.org/people", **answer)
    client = a_client(an_api(people(read=Read("/people", records="results", paging=paging))), session=session)
    with pytest.raises(ForeignHost, match=r"^tiny: reading people -> the API pointed (at another host|from https)"):
        list(client.read(client.resource("people")))
    assert adapter.call_count == 1


def test_a_cursor_is_a_value_and_never_a_place_to_go(session, adapter):
    adapter.register_uri("GET", "/people", [
        {"json": {"results": [{"id": 1}], "next": METADATA + "?a=b&limit=9"}}, {"json": {"results": []}}])  # fmt: skip
    read = Read("/people", records="results", paging=Cursor("next", "after"))
    client = a_client(an_api(people(read=read)), session=session)
    list(client.read(client.resource("people")))
    assert adapter.last_request.url.startswith("https://api.example.org/people?after=http%3A%2F%2F169.254")
    assert set(adapter.last_request.qs) == {"after"}


def test_a_placeholder_in_an_answer_stays_a_text(session, adapter):
    adapter.register_uri("GET", "/people", [
        {"json": {"results": [{"id": 1}], "next": "{access_token}"}}, {"json": {"results": []}}])  # fmt: skip
    loop = Advanced({"after": "{response.next}"})
    client = a_client(an_api(people(read=Read("/people", records="results", paging=loop))), session=session)
    list(client.read(client.resource("people")))
    assert adapter.last_request.qs == {"after": ["{access_token}"]}


def test_a_window_whose_shortest_time_holds_too_much_is_an_error(session, adapter):
    adapter.register_uri("GET", "/people", json=[{"id": n} for n in range(10)])
    read = Read("/people", params={"from": "{since}", "to": "{until}"}, paging=Windows(86400, 10, start="2026-01-01"))
    client = a_client(an_api(people(read=read)), session=session)
    with pytest.raises(
        PagingError, match=r"^tiny: reading people -> more than 10 records between 2026-01-01T00:00:00Z and"
    ):
        list(client.read(client.resource("people")))
    assert adapter.call_count < 25
