"""How requests are signed: each kind says which settings it needs and puts the credential into the request.

The kinds are frozen dataclasses, see :class:`antiphon.api.Auth`; :data:`KINDS` lists them by the words that descriptions have
for them. A kind, and a library that only one of them needs, is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.late import Kinds, late

if TYPE_CHECKING:
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

__getattr__ = late(
    __name__,
    {
        "All": "keys",
        "ApiKey": "keys",
        "Basic": "keys",
        "Bearer": "keys",
        "Digest": "digest",
        "Hmac": "hmac",
        "Jwt": "jwt",
        "Login": "session",
        "Mtls": "mtls",
        "OAuth1": "oauth1",
        "OAuth2": "oauth2",
        "SigV4": "sigv4",
        "Step": "session",
    },
)

#: What `auth` may be, by the word for it in a description.
KINDS = Kinds(
    __name__,
    {
        "basic": "Basic",
        "api_key": "ApiKey",
        "bearer": "Bearer",
        "jwt": "Jwt",
        "oauth1": "OAuth1",
        "oauth2": "OAuth2",
        "login": "Login",
        "hmac": "Hmac",
        "sigv4": "SigV4",
        "digest": "Digest",
        "mtls": "Mtls",
        "all": "All",
    },
)
