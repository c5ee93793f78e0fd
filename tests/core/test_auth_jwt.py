"""Tokens that we sign ourselves; their judges are the standard library and cryptography."""

import base64
import hashlib
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwk, jws

from antiphon.auth import Jwt
from antiphon.auth.jwt import decoded
from antiphon.client import Client
from antiphon.errors import SettingError, Unauthorized

from .tiny import an_api

NOW = 1_800_000_000.0
SECRET = "only for us"
KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "PS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
#: RFC 7515, A.1: its key and its token, which is signed over a text with line breaks as no library writes it.
RFC_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
RFC_TOKEN = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time, which the tests move."""
    told = [NOW]
    monkeypatch.setattr(time, "time", lambda: told[0])
    return told


@pytest.fixture
def client(session, adapter):
    """Give a client that signs with a token."""
    adapter.register_uri("GET", "/x", json={})
    return lambda auth, **settings: Client(an_api(auth=auth, settings=()), settings, session=session)


def pem(key):
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*kinds).decode()


def opened(token):
    """Return header, claims, what was signed, and the signature."""
    header, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(claims), token.rpartition(".")[0].encode(), signature


def sent(adapter):
    return adapter.last_request.headers["Authorization"].removeprefix("Bearer ")


@pytest.mark.parametrize("newlines", [str, lambda text: text.replace("\n", "\\n")])
@pytest.mark.parametrize("algorithm", KEYS)
def test_a_token_is_signed_with_the_users_key(client, adapter, algorithm, newlines):
    key = KEYS[algorithm]
    client(Jwt(algorithm=algorithm), private_key=newlines(pem(key))).call("GET", "/x")
    header, _, said, signature = opened(sent(adapter))
    assert header == {"alg": algorithm, "typ": "JWT"}
    public = key.public_key()  # each raises InvalidSignature if it is not
    if algorithm == "RS256":
        public.verify(signature, said, padding.PKCS1v15(), hashes.SHA256())
    elif algorithm == "PS256":
        public.verify(signature, said, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    elif algorithm == "ES256":
        both = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        public.verify(encode_dss_signature(*both), said, ec.ECDSA(hashes.SHA256()))
    else:
        public.verify(signature, said)


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)]
)
@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("raw", SECRET),
        ("base64", base64.b64encode(SECRET.encode()).decode()),
        ("base64", base64.b64encode(SECRET.encode()).decode().rstrip("=") + "\n"),
        ("hex", SECRET.encode().hex()),
    ],
)
def test_a_shared_secret_may_be_written_in_three_ways(client, adapter, algorithm, digest, encoding, written):
    client(Jwt("{secret}", algorithm, key_encoding=encoding), secret=written).call("GET", "/x")
    _, _, said, signature = opened(sent(adapter))
    assert signature == hmac.digest(SECRET.encode(), said, digest)


def test_the_token_of_the_rfc_is_signed_with_the_key_as_we_read_it():
    key = jwk.OctKey.import_key(decoded(RFC_KEY, "base64"))
    assert jws.deserialize_compact(RFC_TOKEN, key, algorithms=["HS256"])
    said, signature = RFC_TOKEN.rpartition(".")[0].encode(), opened(RFC_TOKEN)[3]
    assert hmac.digest(decoded(RFC_KEY, "base64"), said, "sha256") == signature


def test_a_token_says_what_the_description_lets_it(client, adapter):
    claims = {"iss": "{app}", "aud": "https://api.example.org", "scope": ["read"], "jti": None, "exp_ms": 7}
    auth = Jwt("{secret}", "HS256", claims, seconds=60, headers={"kid": "{kid}"}, scheme="JWT")
    assert auth.needs() == ("app", "kid", "secret")
    client(auth, app="antiphon", kid="k-1", secret=SECRET).call("GET", "/x")
    scheme, _, token = adapter.last_request.headers["Authorization"].partition(" ")
    header, found, *_ = opened(token)
    assert scheme == "JWT"
    assert header["kid"] == "k-1"
    rest = {"aud": "https://api.example.org", "scope": ["read"], "exp_ms": 7, "iat": NOW, "exp": NOW + 60}
    assert found == {"iss": "antiphon", **rest}


def test_one_token_serves_until_shortly_before_its_end(client, adapter, clock):
    found, asking = [], client(Jwt("{secret}", "HS256", seconds=100), secret=SECRET)
    for seconds in (0, 79, 2, 0):
        clock[0] += seconds
        asking.call("GET", "/x")
        found.append(sent(adapter))
    assert found[0] == found[1] != found[2] == found[3]


def test_a_token_that_is_not_accepted_is_signed_anew_once(client, adapter):
    matcher = adapter.register_uri("GET", "/x", status_code=401)
    with pytest.raises(Unauthorized, match="Check the setting secret"):
        client(Jwt("{secret}", "HS256"), secret=SECRET).call("GET", "/x")
    assert len({request.headers["Authorization"] for request in matcher.request_history}) == 2


@pytest.mark.parametrize(
    ("auth", "given", "said"),
    [
        (Jwt(), "nonsense", "the setting key is no private key in PEM form for RS256"),
        (Jwt(algorithm="ES256"), pem(KEYS["RS256"]), "the setting key is no private key in PEM form for ES256"),
        (Jwt("{key}", "HS256", key_encoding="hex"), "wxyz", "the setting key is no secret in hex for HS256"),
        (Jwt("{key}", "HS256", key_encoding="base64"), "a!b@", "the setting key is no secret in base64 for HS256"),
        (Jwt("{key}", "HS256", {"iss": "{app}"}), SECRET, "the setting app is missing"),
    ],
)
def test_a_key_that_is_none_is_named_and_not_shown(client, auth, given, said):
    auth = Jwt("{key}", auth.algorithm, auth.claims, key_encoding=auth.key_encoding)
    with pytest.raises(SettingError, match=said) as raised:
        client(auth, key=given).call("GET", "/x")
    assert given.splitlines()[0] not in str(raised.value)
