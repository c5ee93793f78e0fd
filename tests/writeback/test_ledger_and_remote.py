"""Ledger and remote agree after any sequence of runs, crashes and edits by others; nothing is there twice, nothing of others' is lost.

What may differ from the source is said by what others have done alone: an edit of theirs stands until the source changes that record, or
a run is ``full``. Whatever our own runs did, died or gave up at, the next one that ends has made good.
"""

from __future__ import annotations

import io
import itertools
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
import requests
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from antiphon import schema
from antiphon.api import Api, Read, Resource, Write
from antiphon.client import Client
from antiphon.errors import ApiError
from antiphon.outcome import Kind, Nothing
from antiphon.writeback import writer as writers
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.mirror import take_away
from antiphon.writeback.settling import settle_open
from antiphon.writeback.writer import Allowance, Seen, Writer

ZOO = "https://zoo.example"
MEMORY = Path("/dev/shm")
"""A folder that is in memory: a kill takes nothing from there, and nobody waits for a disk."""
NAMES = st.sampled_from("abcd")
LEGS = st.integers(1, 2)
SOURCE = st.dictionaries(NAMES, LEGS, max_size=4)
REST = st.dictionaries(st.sampled_from("bcd"), LEGS, min_size=1, max_size=3)
CHANGES = st.dictionaries(NAMES, LEGS | st.none(), max_size=4)
"""A source that says of some that they were deleted."""
MOMENTS = st.sampled_from(["intended", "begun", "committed", "answered", "recorded", "given up", "refused"])
"""Written down, marked as begun, carried out, answered, the answer written down: there a run dies. Or it hears no answer, and then again none, or
refusals only."""


class Killed(BaseException):
    """The process is gone."""


class Zoo(requests.Session):
    """A server without a unique field, whose animals are made and changed by us and by others, and what may be believed of them."""

    def __init__(self) -> None:
        super().__init__()
        self.animals: dict[str, dict[str, Any]] = {}
        self.numbers = itertools.count(1)
        self.calls = self.writes = 0
        self.dies: tuple[str, int] | None = None
        """The moment at which the process dies, and when it comes how often."""
        self.silent: int | None = None
        """Writes until no answer comes any more; that one is carried out, the later ones are not."""
        self.refuses = False
        """Whether those are refused."""
        self.others: set[str] = set()
        """Ids of what others made."""
        self.either: set[str] = set()
        """Ids of what nobody can tell who made it."""
        self.lost: dict[str, int] = {}
        """Ids of what we made and were not told of, and the legs that it was given."""
        self.tried: dict[str, set[int]] = defaultdict(set)
        """Legs by name: what we were about to make when a run died, and did not."""
        self.told: dict[str, set[int | None]] = defaultdict(set)
        """Legs by name, with which a record may be taken for unchanged; None: for deleted."""
        self.stale: dict[str, set[int | None]] = {}
        """What may be taken so although others have changed it since."""

    def reached(self, moment: str) -> None:
        """Die here, if it is the moment."""
        if self.dies and self.dies[0] == moment:
            self.dies = (moment, self.dies[1] - 1)
            if self.dies[1] == 0:
                raise Killed

    def made(self, **fields: Any) -> str:
        """Make an animal."""
        id = str(next(self.numbers))
        self.animals[id] = {"id": id, **fields}
        return id

    def named(self, name: str) -> dict[str, Any] | None:
        """Return the animal of that name."""
        return next((animal for animal in self.animals.values() if animal["name"] == name), None)

    def edited(self, name: str) -> None:
        """Note that others have done something to the one of that name."""
        self.stale[name] = self.stale.get(name, set()) | self.told[name]
        animal = self.named(name)
        if animal and animal["id"] in self.others and animal["legs"] in self.tried[name]:
            self.others.discard(animal["id"])
            self.either.add(animal["id"])

    def written(self, name: str, legs: int | None) -> None:
        """Note that a run has: nothing that was known before may be believed."""
        self.stale.pop(name, None)
        self.told[name] = {legs}

    def send(self, request: requests.PreparedRequest, **_more: Any) -> requests.Response:
        """Answer *request*."""
        reply = requests.Response()
        reply.url, reply.request, reply.status_code = str(request.url), request, 200
        path = str(request.url).removeprefix(ZOO).partition("?")[0].strip("/").split("/")
        body = json.loads(request.body) if request.body else None
        found: Any = None
        self.calls += 1
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
            if self.silent is not None:
                self.silent -= 1
                if self.silent < 0 and not self.refuses:
                    raise requests.exceptions.ReadTimeout
                if self.silent < 0:
                    reply.status_code, reply.raw = 400, io.BytesIO(b'{"message": "no"}')
                    return reply
            if request.method == "POST":
                self.tried[body["name"]].add(body["legs"])
            self.reached("begun")
            reply.status_code, found = self.carried_out(str(request.method), path[-1], body)
            if request.method == "POST":
                self.tried[body["name"]].discard(body["legs"])
            self.reached("committed")
            if self.silent == 0:
                raise requests.exceptions.ReadTimeout
        reply.raw = io.BytesIO(b"" if reply.status_code == 204 else json.dumps(found or {}).encode())
        return reply

    def carried_out(self, method: str, id: str, body: Any) -> tuple[int, Any]:
        """Do what a run asks for; return the status and what is there."""
        if method == "POST":
            made = self.animals[self.made(**body)]
            self.lost[made["id"]] = made["legs"]
            self.written(made["name"], made["legs"])
            return 200, made
        found = self.animals.get(id)
        if found is None:
            return 404, None
        if method == "DELETE":
            del self.animals[id]
            self.written(found["name"], None)
            return 204, None
        found.update(body)
        self.written(found["name"], found["legs"])
        return 200, found


class Dying(Ledger):
    """A ledger whose process may die at any moment of the zoo's: what it would write from then on is not written."""

    def __init__(self, folder: Path, zoo: Zoo) -> None:
        self.zoo = zoo
        super().__init__(folder, "zoo")

    def die(self) -> None:
        """Leave all as it is, as a process does that is gone."""
        self.store._db.close()
        for lock in (*self.store._locks.values(), *self.store._alone.values()):
            lock.release()

    def reached(self, moment: str) -> None:
        """Die here, if it is the moment."""
        try:
            self.zoo.reached(moment)
        except Killed:
            self.store.transaction = self._gone  # type: ignore[method-assign,assignment]
            raise

    @contextmanager
    def _gone(self, **_more: Any) -> Iterator[NoReturn]:
        raise Killed
        yield

    def intend(self, *given: Any, **more: Any) -> Any:
        """Write down what is about to be sent."""
        busy = super().intend(*given, **more)
        self.reached("intended")
        return busy

    def answered(self, outcomes: Any, *given: Any, **more: Any) -> None:
        """Write down what became of it."""
        if outcomes:
            self.reached("answered")
            super().answered(outcomes, *given, **more)
            for outcome in outcomes:
                if outcome.kind is Kind.CREATED:
                    self.zoo.lost.pop(outcome.id, None)
            self.reached("recorded")

    def found_there(self, outcomes: Any) -> None:
        """Write down what was found of it."""
        if outcomes:
            self.reached("answered")
            super().found_there(outcomes)
            self.reached("recorded")


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
    """Runs of one stream, some of which die or give up, and what others do meanwhile."""

    mode: Any = "upsert"

    @initialize()
    def begin(self) -> None:
        """Begin with an empty zoo and no ledger."""
        self.folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
        self.zoo = Zoo()
        self.client = Client(Api("zoo", "Zoo", ZOO, resources=(ANIMALS,)), {}, session=self.zoo)
        self.version = 0
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(writers, "_PAUSES", (0.0,) * 8)

    def run(self, source: dict[str, Any], *, full: bool = False) -> list[Kind]:
        """Write *source* and take away what is not in it, as one run of a target does."""
        self.version += 1
        seen, kinds = Seen(), []
        ledger = Dying(Path(self.folder.name), self.zoo)
        try:
            settle_open(self.client, ledger)
            writer = Writer(
                self.client,
                ANIMALS,
                mode=self.mode,
                ledger=ledger,
                full=full,
                deletes="delete",
                allowance=Allowance(100),
                seen=seen,
            )
            rows = [
                {"name": name, "_sdc_deleted_at": "2026-01-01"} if legs is None else {"name": name, "legs": legs}
                for name, legs in source.items()
            ]
            for start in range(0, len(rows), 2):
                kinds += [outcome.kind for outcome in writer.write(rows[start : start + 2], version=self.version)]
            if self.mode == "mirror":
                take_away(writer, ledger, self.version, lambda _by, _records: None)
        except Killed:
            ledger.die()
            raise
        except BaseException:
            ledger.close()
            raise
        ledger.close()
        return kinds

    def met(self, lost: dict[str, int], source: dict[str, Any], *, ended: bool) -> None:
        """Note whose that is, of what was *lost* before a run, which it has met in its *source*: ours, if it was there as it was sent."""
        zoo = self.zoo
        for id, sent in lost.items():
            animal = zoo.animals.get(id)
            if animal is None:
                zoo.lost.pop(id, None)
            elif animal["name"] in source and zoo.lost.pop(id, None) is not None:
                seen = ended and animal["legs"] == source[animal["name"]] == sent
                zoo.either |= set() if seen else {id}

    @rule(source=SOURCE, full=st.booleans())
    def a_run_that_ends(self, source: dict[str, int], full: bool) -> None:
        """After it the zoo is as the source, save what others did; a second one has nothing to do."""
        self.ends(source, full=full)

    def ends(self, source: dict[str, Any], *, full: bool = False) -> None:
        """Run to the end, and hold the zoo against *source*."""
        zoo = self.zoo
        there = {id: animal["legs"] for id, animal in zoo.animals.items()}
        lost = {id: sent if there.get(id) == sent else 0 for id, sent in zoo.lost.items()}
        self.run(source, full=full)
        for name, legs in source.items():
            animal = zoo.named(name)
            as_it_is_to_be = (animal and animal["legs"]) == legs
            assert as_it_is_to_be or (not full and legs in zoo.stale.get(name, ())), (name, legs, animal)
            zoo.told[name] = {legs}
            zoo.stale[name] = set() if as_it_is_to_be else {legs}
        self.met(lost, source, ended=True)
        if self.mode == "mirror" and source:
            may_stay = zoo.others | zoo.either | zoo.lost.keys()
            assert {a["name"] for id, a in zoo.animals.items() if id not in may_stay} <= set(source)
        calls, writes = zoo.calls, zoo.writes
        assert set(self.run(source)) <= {Kind.UNCHANGED, Kind.SKIPPED}
        assert zoo.writes == writes
        assert zoo.calls == calls or None in source.values()

    @rule(source=SOURCE, moment=MOMENTS, number=st.integers(1, 4))
    def a_run_that_breaks_off(self, source: dict[str, Any], moment: str, number: int) -> None:
        """It dies when the moment comes so often, or gives up."""
        zoo = self.zoo
        lost = dict(zoo.lost)
        if moment in {"given up", "refused"}:
            zoo.silent, zoo.refuses = number, moment == "refused"
        else:
            zoo.dies = (moment, number)
        with suppress(Killed, ApiError):
            self.run(source)
        zoo.dies = zoo.silent = None
        for name, legs in source.items():
            zoo.told[name].add(legs)
        self.met(lost, source, ended=False)

    @rule(before=LEGS, moment=MOMENTS, number=st.integers(1, 2), data=st.data())
    def a_source_that_goes_back(self, before: int, moment: str, number: int, data: st.DataObject) -> None:
        """A run ends, one with other values breaks off, and the source is again as it was: so it has to be there."""
        first = dict.fromkeys(data.draw(st.sets(NAMES, min_size=1)), before)
        self.ends(first)
        self.a_run_that_breaks_off(dict.fromkeys(first, 3 - before), moment, number)
        self.ends(first)

    @rule(name=NAMES, legs=LEGS)
    def somebody_else_makes_one(self, name: str, legs: int) -> None:
        """An animal that is nobody's but theirs, unless there is one of that name."""
        if self.zoo.named(name) is None:
            self.zoo.others.add(self.zoo.made(name=name, legs=legs))
            self.zoo.edited(name)

    @rule(name=NAMES, legs=LEGS)
    def somebody_else_changes_one(self, name: str, legs: int) -> None:
        """Whoever made it."""
        animal = self.zoo.named(name)
        if animal:
            animal["legs"] = legs
            self.zoo.edited(name)

    @rule(name=NAMES)
    def somebody_else_deletes_one(self, name: str) -> None:
        """Whoever made it."""
        animal = self.zoo.named(name)
        if animal:
            del self.zoo.animals[animal["id"]]
            self.zoo.others.discard(animal["id"])
            self.zoo.edited(name)

    @invariant()
    def nothing_is_there_twice(self) -> None:
        """No run has made one that was there."""
        names = [animal["name"] for animal in self.zoo.animals.values()]
        assert len(names) == len(set(names))

    def teardown(self) -> None:
        """Give the folder back."""
        self.patched.undo()
        self.folder.cleanup()


class Mirror(Runs):
    """Runs of a mirror."""

    mode = "mirror"

    @rule(source=REST, theirs=LEGS, ours=LEGS)
    def others_make_one_that_the_source_has_for_a_while(self, source: dict[str, Any], theirs: int, ours: int) -> None:
        """Whatever the stream did to it."""
        self.somebody_else_makes_one("a", theirs)
        self.ends({**source, "a": ours})
        self.ends(source)

    @rule(source=REST, moment=MOMENTS, first=st.booleans(), theirs=LEGS, comes=st.booleans())
    def others_make_one_that_a_run_was_to_make(
        self, source: dict[str, Any], moment: str, first: bool, theirs: int, comes: bool
    ) -> None:
        """That run had broken off. It comes once more, or not, and is in the source no more."""
        self.ends(source)
        self.a_run_that_breaks_off({"a": 1, **source} if first else {**source, "b": 2, "a": 1}, moment, 1)
        self.somebody_else_makes_one("a", theirs)
        if comes:
            self.ends({**source, "a": 1})
        self.ends(source)

    @rule(source=REST, moment=MOMENTS)
    def a_source_that_loses_one_after_a_run_that_broke_off(self, source: dict[str, Any], moment: str) -> None:
        """It comes once more before it is lost: so it is known for the stream's own."""
        self.ends(source)
        for _ in range(2):
            self.a_run_that_breaks_off({"a": 1, **source}, moment, 1)
            self.ends({"a": 1, **source})
            self.ends(source)

    @invariant()
    def what_others_made_is_there(self) -> None:
        """No run has taken it away."""
        assert self.zoo.others <= set(self.zoo.animals)


class Deleting(Runs):
    """Runs of a stream that says what was deleted."""

    @rule(source=CHANGES, full=st.booleans())
    def a_run_with_deletions(self, source: dict[str, Any], full: bool) -> None:
        """To its end."""
        self.ends(source, full=full)

    @rule(source=CHANGES, moment=MOMENTS, number=st.integers(1, 3))
    def a_run_with_deletions_that_dies(self, source: dict[str, Any], moment: str, number: int) -> None:
        """At some moment."""
        self.a_run_that_breaks_off(source, moment, number)


TestMirror, TestDeleting = Mirror.TestCase, Deleting.TestCase
TestMirror.settings = TestDeleting.settings = settings(max_examples=50, stateful_step_count=6, deadline=None)
