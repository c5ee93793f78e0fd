"""The adapter and the URLs it is given are those of requests, with less done twice."""

import certifi
import pytest
import requests
import requests_mock
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.adapter import Adapter
from antiphon.api import Request
from antiphon.client import Client
from antiphon.http import _Prepared, _query
from tests.core.tiny import URL, an_api

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
TEXT = st.text(st.characters(codec="utf-8"), max_size=8)


@pytest.fixture
def session():
    """A session with the adapter, and nothing from the environment."""
    with requests.Session() as made:
        made.trust_env = False
        made.mount("http://", Adapter())
        made.mount("https://", Adapter())
        yield made


def asked(server):
    return [request.partition(b"\r\n")[0] for request in server.requests]


@given(path=TEXT, params=st.dictionaries(TEXT, TEXT | st.lists(TEXT, max_size=3), max_size=3))
@example(path="a b/ü/%7e%2f/../x", params={"properties": "a,b", "q": "~ /?#&=+%20"})
@example(path="x?y=1", params={"q": "1"})
@example(path="x#y", params={"q": "1"})
@example(path="", params={})
def test_urls_are_written_as_requests_writes_them(path, params):
    ours, theirs = _Prepared(), requests.PreparedRequest()
    url, query = f"https://exämple.org/{path}", _query(params)
    theirs.prepare_url(url, query)
    for _ in range(2):  # the second time it is known
        ours.prepare_url(url, query)
        assert ours.url == theirs.url


@pytest.mark.parametrize("url", ["http://", "nowhere", "http://[x/"])
def test_what_is_no_url_is_refused_each_time(url):
    for _ in range(2):
        with pytest.raises(requests.exceptions.InvalidURL if "://" in url else requests.exceptions.MissingSchema):
            _Prepared().prepare_url(url, "a=1")


def test_each_server_gets_its_own_requests(session, raw_server):
    servers = [raw_server(OK) for _ in range(12)]  # more than connections are kept to
    for path in ("one", "two"):
        for server in servers:
            assert session.get(f"{server.url}/{path}?at={server.url}").json() == {}
    for server in servers:
        at = server.url.encode()
        assert asked(server) == [b"GET /one?at=%s HTTP/1.1" % at, b"GET /two?at=%s HTTP/1.1" % at]


def test_a_session_that_was_closed_connects_anew(session, raw_server):
    server = raw_server(OK)
    session.get(f"{server.url}/1")
    session.close()
    session.get(f"{server.url}/2")
    assert asked(server) == [b"GET /1 HTTP/1.1", b"GET /2 HTTP/1.1"]


def test_a_proxy_is_taken_where_there_is_one_and_only_then(session, raw_server):
    server, proxy = raw_server(OK), raw_server(OK)
    for proxies in ({}, {"http": proxy.url}, {}):
        session.get(f"{server.url}/x", proxies=proxies)
    assert asked(server) == [b"GET /x HTTP/1.1"] * 2
    assert asked(proxy) == [b"GET %s/x HTTP/1.1" % server.url.encode()]


def test_certificates_are_those_that_each_call_names(session, tmp_path):
    adapter = session.get_adapter("https://")
    request = requests.Request("GET", "https://127.0.0.1:9/x").prepare()
    found = []
    for verify, cert in ((certifi.where(), None), (False, None), (certifi.where(), certifi.where())):
        pool = adapter.get_connection_with_tls_context(request, verify, None, cert)
        found.append((pool.cert_reqs, pool.ca_certs, pool.cert_file))
    ca = certifi.where()
    assert found == [("CERT_REQUIRED", ca, None), ("CERT_NONE", None, None), ("CERT_REQUIRED", ca, ca)]
    for _ in range(2):
        with pytest.raises(OSError, match="invalid path"):
            session.get("https://127.0.0.1:9/x", verify=str(tmp_path / "none.pem"))


def test_cookies_are_kept_and_sent_again(session, raw_server):
    cookie = b"HTTP/1.1 200 OK\r\nConnection: close\r\nSet-Cookie: at=home\r\nContent-Length: 2\r\n\r\n{}"
    server = raw_server(cookie, OK)
    session.get(f"{server.url}/1")
    session.get(f"{server.url}/2")
    assert b"Cookie: at=home" in server.requests[1]


def test_an_answer_is_what_requests_makes_of_it(session, raw_server):
    answer = b"HTTP/1.1 418 I'm a teapot\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 2\r\n\r\nno"
    url = f"{raw_server(answer).url}/pot"
    ours, theirs = session.get(url), requests.get(url, timeout=5)
    for name in ("status_code", "reason", "url", "content", "ok"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.headers["X-A"] == ours.headers["x-A"] == theirs.headers["x-a"] == "1, 2"


def test_requests_mock_sees_what_a_client_of_ours_asks():
    with requests_mock.Mocker() as mock:
        mock.get(f"{URL}/people", json=[{"id": 1}])
        client = Client(an_api(settings=(), auth=()), {"base_url": URL})
        assert client.http.send(Request("GET", "people"), "reading").json() == [{"id": 1}]
