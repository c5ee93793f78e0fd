"""Several requests under way at once, and one credential for all of them."""

from __future__ import annotations

import json
import threading
import time

import pytest

from antiphon import schema
from antiphon.api import Api, Auth, Read, Resource, Write
from antiphon.client import Client
from antiphon.errors import Unavailable
from antiphon.writeback.flights import Flights
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.writer import Writer

SHELF = "https://shelf.example"


class Watched:
    """Work that knows how much of it is done at a time."""

    def __init__(self, bad=(), together=1, moment=0.01):
        self.bad, self.now, self.most, self.done = bad, 0, 0, []
        self.lock, self.moment = threading.Lock(), moment
        self.met = threading.Barrier(together, timeout=60)

    def __call__(self, n):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        if n < self.met.parties:
            self.met.wait()
        time.sleep(self.moment)
        with self.lock:
            self.now -= 1
            self.done.append(n)
        if n in self.bad:
            raise ValueError(n)
        return n * 10


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (3, 3), (50, 20)])
def test_so_many_are_under_way_and_all_are_told(parallel, most):
    work, told, flights = Watched(together=min(parallel, 2)), [], Flights(parallel)
    flights.run(flights.fly(work, range(20), told.append))
    assert sorted(told) == [n * 10 for n in range(20)]
    assert 1 <= work.most <= most
    assert (work.most > 1) == (parallel > 1)


def test_after_an_error_nothing_more_is_begun_and_what_was_under_way_is_told_first():
    work, told, flights = Watched(bad={2}, moment=0.05), [], Flights(3)
    with pytest.raises(ValueError, match="2"):
        flights.run(flights.fly(work, range(100), told.append))
    assert work.now == 0
    assert len(work.done) < 10
    assert set(told) == {n * 10 for n in work.done if n != 2}


def shelf(**more):
    """Return an API of books by name, one in a request."""
    return Client(
        Api(
            "shelf",
            title="Shelf",
            base_url=SHELF,
            resources=(
                Resource(
                    "books",
                    schema.record({"id": "string!", "name": "string", "pages": "integer"}, readonly=["id"]),
                    match=("name",),
                    find=Read("/find", params={"name": "{match.values}"}, records="items", values=5),
                    create=Write("/books", body="{record}"),
                ),
            ),
            **more,
        ),
        {},
    )


def test_an_error_in_one_flight_leaves_the_others_accounted_for(tmp_path, requests_mock):
    requests_mock.get(f"{SHELF}/find", json={"items": []})

    def created(request, context):
        name = json.loads(request.body)["name"]
        context.status_code = 429 if name == "b7" else 201
        context.headers["Retry-After"] = "9999"
        return {"id": name[1:]}

    requests_mock.post(f"{SHELF}/books", json=created)
    client, records = shelf(), [{"name": f"b{n}", "pages": n} for n in range(12)]
    with Ledger(tmp_path, "shelf") as ledger:
        with pytest.raises(Unavailable):
            Writer(client, client.resource("books"), ledger=ledger, flights=Flights(4)).write(records)
        sent = {json.loads(r.body)["name"] for r in requests_mock.request_history if r.method == "POST"}
        keys = {f"b{n}": ledger.key("books", ("name", f"b{n}")) for n in range(12)}
        assert {name for name, key in keys.items() if ledger.records.known("books", [key])} == sent - {"b7"}
        assert ledger.store.rows("select count(*) from intents") == [(0,)]  # nothing is left open


def test_what_nothing_identifies_is_written_in_the_order_it_came(requests_mock):
    came = []

    def created(request, context):
        came.append(json.loads(request.body)["pages"])
        time.sleep(0.02 if came[-1] % 3 == 0 else 0)
        return {"id": str(came[-1])}

    requests_mock.post(f"{SHELF}/books", json=created)
    client = shelf()
    Writer(client, client.resource("books"), mode="create", flights=Flights(4)).write([{"pages": n} for n in range(12)])
    assert came == list(range(12))


class Key(Auth):
    """A credential that is renewed."""

    def __init__(self):
        self.number, self.renewals = 0, 0

    def prepare(self, http):
        pass

    def sign(self, request, http):
        request.headers["X-Key"] = str(self.number)

    def refuses(self, reply):
        return False

    def renew(self, http, reply):
        time.sleep(0.02)
        self.renewals += 1
        self.number = 1
        return True

    def needs(self):
        return ()


def test_a_credential_that_is_refused_to_several_at_once_is_renewed_once(requests_mock):
    def created(request, context):
        context.status_code = 201 if request.headers["X-Key"] == "1" else 401
        time.sleep(0.01)
        return {"id": "1"}

    requests_mock.post(f"{SHELF}/books", json=created)
    requests_mock.get(f"{SHELF}/find", json=lambda request, context: created(request, context) and {"items": []})
    auth = Key()
    client = shelf(auth=auth)
    outcomes = Writer(client, client.resource("books"), flights=Flights(4)).write(
        [{"name": f"b{n}"} for n in range(20)]
    )
    assert {o.kind.value for o in outcomes} == {"created"}
    assert auth.renewals == 1
