"""Log-ins by declared steps: what is asked, taken, carried, kept, and asked anew."""

import base64
import json
import logging
import time
from urllib.parse import parse_qs

import pytest

from antiphon.api import Read, Setting
from antiphon.auth import Login, Step
from antiphon.client import Client
from antiphon.errors import DescriptionError, Forbidden, ForeignHost, SettingError, Unauthorized, Unavailable
from antiphon.tokens import TokenStore

from .tiny import an_api, people

NOW = 1_800_000_000.0
WORDS = {"username": "ada", "password": "pass:wörd"}
BODY = {"user": "{username}", "password": "{password}"}
AUTH = Login((Step("/login", body=BODY, take={"token": "data.token"}),), headers={"X-Token": "{token}"})
GIVEN = {"data": {"token": "session-0001"}}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time, which the tests move."""
    told = [NOW]
    monkeypatch.setattr(time, "time", lambda: told[0])
    return told


@pytest.fixture
def connected(session, tmp_path):
    """Give a client with settings; those with one *folder* share what they log in to."""

    def connected(auth=AUTH, folder="one", **settings):
        api = an_api(
            people(read=Read("/x", records="results")),
            auth=auth,
            settings=tuple(Setting(n, secret=n == "password") for n in WORDS),
        )
        return Client(api, {**WORDS, **settings}, session=session, folder=tmp_path / folder if folder else None)

    return connected


@pytest.fixture
def answers(adapter):
    """Have the log-in answer with each of some replies, the last again and again; the API answers to all."""

    def answers(*replies, url="/login", method="POST"):
        adapter.register_uri("GET", "/x", json={"results": []})
        return adapter.register_uri(
            method, url, [r if {"json", "text", "headers"} & r.keys() else {"json": r} for r in replies]
        )

    return answers


def carried(adapter, header="X-Token"):
    return [r.headers.get(header) for r in adapter.request_history if r.path == "/x"]


def test_what_a_log_in_gives_goes_with_every_request(connected, answers, adapter):
    login = answers(GIVEN)
    client = connected()
    for _ in range(2):
        client.call("GET", "/x")
    assert [request.json() for request in login.request_history] == [{"user": "ada", "password": "pass:wörd"}]
    assert carried(adapter) == ["session-0001"] * 2


def test_every_part_of_an_answer_can_be_taken_and_put_into_every_part_of_a_request(connected, answers, adapter):
    cookies = "theme=dark; Expires=Fri, 01 Jan 2027 00:00:00 GMT, sid=c00kie; Path=/; HttpOnly, other=1"
    reply = {"json": {"list": [7, {"id": "deep"}]}, "headers": {"X-Csrf": "csrf-1", "Set-Cookie": cookies}}
    answers(reply)
    adapter.register_uri("POST", "/x", json={})
    step = Step(
        "/login",
        body=BODY,
        take={"deep": "list.1.id", "user": "list.0"},
        take_header={"csrf": "x-csrf"},
        take_cookie={"sid": "sid"},
        take_match={"text": r'"id": ?"(d\w+)"'},
    )
    places = {"headers": {"X-Csrf": "{csrf}"}, "query": {"user": "{user}"}, "cookies": {"sid": "{sid}"}}
    auth = Login((step,), **places, body={"auth.deep": "{deep}-{text}"})
    connected(auth).call("POST", "/x", json={"a": 1})
    sent = adapter.last_request
    assert (sent.headers["X-Csrf"], sent.headers["Cookie"], sent.qs) == ("csrf-1", "sid=c00kie", {"user": ["7"]})
    assert sent.json() == {"a": 1, "auth": {"deep": "deep-deep"}}


def test_a_step_asks_with_what_the_one_before_it_gave(connected, answers, adapter):
    first = answers(
        {"text": '<input name=csrf value="c-1">', "headers": {"Set-Cookie": "pre=1"}}, url="/form", method="GET"
    )
    login = answers(
        {"json": {}, "status_code": 302, "headers": {"Set-Cookie": "sid=s-1", "Location": "https://evil.example/"}}
    )
    steps = (
        Step("/form", "GET", take_match={"csrf": 'value="([^"]+)"'}, take_cookie={"pre": "pre"}),
        Step(
            "/login",
            headers={"Cookie": "pre={pre}"},
            body={**BODY, "csrf": "{csrf}"},
            form=True,
            take_cookie={"sid": "sid"},
        ),
    )
    auth = Login(steps, cookies={"sid": "{sid}"})
    assert auth.needs() == ("password", "username")
    connected(auth).call("GET", "/x")
    assert first.call_count == 1
    form = {"user": ["ada"], "password": ["pass:wörd"], "csrf": ["c-1"]}
    assert parse_qs(login.last_request.text) == form
    assert login.last_request.headers["Cookie"] == "pre=1"
    assert carried(adapter, "Cookie") == ["sid=s-1"]


def test_values_may_be_written_in_base64(connected, answers, adapter):
    login = answers({"result": [7, "key-0001"]})
    step = Step("/login", headers={"Authorization": "Basic {pair}"}, take={"id": "result.0", "key": "result.1"})
    written = {"pair": "{username}:{password}", "whole": "{username}:{id}:{key}"}
    auth = Login((step,), headers={"Authorization": "Session {whole}"}, base64=written)
    assert auth.needs() == ("password", "username")
    connected(auth).call("GET", "/x")
    pair = login.last_request.headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(pair).decode() == "ada:pass:wörd"
    [sent] = carried(adapter, "Authorization")
    assert base64.b64decode(sent.removeprefix("Session ")) == b"ada:7:key-0001"


def test_a_log_in_may_be_at_another_host_which_the_description_names(connected, answers, adapter):
    login = answers(GIVEN, url="https://login.example.net/token")
    auth = Login(
        (Step("https://login.example.net/token", body=BODY, take={"token": "data.token"}),), {"X-Token": "{token}"}
    )
    connected(auth).call("GET", "/x")
    assert login.call_count == 1
    adapter.register_uri("GET", "/y", status_code=302, headers={"Location": "https://login.example.net/token"})
    with pytest.raises(ForeignHost):
        connected(auth).call("GET", "/y")
    assert login.call_count == 1


@pytest.mark.parametrize("url", ["http://login.example.net/token", "https://"])
def test_a_password_goes_over_encrypted_ways_alone(connected, url):
    with pytest.raises(SettingError, match="the address to log in at"):
        connected(Login((Step(url, body=BODY),))).call("GET", "/x")


# How long it lasts


def test_processes_share_one_log_in_and_its_password_is_not_in_the_file(connected, answers, adapter, tmp_path):
    login = answers(GIVEN)
    connected().call("GET", "/x")
    connected().call("GET", "/x")
    connected(folder=None).call("GET", "/x")
    assert login.call_count == 2
    assert "wörd" not in (tmp_path / "one" / "token.json").read_text()
    assert (tmp_path / "one" / "token.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "other", [{"username": "bob"}, {"password": "another"}, {"base_url": "https://two.example.org"}]
)
def test_other_settings_do_not_get_what_is_kept(connected, answers, other):
    login = answers(GIVEN)
    connected().call("GET", "/x")
    connected(**other).call("GET", "/x")
    assert login.call_count == 2


@pytest.mark.parametrize(
    ("auth", "reply", "lasts"),
    [
        ({"seconds": 1000}, GIVEN, 1000),
        ({"expires_in": "life"}, {**GIVEN, "life": "1000"}, 1000),
        ({"expires_at": "life"}, {**GIVEN, "life": "2027-01-15T08:16:40Z"}, 1000),
        ({"expires_at": "life"}, {**GIVEN, "life": 1_800_001_000}, 1000),
        ({"expires_at": "life"}, {**GIVEN, "life": 1_800_001_000_000}, 1000),
        ({"expires_at": "life"}, {**GIVEN, "life": "some day"}, 0),
        ({}, GIVEN, 0),
    ],
)
def test_a_log_in_ends_when_it_is_said_to(connected, answers, clock, auth, reply, lasts):
    login = answers(reply)
    take = {"token": "data.token", **({"life": "life"} if "life" in reply else {})}
    client = connected(Login((Step("/login", body=BODY, take=take),), {"X-Token": "{token}"}, **auth))
    for seconds in (0, 930, 30):
        clock[0] += seconds
        client.call("GET", "/x")
    assert login.call_count == (2 if lasts else 1)


OVER = {"status_code": 401, "json": {}}
TWO = ({"data": {"token": "session-0001"}}, {"data": {"token": "session-0002"}})


@pytest.mark.parametrize(
    ("over", "auth"),
    [
        (OVER, {}),
        ({"status_code": 419, "json": {}}, {"expired_status": (419,)}),
        ({"status_code": 200, "text": "<title>Please log in</title>"}, {"expired_text": "Please log in"}),
        ({"status_code": 200, "json": {"error": "SessionExpired"}}, {"expired_text": "SessionExpired"}),
    ],
)
def test_a_session_that_has_ended_is_begun_again_once(connected, answers, adapter, waits, over, auth):
    login = answers(*TWO)
    adapter.register_uri("GET", "/x", [over, {"json": {"results": []}}, over])
    client = connected(Login(AUTH.steps, AUTH.headers, **auth))
    client.call("GET", "/x")
    assert carried(adapter) == ["session-0001", "session-0002"]
    with pytest.raises(Unauthorized):
        client.call("GET", "/x")
    assert login.call_count == 3
    assert not waits


def test_what_another_process_logged_in_to_is_used_first(connected, answers, adapter):
    login = answers(*TWO)
    one, other = connected(), connected()
    one.call("GET", "/x")
    other.call("GET", "/x")
    dead = {"session-0001"}
    adapter.register_uri(
        "GET",
        "/x",
        json=lambda r, context: setattr(context, "status_code", 401 if r.headers["X-Token"] in dead else 200) or {},
    )
    one.call("GET", "/x")
    other.call("GET", "/x")
    assert login.call_count == 2


def test_another_refusal_is_no_reason_to_log_in(connected, answers, adapter):
    login = answers(GIVEN)
    adapter.register_uri("GET", "/x", status_code=403)
    with pytest.raises(Forbidden):
        connected().call("GET", "/x")
    assert login.call_count == 1


# What goes wrong


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ({"status_code": 403, "json": {"message": "user ada: no pass:wörd"}}, "the log-in says 403 user ada: no ***."),
        ({"status_code": 200, "json": {"data": {}}}, "the log-in says 200 and gives no token."),
        ({"status_code": 200, "text": "<html>"}, "the log-in says 200 and gives no token."),
        (
            {"status_code": 302, "text": "", "headers": {"Location": "/login"}},
            "the log-in says 302 and gives no token.",
        ),
    ],
)
def test_a_log_in_that_is_refused_names_its_settings_and_shows_no_password(
    connected, answers, adapter, waits, reply, said
):
    login = answers(reply)
    with pytest.raises(Unauthorized) as raised:
        connected().call("GET", "/x")
    assert str(raised.value).endswith(f"{said} Check the settings password and username.")
    assert login.call_count == 1
    assert not carried(adapter)
    assert not waits


@pytest.mark.parametrize("reply", [{"status_code": 503, "text": ""}, {"status_code": 429, "json": {}}])
def test_a_log_in_that_cannot_be_answered_now_is_asked_again(connected, answers, adapter, reply):
    answers(reply, GIVEN)
    connected().call("GET", "/x")
    assert carried(adapter) == ["session-0001"]


def test_a_log_in_that_never_answers_is_told(connected, answers):
    answers({"status_code": 503, "text": ""})
    with pytest.raises(Unavailable, match="the log-in says 503"):
        connected().call("GET", "/x")


def test_what_a_log_in_gave_is_not_shown_when_the_api_says_it(connected, answers, adapter, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, "requests_mock")  # the stand-in for the network
    answers({"data": {"token": "s3ssion/of=mine"}})
    auth = Login(AUTH.steps, query={"sid": "{token}"}, base64={"whole": "{username}:{token}"})
    adapter.register_uri(
        "GET",
        "/x",
        status_code=400,
        text=lambda r, _: json.dumps({"message": f"no: {r.url} YWRhOnMzc3Npb24vb2Y9bWluZQ=="}),
    )
    with pytest.raises(Exception, match="no: ") as raised:
        connected(auth).call("GET", "/x")
    told = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("antiphon"))
    for form in ("s3ssion/of=mine", "s3ssion%2Fof%3Dmine", "YWRhOnMzc3Npb24vb2Y9bWluZQ"):
        assert form not in str(raised.value) + told


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Step("/login", take_match={"a": "("}), "take_match.a is no regular expression"),
        (lambda: Step("/login", take_match={"a": "x"}), "take_match.a needs one group"),
        (lambda: Login((Step("/login"),), expires_in="life"), 'no step takes "life"'),
    ],
)
def test_a_description_of_a_log_in_that_cannot_work_is_refused(make, said):
    with pytest.raises(DescriptionError, match=said):
        make()


def test_logging_out_tells_the_api_and_forgets(connected, answers, adapter, tmp_path):
    answers(GIVEN)
    logout = adapter.register_uri("DELETE", "/login", status_code=204)
    client = connected(Login(AUTH.steps, AUTH.headers, logout=Step("/login", "DELETE", headers={"X-Token": "{token}"})))
    assert client.http.auth.forget(client.http) is False
    client.call("GET", "/x")
    assert client.http.auth.forget(client.http) is True
    assert logout.last_request.headers["X-Token"] == "session-0001"
    assert TokenStore(tmp_path / "one").load() is None
