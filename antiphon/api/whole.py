"""An API as a whole: what all its resources have in common, and that they name nothing which nobody declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from antiphon import moment
from antiphon.api.reading import Parts, Read, Reader
from antiphon.api.resource import Resource
from antiphon.api.settings import COMMON_SETTINGS, CREDENTIALS, Quota, RateLimit, Setting
from antiphon.api.usual import PLACEHOLDERS
from antiphon.api.wire import Auth, Encoding, Format, Style
from antiphon.api.writing import Write
from antiphon.bounds import Span, Url
from antiphon.errors import DescriptionError, Unknown, did_you_mean
from antiphon.fill import names, refuse_unknown
from antiphon.outcome import ByStatus, Location, One

if TYPE_CHECKING:
    from antiphon.client import Client


@dataclass(frozen=True)
class Api:
    """An API: one description, from which come its tap, its target, its one-line client and its connect form."""

    name: str
    """What the connection is called, and its variables begin with."""
    title: str
    """What people call the API."""
    base_url: Url
    """Where all paths begin; settings may stand in it."""
    resources: tuple[Resource, ...] = ()
    """What can be read and written, by name."""
    auth: Auth | tuple[Auth, ...] = ()
    """One, or several of which the first is used whose settings are all given."""
    settings: tuple[Setting, ...] = ()
    """What a user tells a connection. Those that its way to sign keeps credentials in under their usual names need not be declared."""
    limits: tuple[RateLimit, ...] = ()
    """Calls in seconds; a request counts towards each limit that applies to it."""
    parallel: Annotated[int, Span(least=1, most=10)] = 4
    """How many requests that write may be under way at a time, unless the setting of that name says otherwise."""
    quota: Quota | None = None
    """The reply headers that tell a daily quota."""
    style: Style | None = None
    """How a call is encoded and a fault recognised; None for REST."""
    format: Format | None = None
    """How answers are read; None for JSON."""
    encoding: Encoding | None = None
    """How bodies are written; None for JSON."""
    check: Read | Reader | None = None
    """The cheapest request that shows whether the credentials work; the first of a list, unless it is said here."""
    hosts: tuple[str, ...] = ()
    """Hosts that may be spoken to besides the base URL's."""
    docs: Url = ""
    """The URL of the vendor's reference."""
    version: str = ""
    """The version of the API that is described."""
    account: str = ""
    """What tells one account from another: ``{base_url}``, settings, and of the answer to ``check`` as ``{check.portalId}``."""
    discover: Callable[[Client], Iterable[Resource]] | None = None
    """Resources that only the API itself knows of (custom objects), named cheaply."""
    complete: bool = False
    """Whether what ``discover`` finds is all that an account has: then ``resources`` stand in where it cannot be asked."""

    def __post_init__(self) -> None:
        """Add what goes without saying; refuse a description that names what it does not declare."""
        object.__setattr__(self, "settings", (*self.settings, *self.implied(self.settings)))
        object.__setattr__(self, "check", self.check or self.first_of_a_list())
        known = {s.name for s in self.all_settings}
        refuse_unknown(self.base_url, known, f"{self.name}: base_url")
        refuse_unknown(self.account, known | {"base_url", "check"}, f"{self.name}: account")
        for resource in self.resources:
            check_resource(self, resource)
        names = [name for resource in self.resources for name in (resource.name, *resource.aliases)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DescriptionError(f"{self.name}: more than one resource is called {', '.join(twice)}")

    def implied(self, declared: Iterable[Setting]) -> tuple[Setting, ...]:
        """Return the settings that its ways to sign keep credentials in, as they usually are, without those *declared*."""
        signing = self.auth if isinstance(self.auth, tuple) else (self.auth,)
        known = {setting.name for setting in declared}
        needed = {name for auth in signing for name in auth.needs()}
        heeded = {name for auth in signing for name in auth.heeds()}
        return tuple(
            replace(setting, required=len(signing) == 1 and setting.name in needed)
            for setting in CREDENTIALS
            if setting.name in (needed | heeded) - known
        )

    def first_of_a_list(self) -> Read | None:
        """Return what asks for a record of the first resource that is simply listed: a check, where none is named."""
        for resource in self.resources:
            if isinstance(read := resource.read, Read) and not resource.parent:
                paging: Any = read.paging
                size = getattr(paging, "size", None)
                return Read(
                    read.path,
                    read.method,
                    read.params,
                    read.body,
                    read.headers,
                    paging=replace(paging, size=(size[0], 1)) if isinstance(size, tuple) else paging,
                    query=read.query,
                    format=read.format,
                    encoding=read.encoding,
                )
        return None

    @property
    def all_settings(self) -> tuple[Setting, ...]:
        """Its own settings, and of those that any connection has the ones that mean something here."""
        own = {setting.name for setting in self.settings}
        spoken = bool(self.base_url) or "base_url" in own
        return (
            *self.settings,
            *(s for s in COMMON_SETTINGS if s.name not in own and (spoken or s.name == "state_dir")),
        )

    def setting(self, name: str) -> Setting:
        """Return the setting called *name*.

        Raises:
            Unknown: there is none.
        """
        for setting in self.all_settings:
            if setting.name == name:
                return setting
        raise Unknown(
            f'{self.name} has no setting "{name}"', hint=did_you_mean(name, (s.name for s in self.all_settings))
        )

    @property
    def readable(self) -> bool:
        """Whether there is anything to read: then there is a tap."""
        return any(resource.read or resource.changes for resource in self.resources) or self.discover is not None

    @property
    def writable(self) -> bool:
        """Whether there is anything to write: then there is a target."""
        return any(resource.writable for resource in self.resources)


def check_resource(api: Api, resource: Resource) -> None:
    """Refuse a resource whose requests name values that nobody will give.

    Raises:
        DescriptionError: naming the API, the resource, the slot and the placeholder.
    """
    known = PLACEHOLDERS | {s.name for s in api.all_settings}
    slots = {slot: getattr(resource, slot) for slot in (*resource.READING, *resource.WRITING)} | dict(resource.actions)
    for slot, what in slots.items():
        where = f"{api.name}: {resource.name}.{slot}"
        if isinstance(what, Read):
            refuse_unknown([what.path, what.params, what.body, what.headers, what.keep], known, where)
            if not moment.is_zone(what.zone):
                said, at = f'there is no time zone "{what.zone}"', ("resources", resource.name, slot, "zone")
                raise DescriptionError(f"{where}: {said}", hint="For example: Europe/Berlin.", at=at, said=said)
            if what.then:
                then = what.then.read
                refuse_unknown([then.path, then.params, then.body, what.then.each], known, where)
            if what.parts:
                _check_parts(what, what.parts, known, ("resources", resource.name, slot, "parts"), where)
        elif isinstance(what, Write):
            each = None if callable(what.each) else what.each
            refuse_unknown([what.path, what.params, what.body, what.headers, what.add, each], known, where)
            if what.batch > 1 and not what.into and not what.via and "records" not in names(what.body):
                said = "a batch needs `into`, the place of the records in the body"
                raise DescriptionError(f"{where}: {said}", at=("resources", resource.name, slot), said=said)
            if what.batch > 1 and not what.via and isinstance(what.outcomes, One | Location | ByStatus):
                said = "a batch needs `outcomes` that tell of each record"
                hint = "One of: per_item, failures, by_path, nothing."
                raise DescriptionError(f"{where}: {said}", hint=hint, at=("resources", resource.name, slot), said=said)


def _check_parts(read: Read, parts: Parts, known: set[str], at: tuple[str, ...], where: str) -> None:
    for other in filter(None, (parts.last, parts.read)):
        refuse_unknown([other.path, other.params, other.body, other.headers], known, f"{where}.parts")
    by: object = (parts.read or read).paging
    if not hasattr(by, "after") or getattr(by, "inclusive", False):
        said = "parts are read by key, and this list is not"
        hint = "Give paging: {keyset: …} with keys of which no two are the same, or give parts a read that has it."
        raise DescriptionError(f"{where}: {said}", hint=hint, at=at, said=said)
    if parts.read and not parts.total:
        said = "a list whose parts are read by another request has to be counted"
        hint = "Give total: where the answer to last tells how many records there are up to {upto}."
        raise DescriptionError(f"{where}: {said}", hint=hint, at=at, said=said)
