"""Digest (RFC 7616): a password that is never sent. The answers are computed by requests' own HTTPDigestAuth.

What that does wrong is done here: several challenges in one header, blanks in the list of ``qop``, quotes that RFC 7616 does not
have, and user names beyond Latin-1. What neither can do is told: ``auth-int`` alone, SHA-512-256, SHA-256-sess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from requests.auth import HTTPDigestAuth

from antiphon.api import Auth, Reply, Request
from antiphon.errors import SettingError
from antiphon.fill import fill, names, text
from antiphon.http import written_url

if TYPE_CHECKING:
    from antiphon.http import Http

_PART = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w-]+)')
_ALGORITHMS = frozenset({"MD5", "MD5-SESS", "SHA", "SHA-256", "SHA-512"})
_UNQUOTED = re.compile(r', (algorithm|qop)="([^"]*)"')


@dataclass(frozen=True)
class Digest(Auth):
    """User and password by challenge and answer (RFC 7616): the first request is refused, with what the next is answered by."""

    user: str = "{username}"
    """The user."""
    password: str = "{password}"  # noqa: S105
    """The password."""
    per_thread: ClassVar[bool] = True

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold user and password."""
        return tuple(sorted(names([self.user, self.password])))

    def sign(self, request: Request, http: Http) -> None:
        """Answer the last challenge in the Authorization header, if there was one."""
        digest = self._digest(http)
        if not digest._thread_local.chal:  # noqa: SLF001 - set where a reply comes to requests' own hook, which ours do not
            return
        answer = digest.build_digest_header(request.method, written_url(request))
        assert answer, "a challenge is kept only if it can be answered"  # noqa: S101
        escaped = str(digest.username).replace("\\", r"\\").replace('"', r"\"")
        answer = answer.replace(f'username="{digest.username}"', f'username="{escaped}"', 1)
        request.headers["Authorization"] = _UNQUOTED.sub(r", \1=\2", answer).encode().decode("latin-1")

    def renew(self, http: Http, reply: Reply) -> bool:
        """Take the challenge in *reply*, unless it is the one that was answered.

        Raises:
            SettingError: it is none that can be answered.
        """
        found = [
            values for scheme, values in challenges(reply.headers.get("WWW-Authenticate", "")) if scheme == "digest"
        ]
        if not found:
            return False
        for values in found:
            qops = [word.strip().lower() for word in values.get("qop", "").split(",")]
            if values.get("algorithm", "MD5").upper() in _ALGORITHMS and {"", "auth"} & set(qops) and "nonce" in values:
                asked = values | ({"qop": "auth"} if "auth" in qops else {})
                break
        else:
            wants = " or ".join(f"{v.get('algorithm', 'MD5')} with qop {v.get('qop', 'none')}" for v in found)
            raise SettingError(f"{http.name}: its digest log-in wants {wants}, which is not supported")
        kept = self._digest(http)._thread_local  # noqa: SLF001
        new = bool(kept.chal.get("nonce") != asked["nonce"])
        kept.chal = {"realm": "", **asked}
        return new

    def _digest(self, http: Http) -> Any:
        """Return requests' HTTPDigestAuth, which counts the uses of a nonce; each thread has its own challenge in it."""
        user, password = (text(fill(template, http.settings)) for template in (self.user, self.password))
        digest: Any = http.notes.setdefault("digest", HTTPDigestAuth(user, password))
        digest.init_per_thread_state()
        return digest


def challenges(header: str) -> list[tuple[str, dict[str, str]]]:
    """Return the challenges of a WWW-Authenticate header: the scheme in lower case, and its parameters as they are written."""
    found: list[tuple[str, dict[str, str]]] = []
    for name, quoted, bare, scheme in _PART.findall(header):
        if scheme:
            found.append((scheme.lower(), {}))
        elif found:
            found[-1][1][name.lower()] = quoted or bare
    return found
