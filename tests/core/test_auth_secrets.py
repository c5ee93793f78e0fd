"""Whatever the kind, whatever the letters: what a request is signed with, and what was got to sign it with, is never told."""

import json
import logging
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.api import Setting
from antiphon.auth import (
    KINDS,
    All,
    ApiKey,
    Basic,
    Bearer,
    Digest,
    Hmac,
    Jwt,
    Login,
    Mtls,
    OAuth1,
    OAuth2,
    SigV4,
    Step,
)
from antiphon.client import Client
from antiphon.errors import AntiphonError
from antiphon.fill import names

from .tiny import URL, an_api, mounted

STEP = Step("/login", body={"user": "{username}", "password": "{password}"}, take={"session": "access_token"})
PASSWORD = {"grant_type": "password", "username": "{username}", "password": "{password}"}
AUTHS = {
    "basic": Basic(),
    "key in a header": ApiKey("key={api_key}", header="X-Key"),
    "key in the query": ApiKey(query="key"),
    "key in a cookie": ApiKey(cookie="key"),
    "key in the body": ApiKey(body="auth.key"),
    "bearer": Bearer(),
    "jwt": Jwt("{secret}", "HS256", {"iss": "me"}),
    "oauth1": OAuth1(),
    "oauth1 in the query": OAuth1(method="PLAINTEXT", query=True),
    "oauth2 by a grant": OAuth2(f"{URL}/login", grant=PASSWORD),
    "oauth2 by a refresh token": OAuth2(f"{URL}/login"),
    "login": Login((STEP,), query={"session": "{session}"}, base64={"pair": "{username}:{session}"}, headers={"X": "{pair}"}),
    "hmac": Hmac("{url}{body}", {"X-Signature": "{signature}"}, params={"sig": "{signature}"}),
    "sigv4": SigV4("es", region="us-east-1"),
    "digest": Digest(),
    "mtls": Mtls(),
    "all": All((ApiKey(query="key"), Bearer())),
}  # fmt: skip
SECRETS = (
    "username", "password", "api_key", "access_token", "secret", "consumer_key", "consumer_secret", "token", "token_secret", "client_id",
    "client_secret", "refresh_token", "access_key_id", "secret_access_key", "session_token", "client_certificate", "client_passphrase",
)  # fmt: skip
letters = st.text("aB0 %&=+/é~'\"\\:;,ż-_{}", min_size=8, max_size=20).filter(lambda text: text == text.strip())


@contextmanager
def overheard():
    """Give the list of what is logged meanwhile, by whomever but the network's double."""
    said, handler, root = [], logging.Handler(), logging.getLogger()
    handler.addFilter(lambda record: not record.name.startswith("requests_mock"))
    handler.emit = lambda record: said.append(record.getMessage())
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def echoing(request, context):
    """Answer with all that was sent, as it came and decoded."""
    context.status_code = 400
    if "Authorization" not in request.headers:
        context.headers["WWW-Authenticate"] = 'Digest realm="r", nonce="n", qop="auth"'
    said = [request.url, unquote(request.url), *map(str, request.headers.values()), request.text or ""]
    return json.dumps({"message": " | ".join(said)})


def signatures(sent):
    """Return what a request was signed with, besides what the settings hold."""
    found = {k: v for k, v in parse_qsl(urlsplit(sent.url).query) if k.endswith(("sig", "signature"))}
    return [*found.values(), *(v for k, v in sent.headers.items() if k in {"Authorization", "X-Signature"})]


@pytest.mark.parametrize("auth", AUTHS.values(), ids=AUTHS)
@settings(max_examples=25, deadline=None)
@given(values=st.fixed_dictionaries(dict.fromkeys(SECRETS, letters)), got=letters, renewed=letters)
def test_no_secret_reaches_an_error_or_a_log(auth, values, got, renewed):
    adapter = requests_mock.Adapter()
    adapter.register_uri("POST", f"{URL}/login", json={"access_token": got, "refresh_token": renewed})
    adapter.register_uri("POST", f"{URL}/x", text=echoing)
    values = {name: value for name, value in values.items() if name in set(auth.needs()) | set(names(vars(auth)))}
    api = an_api(auth=auth, settings=tuple(Setting(name, secret=True) for name in values))
    with overheard() as logged:
        client = Client(api, values, session=mounted(adapter))
        with pytest.raises(AntiphonError) as raised:
            client.call("POST", "/x", json={"a": 1})
    told = "\n".join([str(raised.value), raised.value.code if hasattr(raised.value, "code") else "", *logged])
    secrets = {*values.values(), got, renewed}
    secrets |= {signature for sent in adapter.request_history for signature in signatures(sent)}
    assert not [s for s in secrets for form in (s, quote(s, safe=""), quote_plus(s)) if form in told]


def test_no_kind_is_left_out_here():
    assert {type(auth) for auth in AUTHS.values()} == set(KINDS.values())
