"""Writing to a real pretix with target-pretix, and in one-liners."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.connection import Connection, connect
from antiphon.errors import Refused

from . import pretix_seed as seed
from .faults import FaultProxy, Plan
from .pipes import SCRIPTS, Ran, lines, outcomes, put, shell, surroundings

if TYPE_CHECKING:
    from .pretix import Pretix


def target(folder: Path, config: Mapping[str, Any], messages: bytes, **more: Any) -> Ran:
    (folder / "input.jsonl").write_bytes(messages)
    put(folder, "target.json", {**config, "receipts": "receipts.jsonl", "rejects": "rejects.jsonl", **more})
    for name in "receipts.jsonl", "rejects.jsonl":
        (folder / name).unlink(missing_ok=True)
    return shell(folder, "target-pretix --config target.json < input.jsonl")


def rejects(folder: Path) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()]
    return [message for message in found if message["type"] == "RECORD"]


def column(pretix: Pretix, select: str) -> list[Any]:
    with closing(sqlite3.connect(pretix.database)) as database:
        return [value for (value,) in database.execute(select)]


def tickets(pretix: Pretix, number: int) -> list[dict[str, Any]]:
    """Orders without a code: each time one is sent, pretix sells one more ticket."""
    item = min(row["id"] for row in pretix.every(f"{seed.CONFERENCE}/items/"))
    return [
        {
            "event": "conference",
            "email": f"faulty{n:02}@example.org",
            "locale": "en",
            "sales_channel": "web",
            "status": "p",
            "payment_provider": "manual",
            "positions": [{"item": item, "price": "120.00", "answers": [], **seed.attendee(300 + n)}],
        }
        for n in range(number)
    ]


def customers(number: int) -> list[dict[str, Any]]:
    return [
        {"email": f"guest{n:02}@example.org", "name_parts": {"_scheme": "full", "full_name": f"Guest {n}"}}
        for n in range(number)
    ]


SOLD = "select email from pretixbase_order where email like 'faulty%'"
GUESTS = "select email from pretixbase_customer where email like 'guest%'"


def test_nothing_is_lost_and_nothing_done_twice_over_a_bad_line(
    fresh_pretix: Pretix, pretix_faulty: Callable[[Plan], FaultProxy], tmp_path: Path
) -> None:
    plan = Plan(
        rate_limited=0.1, bad_gateway=0.1, cut=0.1, truncated=0.15, lost_answer=0.25, retry_after=0, only="POST"
    )
    proxy = pretix_faulty(plan)
    messages = lines("customers", customers(8)) + lines("orders", tickets(fresh_pretix, 6))
    plans = {"orders": {"mode": "create"}}
    said = target(tmp_path, fresh_pretix.config_at(proxy.url), messages, streams=plans)
    assert said.code == 0
    assert outcomes(tmp_path / "receipts.jsonl") == ["created"] * 14
    assert {"rate_limited", "bad_gateway", "cut", "truncated", "lost_answer"} <= proxy.counts().keys()
    assert Counter(column(fresh_pretix, SOLD)) == Counter(order["email"] for order in tickets(fresh_pretix, 6))
    assert Counter(column(fresh_pretix, GUESTS)) == Counter(customer["email"] for customer in customers(8))


@pytest.mark.parametrize(("stream", "select", "after"), [("customers", GUESTS, 4), ("orders", SOLD, 3)])
def test_a_run_that_was_killed_goes_on_without_doing_anything_twice(
    fresh_pretix: Pretix,
    pretix_faulty: Callable[[Plan], FaultProxy],
    tmp_path: Path,
    stream: str,
    select: str,
    after: int,
) -> None:
    records = customers(10) if stream == "customers" else tickets(fresh_pretix, 8)
    # Every answer is held back for a while, so that the kill strikes between what is done and what is known.
    proxy = pretix_faulty(Plan(delayed=1, delay=0.4, in_a_row=1000, only="POST"))
    config = {**fresh_pretix.config_at(proxy.url), "streams": {"orders": {"mode": "create"}}, "batch_size_rows": 3}
    put(tmp_path, "target.json", config)
    (tmp_path / "input.jsonl").write_bytes(lines(stream, records))
    with (tmp_path / "input.jsonl").open("rb") as source:
        running = subprocess.Popen(
            [SCRIPTS / "target-pretix", "--config", "target.json"],
            cwd=tmp_path,
            env=surroundings(tmp_path),
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while len(column(fresh_pretix, select)) < after and time.monotonic() < deadline:
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        out, _ = running.communicate(timeout=10)
    assert out == b""
    done = len(column(fresh_pretix, select))
    assert after <= done < len(records)
    pretix_faulty(Plan())
    said = target(tmp_path, config, lines(stream, records))
    assert said.code == 0
    assert len(outcomes(tmp_path / "receipts.jsonl")) == len(records)
    assert Counter(column(fresh_pretix, select)) == Counter(record["email"] for record in records)


def test_an_event_is_set_up_in_one_pipe(fresh_pretix: Pretix, tmp_path: Path) -> None:
    event = {"slug": "gala", "name": {"en": "Gala"}, "currency": "EUR", "date_from": "2035-09-01T18:00:00Z"}
    item = {"event": "gala", "internal_name": "seat", "name": {"en": "Seat"}, "default_price": "15.00"}
    door = {"event": "gala", "name": "Door", "all_products": True}
    code = {"event": "gala", "code": "GALA2035", "max_usages": 3, "price_mode": "percent", "value": "10.00"}
    messages = [
        lines("events", [event]),
        lines("attendee_categories", [item]),
        lines("doors", [door]),
        lines("vouchers", [code]),
    ]
    plans = {"attendee_categories": {"match": ["internal_name"]}, "doors": {"resource": "checkin_lists"}}
    said = target(tmp_path, fresh_pretix.config, b"".join(messages), streams=plans)
    assert (said.code, outcomes(tmp_path / "receipts.jsonl")) == (0, ["created"] * 4)
    again = target(tmp_path, fresh_pretix.config, b"".join(messages), streams=plans)
    assert (again.code, outcomes(tmp_path / "receipts.jsonl")) == (0, ["unchanged"] * 4)
    gala = f"{seed.HOME}/events/gala"
    assert fresh_pretix.api("GET", f"{gala}/")["name"] == {"en": "Gala"}
    assert [row["default_price"] for row in fresh_pretix.every(f"{gala}/items/")] == ["15.00"]
    assert [row["name"] for row in fresh_pretix.every(f"{gala}/checkinlists/")] == ["Door"]
    assert [row["code"] for row in fresh_pretix.every(f"{gala}/vouchers/")] == ["GALA2035"]


def test_a_change_of_an_orders_status_is_refused_in_words_and_not_ignored(fresh_pretix: Pretix, tmp_path: Path) -> None:
    code, other = seed.order_code(1), seed.order_code(2)
    rows = [{"code": code, "status": "c", "comment": "cancel me"}, {"code": other, "status": "p", "comment": "fine"}]
    said = target(tmp_path, fresh_pretix.config, lines("orders", rows))
    assert (said.code, outcomes(tmp_path / "receipts.jsonl")) == (1, ["rejected", "updated"])
    [reject] = rejects(tmp_path)
    assert reject["error"]["message"] == "pretix does not let one change status of orders there already"
    orders = {row["code"]: row for row in fresh_pretix.every(f"{seed.HOME}/orders/")}
    assert (orders[code]["status"], orders[code]["comment"]) == ("p", "")
    assert (orders[other]["status"], orders[other]["comment"]) == ("p", "fine")


def test_an_order_that_is_gone_at_the_source_is_canceled_when_asked_for(fresh_pretix: Pretix, tmp_path: Path) -> None:
    gone = [{"code": seed.order_code(3), "_sdc_deleted_at": "2026-05-05T10:00:00Z"}]
    plans = {"orders": {"deletes": "archive"}}
    said = target(tmp_path, fresh_pretix.config, lines("orders", gone), streams=plans)
    assert (said.code, outcomes(tmp_path / "receipts.jsonl")) == (0, ["deleted"])
    assert fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(3)}/")["status"] == "c"


def test_what_was_archived_is_restored_when_it_comes_again(fresh_pretix: Pretix, tmp_path: Path) -> None:
    item = {"event": "gala", "internal_name": "seat", "name": {"en": "Seat"}, "default_price": "15.00"}
    event = {"slug": "gala", "name": {"en": "Gala"}, "currency": "EUR", "date_from": "2035-09-01T18:00:00Z"}
    hook = {"target_url": "https://example.org/hook", "enabled": True, "action_types": ["pretix.event.order.paid"]}
    hook |= {"all_events": True, "limit_events": []}
    order = {"code": seed.order_code(3), "comment": "was there"}
    gala = f"{seed.HOME}/events/gala"

    def written(code: int = 0, **gone: dict[str, Any]) -> list[str]:
        rows = {"events": event, "items": item, "webhooks": hook, "orders": order}
        plans = {name: {"deletes": "archive"} for name in gone}
        plans["items"] = {"match": ["internal_name"], **plans.get("items", {})}
        messages = b"".join(lines(name, [row | gone.get(name, {})]) for name, row in rows.items())
        said = target(tmp_path, fresh_pretix.config, messages, streams=plans)
        assert said.code == code, said.err
        return outcomes(tmp_path / "receipts.jsonl")

    def there() -> tuple[bool, bool, str]:
        [seat] = fresh_pretix.every(f"{gala}/items/")
        [told] = fresh_pretix.every(f"{seed.HOME}/webhooks/")
        return (
            seat["active"],
            told["enabled"],
            fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{order['code']}/")["status"],
        )

    del hook["enabled"]  # a source that says it itself is believed
    assert written() == ["created", "created", "created", "updated"]
    assert there() == (True, True, "p")
    gone = {"_sdc_deleted_at": "2026-05-05T10:00:00Z"}
    assert written(items=gone, webhooks=gone, orders=gone) == ["unchanged", "deleted", "deleted", "deleted"]
    assert there() == (False, False, "c")
    assert written() == ["unchanged", "updated", "updated", "updated"]
    assert there() == (True, True, "p")
    assert written() == ["unchanged"] * 4


def test_a_voucher_of_another_event_is_another_voucher(fresh_pretix: Pretix, tmp_path: Path) -> None:
    rows = [
        {"event": event, "code": "welcome00", "max_usages": 7, "price_mode": "none"}
        for event in ("conference", "workshops")
    ]
    said = target(tmp_path, fresh_pretix.config, lines("vouchers", rows))
    assert (said.code, outcomes(tmp_path / "receipts.jsonl")) == (0, ["updated", "created"])
    found = {
        name: [row["max_usages"] for row in fresh_pretix.every(f"{path}/vouchers/?code=WELCOME00")]
        for name, path in (("conference", seed.CONFERENCE), ("workshops", seed.WORKSHOPS))
    }
    assert found == {"conference": [7], "workshops": [7]}


# In one-liners


def one_liners(pretix: Pretix) -> Connection:
    return connect("pretix", **pretix.config)


def scan(pretix: Pretix, number: int) -> dict[str, Any]:
    secret = pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(number)}/")["positions"][0]["secret"]
    return {"list": min(row["id"] for row in pretix.every(f"{seed.CONFERENCE}/checkinlists/")), "secret": secret}


def test_somebody_is_checked_in_once(fresh_pretix: Pretix) -> None:
    pretix = one_liners(fresh_pretix)
    ticket = scan(fresh_pretix, 20)
    position = pretix.call("checkins.redeem", **ticket, type="entry")
    assert (position["order"], position["secret"]) == (seed.order_code(20), ticket["secret"])
    with pytest.raises(Refused, match="already_redeemed") as caught:
        pretix.call("checkins.redeem", **ticket, type="entry")
    assert caught.value.status == 400
    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(20)}/")
    assert len(order["positions"][0]["checkins"]) == 1
    assert pretix.call("checkins.redeem", **ticket, type="exit")["order"] == seed.order_code(20)


def test_a_customer_is_erased(fresh_pretix: Pretix) -> None:
    pretix = one_liners(fresh_pretix)
    [customer] = pretix.find("customer", email="customer03@example.org")
    pretix.erase("customer", customer["identifier"])
    erased = fresh_pretix.api("GET", f"{seed.HOME}/customers/{customer['identifier']}/")
    assert (erased["email"], erased["name"], erased["is_active"]) == (None, "", False)
    assert pretix.find("customer", email="customer03@example.org") == []


def test_an_order_is_paid_canceled_and_taken_back(fresh_pretix: Pretix) -> None:
    pretix = one_liners(fresh_pretix)
    code = seed.order_code(seed.PENDING[0])
    where = {"id": code, "event": "conference"}
    steps = {"mark_paid": "p", "mark_pending": "n", "mark_canceled": "c", "reactivate": "p"}
    for action, status in steps.items():
        assert pretix.call(f"orders.{action}", **where)["status"] == status
        assert pretix.get("order", code)["status"] == status
    with pytest.raises(Refused, match="reactivate"):
        pretix.call("orders.reactivate", **where)


def test_an_attendee_is_found_by_ticket_and_renamed(fresh_pretix: Pretix) -> None:
    pretix = one_liners(fresh_pretix)
    secret = scan(fresh_pretix, 30)["secret"]
    [attendee] = pretix.find("attendee", secret=secret)
    name = {"_scheme": "full", "full_name": "Noor"}
    renamed = pretix.update("attendee", id=attendee["id"], event="conference", attendee_name_parts=name)
    assert renamed["attendee_name"] == "Noor"
    assert pretix.get("attendee", attendee["id"])["attendee_name"] == "Noor"


def test_a_refusal_comes_in_the_words_of_pretix(fresh_pretix: Pretix) -> None:
    pretix = one_liners(fresh_pretix)
    with pytest.raises(
        Refused, match=r"pretix: creating customers -> 400 email: Enter a valid email address\."
    ) as caught:
        pretix.add("customer", email="no address")
    assert caught.value.status == 400
