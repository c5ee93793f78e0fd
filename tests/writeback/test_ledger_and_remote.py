"""Ledger and remote agree after any sequence of runs, crashes and edits by others; nothing is there twice, nothing of others' is lost."""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import requests
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from antiphon import schema
from antiphon.api import Api, Read, Resource, Write
from antiphon.client import Client
from antiphon.outcome import Kind, Nothing
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.mirror import take_away
from antiphon.writeback.sending import settle_open
from antiphon.writeback.writer import Allowance, Seen, Writer

ZOO = "https://zoo.example"
NAMES = st.sampled_from("abcdef")
SOURCE = st.dictionaries(NAMES, st.integers(0, 3), max_size=6)


class Killed(BaseException):
    """The process is gone."""


class Zoo(requests.Session):
    """A server without a unique field, whose animals are made and changed by us and by others; it can be let die at any request."""

    def __init__(self) -> None:
        super().__init__()
        self.animals: dict[str, dict[str, Any]] = {}
        self.numbers = itertools.count(1)
        self.left: int | None = None
        """Writes that are carried out before the process dies: the last one without an answer."""
        self.writes = 0

    def made(self, **fields: Any) -> str:
        """Make an animal."""
        id = str(next(self.numbers))
        self.animals[id] = {"id": id, **fields}
        return id

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:
        """Answer *request*."""
        reply = requests.Response()
        reply.url, reply.request, reply.status_code = str(request.url), request, 200
        path = str(request.url).removeprefix(ZOO).partition("?")[0].strip("/").split("/")
        body = json.loads(request.body) if request.body else None
        found: Any = None
        if request.method == "GET":
            asked = requests.utils.unquote(str(request.url).partition("name=")[2]).split(",")
            animals = list(self.animals.values())
            found = (
                {"items": [a for a in animals if a["name"] in asked]}
                if path[1:] == ["find"]
                else self.animals.get(path[1])
            )
            reply.status_code = 200 if found is not None else 404
        else:
            self.writes += 1
            if self.left == 0:
                raise Killed
            match request.method:
                case "POST":
                    found = self.animals[self.made(**body)]
                case "PATCH":
                    found = self.animals.get(path[1])
                    reply.status_code = 200 if found else 404
                    (found or {}).update(body)
                case "DELETE":
                    reply.status_code = 204 if self.animals.pop(path[1], None) else 404
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    raise Killed
        reply.raw = io.BytesIO(b"" if reply.status_code == 204 else json.dumps(found or {}).encode())
        return reply


ANIMALS = Resource(
    "animals",
    schema.record({"id": "string!", "name": "string", "legs": "integer"}, readonly=["id"]),
    match=("name",),
    find=Read("/animals/find", params={"name": "{match.value}"}, records="items"),
    get=Read("/animals/{id}"),
    create=Write("/animals", body="{record}"),
    update=Write("/animals/{id}", "PATCH", body="{record}", safe=True),
    delete=Write("/animals/{id}", "DELETE", outcomes=Nothing(), safe=True),
)


class Runs(RuleBasedStateMachine):
    """Runs of a mirror, some of which die, and what others do meanwhile."""

    @initialize()
    def begin(self) -> None:
        """Begin with an empty zoo and no ledger."""
        self.folder = tempfile.TemporaryDirectory()
        self.zoo = Zoo()
        self.client = Client(Api("zoo", "Zoo", ZOO, resources=(ANIMALS,)), {}, session=self.zoo)
        self.others: set[str] = set()
        self.version = 0
        self.undone: list[Any] = []

    def run(self, source: dict[str, int], *, full: bool = False) -> list[Kind]:
        """Write *source* and take away what is not in it, as one run of a target does."""
        self.version += 1
        seen, kinds = Seen(), []
        with Ledger(Path(self.folder.name), "zoo") as ledger:
            settle_open(self.client, ledger)
            writer = Writer(
                self.client, ANIMALS, mode="mirror", ledger=ledger, full=full, allowance=Allowance(100), seen=seen
            )
            rows = [{"name": name, "legs": legs} for name, legs in source.items()]
            for start in range(0, len(rows), 2):
                kinds += [outcome.kind for outcome in writer.write(rows[start : start + 2], version=self.version)]
            take_away(writer, ledger, self.version, lambda _by, records: self.undone.extend(records))
        return kinds

    def has(self, source: dict[str, int]) -> None:
        """Hold the zoo against *source*: each of it there, once, as it is to be; all that others made still there."""
        there = [(a["name"], a["legs"]) for a in self.zoo.animals.values()]
        names = [name for name, _ in there]
        assert len(names) == len(set(names))
        assert set(source.items()) <= set(there)
        if source:
            assert set(names) == set(source) | {self.zoo.animals[id]["name"] for id in self.others}

    @rule(source=SOURCE, full=st.booleans())
    def a_run_that_ends(self, source: dict[str, int], full: bool) -> None:
        """After it, and only then, the zoo is as the source; a second one has nothing to do."""
        self.run(source, full=True)
        self.has(source)
        before = self.zoo.writes
        assert set(self.run(source, full=full)) <= {Kind.UNCHANGED}
        assert self.zoo.writes == before

    @rule(source=SOURCE, writes=st.integers(1, 5))
    def a_run_that_dies(self, source: dict[str, int], writes: int) -> None:
        """It dies at its n-th write, whose answer it never hears."""
        self.zoo.left = writes
        try:
            self.run(source)
        except Killed:
            pass
        finally:
            self.zoo.left = None

    @rule(name=NAMES, legs=st.integers(0, 3))
    def somebody_else_makes_one(self, name: str, legs: int) -> None:
        """An animal that is nobody's but theirs, unless there is one of that name."""
        if name not in [a["name"] for a in self.zoo.animals.values()]:
            self.others.add(self.zoo.made(name=name, legs=legs))

    @rule(name=NAMES, legs=st.integers(0, 3))
    def somebody_else_changes_one(self, name: str, legs: int) -> None:
        """Whoever made it."""
        for animal in self.zoo.animals.values():
            if animal["name"] == name:
                animal["legs"] = legs

    @rule(name=NAMES)
    def somebody_else_deletes_one(self, name: str) -> None:
        """Whoever made it."""
        for id, animal in list(self.zoo.animals.items()):
            if animal["name"] == name:
                del self.zoo.animals[id]
                self.others.discard(id)

    @invariant()
    def what_others_made_is_there(self) -> None:
        """No run has taken it away."""
        assert self.others <= set(self.zoo.animals)

    def teardown(self) -> None:
        """Give the folder back."""
        self.folder.cleanup()


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
