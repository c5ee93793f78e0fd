"""AWS Signature Version 4, by botocore."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode

from antiphon import moment
from antiphon.api import Auth, Reply, Request
from antiphon.auth.library import library
from antiphon.auth.place import header_of, set_header
from antiphon.fill import fill, names, text
from antiphon.http import written_url

if TYPE_CHECKING:
    from antiphon.http import Http

_SKEWED = (b"RequestTimeTooSkewed", b"RequestExpired", b"Signature expired", b"Signature not yet current")
_MOST = timedelta(minutes=1)
"""A difference of the clocks that is not worth another request: AWS allows five minutes."""


@dataclass(frozen=True)
class SigV4(Auth):
    """A signature of each request as AWS has it (Signature Version 4), for its services and those that do the same.

    Where the server says that our clock is wrong, its own is used from then on.
    """

    service: str
    """The service's name in the signature: ``s3``, ``execute-api``, ``es`` …"""
    region: str = "{region}"
    """The region, such as ``eu-central-1``."""
    access_key: str = "{access_key_id}"
    """The name of the key."""
    secret_key: str = "{secret_access_key}"  # noqa: S105
    """The key."""
    session_token: str = "{session_token}"  # noqa: S105
    """What comes with temporary keys; may be empty."""

    def needs(self) -> tuple[str, ...]:
        """Return the settings that hold key and region."""
        return tuple(sorted(names([self.service, self.region, self.access_key, self.secret_key])))

    def heeds(self) -> tuple[str, ...]:
        """Return the setting of temporary keys."""
        return tuple(sorted(names(self.session_token)))

    def sign(self, request: Request, http: Http) -> None:
        """Set the Authorization header, and with it the date, the session's token and (S3) the hash of the body."""
        auth, credentials, awsrequest = (library(f"botocore.{m}", "SigV4", "aws") for m in _MODULES)
        region, service, key, secret, session = (
            text(fill(template, http.settings))
            for template in (self.region, self.service, self.access_key, self.secret_key, self.session_token)
        )
        path, query = _address(request)
        request.url, request.params = path + (f"?{query}" if query else ""), {}
        pairs = parse_qsl(query, keep_blank_values=True)
        aws = awsrequest.AWSRequest(request.method, path, dict(request.headers), request.body, pairs)
        now = moment.now() + http.notes.get("skew", timedelta())
        aws.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        signer = (auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth)(
            credentials.Credentials(key, secret, session or None), service, region
        )
        # What its add_auth does, but for the clock, and for the log, in which that writes all that is signed.
        signer._modify_request_before_signing(aws)  # noqa: SLF001
        said = signer.string_to_sign(aws, signer.canonical_request(aws))
        signer._inject_signature_to_request(aws, signer.signature(said, aws))  # noqa: SLF001
        for name, value in aws.headers.items():
            if header_of(request, name) != value:
                set_header(request, name, value)

    def refuses(self, reply: Reply) -> bool:
        """Return whether *reply* says that our clock is wrong: a 403, or a 400."""
        return reply.status in {400, 403} and any(words in reply.body for words in _SKEWED)

    def renew(self, http: Http, reply: Reply) -> bool:
        """Go by the server's clock, if it differs from the one gone by."""
        try:
            theirs = moment.parse(reply.headers["Date"]) - moment.now()
        except (KeyError, ValueError, TypeError):
            return False
        differs = bool(abs(theirs - http.notes.get("skew", timedelta())) > _MOST)
        if differs:
            http.notes["skew"] = theirs
        return differs


_MODULES = ("auth", "credentials", "awsrequest")


def _address(request: Request) -> tuple[str, str]:
    """Return the URL that *request* goes to without its query, and that, encoded as AWS has it: a space is ``%20``."""
    path, _, query = written_url(request).partition("?")
    return path, urlencode(parse_qsl(query, keep_blank_values=True), quote_via=quote, safe="-_.~")
