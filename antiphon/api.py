"""The types of a description: what an API is, how to reach it, and which resources it lets one read and write.

A description is data wherever data will do, and a function in the same slot where it will not: anywhere a
:class:`Read` fits, a generator ``(client, query) -> Iterator[Page]`` fits; anywhere a :class:`Write` fits,
``(client, changes) -> Iterator[Outcome]`` fits. Nothing subclasses anything.

Placeholders in paths, parameters, headers and bodies name values (see :mod:`antiphon.fill`): every setting of the API,
and

==============  ===============================================================
``{since}``     the time from which changes are asked for, written as ``Read.time`` says
``{until}``     the time up to which they are asked for
``{fields}``    the names of the fields asked for, a list
``{id}``        the id of the record to get or to write
``{match…}``    ``field``, ``value`` and (when looking up) ``values``
``{record…}``   the record that is written, or that lines are taken from
``{records}``   the records of a batch, each as ``Write.each`` has it: a list
``{parent…}``   the record of the parent resource
``{last}``      the last key seen, when paging by key (:class:`~antiphon.paging.Keyset`)
``{token}``     unique for one change, the same when it is sent again
==============  ===============================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from antiphon import moment
from antiphon.errors import BadReply, DescriptionError, Unknown, did_you_mean
from antiphon.fill import look, names, refuse_unknown
from antiphon.outcome import Change, Nothing, One, Outcome, Outcomes, Record
from antiphon.schema import unique_fields

if TYPE_CHECKING:
    from antiphon.client import Client
    from antiphon.encode import Encoder, Rows
    from antiphon.errors import ApiError
    from antiphon.http import Http

JSON = Any

_DECODE = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True)
class Setting:
    """One thing a user tells a connection. The connect form and ``--about`` are drawn from these."""

    name: str
    title: str = ""
    description: str = ""
    secret: bool = False
    required: bool = False
    default: JSON = None
    pattern: str = ""
    example: str = ""
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


@dataclass(frozen=True)
class LimitHeaders:
    """The names of the reply headers that tell the rate limit.

    ``limit`` calls per ``interval`` milliseconds, of which ``remaining`` are left.
    """

    limit: str = ""
    remaining: str = ""
    interval: str = ""


@dataclass(frozen=True)
class RateLimit:
    """At most *calls* in any *seconds*; on the paths that end with one of *paths*, or on all.

    A request counts towards every limit that applies to it.
    """

    calls: float
    seconds: float
    paths: tuple[str, ...] = ()
    headers: LimitHeaders | None = None


@dataclass(frozen=True)
class Quota:
    """The names of the reply headers that tell a quota of many hours.

    Either ``limit`` and what is ``remaining`` of it, or ``usage`` with both in it (``api-usage=18/15000``). A part of the
    quota, the setting ``quota_reserve``, is left to others.
    """

    limit: str = ""
    remaining: str = ""
    usage: str = ""


class Auth(Protocol):
    """How a request is signed. See :mod:`antiphon.auth`. As it is here: by what the settings hold, which nothing renews."""

    per_thread: ClassVar[bool] = False
    """Whether each thread has a credential of its own, and not all of them the same."""

    def needs(self) -> tuple[str, ...]:
        """Return the names of the settings that hold the credential."""

    def prepare(self, http: Http) -> None:  # noqa: ARG002
        """Have a credential before a request is made; *http* has the settings, and the way to where a token is asked for."""
        return  # most are in the settings

    def sign(self, request: Request, http: Http) -> None:
        """Put the credential into *request*, which is otherwise as it will be sent: texts, and a body of bytes."""

    def refuses(self, reply: Reply) -> bool:  # noqa: ARG002
        """Return whether *reply* says, in other words than a 401, that the credential is not accepted."""
        return False

    def renew(self, http: Http, reply: Reply) -> bool:  # noqa: ARG002
        """Get another credential than the last one, which *reply* did not accept; return whether there is one."""
        return False


class Style(Protocol):
    """How a kind of API speaks: how a call is encoded, a fault recognised, an answer opened. See :mod:`antiphon.style`."""

    def encode(self, http: Http, request: Request) -> Request:
        """Return the request that goes out for *request*; *http* has the settings, and ``notes`` to keep things in."""

    def fault(self, reply: Reply) -> ApiError | None:
        """Return the error that *reply* tells of, whatever its status, or None."""

    def decode(self, reply: Reply) -> Reply:
        """Return *reply* without its envelope."""


class Format(Protocol):
    """How the body of an answer is read. See :mod:`antiphon.formats`."""

    accept: ClassVar[str]
    """What is asked for in the Accept header."""
    text: ClassVar[bool]
    """Whether all values are texts, to be read by the schema's types."""

    def decode(self, body: bytes) -> JSON:
        """Return what *body* holds; raise :class:`~antiphon.errors.BadReply` where it cannot be read."""


class Encoding(Protocol):
    """How the body of a request is written. See :mod:`antiphon.formats`."""

    def encode(self, body: JSON) -> tuple[bytes, str]:
        """Return *body* as bytes, and their content type; raise :class:`~antiphon.errors.Refused` where it cannot be."""


@dataclass(slots=True)
class Request:
    """One request before it is sent. ``url`` is absolute, or a path below the API's base URL."""

    method: str
    url: str
    params: dict[str, JSON] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: JSON = None
    """Sent as its encoding writes it, unless it is bytes or None."""
    format: Format | None = None
    encoding: Encoding | None = None
    """How the answer is read, and how the body is written; None: as everywhere in this API."""
    accepts: tuple[str, ...] = ()
    """Statuses, or ranges of them (``409``, ``400-499``), that are no fault here but an answer."""


@dataclass(slots=True)
class Reply:
    """One answer: status, headers (names in any case), body as bytes, and the URL that gave it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    attempts: int = 1
    format: Format | None = None
    """What the body is written in; None for JSON."""
    _json: JSON = None

    def json(self) -> JSON:
        """Return the body as its format reads it: as JSON has it. Numbers with a fraction become Decimals.

        Raises:
            BadReply: it cannot be read so.
        """
        if self._json is None:
            if not self.body.strip():
                raise BadReply(
                    f"an empty body where {'JSON' if self.format is None else 'something'} was due", status=self.status
                )
            try:
                self._json = self.format.decode(self.body) if self.format else _DECODE(self.body)
            except BadReply as error:
                raise BadReply(error.message, status=self.status) from None
            except RecursionError:
                raise BadReply("JSON that is nested too deeply", status=self.status) from None
            except (msgspec.DecodeError, UnicodeDecodeError):
                start = self.body[:60].decode("utf-8", "replace")
                raise BadReply(f'no JSON but "{" ".join(start.split())}"', status=self.status) from None
        return self._json


class Paging(Protocol):
    """How the pages of a list follow each other. See :mod:`antiphon.paging`. A cursor is JSON and fits into a state."""

    def first(self) -> JSON:
        """Return the cursor of the first page."""

    def ask(self, request: Request, cursor: JSON) -> Request:
        """Return *request* made to ask for the page at *cursor*."""

    def following(self, cursor: JSON, reply: Reply, records: Sequence[JSON]) -> JSON:
        """Return the cursor of the next page, or None if the page at *cursor* was the last."""


@dataclass(frozen=True)
class Read:
    """A request that lists, searches or gets records, and how they look."""

    path: str = ""
    method: str = "GET"
    params: Mapping[str, JSON] = field(default_factory=dict)
    body: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)
    records: str = ""
    """Where in the reply the records are: a dotted path to a list, or to the one record."""
    paging: Paging | None = None
    time: str = "iso"
    """How ``{since}`` and ``{until}`` are written: ``iso``, ``s`` or ``ms`` (since the epoch; ``s-text`` and ``ms-text`` as
    texts), ``http`` (for ``If-Modified-Since``), or a strftime format."""
    zone: str = "UTC"
    """The time zone, by its IANA name, in which a strftime format writes them."""
    strict: bool = False
    """Whether the API gives what is later than ``{since}`` alone: it is asked from one tick earlier then, so that none is missed."""
    latest: str = ""
    """What ``{until}`` is (RFC 3339) where no end is asked for; without it the placeholder then has no value."""
    bookmark: str = ""
    """The reply header whose value is the next ``since``, to be used as it came."""
    then: Then | None = None
    each: str = ""
    """Where in a record the lines are that become records of their own."""
    keep: Mapping[str, JSON] = field(default_factory=dict)
    """Fields that each record is given besides its own: ``{"order": "{record.code}", "event": "{parent.slug}"}``."""
    lift: tuple[str, ...] = ()
    """Nested objects whose fields become the record's own (HubSpot's ``properties``)."""
    text: bool = False
    """Whether values arrive as text and are to be read by the schema's types."""
    nulls: tuple[JSON, ...] = ()
    """Values that mean null."""
    pairs: str = ""
    """What is added to a field's name for the name in a value that is a pair of id and name (Odoo's many2one)."""
    values: int = 1
    """How many values one look-up may ask for (``{match.values}``)."""
    query: str = ""
    """A GraphQL document. It is sent as it is, never filled: values go in by ``body``, which are its variables."""
    format: Format | None = None
    """How the answer is read; None: as everywhere in this API."""
    encoding: Encoding | None = None
    """How the body is written; None: as everywhere in this API."""

    LITERAL: ClassVar[tuple[str, ...]] = ("query",)
    """The fields in which there are no placeholders."""


@dataclass(frozen=True)
class Then:
    """The second half of a read for wide objects: ids were paged, now their fields are fetched in batches.

    Done only when the names of the fields asked for, joined by commas, are longer than *over* characters.
    """

    read: Read
    into: str = "inputs"
    each: JSON = field(default_factory=lambda: {"id": "{id}"})
    size: int = 100
    key: str = "id"
    over: int = 0


@dataclass(frozen=True)
class Job:
    """A write of very many records as one job of the API's: opened, given its data, waited for, its results read.

    The job's id is in the journal before any data is given: a run that ended meanwhile is taken up by its results, and
    nothing is sent twice. Every record must be matched, for results come in any order.
    """

    open: Callable[[Client, Resource, Sequence[Change]], str]
    """Open a job and return its id. Nothing is written by that."""
    start: Callable[[Client, Resource, str, Sequence[Change]], None]
    """Give the job its data and set it going."""
    results: Callable[[Client, Resource, str, Sequence[Change]], Iterator[Outcome]]
    """Wait for the job and read what became of each record. Of a job that was never started, nothing."""
    above: str
    """The setting that holds the number of records above which a job is worth it; 0 means never."""
    most: int = 100_000
    """Records in one job."""


@dataclass(frozen=True)
class Write:
    """A request that changes one record, or a batch of them."""

    path: str = ""
    method: str = "POST"
    via: Writer | None = None
    """A function that does it, where one request is not enough; what else is said here of the write still holds."""
    job: Job | None = None
    """How very many records are written at once."""
    body: JSON = None
    """The request's body, for a write of one record; for a batch, what stands beside the records."""
    params: Mapping[str, JSON] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    batch: int = 1
    into: str = ""
    """Where in the body the list of records goes."""
    each: JSON = "{record}"
    """One record's entry in that list; or a function of the values that placeholders may name."""
    outcomes: Outcomes = field(default_factory=One)
    safe: bool = False
    """May it be repeated without a second effect?"""
    atomic: bool = False
    """Does a refused batch write nothing, so that it may be taken apart to find the culprit?"""
    time: str = ""
    """How times are written, as :attr:`Read.time` says; as they come where it is empty."""
    apart: tuple[str, ...] = ()
    """Fields that the path takes and the body does not."""
    takes: tuple[str, ...] = ()
    """The fields it heeds, where the API silently ignores others; none: all."""
    remembers: float = 0
    """Seconds for which the API answers a repeated ``{token}`` with its first answer, and does nothing (idempotency key)."""
    accepts: tuple[str, ...] = ()
    """Statuses, or ranges of them (``409``, ``400-499``), that are no fault but an answer, for ``outcomes`` to read."""
    query: str = ""
    """A GraphQL document. It is sent as it is, never filled: values go in by ``body``, which are its variables."""
    format: Format | None = None
    """How the answer is read; None: as everywhere in this API."""
    encoding: Encoding | None = None
    """How the body is written; None: as everywhere in this API."""
    not_by: tuple[str, ...] = ()
    """Match fields by which the API's own upsert is not one (an upsert by them is a lookup, then create or update)."""

    LITERAL: ClassVar[tuple[str, ...]] = ("query",)
    """The fields in which there are no placeholders."""


@dataclass(frozen=True, slots=True)
class Query:
    """What one read asks for."""

    fields: tuple[str, ...] | None = None
    """The fields asked for; None for all."""
    since: str | None = None
    until: str | None = None
    """RFC 3339, UTC; both inclusive."""
    cursor: JSON = None
    """Where an earlier read stopped."""
    id: str | None = None
    where: Mapping[str, JSON] = field(default_factory=dict)
    """``{"field": …, "values": […]}`` when records are looked up."""
    encoder: Encoder | None = None
    """What the pages are for, if they are to be written: then they may come as :attr:`Page.written`."""


@dataclass(slots=True)
class Page:
    """One page of records: the unit of work. It stays bytes until somebody asks for its records."""

    body: bytes | None = None
    at: str = ""
    """Where in the body the records are."""
    headers: Mapping[str, str] = field(default_factory=dict)
    bookmark: str | None = None
    """The next ``since``, where the API names it."""
    cursor: JSON = None
    """Where the next page starts; None after the last."""
    rows: list[Record] | None = None
    """The records, once decoded, in the shape the schema has."""
    written: Rows | None = None
    """The records as the query's encoder has written them, until somebody asks for the records themselves."""
    shaped: Callable[[], list[Record]] | None = None
    """What decodes the body into records that have the schema's shape."""

    @property
    def records(self) -> list[Record]:
        """The records of the page."""
        self.written = None  # they may be changed now
        if self.rows is None and self.shaped:
            self.rows = self.shaped()
        if self.rows is None:
            found = look(_DECODE(self.body), self.at) if self.body else []
            self.rows = [found] if isinstance(found, dict) else list(found or [])
        return self.rows


Reader = Callable[["Client", "Resource", Query], Iterator[Page]]
Writer = Callable[["Client", "Resource", Sequence[Change]], Iterator[Outcome]]
Schema = Mapping[str, JSON]


@dataclass(frozen=True)
class Resource:
    """One kind of record, under the word a user would say.

    The slots for reading: ``read`` lists all of them, ``changes`` those changed since a time, ``deleted`` those
    that are gone, ``get`` one by id, ``find`` those with given values in one field. For writing: ``create``, ``update``,
    ``upsert``, ``archive``, ``delete``, ``erase`` (privacy), and ``actions`` by name.
    """

    name: str
    schema: Schema | Callable[[Client], Schema]
    key: tuple[str, ...] = ("id",)
    aliases: tuple[str, ...] = ()
    title: str = ""
    created: str = ""
    """The field that holds when a record was made."""
    updated: str = ""
    """The field that holds when it was last changed: the replication key."""
    match: tuple[str, ...] = ()
    """Unique fields to find a record by, best first."""
    prompt: tuple[str, ...] | None = None
    """Fields by which a lookup sees a new record at once, besides those the schema calls unique; None: any field. A
    lookup by another field that finds nothing proves nothing."""
    within: tuple[str, ...] = ()
    """Fields that two records must agree in as well to match: a voucher's code is unique within its event."""
    folded: tuple[str, ...] = ()
    """Fields whose values are the same in upper and lower case."""
    cleared: JSON = None
    """What is sent to clear a field."""
    always: tuple[str, ...] = ()
    """Fields that come whether asked for or not."""
    parent: str = ""
    """The resource under whose records these are listed."""
    common: bool = True
    """Whether its stream is selected unless the user says otherwise."""
    lookback: float = 0
    """Seconds by which a change may become visible late."""
    read: Read | Reader | None = None
    changes: Read | Reader | None = None
    deleted: Read | Reader | None = None
    get: Read | Reader | None = None
    find: Read | Reader | None = None
    create: Write | Writer | None = None
    update: Write | Writer | None = None
    upsert: Write | Writer | None = None
    archive: Write | Writer | None = None
    delete: Write | Writer | None = None
    erase: Write | Writer | None = None
    add_field: Callable[[Client, Resource, str, Schema], Schema] | None = None
    """Adds a field in the API for a column of that name and schema, and returns the field's schema."""
    add_option: Callable[[Client, Resource, str, str], None] | None = None
    """Adds an option to the field of that name."""
    actions: Mapping[str, Write | Writer] = field(default_factory=dict)

    READING: ClassVar[tuple[str, ...]] = ("read", "changes", "deleted", "get", "find")
    WRITING: ClassVar[tuple[str, ...]] = ("create", "update", "upsert", "archive", "delete", "erase")

    @property
    def writable(self) -> bool:
        """Whether a stream can be written to it."""
        return any((self.create, self.update, self.upsert, self.delete, self.archive))

    @property
    def operations(self) -> tuple[str, ...]:
        """The slots it fills, and its actions by name."""
        return (*(s for s in (*self.READING, *self.WRITING) if getattr(self, s)), *self.actions)

    def found_by(self, field: str) -> bool:
        """Whether its records can be looked up by *field*: by a search, or one by one by their key."""
        return self.find is not None or (self.get is not None and self.key == (field,))

    def match_fields(self, schema: Schema) -> tuple[str, ...]:
        """Return the fields a record can be matched by, best first: those declared, then those the API calls unique."""
        known = schema.get("properties", {})
        given = (name for name in unique_fields(schema) if not known[name].get("readOnly"))
        return tuple(dict.fromkeys((*self.match, *given)))


@dataclass(frozen=True)
class Api:
    """An API: one description, from which come its tap, its target, its one-line client and its connect form."""

    name: str
    """What the connection is called, and its variables begin with."""
    title: str
    """What people call the API."""
    base_url: str
    """Where all paths begin; settings may stand in it."""
    resources: tuple[Resource, ...] = ()
    auth: Auth | tuple[Auth, ...] = ()
    """One, or several of which the first is used whose settings are all given."""
    settings: tuple[Setting, ...] = ()
    limits: tuple[RateLimit, ...] = ()
    """Calls in seconds; a request counts towards each limit that applies to it."""
    quota: Quota | None = None
    """The reply headers that tell a daily quota."""
    style: Style | None = None
    """How a call is encoded and a fault recognised; None for REST."""
    format: Format | None = None
    """How answers are read; None for JSON."""
    encoding: Encoding | None = None
    """How bodies are written; None for JSON."""
    check: Read | Reader | None = None
    """The cheapest request that shows whether the credentials work."""
    hosts: tuple[str, ...] = ()
    """Hosts that may be spoken to besides the base URL's."""
    docs: str = ""
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
        """Refuse a description that names what it does not declare."""
        known = {s.name for s in self.all_settings}
        refuse_unknown(self.base_url, known, f"{self.name}: base_url")
        refuse_unknown(self.account, known | {"base_url", "check"}, f"{self.name}: account")
        for resource in self.resources:
            check_resource(self, resource)
        names = [name for resource in self.resources for name in (resource.name, *resource.aliases)]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DescriptionError(f"{self.name}: more than one resource is called {', '.join(twice)}")

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
        raise Unknown(f'{self.name} has no setting "{name}"', hint=did_you_mean(name, (s.name for s in self.settings)))

    @property
    def readable(self) -> bool:
        """Whether there is anything to read: then there is a tap."""
        return any(resource.read or resource.changes for resource in self.resources) or self.discover is not None

    @property
    def writable(self) -> bool:
        """Whether there is anything to write: then there is a target."""
        return any(resource.writable for resource in self.resources)


#: What placeholders may name in a request besides settings.
PLACEHOLDERS = {"since", "until", "fields", "id", "ids", "match", "record", "parent", "token", "last", "records"}


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
                raise DescriptionError(
                    f'{where}: there is no time zone "{what.zone}"', hint="For example: Europe/Berlin."
                )
            if what.then:
                then = what.then.read
                refuse_unknown([then.path, then.params, then.body, what.then.each], known, where)
        elif isinstance(what, Write):
            each = None if callable(what.each) else what.each
            refuse_unknown([what.path, what.params, what.body, what.headers, each], known, where)
            if what.batch > 1 and not what.into and not what.via and "records" not in names(what.body):
                said = "a batch needs `into`, the place of the records in the body"
                raise DescriptionError(f"{where}: {said}", at=("resources", resource.name, slot), said=said)


__all__ = [
    "COMMON_SETTINGS",
    "JSON",
    "PLACEHOLDERS",
    "Api",
    "Auth",
    "Change",
    "Encoding",
    "Format",
    "Job",
    "LimitHeaders",
    "Nothing",
    "One",
    "Outcome",
    "Page",
    "Paging",
    "Query",
    "Quota",
    "RateLimit",
    "Read",
    "Reader",
    "Record",
    "Reply",
    "Request",
    "Resource",
    "Schema",
    "Setting",
    "Then",
    "Write",
    "Writer",
    "check_resource",
]
