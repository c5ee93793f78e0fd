"""Misbehaviour on request, limits, the log of calls, and the command line."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time

import pytest
import requests

from antiphon.sandbox import emulator, names, parse_faults, parse_limit, start
from antiphon.sandbox.exchange import Request
from antiphon.sandbox.faults import Faults

CONTACTS = "/crm/v3/objects/contacts"
NEW = {"properties": {"email": "new@example.com"}}


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("429", 429, "TEN_SECONDLY_ROLLING"),
        ("500", 500, "correlationId"),
        ("502-html", 502, "<html>"),
        ("html", 200, "<html>"),
        ("empty", 200, ""),
        ("token-expiry", 401, "EXPIRED_AUTHENTICATION"),
    ],
)
def test_a_fault_before_the_work_leaves_nothing_behind(sandbox, kind, status, says):
    sandbox.app.fail_next(1, kind)
    reply = sandbox("POST", CONTACTS, NEW)
    assert (reply.status_code, says in reply.text) == (status, True)
    assert len(sandbox.app.store("contacts")) == 12
    assert sandbox("POST", CONTACTS, NEW).status_code == 201


def test_a_cut_body_is_shorter_than_announced(sandbox):
    sandbox.app.fail_next(1, "cut")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        sandbox("GET", CONTACTS)
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.server.port, timeout=5)
    sandbox.app.fail_next(1, "cut")
    connection.request("GET", CONTACTS, headers={"Authorization": f"Bearer {sandbox.app.access_token}"})
    with pytest.raises(http.client.IncompleteRead):
        connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize(("kind", "left"), [("timeout", 12), ("commit-timeout", 13)])
def test_an_answer_that_never_comes_may_have_been_written(made, kind, left):
    sandbox = made(stall_seconds=0.05)
    sandbox.app.fail_next(1, kind)
    with pytest.raises(requests.ConnectionError):
        sandbox("POST", CONTACTS, NEW)
    assert len(sandbox.app.store("contacts")) == left


def test_a_fault_may_wait_for_a_route_and_only_writes_lose_their_answer(sandbox):
    sandbox.app.fail_next(1, "500", "batch/create")
    sandbox.app.fail_next(1, "commit-timeout")
    assert sandbox("GET", CONTACTS).status_code == 200
    assert sandbox("POST", f"{CONTACTS}/batch/create", {"inputs": [NEW]}).status_code == 500


def test_faults_by_chance_repeat_with_the_seed(made):
    runs = []
    for _ in range(2):
        sandbox = made(faults={"500": 0.3, "429": 0.2}, seed=5)
        runs.append([sandbox("GET", CONTACTS).status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 429, 500}


def test_which_writes_lose_their_answer_is_the_same_however_often_is_read_between_them():
    lost = []
    for reads in (0, 3):
        faults = Faults({"commit-timeout": 0.3}, seed=5)
        lost.append([])
        for _ in range(40):
            assert not any(faults.draw("read", write=False) for _ in range(reads))
            lost[-1].append(faults.draw("write", write=True))
    assert lost[0] == lost[1]
    assert set(lost[0]) == {None, "commit-timeout"}


def test_a_limit_is_announced_and_enforced(made, later):
    sandbox = made(limit=(3, 600))
    replies = [sandbox("GET", CONTACTS) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert [reply.headers["X-HubSpot-RateLimit-Remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert replies[0].headers["X-HubSpot-RateLimit-Max"] == "3"
    assert replies[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "600000"
    assert replies[3].json()["errorType"] == "RATE_LIMIT"
    later(601)
    assert sandbox("GET", CONTACTS).status_code == 200
    assert sandbox.app.rate_limited == 1


def test_without_a_limit_none_is_announced(sandbox):
    assert not [name for name in sandbox("GET", CONTACTS).headers if name.lower().startswith("x-hubspot")]


def test_latency_is_waited_for(made):
    sandbox = made(latency_ms=60)
    began = time.monotonic()
    sandbox("GET", CONTACTS)
    assert time.monotonic() - began >= 0.06


def test_calls_are_counted_by_route_whatever_the_version(sandbox):
    sandbox.get(f"{CONTACTS}/{sandbox.app.store('contacts').live[0]}")
    sandbox.get(f"/crm/objects/2026-09/0-1/{sandbox.app.store('contacts').live[0]}")
    sandbox.post("/crm/v3/objects/contacts/batch/read", {"inputs": [{"id": "1"}]}, expect=207)
    sandbox("POST", "/crm/v4/associations/contacts/companies/batch/read", {"inputs": [{"id": "1"}]})
    sandbox("PUT", "/crm/v4/objects/contacts/1/associations/default/companies/2")
    assert dict(sandbox.app.calls) == {
        ("GET", "objects/contacts/{id}"): 2,
        ("POST", "objects/contacts/batch/read"): 1,
        ("POST", "associations/contacts/companies/batch/read"): 1,
        ("PUT", "objects/contacts/{id}/associations/default/companies/{id}"): 1,
    }
    assert sandbox.app.count("batch/read") == 2


def test_it_is_steered_over_http_without_a_token(sandbox):
    def control(method, path, body=None):
        reply = requests.request(method, f"{sandbox.server.url}/_sandbox/{path}", json=body, timeout=5)
        assert reply.status_code < 300, reply.text
        return reply.json()

    made = control(
        "POST", "records", {"type": "contacts", "records": [{"lastname": "X"}], "at": "2026-02-03T04:05:06Z"}
    )
    control("POST", "edit", {"type": "contacts", "ids": made["ids"], "properties": {"city": "Y"}})
    shown = control("GET", "dump?type=contacts")["results"][-1]
    assert (shown["properties"]["city"], shown["createdAt"]) == ("Y", "2026-02-03T04:05:06.000Z")
    control("POST", "archive", {"type": "contacts", "ids": made["ids"]})
    assert len(control("GET", "dump?type=contacts&archived=true")["results"]) == 1
    control("POST", "fail-next", {"kind": "500"})
    control("POST", "index-lag", {"seconds": 0})
    control("POST", "properties", {"type": "deals", "count": 3})
    control("POST", "schemas", {"name": "boat", "properties": {"title": "string"}, "records": 2})
    assert len(control("GET", "dump?type=p_boat")["results"]) == 2
    assert sandbox("GET", CONTACTS).status_code == 500
    assert control("GET", "calls")["calls"] == [{"method": "GET", "route": "objects/contacts", "count": 1}]
    [first, *_] = control("GET", "log")["log"]
    assert first["fault"] == "500"
    assert abs(time.time() - first["at"]) < 60
    unknown = requests.post(f"{sandbox.server.url}/_sandbox/faults", json={"foo": 1}, timeout=5)
    assert "unknown fault 'foo'" in unknown.json()["error"]


def test_an_emulator_answers_without_a_socket():
    app = emulator("hubspot", records=1)
    token = app.config("")["access_token"]
    reply = app.handle(Request("GET", f"{CONTACTS}?limit=1", {"authorization": f"Bearer {token}"}))
    assert len(reply.json()["results"]) == 1


def test_texts_become_faults_and_limits_or_say_what_would():
    assert parse_faults("429=0.05,cut=0.01") == {"429": 0.05, "cut": 0.01}
    assert parse_limit("190/10") == (190, 10.0)
    with pytest.raises(ValueError, match="unknown fault 'foo': the faults are 429, 500"):
        parse_faults("foo=1")
    with pytest.raises(ValueError, match="between 0 and 1"):
        parse_faults("429=2")
    with pytest.raises(ValueError, match=r"429=0\.05"):
        parse_faults("429")
    for text in ("190", "x/10", "0/1", "1/0"):
        with pytest.raises(ValueError, match="CALLS/SECONDS"):
            parse_limit(text)
    with pytest.raises(ValueError, match="there is one for hubspot"):
        start("nope")
    assert "hubspot" in names()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_one_line_and_ends_quietly(number):
    command = [
        sys.executable,
        "-m",
        "antiphon.sandbox",
        "hubspot",
        "--records",
        "3",
        "--limit",
        "100/10",
        "--faults",
        "500=0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        config = json.loads(process.stdout.readline())["config"]
        headers = {"Authorization": f"Bearer {config['access_token']}"}
        reply = requests.get(config["base_url"] + CONTACTS, headers=headers, timeout=5)
        assert (len(reply.json()["results"]), reply.headers["X-HubSpot-RateLimit-Max"]) == (3, "100")
        process.send_signal(number)
        out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "", "")


def test_the_command_says_what_is_wrong():
    done = subprocess.run(
        [sys.executable, "-m", "antiphon.sandbox", "hubspot", "--faults", "foo=1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown fault 'foo'" in done.stderr


def test_many_clients_are_served_at_once(sandbox):
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    def write(n):
        headers = {"Authorization": f"Bearer {sandbox.app.access_token}"}
        body = {"properties": {"email": f"t{n}@example.com"}}
        return requests.post(sandbox.server.url + CONTACTS, json=body, headers=headers, timeout=5).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(40))) == [201] * 40
    assert len(sandbox.app.store("contacts")) == 52


def test_a_stopped_server_answers_no_more():
    with start("hubspot", records=1) as server:
        assert requests.get(f"{server.url}/_sandbox/calls", timeout=5).status_code == 200
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{server.url}/_sandbox/calls", timeout=1)
