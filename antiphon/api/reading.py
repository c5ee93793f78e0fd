"""How records are read: the requests, what one read asks for, and the pages that come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from antiphon.api.settings import JSON
from antiphon.api.wire import Encoding, Format, Paging, decode
from antiphon.bounds import Count, Method, Place, Refusal
from antiphon.fill import look
from antiphon.outcome import Record

if TYPE_CHECKING:
    from antiphon.api.resource import Resource
    from antiphon.client import Client
    from antiphon.encode import Encoder, Rows


@dataclass(frozen=True)
class Read:
    """A request that lists, searches or gets records, and how they look."""

    path: str = ""
    """Below the base URL: ``/people``. ``changes``, ``find`` and ``deleted`` that name none ask as ``read`` does, for what else they say."""
    method: Method = ""
    """GET, or POST where there is a body, unless it is said here."""
    params: Mapping[str, JSON] = field(default_factory=dict)
    """The parameters of its query."""
    body: JSON = None
    """Its body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Its headers, besides those that are always sent."""
    records: str = ""
    """Where in the reply the records are: a dotted path to a list, or to the one record."""
    paging: Paging | None = None
    """How the pages follow each other; none where all comes in one answer."""
    absent: tuple[Refusal, ...] = ()
    """Statuses that mean that there are no such records, where there is nothing wrong; besides 404 and 410 to a look-up whose path holds the
    value (``/people/{match.value}``)."""
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
    """What is fetched of the records that were listed, where that gives their ids alone."""
    parts: Parts | None = None
    """How the list is read in several parts at once."""
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
    values: Count = 1
    """How many values one look-up may ask for (``{match.values}``)."""
    query: str = ""
    """A GraphQL document. It is sent as it is, never filled: values go in by ``body``, which are its variables. One that is called as a
    placeholder, ``$id``, need not be named there."""
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
    """The request for the fields of a batch of records."""
    into: str = "inputs"
    """Where in its body the list of ids goes."""
    each: JSON = field(default_factory=lambda: {"id": "{id}"})
    """What one of them looks like there."""
    size: Count = 100
    """How many go into one request."""
    key: str = "id"
    """Where in what was listed the id is."""
    over: Place = 0
    """How long the names of the fields must be, joined by commas, for this to be done."""


@dataclass(frozen=True)
class Parts:
    """How a long list is read in several parts at once: ranges of a key whose values are numbers, and no two the same.

    A part is read by key (:class:`~antiphon.paging.Keyset`, upwards): by ``read`` where that is given, else by the list itself.
    """

    last: Read
    """Asks for the record with the highest key alone: as the list does, for what else it says, where it names no path."""
    read: Read | None = None
    """A search by which parts are read, where the list cannot begin at any key: it is the first of the parts itself. It may show
    changes late: what is read as a whole each time (FULL_TABLE) is not read by it."""
    total: str = ""
    """Where in the answer to ``last`` it is told how many records there are up to ``{upto}``: so many the list has to give
    before it is ended there, lest it has another order than the key."""
    upto: JSON = None
    """What ``{upto}`` is where all are meant: a key after every other. None: what names it is left out."""
    digits: str = "0123456789"
    """The digits of a key that is text, in their order."""
    width: Place = 0
    """How many characters of it count, and are always there; 0: all of them."""


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
    parts: bool = False
    """Whether pages may come in any order, so that a list can be read in :class:`Parts`."""


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
            found = look(decode(self.body), self.at) if self.body else []
            self.rows = [found] if isinstance(found, dict) else list(found or [])
        return self.rows


Reader = Callable[["Client", "Resource", Query], Iterator[Page]]
"""A function that reads where requests as data will not do."""
