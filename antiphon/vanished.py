"""Deletes of APIs that keep no trace of them: the ids that are there now, compared with those that were there last time.

The ids are kept in a file of the connection's state folder. What is found to be gone is remembered with the time it was found out, so that a
run which was interrupted before its state was kept tells it again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from antiphon import moment
from antiphon.api import Page, Query, Read, Resource
from antiphon.errors import SettingError, Storage

if TYPE_CHECKING:
    from antiphon.client import Client

KEPT_DAYS = 90
"""For so long a deletion is remembered."""


@dataclass(frozen=True)
class Vanished:
    """The slot ``deleted`` of a resource with one key, made from a list of its ids."""

    read: Read

    def __call__(self, client: Client, resource: Resource, query: Query) -> Iterator[Page]:
        """Yield a page of those that are gone since ``query.since``: their key and ``_sdc_deleted_at``.

        The first time there is nothing to compare with, and none is.

        Raises:
            SettingError: the client has no folder to keep ids in.
            Storage: the file cannot be read or written.
        """
        if client.folder is None:
            raise SettingError(
                f"{client.api.name}: deletes are found by comparing ids", hint="Set state_dir: they are kept there."
            )
        [key] = resource.key
        path = client.folder / "ids" / f"{resource.name}.json"
        now = moment.rfc3339(moment.now())
        there: set[Any] = set()
        for page in client.pages(
            self.read, resource, Query(fields=(key,)), doing=f"comparing the ids of {resource.name}"
        ):
            there.update(record[key] for record in page.records)
        try:
            kept = msgspec.json.decode(path.read_bytes()) if path.exists() else {"there": None, "gone": []}
            gone = [[id, at] for id, at in kept["gone"] if id not in there and _days(at) < KEPT_DAYS]
            gone += [[id, now] for id in kept["there"] or () if id not in there]
            _write(path, msgspec.json.encode({"there": sorted(there), "gone": gone}))
        except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
            raise Storage(f"the ids kept in {path} cannot be used: {error}", hint="Mend or remove the file.") from error
        rows = [{key: id, "_sdc_deleted_at": at} for id, at in gone if not query.since or at >= query.since]
        yield Page(rows=rows, bookmark=now)


def _days(at: str) -> float:
    return (moment.now() - moment.parse(at)).total_seconds() / 86400


def _write(path: Any, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
