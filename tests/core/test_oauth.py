"""OAuth 2 without anybody's doing: tokens got with what the settings hold, renewed once, shared by processes."""

import base64
import json
import logging
import multiprocessing
import socket
import ssl
import sys
import threading
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from urllib.parse import parse_qs

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk, jwt

from antiphon.api import Api, Read, Resource, Setting
from antiphon.auth import Jwt, OAuth2
from antiphon.client import Client
from antiphon.errors import DescriptionError, SettingError, Storage, Unauthorized, Unavailable
from antiphon.tokens import Token, TokenStore

from .tiny import PEOPLE

URL = "https://api.example.org"
TOKEN_URL = "https://login.example.net/token"
NOW = 1_800_000_000.0
SECRET = "s+cr/e%t &=é"
ID = {"client_id": "the client"}
REFRESH = {**ID, "refresh_token": "refresh-0"}
CREDENTIALS = {"grant_type": "client_credentials"}
AUTH = OAuth2("{login_url}/token", authorize_url="{login_url}/authorize")


@pytest.fixture(scope="module")
def key():
    return jwk.generate_key("RSA", 2048)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time, which the tests move."""
    told = [NOW]
    monkeypatch.setattr(time, "time", lambda: told[0])
    return told


def an_api(auth=AUTH):
    words = ("client_id", "client_secret", "refresh_token", "private_key", "username", "password", "badge")
    return Api(
        "crm",
        "CRM",
        URL,
        auth=auth,
        settings=(
            Setting("login_url", "Login URL", default="https://login.example.net"),
            *(Setting(word, word, secret=word not in {"client_id", "username"}) for word in words),
        ),
        resources=(Resource("people", PEOPLE, read=Read("/people", records="results")),),
    )


@pytest.fixture
def connected(session, tmp_path):
    """Give a client with settings; clients with the same *folder* share their tokens."""

    def connected(auth=AUTH, folder="crm", **settings):
        return Client(an_api(auth), settings, session=session, folder=tmp_path / folder, connection="crm")

    return connected


@pytest.fixture
def endpoint(adapter):
    """Have the token endpoint answer with each of some replies, the last again and again; the API takes any token."""

    def endpoint(*replies, url=TOKEN_URL):
        adapter.register_uri("GET", f"{URL}/people", json={"results": []})
        return adapter.register_uri("POST", url, [r if {"json", "text"} & r.keys() else {"json": r} for r in replies])

    return endpoint


@pytest.fixture
def stored(tmp_path):
    """Give what is stored."""
    return lambda folder="crm": TokenStore(tmp_path / folder).load()


def read(client):
    return [record for page in client.read(client.resource("people")) for record in page.records]


def forms(matcher):
    """Return the forms that the token endpoint was sent."""
    return [{k: v[0] for k, v in parse_qs(r.text or "", strict_parsing=True).items()} for r in matcher.request_history]


def tokens_used(adapter):
    return [r.headers["Authorization"] for r in adapter.request_history if r.url.startswith(URL)]


# Which grant, and how it is asked for


def test_a_refresh_token_gets_a_token_that_is_sent_with_every_request(connected, endpoint, adapter, stored):
    token = endpoint({"access_token": "access-1", "expires_in": 3600})
    client = connected(**REFRESH)
    read(client)
    read(client)
    assert forms(token) == [{"grant_type": "refresh_token", "refresh_token": "refresh-0", "client_id": "the client"}]
    assert tokens_used(adapter) == ["Bearer access-1"] * 2
    assert stored().expires_at == NOW + 3600


def test_the_client_secret_goes_into_the_body_as_it_is(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    read(connected(**REFRESH, client_secret=SECRET))
    assert forms(token)[0]["client_secret"] == SECRET
    assert "Authorization" not in token.last_request.headers


def test_basic_form_encodes_name_and_secret_first(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    read(connected(replace(AUTH, client_auth="client_secret_basic"), **REFRESH, client_secret=SECRET))
    kind, _, pair = token.last_request.headers["Authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(pair) == b"the+client:s%2Bcr%2Fe%25t+%26%3D%C3%A9"
    assert forms(token) == [{"grant_type": "refresh_token", "refresh_token": "refresh-0"}]


def test_a_client_may_sign_who_it_is(connected, endpoint, key):
    token = endpoint({"access_token": "access-1"})
    auth = replace(AUTH, client_auth="private_key_jwt", client_assertion=Jwt(headers={"kid": "k"}), grant=CREDENTIALS)
    assert auth.heeds() == ("private_key",)
    client = connected(auth, **ID, private_key=key.as_pem(private=True).decode(), client_secret=SECRET)
    read(client)
    [form] = forms(token)
    shown = jwt.decode(form.pop("client_assertion"), key)
    assert form == {
        **CREDENTIALS,
        "client_id": "the client",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert {name: shown.header[name] for name in ("alg", "kid")} == {"alg": "RS256", "kid": "k"}
    claims = shown.claims
    assert claims.pop("jti")
    assert claims == {
        "iss": "the client",
        "sub": "the client",
        "aud": TOKEN_URL,
        "iat": int(NOW),
        "exp": int(NOW) + 180,
    }


def test_what_a_client_signs_is_another_each_time_and_never_shown(connected, endpoint, key):
    def echoing(request, context):
        context.status_code = 401
        said = parse_qs(request.text)["client_assertion"][0]
        return {"error": "invalid_client", "error_description": f"no client for {said}"}

    token = endpoint({"json": echoing})
    auth = replace(AUTH, client_auth="private_key_jwt", grant=CREDENTIALS)
    client = connected(auth, **ID, private_key=key.as_pem(private=True).decode())
    for _ in range(2):
        with pytest.raises(Unauthorized) as raised:
            read(client)
        assert str(raised.value).endswith("no client for ***. Check the settings client_id and private_key.")
    first, second = (form["client_assertion"] for form in forms(token))
    assert first != second


def test_a_client_secret_may_sign_too(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    signing = Jwt(key="{client_secret}", algorithm="HS256", claims={"aud": "https://issuer.example.net"})
    auth = replace(AUTH, client_auth="private_key_jwt", client_assertion=signing)
    read(connected(auth, **REFRESH, client_secret="a secret of more than 32 letters, signing"))
    [form] = forms(token)
    secret = jwk.import_key(b"a secret of more than 32 letters, signing", "oct")
    assert jwt.decode(form["client_assertion"], secret).claims["aud"] == "https://issuer.example.net"
    assert "client_secret" not in form


def test_without_its_key_a_client_that_signs_says_which_setting_is_missing(connected, endpoint):
    endpoint({"access_token": "access-1"})
    with pytest.raises(SettingError, match="the setting private_key is missing"):
        read(connected(replace(AUTH, client_auth="private_key_jwt"), **REFRESH))


@pytest.mark.parametrize("way", ["client_secret_post", "client_secret_basic", "none"])
def test_a_token_may_be_asked_for_in_json(connected, endpoint, way):
    token = endpoint({"access_token": "access-1"})
    read(connected(replace(AUTH, encoding="json", client_auth=way), **REFRESH, client_secret=SECRET))
    assert token.last_request.headers["Content-Type"] == "application/json"
    named = {"client_id": "the client", "client_secret": SECRET}
    shown = {"client_secret_post": named, "client_secret_basic": {}, "none": {"client_id": "the client"}}[way]
    assert token.last_request.json() == {"grant_type": "refresh_token", "refresh_token": "refresh-0", **shown}
    assert ("Authorization" in token.last_request.headers) == (way == "client_secret_basic")


def test_netrc_does_not_replace_how_the_client_names_itself(connected, endpoint, home):
    (home / ".netrc").write_text("machine login.example.net login netrc password netrc\n")
    token = endpoint({"access_token": "access-1"})
    read(connected(**REFRESH))
    assert "Authorization" not in token.last_request.headers


def test_a_refresh_token_of_any_letters_arrives_as_it_is(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    read(connected(**{**REFRESH, "refresh_token": SECRET}))
    assert forms(token)[0]["refresh_token"] == SECRET


def test_client_credentials_are_asked_for_again_when_the_token_ends(connected, endpoint, clock, stored):
    reply = {"access_token": "access-1", "expires_in": 3600, "refresh_token": "not-to-be-used"}
    token = endpoint(reply)
    auth = replace(AUTH, grant=CREDENTIALS, scope="read write")
    client = connected(auth, **ID, client_secret=SECRET)
    read(client)
    clock[0] += 3600
    read(client)
    asked = {"grant_type": "client_credentials", "client_id": "the client", "client_secret": SECRET}
    assert forms(token) == [asked] * 2
    assert not stored().refresh_token


def test_client_credentials_name_their_scope_where_the_description_says_so(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    auth = replace(AUTH, grant={**CREDENTIALS, "scope": "read write"})
    read(connected(auth, **ID, client_secret=SECRET))
    assert forms(token)[0]["scope"] == "read write"


def test_a_refresh_token_goes_before_client_credentials(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    read(connected(replace(AUTH, grant=CREDENTIALS), **REFRESH, client_secret=SECRET))
    assert forms(token)[0]["grant_type"] == "refresh_token"


PASSWORD = {"grant_type": "password", "username": "{username}", "password": "{password}"}
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token": "{badge}",
    "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
    "audience": "https://api.example.org",
}


@pytest.mark.parametrize(
    ("grant", "given", "asked"),
    [
        (PASSWORD, {"username": "ada", "password": "pä s&"}, {"username": "ada", "password": "pä s&"}),
        (EXCHANGE, {"badge": "badge-of-ada"}, {"subject_token": "badge-of-ada"}),
    ],
    ids=["password", "token exchange"],
)
def test_a_token_is_got_by_the_grant_that_is_declared(connected, endpoint, adapter, grant, given, asked):
    token = endpoint({"access_token": "access-1", "issued_token_type": "jwt", "refresh_token": "not-to-be-used"})
    read(connected(OAuth2(TOKEN_URL, grant=grant), **ID, **given))
    assert forms(token) == [{**grant, **asked, **ID}]
    assert tokens_used(adapter) == ["Bearer access-1"]


@pytest.mark.parametrize(
    ("grant", "given"), [(PASSWORD, {"username": "ada", "password": "p"}), (EXCHANGE, {"badge": "a"})]
)
def test_what_a_grant_gave_to_one_is_not_anothers(connected, endpoint, grant, given):
    token = endpoint({"access_token": "access-1"}, {"access_token": "access-2"})
    auth = OAuth2(TOKEN_URL, grant=grant)
    for who in (given, given, {**given, next(iter(given)): "bob"}):
        read(connected(auth, **ID, **who))
    assert token.call_count == 2


def test_a_grant_that_is_refused_names_its_settings_and_shows_no_password(connected, endpoint):
    words = "no user ada with pass:word"
    endpoint({"json": {"error": "invalid_grant", "error_description": words}, "status_code": 400})
    with pytest.raises(Unauthorized) as raised:
        read(connected(OAuth2(TOKEN_URL, grant=PASSWORD), **ID, username="ada", password="pass:word"))
    assert str(raised.value).endswith("no user *** with ***. Check the settings client_id and password and username.")


def test_without_its_settings_a_grant_is_not_tried_and_they_are_named(connected, endpoint):
    token = endpoint({"access_token": "access-1"})
    with pytest.raises(Unauthorized, match=r"no setting holds a credential\. Set password and username\.$"):
        read(connected(OAuth2(TOKEN_URL, grant=PASSWORD), **ID, username="ada"))
    assert not token.called


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"grant": {"scope": "all"}}, "no grant_type")],
)
def test_a_description_of_oauth_2_is_whole(wrong, said):
    with pytest.raises(DescriptionError, match=said):
        OAuth2(TOKEN_URL, **wrong)


ASSERTING = replace(AUTH, assertion=Jwt(claims={"iss": "{client_id}", "sub": "{username}", "aud": "{login_url}"}))


@pytest.mark.parametrize("newlines", [lambda pem: pem, lambda pem: pem.replace("\n", "\\n")])
def test_the_assertion_holds_the_claims_and_is_signed_with_the_key(connected, endpoint, key, newlines):
    token = endpoint({"access_token": "access-1"})
    pem = newlines(key.as_pem(private=True).decode())
    client = connected(ASSERTING, **ID, username="ada@example.org", private_key=pem)
    read(client)
    [form] = forms(token)
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    found = jwt.decode(form["assertion"], jwk.import_key(key.as_dict(private=False)), algorithms=["RS256"])
    assert found.header["alg"] == "RS256"
    assert found.claims.pop("jti")
    assert found.claims == {
        "iss": "the client",
        "sub": "ada@example.org",
        "aud": "https://login.example.net",
        "iat": NOW,
        "exp": NOW + 180,
    }


def test_no_two_assertions_have_one_id_and_nothing_is_kept_but_the_token(connected, endpoint, key, clock, stored):
    token = endpoint({"access_token": "access-1", "expires_in": 10, "refresh_token": "not-to-be-used"})
    client = connected(ASSERTING, **ID, username="ada", private_key=key.as_pem(private=True).decode())
    read(client)
    clock[0] += 10
    read(client)
    ids = [jwt.decode(form["assertion"], key).claims["jti"] for form in forms(token)]
    assert len(set(ids)) == 2
    assert not stored().refresh_token


@pytest.mark.parametrize(
    "pem",
    [
        "nonsense",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "/home/ada/key.pem",
        jwk.generate_key("RSA", 2048).as_pem(private=False).decode(),
        jwk.generate_key("EC", "P-256").as_pem(private=True).decode(),
        jwk.generate_key("RSA", 2048).as_pem(private=True, password="pass").decode(),
    ],
    ids=["nonsense", "empty", "a file's name", "public", "another kind", "with a password"],
)
def test_a_key_that_is_none_is_named_in_one_line_and_not_shown(connected, endpoint, pem):
    token = endpoint({"access_token": "access-1"})
    with pytest.raises(SettingError) as raised:
        read(connected(ASSERTING, **ID, username="ada", private_key=pem))
    assert "the setting private_key is no private key in PEM form for RS256" in str(raised.value)
    assert pem.strip().splitlines()[0] not in str(raised.value)
    assert not token.called


def test_a_claim_without_its_setting_is_named(connected, endpoint, key):
    endpoint({"access_token": "access-1"})
    with pytest.raises(SettingError, match="the setting username is missing"):
        read(connected(ASSERTING, **ID, private_key=key.as_pem(private=True).decode()))


def test_another_user_in_the_settings_does_not_get_the_stored_token(connected, endpoint, key, adapter):
    token = endpoint({"access_token": "adas"}, {"access_token": "bobs"})
    pem = key.as_pem(private=True).decode()
    for user in ("ada", "bob", "bob"):
        read(connected(ASSERTING, **ID, username=user, private_key=pem))
    assert tokens_used(adapter) == ["Bearer adas", "Bearer bobs", "Bearer bobs"]
    assert token.call_count == 2


# Refresh and rotation


def test_a_rotated_refresh_token_is_the_next_one_sent(connected, endpoint, clock, stored):
    token = endpoint(*({"access_token": f"a-{n}", "refresh_token": f"r-{n}", "expires_in": 60} for n in (1, 2)))
    client = connected(**REFRESH)
    read(client)
    clock[0] += 60
    read(connected(**REFRESH))
    assert [form["refresh_token"] for form in forms(token)] == ["refresh-0", "r-1"]
    assert stored().refresh_token == "r-2"


def test_a_rotated_refresh_token_is_on_the_disk_before_the_access_token_is_used(connected, endpoint, adapter, stored):
    endpoint({"access_token": "a-1", "refresh_token": "r-1"})
    seen = []
    adapter.register_uri("GET", f"{URL}/people", json=lambda *_: seen.append(stored().refresh_token) or {"results": []})
    read(connected(**REFRESH))
    assert seen == ["r-1"]


@pytest.mark.parametrize("reply", [{}, {"refresh_token": None}, {"refresh_token": ""}])
def test_a_reply_without_a_refresh_token_keeps_the_old(connected, endpoint, clock, stored, reply):
    first = {"access_token": "a-1", "refresh_token": "r-1", "expires_in": 60}
    token = endpoint(first, {"access_token": "a-2", "expires_in": 60, **reply})
    client = connected(**REFRESH)
    read(client)
    for _ in range(2):
        clock[0] += 60
        read(client)
    assert [form["refresh_token"] for form in forms(token)] == ["refresh-0", "r-1", "r-1"]
    assert stored().refresh_token == "r-1"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(3600, 3600), ("3600", 3600), (3600.5, 3600.5), (None, 0), ("soon", 0), (-1, 0), (0, 0), ("NaN", 0), ([], 0)],
)
def test_the_life_of_a_token_is_taken_as_far_as_it_is_told(connected, endpoint, stored, said, seconds):
    endpoint({"access_token": "a-1", "expires_in": said})
    read(connected(**REFRESH))
    assert stored().expires_at == (NOW + seconds if seconds else 0)


def test_a_life_that_is_not_told_is_the_descriptions(connected, endpoint, stored):
    endpoint({"access_token": "a-1"})
    read(connected(replace(AUTH, lifetime=900), **REFRESH))
    assert stored().expires_at == NOW + 900


@pytest.mark.parametrize(("life", "safe_until"), [(3600, 3539), (100, 79), (5, 3.9)])
def test_a_token_is_renewed_shortly_before_its_end(connected, endpoint, clock, adapter, life, safe_until):
    endpoint(*({"access_token": f"a-{n}", "expires_in": life} for n in (1, 2)))
    client = connected(**REFRESH)
    read(client)
    clock[0] = NOW + safe_until
    read(client)
    clock[0] = NOW + safe_until + 2
    read(client)
    assert tokens_used(adapter) == ["Bearer a-1", "Bearer a-1", "Bearer a-2"]


def test_a_token_that_is_not_accepted_is_renewed_once(connected, endpoint, adapter, waits):
    token = endpoint({"access_token": "a-1"}, {"access_token": "a-2"})
    adapter.register_uri("GET", f"{URL}/people", [{"status_code": 401}, {"json": {"results": []}}])
    read(connected(**REFRESH))
    assert tokens_used(adapter) == ["Bearer a-1", "Bearer a-2"]
    assert token.call_count == 2
    assert not waits


def test_a_renewed_token_that_is_not_accepted_either_is_an_error(connected, endpoint, adapter):
    token = endpoint({"access_token": "a-1"}, {"access_token": "a-2"}, {"access_token": "a-3"})
    adapter.register_uri("GET", f"{URL}/people", status_code=401)
    with pytest.raises(Unauthorized, match="crm: reading people -> 401"):
        read(connected(**REFRESH))
    assert tokens_used(adapter) == ["Bearer a-1", "Bearer a-2"]
    assert token.call_count == 2


def test_a_token_that_another_process_has_renewed_is_used(connected, endpoint, adapter):
    token = endpoint(*({"access_token": f"a-{n}"} for n in (1, 2, 3)))
    adapter.register_uri(
        "GET",
        f"{URL}/people",
        json=lambda request, context: (
            setattr(context, "status_code", 401 if request.headers["Authorization"] == "Bearer a-1" else 200)
            or {"results": []}
        ),
    )
    one, other = connected(**REFRESH), connected(**REFRESH)
    one.http.auth.prepare(one.http)
    other.http.auth.prepare(other.http)
    read(one)
    read(other)
    assert token.call_count == 2
    assert tokens_used(adapter) == ["Bearer a-1", "Bearer a-2", "Bearer a-1", "Bearer a-2"]


def test_another_refresh_token_in_the_settings_drops_what_is_stored(connected, endpoint, adapter, stored):
    token = endpoint({"access_token": "a-1", "refresh_token": "r-1"}, {"access_token": "b-1", "refresh_token": "s-1"})
    read(connected(**REFRESH))
    read(connected(**{**REFRESH, "refresh_token": "another"}))
    assert [form["refresh_token"] for form in forms(token)] == ["refresh-0", "another"]
    assert stored().refresh_token == "s-1"


def test_one_whose_settings_hold_no_refresh_token_shares_what_came_of_it(connected, endpoint, clock, adapter):
    token = endpoint(*({"access_token": f"a-{n}", "refresh_token": f"r-{n}", "expires_in": 60} for n in (1, 2, 3)))
    read(connected(**REFRESH))
    clock[0] += 60
    read(connected(**ID))
    clock[0] += 60
    read(connected(**REFRESH))
    assert [form["refresh_token"] for form in forms(token)] == ["refresh-0", "r-1", "r-2"]


def test_a_token_that_belongs_to_another_client_is_not_sent(connected, endpoint, adapter):
    endpoint({"access_token": "a-1", "refresh_token": "r-1"})
    read(connected(**REFRESH))
    with pytest.raises(Unauthorized, match="nobody has logged in yet"):
        read(connected(client_id="another"))


# Where the API is


BASED = replace(AUTH, base="instance_url")
MOVED = {"access_token": "a-1", "instance_url": "https://eu7.example.org/"}


def test_the_base_url_comes_from_the_reply_and_is_kept(connected, endpoint, adapter, stored):
    token = endpoint(MOVED)
    adapter.register_uri("GET", "https://eu7.example.org/people", json={"results": [{"id": 7}]})
    for _ in range(2):
        assert [record["id"] for record in read(connected(BASED, **REFRESH))] == [7]
    assert token.call_count == 1
    assert stored().base_url == "https://eu7.example.org/"


def test_a_base_url_in_the_settings_goes_first(connected, endpoint, adapter):
    endpoint(MOVED)
    adapter.register_uri("GET", "https://proxy.example.org/people", json={"results": [{"id": 8}]})
    client = connected(BASED, **REFRESH, base_url="https://proxy.example.org")
    assert [record["id"] for record in read(client)] == [8]


def test_a_reply_that_does_not_tell_keeps_the_base_url(connected, endpoint, adapter, clock, stored):
    endpoint({**MOVED, "expires_in": 60}, {"access_token": "a-2"})
    adapter.register_uri("GET", "https://eu7.example.org/people", json={"results": []})
    read(connected(BASED, **REFRESH))
    clock[0] += 60
    read(connected(BASED, **REFRESH))
    assert stored().access_token == "a-2"
    assert stored().base_url == "https://eu7.example.org/"


def test_a_base_url_without_encryption_is_refused(connected, endpoint, adapter, stored):
    endpoint({**MOVED, "instance_url": "http://eu7.example.org"})
    with pytest.raises(Unavailable, match="without encryption"):
        read(connected(BASED, **REFRESH))
    assert not tokens_used(adapter)


# What goes wrong


def said(raised):
    """Return the error's text, after a look that it is one line and shows nothing of its cause."""
    text = str(raised.value)
    assert "\n" not in text
    shown = "".join(traceback.format_exception(raised.value))
    assert "refresh-0" not in shown
    assert SECRET not in shown
    return text


def test_a_dead_refresh_token_says_which_command_renews_it(connected, endpoint, waits):
    refused = {"error": "invalid_grant", "error_description": "expired access/refresh token refresh-0"}
    endpoint({"json": refused, "status_code": 400})
    with pytest.raises(Unauthorized) as raised:
        read(connected(**REFRESH, client_secret=SECRET))
    text = "crm: reading people -> 400 invalid_grant: expired access/refresh token ***. Run: antiphon login crm"
    assert said(raised).startswith(text)
    assert "leave out the setting refresh_token" in said(raised)
    assert not waits


def test_a_dead_stored_token_that_came_of_a_log_in_names_the_command_alone(connected, endpoint, tmp_path, clock):
    token = endpoint({"json": {"error": "invalid_grant", "error_description": "r-1 is revoked"}, "status_code": 400})
    client = connected(**ID)
    client.http.auth.accept(client.http, {"access_token": "a-1", "refresh_token": "r-1", "expires_in": 60})
    clock[0] += 60
    with pytest.raises(Unauthorized) as raised:
        read(client)
    assert str(raised.value).endswith("400 invalid_grant: *** is revoked. Run: antiphon login crm")
    assert forms(token)[0]["refresh_token"] == "r-1"


def test_a_dead_refresh_token_is_not_replaced_by_client_credentials(connected, endpoint):
    token = endpoint({"json": {"error": "invalid_grant"}, "status_code": 400})
    with pytest.raises(Unauthorized):
        read(connected(replace(AUTH, grant=CREDENTIALS), **REFRESH, client_secret=SECRET))
    assert [form["grant_type"] for form in forms(token)] == ["refresh_token"]


def test_where_nobody_can_log_in_the_setting_is_named(connected, endpoint):
    endpoint({"json": {"error": "invalid_grant"}, "status_code": 400})
    with pytest.raises(Unauthorized, match="Set refresh_token anew"):
        read(connected(OAuth2(TOKEN_URL), **REFRESH))


def test_a_client_that_is_not_accepted_names_its_settings(connected, endpoint):
    endpoint({"json": {"error": "invalid_client", "error_description": SECRET}, "status_code": 401})
    with pytest.raises(Unauthorized) as raised:
        read(connected(**REFRESH, client_secret=SECRET))
    assert said(raised).endswith("401 invalid_client: ***. Check the settings client_id and client_secret.")


def test_with_nothing_to_get_a_token_with_the_command_is_named(connected, endpoint):
    token = endpoint({"access_token": "a-1"})
    with pytest.raises(Unauthorized) as raised:
        read(connected(**ID))
    assert said(raised).endswith("nobody has logged in yet, and no setting holds a credential. Run: antiphon login crm")
    assert not token.called


def test_a_token_without_a_refresh_token_that_has_run_out_says_so(connected, endpoint, clock):
    endpoint({"access_token": "never"})
    client = connected(**ID)
    client.http.auth.accept(client.http, {"access_token": "a-1", "expires_in": 60})
    clock[0] += 60
    with pytest.raises(Unauthorized, match="the token has run out, and there is none to renew it with"):
        read(client)


@pytest.mark.parametrize(
    "answer",
    [
        {"status_code": 503, "text": "<html>"},
        {"status_code": 429, "json": {"error": "slow_down"}},
        {"status_code": 400, "json": {"error": "temporarily_unavailable"}},
        {"status_code": 200, "text": "<html>"},
        {"status_code": 200, "json": []},
        {"status_code": 200, "json": {"token_type": "Bearer"}},
        {"status_code": 200, "json": {"access_token": None}},
    ],
)
def test_an_endpoint_that_does_not_do_its_work_is_asked_again(connected, endpoint, waits, answer):
    token = endpoint(answer, {"access_token": "a-1"})
    read(connected(**REFRESH))
    assert token.call_count == 2
    assert len(waits) == 1


def test_the_wait_that_the_endpoint_asks_for_is_kept(connected, endpoint, waits):
    endpoint({"status_code": 429, "text": "", "headers": {"Retry-After": "17"}}, {"access_token": "a-1"})
    read(connected(**REFRESH))
    assert waits == [17]


def test_an_endpoint_that_never_works_is_told(connected, endpoint):
    endpoint({"status_code": 503, "text": "busy"})
    with pytest.raises(Unavailable, match="crm: reading people -> the log-in says 503") as raised:
        read(connected(**REFRESH))
    assert said(raised)


def test_a_refusal_that_is_no_json_is_no_reason_to_ask_again(connected, endpoint):
    token = endpoint({"status_code": 404, "text": "<html>not here</html>"})
    with pytest.raises(Unauthorized, match="404 and no token"):
        read(connected(**REFRESH))
    assert token.call_count == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_with_the_secrets(connected, endpoint, adapter, status):
    elsewhere = adapter.register_uri("POST", "https://evil.example/token", json={"access_token": "a"})
    adapter.register_uri("GET", "https://evil.example/token", json={"access_token": "a"})
    headers = {"Location": "https://evil.example/token"}
    endpoint({"status_code": status, "headers": headers, "json": {"access_token": "a-1"}})
    with pytest.raises(SettingError, match=rf"crm: https://login.example.net -> {status} redirects") as raised:
        read(connected(**REFRESH, client_secret=SECRET))
    assert "login_url" in said(raised)
    assert not elsewhere.called
    assert not tokens_used(adapter)


def test_the_login_server_may_be_any_host_that_the_description_names(connected, endpoint, adapter):
    endpoint({"access_token": "a-1"}, url="https://elsewhere.example:8443/oauth/token")
    read(connected(**REFRESH, login_url="https://elsewhere.example:8443/oauth"))
    assert tokens_used(adapter) == ["Bearer a-1"]


@pytest.mark.parametrize("target", ["http://[", "https://evil.example:port/", ""])
def test_a_redirect_to_nowhere_is_told_all_the_same(connected, endpoint, target):
    endpoint({"status_code": 302, "headers": {"Location": target}, "text": ""})
    with pytest.raises(SettingError, match="302 redirects elsewhere"):
        read(connected(**REFRESH))


def self_signed(folder):
    """Write key and certificate of 127.0.0.1, in one file; return its path."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    day = timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_a_certificate_that_is_not_trusted_names_ca_bundle_which_helps(tmp_path):
    pem = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = Rotating()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"https://127.0.0.1:{server.server_port}"
        settings = {**ID, "refresh_token": "r-0", "login_url": url, "base_url": url}
        with pytest.raises(SettingError, match=r"crm: 127.0.0.1:\d+ -> its certificate is not trusted") as raised:
            Client(an_api(), settings, folder=tmp_path / "crm").call("GET", "/me")
        assert "ca_bundle" in said(raised)
        assert not server.asked
        Client(an_api(), {**settings, "ca_bundle": str(pem)}, folder=tmp_path / "crm").call("GET", "/me")
        assert server.asked == ["r-0"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_ca_bundle_that_is_not_there_is_named(tmp_path):
    settings = {**REFRESH, "login_url": "https://127.0.0.1:9", "ca_bundle": str(tmp_path / "none.pem")}
    with pytest.raises(SettingError, match="ca_bundle"):
        read(Client(an_api(), settings, folder=tmp_path))


def test_an_endpoint_that_cannot_be_reached_is_told_without_its_query(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings = {**REFRESH, "login_url": f"http://127.0.0.1:{port}/x?key=hidden"}
    with pytest.raises(Unavailable, match="connection refused") as raised:
        read(Client(an_api(), settings, folder=tmp_path))
    assert "hidden" not in said(raised)
    assert "Check login_url" in said(raised)


def test_a_login_url_that_is_none_names_its_setting(connected):
    with pytest.raises(SettingError, match="login_url"):
        read(connected(**REFRESH, login_url="login.example.net"))


def test_words_of_the_endpoint_cannot_steer_the_terminal(connected, endpoint):
    endpoint({"json": {"error": "invalid_grant", "error_description": "\x1b]0;owned\x07\nno"}, "status_code": 400})
    with pytest.raises(Unauthorized) as raised:
        read(connected(**REFRESH))
    assert str(raised.value).isprintable()


def test_a_store_that_cannot_be_written_is_told_before_a_token_is_spent(connected, endpoint, tmp_path):
    token = endpoint({"access_token": "a-1"})
    (tmp_path / "crm").write_text("a file where the folder should be")
    with pytest.raises(Storage):
        read(connected(**REFRESH))
    assert not token.called


def test_no_token_and_no_secret_is_logged(connected, endpoint, adapter, caplog, key):
    caplog.set_level(logging.DEBUG)
    pem = key.as_pem(private=True).decode()
    replies = ({"access_token": f"access-{n}", "refresh_token": f"rotated-{n}", "expires_in": 9} for n in range(3))
    token = endpoint(*replies, {"json": {"error": "invalid_grant"}, "status_code": 400})
    adapter.register_uri("GET", f"{URL}/people", [{"status_code": 401}, {"json": {"results": []}}])
    read(connected(**REFRESH, client_secret=SECRET))
    read(connected(ASSERTING, **ID, username="ada", private_key=pem))
    with pytest.raises(Unauthorized):
        read(connected(**{**REFRESH, "refresh_token": "refresh-9"}, client_secret=SECRET))
    secrets = {"access-0", "access-1", "access-2", "rotated-", "refresh-0", "refresh-9", SECRET}
    secrets |= {form["assertion"] for form in forms(token) if "assertion" in form}
    assert len(secrets) == 8
    assert not [secret for secret in secrets if secret in caplog.text]


@pytest.mark.parametrize(
    ("missing", "settings"),
    [("authlib", {}), ("joserfc", {"username": "ada", "private_key": "a key"})],
)
def test_a_library_that_is_missing_says_how_to_get_it(connected, monkeypatch, missing, settings):
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SettingError) as raised:
        read(connected(ASSERTING, **REFRESH, **settings))
    assert f"needs {missing}, which is not installed" in said(raised)
    assert said(raised).endswith('Run: pip install "antiphon[oauth]"')


# Processes side by side


class Rotating(ThreadingHTTPServer):
    """A token endpoint that rotates, takes its time, and ends the whole family when a refresh token comes twice."""

    daemon_threads = True

    def __init__(self):
        self.asked, self.live, self.lock = [], "r-0", threading.Lock()
        super().__init__(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.headers["Authorization"] == f"Bearer a-{len(self.server.asked)}" else 401, {})

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        threading.Event().wait(0.3)
        with self.server.lock:
            self.server.asked.append(form["refresh_token"][0])
            if form["refresh_token"][0] != self.server.live:
                self.server.live = ""
                self.answer(400, {"error": "invalid_grant"})
                return
            number = len(self.server.asked)
            self.server.live = f"r-{number}"
            self.answer(200, {"access_token": f"a-{number}", "refresh_token": f"r-{number}", "expires_in": 3600})

    def answer(self, status, reply):
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def one_of_many(url, folder, start, done):
    client = Client(an_api(), {**ID, "login_url": url, "base_url": url}, folder=folder, connection="crm")
    start.wait(60)
    client.call("GET", "/me")
    done.put(client.http.notes["oauth"].access_token)


@pytest.mark.parametrize("expired", [True, False], ids=["before its end", "on a 401"])
def test_processes_that_renew_at_once_ask_once(tmp_path, monkeypatch, expired):
    monkeypatch.undo()  # the clock of the others is the real one
    server = Rotating()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = Client(an_api(), {**ID, "login_url": server.url}, folder=tmp_path)
        store = TokenStore(tmp_path)
        client.http.auth.accept(client.http, {"access_token": "a-stale", "refresh_token": "r-0"})
        if expired:
            with store.locked():
                store.save(replace(store.load(), got_at=time.time() - 3600, expires_at=time.time() - 1))
        context = multiprocessing.get_context("spawn")
        start, done = context.Barrier(4), context.Queue()
        many = [context.Process(target=one_of_many, args=(server.url, tmp_path, start, done)) for _ in range(4)]
        for process in many:
            process.start()
        used = [done.get(timeout=120) for _ in many]
        for process in many:
            process.join(30)
        assert used == ["a-1"] * 4
        assert server.asked == ["r-0"]
        assert isinstance(store.load(), Token)
        assert store.load().refresh_token == "r-1"
    finally:
        server.shutdown()
        server.server_close()
