"""Deletes of APIs that keep no trace of them: the ids that are there now, compared with those that were there last time.

The ids are kept in a file of the connection's state folder. What is found to be gone is remembered with the time it was found out, so that a
run which was interrupted before its state was kept tells it again. What the user may not see any more is gone as well.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from antiphon import moment
from antiphon.api import Page, Query, Read, Resource
from antiphon.errors import SettingError, Storage
from antiphon.folder import private

if TYPE_CHECKING:
    from antiphon.client import Client

KEPT_DAYS = 90
"""For so long a deletion is remembered."""


class _Kept(msgspec.Struct):
    """What the file holds: the ids that were there, and those that are gone with the time this was found out."""

    there: list[Any]
    gone: list[tuple[Any, str]] = []


@dataclass(frozen=True)
class Vanished:
    """The slot ``deleted`` of a resource with one key, made from a list of its ids."""

    read: Read
    """The list of all ids."""

    def begin(self, client: Client, resource: Resource) -> None:
        """Write down which ids there are, unless that was done before: before any record of them is read.

        Raises:
            SettingError: the client has no folder to keep ids in.
            Storage: the file cannot be read or written.
        """
        path = _path(client, resource)
        if not path.exists():
            _write(path, _Kept(sorted(self._ids(client, resource))))

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield a page of those that are gone since ``query.since``: their key and ``_sdc_deleted_at``.

        Raises:
            SettingError: the client has no folder to keep ids in.
            Storage: the file cannot be read or written.
        """
        self.begin(client, resource)
        path = _path(client, resource)
        kept, there = _load(path), self._ids(client, resource)
        now = moment.rfc3339(moment.now())
        gone = [(id, at) for id, at in kept.gone if id not in there and _days(at) < KEPT_DAYS]
        gone += [(id, now) for id in kept.there if id not in there]
        _write(path, _Kept(sorted(there), gone))
        since = moment.parse(query.since) if query.since else None
        rows = [
            {resource.key[0]: id, "_sdc_deleted_at": at}
            for id, at in gone
            if since is None or moment.parse(at) >= since
        ]
        yield Page(rows=rows, bookmark=now)

    def _ids(self, client: Client, resource: Resource) -> set[Any]:
        [key] = resource.key
        doing = f"comparing the ids of {resource.name}"
        pages = client.pages(self.read, resource, Query(fields=(key,)), doing=doing)
        return {record[key] for page in pages for record in page.records}


def _path(client: Client, resource: Resource) -> Path:
    if client.folder is None:
        hint = "Set state_dir: they are kept there."
        raise SettingError(f"{client.api.name}: deletes are found by comparing ids", hint=hint)
    return client.folder / "ids" / f"{resource.name}.json"


def _days(at: str) -> float:
    return (moment.now() - moment.parse(at)).total_seconds() / 86400


def _load(path: Path) -> _Kept:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Storage(f"the ids kept in {path} cannot be used: {error}", hint="Mend or remove the file.") from error


def _write(path: Path, kept: _Kept) -> None:
    try:
        private(path.parent)
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(kept))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        said = f"the ids cannot be kept in {path}: {error.strerror or error}"
        raise Storage(said, hint="Free space, or mend the folder's rights.") from error


#: What a slot for reading may be besides a request, by the word for it in a description.
KINDS: dict[str, type] = {"vanished": Vanished}
