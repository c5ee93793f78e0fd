"""Logging in by declared steps: what is asked, what is taken from the answers, and where later requests carry it.

The same steps trade a long-lived token for a short-lived one. What is taken is kept in the connection's token store, so that all its
processes share one log-in.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from antiphon import moment
from antiphon.api import JSON, Auth, Reply, Request
from antiphon.auth.place import FORM, put, set_header
from antiphon.auth.stored import is_sealed, sealed, store_of
from antiphon.bounds import Method, Status, Wait
from antiphon.errors import BadReply, DescriptionError, Unauthorized, Unavailable
from antiphon.fill import fill, look, names, text
from antiphon.style import Rest
from antiphon.tokens import Token

if TYPE_CHECKING:
    from antiphon.http import Http

_SECRET = 8
"""Letters from which on a value that a log-in gave is taken for a secret: a user's number is none."""


@dataclass(frozen=True)
class Step:
    """One request of a log-in, and what is taken from its answer, by the names that later steps and requests have for it."""

    url: str
    """A path of the API, or the whole address of another host that gives tokens."""
    method: Method = "POST"
    """The method."""
    params: Mapping[str, JSON] = field(default_factory=dict)
    """The query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers."""
    body: JSON = None
    """The body, sent as JSON: ``{user: "{username}", password: "{password}"}``."""
    form: bool = False
    """Whether the body is sent as a form instead."""
    take: Mapping[str, str] = field(default_factory=dict)
    """What is taken from the answer's JSON: a name, and the dotted path to it."""
    take_header: Mapping[str, str] = field(default_factory=dict)
    """What is taken from its headers: a name, and the header's."""
    take_cookie: Mapping[str, str] = field(default_factory=dict)
    """What is taken from the cookies it sets: a name, and the cookie's."""
    take_match: Mapping[str, str] = field(default_factory=dict)
    """What is taken from its text: a name, and a regular expression with one group."""

    def __post_init__(self) -> None:
        """Refuse an expression that is none, or takes nothing."""
        for name, pattern in self.take_match.items():
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise DescriptionError(f"login: take_match.{name} is no regular expression: {error}") from None
            if groups != 1:
                raise DescriptionError(f"login: take_match.{name} needs one group, the part that is taken")

    @property
    def given(self) -> set[str]:
        """The names of what is taken."""
        return {*self.take, *self.take_header, *self.take_cookie, *self.take_match}

    def names(self) -> set[str]:
        """Return the names of the values that it asks with."""
        return names([self.url, self.params, self.headers, self.body])

    def asked(self, http: Http, values: Mapping[str, Any], where: str) -> Reply:
        """Return the answer."""
        request = Request(
            self.method, text(fill(self.url, values)), fill(self.params, values), fill(self.headers, values)
        )
        request.body = fill(self.body, values)
        if self.form:
            request.body = urlencode(request.body or {}, doseq=True).encode()
            set_header(request, "Content-Type", FORM)
        return http.ask(request, where)

    def taken(self, reply: Reply) -> dict[str, Any]:
        """Return what *reply* gives, by name; what it does not give is left out."""
        cookies = reply.headers.get("Set-Cookie", "")
        found: dict[str, Any] = {name: reply.headers.get(header) for name, header in self.take_header.items()}
        found |= {
            name: _first(rf"(?:^|,\s*){re.escape(c)}=\"?([^;,\s\"]*)", cookies) for name, c in self.take_cookie.items()
        }
        if self.take_match:
            said = reply.body.decode("utf-8", "replace")
            found |= {name: _first(pattern, said) for name, pattern in self.take_match.items()}
        if self.take:
            with suppress(BadReply):
                found |= {name: look(reply.json(), path) for name, path in self.take.items()}
        return {name: value for name, value in found.items() if value is not None and value != ""}


@dataclass(frozen=True)
class Login(Auth):
    """A log-in by declared steps: session log-ins, and tokens that are traded for others.

    Logged in once; what the steps took is kept, and shared by all processes of the connection. Once more when it ends, or
    when a request is told that it has.
    """

    steps: tuple[Step, ...]
    """The requests, in their order."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The headers that every request carries from then on: ``{Authorization: "Bearer {token}"}``."""
    query: Mapping[str, str] = field(default_factory=dict)
    """The same in its query."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """The same in its cookies."""
    body: Mapping[str, str] = field(default_factory=dict)
    """The same in the fields of its body: dotted paths."""
    base64: Mapping[str, str] = field(default_factory=dict)
    """Names for what is written in base64: ``{pair: "{username}:{password}"}``, then ``Basic {pair}``."""
    seconds: Wait = 0
    """How long it lasts; 0: until a request is refused."""
    expires_in: str = ""
    """The name of what was taken that says for how many seconds it lasts."""
    expires_at: str = ""
    """The name of what was taken that says when it ends: RFC 3339, or seconds or milliseconds since the epoch."""
    expired_status: tuple[Status, ...] = ()
    """Statuses besides 401 that say that it has ended."""
    expired_text: str = ""
    """Words in an answer, whatever its status, that say so."""
    logout: Step | None = None
    """The request that ends it, made by ``antiphon logout``."""

    def __post_init__(self) -> None:
        """Refuse an end that is not taken."""
        taken = self.given
        for name in (self.expires_in, self.expires_at):
            if name and name not in taken:
                raise DescriptionError(f'login: no step takes "{name}", which is to say when the log-in ends')

    @property
    def given(self) -> set[str]:
        """The names that the steps give values for, besides the settings."""
        return set().union(*(step.given for step in self.steps), self.base64)

    def needs(self) -> tuple[str, ...]:
        """Return the settings that the steps ask with."""
        asked = set().union(*(step.names() for step in self.steps))
        carried = names([self.headers, self.query, self.cookies, self.body, self.base64])
        return tuple(sorted((asked | carried) - self.given))

    def prepare(self, http: Http) -> None:
        """Be logged in.

        Raises:
            Unauthorized: the log-in was refused, or gave nothing.
            Unavailable: it cannot be reached.
            Busy, Storage: the store cannot be used.
        """
        kept = http.notes.get("login")
        if kept is None or kept.ending():
            self._renewed(http, unlike=kept)

    def sign(self, request: Request, http: Http) -> None:
        """Put what was taken in its places."""
        values = self._values(http, http.notes["login"].taken)
        for place, entries in (
            ("header", self.headers),
            ("query", self.query),
            ("cookie", self.cookies),
            ("body", self.body),
        ):
            for name, template in entries.items():
                put(request, text(fill(template, values)), **{place: name})

    def refuses(self, reply: Reply) -> bool:
        """Return whether *reply* says, by its status or in its words, that the log-in has ended."""
        return reply.status in self.expired_status or bool(
            self.expired_text and self.expired_text.encode() in reply.body
        )

    def renew(self, http: Http, reply: Reply) -> bool:  # noqa: ARG002
        """Log in again."""
        self._renewed(http, unlike=http.notes["login"])
        return True

    def again(self, http: Http) -> None:
        """Log in, however good what is stored looks."""
        self._renewed(http, unlike=store_of(http).load())

    def forget(self, http: Http) -> bool:
        """Log out, as far as the API has that, and forget what is kept; return whether there was something."""
        store = store_of(http)
        kept = store.load()
        if self.logout and kept:
            self.logout.asked(http, self._values(http, kept.taken), self._where())
        return store.remove()

    def _renewed(self, http: Http, *, unlike: Token | None) -> None:
        """Use what another process has in the store if that is newer; else log in and put it there."""
        store = store_of(http)
        with store.locked():
            stored = store.load()
            newer = stored and stored.taken and (unlike is None or stored.taken != unlike.taken) and not stored.ending()
            if stored and newer and is_sealed(self._asks(http), stored.owner):
                token = stored
            else:
                token = self._logged_in(http)
                store.save(token)
        self._hide(http, token.taken)
        http.notes["login"] = token

    def _logged_in(self, http: Http) -> Token:
        http.session.cookies.clear()  # of an earlier log-in
        taken: dict[str, Any] = {}
        for step in self.steps:
            reply = step.asked(http, self._values(http, taken), self._where())
            found = step.taken(reply)
            self._hide(http, found)
            self._judge(step, reply, found)
            taken |= found
        now = time.time()
        ends = self._ends(taken, now)
        return Token("", got_at=now, expires_at=ends, owner=sealed(self._asks(http)), taken=taken)

    def _judge(self, step: Step, reply: Reply, found: Mapping[str, Any]) -> None:
        """Raise what *reply* says, if it is no yes."""
        hint = f"Check the settings {' and '.join(self.needs())}." if self.needs() else ""
        if reply.status >= 400:  # noqa: PLR2004
            error = Rest().fault(reply)
            assert error  # noqa: S101
            if isinstance(error, Unavailable):
                raise Unavailable(f"the log-in says {error.message}", status=reply.status)
            raise Unauthorized(f"the log-in says {error.message}", status=401, code=error.code, hint=hint)
        if missing := sorted(step.given - found.keys()):
            said = f"the log-in says {reply.status} and gives no {' and no '.join(missing)}"
            raise Unauthorized(said, status=401, hint=hint)

    def _ends(self, taken: Mapping[str, Any], now: float) -> float:
        """Return when the log-in ends, 0 where nothing tells."""
        try:
            if self.expires_at:
                return moment.parse(taken[self.expires_at]).timestamp()
            seconds = float(taken[self.expires_in]) if self.expires_in else self.seconds
        except (ValueError, TypeError, OverflowError):
            return 0
        return now + seconds if seconds > 0 else 0

    def _values(self, http: Http, taken: Mapping[str, Any]) -> dict[str, Any]:
        values = {**http.settings, **taken}
        written = {
            name: base64.b64encode(text(fill(template, values)).encode()).decode()
            for name, template in self.base64.items()
        }
        return values | written

    def _hide(self, http: Http, taken: Mapping[str, Any]) -> None:
        values = self._values(http, taken)
        found = {name: text(values.get(name)) for name in {*taken, *self.base64} - {self.expires_in, self.expires_at}}
        http.hide(*(value for value in found.values() if len(value) >= _SECRET))

    def _asks(self, http: Http) -> str:
        """Return all that the log-in is asked with: what it gave belongs to that."""
        steps = [asdict(step) for step in self.steps]
        return repr([http.base_url, steps, [http.settings.get(name) for name in self.needs()]])

    def _where(self) -> str:
        return " and ".join(sorted(names([step.url for step in self.steps]))) or "base_url"


def _first(pattern: str, said: str) -> str:
    found = re.search(pattern, said)
    return (found[1] or "") if found else ""
