"""How requests are signed: each kind says which settings it needs and puts the credential into the request.

The kinds are frozen dataclasses, see :class:`antiphon.api.Auth`; :data:`KINDS` lists them by the words that descriptions have
for them. A library that only one of them needs is imported when it is first used.
"""

from antiphon.auth.jwt import Jwt
from antiphon.auth.keys import All, ApiKey, Basic, Bearer
from antiphon.auth.oauth2 import OAuth2

__all__ = ["KINDS", "All", "ApiKey", "Basic", "Bearer", "Jwt", "OAuth2"]

#: What `auth` may be, by the word for it in a description.
KINDS: dict[str, type] = {
    "basic": Basic,
    "api_key": ApiKey,
    "bearer": Bearer,
    "jwt": Jwt,
    "oauth2": OAuth2,
    "all": All,
}
