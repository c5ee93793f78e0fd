"""Logging in and out: a browser that comes back, an address that is pasted, a code typed elsewhere, settings alone."""

from __future__ import annotations

import json
import logging
import re
import socket
import stat
import sys
import threading
import time
import webbrowser
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from antiphon import apis, login
from antiphon.api import Api, Read, Setting
from antiphon.auth import All, ApiKey, Bearer, Jwt, Login, OAuth1, OAuth2, Step
from antiphon.client import Client
from antiphon.errors import SettingError, Unauthorized
from antiphon.login import by_page, device_code
from antiphon.tokens import TokenStore

HOST = "https://login.example.net"
SECRET = "s3cret-of-the-app"
AUTH = OAuth2(
    f"{HOST}/token", authorize_url=f"{HOST}/authorize?prompt=consent", device_url=f"{HOST}/device", scope="read write"
)
REPLY = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 3600}
STARTED = {
    "device_code": "the-device-code",
    "user_code": "WDJB-MJHT",
    "verification_uri": f"{HOST}/activate",
    "expires_in": 60,
    "interval": 5,
}


def an_api(auth=AUTH):
    words = (
        "client_id",
        "client_secret",
        "refresh_token",
        "private_key",
        "username",
        "password",
        "access_token",
        "token",
    )
    settings = tuple(Setting(word, secret=word not in {"client_id", "username"}) for word in words)
    return Api("crm", "CRM", "https://api.example.org", auth=auth, settings=settings, check=Read("/me"))


@pytest.fixture(autouse=True)
def crm(monkeypatch):
    """Have an API to log in to; give a way to change how."""
    how = {"auth": AUTH}
    known = apis.load
    monkeypatch.setattr(apis, "load", lambda name, **_: an_api(how["auth"]) if name == "crm" else known(name))
    monkeypatch.setenv("CRM_CLIENT_ID", "the-app")
    monkeypatch.setenv("CRM_CLIENT_SECRET", SECRET)
    return lambda auth: how.update(auth=auth)


@pytest.fixture
def token(requests_mock):
    """Have the token endpoint give a token; what is on this machine is let through."""
    requests_mock.get(re.compile(r"^http://127\.0\.0\.1:"), real_http=True)
    return requests_mock.post(f"{HOST}/token", json=REPLY)


@pytest.fixture
def client(tmp_path):
    return Client(an_api(), {"client_id": "the-app"}, folder=tmp_path / "crm", connection="crm")


def stored(folder="state/antiphon/crm"):
    return TokenStore(Path(folder)).load()


def forms(matcher):
    return [{name: values[0] for name, values in parse_qs(sent.text).items()} for sent in matcher.request_history]


def query(address):
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def browser(answer, *, before=()):
    """Return what plays the browser when it is shown an address: it comes back with *answer* to the address's state."""
    seen = []

    def come_back(address):
        asked = query(address)
        said = {name: value.format(**asked) for name, value in answer.items()}
        for path in before:
            here = urlsplit(asked["redirect_uri"])
            seen.append(requests.get(f"{here.scheme}://{here.netloc}{path}", timeout=10))
        seen.append(requests.get(asked["redirect_uri"], params=said, timeout=10))

    def show(address):
        thread = threading.Thread(target=come_back, args=(address,))
        thread.start()
        show.threads.append(thread)
        show.addresses.append(address)

    show.threads, show.addresses, show.seen = [], [], seen
    return show


YES = {"code": "the-code", "state": "{state}"}


# Authorization code


def test_the_page_is_asked_for_a_code_with_pkce_and_state(client, token):
    show = browser(YES)
    by_page(client, show=show)
    [address] = show.addresses
    asked = query(address)
    assert address.startswith(f"{HOST}/authorize?prompt=consent&")
    assert asked["response_type"] == "code"
    assert asked["client_id"] == "the-app"
    assert asked["scope"] == "read write"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 32
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", asked["redirect_uri"])
    [form] = forms(token)
    verifier = form.pop("code_verifier")
    assert 43 <= len(verifier) <= 128
    assert urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=") == asked["code_challenge"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": asked["redirect_uri"],
        "client_id": "the-app",
    }


def test_the_challenge_is_that_of_the_rfc(client, token, monkeypatch):
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    monkeypatch.setattr(login.secrets, "token_urlsafe", lambda size: verifier)
    show = browser(YES)
    by_page(client, show=show)
    assert query(show.addresses[0])["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert forms(token)[0]["code_verifier"] == verifier


def test_no_two_log_ins_ask_alike(client, token):
    show = browser(YES)
    by_page(client, show=show)
    by_page(client, show=show)
    one, other = map(query, show.addresses)
    assert one["state"] != other["state"]
    assert one["code_challenge"] != other["code_challenge"]


def test_only_the_one_path_is_an_answer(client, token):
    show = browser(YES, before=["/", "/favicon.ico", "/callback/", "/callbackx?code=evil", "/x/callback?code=evil"])
    by_page(client, show=show)
    show.threads[0].join(10)
    assert [reply.status_code for reply in show.seen] == [404] * 5 + [200]
    assert forms(token)[0]["code"] == "the-code"
    assert "the-code" not in show.seen[-1].text


def test_a_browser_that_opens_a_connection_and_says_nothing_stands_in_nobodys_way(client, token):
    silent = []
    show = browser(YES)

    def connect_first(address):
        here = urlsplit(query(address)["redirect_uri"])
        silent.append(socket.create_connection((here.hostname, here.port), timeout=10))
        show(address)

    began = time.monotonic()
    by_page(client, show=connect_first)
    assert time.monotonic() - began < login._Handler.timeout
    silent[0].close()


def refused(client, answer):
    with pytest.raises(Unauthorized) as raised:
        by_page(client, show=browser(answer))
    assert str(raised.value).isprintable()
    return str(raised.value)


@pytest.mark.parametrize("state", ["another", "", "{state}x", "é"])
def test_an_answer_with_another_state_is_refused(client, token, state):
    said = refused(client, {"code": "evil", "state": state})
    assert said == "crm: logging in -> this is no answer to what was asked (another state). Log in again."
    assert not token.called


def test_an_error_of_the_page_is_told(client, token):
    no = {"error": "access_denied", "error_description": "Ada said\x1b[2J no", "state": "{state}"}
    assert refused(client, no) == "crm: logging in -> access_denied: Ada said [2J no. Log in again."
    assert not token.called


def test_an_answer_without_a_code_is_refused(client, token):
    assert "the answer holds no code" in refused(client, {"state": "{state}"})


def test_a_code_that_is_refused_is_told_and_not_shown(client, requests_mock, token):
    said = {"error": "invalid_grant", "error_description": "the-code was used before"}
    requests_mock.post(f"{HOST}/token", status_code=400, json=said)
    assert refused(client, YES) == "crm: logging in -> 400 invalid_grant: *** was used before. Log in again."


def test_nobody_is_waited_for_for_ever(client, token):
    with pytest.raises(Unauthorized, match=r"crm: logging in -> nobody logged in within 0 s\. Log in again"):
        by_page(client, show=lambda address: None, wait=0.05)


def test_the_port_is_free_again_whatever_happened(client, token):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"port {port} .*Address already in use.*--port"):
            by_page(client, show=browser(YES), port=port)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            by_page(client, show=browser({"state": "another"}), port=port)
    by_page(client, show=browser(YES), port=port)


def test_a_file_of_a_user_who_logged_in_is_for_nobody_else(client, token):
    by_page(client, show=browser(YES))
    path = client.folder / "token.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert client.http.notes["oauth"].access_token == "access-1"


# The command


def test_login_shows_the_address_waits_for_the_browser_and_keeps_the_token(run, token, monkeypatch):
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    ran = run("login", "crm")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == {
        "connection": "crm",
        "api": "crm",
        "base_url": "https://api.example.org",
        "logged_in": True,
    }
    assert stored().refresh_token == "refresh-1"
    assert forms(token)[0]["client_secret"] == SECRET


def test_people_are_told_in_a_line_what_to_do_next(run, token, watched, monkeypatch):
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    assert run("login", "crm").out == "crm is logged in to CRM. Try: antiphon check crm\n"


def test_what_was_logged_in_is_used_by_the_next_command(run, token, requests_mock, monkeypatch):
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    me = requests_mock.get("https://api.example.org/me", json={})
    run("login", "crm")
    assert run("check", "crm").code == 0
    assert me.last_request.headers["Authorization"] == "Bearer access-1"
    assert token.call_count == 1


def pasting(monkeypatch, answer):
    """Have somebody paste an address; give what is shown before."""
    shown = []

    def prompt(text, **more):
        asked = query(shown[0])
        return answer.format(**asked)

    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: shown.append(address))
    monkeypatch.setattr("click.prompt", prompt)
    return shown


@pytest.mark.parametrize(
    ("options", "uri"),
    [
        ([], "http://127.0.0.1/callback"),
        (["--port", "8765"], "http://127.0.0.1:8765/callback"),
        (["--redirect-uri", "https://app.example.org/back"], "https://app.example.org/back"),
    ],
)
def test_the_address_that_the_browser_ended_at_can_be_pasted(run, token, monkeypatch, options, uri):
    shown = pasting(monkeypatch, " {redirect_uri}?code=the-code&state={state} ")
    assert run("login", "crm", "--paste", *options).code == 0
    assert query(shown[0])["redirect_uri"] == uri
    assert forms(token)[0]["redirect_uri"] == uri
    assert forms(token)[0]["code"] == "the-code"


@pytest.mark.parametrize("pasted", ["nonsense", "http://[", "", "https://app.example.org/?code=evil&state=other"])
def test_what_is_no_such_address_is_refused_in_one_line(run, token, monkeypatch, pasted):
    pasting(monkeypatch, pasted)
    ran = run("login", "crm", "--paste")
    assert ran.code == 1
    assert (
        ran.err == "antiphon: crm: logging in -> this is no answer to what was asked (another state). Log in again.\n"
    )
    assert not token.called


def test_the_browser_is_opened_where_somebody_sits_before_it(run, token, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or browser(YES)(address))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    ran = run("login", "crm")
    assert ran.code == 0
    assert opened[0] in ran.err


@pytest.mark.parametrize(("options", "terminal"), [(["--no-browser"], True), ([], False), (["--paste"], True)])
def test_the_browser_stays_shut_otherwise_and_the_address_is_shown(run, token, monkeypatch, options, terminal):
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail("a browser was opened"))
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    monkeypatch.setattr("click.prompt", lambda *a, **k: "")
    monkeypatch.setattr(login, "PATIENCE", 0.01)
    monkeypatch.setattr(login._Callback, "wait", lambda self, seconds: "")
    ran = run("login", "crm", *options)
    assert ran.code == 1
    assert f"{HOST}/authorize?" in ran.err
    assert not ran.out


def test_nothing_that_is_secret_is_printed_or_logged(run, token, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    ran = run("login", "crm")
    show.threads[0].join(10)
    verifier = forms(token)[0]["code_verifier"]
    for secret in ("access-1", "refresh-1", "the-code", SECRET, verifier):
        assert secret not in ran.out + ran.err
        ours = [r.getMessage() for r in caplog.records]
        assert not [line for line in ours if secret in line]


# Device code


@pytest.fixture
def hours(monkeypatch):
    """A clock that only sleeping moves; the seconds slept, one by one."""
    slept, now = [], [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: (slept.append(seconds), now.__setitem__(0, now[0] + seconds)))
    return slept


def polling(requests_mock, *errors, started=STARTED, last=None):
    """Have the token endpoint answer with *errors*, then with a token (or as *last* says)."""
    requests_mock.post(f"{HOST}/device", json=started)
    answers = [{"status_code": 400, "json": {"error": error}} for error in errors]
    return requests_mock.post(f"{HOST}/token", [*answers, last or {"json": REPLY}])


def test_a_code_is_shown_and_polled_for_until_it_is_typed(run, requests_mock, hours):
    token = polling(requests_mock, "authorization_pending", "authorization_pending")
    ran = run("login", "crm", "--device")
    assert ran.code == 0, ran.err
    assert f"{HOST}/activate" in ran.err
    assert "WDJB-MJHT" in ran.err
    assert hours == [5, 5, 5]
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "the-device-code"}
    assert forms(token) == [{**grant, "client_id": "the-app", "client_secret": SECRET}] * 3
    assert stored().refresh_token == "refresh-1"
    assert query("?" + requests_mock.request_history[0].text)["scope"] == "read write"
    for secret in ("the-device-code", "access-1", "refresh-1", SECRET):
        assert secret not in ran.out + ran.err


def test_slow_down_slows_down_for_good(client, requests_mock, hours):
    polling(requests_mock, "slow_down", "authorization_pending", "slow_down")
    device_code(client, show=lambda address, code: None)
    assert hours == [5, 10, 10, 15]


def test_without_an_interval_it_is_five_seconds(client, requests_mock, hours):
    polling(requests_mock, started={k: v for k, v in STARTED.items() if k not in {"interval", "expires_in"}})
    device_code(client, show=lambda address, code: None)
    assert hours == [5]


def test_the_address_that_holds_the_code_is_shown_where_there_is_one(client, requests_mock, hours):
    whole = f"{HOST}/activate?user_code=WDJB-MJHT"
    polling(requests_mock, started={**STARTED, "verification_uri_complete": whole})
    shown = []
    device_code(client, show=lambda *args: shown.append(args))
    assert shown == [(whole, "WDJB-MJHT")]


def test_an_endpoint_that_is_away_for_a_moment_is_asked_again_more_slowly(client, requests_mock, hours):
    requests_mock.post(f"{HOST}/device", json=STARTED)
    requests_mock.post(
        f"{HOST}/token", [{"exc": requests.exceptions.ReadTimeout}, {"status_code": 502}, {"json": REPLY}]
    )
    device_code(client, show=lambda address, code: None)
    assert hours == [5, 10, 20]


@pytest.mark.parametrize("error", ["access_denied", "expired_token", "invalid_grant"])
def test_a_denial_ends_the_polling(client, requests_mock, hours, error):
    token = polling(requests_mock, "authorization_pending", error)
    with pytest.raises(Unauthorized) as raised:
        device_code(client, show=lambda address, code: None)
    assert str(raised.value) == f"crm: logging in -> 400 {error}. Log in again."
    assert token.call_count == 2


def test_a_code_that_nobody_types_runs_out(client, requests_mock, hours):
    token = polling(requests_mock, last={"status_code": 400, "json": {"error": "authorization_pending"}})
    with pytest.raises(Unauthorized, match="nobody typed the code in time"):
        device_code(client, show=lambda address, code: None)
    assert sum(hours) == 60
    assert token.call_count == 12


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status_code": 400, "json": {"error": "unauthorized_client"}}, "400 unauthorized_client"),
        ({"json": {"user_code": "X"}}, "without a device code"),
        ({"status_code": 404, "text": "<html>"}, "404 and no token"),
    ],
)
def test_a_device_endpoint_that_does_not_start_is_told(run, requests_mock, answer, said):
    requests_mock.post(f"{HOST}/device", **answer)
    ran = run("login", "crm", "--device")
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert said in ran.err


# Settings alone, and what cannot be


def test_a_refresh_token_in_the_settings_is_enough(run, token, watched, monkeypatch):
    monkeypatch.setenv("CRM_REFRESH_TOKEN", "refresh-0")
    ran = run("login", "crm")
    assert ran.out == "crm is logged in to CRM with its refresh token. Try: antiphon check crm\n"
    assert forms(token)[0]["refresh_token"] == "refresh-0"
    assert stored().access_token == "access-1"
    run("login", "crm")
    assert forms(token)[1]["refresh_token"] == "refresh-1"  # the first one may be dead by now


def test_a_refresh_token_that_is_dead_leads_to_the_page(run, requests_mock, token, monkeypatch):
    monkeypatch.setenv("CRM_REFRESH_TOKEN", "refresh-0")
    dead = {"status_code": 400, "json": {"error": "invalid_grant"}}
    requests_mock.post(f"{HOST}/token", [dead, {"json": REPLY}])
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    ran = run("login", "crm")
    assert ran.code == 0
    assert "The refresh token is not accepted any more (invalid_grant)." in ran.err
    assert stored().refresh_token == "refresh-1"


def test_client_credentials_are_enough_where_nobody_can_log_in(run, token, watched, crm):
    crm(OAuth2(f"{HOST}/token", grant={"grant_type": "client_credentials"}))
    assert run("login", "crm").out == "crm is logged in to CRM with its client secret. Try: antiphon check crm\n"
    assert forms(token)[0]["grant_type"] == "client_credentials"


def test_an_apps_secret_does_not_keep_its_users_from_logging_in(run, token, crm, monkeypatch):
    crm(replace(AUTH, grant={"grant_type": "client_credentials"}))
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    run("login", "crm")
    assert forms(token)[0]["grant_type"] == "authorization_code"


def test_a_private_key_is_enough(run, token, watched, crm, monkeypatch):
    from joserfc import jwk  # noqa: PLC0415

    crm(replace(AUTH, assertion=Jwt(claims={"sub": "{username}"})))
    monkeypatch.setenv("CRM_PRIVATE_KEY", jwk.generate_key("RSA", 2048).as_pem(private=True).decode())
    ran = run("login", "crm", "--set", "username=ada")
    assert ran.out == "crm is logged in to CRM with its private key. Try: antiphon check crm\n"
    assert "assertion" in forms(token)[0]


@pytest.mark.parametrize(
    ("auth", "variables", "options", "said"),
    [
        (Bearer(), {}, [], "crm: there is no log-in for CRM. Set access_token."),
        ((Bearer(), AUTH), {"CRM_ACCESS_TOKEN": "mine"}, [], "Leave access_token out."),
        ((Bearer(), AUTH), {"CRM_CLIENT_ID": ""}, [], "the setting client_id is missing. Give it in the config"),
        (OAuth2(f"{HOST}/token"), {}, [], "crm: CRM has no page to log in on"),
        (replace(AUTH, authorize_url=""), {}, ["--no-browser"], "has no page to log in on. Use --device."),
        (replace(AUTH, device_url=""), {}, ["--device"], "has no log-in by device code. Leave --device out."),
        (AUTH, {}, ["--set", "nonsense=1"], 'crm: there is no setting "nonsense"'),
    ],
)
def test_what_cannot_be_is_told_in_one_line(run, crm, monkeypatch, auth, variables, options, said):
    crm(auth)
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    ran = run("login", "crm", *options)
    assert ran.code == 1
    assert ran.err.count("\n") == 1
    assert said in ran.err
    assert "mine" not in ran.err


@pytest.mark.parametrize(
    "options",
    [["--device", "--paste"], ["--device", "--port", "80"], ["--redirect-uri", "https://x"], ["--port", "0"]],
)
def test_options_that_do_not_go_together_are_wrong_usage(run, options):
    assert run("login", "crm", *options).code == 2


def test_without_the_library_the_command_to_get_it_is_told(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "authlib.integrations.requests_client", None)
    ran = run("login", "crm")
    assert ran.code == 1
    assert ran.err.endswith('Run: pip install "antiphon[oauth]"\n')
    assert ran.err.count("\n") == 1


def test_logout_removes_the_token_and_says_so(run, token, monkeypatch, watched):
    show = browser(YES)
    monkeypatch.setattr("antiphon.cli.login._show_page", lambda address, browser: show(address))
    run("login", "crm")
    assert run("logout", "crm").out == "The token of crm is removed from this machine.\n"
    assert [path.name for path in Path("state/antiphon/crm").iterdir()] == ["token.json.lock"]
    assert run("logout", "crm").out == "There was no token of crm.\n"


# OAuth 1, and log-ins by steps

BACK = "http://127.0.0.1/callback"
SIGNED = OAuth1(
    "{client_id}",
    "{client_secret}",
    request_url=f"{HOST}/request",
    authorize_url=f"{HOST}/authorize?lang=en",
    access_url=f"{HOST}/access",
)


@pytest.fixture
def legs(requests_mock, token):
    """Have a provider that gives a request token, and a user's token for its verifier."""
    requests_mock.post(
        f"{HOST}/request", text="oauth_token=asking&oauth_token_secret=s-1&oauth_callback_confirmed=true"
    )
    requests_mock.post(f"{HOST}/access", text="oauth_token=of-the-user&oauth_token_secret=s-2")
    return requests_mock


def test_a_user_logs_in_on_three_legs(run, crm, legs, monkeypatch):
    crm(All((ApiKey("x", header="X-Tenant"), SIGNED)))
    legs.get("https://api.example.org/me", json={})
    shown = pasting(monkeypatch, f"{BACK}?oauth_token=asking&oauth_verifier=yes-1")
    ran = run("login", "crm", "--paste")
    assert ran.code == 0, ran.err
    assert shown == [f"{HOST}/authorize?lang=en&oauth_token=asking"]
    asked, traded = (sent.headers["Authorization"] for sent in legs.request_history)
    assert 'oauth_callback="http%3A%2F%2F127.0.0.1%2Fcallback"' in asked
    assert 'oauth_token="asking"' in traded
    assert 'oauth_verifier="yes-1"' in traded
    assert run("check", "crm").code == 0
    assert 'oauth_token="of-the-user"' in legs.last_request.headers["Authorization"]
    run("logout", "crm")
    assert "Run: antiphon login crm" in run("check", "crm").err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("oauth_token=another&oauth_verifier=yes-1", "this is no answer to what was asked (another oauth_token)"),
        ("oauth_token=asking", "the answer holds no verifier"),
        ("denied=asking", "this is no answer to what was asked"),
    ],
)
def test_another_answer_than_a_yes_on_three_legs_is_refused(run, crm, legs, monkeypatch, answer, said):
    crm(SIGNED)
    pasting(monkeypatch, f"{BACK}?{answer}")
    ran = run("login", "crm", "--paste")
    assert ran.code == 1
    assert f"crm: logging in -> {said}" in ran.err
    assert legs.call_count == 1
    assert stored() is None


def test_a_provider_that_gives_no_request_token_names_the_apps_settings(run, crm, legs):
    crm(SIGNED)
    legs.post(f"{HOST}/request", status_code=401, text=f"oauth_problem=consumer_key_unknown&secret={SECRET}")
    ran = run("login", "crm", "--paste")
    assert (
        ran.err
        == "antiphon: crm: logging in -> 401 consumer_key_unknown. Check the settings client_id and client_secret.\n"
    )


def test_a_token_in_the_settings_comes_before_one_of_three_legs(run, crm, monkeypatch):
    crm(SIGNED)
    monkeypatch.setenv("CRM_TOKEN", "mine")
    assert "the setting token comes before any log-in. Leave token out." in run("login", "crm").err


def test_a_session_is_begun_and_ended_by_the_commands(run, crm, token, requests_mock, monkeypatch):
    step = Step(
        f"{HOST}/token", body={"user": "{username}", "password": "{password}"}, take={"session": "access_token"}
    )
    end = Step(f"{HOST}/end", "DELETE", headers={"X-Session": "{session}"})
    crm(Login((step,), {"X-Session": "{session}"}, logout=end))
    assert "the setting password is missing" in run("login", "crm", "--set", "username=ada").err
    monkeypatch.setenv("CRM_PASSWORD", "pass:word")
    ran = run("login", "crm", "--set", "username=ada")
    assert json.loads(ran.out)["logged_in"]
    assert token.last_request.json() == {"user": "ada", "password": "pass:word"}
    ended = requests_mock.delete(f"{HOST}/end", status_code=204)
    assert json.loads(run("logout", "crm", "--set", "username=ada").out)["removed"]
    assert ended.last_request.headers["X-Session"] == "access-1"
    assert stored() is None
