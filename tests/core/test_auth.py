import base64
import json
from dataclasses import dataclass, field

import pytest

from antiphon.api import Auth, Read, Request, Setting
from antiphon.auth import KINDS, All, ApiKey, Basic, Bearer
from antiphon.client import Client
from antiphon.errors import DescriptionError, Unauthorized
from antiphon.http import Http
from antiphon.paging import LinkHeader, NextUrl

from .tiny import URL, a_client, an_api, people

KEYS = tuple(Setting(name, secret=True) for name in ("access_token", "api_key", "username", "password"))


def signed(auth, **settings):
    request = Request("GET", URL)
    auth.sign(request, Http("zoo", URL, settings=settings))
    return request


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        (Bearer(), "Bearer abc"),
        (Bearer(scheme="Token"), "Token abc"),
        (Bearer(scheme=""), "abc"),
        (Bearer("{access_token}.{account}", scheme="JWT"), "JWT abc.7"),
        (ApiKey("key={access_token}", header="Authorization"), "key=abc"),
    ],
)
def test_a_token_stands_in_the_authorization_header_after_its_scheme_word(auth, header):
    assert signed(auth, access_token="abc", account=7).headers == {"Authorization": header}


def test_a_key_stands_in_the_header_or_in_the_query():
    in_header, in_query = signed(ApiKey(header="X-Api-Key"), api_key="k"), signed(ApiKey(query="key"), api_key="k")
    assert (in_header.headers, in_header.params) == ({"X-Api-Key": "k"}, {})
    assert (in_query.headers, in_query.params) == ({}, {"key": "k"})


def signed_body(auth, kind, body, method="POST"):
    request = Request(method, URL, headers={"content-type": kind} if kind else {}, body=body)
    auth.sign(request, Http("zoo", URL, settings={"api_key": "k&y"}))
    return request


def test_a_key_joins_the_cookies_there_are_and_replaces_its_own():
    request = Request("GET", URL, headers={"cookie": "theme=dark; sid=old; lang=pl"})
    ApiKey(cookie="sid").sign(request, Http("zoo", URL, settings={"api_key": "k"}))
    assert request.headers == {"Cookie": "theme=dark; lang=pl; sid=k"}


@pytest.mark.parametrize(
    ("kind", "body", "field", "sent"),
    [
        ("application/json", b'{"id":1.10}', "auth.key", b'{"id":1.10,"auth":{"key":"k&y"}}'),
        ("application/json; charset=utf-8", b'{"key":"old"}', "key", b'{"key":"k&y"}'),
        ("", None, "key", b'{"key":"k&y"}'),
        ("application/x-www-form-urlencoded", b"a=1", "key", b"a=1&key=k%26y"),
        ("application/x-www-form-urlencoded; charset=utf-8", None, "key", b"key=k%26y"),
    ],
)
def test_a_key_in_the_body_joins_its_fields(kind, body, field, sent):
    assert signed_body(ApiKey(body=field), kind, body).body == sent


@pytest.mark.parametrize(
    ("kind", "body", "method"),
    [("application/json", b"[1]", "POST"), ("text/csv", b"a,b", "POST"), ("", None, "GET")],
)
def test_a_key_that_has_no_body_to_stand_in_is_the_descriptions_mistake(kind, body, method):
    with pytest.raises(DescriptionError, match="and this request has none"):
        signed_body(ApiKey(body="key"), kind, body, method)


@pytest.mark.parametrize("places", [{}, {"header": "X-Key", "query": "key"}])
def test_a_key_stands_in_one_place(places):
    with pytest.raises(DescriptionError, match="name one place for the key"):
        ApiKey(**places)


def test_several_kinds_sign_one_request():
    both = All((ApiKey(header="X-Key"), Bearer()))
    assert both.needs() == ("access_token", "api_key")
    assert signed(both, api_key="k", access_token="t").headers == {"X-Key": "k", "Authorization": "Bearer t"}


def test_of_several_kinds_each_is_renewed_that_can_be(session, adapter):
    adapter.register_uri("GET", "/x", [{"status_code": 401}, {"json": {}}])
    auth = All((Expiring(), ApiKey(header="X-Key")))
    Client(an_api(settings=KEYS, auth=auth), {"api_key": "k"}, session=session).call("GET", "/x")
    assert adapter.last_request.headers["Authorization"] == "Bearer new"
    assert adapter.last_request.headers["X-Key"] == "k"


def test_what_a_request_was_signed_with_is_not_shown_when_the_api_says_it(session, adapter):
    said = {"message": "no such key k&y, k%26y or k%26Y; nor dTpw"}
    adapter.register_uri("GET", "/x", status_code=403, json=said)
    for auth in (ApiKey(query="q"), All((ApiKey(query="q"), Basic()))):
        client = Client(
            an_api(auth=auth, settings=()), {"api_key": "k&y", "username": "u", "password": "p"}, session=session
        )
        with pytest.raises(Exception, match="403 no such key") as raised:
            client.call("GET", "/x")
        assert "k&y" not in str(raised.value)
        assert "k%26y" not in str(raised.value)
    assert "dTpw" not in str(raised.value)


def test_every_kind_says_what_it_is():
    for word, kind in KINDS.items():
        assert word.islower()
        assert kind.__doc__
        assert not kind.__doc__.startswith(f"{kind.__name__}("), "a dataclass's own words say nothing"


@pytest.mark.parametrize(
    ("given", "pair"),
    [
        ({"username": "żółw", "password": "pä:ss€"}, "żółw:pä:ss€"),
        ({"username": "ada", "password": ""}, "ada:"),
        ({"username": "ada"}, "ada:"),
        ({"username": "ada", "password": None}, "ada:"),
    ],
)
def test_user_and_password_are_utf_8(given, pair):
    scheme, _, encoded = signed(Basic(), **given).headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode("utf-8") == pair


def test_a_key_may_be_the_user_and_the_password_fixed():
    header = signed(Basic("{api_key}", "x"), api_key="k").headers["Authorization"]
    assert base64.b64decode(header.removeprefix("Basic ")) == b"k:x"
    assert Basic("{api_key}", "x").needs() == ("api_key",)


@pytest.mark.parametrize("auth", [Bearer(), ApiKey(header="X-Key"), ApiKey(query="key")])
def test_a_credential_that_is_not_there_is_never_sent_as_a_word(auth):
    request = signed(auth)
    assert "MISSING" not in json.dumps([request.headers, request.params])


@pytest.mark.parametrize(
    ("settings", "header", "value"),
    [
        ({"access_token": "t"}, "Authorization", "Bearer t"),
        ({"api_key": "k"}, "X-Key", "k"),
        ({"username": "u", "password": "p"}, "Authorization", "Basic dTpw"),
        ({"api_key": "k", "access_token": "t"}, "Authorization", "Bearer t"),
        ({"username": "u", "api_key": "k"}, "X-Key", "k"),
    ],
)
def test_the_first_way_to_sign_is_taken_whose_settings_are_all_there(session, adapter, settings, header, value):
    api = an_api(people(), settings=KEYS, auth=(Bearer(), ApiKey(header="X-Key"), Basic()))
    adapter.register_uri("GET", "/x", json={})
    Client(api, settings, session=session).call("GET", "/x")
    assert adapter.last_request.headers[header] == value


def test_without_any_credential_the_error_names_the_setting(session, adapter):
    adapter.register_uri("GET", "/x", status_code=401)
    with pytest.raises(Unauthorized, match="Check the setting access_token"):
        Client(an_api(settings=KEYS, auth=(Bearer(), Basic())), {}, session=session).call("GET", "/x")


def test_netrc_never_replaces_a_credential(session, adapter, home, monkeypatch):
    netrc = home / ".netrc"
    netrc.write_text("machine api.example.org login stranger password stranger\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    adapter.register_uri("GET", "/x", json={})
    session.get(f"{URL}/x", headers={"Authorization": "Bearer mine"})
    assert adapter.last_request.headers["Authorization"].startswith("Basic ")  # that is what would happen
    a_client(session=session).call("GET", "/x")
    assert adapter.last_request.headers["Authorization"] == "Bearer t0k3n-of-mine"
    Client(an_api(settings=KEYS, auth=ApiKey(header="X-Key")), {"api_key": "k"}, session=session).call("GET", "/x")
    assert "Authorization" not in adapter.last_request.headers


@dataclass
class Expiring(Auth):
    """A token that can be had anew some times."""

    tokens: list = field(default_factory=lambda: ["old", "new"])

    def needs(self):
        return ()

    def prepare(self, http):
        pass

    def sign(self, request, http):
        request.headers["Authorization"] = f"Bearer {self.tokens[0]}"

    def refuses(self, reply):
        return False

    def renew(self, http, reply):
        self.tokens = self.tokens[1:] or self.tokens
        return True


def test_a_credential_that_has_run_out_is_renewed_once_and_the_request_sent_again(session, adapter):
    adapter.register_uri("POST", "/x", [{"status_code": 401}, {"json": {"id": 1}}])
    assert a_client(an_api(auth=Expiring()), session=session).call("POST", "/x", json={"a": 1}) == {"id": 1}
    assert [r.headers["Authorization"] for r in adapter.request_history] == ["Bearer old", "Bearer new"]
    assert [r.json() for r in adapter.request_history] == [{"a": 1}] * 2


def test_a_credential_that_is_not_accepted_when_renewed_is_an_error(session, adapter, waits):
    adapter.register_uri("GET", "/x", status_code=401)
    with pytest.raises(Unauthorized, match="Check the setting that holds the credential: it is not accepted"):
        a_client(an_api(auth=Expiring()), session=session).call("GET", "/x")
    assert adapter.call_count == 2
    assert not waits


def keyed(session, paging, api_key="k&y"):
    api = an_api(
        people(read=Read("/people", records="results", paging=paging)), settings=KEYS, auth=ApiKey(query="api_key")
    )
    return Client(api, {"api_key": api_key}, session=session)


@pytest.mark.parametrize(
    "following", ["/people?page=2", f"{URL}/people?page=2&api_key=k%26y", "/people?api_key=old&page=2"]
)
@pytest.mark.parametrize("kind", ["body", "header"])
def test_a_key_in_the_query_goes_with_every_page_once_and_never_into_the_cursor(session, adapter, following, kind):
    first = {"json": {"results": [{"id": 1}], "next": following}, "headers": {"Link": f'<{following}>; rel="next"'}}
    adapter.register_uri("GET", "/people", [first, {"json": {"results": [{"id": 2}]}}])
    client = keyed(session, NextUrl() if kind == "body" else LinkHeader())
    pages = list(client.read(client.resource("people")))
    assert [record["id"] for page in pages for record in page.records] == [1, 2]
    assert [r.qs for r in adapter.request_history] == [{"api_key": ["k&y"]}, {"api_key": ["k&y"], "page": ["2"]}]
    assert "api_key" not in json.dumps([page.cursor for page in pages])


def test_the_rest_of_a_next_url_is_used_as_it_came(session, adapter):
    following = f"{URL}/people?q=a%2Fb+c&api_key=zzz&empty=&flag&q=%C3%A9"
    adapter.register_uri("GET", "/people", [{"json": {"results": [], "next": following}}, {"json": {"results": []}}])
    client = keyed(session, NextUrl(), api_key="key")
    list(client.read(client.resource("people")))
    assert adapter.last_request.url == f"{URL}/people?q=a%2Fb+c&empty=&flag&q=%C3%A9&api_key=key"


@pytest.mark.parametrize("target", ["/persons", "/persons?api_key=k%26y", "/persons?api_key=other"])
def test_a_key_in_the_query_survives_a_redirect(session, adapter, target):
    adapter.register_uri("GET", "/people", status_code=302, headers={"Location": target})
    adapter.register_uri("GET", "/persons", json={"results": []})
    client = keyed(session, None)
    list(client.read(client.resource("people")))
    assert adapter.last_request.qs == {"api_key": ["k&y"]}


def test_a_proxy_from_the_settings_is_used_and_wins_over_the_environment(session, adapter, monkeypatch):
    adapter.register_uri("GET", "/x", json={})
    monkeypatch.setenv("HTTPS_PROXY", "http://env:3128")
    a_client(session=session).call("GET", "/x")
    assert adapter.last_request.proxies["https"] == "http://env:3128"
    a_client(session=session, proxy="http://mine:3128").call("GET", "/x")
    assert adapter.last_request.proxies["https"] == "http://mine:3128"


def test_the_ca_bundle_of_the_settings_wins_over_that_of_the_environment(session, adapter, monkeypatch, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    adapter.register_uri("GET", "/x", json={})
    a_client(session=session).call("GET", "/x")
    assert adapter.last_request.verify is True
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/env.pem")
    a_client(session=session).call("GET", "/x")
    assert adapter.last_request.verify == "/env.pem"
    a_client(session=session, ca_bundle=str(bundle)).call("GET", "/x")
    assert adapter.last_request.verify == str(bundle)


def test_a_request_tells_who_we_are(session, adapter):
    adapter.register_uri("GET", "/x", json={})
    a_client(session=session).call("GET", "/x")
    assert adapter.last_request.headers["User-Agent"].startswith("antiphon/")
    a_client(session=session, user_agent="mine/1").call("GET", "/x")
    assert adapter.last_request.headers["User-Agent"] == "mine/1"
