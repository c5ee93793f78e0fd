"""pretix as it is described, without a server: what a server is rarely asked for, or never does on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests_mock

from antiphon import apis
from antiphon.ahead import Lanes
from antiphon.api import Query
from antiphon.client import Client
from antiphon.errors import Forbidden, NotFound, Refused, Unauthorized
from antiphon.outcome import Change, Kind, Outcome
from antiphon.writeback.writer import Writer

URL = "https://pretix.eu/api/v1"
HOME = f"{URL}/organizers/acme"
PRETIX = replace(apis.load("pretix"), limits=())
SETTINGS = {"api_token": "nobodys-token", "organizer": "acme"}


@pytest.mark.parametrize(("address", "limited"), [(URL, True), ("https://tickets.example.org/api/v1", False)])
def test_the_limit_is_that_of_pretix_eu_and_not_of_a_server_of_ones_own(address: str, *, limited: bool) -> None:
    assert [limit.holds_at(address) for limit in apis.load("pretix").limits] == [limited]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr("antiphon.http.random.uniform", lambda low, _high: low)
    return Client(PRETIX, SETTINGS)


def page(rows: list[Mapping[str, Any]], *, count: int, more: bool) -> dict[str, Any]:
    return {"json": {"count": count, "next": f"{HOME}/?page=n" if more else None, "previous": None, "results": rows}}


def people(*numbers: int) -> list[Mapping[str, Any]]:
    return [{"identifier": str(number), "last_modified": "2026-05-01T10:00:00Z"} for number in numbers]


def read(client: Client, name: str, **query: Any) -> list[str]:
    resource = client.resource(name)
    slot = "changes" if query else "read"
    pages = client.read(resource, Query(**query), slot=slot)
    return [row[resource.key[0]] for found in pages for row in found.records]


def asked(mock: requests_mock.Mocker) -> list[str]:
    return [request.qs["page"][0] for request in mock.request_history]


def test_rows_that_move_up_onto_a_page_that_was_read_are_read(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    first, second = list(range(1, 51)), list(range(52, 102))
    shifted = [*first[1:], 51]  # 1 is deleted after the first page was read
    answers = [
        page(people(*first), count=120, more=True),
        page(people(*second), count=119, more=True),
        page(people(*shifted), count=119, more=True),
        page(people(*second), count=119, more=True),
        page(people(*range(102, 121)), count=119, more=False),
    ]
    requests_mock.get(f"{HOME}/customers/", answers)
    found = read(client, "customers")
    assert sorted(found, key=int) == [str(number) for number in range(1, 121)]
    assert asked(requests_mock) == ["1", "2", "1", "2", "3", "3"]


def test_a_page_that_is_gone_when_it_is_asked_for_ends_the_list_at_the_one_before(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    answers = [
        page(people(*range(1, 51)), count=51, more=True),
        {"status_code": 404, "json": {"detail": "Invalid page."}},
        page(people(*range(2, 52)), count=50, more=False),
    ]
    requests_mock.get(f"{HOME}/customers/", answers)
    assert read(client, "customers") == [str(number) for number in range(1, 52)]
    assert asked(requests_mock) == ["1", "2", "1"]


def test_many_rows_that_go_at_once_bring_back_as_many_pages(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    answers = [
        page(people(*range(1, 51)), count=200, more=True),
        page(people(*range(51, 101)), count=200, more=True),
        page(people(*range(171, 201)), count=130, more=False),
        page(people(*range(71, 121)), count=130, more=True),
        page(people(*range(121, 171)), count=130, more=True),
        page(people(*range(171, 201)), count=130, more=False),
    ]
    requests_mock.get(f"{HOME}/customers/", answers)
    found = read(client, "customers")
    assert sorted(found, key=int) == [str(number) for number in range(1, 201)]
    assert asked(requests_mock) == ["1", "2", "3", "1", "2", "3", "3"]


class Counting:
    """A list as pretix gives it: first the rows are counted, then those of the page are selected, and of the last page as many as were counted.

    What is in *between* is done to the rows in the moment between the two, once each: a row comes (+) in its place, or goes (-).
    """

    def __init__(self, rows: Iterable[int], between: Iterable[Iterable[int]]) -> None:
        """Nothing is asked for yet."""
        self.rows, self.between, self.pages = sorted(rows), list(between), list[int]()

    def answer(self, request: Any, context: Any) -> Any:
        number, size = int(request.qs["page"][0]), int(request.qs["page_size"][0])
        self.pages.append(number)
        count, bottom = len(self.rows), (number - 1) * size
        if bottom and bottom >= count:
            context.status_code = 404
            return {"detail": "Invalid page."}
        for row in self.between.pop(0) if self.between else ():
            self.rows = sorted({*self.rows, row} if row > 0 else {*self.rows} - {-row})
        selected = self.rows[bottom : min(bottom + size, count)]
        found = [
            {"last_modified": "2026-05-01T10:00:00Z"} | dict.fromkeys(("code", "identifier", "slug"), f"{row:05}")
            for row in selected
        ]
        return page(found, count=count, more=bottom + size < count)["json"]


SINCE = "2026-05-01T00:00:00Z"


@pytest.mark.parametrize("count", [1, 30, 49, 50, 51, 100, 101, 170])
def test_a_row_that_comes_in_before_others_as_they_are_selected_hides_none(
    client: Client, requests_mock: requests_mock.Mocker, count: int
) -> None:
    there = range(10, 10 + count)
    for turn in range(5):
        server = Counting(there, [()] * turn + [(1,), (), (2, 3), (4,)])
        requests_mock.get(f"{HOME}/orders/", json=server.answer)
        found = read(client, "orders", since=SINCE)
        assert {f"{row:05}" for row in there} <= set(found)
        assert len(found) == len(set(found))


@pytest.mark.parametrize("name", ["events", "customers"])
@pytest.mark.parametrize("count", [51, 100, 101, 170])
def test_a_row_that_comes_in_before_others_of_a_list_by_name_hides_none(
    client: Client, requests_mock: requests_mock.Mocker, name: str, count: int
) -> None:
    client.lanes = Lanes(4)
    there = range(10, 10 + count)
    for turn in range(5):
        server = Counting(there, [()] * turn + [(1,), (), (2, 3), (4,)])
        requests_mock.get(f"{HOME}/{name}/", json=server.answer)
        found = read(client, name)
        assert {f"{row:05}" for row in there} <= set(found)
        assert len(found) == len(set(found))


@pytest.mark.parametrize("name", ["events", "customers"])
def test_a_list_by_name_that_has_one_page_is_asked_for_once_and_the_last_of_several_once_more(
    client: Client, requests_mock: requests_mock.Mocker, name: str
) -> None:
    client.lanes = Lanes(4)
    calls = {}
    for count in 0, 1, 50, 51, 120:
        server = Counting(range(1, 1 + count), [])
        requests_mock.get(f"{HOME}/{name}/", json=server.answer)
        read(client, name)
        calls[count] = server.pages
    assert calls == {0: [1], 1: [1], 50: [1], 51: [1, 2, 2], 120: [1, 2, 3, 3]}


def test_a_list_of_changes_has_ended_once_its_last_page_is_counted_alike_twice(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    calls = {}
    for count in 0, 1, 50, 51, 120:
        server = Counting(range(1, 1 + count), [])
        requests_mock.get(f"{HOME}/orders/", json=server.answer)
        read(client, "orders", since=SINCE)
        calls[count] = server.pages
    assert calls == {0: [1], 1: [1, 1], 50: [1, 1], 51: [1, 2, 2], 120: [1, 2, 3, 3]}


def test_rows_that_are_sold_all_the_time_do_not_keep_a_list_from_ending(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    server = Counting(range(1, 31), [(100 + n,) for n in range(1000)])
    requests_mock.get(f"{HOME}/orders/", json=server.answer)
    assert {f"{row:05}" for row in range(1, 31)} <= set(read(client, "orders", since=SINCE))
    assert len(server.pages) < 20


def test_a_row_that_goes_as_the_last_page_is_selected_hides_none(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    server = Counting(range(1, 61), [(), (-3,)])
    requests_mock.get(f"{HOME}/customers/", json=server.answer)
    found = read(client, "customers")
    assert set(found) == {f"{row:05}" for row in range(1, 61)}


def test_pages_of_changes_are_asked_for_in_turn_since_each_is_selected_after_it_was_counted(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    client.lanes = Lanes(4)
    server = Counting(range(1, 501), [])
    requests_mock.get(f"{HOME}/orders/", json=server.answer)
    assert len(read(client, "orders", since=SINCE)) == 500
    assert server.pages == [*range(1, 11), 10]


def test_a_first_page_that_is_not_there_is_an_error(client: Client, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{HOME}/customers/", status_code=404, json={"detail": "Not found."})
    with pytest.raises(NotFound, match=r"pretix: reading customers -> 404 Not found\."):
        read(client, "customers")
    assert requests_mock.call_count == 1


def test_a_handful_is_looked_up_one_by_one_and_many_by_going_through_a_short_list(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    rows = [{"identifier": str(n), "email": f"P{n}@example.org"} for n in range(30)]

    def answer(request: Any, _context: Any) -> Any:
        wanted = request.qs.get("email")
        found = [row for row in rows if not wanted or row["email"].lower() == wanted[0]]
        return page(found, count=len(found), more=False)["json"]

    requests_mock.get(f"{HOME}/customers/", json=answer)
    customers = client.resource("customers")
    few = [f"p{n}@example.org" for n in range(5)]
    assert len(client.find(customers, "email", few)) == 5
    assert requests_mock.call_count == 5
    many = [f"p{n}@example.org" for n in range(25)]
    assert {row["identifier"] for row in client.find(customers, "email", many)} == {str(n) for n in range(25)}
    assert requests_mock.call_count == 7


def test_many_are_looked_up_one_by_one_where_the_list_is_longer(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.get(f"{HOME}/orders/", **page([], count=5000, more=False))
    assert client.find(client.resource("orders"), "code", [f"CODE{n}" for n in range(20)]) == []
    assert requests_mock.call_count == 21


def test_an_event_that_is_not_there_is_not_found(client: Client, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{HOME}/events/there/", json={"slug": "there"})
    requests_mock.get(f"{HOME}/events/not-there/", status_code=403, json={"detail": "You do not have permission."})
    found = client.find(client.resource("events"), "slug", ["not-there", "there"])
    assert [row["slug"] for row in found] == ["there"]


def test_a_request_with_a_key_that_is_under_way_is_made_again_with_the_same_key(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    busy = {
        "status_code": 409,
        "json": {"detail": "Concurrent request with idempotency key."},
        "headers": {"Retry-After": "0"},
    }
    requests_mock.post(f"{HOME}/customers/", [busy, {"status_code": 201, "json": {"identifier": "ABC"}}])
    [outcome] = client.write(client.resource("customers"), "create", [Change({"email": "a@example.org"})])
    assert (outcome.kind, outcome.id, outcome.attempts) == (Kind.CREATED, "ABC", 2)
    tokens = [request.headers["X-Idempotency-Key"] for request in requests_mock.request_history]
    assert tokens == [outcome.change.token] * 2


def test_every_creation_has_a_key_of_its_own(client: Client, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.post(f"{HOME}/customers/", status_code=201, json={"identifier": "ABC"})
    list(client.write(client.resource("customers"), "create", [Change({"email": "a@example.org"}) for _ in range(3)]))
    assert len({request.headers["X-Idempotency-Key"] for request in requests_mock.request_history}) == 3


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "Only test mode orders can be deleted."}, "Only test mode orders can be deleted."),
        ({"email": ["Enter a valid email address."]}, "email: Enter a valid email address."),
        (["This operation would leave the order empty."], "This operation would leave the order empty."),
        (
            {"positions": [{}, {"item": ["The product is not available.", "It is sold out."]}]},
            "positions: item: The product is not available.; It is sold out.",
        ),
        ({"non_field_errors": ["The two do not fit."]}, "The two do not fit."),
        ({"status": "error", "reason": "already_redeemed", "reason_explanation": None}, "already_redeemed"),
        ({"status": "error", "reason": "rules", "reason_explanation": "Not before noon"}, "Not before noon"),
        (
            [{}, {"code": ["A voucher with this code already exists."]}],
            "code: A voucher with this code already exists.",
        ),
        ([], "Bad Request"),
    ],
)
def test_what_pretix_says_against_it_is_told(
    client: Client, requests_mock: requests_mock.Mocker, body: Any, said: str
) -> None:
    requests_mock.post(f"{HOME}/customers/", status_code=400, json=body)
    [outcome] = client.write(client.resource("customers"), "create", [Change({"email": "x"})])
    assert (outcome.kind, outcome.problem and outcome.problem.message) == (Kind.REJECTED, said)


@pytest.mark.parametrize(("status", "kind"), [(401, Unauthorized), (403, Forbidden), (400, Refused)])
def test_a_connection_that_does_not_work_says_why(
    client: Client, requests_mock: requests_mock.Mocker, status: int, kind: type[Exception]
) -> None:
    requests_mock.get(f"{HOME}/events/", status_code=status, json={"detail": "Invalid token."})
    with pytest.raises(kind, match=rf"pretix: checking the connection -> {status} Invalid token\.") as caught:
        client.check()
    assert "nobodys-token" not in str(caught.value)
    assert requests_mock.last_request.headers["Authorization"] == "Token nobodys-token"


def test_a_scan_is_sent_with_its_list_its_time_and_a_nonce(client: Client, requests_mock: requests_mock.Mocker) -> None:
    requests_mock.post(f"{HOME}/checkinrpc/redeem/", status_code=201, json={"status": "ok", "position": {"id": 9}})
    change = Change({"list": 3, "secret": "s3cr3t", "datetime": "2026-05-01T10:00:00Z"})
    [outcome] = client.write(client.resource("checkins"), "redeem", [change])
    assert (outcome.kind, outcome.id) == (Kind.DONE, "9")
    assert requests_mock.last_request.json() == {
        "lists": [3],
        "secret": "s3cr3t",
        "datetime": "2026-05-01T10:00:00Z",
        "source_type": "barcode",
        "nonce": change.token,
    }


def test_money_is_read_to_the_last_digit(client: Client, requests_mock: requests_mock.Mocker) -> None:
    rows = [{"code": "A", "total": "1234567890123456.10", "positions": []}]
    requests_mock.get(f"{HOME}/orders/", **page(rows, count=1, more=False))
    [found] = [row for got in client.read(client.resource("orders")) for row in got.records]
    assert str(found["total"]) == "1234567890123456.10"


# What is there already


def order(**more: Any) -> dict[str, Any]:
    position = {
        "id": 7,
        "positionid": 1,
        "item": 1,
        "price": "120.00",
        "attendee_email": "a@example.org",
        "checkins": [],
    }
    return {
        "code": "ABCDE",
        "event": "conf",
        "status": "p",
        "total": "120.00",
        "comment": "",
        "positions": [position],
        **more,
    }


def written(client: Client, name: str, record: dict[str, Any], **more: Any) -> Outcome:
    [outcome] = Writer(client, client.resource(name), **more).write([record])
    return outcome


def test_an_order_that_is_sent_again_as_it_was_created_is_unchanged(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.get(f"{HOME}/orders/", **page([order()], count=1, more=False))
    positions = [{"item": 1, "price": "120.00", "attendee_email": "a@example.org"}]
    sent = {"code": "ABCDE", "event": "conf", "status": "p", "positions": positions, "send_email": False}
    assert written(client, "orders", sent).kind is Kind.UNCHANGED
    assert [request.method for request in requests_mock.request_history] == ["GET"]


@pytest.mark.parametrize(
    "positions",
    [
        [{"item": 2, "price": "120.00"}],
        [{"item": 1, "price": "99.00"}],
        [{"item": 1}, {"item": 1}],
        [],
    ],
)
def test_other_positions_than_an_order_has_are_refused_in_words(
    client: Client, requests_mock: requests_mock.Mocker, positions: list[Any]
) -> None:
    requests_mock.get(f"{HOME}/orders/", **page([order()], count=1, more=False))
    outcome = written(client, "orders", {"code": "ABCDE", "event": "conf", "comment": "x", "positions": positions})
    assert outcome.kind is Kind.REJECTED
    assert outcome.problem
    assert outcome.problem.message == "pretix does not let one change positions of orders there already"


def test_of_an_order_that_is_there_only_what_can_be_changed_is_sent(
    client: Client, requests_mock: requests_mock.Mocker
) -> None:
    requests_mock.get(f"{HOME}/orders/", **page([order()], count=1, more=False))
    requests_mock.patch(f"{HOME}/events/conf/orders/ABCDE/", json=order(comment="VIP"))
    sent = {"code": "ABCDE", "event": "conf", "status": "p", "comment": "VIP", "force": True}
    assert written(client, "orders", sent).kind is Kind.UPDATED
    assert requests_mock.last_request.json() == {"comment": "VIP"}


@pytest.mark.parametrize("price", ["23.00", "23", 23, 23.0, "23.0"])
def test_the_same_amount_in_other_figures_is_no_change(
    client: Client, requests_mock: requests_mock.Mocker, price: Any
) -> None:
    requests_mock.get(f"{HOME}/events/", **page([{"slug": "conf"}], count=1, more=False))
    item = {"id": 1, "internal_name": "seat", "default_price": "23.00", "active": True}
    requests_mock.get(f"{HOME}/events/conf/items/", **page([item], count=1, more=False))
    sent = {"event": "conf", "internal_name": "seat", "default_price": price}
    assert written(client, "items", sent, match=("internal_name",)).kind is Kind.UNCHANGED
