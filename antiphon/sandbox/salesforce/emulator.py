"""A Salesforce org in memory and on a little disk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from antiphon.sandbox.emulator import Emulator
from antiphon.sandbox.exchange import Request, Response
from antiphon.sandbox.salesforce import control, describes, moments, routes, seeds, sessions
from antiphon.sandbox.salesforce.context import FIRST_VERSION, LAST_VERSION, Context, State
from antiphon.sandbox.salesforce.extracts import Extracts
from antiphon.sandbox.salesforce.fields import Field
from antiphon.sandbox.salesforce.ids import COUNT
from antiphon.sandbox.salesforce.ingest import Ingests
from antiphon.sandbox.salesforce.jobs import Numbering
from antiphon.sandbox.salesforce.moments import Moment
from antiphon.sandbox.salesforce.queries import Cursors
from antiphon.sandbox.salesforce.refusals import Refusal, not_found
from antiphon.sandbox.salesforce.settings import Settings
from antiphon.sandbox.salesforce.store import Org, SObject, Stored
from antiphon.sandbox.salesforce.writes import Locks, Writer

MAX_URI = 16_384
"""Bytes of a URI, and of a URI together with its headers."""
_LOGIN_HOST, _INSTANCE_HOST = "localhost", "127.0.0.1"


class Salesforce(Emulator):
    """One org. `records` accounts and shares of the other objects (or as `counts` says by object), and `Settings`.

    `org` is its state; the methods below change it as somebody in the vendor's UI would. A million rows of one object
    are best asked for with `records=0, counts={"Contact": 1_000_000}`.
    """

    name: ClassVar[str] = "salesforce"

    def __init__(
        self,
        *,
        records: int = 100,
        counts: Mapping[str, int] | None = None,
        limit: tuple[int, float] | None = None,
        faults: Mapping[str, float] | None = None,
        seed: int = 0,
        latency_ms: float = 0,
        stall_seconds: float = 0.2,
        **settings: Any,
    ) -> None:
        super().__init__(limit=limit, faults=faults, seed=seed, latency_ms=latency_ms, stall_seconds=stall_seconds)
        self.settings = Settings(**settings)
        self.org = Org()
        locks, numbering = Locks(self.settings, seed), Numbering()
        self.state = State(
            self.org, self.settings, locks, Cursors(),
            Ingests(self.org, locks, self.lock, numbering), Extracts(self.org, self.lock, numbering),
        )  # fmt: skip
        self.sessions = sessions.Sessions(self.settings, self.org.ids.text(self.org.user))
        self._token = ""
        seeds.sow(self.org, records, counts or {}, seed)

    # To look into it and to steer it.

    @property
    def access_token(self) -> str:
        """A session that lives, opened when there is none."""
        if not self.sessions.accepts(self._token):
            self._token = self.sessions.open()
        return self._token

    def object(self, name: str) -> SObject:
        """An object of the org. KeyError when there is none."""
        found = self.org.find(name)
        if found is None:
            raise KeyError(name)
        return found

    def records(self, type_: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """Every record in the order of ids, as JSON replies have them, without compounds."""
        with self.lock:
            return self.org.documents(self.object(type_), deleted=deleted)

    def size(self, type_: str) -> int:
        """How many live records there are."""
        with self.lock:
            return self.org.size(self.object(type_))

    def add(self, type_: str, record: Mapping[str, Any], *, at: Moment | None = None) -> str:
        """A new record from JSON's types, checking little; its id."""
        with self.lock:
            of = self.object(type_)
            values = Writer(self.org, of, self.state.locks).read(record)
            return self.org.ids.text(self.org.insert(of, values, at=moments.seconds(at)))

    def edit(
        self,
        type_: str,
        record: Mapping[str, Any],
        *,
        ids: Iterable[str] | None = None,
        at: Moment | None = None,
        stamp: bool = True,
    ) -> int:
        """Set the same values on many records (all, unless given) at one timestamp, or at none; how many."""
        with self.lock:
            of = self.object(type_)
            values: dict[str, Stored] = Writer(self.org, of, self.state.locks).read(record)
            if stamp:
                now = moments.seconds(at)
                values = {"LastModifiedDate": now, "SystemModstamp": now, **values}
            names = '" = ?, "'.join(values)
            where = ""
            if ids is not None:
                where = f' AND "Id" IN ({", ".join(str(self._number(each)) for each in ids)})'
            sql = f'UPDATE {of.table} SET "{names}" = ? WHERE "IsDeleted" = 0{where}'
            return self.org.execute(sql, tuple(values.values())).rowcount

    def delete(self, type_: str, id_: str, *, hard: bool = False, at: Moment | None = None) -> None:
        """Into the recycle bin, or past it."""
        with self.lock:
            gone = self.org.erase if hard else self.org.delete
            gone(self.object(type_), self._number(id_), at=moments.seconds(at))

    def add_fields(self, type_: str, catalogue: str) -> list[Field]:
        """Fields, written as in the catalogue: `Size__c:picklist,closed=S|M|L`."""
        with self.lock:
            return self.org.add_fields(self.object(type_), catalogue)

    def add_many_fields(self, type_: str, count: int, *, prefix: str = "Extra_", fill: bool = False) -> list[str]:
        """Many text fields; `fill` gives every record values in them, and changes no timestamps."""
        with self.lock:
            of = self.object(type_)
            names = [f"{prefix}{n:03d}__c" for n in range(1, count + 1)]
            self.org.add_fields(of, "\n".join(f"{name}:string" for name in names))
            if fill:
                each = ", ".join(f'"{name}" = ("Id" & {COUNT}) + {n}' for n, name in enumerate(names))
                self.org.execute(f"UPDATE {of.table} SET {each}")
            return names

    def add_object(self, name: str, catalogue: str, *, prefix: str | None = None) -> SObject:
        """A custom object (`name` ends in `__c`) with these fields, a Name and an owner."""
        with self.lock:
            return self.org.add_object(name, catalogue, prefix=prefix)

    def hide_field(self, type_: str, name: str) -> None:
        """Take a field from the user's sight, as field-level security does."""
        with self.lock:
            self.org.hide_field(self.object(type_), name)

    def lock_rows(self, n: int) -> None:
        """Let the next `n` rows that are written be held by somebody else."""
        self.state.locks.next = n

    def fail_next_job(
        self, after: int, *, state: str = "Failed", message: str = "InternalServerError : Too many lock failure"
    ) -> None:
        """Let the next ingest job that is opened end after so many rows, with the rest unprocessed."""
        self.state.ingests.next_failures.append((after, state, message))

    def expire_token(self) -> None:
        """End every session; logging in anew is possible."""
        self.sessions.close_all()

    def renew_token(self) -> str:
        """A fresh session, and the end of the others."""
        self.sessions.close_all()
        return self.access_token

    # What the rest of the sandbox asks of a vendor.

    def config(self, base_url: str) -> dict[str, Any]:
        """The plugin config with which a client reaches this org, for the kind of login that `Settings` says."""
        if self.settings.login == "session":
            return {
                "instance_url": base_url,
                "access_token": self.access_token,
                "api_version": self.settings.api_version,
            }
        login_url = base_url if self.settings.my_domain else base_url.replace(_INSTANCE_HOST, _LOGIN_HOST)
        shown = {"login_url": login_url, "client_id": sessions.CLIENT_ID}
        match self.settings.login:
            case "refresh_token":
                shown |= {"client_secret": sessions.CLIENT_SECRET, "refresh_token": self.sessions.refresh_token}
            case "jwt":
                shown |= {"username": sessions.USERNAME, "private_key": self.sessions.private_key}
            case "client_credentials" | "authorization_code":
                shown |= {"client_secret": sessions.CLIENT_SECRET}
        return {**shown, "api_version": self.settings.api_version}

    def writes(self, request: Request) -> bool:
        """Anything but reading and logging in."""
        return routes.writes(request.method, routes.label(request.segments))

    def route(self, request: Request) -> str:
        """`sobjects/Account/{id}`: the same for every version, ids, locators and external ids left out."""
        return routes.label(request.segments)

    def refusal(self, kind: str) -> Response:
        """The vendor's own words. There is no 429: too many calls at once are a 403 without a word on when."""
        if kind == "429":
            self.rate_limited += 1
            return self._announced(_concurrent().response())
        if kind == "token-expiry":
            return self._announced(sessions.expired().response())
        if kind == "conflict":
            message = "unable to obtain exclusive access to this record or 1 records"
            return self._announced(Refusal(400, "UNABLE_TO_LOCK_ROW", message, ()).response())
        message = "An unexpected error occurred. Please include this ErrorId if you contact support: 1-1 (-1)"
        return Refusal(500, "UNKNOWN_EXCEPTION", message).response()

    def answer(self, request: Request) -> Response:
        """Do the work, or refuse it in the vendor's shape."""
        long = _too_long(request)
        if long is not None:
            return long
        try:
            return self._answered(request)
        except Refusal as refusal:
            return refusal.response()

    def _answered(self, request: Request) -> Response:
        match request.segments:
            case ["services", "oauth2", *_]:
                on_my_domain = self.settings.my_domain or not self._at_login(request)
                return self.sessions.answer(request, self._base(request), on_my_domain=on_my_domain)
            case ["id", _, _]:
                return self.sessions.identity(request, self._base(request))
            case ["services", "data"]:
                return describes.versions(FIRST_VERSION, LAST_VERSION)
            case ["services", "data", version, *path] if version.startswith("v"):
                return self._rest(request, version[1:], path)
        raise not_found()

    def _rest(self, request: Request, version: str, path: list[str]) -> Response:
        try:
            return self._announced(self._admitted(request, version, path))
        except Refusal as refusal:
            return self._announced(refusal.response())

    def _admitted(self, request: Request, version: str, path: list[str]) -> Response:
        if not self.settings.my_domain and self._at_login(request):
            # The login's host has no data; the token's reply says where it is.
            raise not_found()
        _checked_version(version)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in {"bearer", "oauth"} or not self.sessions.accepts(token):
            raise sessions.expired()
        if self.settings.api_disabled:
            raise Refusal(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.")
        if self.settings.daily_used >= self.settings.daily_limit:
            raise Refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if self.limit is not None and not self.limit.admit():
            self.rate_limited += 1
            raise _concurrent()
        self.settings.daily_used += 1
        return self._within(request, version, path)

    def _within(self, request: Request, version: str, path: list[str]) -> Response:
        context = Context(self.state, request, version, path, self._base(request))
        return routes.dispatch(context, self.settings.daily_used, self._subrequest)

    def _subrequest(self, request: Request) -> Response:
        """A call within a composite one; it counts against the limits as any other."""
        match request.segments:
            case ["services", "data", version, *path] if version.startswith("v") and path[:2] != ["composite", "batch"]:
                self.settings.daily_used += 1
                try:
                    return self._within(request, version[1:], path)
                except Refusal as refusal:
                    return refusal.response()
        return not_found().response()

    def _announced(self, response: Response) -> Response:
        used, most = self.settings.daily_used, self.settings.daily_limit
        response.headers["Sforce-Limit-Info"] = f"api-usage={used}/{most}"
        return response

    @staticmethod
    def _at_login(request: Request) -> bool:
        return request.headers.get("host", "").partition(":")[0] == _LOGIN_HOST

    def _base(self, request: Request) -> str:
        """The instance's address, with the port that the client used."""
        if self.url:
            return self.url
        _, _, port = request.headers.get("host", "").partition(":")
        return f"http://{_INSTANCE_HOST}:{port}" if port else f"http://{_INSTANCE_HOST}"

    def _number(self, id_: str) -> int:
        number = self.org.ids.number(id_)
        if number is None:
            raise KeyError(id_)
        return number

    def control(self, request: Request) -> Response | None:
        """This vendor's part of the control surface."""
        return control.answer(self, request)


def _too_long(request: Request) -> Response | None:
    html = {"Content-Type": "text/html"}
    if len(request.target) > MAX_URI:
        return Response(414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", html)
    headers = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    if len(request.target) + headers > MAX_URI:
        return Response(431, b"<h1>Bad Message 431</h1><pre>reason: Request Header Fields Too Large</pre>", html)
    return None


def _checked_version(version: str) -> None:
    number, point, minor = version.partition(".")
    if not (number.isdigit() and point and minor == "0") or int(number) > LAST_VERSION:
        raise not_found()
    if int(number) < FIRST_VERSION:
        raise Refusal(
            410, "UNSUPPORTED_API_VERSION", f"API version {version} has been retired and is no longer supported"
        )


def _concurrent() -> Refusal:
    return Refusal(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
