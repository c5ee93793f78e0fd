"""Reading a real pretix with tap-pretix."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from contract import plugins
from contract.wire import tapped

from tap_pretix import TapPretix

from . import pretix_seed as seed
from .faults import FaultProxy, Plan
from .pipes import Ran, catalog, put, shell

if TYPE_CHECKING:
    from .pretix import Pretix

FORMATS = jsonschema.FormatChecker(formats=())
TABLES = {
    "events": ("pretixbase_event", "slug"),
    "subevents": ("pretixbase_subevent", "id"),
    "items": ("pretixbase_item", "id"),
    "orders": ("pretixbase_order", "code"),
    "positions": ("pretixbase_orderposition", "id"),
    "checkin_lists": ("pretixbase_checkinlist", "id"),
    "checkins": ("pretixbase_checkin", "id"),
    "customers": ("pretixbase_customer", "identifier"),
    "vouchers": ("pretixbase_voucher", "id"),
}


@FORMATS.checks("date-time")
def is_rfc3339(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value))


@FORMATS.checks("date")
def is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


def in_the_database(pretix: Pretix, stream: str) -> list[str]:
    table, key = TABLES[stream]
    with closing(sqlite3.connect(pretix.database)) as database:
        return [str(value) for (value,) in database.execute(f"select {key} from {table}")]


def keys(said: Any, stream: str) -> Counter[str]:
    return Counter(str(record[TABLES[stream][1]]) for record in said.records(stream))


def tap(folder: Path, config: dict[str, Any], *streams: str, state: Any = None, **more: Any) -> Ran:
    put(folder, "tap.json", {**config, **more})
    options = ""
    if streams:
        options += f" --catalog {put(folder, 'catalog.json', catalog(*streams))}"
    if state is not None:
        options += f" --state {put(folder, 'state.json', state)}"
    return shell(folder, f"tap-pretix --config tap.json{options}")


def test_every_stream_is_read_whole_and_valid_by_its_schema(fresh_pretix: Pretix, tmp_path: Path) -> None:
    said = tap(tmp_path, fresh_pretix.config)
    assert said.code == 0
    for stream in TABLES:
        schema = {**said.schema(stream)["schema"], "additionalProperties": False}
        validator = jsonschema.Draft7Validator(schema, format_checker=FORMATS)
        for record in said.records(stream):
            validator.validate(json.loads(json.dumps(record, default=float)))
        assert keys(said, stream) == Counter(in_the_database(fresh_pretix, stream)), stream
    assert said.schema("webhooks")["key_properties"] == ["id"]


def test_the_bookmark_is_what_pretix_named_and_is_asked_for_as_it_came(
    fresh_pretix: Pretix, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = tapped(monkeypatch)
    config = {**fresh_pretix.config, "lookback": 0}
    first = plugins.read(TapPretix, config, "orders")
    bookmark = first.state["bookmarks"]["orders"]["replication_key_value"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", bookmark)
    wire.clear()
    second = plugins.read(TapPretix, config, "orders", state=first.state)
    assert second.records("orders") == []
    assert [f"modified_since={bookmark.replace(':', '%3A')}" in str(request.url) for request in wire.requests] == [True]


def test_an_edit_a_payment_and_a_scan_bring_their_order_and_nothing_else(fresh_pretix: Pretix, tmp_path: Path) -> None:
    first = tap(tmp_path, fresh_pretix.config, "orders", "positions", "checkins")
    edited, paid, scanned = (seed.order_code(number) for number in (12, seed.PENDING[0], 21))
    fresh_pretix.api("PATCH", f"{seed.CONFERENCE}/orders/{edited}/", {"comment": "VIP"})
    fresh_pretix.api("POST", f"{seed.CONFERENCE}/orders/{paid}/mark_paid/", {"send_email": False})
    secret = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{scanned}/")["positions"][0]["secret"]
    scan = {"lists": [entrance(fresh_pretix)], "secret": secret, "type": "entry", "nonce": "once"}
    fresh_pretix.api("POST", f"{seed.HOME}/checkinrpc/redeem/", scan)
    second = tap(tmp_path, fresh_pretix.config, "orders", "positions", "checkins", state=first.state)
    orders = {order["code"]: order for order in second.records("orders")}
    assert orders.keys() == {edited, paid, scanned}
    assert (orders[edited]["comment"], orders[paid]["status"]) == ("VIP", "p")
    positions = Counter(position["order"] for position in second.records("positions"))
    assert positions == {code: len(order["positions"]) for code, order in orders.items()}
    [checkin] = second.records("checkins")
    assert (checkin["event"], checkin["successful"]) == ("conference", True)
    third = tap(tmp_path, fresh_pretix.config, "orders", "positions", "checkins", state=second.state)
    assert third.code == 0
    assert [message["type"] for message in third.messages if message["type"] == "RECORD"] == []


def entrance(pretix: Pretix) -> int:
    found: int = min(row["id"] for row in pretix.every(f"{seed.CONFERENCE}/checkinlists/"))
    return found


def test_an_attendee_tells_its_order_and_stays_when_it_is_canceled(fresh_pretix: Pretix, tmp_path: Path) -> None:
    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(2)}/")
    canceled = order["positions"][1]["id"]
    fresh_pretix.api("DELETE", f"{seed.CONFERENCE}/orderpositions/{canceled}/")
    said = tap(tmp_path, fresh_pretix.config, "positions")
    found = [p for p in said.records("positions") if p["order"] == order["code"]]
    assert [p["canceled"] for p in found] == [False, True, False]
    first = found[0]
    assert (first["event"], first["order_status"], first["order_email"]) == ("conference", "p", "buyer02@example.org")
    assert (first["attendee_email"], first["attendee_name_parts"]["given_name"]) == ("attendee003@example.org", "Dilan")
    assert (first["last_modified"], str(first["price"])) == (said_last(said, order["code"]), "40.00")


def said_last(said: Ran, code: str) -> str:
    return max(p["last_modified"] for p in said.records("positions") if p["order"] == code)


@contextmanager
def under_way(pretix: Pretix, sql: str, *values: Any) -> Iterator[None]:
    """A write that has begun, and is not done before the block ends: nobody sees it until then."""
    with closing(sqlite3.connect(pretix.database, isolation_level=None, timeout=30)) as database:
        database.execute("begin immediate")
        database.execute(sql, values)
        yield
        database.execute("commit")


def test_what_is_written_while_it_is_read_is_read_the_next_time(fresh_pretix: Pretix) -> None:
    config = {**fresh_pretix.config}
    state = plugins.read(TapPretix, config, "orders", "customers").state
    code = seed.order_code(5)
    before = fresh_pretix.request("GET", f"{seed.HOME}/orders/?page_size=1").headers["X-Page-Generated"]
    time = before.removesuffix("Z").replace("T", " ")
    with under_way(
        fresh_pretix, "update pretixbase_order set comment = 'slow', last_modified = ? where code = ?", time, code
    ):
        meanwhile = plugins.read(TapPretix, config, "orders", state=state)
        assert meanwhile.records("orders") == []
        assert meanwhile.state["bookmarks"]["orders"]["replication_key_value"] > before
    after = plugins.read(TapPretix, config, "orders", state=meanwhile.state)
    assert [(order["code"], order["comment"]) for order in after.records("orders")] == [(code, "slow")]


@contextmanager
def busy(*acts: Callable[[int], object]) -> Iterator[None]:
    """Other people at work: each of *acts* is done again and again, with the number of its turn, until the block ends."""
    stop = threading.Event()

    def work(act: Callable[[int], object]) -> None:
        for number in count():
            if stop.is_set():
                return
            act(number)

    with ThreadPoolExecutor() as pool:
        working = [pool.submit(work, act) for act in acts]
        try:
            yield
        finally:
            stop.set()
    for done in working:
        done.result()


@pytest.mark.timeout(900)  # pretix has one process, which they keep busy
def test_nothing_is_missed_while_tickets_are_sold_and_edited(fresh_pretix: Pretix) -> None:
    item = min(row["id"] for row in fresh_pretix.every(f"{seed.CONFERENCE}/items/"))
    order = {"locale": "en", "sales_channel": "web", "status": "p", "payment_provider": "manual"}

    def sell(number: int) -> None:
        position = {"item": item, "variation": None, "price": "120.00", "answers": [], **seed.attendee(500 + number)}
        sold = {**order, "email": f"rush{number}@example.org", "positions": [position]}
        fresh_pretix.api("POST", f"{seed.CONFERENCE}/orders/", sold)

    def edit(number: int) -> None:
        path = f"{seed.CONFERENCE}/orders/{seed.order_code(number % 40)}/"
        fresh_pretix.api("PATCH", path, {"comment": f"edit {number}"})

    seen: dict[str, tuple[str, str]] = {}
    sent: Counter[tuple[str, str]] = Counter()

    def pull(state: Any) -> Any:
        said = plugins.read(TapPretix, fresh_pretix.config, "orders", state=state)
        for found in said.records("orders"):
            seen[found["code"]] = found["last_modified"], found["comment"]
            sent[found["code"], found["last_modified"]] += 1
        return said.state

    state = pull(None)
    with busy(sell, edit):
        for _ in range(8):
            state = pull(state)
    pull(state)
    orders = list(fresh_pretix.every(f"{seed.HOME}/orders/"))
    assert len(orders) > seed.CONFERENCE_ORDERS + seed.WORKSHOP_ORDERS
    assert seen == {row["code"]: (row["last_modified"], row["comment"]) for row in orders}
    assert {version for version, times in sent.items() if times > 1} == set()


def test_every_record_is_read_once_over_a_bad_line(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy], tmp_path: Path
) -> None:
    plan = Plan(rate_limited=0.15, bad_gateway=0.15, cut=0.15, truncated=0.15, retry_after=1, seed=1)
    proxy = pretix_faulty(plan)
    streams = ["events", "positions", "customers", "checkins"]
    said = tap(tmp_path, fresh_pretix.config_at(proxy.url), *streams)
    assert said.code == 0
    assert {"rate_limited", "bad_gateway", "cut", "truncated"} <= proxy.counts().keys()
    for stream in streams:
        assert keys(said, stream) == Counter(in_the_database(fresh_pretix, stream)), stream


def test_a_token_that_is_not_accepted_is_told_in_one_line(pretix: Pretix, tmp_path: Path) -> None:
    said = tap(tmp_path, pretix.config, "orders", api_token="nobodyhasthisone")
    last = said.err.rstrip("\n").rpartition("\n")[2]
    assert (said.code, said.records("orders")) == (1, [])
    assert "401 Invalid token." in last
    assert "api_token" in last
    assert "nobodyhasthisone" not in said.err


def test_a_foreign_organizer_fails_and_is_named(pretix: Pretix, tmp_path: Path) -> None:
    said = tap(tmp_path, pretix.config, "orders", organizer="somebody-else")
    assert said.code == 1
    assert "pretix: reading orders -> 403" in said.err
