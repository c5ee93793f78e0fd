"""A server whose answers are made beforehand, so that it is never what is waited for: HubSpot's contacts, and flat items.

    python bench/mockserver.py --contacts 200000 --items 500000

prints its port. At most forty thousand are made of each and served in turn, so that any number takes the same memory: more than a tap remembers.

======================================================  =====================================================================
``GET …/contacts?limit=100&after=CURSOR``               100 contacts, and the cursor of the next page
``GET …/properties/contacts``                           the properties they have, with their types
``GET /items?page=N&per_page=1000``                     ``{"data": [1,000 items], "has_more": …}``; an empty page after the last
``GET …/account-info/v3/details``                       an account
``POST …/contacts/batch/read``                          none of those that are asked for is there
``POST …/contacts/batch/create``, ``…/batch/upsert``    each is created; nothing of it is kept but the count
======================================================  =====================================================================

The version in HubSpot's paths may be any, so that clients of several read the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from writing import items

DIFFERENT = 40_000
CONTACTS, ITEMS = 100, 1000
"""Records in a page."""
PROPERTIES = {
    **dict.fromkeys(("firstname", "lastname", "email", "phone", "company", "jobtitle", "lifecyclestage"), "string"),
    **dict.fromkeys(("city", "state", "country", "website", "hs_lead_status"), "string"),
    **dict.fromkeys(("createdate", "lastmodifieddate"), "datetime"),
    **dict.fromkeys(("hs_object_id", "annualrevenue", "num_associated_deals"), "number"),
    "hs_is_unworked": "bool",
}
_HEAD = (
    b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-HubSpot-RateLimit-Max: 1000000\r\n"
    b"X-HubSpot-RateLimit-Interval-Milliseconds: 100\r\nX-HubSpot-RateLimit-Remaining: 1000000\r\n"
    b"Content-Length: %d\r\n\r\n"
)
"""HubSpot's announcement of a limit that nobody meets is part of it: a client waits for none then."""
_STAGES = ("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
_AFTER, _PAGE = re.compile(rb"[?&]after=(\d+)"), re.compile(rb"[?&]page=(\d+)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def contact(n: int, chance: random.Random) -> dict[str, Any]:
    """Return a contact as HubSpot gives it: its properties nested, and all of them texts."""
    made = f"2024-{n % 12 + 1:02d}-{n % 28 + 1:02d}T09:{n % 60:02d}:00.{n % 1000:03d}Z"
    changed = f"2025-{n % 12 + 1:02d}-{n % 28 + 1:02d}T10:{n % 60:02d}:00.{n * 7 % 1000:03d}Z"
    first, last = chance.choice(("Ana", "Céline", "Dmitri", "Łukasz")), chance.choice(("Smith", "Müller", "O'Neil"))
    values = (first, last, f"user{n}@example{n % 977}.com", f"+1-555-{n % 10000:04d}", f"Company {n % 5000} GmbH")
    more = ('VP "Growth"' if n % 50 == 0 else "Account Executive", _STAGES[n % 6], "San Francisco")
    rest = (None if n % 9 == 0 else "California", "United States", f"https://www.example{n % 977}.com/about", "OPEN")
    typed = (made, changed, str(n), f"{chance.uniform(1, 1e6):.2f}", str(n % 7), "true" if n % 3 else "false")
    return {
        "id": str(n),
        "properties": dict(zip(PROPERTIES, (*values, *more, *rest, *typed), strict=True)),
        "createdAt": made,
        "updatedAt": changed,
        "archived": False,
    }


class Lists:
    """What is answered."""

    def __init__(self, contacts: int, items_: int) -> None:
        """Make the pages."""
        chance = random.Random(7)
        encode = msgspec.json.encode
        self.contacts, self.items = -(-contacts // CONTACTS), -(-items_ // ITEMS)
        people = [contact(n, chance) for n in range(1, min(DIFFERENT, max(1, self.contacts) * CONTACTS) + 1)]
        things = list(items(min(DIFFERENT, self.items * ITEMS)))
        self._people = [encode(people[n : n + CONTACTS]) for n in range(0, len(people), CONTACTS)]
        self._things = [encode(things[n : n + ITEMS]) for n in range(0, len(things), ITEMS)]
        self.created = 0
        named = [{"name": name, "type": kind, "label": name} for name, kind in PROPERTIES.items()]
        self._properties = encode({"results": named})

    def written(self, path: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Return status and body for a batch that is looked for or written."""
        inputs = msgspec.json.decode(body)["inputs"]
        if path.endswith(b"/batch/read"):
            about = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": "Could not get some CONTACT objects"}
            missing = {**about, "context": {"ids": [one["id"] for one in inputs]}}
            found = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [missing]}
            return b"207 Multi-Status", msgspec.json.encode(found)
        first, self.created = self.created + 1, self.created + len(inputs)
        results = [
            {"id": str(n), "properties": one["properties"], "new": True, "archived": False}
            for n, one in enumerate(inputs, first)
        ]
        return b"201 Created", msgspec.json.encode({"status": "COMPLETE", "results": results})

    def answer(self, path: bytes) -> tuple[bytes, ...]:
        """Return the parts of the body for a request of *path*."""
        if b"/properties/" in path:
            return (self._properties,)
        if b"/account-info/" in path:
            return (b'{"portalId":1,"accountType":"STANDARD","timeZone":"UTC"}',)
        if b"contacts" in path:
            at = int(found[1]) if (found := _AFTER.search(path)) else 0
            following = b',"paging":{"next":{"after":"%d"}}' % (at + 1) if at + 1 < self.contacts else b""
            return b'{"results":', self._people[at % len(self._people)], following, b"}"
        if not path.startswith(b"/items"):
            return (b'{"results":[]}',)
        at = (int(found[1]) if (found := _PAGE.search(path)) else 1) - 1
        more = b"true" if at + 1 < self.items else b"false"
        page = self._things[at % len(self._things)] if at < self.items else b"[]"
        return b'{"data":', page, b',"page":%d,"has_more":' % (at + 1), more, b"}"


class _Connection(asyncio.Protocol):
    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end]
            method, path = head.split(b" ", 2)[:2]
            until = end + 4 + (int(found[1]) if (found := _LENGTH.search(head)) else 0)
            if len(self._held) < until:
                return
            given, self._held = self._held[end + 4 : until], self._held[until:]
            if method == b"POST":
                status, *body = self._lists.written(path, given)
            else:
                status, body = b"200 OK", list(self._lists.answer(path))
            self._transport.write(b"".join((_HEAD % (status, sum(map(len, body))), *body)))


async def _serve(lists: Lists) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(lists), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served(contacts: int, items_: int) -> Iterator[str]:
    """Serve so many records in a process of its own; the value is the URL."""
    command = [sys.executable, __file__, "--contacts", str(contacts), "--items", str(items_)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--contacts", type=int, default=200_000)
    parser.add_argument("--items", type=int, default=500_000)
    given = parser.parse_args()
    asyncio.run(_serve(Lists(given.contacts, given.items)))
