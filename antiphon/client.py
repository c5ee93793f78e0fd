"""One API with one set of settings: its resources read, found and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import antiphon
from antiphon.ahead import Lanes
from antiphon.api import Api, Auth, Page, Query, RateLimit, Read, Record, Request, Resource, Schema, Write
from antiphon.asking import DOING, decoded, doing_word, request
from antiphon.budget import file_name
from antiphon.changing import KINDS, send_changes
from antiphon.errors import ApiError, BadReply, Forbidden, NotFound, Refused, Unauthorized, Unknown, did_you_mean
from antiphon.fill import MISSING, fill, names
from antiphon.http import Http
from antiphon.limits import Limiter
from antiphon.outcome import Change, Outcome
from antiphon.pages import pages
from antiphon.parents import under_parents
from antiphon.parts import InParts
from antiphon.schema import types
from antiphon.shared import Shared

if TYPE_CHECKING:
    import requests

__all__ = ["Client", "doing_word"]


class Client:
    """Speaks to *api* with *settings*. The way there is :attr:`http`; its session's adapters are the seam for tests."""

    def __init__(
        self,
        api: Api,
        settings: Mapping[str, Any],
        *,
        session: requests.Session | None = None,
        folder: Path | None = None,
        connection: str = "",
        counted: Sequence[Path] = (),
    ) -> None:
        """Prepare; nothing is sent yet.

        *connection* is the connection's name, if it has one, and *folder* where it keeps what it must: tokens, ids. Calls are *counted*
        in the first of these folders that can be written, together with all who use the same account.
        """
        self.api = api
        self.folder = folder
        self.settings = {s.name: s.default for s in api.settings if s.default is not None} | {
            name: value for name, value in settings.items() if value is not None
        }
        base_url = str(self.settings.get("base_url") or fill(api.base_url, self.settings) or "")
        secrets = [str(self.settings[s.name]) for s in api.settings if s.secret and self.settings.get(s.name)]
        auth = _auth(api, self.settings, base_url)
        limits = [limit for limit in api.limits if limit.holds_at(base_url)]
        self.http = Http(
            api.name,
            base_url,
            auth=auth,
            settings={"user_agent": f"antiphon/{antiphon.__version__}", **self.settings},
            secrets=secrets,
            hosts=() if self.settings.get("base_url") else api.hosts,
            style=api.style,
            format=api.format,
            encoding=api.encoding,
            quota=api.quota,
            limiter=Limiter(
                limits,
                float(self.settings.get("rate_share") or 1),
                paths=[folder / self._account(base_url, auth.needs() if auth else (), limits) for folder in counted],
            ),
            session=session,
            folder=folder,
            connection=connection,
        )
        if not self.settings.get("base_url"):
            self.http.base_setting = " or ".join(sorted(names(api.base_url))) or "base_url"
        self.doubled: str = getattr(api.style, "doubled", "")
        """The character that is doubled within texts that stand between two of it; see :func:`~antiphon.fill.fill`."""
        self.lanes = Lanes()
        """How many requests of a list may be under way at once."""
        self.shared = Shared()
        """The lists that several resources are made of."""
        self._schemas: dict[str, Schema] = {}
        self._discovered: dict[str, Resource] | None = None

    def _account(self, base_url: str, credential: Sequence[str], limits: Sequence[RateLimit]) -> str:
        """Return the name of the file in which all who use this *credential* at this address count their calls."""
        account = [str(self.settings.get(name)) for name in credential]
        return file_name(self.api.name, base_url, account, [(n.calls, n.seconds, n.paths) for n in limits])

    # Resources

    def resource(self, name: str) -> Resource:
        """Return the resource called *name* (or by one of its aliases), asking the API only for names not known here.

        Raises:
            Unknown: there is none; the text names those there are.
        """
        for resource in self.api.resources:
            if name == resource.name or name in resource.aliases:
                return resource
        for resource in self.discovered():
            if name == resource.name or name in resource.aliases:
                return resource
        known = {r.name for r in (*self.api.resources, *self.discovered())}
        raise Unknown(f'{self.api.name} has no resource "{name}"', hint=did_you_mean(name, known))

    def discovered(self) -> list[Resource]:
        """Return the resources that only the API itself knows of. Asked once."""
        if self._discovered is None:
            self._discovered = {r.name: r for r in self.api.discover(self)} if self.api.discover else {}
        return list(self._discovered.values())

    def schema(self, resource: Resource, *, ask: bool = True) -> Schema:
        """Return the schema of *resource*, asking the API once where it is the one to know; without *ask* what is known by now."""
        if not callable(resource.schema):
            return resource.schema
        if ask and resource.name not in self._schemas:
            self._schemas[resource.name] = resource.schema(self)
        return self._schemas.get(resource.name, {})

    def id(self, resource: Resource, id: str | None) -> str | int | None:
        """Return an *id* as requests have it: as a number where the schema says that it is one."""
        field = self.schema(resource, ask=False).get("properties", {}).get(resource.key[0], {}) if resource.key else {}
        return int(id) if id and types(field) == ("integer",) and id.isascii() and id.isdecimal() else id

    def forget(self, resource: Resource) -> None:
        """Ask for the schema of *resource* anew when it is needed next: it was changed."""
        self._schemas.pop(resource.name, None)

    def worded(self, read: Read) -> Read:
        """Return *read* as one whose values are texts, where the format of its answer has nothing else."""
        form = read.format or self.api.format
        return replace(read, text=True) if form and form.text else read

    def explain(self, resource: Resource, record: Record) -> str:
        """Return what may be wrong with *record*, which the API refused: a field that is not there, a value that is no option."""
        try:
            known = self.schema(resource).get("properties", {})
        except ApiError:
            return ""
        for name, value in record.items():
            if known and name not in known and "." not in name:
                return f'There is no field "{name}". {did_you_mean(name, known)}'
            options = known.get(name, {}).get("x-options")
            if options and isinstance(value, str) and value and not set(value.split(";")) <= set(options):
                return f'"{value}" is no option of {name}. There are: {", ".join(map(str, options[:40]))}.'
        return ""

    # Reading

    def read(self, resource: Resource, query: Query | None = None, *, slot: str = "read") -> Iterator[Page]:
        """Yield the pages of *resource*: all of it, or by another *slot* (``changes``, ``deleted``, ``get``, ``find``)."""
        query = query or Query()
        how = getattr(resource, slot)
        if how is None:
            has = [s for s in resource.READING if getattr(resource, s)]
            raise Unknown(
                f"{self.api.name}: {resource.name} has no {slot}", hint=f"It has: {', '.join(has) or 'none'}."
            )
        if not isinstance(how, Read):
            yield from how(self, resource, query)
        elif resource.parent and slot != "get":
            yield from under_parents(self, how, resource, query, slot)
        else:
            yield from self.pages(how, resource, query, doing=f"{DOING[slot]} {resource.name}")

    def pages(
        self, read: Read, resource: Resource, query: Query, *, doing: str = "", values: Mapping[str, Any] | None = None
    ) -> Iterator[Page]:
        """Yield the pages that *read* gives, in the shape of the resource's schema.

        Raises:
            PagingError: a cursor came twice.
            BadReply: there are no records where the description says.
        """
        doing, values = doing or f"reading {resource.name}", values or {}
        if read.parts and query.parts and len(resource.key) == 1 and (self.lanes.most or _parted(query.cursor)):
            return InParts(self, read, read.parts, resource, query, doing, values).pages()
        return self._singly(pages(self, read, resource, query, doing, values))

    def _singly(self, found: Iterator[Page]) -> Iterator[Page]:
        with self.http.limiter.singly() as one:
            for page in found:
                one.given()
                yield page
                one.asked()

    def get(self, resource: Resource, id: str) -> Record:
        """Return the record with that *id*.

        Raises:
            NotFound: there is none.
        """
        for page in self.read(resource, Query(id=str(id)), slot="get"):
            for record in page.records:
                return record
        raise NotFound(f"{self.api.name}: getting {resource.name} -> there is none with id {id}")

    def find(
        self, resource: Resource, field: str, values: Sequence[Any], fields: tuple[str, ...] | None = None
    ) -> list[Record]:
        """Return the records whose *field* has one of the *values*, with the *fields* asked for.

        By their key records are got one by one, where the API has no search.
        """
        values = [value for value in values if value is not None and value != ""]  # these would find every record
        if resource.find is None and resource.found_by(field):
            return list(self._got(resource, values))
        at_once = resource.find.values if isinstance(resource.find, Read) else max(1, len(values))
        found: list[Record] = []
        for start in range(0, len(values), at_once):
            query = Query(fields=fields, where={"field": field, "values": list(values[start : start + at_once])})
            found += [record for page in self.read(resource, query, slot="find") for record in page.records]
        return found

    def _got(self, resource: Resource, ids: Iterable[Any]) -> Iterator[Record]:
        for id in ids:
            with suppress(NotFound):
                yield self.get(resource, id)

    # Writing

    def write(self, resource: Resource, operation: str, changes: Sequence[Change]) -> Iterator[Outcome]:
        """Carry out *operation* (``create``, ``update`` … or an action's name) for each of *changes*.

        Yields an :class:`~antiphon.outcome.Outcome` for each, not always in their order. A change whose answer was lost ends as
        ``unknown``.

        Raises:
            Unauthorized: the credential is not accepted.
            Unavailable: the API cannot answer now; what was not yielded was not written.
        """
        how = getattr(resource, operation, None) if operation in KINDS else resource.actions.get(operation)
        if how is None:
            hint = f"It can: {', '.join(resource.operations)}."
            raise Unknown(f"{self.api.name} cannot {operation} {resource.name}", hint=hint)
        if not isinstance(how, Write):
            yield from how(self, resource, changes)
            return
        for start in range(0, len(changes), how.batch):
            batch = changes[start : start + how.batch]
            if how.via:
                yield from how.via(self, resource, batch)
            else:
                yield from self.send_changes(how, resource, batch, operation)

    def send_changes(
        self, write: Write, resource: Resource, batch: Sequence[Change], operation: str
    ) -> Iterator[Outcome]:
        """Send one *batch* (at most ``write.batch`` changes) and yield what became of each."""
        return send_changes(self, write, resource, batch, operation)

    # Anything else

    def account(self) -> str:
        """Return what tells the account from others of the API; empty where nothing does, or where it may not be asked."""
        wanted = names(self.api.account)
        if not wanted:
            return ""
        checked = None
        if any(name.partition(".")[0] == "check" for name in wanted) or not self.http.base_url:
            try:
                checked = self.check()
            except (Unauthorized, Forbidden, NotFound, Refused, BadReply):
                return ""
        found = fill(self.api.account, {**self.settings, "base_url": self.http.base_url, "check": checked})
        return "" if found is MISSING or found is None else str(found)

    def check(self) -> Any:
        """Make the cheapest authenticated request, and return its answer, where it has one.

        Raises:
            ApiError: it did not work, and why.
        """
        check = self.api.check
        if check is None:
            raise Unknown(f"{self.api.name}: its description names no request to check a connection with")
        if isinstance(check, Read):
            doing = "checking the connection"
            reply = self.http.send(
                request(check, self.settings, check.paging.first() if check.paging else {}, doubled=self.doubled), doing
            )
            return None if reply.status == HTTPStatus.NO_CONTENT else decoded(self, reply, doing)
        for _ in check(self, Resource("check", {}), Query()):
            pass
        return None

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        doing: str = "",
        safe: bool | None = None,
    ) -> Any:
        """Make any request of the API and return its decoded body (None where it is empty)."""
        method = method.upper()
        made = Request(method, path, dict(params or {}), dict(headers or {}), json)
        safe = method in {"GET", "HEAD", "PUT", "DELETE"} if safe is None else safe
        doing = doing or f"{method} {path.partition('?')[0]}"
        reply = self.http.send(made, doing, safe=safe)
        return decoded(self, reply, doing) if reply.body.strip() else None


def _parted(cursor: Any) -> bool:
    return isinstance(cursor, Mapping) and "parts" in cursor


def _auth(api: Api, settings: Mapping[str, Any], base_url: str) -> Auth | None:
    kinds = api.auth if isinstance(api.auth, tuple) else (api.auth,)
    for auth in kinds:
        if all(settings.get(name) for name in auth.needs()):
            return auth
    if not kinds:
        return None
    return kinds[0 if base_url else -1]  # without a URL, the one that would find it
