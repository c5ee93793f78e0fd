"""Batches under way at once: in order for each record, told in the order they came, and none lost for another's error."""

from __future__ import annotations

import io
import json
import random
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Api, Read, Resource, Write
from antiphon.client import Client
from antiphon.errors import Storage, Unauthorized
from antiphon.outcome import Kind, Outcome, PerItem
from antiphon.writeback.flights import Flights
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.underway import UnderWay
from antiphon.writeback.writer import Allowance, Writer

SHELF = "https://shelf.example"


class Shelf(requests.Session):
    """Books by name and by number, in memory; each answer takes a moment, and it is known what was under way together."""

    def __init__(self, moments=lambda: 0.0):
        super().__init__()
        self.moments = moments
        self.books = {}
        self.writes = defaultdict(list)
        """What was written of each name, in order."""
        self.lock = threading.Lock()
        self.now, self.most, self.together = Counter(), 0, set()
        self.busy, self.clashes = Counter(), []
        self.fails = lambda _what, _names: 0
        """The status of a failure, of a look-up or a write of some names."""
        self.gates = {}
        """Names of which nothing is answered before an event."""

    @contextmanager
    def under_way(self, what, names):
        with self.lock:
            self.now[what] += 1
            self.most = max(self.most, self.now.total())
            self.together.add(frozenset(kind for kind, n in self.now.items() if n))
            self.busy.update(names if what == "write" else ())
            self.clashes += [name for name in names if what == "write" and self.busy[name] > 1]
            self.clashes += [name for name in names if what == "find" and self.busy[name]]
        try:
            for name in names:
                if gate := self.gates.get((what, name)):
                    assert gate.wait(10)
            time.sleep(self.moments())
            yield
        finally:
            with self.lock:
                self.now[what] -= 1
                self.busy.subtract(names if what == "write" else ())

    def send(self, request, **_given):
        asked = urlsplit(request.url)
        reply = requests.Response()
        reply.url, reply.status_code = request.url, 200
        if asked.path == "/find":
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            what, field, names = "find", query["field"], query["values"].split(",")
        else:
            what, body = "write", json.loads(request.body)["books"]
            names = [book.get("name") or self.books[book["id"]]["name"] for book in body]
        with self.under_way(what, names):
            if status := self.fails(what, names):
                reply.status_code, found = status, []
                reply.headers["Retry-After"] = "9999"
            elif what == "find":
                found = [dict(book) for book in [*self.books.values()] if str(book.get(field)) in names]
            else:
                found = [self.put(book) for book in body]
        reply.raw = io.BytesIO(json.dumps({"items": found}).encode())
        return reply

    def put(self, book):
        with self.lock:
            id = book.get("id") or str(len(self.books) + 1)
            self.books.setdefault(id, {"id": id}).update(book)
            self.writes[self.books[id]["name"]].append(self.books[id].get("pages"))
            return dict(self.books[id])


def shelf(session, **slots):
    """Return an API of books, three in a request."""
    batch = {"batch": 3, "into": "books", "outcomes": PerItem("items"), "method": "POST"}
    resource = Resource(
        "books",
        schema.record({"id": "string!", "name": "string", "isbn": "string", "pages": "integer"}, readonly=["id"]),
        match=("name", "isbn"),
        find=Read("/find", params={"field": "{match.field}", "values": "{match.values}"}, records="items", values=3),
        **{
            "create": Write("/books", each="{record}", **batch),
            "update": Write("/books/update", each={"id": "{id}", "pages": "{record.pages}"}, safe=True, **batch),
            **slots,
        },
    )
    return Client(Api("shelf", "Shelf", SHELF, resources=(resource,)), {}, session=session), resource


class Run:
    """Batches of books, and what was told of them."""

    def __init__(self, session, *, most=4, slots=None, **writer):
        self.client, resource = shelf(session, **(slots or {}))
        self.flights = Flights(most)
        self.under_way = UnderWay(self.flights)
        self.writer = Writer(self.client, resource, flights=self.flights, **writer)
        self.told, self.outcomes = [], []

    def begin(self, *books):
        batch = self.writer.batch(books)

        def told(outcomes):
            self.told.append(batch.turn)
            self.outcomes += outcomes

        self.under_way.begin(batch, self.writer.steps, told)

    def until(self, condition):
        end = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < end, "it never came to that"
            self.under_way.go_on()
            time.sleep(0.001)


def books(*names, **fields):
    return [{"name": name, "pages": n, **fields} for n, name in enumerate(names)]


def test_the_next_batch_is_looked_up_while_this_one_is_written():
    session = Shelf()
    session.gates["write", "a"] = threading.Event()
    run = Run(session)
    run.begin(*books("a", "b"))
    run.until(lambda: session.now["write"])
    session.gates["find", "c"] = threading.Event()
    run.begin(*books("c", "d"))
    run.until(lambda: session.now["find"])
    for gate in session.gates.values():
        gate.set()
    run.under_way.finish()
    assert frozenset({"find", "write"}) in session.together
    assert run.told == [1, 2]
    assert [outcome.kind for outcome in run.outcomes] == [Kind.CREATED] * 4


def test_a_later_batch_that_is_done_first_is_told_in_its_turn():
    session = Shelf()
    session.gates["write", "a"] = threading.Event()
    run = Run(session)
    run.begin(*books("a"))
    run.begin(*books("b"))
    run.until(lambda: session.writes["b"])
    time.sleep(0.02)
    run.under_way.go_on()
    assert run.told == []
    session.gates["write", "a"].set()
    run.under_way.finish()
    assert run.told == [1, 2]


def test_a_batch_about_a_record_of_one_before_it_waits_for_that_one():
    session = Shelf()
    session.gates["write", "a"] = threading.Event()
    run = Run(session)
    run.begin(*books("a", "b"))
    run.begin(*books("c", "a"))
    run.until(lambda: session.now["write"])
    time.sleep(0.02)
    run.under_way.go_on()
    assert not session.writes["c"]
    session.gates["write", "a"].set()
    run.under_way.finish()
    assert session.writes["a"] == [0, 1]


def test_what_is_matched_by_another_field_may_be_the_same_record_and_waits():
    session = Shelf(lambda: random.uniform(0, 0.005))
    run = Run(session)
    run.begin({"name": "a", "isbn": "1", "pages": 1})
    run.begin({"isbn": "1", "pages": 2})
    run.under_way.finish()
    assert [outcome.kind for outcome in run.outcomes] == [Kind.CREATED, Kind.UPDATED]
    assert session.writes == {"a": [1, 2]}


def test_what_a_function_writes_is_written_in_the_order_it_came():
    came = []

    def create(_client, _resource, changes):
        for change in changes:
            time.sleep(random.uniform(0, 0.003))
            came.append(change.record["pages"])
            yield Outcome(change, Kind.CREATED, "1")

    run = Run(Shelf(), slots={"create": create})
    for n in range(0, 20, 2):
        run.begin({"name": f"b{n}", "pages": n}, {"name": f"b{n + 1}", "pages": n + 1})
    run.under_way.finish()
    assert came == list(range(20))


def test_how_many_may_be_deleted_does_not_depend_on_what_was_faster():
    for _ in range(5):
        session = Shelf(lambda: random.uniform(0, 0.005))
        for n in range(40):
            session.put({"name": f"b{n}", "pages": n})
        gone = Write("/books/delete", each={"id": "{id}"}, batch=3, into="books", outcomes=PerItem("items"))
        run = Run(session, slots={"delete": gone}, deletes="delete", allowance=Allowance(2))
        for n in range(0, 8, 2):
            run.begin(*[{"name": f"b{n + more}", "_sdc_deleted_at": "2026-01-01T00:00:00Z"} for more in range(2)])
        run.under_way.finish()
        assert [outcome.kind for outcome in run.outcomes[2:]] == [Kind.REJECTED] * 6


def test_no_further_batch_is_to_begin_while_many_requests_wait():
    session = Shelf()
    session.gates["find", "b0"] = session.gates["find", "b3"] = threading.Event()
    run = Run(session, most=2)
    assert not run.under_way.full
    run.begin(*books(*(f"b{n}" for n in range(15))))
    assert run.under_way.full  # two look-ups are under way, and three wait
    session.gates["find", "b0"].set()
    run.under_way.finish()
    assert not run.under_way.full


def test_one_at_a_time_is_one_at_a_time():
    session = Shelf()
    run = Run(session, most=1)
    for n in range(5):
        run.begin(*books(f"a{n}", f"b{n}"))
        assert len(run.told) == n + 1
    assert session.most == 1


# Errors


def test_after_an_error_those_before_are_told_and_of_those_after_what_was_sent_is_in_the_ledger(tmp_path):
    session = Shelf()
    session.gates["write", "a"] = threading.Event()
    later = threading.Event()

    def fails(what, names):
        if what == "write" and "e" in names:
            later.set()
        return 401 if what == "write" and "d" in names and later.wait(10) else 0

    session.fails = fails
    with Ledger(tmp_path, "shelf") as ledger:
        run = Run(session, ledger=ledger, most=8)
        run.begin(*books("a", "b"))
        run.begin(*books("c", "x", "y", "d", "z"))
        run.begin(*books("e", "f"))
        threading.Timer(0.05, lambda: [gate.set() for gate in session.gates.values()]).start()
        with pytest.raises(Unauthorized):
            run.under_way.finish()
        assert run.told == [1]
        assert not run.under_way
        known = {name for name in "abcdefxyz" if ledger.records.known("books", [ledger.key("books", ("name", name))])}
        assert known == set(session.writes) >= {"a", "b", "c", "x", "y", "e", "f"}
        assert ledger.store.rows("select count(*) from entries") == [(0,)]  # nothing is left open


def test_one_that_is_done_when_another_fails_is_told():
    session = Shelf()
    session.gates["write", "a"] = session.gates["write", "d"] = threading.Event()
    session.fails = lambda what, names: 401 if what == "write" and "d" in names else 0
    run = Run(session, most=8)
    run.begin(*books("a"))
    run.begin(*books("d"))
    run.until(lambda: all(session.busy[name] for name in "ad"))
    session.gates["write", "a"].set()
    while session.now["write"]:
        time.sleep(0.001)
    time.sleep(0.05)  # both answers are there when it goes on
    with pytest.raises(Unauthorized):
        run.under_way.finish()
    assert run.told == [1]


def test_when_one_cannot_be_told_none_after_it_is():
    run = Run(Shelf())
    told = []

    def storage_is_full(_outcomes):
        raise Storage("the disk is full")

    first, second = run.writer.batch(books("a")), run.writer.batch(books("b"))
    run.under_way.begin(first, run.writer.steps, storage_is_full)
    run.under_way.begin(second, run.writer.steps, told.append)
    with pytest.raises(Storage):
        run.under_way.finish()
    run.under_way.finish()
    assert not told


# Any batches


BATCHES = st.lists(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=5), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    batches=BATCHES, most=st.integers(1, 6), seed=st.integers(0, 2**32), fails=st.sets(st.integers(0, 40), max_size=1)
)
def test_each_record_is_written_in_order_and_all_before_an_error_are_told(batches, most, seed, fails):
    chance, count, lock = random.Random(seed), iter(range(10**6)), threading.Lock()
    session = Shelf(lambda: chance.choice((0, 0, 0.001, 0.003)))

    def failing(what, _names):
        with lock:
            return 401 if what == "write" and next(count) in fails else 0

    session.fails = failing
    run = Run(session, most=most)
    pages = iter(range(10**6))
    sent = [[{"name": name, "pages": next(pages)} for name in batch] for batch in batches]
    last = [{book["name"]: book["pages"] for book in batch} for batch in sent]  # within a batch the last one counts
    try:
        for batch in sent:
            run.begin(*batch)
        run.under_way.finish()
        assert len(run.told) == len(batches)
    except Unauthorized:
        assert fails
    assert run.told == list(range(1, len(run.told) + 1))
    assert not session.clashes
    for name, written in session.writes.items():
        expected = [batch[name] for batch in last if name in batch]
        assert written == expected[: len(written)]
    there = {book["name"]: book["pages"] for book in session.books.values()}
    whole: dict[str, int] = {}
    for batch in last[: len(run.told)]:
        whole |= batch
    assert all(there[name] >= n for name, n in whole.items())  # what was told is there, or what came after it
    assert len(there) == len(session.books)  # nothing was created twice
    if len(run.told) == len(batches):
        assert there == whole
