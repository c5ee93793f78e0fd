"""How requests are signed: each kind says which settings it needs and puts the credential into the request.

The kinds are frozen dataclasses, see :class:`antiphon.api.Auth`; :data:`KINDS` lists them by the words that descriptions have
for them. A library that only one of them needs is imported when it is first used.
"""

from antiphon.auth.digest import Digest
from antiphon.auth.hmac import Hmac
from antiphon.auth.jwt import Jwt
from antiphon.auth.keys import All, ApiKey, Basic, Bearer
from antiphon.auth.mtls import Mtls
from antiphon.auth.oauth1 import OAuth1
from antiphon.auth.oauth2 import OAuth2
from antiphon.auth.session import Login, Step
from antiphon.auth.sigv4 import SigV4

__all__ = [
    "KINDS",
    "All",
    "ApiKey",
    "Basic",
    "Bearer",
    "Digest",
    "Hmac",
    "Jwt",
    "Login",
    "Mtls",
    "OAuth1",
    "OAuth2",
    "SigV4",
    "Step",
]

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
