"""A tiny API with a tap on it: people (changes, deletes), notes (a list alone), tags (no times) and animals (known to it alone)."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import requests_mock

from antiphon import schema
from antiphon.api import Api, Read, Resource, Setting
from antiphon.auth import Bearer
from antiphon.client import Client
from antiphon.paging import Cursor
from antiphon.singer.tap import Tap

URL = "https://shelf.example.org"
TOKEN = "t0k3n-of-mine"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = 3

WORDS = {"id": "integer!", "name": "string", "born": "date", "updated": "date-time"}


def at(minutes: float) -> str:
    """Return the time so many minutes after noon."""
    return (NOON + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def _fields(client: Client) -> Mapping[str, Any]:
    return schema.record(client.call("GET", "/fields")["fields"])


def _kinds(client: Client) -> Iterator[Resource]:
    for name in client.call("GET", "/kinds")["kinds"]:
        yield Resource(name, _fields, updated="updated", common=False, read=_list(f"/{name}"))


def _list(path: str, **params: str) -> Read:
    asked = {"fields": "{fields}", **params}
    return Read(path, params=asked, records="results", paging=Cursor("next", "after", size=("limit", PAGE)))


PEOPLE = Resource(
    "people",
    _fields,
    aliases=("person",),
    updated="updated",
    read=_list("/people"),
    changes=_list("/people/changes", since="{since}", until="{until}"),
    deleted=_list("/people/gone"),
)
NOTES = Resource("notes", schema.record(WORDS, readonly=["id"]), updated="updated", read=_list("/notes"))
TAGS = Resource("tags", schema.record({"id": "integer!", "name": "string"}), read=_list("/tags"))


def api(*resources: Resource, **more: Any) -> Api:
    """Return the API; its resources are people, notes and tags unless others are given."""
    given: dict[str, Any] = {
        "auth": Bearer(),
        "settings": (Setting("access_token", "Token", "Of your account.", secret=True, required=True),),
        "discover": _kinds,
        **more,
    }
    return Api("shelf", "Shelf", URL, resources=resources or (PEOPLE, NOTES, TAGS), **given)


class TapShelf(Tap):
    """Reads the shelf."""

    api = api()


class TapPeople(Tap):
    """Reads the people on the shelf, and nothing else."""

    api = api(PEOPLE, discover=None)


class Killed(BaseException):
    """What stands in for a process that is gone from one moment to the next."""


class Shelf:
    """The server: what it has on its lists, what it was asked, and how it misbehaves."""

    def __init__(self) -> None:
        self.lists: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in ("people", "gone", "notes", "tags")}
        self.fields = dict(WORDS)
        self.kinds: list[str] = []
        self.now = NOON + timedelta(hours=1)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.refuse: dict[str, int] = {}
        self.before: Callable[[str, dict[str, str]], None] = lambda path, params: None

    def put(self, name: str, *records: Mapping[str, Any]) -> None:
        """Put records on a list, in place of those with the same ids."""
        self.lists.setdefault(name, {}).update({record["id"]: dict(record) for record in records})

    def calls(self) -> Counter[str]:
        """Count what was asked, by path."""
        return Counter(path for path, _ in self.asked)

    def answer(self, request: Any, context: Any) -> Any:
        """Answer one request."""
        path = request.path
        params = {key: values[0] for key, values in request.qs.items()}
        self.asked.append((path, params))
        self.before(path, params)
        context.headers["Date"] = format_datetime(self.now, usegmt=True)
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            context.status_code = 401
            return {"message": "token expired"}
        if path in self.refuse:
            context.status_code = self.refuse[path]
            return {"message": "not for you"}
        if path == "/fields":
            return {"fields": self.fields}
        if path == "/kinds":
            return {"kinds": self.kinds}
        name = {"/people/changes": "people", "/people/gone": "gone"}.get(path, path[1:])
        rows = [row for _, row in sorted(self.lists.get(name, {}).items())]
        if "since" in params:
            rows = [row for row in rows if row["updated"].upper() >= params["since"].upper()]
        if "until" in params:
            rows = [row for row in rows if row["updated"].upper() <= params["until"].upper()]
        start = int(params.get("after", 0))
        rows = [row for row in rows if row["id"] > start]
        page = rows[: int(params["limit"])]
        return {"results": page, **({"next": page[-1]["id"]} if len(rows) > len(page) else {})}


@contextmanager
def served(shelf: Shelf) -> Iterator[None]:
    """Let every request in here be answered by *shelf*."""
    with requests_mock.Mocker() as mocker:
        mocker.register_uri(requests_mock.ANY, re.compile(re.escape(URL)), json=shelf.answer)
        yield


class Output(list[dict[str, Any]]):
    """The messages of a tap."""

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a stream."""
        return [m["record"] for m in self if m["type"] == "RECORD" and m["stream"] == stream]

    def ids(self, stream: str) -> list[int]:
        """The ids of a stream's records."""
        return [record["id"] for record in self.records(stream)]

    def schemas(self, stream: str) -> list[dict[str, Any]]:
        """The schemas of a stream."""
        return [m["schema"] for m in self if m["type"] == "SCHEMA" and m["stream"] == stream]

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        return next((m["value"] for m in reversed(self) if m["type"] == "STATE"), {})

    def bookmark(self, stream: str) -> dict[str, Any]:
        """What the last state remembers of a stream."""
        return self.state["bookmarks"][stream]


def written(run: Callable[[], Any]) -> Output:
    """Return what *run* writes to stdout, a kill notwithstanding."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), suppress(Killed):
        run()
    out.seek(0)
    return Output(json.loads(line) for line in out)


def made(tap: type[Tap] = TapShelf, *, catalog: Any = None, state: Any = None, **config: Any) -> Tap:
    """Return a tap with the token that the shelf wants."""
    return tap(config={"access_token": TOKEN, **config}, catalog=catalog, state=state)


def sync(shelf: Shelf, tap: type[Tap] = TapShelf, *, catalog: Any = None, state: Any = None, **config: Any) -> Output:
    """Run a tap on *shelf* and return what it wrote."""

    def run() -> None:
        made(tap, catalog=catalog, state=state, **config).read_all()

    with served(shelf):
        return written(run)


def discovered(shelf: Shelf, tap: type[Tap] = TapShelf, **config: Any) -> dict[str, Any]:
    """Return the catalog of a tap on *shelf*."""
    with served(shelf):
        return made(tap, **config).catalog_dict


def select(
    catalog: dict[str, Any], *streams: str, fields: Mapping[str, bool] | None = None, **root: Any
) -> dict[str, Any]:
    """Return *catalog* with just these *streams* selected, and in them *fields* chosen and *root* metadata set."""
    for entry in catalog["streams"]:
        wanted = entry["tap_stream_id"] in streams
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"] |= {"selected": wanted, **(root if wanted else {})}
            elif wanted and (name := metadata["breadcrumb"][-1]) in (fields or {}):
                metadata["metadata"]["selected"] = (fields or {})[name]
        if wanted and "forced-replication-method" in root:
            entry["replication_method"] = root["forced-replication-method"]
    return catalog


def people(count: int, *, minutes: Callable[[int], float] = float) -> list[dict[str, Any]]:
    """Return people with the ids from 1 on, each last changed at as many minutes past noon as its id."""
    return [{"id": n, "name": f"person {n}", "born": None, "updated": at(minutes(n))} for n in range(1, count + 1)]
