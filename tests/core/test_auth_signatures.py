"""Requests that are signed whole: OAuth 1, AWS, and shared secrets by a template. Published vectors come first."""

import base64
import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import oauthlib.oauth1
import pytest
import requests_mock
from authlib.oauth1 import ClientAuth
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from antiphon import moment
from antiphon.api import Read, Request
from antiphon.auth import All, ApiKey, Hmac, OAuth1, SigV4
from antiphon.client import Client
from antiphon.errors import DescriptionError, Forbidden, Refused, SettingError, Unauthorized
from antiphon.http import Http, written_url

from .tiny import an_api, mounted, people

FORM = "application/x-www-form-urlencoded"
URL = "https://api.example.org"


def a_client(auth, session, **settings):
    return Client(an_api(people(read=Read("/x", records="results")), auth=auth, settings=()), settings, session=session)


# OAuth 1


APP = {"consumer_key": "ck", "consumer_secret": "c s&é"}
USER = {"token": "tk", "token_secret": "t/s"}
PRIVATE = rsa.generate_private_key(65537, 2048)
PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = (
    PRIVATE.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def frozen(monkeypatch, nonce, timestamp):
    monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_nonce", lambda: nonce)
    monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_timestamp", lambda: timestamp)


def oauth(header):
    """Return the parameters in an Authorization header of OAuth 1."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "OAuth"
    return {k: unquote(v.strip('"')) for k, v in (part.strip().split("=", 1) for part in rest.split(","))}


@pytest.mark.parametrize(
    ("url", "settings", "nonce", "timestamp", "signature"),
    [
        (  # OAuth Core 1.0, appendix A
            "http://photos.example.net/photos?file=vacation.jpg&size=original",
            {
                "consumer_key": "dpf43f3p2l4k3l03",
                "consumer_secret": "kd94hf93k423kf44",
                "token": "nnch734d00sl2jdk",
                "token_secret": "pfkkdhi9sl3r4s00",
            },
            "kllo9940pd9333jh",
            "1191242096",
            "tR3+Ty81lMeYAr/Fid0kMTYa/WM=",
        ),
        (  # of an app alone, computed with oauthlib 4.0.1
            "https://api.example.test/v1/items?b=2&a=1%202",
            {"consumer_key": "ck", "consumer_secret": "cs"},
            "n1",
            "1700000000",
            "+ediq/lcATGRBRVph04tMyvjQ4E=",
        ),
    ],
)
def test_the_published_signature_of_oauth_1(monkeypatch, url, settings, nonce, timestamp, signature):
    frozen(monkeypatch, nonce, timestamp)
    request = Request("GET", url)
    http = Http("photos", "http://photos.example.net", settings=settings)
    OAuth1().prepare(http)
    OAuth1().sign(request, http)
    assert oauth(request.headers["Authorization"])["oauth_signature"] == signature


def test_the_signature_that_rfc_5849_prints_is_wrong_and_this_one_right(monkeypatch):
    # The text that is signed in 3.4.1.1 is right; with the secrets of 1.2 it does not give bYT5CMsGcbgUdFHObYMEfcx6bsw=,
    # which 3.1 prints, but this (confirmed in the RFC's errata and by every library).
    frozen(monkeypatch, "7d8f3e4a", "137131201")
    monkeypatch.setattr(
        oauthlib.oauth1.Client, "get_oauth_params", without_version(oauthlib.oauth1.Client.get_oauth_params)
    )
    keys = {"consumer_key": "9djdj82h48djs9d2", "consumer_secret": "j49sk3j29djd"}
    http = Http(
        "rfc", "http://example.com", settings={**keys, "token": "kkk9d7dh3k39sjv7", "token_secret": "dh893hdasih9"}
    )
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b"
    request = Request("POST", url, headers={"Content-Type": FORM}, body=b"c2&a3=2+q")
    auth = OAuth1(realm="Example")
    auth.prepare(http)
    auth.sign(request, http)
    found = oauth(request.headers["Authorization"])
    assert found["oauth_signature"] == "r6/TJjbCOr97/+UU0NsvSne7s5g="
    assert found["realm"] == "Example"


def without_version(params):
    return lambda self, request: [pair for pair in params(self, request) if pair[0] != "oauth_version"]


class Judge(oauthlib.oauth1.RequestValidator):
    """What a provider knows of its apps and users."""

    enforce_ssl = True
    client_key_length = nonce_length = access_token_length = (1, 60)
    dummy_client = dummy_access_token = "nobody"
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "PLAINTEXT")

    def validate_timestamp_and_nonce(self, *args, **kwargs):
        return True

    def validate_client_key(self, key, request):
        return key == "ck"

    def validate_access_token(self, key, token, request):
        return token == "tk"

    def validate_realms(self, *args, **kwargs):
        return True

    def get_client_secret(self, key, request):
        return APP["consumer_secret"]

    def get_access_token_secret(self, key, token, request):
        return USER["token_secret"]

    def get_rsa_key(self, key, request):
        return PUBLIC


def accepted(sent, *, user=True):
    """Return whether oauthlib's endpoint takes a request that went out."""
    kinds = oauthlib.oauth1.ResourceEndpoint if user else oauthlib.oauth1.SignatureOnlyEndpoint
    check = getattr(kinds(Judge()), "validate_protected_resource_request" if user else "validate_request")
    body = sent.body.decode() if isinstance(sent.body, bytes) and FORM in sent.headers.get("Content-Type", "") else None
    return check(sent.url, sent.method, body, dict(sent.headers))[0]


@pytest.mark.parametrize("settings", [{**APP, **USER}, APP], ids=["of a user", "of the app"])
@pytest.mark.parametrize(
    ("method", "query"),
    [
        *(
            (method, False)
            for method in ("HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "RSA-SHA1", "RSA-SHA256", "PLAINTEXT")
        ),
        ("HMAC-SHA1", True),
        ("RSA-SHA256", True),
    ],
)
def test_what_goes_out_is_what_was_signed(session, adapter, method, settings, query):
    adapter.register_uri(requests_mock.ANY, requests_mock.ANY, json={})
    client = a_client(OAuth1(method=method, query=query), session, private_key=PEM, **settings)
    for params in ({}, {"q": "ä b+c&=%/ '*", "list": [1, 2], "empty": ""}):
        for verb, json_body in (("GET", None), ("POST", {"a": "b=c"}), ("DELETE", None)):
            client.call(verb, "/x y/ö(1)", params=params, json=json_body)
            assert accepted(adapter.last_request, user="token" in settings)
    adapter.last_request.url = adapter.last_request.url.replace("/x", "/z")
    if method != "PLAINTEXT":
        assert not accepted(adapter.last_request, user="token" in settings)


def test_plaintext_in_the_query_is_encoded_once(session, adapter):
    # The judge above decodes it twice: it takes no secret here that has a letter to encode.
    adapter.register_uri("GET", "/x", json={})
    a_client(OAuth1(method="PLAINTEXT", query=True), session, **APP, **USER).call("GET", "/x")
    assert parse_qs(urlsplit(adapter.last_request.url).query)["oauth_signature"] == ["c%20s%26%C3%A9&t%2Fs"]


@pytest.mark.parametrize("kind", [FORM, f"{FORM}; charset=utf-8"])
def test_the_fields_of_a_form_are_signed_with_it(session, adapter, kind):
    adapter.register_uri("POST", "/x", json={})
    client = a_client(OAuth1(), session, **APP, **USER)
    client.http.send(
        Request("POST", "/x", headers={"Content-Type": kind}, body=b"status=H%C3%A9+llo&a=&a=2"), "telling"
    )
    assert adapter.last_request.body == b"status=H%C3%A9+llo&a=&a=2"
    adapter.last_request.headers["Content-Type"] = FORM
    assert accepted(adapter.last_request)
    changed = adapter.last_request
    changed._request.body = b"status=Bye&a=&a=2"
    assert not accepted(changed)


@given(st.dictionaries(st.text("aB0 %&=+/é~ü*'()[]", min_size=1, max_size=5), st.text(max_size=8), max_size=4))
def test_any_query_is_signed_as_it_is_sent(params):
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", requests_mock.ANY, json={})
    a_client(OAuth1(), mounted(adapter), **APP, **USER).call("GET", "/x", params=params)
    assert accepted(adapter.last_request)


def test_a_next_address_with_letters_that_want_encoding_is_signed_too(session, adapter):
    adapter.register_uri("GET", requests_mock.ANY, json={})
    client = a_client(OAuth1(), session, **APP, **USER)
    client.http.send(Request("GET", f"{URL}/x?filter[name]=a|b&c='d'"), "reading")
    assert accepted(adapter.last_request)


def test_another_library_signs_it_the_same(monkeypatch, session, adapter):
    frozen(monkeypatch, "nonce", "1700000000")
    monkeypatch.setattr("authlib.oauth1.rfc5849.client_auth.generate_nonce", lambda: "nonce")
    monkeypatch.setattr("authlib.oauth1.rfc5849.client_auth.generate_timestamp", lambda: "1700000000")
    adapter.register_uri("GET", "/x", json={})
    a_client(OAuth1(), session, **APP, **USER).call("GET", "/x", params={"q": "ä b"})
    theirs = ClientAuth("ck", APP["consumer_secret"], "tk", USER["token_secret"])
    _, headers, _ = theirs.sign("GET", adapter.last_request.url, {}, "")
    mine = oauth(adapter.last_request.headers["Authorization"])["oauth_signature"]
    assert oauth(headers["Authorization"])["oauth_signature"] == mine


def test_a_signature_in_the_query_does_not_go_into_the_next_address(session, adapter):
    adapter.register_uri("GET", "/x", json={"results": []})
    client = a_client(OAuth1(query=True), session, **APP, **USER)
    client.call("GET", "/x", params={"page": 1})
    assert client.http.unsigned(adapter.last_request.url) == f"{URL}/x?page=1"


def test_nothing_of_what_is_signed_is_logged(session, adapter, caplog):
    caplog.set_level(logging.DEBUG)
    adapter.register_uri("POST", "/x", json={})
    client = a_client(OAuth1(), session, **APP, **USER)
    client.http.send(Request("POST", "/x", headers={"Content-Type": FORM}, body=b"password=hidden"), "telling")
    assert "hidden" not in caplog.text
    assert "oauth_token" not in caplog.text


@pytest.mark.parametrize("pem", ["", "nonsense", PUBLIC])
def test_an_rsa_key_that_is_none_names_its_setting(session, pem):
    with pytest.raises(SettingError, match="the setting private_key is no private key") as raised:
        a_client(OAuth1(method="RSA-SHA1"), session, private_key=pem, **APP).call("GET", "/x")
    assert not pem or pem not in str(raised.value)


def test_a_form_that_is_none_is_refused_before_it_goes(session):
    client = a_client(OAuth1(), session, **APP)
    with pytest.raises(Refused, match="cannot be signed"):
        client.http.send(Request("POST", "/x", headers={"Content-Type": FORM}, body=b"\xff%%"), "telling")


@pytest.mark.parametrize("query", [False, True])
def test_what_everybody_knows_of_a_signature_may_stand_in_an_error(session, adapter, query):
    said = "version 1.0 of this API has ended; HMAC-SHA1 has not"
    adapter.register_uri("GET", "/x", status_code=400, json={"message": said})
    with pytest.raises(Refused, match=said):
        a_client(OAuth1(query=query), session, **APP, **USER).call("GET", "/x")


@pytest.mark.parametrize("wrong", [{"request_url": "https://a"}, {"access_url": "https://a"}])
def test_a_description_of_oauth_1_is_whole(wrong):
    with pytest.raises(DescriptionError, match="oauth1"):
        OAuth1(**wrong)


def test_before_anybody_logged_in_the_command_is_named(session):
    urls = {"request_url": "/request", "authorize_url": "/authorize", "access_url": "/access"}
    with pytest.raises(Unauthorized, match=r"nobody has logged in yet\. Run: antiphon login tiny"):
        a_client(OAuth1(**urls), session, **APP).call("GET", "/x")


# AWS


SUITE = json.loads(Path(__file__).with_name("data").joinpath("aws_sigv4.json").read_text("utf-8"))
WRONG = {
    # It is said to be a request whose signature covers content-length, and its header names other headers than its canonical request.
    "post-x-www-form-urlencoded-parameters": (
        "POST\n/\n\ncontent-type:application/x-www-form-urlencoded; charset=utf-8\nhost:example.amazonaws.com\n"
        "x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n"
        "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
    )
}
AWS = {"access_key_id": SUITE["access_key"], "secret_access_key": SUITE["secret_key"], "region": SUITE["region"]}


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""

    def at(time):
        monkeypatch.setattr(moment, "now", lambda: time)

    at(datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
    return at


def by_the_book(canonical, service="service"):
    """Return the signature of a canonical request, computed here from AWS's description."""
    scope = f"20150830/us-east-1/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SUITE['secret_key']}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    return hmac.new(key, f"AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n{hashed}".encode(), "sha256").hexdigest()


def signed_for_aws(case, service="service"):
    settings = {**AWS, **({"session_token": SUITE["session_token"]} if case["session"] else {})}
    request = Request(
        case["method"], f"https://example.amazonaws.com{case['uri']}", {}, dict(case["headers"]), case["body"].encode()
    )
    SigV4(service).sign(request, Http("aws", "https://example.amazonaws.com", settings=settings))
    return request.headers["Authorization"]


@pytest.mark.parametrize("case", SUITE["cases"], ids=lambda case: case["name"])
def test_the_published_signatures_of_aws(at, case):
    authorization = signed_for_aws(case)
    if case["name"] in WRONG:
        assert authorization.endswith(f"Signature={by_the_book(WRONG[case['name']])}")
        assert "SignedHeaders=content-type;host;x-amz-date," in authorization
    else:
        assert authorization == case["authorization"]


def test_s3_encodes_a_path_once_and_names_the_hash_of_the_body(at):
    case = {"method": "PUT", "uri": "/a%20b/%C3%A9", "headers": {}, "body": "hello", "session": False}
    hashed = hashlib.sha256(b"hello").hexdigest()
    canonical = (
        f"PUT\n/a%20b/%C3%A9\n\nhost:example.amazonaws.com\nx-amz-content-sha256:{hashed}\nx-amz-date:20150830T123600Z\n\n"
        f"host;x-amz-content-sha256;x-amz-date\n{hashed}"
    )
    assert signed_for_aws(case, "s3").endswith(f"Signature={by_the_book(canonical, 's3')}")


def test_other_services_encode_a_path_twice(at):
    case = {"method": "GET", "uri": "/a%20b", "headers": {}, "body": "", "session": False}
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = (
        f"GET\n/a%2520b\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date\n{nothing}"
    )
    assert signed_for_aws(case).endswith(f"Signature={by_the_book(canonical)}")


@given(st.dictionaries(st.text("aB0 %&=+/é~*'()[]", min_size=1, max_size=5), st.text(max_size=8), max_size=4))
def test_any_query_goes_to_aws_as_it_is_signed(params):
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", requests_mock.ANY, json={})
    a_client(SigV4("es"), mounted(adapter), **AWS).call("GET", "/x", params=params)
    sent = adapter.last_request
    query = urlsplit(sent.url).query
    assert parse_qsl(query, keep_blank_values=True) == list(params.items())
    names = sent.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    headers = {**{k.lower(): v for k, v in sent.headers.items()}, "host": "api.example.org"}
    canonical = "\n".join(
        [
            "GET",
            "/x",
            "&".join(sorted(query.split("&"), key=lambda pair: pair.partition("=")[::2])),
            *(f"{name}:{headers[name]}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(b"").hexdigest(),
        ]
    )
    when = headers["x-amz-date"]
    scope = f"{when[:8]}/us-east-1/es/aws4_request"
    key = f"AWS4{SUITE['secret_key']}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    said = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    assert sent.headers["Authorization"].endswith(hmac.new(key, said.encode(), "sha256").hexdigest())


def test_a_clock_that_is_wrong_is_set_by_the_servers(session, adapter, at):
    skewed = {
        "status_code": 403,
        "text": "<Error><Code>RequestTimeTooSkewed</Code></Error>",
        "headers": {"Date": "Sun, 30 Aug 2015 13:36:00 GMT"},
    }
    adapter.register_uri("GET", "/x", [skewed, {"json": {}}, {"json": {}}, skewed])
    client = a_client(SigV4("s3"), session, **AWS)
    client.call("GET", "/x")
    client.call("GET", "/x")
    dates = [request.headers["X-Amz-Date"] for request in adapter.request_history]
    assert dates == ["20150830T123600Z", "20150830T133600Z", "20150830T133600Z"]
    with pytest.raises(Unauthorized, match="403 does not accept the credential"):
        client.call("GET", "/x")
    assert adapter.call_count == 4


def test_another_403_of_aws_is_no_reason_to_ask_again(session, adapter, at):
    adapter.register_uri("GET", "/x", status_code=403, headers={"Date": "Sun, 30 Aug 2015 13:36:00 GMT"})
    with pytest.raises(Forbidden):
        a_client(SigV4("s3"), session, **AWS).call("GET", "/x")
    assert adapter.call_count == 1


def test_a_session_token_goes_along_and_nothing_of_it_is_logged(session, adapter, at, caplog):
    caplog.set_level(logging.DEBUG)
    adapter.register_uri("GET", "/x", json={})
    a_client(SigV4("s3"), session, **AWS, session_token="temporary-one").call("GET", "/x")
    assert adapter.last_request.headers["X-Amz-Security-Token"] == "temporary-one"
    assert "x-amz-security-token" in adapter.last_request.headers["Authorization"]
    assert "temporary-one" not in caplog.text
    assert SUITE["secret_key"] not in caplog.text


# A shared secret, by a template


SIGNED = "{method}\n{path}\n{query}\n{timestamp}\n{nonce}\n{body}"
HEADERS = {"X-Time": "{timestamp}", "X-Nonce": "{nonce}", "X-Signature": "v1={signature}"}


def test_the_very_bytes_that_go_out_are_signed(session, adapter):
    adapter.register_uri("POST", requests_mock.ANY, json={})
    client = a_client(Hmac(SIGNED, HEADERS), session, secret="s3cr3t")
    bodies = [b"\x00\xff\xfe not text", "zażółć".encode(), b""]
    requests = [Request("POST", "/x y/é", {"q": "a b&c", "é": [1, 2]}, body=body) for body in bodies]
    for request in [*requests, Request("POST", "/x", body={"ż": 1.5})]:
        client.http.send(request, "telling")
        sent = adapter.last_request
        parts = urlsplit(sent.url)
        head = "\n".join([sent.method, parts.path, parts.query, sent.headers["X-Time"], sent.headers["X-Nonce"], ""])
        mac = hmac.new(b"s3cr3t", head.encode() + (sent.body or b""), "sha256").hexdigest()
        assert sent.headers["X-Signature"] == f"v1={mac}"
    nonces = {request.headers["X-Nonce"] for request in adapter.request_history}
    assert len(nonces) == 4


BODY_HASH = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"


# Two more that Twilio publishes are of what it sends itself, over the sorted fields of a form: no template has those.
@pytest.mark.parametrize(
    ("auth", "url", "settings", "timestamp", "body", "signature"),
    [
        (  # the reference libraries of Standard Webhooks
            Hmac("{id}.{timestamp}.{body}", {"S": "v1,{signature}"}, key_encoding="base64", encoding="base64"),
            URL,
            {"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "id": "msg_p5jXN8AQM9LWM0D4loKWxJek"},
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (  # Twilio's, of an address that holds the hash of the body
            Hmac("{url}", {"S": "{signature}"}, hash="sha1", encoding="base64"),
            f"https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={BODY_HASH}",
            {"secret": "12345"},
            0,
            b'{"property": "value", "boolean": true}',
            "a9nBmqA0ju/hNViExpshrM61xv4=",
        ),
        (  # by the rule that Zoom publishes
            Hmac("v0:{timestamp}:{body}", {"S": "v0={signature}"}),
            URL,
            {"secret": "s3cr3t"},
            1700000000,
            b'{"event":"phone.callee_ringing"}',
            "v0=c32e9c8a0f2847cf727ef09b2523102afc299d0c906ff6e5f1f2cee1cffc31ef",
        ),
    ],
    ids=["Standard Webhooks", "Twilio", "Zoom"],
)
def test_the_published_signatures_by_a_shared_secret(at, auth, url, settings, timestamp, body, signature):
    at(datetime.fromtimestamp(timestamp, UTC))
    request = Request("POST", url, body=body)
    auth.sign(request, Http("hooks", URL, settings=settings))
    assert request.headers["S"] == signature


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("s", "1440938160"),
        ("ms", "1440938160123"),
        ("iso", "2015-08-30T12:36:00.123Z"),
        ("http", "Sun, 30 Aug 2015 12:36:00 GMT"),
        ("%Y%m%d", "20150830"),
    ],
)
def test_the_time_is_written_as_the_api_has_it(session, adapter, at, form, written):
    at(datetime(2015, 8, 30, 12, 36, microsecond=123456, tzinfo=UTC))
    adapter.register_uri("GET", "/x", json={})
    a_client(Hmac("{timestamp}", HEADERS, time=form), session, secret="s").call("GET", "/x")
    assert adapter.last_request.headers["X-Time"] == written
    assert adapter.last_request.headers["X-Signature"] == f"v1={hmac.new(b's', written.encode(), 'sha256').hexdigest()}"


@pytest.mark.parametrize(
    ("options", "key", "signature"),
    [
        ({}, b"key", hmac.new(b"key", b"me/x", "sha256").hexdigest()),
        (
            {"hash": "sha1", "encoding": "base64"},
            b"key",
            base64.b64encode(hmac.digest(b"key", b"me/x", "sha1")).decode(),
        ),
        ({"hash": "sha512"}, b"key", hmac.new(b"key", b"me/x", "sha512").hexdigest()),
        ({"key_encoding": "hex"}, b"6b6579", hmac.new(b"key", b"me/x", "sha256").hexdigest()),
        ({"key_encoding": "base64"}, b"a2V5", hmac.new(b"key", b"me/x", "sha256").hexdigest()),
    ],
)
def test_hash_key_and_encoding_are_the_descriptions(session, adapter, options, key, signature):
    adapter.register_uri("GET", "/x", json={})
    auth = Hmac("{account}{path}", {"authorization": "HMAC {account}:{signature}"}, **options)
    assert auth.needs() == ("account", "secret")
    a_client(auth, session, account="me", secret=key.decode()).call("GET", "/x")
    assert adapter.last_request.headers["Authorization"] == f"HMAC me:{signature}"


def test_the_hash_of_the_body_and_the_sorted_query_may_be_signed(session, adapter):
    adapter.register_uri("POST", "/x", json={})
    auth = Hmac(
        "{sorted_query}|{host}|{content_type}|{body_hash}",
        {"S": "{signature}"},
        body_hash="md5",
        body_encoding="base64",
    )
    a_client(auth, session, secret="k").http.send(Request("POST", "/x", {"b": 1, "a": 2}, body={}), "telling")
    hashed = base64.b64encode(hashlib.md5(b"{}").digest()).decode()
    said = f"a=2&b=1|api.example.org|application/json|{hashed}"
    assert adapter.last_request.headers["S"] == hmac.new(b"k", said.encode(), "sha256").hexdigest()


def test_a_signature_may_stand_in_the_query(session, adapter):
    adapter.register_uri("GET", "/x", json={})
    auth = All((ApiKey(query="key"), Hmac("{url}", {}, params={"sig": "{signature}"})))
    a_client(auth, session, api_key="k", secret="s").call("GET", "/x", params={"a": 1})
    query = parse_qs(urlsplit(adapter.last_request.url).query)
    assert query.pop("sig") == [hmac.new(b"s", f"{URL}/x?a=1&key=k".encode(), "sha256").hexdigest()]
    assert query == {"a": ["1"], "key": ["k"]}


def test_a_request_that_is_sent_again_is_signed_again(session, adapter, waits):
    adapter.register_uri("GET", "/x", [{"status_code": 503}, {"json": {}}])
    a_client(Hmac(SIGNED, HEADERS), session, secret="s").call("GET", "/x")
    assert len({request.headers["X-Nonce"] for request in adapter.request_history}) == 2


def test_a_secret_that_is_not_written_as_it_should_be_is_named_and_not_shown(session):
    with pytest.raises(SettingError, match="the setting secret is not written in hex") as raised:
        a_client(Hmac(SIGNED, HEADERS, key_encoding="hex"), session, secret="wxyz").call("GET", "/x")
    assert "wxyz" not in str(raised.value)


def test_the_url_that_is_signed_is_the_url_that_is_sent(session, adapter):
    adapter.register_uri("GET", requests_mock.ANY, json={})
    client = a_client(ApiKey(header="K"), session, api_key="k")
    for url in ("/a b", "/é?x=%7E&y=ü z", "/x?a[0]=1&b='", "//twice/../x", "/%2F%c3"):
        request = Request("GET", f"{URL}{url}", {"p": "1 2"})
        client.http.send(request, "reading")
        assert written_url(request) == adapter.last_request.url
