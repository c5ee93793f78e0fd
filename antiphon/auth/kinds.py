"""All kinds of :mod:`antiphon.auth`, by their words."""

from __future__ import annotations

from antiphon.auth.digest import Digest
from antiphon.auth.hmac import Hmac
from antiphon.auth.jwt import Jwt
from antiphon.auth.keys import All, ApiKey, Basic, Bearer
from antiphon.auth.mtls import Mtls
from antiphon.auth.oauth1 import OAuth1
from antiphon.auth.oauth2 import OAuth2
from antiphon.auth.session import Login
from antiphon.auth.sigv4 import SigV4

#: What `auth` may be, by the word for it in a description.
KINDS: dict[str, type] = {
    "basic": Basic,
    "api_key": ApiKey,
    "bearer": Bearer,
    "jwt": Jwt,
    "oauth1": OAuth1,
    "oauth2": OAuth2,
    "login": Login,
    "hmac": Hmac,
    "sigv4": SigV4,
    "digest": Digest,
    "mtls": Mtls,
    "all": All,
}
