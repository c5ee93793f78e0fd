"""Getting a session, losing it, the daily limit, and what else refuses a call."""

from __future__ import annotations

import base64
import hashlib
import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests


def token(org, **form):
    config = org.server.config
    form = {"client_id": config["client_id"], **form}
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{config['login_url']}/services/oauth2/token", data=form, timeout=5)


def refresh(org, refresh_token=None):
    secret = org.server.config["client_secret"]
    refresh_token = refresh_token or org.server.config["refresh_token"]
    return token(org, grant_type="refresh_token", client_secret=secret, refresh_token=refresh_token)


def limits_with(org, grant):
    headers = {"Authorization": f"Bearer {grant['access_token']}"}
    return org.session.get(f"{grant['instance_url']}/services/data/v67.0/limits", headers=headers, timeout=5)


def test_a_refresh_token_gives_a_session_and_no_lifetime(org):
    grant = refresh(org).json()
    assert grant["instance_url"] == org.server.url
    assert {"expires_in", "refresh_token"}.isdisjoint(grant)
    assert limits_with(org, grant).status_code == 200
    wrong = token(org, grant_type="refresh_token", client_secret="x", refresh_token="y")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    wrong = token(org, grant_type="refresh_token", client_secret=org.server.config["client_secret"], refresh_token="y")
    assert wrong.json() == {"error": "invalid_grant", "error_description": "expired access/refresh token"}


def test_a_session_ends_in_its_time(orgs, later):
    org = orgs(session_seconds=600)
    grant = refresh(org).json()
    assert limits_with(org, grant).status_code == 200
    later(601)
    reply = limits_with(org, grant)
    assert (reply.status_code, reply.json()) == (
        401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )  # fmt: skip


def test_a_rotated_token_that_comes_again_revokes_its_family(orgs):
    org = orgs(rotate=True)
    first = org.server.config["refresh_token"]
    second = refresh(org).json()["refresh_token"]
    assert second != first
    assert org.server.config["refresh_token"] == second
    third = refresh(org).json()["refresh_token"]
    assert refresh(org, second).json()["error"] == "invalid_grant"
    assert refresh(org, third).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("host", ["login", "my_domain"])
def test_client_credentials_are_for_my_domain_only(orgs, host):
    org = orgs(login="client_credentials", my_domain=host == "my_domain")
    reply = token(org, grant_type="client_credentials", client_secret=org.server.config["client_secret"])
    if host == "my_domain":
        assert limits_with(org, reply.json()).status_code == 200
    else:
        assert reply.json()["error_description"] == "request not supported on this domain"


def test_the_logins_own_host_has_no_data(orgs):
    org = orgs(my_domain=False)
    login_url = org.server.config["login_url"]
    assert "localhost" in login_url
    grant = refresh(org).json()
    assert grant["instance_url"] == org.server.url != login_url
    assert limits_with(org, grant).status_code == 200
    assert limits_with(org, {**grant, "instance_url": login_url}).status_code == 404


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({}, None),
        ({"aud": "https://example.com"}, "audience is invalid"),
        ({"sub": "nobody@sandbox.example"}, "user hasn't approved this consumer"),
        ({"iss": "somebody"}, "client identifier invalid"),
        ({"exp": 0}, "expired"),
        ({"exp": 4e9}, "expired"),
    ],
)
def test_an_assertion_is_signed_and_right(orgs, change, says):
    org = orgs(login="jwt")
    config = org.server.config
    claims = {"iss": config["client_id"], "sub": config["username"], "aud": "https://login.salesforce.com"}
    signed = jwt.encode({**claims, "exp": time.time() + 180, **change}, config["private_key"], algorithm="RS256")
    grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    reply = token(org, grant_type=grant_type, assertion=signed)
    if says is None:
        assert limits_with(org, reply.json()).status_code == 200
        head, body, signature = signed.split(".")
        forged = ".".join((head, body, signature[::-1]))
        reply, says = token(org, grant_type=grant_type, assertion=forged), "invalid assertion"
    assert reply.status_code == 400
    assert says in reply.json()["error_description"]


def authorize(org, **query):
    query = {"response_type": "code", "client_id": org.server.config["client_id"], "state": "s 1",
             "redirect_uri": "http://127.0.0.1:9/callback", **query}  # fmt: skip
    url = f"{org.server.config['login_url']}/services/oauth2/authorize"
    reply = org.session.get(url, params=query, allow_redirects=False, timeout=5)
    assert reply.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["Location"]).query).items()}


def test_a_code_is_good_once_and_for_its_verifier(orgs):
    org = orgs(login="authorization_code", pkce=True)
    assert authorize(org)["error"] == "invalid_request"
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = {
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    given = authorize(org, scope="api refresh_token", **challenge)
    assert given["state"] == "s 1"
    form = {"grant_type": "authorization_code", "code": given["code"], "redirect_uri": "http://127.0.0.1:9/callback"}
    grant = token(org, **form, code_verifier=verifier).json()
    assert limits_with(org, grant).status_code == 200
    assert grant["refresh_token"]
    assert token(org, **form, code_verifier=verifier).json()["error"] == "invalid_grant"
    form["code"] = authorize(org, **challenge)["code"]
    assert token(org, **form, code_verifier="other").json()["error_description"] == "invalid code verifier"
    org.app.settings.change("approve", False)
    assert authorize(org, **challenge)["error"] == "access_denied"


def test_a_given_session_is_a_config_of_its_own(orgs):
    org = orgs(login="session")
    assert set(org.server.config) == {"instance_url", "access_token", "api_version"}
    assert limits_with(org, org.server.config).status_code == 200
    info = org.session.get(
        f"{org.server.url}/services/oauth2/userinfo",
        headers={"Authorization": f"Bearer {org.server.config['access_token']}"},
        timeout=5,
    )
    assert info.json()["preferred_username"] == "admin@sandbox.example"


def test_revoking_ends_a_token(org):
    config = org.server.config
    reply = org.session.post(
        f"{config['login_url']}/services/oauth2/revoke", data={"token": config["refresh_token"]}, timeout=5
    )
    assert reply.status_code == 200
    assert refresh(org).json()["error"] == "invalid_grant"


def test_every_reply_tells_how_much_of_the_day_is_used(orgs):
    org = orgs(daily_limit=100, daily_used=97)
    assert org("GET", "/limits").headers["Sforce-Limit-Info"] == "api-usage=98/100"
    limits = org.get("/limits")
    assert limits["DailyApiRequests"] == {"Max": 100, "Remaining": 1}
    assert org.refused("SELECT Nothing FROM Account")[0] == "INVALID_FIELD"
    over = org("GET", "/limits")
    assert (over.status_code, over.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert over.json()[0]["message"] == "TotalRequests Limit exceeded."


def test_an_org_without_the_api_says_so(orgs):
    org = orgs(api_disabled=True)
    assert org.get("/sobjects", expect=403)[0]["errorCode"] == "API_DISABLED_FOR_ORG"


@pytest.mark.parametrize(
    ("kind", "status", "says"),
    [
        ("429", 403, "ConcurrentRequests"),
        ("500", 500, "UNKNOWN_EXCEPTION"),
        ("502-html", 502, "<html>"),
        ("token-expiry", 401, "INVALID_SESSION_ID"),
        ("conflict", 400, "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_faults_speak_as_the_vendor_does(org, kind, status, says):
    org.app.fail_next(1, kind)
    reply = org("POST", "/sobjects/Account", {"Name": "x"})
    assert (reply.status_code, says in reply.text) == (status, True)
    assert org.app.size("Account") == 12


def test_calls_are_counted_without_their_ids(org):
    id_ = org.app.records("Account")[0]["Id"]
    for path in (f"/sobjects/Account/{id_}", "/sobjects/Account/Ext_Id__c/A-0000001", "/sobjects/Account/describe"):
        org.get(path)
    assert {route for _, route in org.app.calls} == {
        "sobjects/Account/{id}", "sobjects/Account/Ext_Id__c/{value}", "sobjects/Account/describe",
    }  # fmt: skip


def test_it_is_steered_over_http(org):
    def control(method, path, body=None):
        reply = org.session.request(method, f"{org.server.url}/_sandbox/{path}", json=body, timeout=5)
        assert reply.status_code == 200, reply.text
        return reply.json()

    id_ = control("POST", "records", {"type": "Account", "records": [{"Name": "x"}], "at": "2026-01-01T00:00:00Z"})[
        "ids"
    ][0]
    assert control("POST", "edit", {"type": "Account", "ids": [id_], "fields": {"Name": "y"}, "stamp": False}) == {
        "edited": 1
    }
    record = next(each for each in control("GET", "dump?type=Account")["results"] if each["Id"] == id_)
    assert (record["Name"], record["SystemModstamp"]) == ("y", "2026-01-01T00:00:00.000+0000")
    control("POST", "delete", {"type": "Account", "ids": [id_]})
    assert control("GET", "size?type=Account") == {"records": 12}
    assert len(control("GET", "dump?type=Account&deleted=true")["results"]) == 1
    assert control("POST", "fields", {"type": "Account", "count": 2}) == {"names": ["Extra_001__c", "Extra_002__c"]}
    assert control("POST", "objects", {"name": "Boat__c", "catalogue": "Hull__c:string,ext,unique"}) == {
        "name": "Boat__c"
    }
    org.send("PATCH", "/sobjects/Boat__c/Hull__c/DE-1", {"Name": "Ada"}, expect=201)
    assert control("POST", "settings", {"daily_used": 5})["daily_used"] == 5
    control("POST", "lock-rows", {"n": 1})
    org.send("POST", "/sobjects/Account", {"Name": "x"}, expect=400)
    control("POST", "jobs/fail-next", {"after": 0, "state": "Aborted"})
    job = org.ingest("insert", "Account", "Name\nx\n")
    assert control("GET", "jobs")["ingest"] == [
        {"id": job, "operation": "insert", "object": "Account", "state": "Aborted", "processed": 0}
    ]
    control("POST", "login/revoke")
    assert refresh(org).json()["error"] == "invalid_grant"
