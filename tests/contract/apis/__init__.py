"""The APIs that the contract is held against, and the words in which an API's file says what is in it.

To add an API, write a file beside `hubspot`, with

- an *account*: a context manager that gives an `Account` of its own to each test: an emulator in this process, a real
  server put back to its seed, files in a folder. What is slow to start goes into ``started``, once for a whole run.
- a `Case` for each resource: where the truth about it is (``keys``), and hands that change it (``insert``, ``edit``,
  ``delete``) as somebody would in the vendor's own pages. Truth and hands go around the library.
- for a resource that can be written, a `Sample`: some new records, a change to them, and a fault that the API refuses.

and add its `Entry` to `ENTRIES`. An API whose account is a real server says ``real=True``; its tests then run in
``make test-real``. Record what it sends with ``RENEW_SNAPSHOTS=1``, and read the files before you commit them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

Key = tuple[str, ...]
"""The values of a record's key fields, as text."""


@dataclass(frozen=True)
class Account:
    """An account for one test: the settings that connect to it, the secret in them, and what the hands work with."""

    config: dict[str, Any]
    hand: Any
    secret: str = ""
    wrong: Mapping[str, Any] = field(default_factory=dict)
    """Settings with a credential that the API does not accept."""


@dataclass(frozen=True)
class Sample:
    """What is written to a resource."""

    records: Callable[[Any], list[dict[str, Any]]]
    """Three records, unlike each other, that are not there yet; or, where nothing can be created, that are, changed."""
    change: Mapping[str, Any] = field(default_factory=dict)
    """Fields that an update gives other values; none where the API has no update."""
    fault: Mapping[str, Any] = field(default_factory=dict)
    """Fields that make a record one which the API refuses."""
    said: str = ""
    """What the API says to that, at least."""
    match: tuple[str, ...] = ()
    """Fields to find a record by, where the resource's own are none."""
    unread: tuple[str, ...] = ()
    """Fields that are written, but not read back as they were written."""
    back: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are read back with other values than were written, or that were not written at all."""
    creates: bool = True
    """Whether the records are new."""
    settles: bool = True
    """Whether it can always be found out what became of a creation whose answer was lost."""
    twice: str = ""
    """Why the same record written once more is refused."""
    undeleted: str = ""
    """Why what was written cannot be deleted."""


@dataclass(frozen=True)
class Case:
    """A resource: the truth about it, and hands to change it."""

    resource: str
    keys: Callable[[Any], Iterable[Key]]
    """The keys of all the records there are."""
    key: tuple[str, ...] = ("id",)
    """Its key fields."""
    insert: Callable[[Any], Key] | None = None
    edit: Callable[[Any, Key], object] | None = None
    delete: Callable[[Any, Key], object] | None = None
    why: str = ""
    """The reason for a hand that there is not."""
    sample: Sample | None = None
    page: int = 2
    """Records to a page, so that there are several."""
    last_twice: bool = False
    """Whether the last of several pages is asked for once more: a row may be pushed off it just then."""


@dataclass(frozen=True)
class Entry:
    """An API under the contract."""

    name: str
    tap: str
    """``module:class``, as in the console script."""
    cases: tuple[Case, ...]
    account: Callable[[Any, Path], AbstractContextManager[Account]]
    """From what was started, and an empty folder, the account for one test."""
    target: str = ""
    started: Callable[[Path], AbstractContextManager[Any]] | None = None
    real: bool = False
    http: bool = True


def entries() -> tuple[Entry, ...]:
    """Every API under the contract."""
    from contract.apis import csv, hubspot, odoo, pretix, salesforce  # noqa: PLC0415 - they need the words above

    return (hubspot.ENTRY, odoo.ENTRY, csv.ENTRY, pretix.ENTRY, salesforce.ENTRY)


def cases(wanted: Callable[[Entry, Case], object] = lambda _entry, _case: True) -> list[Any]:
    """Parameters ``entry, case`` for a test of every resource that is *wanted*."""
    return [
        pytest.param(entry, case, id=f"{entry.name}-{case.resource}", marks=[pytest.mark.real] * entry.real)
        for entry in entries()
        for case in entry.cases
        if wanted(entry, case)
    ]


def apis(wanted: Callable[[Entry], object] = lambda _entry: True) -> list[Any]:
    """Parameters ``entry`` for a test of every API that is *wanted*."""
    return [
        pytest.param(entry, id=entry.name, marks=[pytest.mark.real] * entry.real)
        for entry in entries()
        if wanted(entry)
    ]


def populate(case: Case, account: Account) -> None:
    """Let there be at least three records, where somebody can add any."""
    while case.insert and len(list(case.keys(account.hand))) < 3:
        case.insert(account.hand)
