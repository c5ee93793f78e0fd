"""The floors: of a tap, pages of the mock fetched with urllib3, and written as RECORD lines with the least that can be done; of a target, each line decoded.

    python bench/floor.py contacts|items URL encode|raw
    python bench/floor.py take < LINES

``encode`` decodes each page to Python's objects and encodes each record in its envelope. ``raw`` looks for the ends of the records only and
writes their bytes as they came: no field is dropped, read, moved or checked, which a tap has to do. ``take`` tells in the
file that the variable COUNT names how many RECORDs there were.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import urllib3

PATHS = {
    "contacts": "/crm/objects/2026-09/contacts?limit=100&after={}",
    "items": "/items?page={}&per_page=1000",
}
TIME = "2026-01-01T00:00:00Z"


class Line(msgspec.Struct):
    """A RECORD message."""

    type: str
    stream: str
    record: dict[str, Any]
    time_extracted: str


class Contacts(msgspec.Struct):
    """A page of contacts, its records as they came."""

    results: list[msgspec.Raw]
    paging: dict[str, Any] = {}


class Items(msgspec.Struct):
    """A page of items, its records as they came."""

    data: list[msgspec.Raw]
    has_more: bool


_lines = msgspec.json.Encoder().encode_lines
_decoders = {
    ("contacts", "encode"): msgspec.json.Decoder(),
    ("items", "encode"): msgspec.json.Decoder(),
    ("contacts", "raw"): msgspec.json.Decoder(Contacts),
    ("items", "raw"): msgspec.json.Decoder(Items),
}


def fetched(pool: Any, path: str) -> bytes:
    """Return the body at *path*."""
    return pool.request("GET", path).data  # type: ignore[no-any-return]


def decoded(decoder: Any, body: bytes) -> Any:
    """Return the page in *body*."""
    return decoder.decode(body)


def encoded(stream: str, records: list[dict[str, Any]]) -> bytes:
    """Return *records* as lines."""
    return _lines([Line("RECORD", stream, record, TIME) for record in records])


def wrapped(stream: str, records: list[msgspec.Raw]) -> bytes:
    """Return *records*, the bytes of each, as lines."""
    before, behind = (
        f'{{"type":"RECORD","stream":"{stream}","record":'.encode(),
        f',"time_extracted":"{TIME}"}}\n'.encode(),
    )
    return before + (behind + before).join(records) + behind if records else b""


def written(lines: bytes) -> None:
    """Write *lines* out."""
    sys.stdout.buffer.write(lines)


def following(stream: str, page: Any, at: Any) -> Any:
    """Return the cursor behind the *page* that is *at* one; None at the end."""
    if stream == "contacts":
        paging = page.paging if isinstance(page, Contacts) else page.get("paging", {})
        return paging.get("next", {}).get("after")
    return at + 1 if (page.has_more if isinstance(page, Items) else page["has_more"]) else None


def taken(lines: Iterable[bytes]) -> int:
    """Return how many of *lines* are RECORDs."""
    decode, count = msgspec.json.Decoder().decode, 0
    for line in lines:
        count += decode(line)["type"] == "RECORD"
    return count


def passed(stream: str, base: str, how: str) -> None:
    """Read to the end."""
    pool, decoder = urllib3.connectionpool.connection_from_url(base), _decoders[stream, how]
    at: Any = "" if stream == "contacts" else 1
    while at is not None:
        page = decoded(decoder, fetched(pool, PATHS[stream].format(at).removesuffix("&after=")))
        if how == "raw":
            lines = wrapped(stream, page.results if isinstance(page, Contacts) else page.data)
        else:
            lines = encoded(stream, page["results" if stream == "contacts" else "data"])
        written(lines)
        at = following(stream, page, at)


if __name__ == "__main__":
    if sys.argv[1:] == ["take"]:
        Path(os.environ["COUNT"]).write_text(str(taken(sys.stdin.buffer)), "utf-8")
    else:
        passed(*sys.argv[1:])
