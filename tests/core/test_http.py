import gzip
import logging
import socket
import traceback
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import requests_mock

from antiphon import http, received
from antiphon.api import Quota, RateLimit, Read, Request, Setting
from antiphon.auth import ApiKey, Basic
from antiphon.client import Client
from antiphon.errors import (
    ApiError,
    BadReply,
    Forbidden,
    ForeignHost,
    Lost,
    NotFound,
    QuotaSpent,
    Refused,
    SettingError,
    Unauthorized,
    Unavailable,
)
from antiphon.formats import JsonLines
from antiphon.style import Rest

from .tiny import TOKEN, URL, a_client, an_api, people

SECRET = "s3cr/t+ä&x=y"
KEYED = (Setting("api_key", secret=True),)


def read(client, path="/contacts", **more):
    return client.http.send(Request("GET", path, **more), "reading contacts")


def write(client, *, safe=False, body=None):
    return client.http.send(Request("POST", "/contacts", body=body or {"name": "Ada"}), "creating contacts", safe=safe)


def dropped(*_):
    raise requests.exceptions.ConnectionError("Connection aborted: remote end closed connection without response")


# What is tried again


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 599])
def test_a_read_is_tried_again_after_a_status_that_means_not_now(session, adapter, status):
    adapter.register_uri("GET", "/contacts", [{"status_code": status}] * 2 + [{"json": {"ok": True}}])
    reply = read(a_client(session=session))
    assert reply.json() == {"ok": True}
    assert reply.attempts == adapter.call_count == 3


@pytest.mark.parametrize("error", [requests.exceptions.ConnectionError, requests.exceptions.ReadTimeout,
                                   requests.exceptions.ConnectTimeout, requests.exceptions.ChunkedEncodingError])  # fmt: skip
def test_a_read_is_tried_again_after_a_dropped_connection(session, adapter, error):
    adapter.register_uri("GET", "/contacts", [{"exc": error}, {"json": {}}])
    assert read(a_client(session=session)).attempts == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, Refused), (401, Unauthorized), (403, Forbidden), (404, NotFound), (409, Refused), (422, Refused)],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_is_not_tried_again(session, adapter, waits, status, kind, method):
    adapter.register_uri(method, "/contacts", status_code=status)
    with pytest.raises(kind) as caught:
        a_client(session=session).call(method, "/contacts")
    assert caught.value.status == status
    assert adapter.call_count == 1
    assert not waits


@pytest.mark.parametrize(
    "answer", [{"status_code": 429}, {"status_code": 503}, {"exc": requests.exceptions.ConnectTimeout}]
)
def test_an_unsafe_write_is_repeated_where_it_was_surely_not_done(session, adapter, answer):
    adapter.register_uri("POST", "/contacts", [answer, {"json": {"id": 1}}])
    assert write(a_client(session=session)).attempts == 2


@pytest.mark.parametrize(
    "answer",
    [{"status_code": s} for s in (408, 425, 500, 502, 504, 507)]
    + [{"exc": requests.exceptions.ReadTimeout}, {"text": dropped}],
)
def test_an_unsafe_write_is_lost_and_never_repeated_where_it_may_have_been_done(session, adapter, waits, answer):
    adapter.register_uri("POST", "/contacts", [answer, {"json": {"id": 1}}])
    with pytest.raises(Lost) as caught:
        write(a_client(session=session))
    assert str(caught.value).startswith("tiny: creating contacts -> ")
    assert caught.value.status == answer.get("status_code", 0)
    assert adapter.call_count == 1
    assert not waits


@pytest.mark.parametrize("answer", [{"status_code": 500}, {"exc": requests.exceptions.ReadTimeout}])
def test_a_safe_write_is_repeated_like_a_read(session, adapter, answer):
    adapter.register_uri("POST", "/contacts", [answer, {"json": {"id": 1}}])
    assert write(a_client(session=session), safe=True).attempts == 2


def test_a_repeated_write_sends_the_same_bytes_again(session, adapter):
    adapter.register_uri("POST", "/contacts", [{"status_code": 503}, {"json": {}}])
    write(a_client(session=session), body={"b": 1, "a": [None, "é"]})
    assert [r.body for r in adapter.request_history] == ['{"b":1,"a":[null,"é"]}'.encode()] * 2


def test_a_status_of_its_own_that_means_not_now_is_tried_again(session, adapter):
    adapter.register_uri("GET", "/contacts", [{"status_code": 423}, {"json": {}}])
    assert read(a_client(an_api(style=Rest(retry=frozenset({423}))), session=session)).attempts == 2


def test_a_spent_quota_is_not_tried_again(session, adapter, waits):
    adapter.register_uri("GET", "/contacts", status_code=429, json={"policy": "DAILY", "message": "daily limit"})
    with pytest.raises(QuotaSpent, match=r"429 daily limit. The quota is used up"):
        read(a_client(an_api(style=Rest(spent={"policy": "DAILY"})), session=session))
    assert adapter.call_count == 1
    assert not waits


# Quotas of many hours

QUOTA = Quota(limit="X-Day-Limit", remaining="X-Day-Left")


def quota_client(session, adapter, *heads, quota=QUOTA, **settings):
    adapter.register_uri("GET", "/contacts", [{"json": {}, "headers": head} for head in heads])
    api = an_api(quota=quota, settings=(Setting("access_token"), Setting("quota_reserve", schema={"type": "number"})))
    return a_client(api, session=session, **settings)


@pytest.mark.parametrize(
    ("quota", "head"),
    [
        (QUOTA, {"X-Day-Limit": "1000", "X-Day-Left": "99"}),
        (Quota(usage="Limit-Info"), {"Limit-Info": "api-usage=901/1000"}),
    ],
)
def test_the_last_part_of_a_quota_is_left_to_others(session, adapter, quota, head):
    client = quota_client(session, adapter, head, quota=quota)
    read(client)
    with pytest.raises(
        QuotaSpent, match=r"reading contacts -> 99 of 1,000 calls are left of the quota. The last 10% are kept"
    ):
        read(client)
    assert adapter.call_count == 1


def test_how_much_is_left_to_others_is_a_setting(session, adapter):
    client = quota_client(session, adapter, {"X-Day-Limit": "1000", "X-Day-Left": "1"}, quota_reserve=0)
    read(client)
    read(client)
    assert adapter.call_count == 2


@pytest.mark.parametrize("words", ["", "none", "nan", "inf", "-inf"])
def test_a_quota_that_makes_no_sense_stops_nobody(session, adapter, words):
    client = quota_client(
        session, adapter, {"X-Day-Limit": words, "X-Day-Left": "1"}, {"X-Day-Limit": "9", "X-Day-Left": words}, {}
    )
    for _ in range(3):
        read(client)
    assert adapter.call_count == 3


def test_a_quota_that_was_spent_is_looked_at_again_after_a_while(session, adapter, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(http.time, "monotonic", lambda: now[0])
    client = quota_client(
        session, adapter, {"X-Day-Limit": "9", "X-Day-Left": "0"}, {"X-Day-Limit": "9", "X-Day-Left": "9"}
    )
    read(client)
    with pytest.raises(QuotaSpent):
        read(client)
    now[0] += 61
    read(client)
    read(client)
    assert adapter.call_count == 3


# How long it waits


def test_waits_grow_with_full_jitter_and_end_after_some_tries(session, adapter, waits, monkeypatch):
    asked = []
    monkeypatch.setattr("random.uniform", lambda low, high: asked.append((low, high)) or high)
    adapter.register_uri("GET", "/contacts", status_code=500, json={"message": "oh"})
    with pytest.raises(Unavailable, match=r"^tiny: reading contacts -> 500 oh. Tried 8 times; try again later.$"):
        read(a_client(session=session))
    assert asked == [(0, n) for n in (1, 2, 4, 8, 16, 30, 30)]
    assert waits == [1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize("asked", ["7", "7.0", " 7 "])
def test_the_server_may_ask_for_a_longer_wait_in_seconds(session, adapter, waits, asked):
    adapter.register_uri(
        "GET", "/contacts", [{"status_code": 429, "headers": {"Retry-After": asked}}] * 2 + [{"json": {}}]
    )
    read(a_client(session=session))
    assert waits == [7, 7]


def test_the_wait_asked_for_is_a_floor(session, adapter, waits, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    adapter.register_uri(
        "GET", "/contacts", [{"status_code": 429, "headers": {"Retry-After": "3"}}] * 4 + [{"json": {}}]
    )
    read(a_client(session=session))
    assert waits == [3, 3, 4, 8]


@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
def test_the_server_may_ask_for_a_wait_until_a_date_by_its_own_clock(session, adapter, waits, form):
    there = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
    headers = {
        "Retry-After": (there + timedelta(seconds=90)).strftime(form),
        "Date": format_datetime(there, usegmt=True),
    }
    adapter.register_uri("GET", "/contacts", [{"status_code": 503, "headers": headers}, {"json": {}}])
    read(a_client(session=session))
    assert waits == [90]


def test_a_date_without_a_clock_beside_it_is_measured_by_ours(session, adapter, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    adapter.register_uri("GET", "/contacts", [{"status_code": 503, "headers": {"Retry-After": soon}}, {"json": {}}])
    read(a_client(session=session))
    assert 90 < waits[0] <= 100


@pytest.mark.parametrize("asked", ["soon", "", "-5", "nan", "Mon, 99 Foo 2020", "Wed, 21 Oct 2015 07:28:00 GMT", "1 2"])
def test_a_wait_that_makes_no_sense_is_not_heeded(session, adapter, waits, asked):
    adapter.register_uri("GET", "/contacts", [{"status_code": 429, "headers": {"Retry-After": asked}}, {"json": {}}])
    read(a_client(session=session))
    assert 0 <= waits[0] <= 1


@pytest.mark.parametrize("asked", ["601", "86400", "1e999", "inf", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_server_that_asks_for_too_long_a_wait_gets_no_further_try(session, adapter, waits, asked):
    adapter.register_uri("GET", "/contacts", status_code=429, headers={"Retry-After": asked})
    with pytest.raises(Unavailable) as caught:
        read(a_client(session=session))
    assert adapter.call_count == 1
    assert not waits
    assert "Tried" not in str(caught.value)


# Where it goes


def test_a_redirect_on_the_same_host_is_followed(session, adapter):
    adapter.register_uri("GET", f"{URL}/contacts?a=1", status_code=301, headers={"Location": "/people?b=2"})
    adapter.register_uri(
        "GET", f"{URL}/people?b=2", status_code=302, headers={"Location": "https://API.example.org:443/c"}
    )
    adapter.register_uri("GET", f"{URL}:443/c", json={"ok": True})
    assert read(a_client(session=session), params={"a": 1}).json() == {"ok": True}
    assert adapter.last_request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert adapter.call_count == 3


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/x",
        "//evil.example/x",
        "https://api.example.org.evil.example/x",
        "https://api.example.org@evil.example/x",
        "https://api.example.org:8443/x",
        "https://evil.example\\@api.example.org/x",
        "https://sub.api.example.org/x",
        "http://api.example.org/x",
        "https://[bad/x",
        "ftp://api.example.org/x",
        "file:///etc/passwd",
    ],
)
def test_nothing_is_sent_to_another_host_or_without_encryption(session, adapter, waits, target):
    adapter.register_uri("GET", f"{URL}/contacts", status_code=302, headers={"Location": target})
    with pytest.raises(ApiError, match=r"^tiny: reading contacts -> ") as caught:
        read(a_client(session=session))
    assert isinstance(caught.value, ForeignHost)
    if "://" in target:  # a next URL
        with pytest.raises(ForeignHost):
            read(a_client(session=session), target)
    assert adapter.call_count == 1
    assert not waits


def test_a_host_that_the_description_names_may_be_spoken_to_unless_base_url_is_given(session, adapter):
    api = an_api(hosts=("Files.example.org",))
    adapter.register_uri("GET", "https://files.example.org/x", json={"ok": 1})
    assert read(a_client(api, session=session), "https://files.example.org/x").json() == {"ok": 1}
    with pytest.raises(ForeignHost):
        read(a_client(api, session=session, base_url="https://other.example.org"), "https://files.example.org/x")


def test_a_path_may_hold_a_url_in_its_query(session, adapter):
    adapter.register_uri("GET", f"{URL}/contacts", json={"ok": 1})
    read(a_client(session=session), "/contacts?back=https://evil.example/")
    assert adapter.last_request.hostname == "api.example.org"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_is_not_turned_into_a_read_by_a_redirect(session, adapter, status):
    adapter.register_uri("POST", "/contacts", status_code=status, headers={"Location": "/people"})
    with pytest.raises(Refused, match=f"{status} redirected to {URL}/people. Set base_url"):
        write(a_client(session=session))
    assert adapter.call_count == 1


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_that_keeps_method_and_body_does_so(session, adapter, status):
    adapter.register_uri("POST", "/contacts", status_code=status, headers={"Location": "/people"})
    adapter.register_uri("POST", "/people", json={"id": 1})
    assert write(a_client(session=session)).json() == {"id": 1}
    assert adapter.last_request.json() == {"name": "Ada"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_redirects_without_an_end_are_an_error(session, adapter, method):
    adapter.register_uri(method, "/contacts", status_code=307, headers={"Location": "/contacts"})
    with pytest.raises(Refused, match="redirected"):
        a_client(session=session).call(method, "/contacts")
    assert adapter.call_count < 12


def test_what_an_adapter_adds_to_one_request_is_not_in_the_next(session, adapter):
    class Adding(requests.adapters.BaseAdapter):
        def send(self, request, **options):
            request.headers["If-None-Match"] = request.url
            return adapter.send(request, **options)

    adapter.register_uri("GET", requests_mock.ANY, json={})
    session.mount(URL, Adding())
    client = a_client(session=session)
    read(client, "/contacts")
    session.mount(URL, adapter)
    read(client, "/people")
    assert ["If-None-Match" in request.headers for request in adapter.request_history] == [True, False]


@pytest.mark.parametrize("status", [300, 302, 304])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_that_leads_nowhere_is_no_success(session, adapter, status, method):
    adapter.register_uri(method, "/contacts", status_code=status)
    with pytest.raises(Refused, match=f"-> {status} "):
        a_client(session=session).call(method, "/contacts")


def test_a_call_counts_as_answered_when_its_answer_begins(session, adapter, monkeypatch):
    client, order = a_client(session=session), []
    body = received.body
    monkeypatch.setattr(client.http.limiter, "release", lambda *_: order.append("counted"))
    monkeypatch.setattr(received, "body", lambda response: (order.append("body"), body(response))[1])
    adapter.register_uri("GET", "/contacts", json={})
    client.call("GET", "/contacts")
    assert order == ["counted", "body"]


@pytest.mark.parametrize(
    ("hosts", "url", "calls"),
    [
        ((), "https://api.example.org", 5),
        (("api.example.org",), "https://API.example.org:443/v1", 5),
        (("api.example.org",), "https://api.example.org.evil.org", 0),
        (("api.example.org",), "https://tickets.ours.org/api.example.org", 0),
    ],
)
def test_a_limit_holds_for_the_hosts_that_have_it(hosts, url, calls):
    client = a_client(an_api(limits=(RateLimit(5, 1, hosts=hosts),)), base_url=url)
    assert sum(window.calls for window in client.http.limiter._windows) == calls


def test_every_request_counts_towards_the_limit_redirects_and_failures_too(session, adapter, monkeypatch):
    counted = []
    client = a_client(an_api(limits=(RateLimit(5, 1),)), session=session)
    monkeypatch.setattr(
        client.http.limiter, "release", lambda url, headers, sent: counted.append((url, headers.get("X")))
    )
    adapter.register_uri("GET", "/contacts", [{"exc": requests.exceptions.ConnectTimeout}, {"status_code": 500},
                                              {"status_code": 302, "headers": {"Location": "/people"}}])  # fmt: skip
    adapter.register_uri("GET", "/people", json={}, headers={"X": "7"})
    read(client)
    assert counted == [(f"{URL}/contacts", None)] * 3 + [(f"{URL}/people", "7")]


# What comes back


def test_an_answer_too_long_is_refused_and_not_asked_for_again(session, adapter, monkeypatch):
    monkeypatch.setattr(received, "MOST", 3 << 20)
    adapter.register_uri("GET", "/contacts", content=b"x" * (3 << 20))
    assert len(read(a_client(session=session)).body) == 3 << 20
    adapter.register_uri("GET", "/contacts", content=b"x" * ((3 << 20) + 1))
    with pytest.raises(BadReply, match="reading contacts -> an answer of more than 3 MB"):
        read(a_client(session=session))
    assert adapter.call_count == 2


def test_an_answer_is_measured_as_it_is_once_unpacked(raw_server, monkeypatch):
    monkeypatch.setattr(received, "MOST", 1 << 20)
    packed = gzip.compress(b"0" * (8 << 20))
    server = raw_server(head(packed, "Content-Encoding: gzip") + packed)
    with pytest.raises(BadReply, match="more than 1 MB"):
        read(a_client(base_url=server.url))


def test_the_body_of_a_redirect_is_measured_too(raw_server, monkeypatch):
    monkeypatch.setattr(received, "MOST", 1 << 20)
    body = b"x" * (2 << 20)
    server = raw_server(head(body, "Location: /elsewhere", status="302 Found") + body)
    with pytest.raises(BadReply, match="more than 1 MB"):
        read(a_client(base_url=server.url))


def head(body, *more, status="200 OK", length=None):
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body) if length is None else length}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


WHOLE = b'{"id": 1}'
PACKED, SHRUNK = gzip.compress(WHOLE, mtime=0), zlib.compress(WHOLE)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", PACKED),
        ("x-gzip", PACKED),
        ("GZip", gzip.compress(WHOLE[:4], mtime=0) + gzip.compress(WHOLE[4:], mtime=0)),
        ("gzip", PACKED + bytes(9)),
        ("gzip, gzip", gzip.compress(PACKED, mtime=0)),
        ("deflate", SHRUNK),
        ("deflate", SHRUNK[2:-4]),
        ("identity", WHOLE),
    ],
)
def test_an_answer_is_unpacked_however_it_is_packed(raw_server, encoding, body):
    server = raw_server(head(body, f"Content-Encoding: {encoding}") + body)
    assert read(a_client(base_url=server.url)).json() == {"id": 1}


def test_an_answer_that_is_empty_is_not_unpacked(raw_server):
    server = raw_server(head(b"", "Content-Encoding: gzip", status="204 No Content"))
    assert read(a_client(base_url=server.url)).body == b""


def test_lines_that_are_cut_between_two_of_them_are_asked_for_again(raw_server):
    packer = zlib.compressobj(wbits=31)
    cut = packer.compress(b'{"id":1}\n') + packer.flush(zlib.Z_SYNC_FLUSH)
    whole = cut + packer.compress(b'{"id":2}\n') + packer.flush()
    server = raw_server(*(head(body, "Content-Encoding: gzip") + body for body in (cut, whole)))
    client = a_client(an_api(people(read=Read("/people", format=JsonLines()))), base_url=server.url)
    assert [row["id"] for page in client.read(client.resource("people")) for row in page.records] == [1, 2]


@pytest.mark.parametrize(
    "cut",
    [
        head(WHOLE) + WHOLE[:4],
        head(WHOLE),
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n" + WHOLE[:4],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + WHOLE,
        head(b"garbled!", "Content-Encoding: gzip") + b"garbled!",
        *(head(PACKED[:end], "Content-Encoding: gzip") + PACKED[:end] for end in (1, 10, 18, -1)),
        head(SHRUNK[:-1], "Content-Encoding: deflate") + SHRUNK[:-1],
        b"no HTTP at all\r\n\r\n",
        *(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"[:end] for end in (11, 15, 17, 22, -2, -1)),
        b"HTTP/1.1 204 No Content\r\nServer: x\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n",
    ],
)
def test_an_answer_cut_short_is_asked_for_again_and_makes_an_unsafe_write_lost(raw_server, cut):
    server = raw_server(cut, head(WHOLE) + WHOLE)
    reply = read(a_client(base_url=server.url))
    assert (reply.json(), reply.attempts) == ({"id": 1}, 2)
    server = raw_server(cut, head(WHOLE) + WHOLE)
    with pytest.raises(Lost, match=r"^tiny: creating contacts -> no answer from http://127.0.0.1:\d+ \("):
        write(a_client(base_url=server.url))
    assert len(server.requests) == 1


@pytest.mark.parametrize("more", [[f"X-{n}: 1" for n in range(150)], ["X-Long: " + "1" * 70_000]])
def test_an_answer_with_more_headers_than_can_be_read_is_not_asked_for_again(raw_server, way, waits, more):
    server = raw_server(head(WHOLE, *more) + WHOLE)
    with pytest.raises(Lost, match=r"more headers than can be read"):
        write(a_client(base_url=server.url))
    if way == "libcurl":  # it can read them
        assert read(a_client(base_url=server.url)).json() == {"id": 1}
        return
    with pytest.raises(BadReply, match=r"^tiny: reading contacts -> the answer has more headers than can be read"):
        read(a_client(base_url=server.url))
    assert not waits


def test_what_comes_before_the_answer_is_not_the_answer(raw_server):
    hints = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    server = raw_server(hints + head(WHOLE) + WHOLE)
    for reply in (read(a_client(base_url=server.url)), write(a_client(base_url=server.url))):
        assert reply.json() == {"id": 1}
        assert "Link" not in reply.headers


def test_where_nobody_listens_one_line_says_so(way, waits):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unavailable) as caught:
        read(a_client(base_url=f"http://127.0.0.1:{port}"))
    assert str(caught.value) == (
        f"tiny: reading contacts -> no connection to http://127.0.0.1:{port} (connection refused). "
        "Check base_url, the network and the proxy."
    )
    assert len(waits) == 7
    with pytest.raises(Unavailable):  # nothing was sent: not lost
        write(a_client(base_url=f"http://127.0.0.1:{port}"))


def test_a_proxy_where_nobody_listens_is_no_lost_write(way):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(Unavailable, match="no connection"):
        write(a_client(base_url="http://api.example.org", proxy=proxy))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"text": "<html>\n<h1>Welcome</h1>"}, 'no JSON but "<html> <h1>Welcome</h1>"'),
        ({"text": ""}, "an empty body where JSON was due"),
        ({"text": "  \n"}, "an empty body where JSON was due"),
        ({"content": b'{"results": [{"id": 1}, {"id"'}, 'no JSON but "{"results": [{"id": 1}, {"id""'),
        ({"content": b"\xff\xfe\x00"}, "no JSON but "),
        ({"content": b"[" * 100_000}, "JSON that is nested too deeply"),
        ({"text": '{"people": []}'}, 'the answer has no list of records at "results"'),
        ({"text": '{"results": "none"}'}, 'the answer has no list of records at "results"'),
        ({"text": '{"results": [1, "two"]}'}, 'the answer has no list of records at "results"'),
        ({"text": "3"}, 'the answer has no list of records at "results"'),
    ],
)
def test_an_answer_that_is_not_what_was_due_is_told_in_one_line(session, adapter, answer, said):
    adapter.register_uri("GET", "/people", **answer)
    client = a_client(session=session)
    with pytest.raises(BadReply) as caught:
        list(client.read(client.resource("people")))
    assert str(caught.value).startswith(f"tiny: reading people -> {said}")
    assert "\n" not in str(caught.value)
    assert adapter.call_count == 1


def test_json_behind_a_byte_order_mark_is_read(session, adapter):
    adapter.register_uri("GET", "/people", content=b'\xef\xbb\xbf{"results": [{"id": 1}]}')
    client = a_client(session=session)
    [page] = client.read(client.resource("people"))
    assert page.records == [{"id": 1}]


def test_an_answer_of_several_lengths_is_the_servers_fault(way, raw_server, waits):
    server = raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\n{}")
    told = rf"no answer from {server.url} \(the answer's Content-Length cannot be right\)"
    with pytest.raises(Unavailable, match=f"^x: reading -> {told}"):
        http.Http("x", server.url).send(Request("GET", "x"), "reading")
    assert len(waits) == http.TRIES - 1


def test_any_call_tells_in_one_line_what_it_got_instead_of_json(session, adapter):
    adapter.register_uri("GET", "/x", text="<html>")
    with pytest.raises(BadReply, match=r'^tiny: GET /x -> no JSON but "<html>"'):
        a_client(session=session).call("GET", "/x?y=1")


def test_a_check_is_not_content_with_a_page_for_people(session, adapter):
    api = an_api(check=Read("/me"))
    adapter.register_uri("GET", "/me", [{"text": "<html>"}, {"json": {"id": 1}}, {"json": []}, {"status_code": 204}])
    client = a_client(api, session=session)
    with pytest.raises(BadReply, match=r"^tiny: checking the connection -> no JSON"):
        client.check()
    client.check()
    client.check()
    client.check()


# What it says


def test_an_error_says_what_we_did_what_was_said_and_what_to_do(session, adapter):
    adapter.register_uri("GET", "/contacts", status_code=401, json={"message": "Token\n expired", "code": "EXP"})
    with pytest.raises(Unauthorized) as caught:
        read(a_client(session=session))
    assert str(caught.value) == (
        "tiny: reading contacts -> 401 Token expired. Check the setting access_token: it is not accepted."
    )
    assert caught.value.code == "EXP"


@pytest.mark.parametrize("path", ["/contacts", "contacts", f"{URL}/v1/contacts"])
def test_a_path_is_below_the_base_url(session, adapter, path):
    adapter.register_uri("GET", f"{URL}/v1/contacts", json={})
    read(a_client(an_api(base_url=f"{URL}/v1/"), session=session), path)
    assert adapter.call_count == 1


@pytest.mark.parametrize("base_url", ["api.example.org", "https://", "//api.example.org", "ftp//x", "https://[bad"])
def test_a_base_url_that_is_none_is_a_setting_to_mend(session, base_url):
    with pytest.raises(SettingError, match="base_url"):
        read(a_client(session=session, base_url=base_url))


@pytest.mark.parametrize("token", ["line\nbreak", "tokén-€"])
def test_a_token_that_no_header_can_hold_is_a_setting_to_mend_and_not_shown(waits, token):
    with pytest.raises(SettingError, match="access_token") as caught:
        read(a_client(base_url="http://127.0.0.1:9", access_token=token))
    assert token not in trace(caught.value)
    assert not waits


@pytest.mark.parametrize("value", ["line\nbreak", "tokén-€"])
def test_a_header_that_cannot_hold_its_value_is_named_with_what_it_is_made_of(way, waits, value):
    client = a_client(base_url="http://127.0.0.1:9")
    with pytest.raises(SettingError, match=r'^tiny: the header "X-Team" cannot hold what it is to hold') as caught:
        read(client, headers={"X-Team": value})
    assert value not in trace(caught.value)
    with pytest.raises(SettingError, match="user_agent"):
        read(a_client(base_url="http://127.0.0.1:9", user_agent=value))
    assert not waits


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_ca_bundle_of_the_environment_that_is_not_there_is_named(way, waits, monkeypatch, variable):
    monkeypatch.setenv(variable, "/nowhere/ca.pem")
    with pytest.raises(SettingError, match=f"/nowhere/ca.pem. Check .*{variable}.* in the environment"):
        read(a_client(base_url="https://127.0.0.1:9"))
    assert not waits


def test_a_ca_bundle_that_is_not_there_is_a_setting_to_mend(way, waits):
    with pytest.raises(SettingError, match="ca_bundle"):
        write(a_client(base_url="https://127.0.0.1:9", ca_bundle="/nowhere/ca.pem"))
    assert not waits


def test_a_proxy_that_is_no_url_is_a_setting_to_mend(way, waits):
    with pytest.raises(SettingError, match="proxy"):
        read(a_client(base_url="http://127.0.0.1:9", proxy="http://"))
    assert not waits


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
            SettingError,
            "not trusted",
        ),
        ("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol", Unavailable, "no answer"),
    ],
)
def test_a_certificate_is_told_from_a_connection_that_broke(session, adapter, words, kind, said):
    adapter.register_uri("GET", "/contacts", exc=requests.exceptions.SSLError(words))
    with pytest.raises(kind, match=said):
        read(a_client(session=session))


def test_a_record_that_no_json_can_hold_is_refused_before_it_is_sent(session, adapter):
    adapter.register_uri("POST", "/contacts", json={})
    for value in ("\ud800", object()):
        with pytest.raises(Refused, match=r"creating contacts -> .*JSON"):
            write(a_client(session=session), body={"name": value})
    assert adapter.call_count == 0


def test_a_header_may_hold_letters_of_latin_1(raw_server):
    server = raw_server(head(WHOLE) + WHOLE)
    for send in (read, read, write):
        send(a_client(base_url=server.url, user_agent="Zoë"))
        assert "User-Agent: Zoë\r\n".encode("latin-1") in server.requests[-1]


def test_headers_and_parameters_of_any_type_are_sent_as_text(session, adapter):
    adapter.register_uri("GET", "/contacts", json={})
    params = {"n": 1, "yes": True, "list": ["a", 2], "none": None, "empty": ""}
    read(a_client(session=session), params=params, headers={"X-Page": 5, "X-None": None})
    assert adapter.last_request.url == f"{URL}/contacts?n=1&yes=true&list=a%2C2&empty="
    assert adapter.last_request.headers["X-Page"] == "5"
    assert "X-None" not in adapter.last_request.headers


# What it does not say


def trace(error):
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def shown(error, caplog):
    ours = [record for record in caplog.records if not record.name.startswith("requests_mock")]
    records = "".join(logging.Formatter().format(record) for record in ours)
    return trace(error) + records + getattr(error, "code", "") + error.message


FORMS = (SECRET, "s3cr%2Ft%2B%C3%A4%26x%3Dy", "s3cr%2ft%2b%c3%a4%26x%3dy")


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 401, "json": {"message": f"key {SECRET} is not known", "code": f"no {SECRET}"}},
        {"status_code": 400, "json": {"error": f"/contacts?api_key={FORMS[1]} and {FORMS[2]}"}},
        {"status_code": 500, "json": {"message": f"key {SECRET}"}},
        {"status_code": 302, "headers": {"Location": f"https://evil.example/?api_key={FORMS[1]}"}},
        {"exc": requests.exceptions.ConnectionError(f"Max retries exceeded with url: /contacts?api_key={FORMS[1]}")},
        {"exc": requests.exceptions.SSLError(f"url: /contacts?api_key={FORMS[1]} certificate verify failed")},
        {"exc": requests.exceptions.InvalidURL(f"/contacts?api_key={FORMS[1]}")},
        {"text": f"<html>{SECRET}"},
        {"json": {"next": f"/contacts?api_key={FORMS[1]}", "rows": []}},
    ],
)
def test_no_secret_is_in_an_error_or_a_log_record(session, adapter, caplog, answer):
    caplog.set_level(logging.DEBUG)
    adapter.register_uri("GET", "/contacts", **answer)
    api = an_api(people(read=Read("/contacts", records="results")), settings=KEYED, auth=ApiKey(query="api_key"))
    client = Client(api, {"api_key": SECRET}, session=session)
    with pytest.raises((ApiError, SettingError)) as caught:
        list(client.read(client.resource("people")))
    for form in FORMS:
        assert form not in shown(caught.value, caplog)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 401 No\r\nbad header\r\n\r\n", b""]
)
def test_no_secret_is_in_a_log_record_of_the_libraries_below(raw_server, caplog, answer):
    caplog.set_level(logging.DEBUG)
    server = raw_server(answer)
    client = Client(an_api(settings=KEYED, auth=ApiKey(query="api_key")), {"api_key": SECRET, "base_url": server.url})
    with pytest.raises(ApiError) as caught:
        read(client, params={"page": 3})
    assert FORMS[1].encode() in server.requests[0]
    for form in FORMS:
        assert form not in shown(caught.value, caplog)


def test_a_password_is_not_shown_in_the_form_in_which_it_was_sent(session, adapter, caplog):
    settings = (Setting("username"), Setting("password", secret=True))
    adapter.register_uri("GET", "/contacts", status_code=400, json={"message": "bad header: Basic YWRhOnBhc3N3b3Jk"})
    client = Client(
        an_api(settings=settings, auth=Basic()), {"username": "ada", "password": "password"}, session=session
    )
    with pytest.raises(Refused) as caught:
        read(client)
    assert "YWRhOnBhc3N3b3Jk" not in shown(caught.value, caplog)


def test_each_failure_that_is_tried_again_is_told_in_the_log(session, adapter, caplog):
    caplog.set_level(logging.INFO, "antiphon")
    adapter.register_uri("GET", "/contacts", [{"status_code": 503, "headers": {"Retry-After": "2"}}, {"json": {}}])
    read(a_client(session=session))
    assert [r.getMessage() for r in caplog.records] == ["tiny: 503 Service Unavailable; trying again in 2.0 s"]
