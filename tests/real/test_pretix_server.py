"""The rig itself: pretix answers as seeded, and the proxy spoils what it was told to."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from . import pretix_seed as seed
from .faults import FaultProxy, Plan
from .pretix import VERSION, Pretix

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS = f"{seed.HOME}/orders/"
SOLD = seed.CONFERENCE_ORDERS + seed.WORKSHOP_ORDERS
PAGE_LIMIT = 50


def entrance(pretix: Pretix) -> int:
    lists = {row["name"]: row["id"] for row in pretix.every(f"{seed.CONFERENCE}/checkinlists/")}
    found: int = lists["Main entrance"]
    return found


def ask(proxy: FaultProxy, pretix: Pretix, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Token {pretix.token}"}
    return requests.request(method, f"{proxy.url}/api/v1{path}", json=body, headers=headers, timeout=30)


def test_pretix_is_the_version_asked_for(pretix: Pretix) -> None:
    assert pretix.api("GET", "/version")["pretix"] == VERSION


def test_the_seed_is_the_same_every_time(fresh_pretix: Pretix) -> None:
    orders = {order["code"]: order for order in fresh_pretix.every(ORDERS)}
    assert sorted(orders) == sorted(map(seed.order_code, range(SOLD)))
    first = orders[seed.order_code(0)]["positions"][0]
    assert (first["attendee_name"], first["attendee_email"]) == ("Ada Lovelace", "attendee000@example.org")
    assert {code for code, order in orders.items() if order["status"] == "c"} == set(
        map(seed.order_code, seed.CANCELED)
    )
    assert {code for code, order in orders.items() if order["status"] == "n"} == set(map(seed.order_code, seed.PENDING))
    checked_in = [order for order in orders.values() if order["positions"][0]["checkins"]]
    assert len(checked_in) == seed.CHECKED_IN


def test_a_list_comes_in_pages_of_fifty_at_most(fresh_pretix: Pretix) -> None:
    page = fresh_pretix.api("GET", f"{ORDERS}?page_size=500")
    assert (page["count"], len(page["results"])) == (SOLD, PAGE_LIMIT)
    assert page["next"].startswith(fresh_pretix.url)


def test_an_edit_shows_in_modified_since_and_reset_takes_it_back(fresh_pretix: Pretix) -> None:
    since = fresh_pretix.request("GET", ORDERS).headers["X-Page-Generated"]
    code = seed.order_code(7)
    fresh_pretix.api("PATCH", f"{seed.CONFERENCE}/orders/{code}/", {"comment": "VIP"})
    changed = fresh_pretix.request("GET", ORDERS, params={"modified_since": since}).json()["results"]
    assert [(order["code"], order["comment"]) for order in changed] == [(code, "VIP")]
    fresh_pretix.reset()
    assert fresh_pretix.request("GET", ORDERS, params={"modified_since": since}).json()["count"] == 0


def test_a_scan_with_the_same_nonce_counts_once(fresh_pretix: Pretix) -> None:
    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(20)}/")
    scan = {"lists": [entrance(fresh_pretix)], "secret": order["positions"][0]["secret"], "nonce": "once"}
    redeem = f"{seed.HOME}/checkinrpc/redeem/"
    assert [fresh_pretix.api("POST", redeem, scan)["status"] for _ in range(2)] == ["ok", "ok"]
    again = fresh_pretix.request("POST", redeem, json=scan | {"nonce": "twice"})
    assert (again.status_code, again.json()["reason"]) == (400, "already_redeemed")
    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(20)}/")
    assert len(order["positions"][0]["checkins"]) == 1


def test_pages_lead_back_through_the_proxy(fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]) -> None:
    proxy = pretix_faulty(Plan())
    page = ask(proxy, fresh_pretix, "GET", ORDERS).json()
    assert page["next"].startswith(proxy.url)
    assert proxy.counts() == {"passed": 1}


def test_the_proxy_answers_429_and_502_in_the_servers_place(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]
) -> None:
    proxy = pretix_faulty(Plan(rate_limited=1, retry_after=3, in_a_row=1))
    limited, passed = (ask(proxy, fresh_pretix, "GET", "/version") for _ in range(2))
    assert (limited.status_code, limited.headers["Retry-After"], passed.status_code) == (429, "3", 200)
    assert proxy.counts() == {"rate_limited": 1, "passed": 1}
    proxy = pretix_faulty(Plan(bad_gateway=1))
    broken = ask(proxy, fresh_pretix, "GET", "/version")
    assert (broken.status_code, broken.headers["Content-Type"]) == (502, "text/html")
    assert proxy.injected() == [{"fault": "bad_gateway", "method": "GET", "path": "/api/v1/version"}]


def test_the_proxy_delays_and_cuts(fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]) -> None:
    proxy = pretix_faulty(Plan(delayed=1, delay=0.4))
    began = time.monotonic()
    assert ask(proxy, fresh_pretix, "GET", "/version").json()["pretix"] == VERSION
    assert time.monotonic() - began > 0.4
    proxy = pretix_faulty(Plan(cut=1))
    with pytest.raises(requests.ConnectionError):
        ask(proxy, fresh_pretix, "GET", ORDERS)
    assert proxy.counts() == {"cut": 1}


def test_a_truncated_body_is_shorter_than_announced(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]
) -> None:
    proxy = pretix_faulty(Plan(truncated=1))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(proxy, fresh_pretix, "GET", ORDERS)
    assert proxy.counts() == {"truncated": 1}


def test_a_lost_answer_leaves_the_write_in_place(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]
) -> None:
    proxy = pretix_faulty(Plan(lost_answer=1))
    customers = f"{seed.HOME}/customers/"
    assert ask(proxy, fresh_pretix, "GET", customers).json()["count"] == seed.CUSTOMERS
    with pytest.raises(requests.ConnectionError):
        ask(proxy, fresh_pretix, "POST", customers, {"email": "lost@example.org"})
    assert fresh_pretix.api("GET", f"{customers}?email=lost@example.org")["count"] == 1
    assert proxy.counts() == {"passed": 1, "lost_answer": 1}


def test_a_seed_repeats_its_faults(fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]) -> None:
    seen = []
    for number in 1, 1, 2:
        proxy = pretix_faulty(Plan(bad_gateway=0.3, rate_limited=0.3, seed=number))
        seen.append([ask(proxy, fresh_pretix, "GET", "/version").status_code for _ in range(12)])
    assert seen[0] == seen[1] != seen[2]
    assert set(seen[0]) == {200, 429, 502}


def test_whatever_may_go_wrong_does_so_in_the_first_requests_and_once_however_they_come(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy]
) -> None:
    rare = dict.fromkeys(["rate_limited", "bad_gateway", "cut", "delayed", "truncated", "lost_answer"], 1e-9)
    proxy = pretix_faulty(Plan(**rare, delay=0.01))

    def request(number: int) -> None:
        with contextlib.suppress(requests.RequestException):
            ask(proxy, fresh_pretix, "POST" if number % 2 else "GET", f"/version?n={number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(request, range(16)))
    assert proxy.counts() == {**dict.fromkeys(rare, 1), "passed": 10}
