"""How records are written: a request for each or for a batch, or a job of the API's for very many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from antiphon.api.settings import JSON
from antiphon.api.wire import Encoding, Format
from antiphon.bounds import Count, Method, Wait
from antiphon.outcome import Change, One, Outcome, Outcomes

if TYPE_CHECKING:
    from antiphon.api.resource import Resource
    from antiphon.client import Client

Writer = Callable[["Client", "Resource", Sequence[Change]], Iterator[Outcome]]
"""A function that writes where requests as data will not do."""


outcome_of_one = One()
"""What stands where a write does not say how its answer is read."""


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
    most: Count = 100_000
    """Records in one job."""


@dataclass(frozen=True)
class Write:
    """A request that changes one record, or a batch of them."""

    path: str = ""
    """Below the base URL: ``/people/{id}``."""
    method: Method = ""
    """PATCH for an update, DELETE for ``delete`` and ``erase`` that have no body, POST for all else and for a batch, unless it is said
    here."""
    via: Writer | None = None
    """A function that does it, where one request is not enough; what else is said here of the write still holds."""
    job: Job | None = None
    """How very many records are written at once."""
    body: JSON = None
    """The request's body: ``{record}`` or, of a batch, ``{records}`` for ``create``, ``update`` and ``upsert``, unless it is said here, or
    the record goes elsewhere. With ``into``, what stands beside the records."""
    params: Mapping[str, JSON] = field(default_factory=dict)
    """The parameters of its query."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Its headers, besides those that are always sent."""
    add: Mapping[str, JSON] = field(default_factory=dict)
    """Fields that each record is sent with besides its own: ``{type: customer}``."""
    batch: Count = 1
    """How many records go into one request, at most."""
    into: str = ""
    """Where in the body the list of records goes."""
    each: JSON = "{record}"
    """One record's entry in that list; or a function of the values that placeholders may name."""
    outcomes: Outcomes = outcome_of_one
    """What the answer says of each record: ``one``, with its key for an id, but ``nothing`` for ``delete`` and ``erase``, unless it is
    said here."""
    safe: bool | None = None
    """May it be repeated without a second effect? An update, an upsert, a delete may, a creation and an action may not, unless
    it is said here."""
    atomic: bool = False
    """Does a refused batch write nothing, so that it may be taken apart to find the culprit?"""
    time: str = ""
    """How times are written, as :attr:`Read.time` says; as they come where it is empty."""
    apart: tuple[str, ...] = ()
    """Fields that the path takes and the body does not."""
    takes: tuple[str, ...] = ()
    """The fields it heeds, where the API silently ignores others; none: all."""
    remembers: Wait = 0
    """Seconds for which the API answers a repeated ``{token}`` with its first answer, and does nothing (idempotency key)."""
    accepts: tuple[str, ...] = ()
    """Statuses, or ranges of them (``409``, ``400-499``), that are no fault but an answer, for ``outcomes`` to read."""
    query: str = ""
    """A GraphQL document. It is sent as it is, never filled: values go in by ``body``, which are its variables. One that is called as a
    placeholder, ``$record``, need not be named there."""
    format: Format | None = None
    """How the answer is read; None: as everywhere in this API."""
    encoding: Encoding | None = None
    """How the body is written; None: as everywhere in this API."""
    not_by: tuple[str, ...] = ()
    """Match fields by which the API's own upsert is not one (an upsert by them is a lookup, then create or update)."""

    LITERAL: ClassVar[tuple[str, ...]] = ("query",)
    """The fields in which there are no placeholders."""
