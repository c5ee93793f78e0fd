"""Bookmarks: what a tap remembers of each stream between runs, as it stands in the Singer state.

::

    {"bookmarks": {"contacts": {
        "version": 1,
        "replication_key": "updatedAt",
        "replication_key_value": "2026-01-31T09:05:00Z",
        "seen": ["r7Kq0w3hWb2V", …],
        "reading": {"slot": "read", "since": null, "until": null, "cursor": {"after": "4711"}, "bookmark": "2026-02-01T09:05:00Z"}
    }}}

``replication_key_value``: everything that changed before it has been read. ``seen``: marks of the records, at most 1,000, that were
sent although they may be read again, because they changed after that time or within the lookback before it. ``reading``: a read
under way, where it goes on, and the bookmark it will leave; absent once the stream is complete.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from singer_sdk.helpers.types import TapState

from antiphon import moment
from antiphon.api import JSON, Record
from antiphon.errors import InputError, did_you_mean

VERSION = 1
MOST_MARKS = 1000

_ENCODE = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str).encode


@dataclass(frozen=True)
class Reading:
    """A read under way: the resource's slot, its bounds, the page it goes on at, and the bookmark it will leave."""

    slot: str
    since: str | None
    until: str | None
    cursor: JSON
    bookmark: str


@dataclass(frozen=True)
class Bookmark:
    """What is remembered of one stream."""

    key: str = ""
    """The replication key that :attr:`value` is of."""
    value: str | None = None
    seen: frozenset[str] = frozenset()
    reading: Reading | None = None

    def as_state(self) -> dict[str, Any]:
        """Return it as the state has it."""
        found: dict[str, Any] = {"version": VERSION}
        if self.value is not None:
            found |= {"replication_key": self.key, "replication_key_value": self.value}
        if self.seen:
            found["seen"] = sorted(self.seen)
        if self.reading:
            reading = self.reading
            found["reading"] = {
                "slot": reading.slot,
                "since": reading.since,
                "until": reading.until,
                "cursor": reading.cursor,
                "bookmark": reading.bookmark,
            }
        return found


def load(state: Mapping[str, Any], stream: str) -> Bookmark:
    """Return the bookmark of *stream*; an empty one where *state* has none.

    Raises:
        InputError: it is not one that this tap wrote.
    """
    entry = state.get("bookmarks", {}).get(stream) or {}
    where = f'the state of the stream "{stream}"'
    version = entry.get("version", VERSION)
    if version != VERSION:
        hint = "A newer release wrote it: use that one, or leave the stream out of the state to read it anew."
        raise InputError(f"{where} has the version {version!r}, and this release knows {VERSION}", hint=hint)
    value = entry.get("replication_key_value")
    if value is not None and not _is_time(value):
        hint = "Leave the stream out of the state to read it anew."
        raise InputError(f"{where} has a bookmark that is no time: {value!r}", hint=hint)
    reading = entry.get("reading")
    try:
        resumed = Reading(**reading) if reading else None
        seen = frozenset(map(str, entry.get("seen") or ()))
    except TypeError:
        resumed, seen, broken = None, frozenset(), True
    else:
        broken = resumed is not None and not _is_time(resumed.bookmark)
    if broken:
        hint = 'Take "reading" and "seen" out of it to read from the bookmark on.'
        raise InputError(f"{where} is not as a tap writes it", hint=hint)
    return Bookmark(str(entry.get("replication_key") or ""), value, seen, resumed)


def keep(state: TapState, stream: str, bookmark: Bookmark) -> None:
    """Put *bookmark* into *state*: in one step, for a signal may come at any moment and then the state is written."""
    state.setdefault("bookmarks", {})[stream] = bookmark.as_state()


def check(state: Mapping[str, Any], streams: Collection[str], tap: str) -> None:
    """Refuse a *state* that this tap cannot have written.

    Raises:
        InputError: it is none, knows none of the *streams*, or has a bookmark that :func:`load` refuses.
    """
    if not state:
        return
    bookmarks = state.get("bookmarks")
    if not isinstance(bookmarks, Mapping) or not all(isinstance(entry, Mapping) for entry in bookmarks.values()):
        hint = (
            'It looks like {"bookmarks": {"a stream": {…}}}. Give the last state that was written, or none to read all.'
        )
        raise InputError(f"{tap}: the state is none of a tap", hint=hint)
    known = [stream for stream in bookmarks if stream in streams]
    if bookmarks and not known:
        names = ", ".join(sorted(bookmarks)[:10])
        hint = f"{did_you_mean(next(iter(bookmarks)), streams)} Give this tap's own state, or none to read all."
        raise InputError(f"{tap}: the state is another tap's: it knows {names}", hint=hint)
    for stream in known:
        load(state, stream)


def mark(record: Record) -> str:
    """Return what a record is recognised by when it is read again unchanged: 72 bits of a hash of its content.

    Not of key and time alone: a record may change twice within one tick of its API's clock.
    """
    return base64.urlsafe_b64encode(hashlib.blake2b(_ENCODE(record), digest_size=9).digest()).decode()


def _is_time(value: Any) -> bool:
    try:
        moment.parse(value)
    except (ValueError, OverflowError):
        return False
    return True
