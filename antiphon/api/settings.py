"""What a user tells a connection, and what an API tells of how often it may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from antiphon.bounds import Seconds, Span

JSON = Any


@dataclass(frozen=True)
class Setting:
    """One thing a user tells a connection. The connect form and ``--about`` are drawn from these."""

    name: str
    """What it is called in a config; the end of its variable."""
    title: str = ""
    """What people call it."""
    description: str = ""
    """Where to find it and what it does, in a sentence."""
    secret: bool = False
    """Whether it is never shown."""
    required: bool = False
    """Whether nothing works without it."""
    default: JSON = None
    """What it is where it is not given."""
    pattern: str = ""
    """A regular expression that is found in each good value."""
    example: str = ""
    """A value, to show what one looks like."""
    schema: Mapping[str, JSON] = field(default_factory=lambda: {"type": "string"})
    """JSON Schema of the value."""
    reading: bool = True
    """Whether the tap has this setting."""
    writing: bool = True
    """Whether the target has it."""


#: The settings that any connection has.
COMMON_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "base_url", "Base URL", "Where the API answers, if not at its usual address.", example="http://127.0.0.1:8080"
    ),
    Setting(
        "proxy",
        "Proxy",
        "URL of an HTTP proxy; the usual environment variables work too.",
        pattern=r"^(https?|socks[45][ah]?)://",
        example="http://proxy.example.org:3128",
    ),
    Setting(
        "ca_bundle", "CA bundle", "Path of a PEM file with the certificates to trust, for servers with a private CA."
    ),
    Setting(
        "timeout",
        "Timeout",
        "Seconds to wait for an answer.",
        default=120,
        schema={"type": "number", "exclusiveMinimum": 0},
    ),
    Setting("user_agent", "User agent", "What we call ourselves; sent with each request."),
    Setting(
        "state_dir", "State folder", "Where journals, rejects and tokens are kept, if not in the user's state folder."
    ),
    Setting(
        "rate_share",
        "Share of the rate limit",
        "The part of the API's rate limit that this connection may use, above 0 and up to 1.",
        default=1,
        schema={"type": "number", "exclusiveMinimum": 0, "maximum": 1},
    ),
    Setting(
        "quota_reserve",
        "Quota reserve",
        "The part of a daily quota that is left to others: a run stops before it is used.",
        default=0.1,
        schema={"type": "number", "minimum": 0, "exclusiveMaximum": 1},
    ),
)


#: Settings that credentials are kept in: one that an API's way to sign needs, and that is not declared, is as it stands here.
CREDENTIALS: tuple[Setting, ...] = (
    Setting("username", "User"),
    Setting("password", "Password", secret=True),
    Setting("access_token", "Access token", secret=True),
    Setting("api_key", "API key", secret=True),
    Setting("secret", "Shared secret", secret=True),
    Setting("private_key", "Private key", "The text of its PEM file, without a password.", secret=True),
    Setting("client_id", "Client id", "The name of the app, as it is registered with the API."),
    Setting("client_secret", "Client secret", "The secret of the app.", secret=True),
    Setting("refresh_token", "Refresh token", secret=True),
    Setting("consumer_key", "Consumer key", "The name of the app, as it is registered with the API."),
    Setting("consumer_secret", "Consumer secret", "The secret of the app.", secret=True),
    Setting("token", "Token", "The user's token.", secret=True),
    Setting("token_secret", "Token secret", "The secret that came with the token.", secret=True),
    Setting("region", "Region", example="eu-central-1"),
    Setting("access_key_id", "Access key", "The name of the key."),
    Setting("secret_access_key", "Secret access key", secret=True),
    Setting("session_token", "Session token", "What comes with temporary keys.", secret=True),
    Setting(
        "client_certificate",
        "Client certificate",
        "The path of a PEM or PFX file, or the text of a PEM file.",
        secret=True,
    ),
    Setting(
        "client_key",
        "Client key",
        "The path or the text of the private key, if the certificate's file does not hold it.",
        secret=True,
    ),
    Setting("client_passphrase", "Passphrase", "Of the private key, or of the PFX file.", secret=True),
)


@dataclass(frozen=True)
class LimitHeaders:
    """The names of the reply headers that tell the rate limit.

    ``limit`` calls per ``interval`` milliseconds, of which ``remaining`` are left.
    """

    limit: str = ""
    """How many calls there are in an interval."""
    remaining: str = ""
    """How many of them are left."""
    interval: str = ""
    """How long it is, in milliseconds."""


@dataclass(frozen=True)
class RateLimit:
    """At most *calls* in any *seconds*; on the paths that end with one of *paths*, or on all.

    A request counts towards every limit that applies to it.
    """

    calls: Annotated[float, Span(above=0)]
    """How many, at most."""
    seconds: Seconds
    """In what time."""
    paths: tuple[str, ...] = ()
    """Ends of the paths that it holds for; none: all."""
    headers: LimitHeaders | None = None
    """The headers by which the API tells it."""
    hosts: tuple[str, ...] = ()
    """The hosts that have it, where the same software runs elsewhere without; none: all."""

    def holds_at(self, url: str) -> bool:
        """Return whether the server at *url* has it."""
        return not self.hosts or urlsplit(url).hostname in self.hosts


@dataclass(frozen=True)
class Quota:
    """The names of the reply headers that tell a quota of many hours.

    Either ``limit`` and what is ``remaining`` of it, or ``usage`` with both in it (``api-usage=18/15000``). A part of the
    quota, the setting ``quota_reserve``, is left to others.
    """

    limit: str = ""
    """The header with the size of the quota."""
    remaining: str = ""
    """The header with what is left."""
    usage: str = ""
    """The one header with both, instead: ``api-usage=18/15000``."""
