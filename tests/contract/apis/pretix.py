"""pretix under the contract: a real server, put back to its seed for every test.

pretix pages by number. When a row goes that was read already, those behind it move up by one, and one of them is hidden
from the next page. The count that comes with each page shows that, and the page before is read again. What no test
here can ask for: a row that goes in the very moment in which another comes, so that the count is the same; and a
customer whose address changes meanwhile, for customers are listed in the order of their addresses.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from real import pretix_seed as seed
from real.pretix import Pretix, start_pretix
from real.servers import CannotInstallError

from contract.apis import Account, Case, Entry, Key, Sample

_NUMBERS = count(1)


@contextmanager
def started(folder: Path) -> Iterator[Pretix]:
    """The server, which takes a few seconds to start."""
    try:
        server = start_pretix(folder)
    except CannotInstallError as why:
        pytest.skip(str(why))
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def account(server: Pretix, folder: Path) -> Iterator[Account]:
    """The organizer that was seeded, as it was seeded."""
    server.reset()
    config = {**server.config, "state_dir": str(folder / "state")}
    yield Account(config, server, server.token, {"api_token": "nobodyhasthisone" * 4})


def table(name: str, key: str = "id") -> Callable[[Pretix], list[Key]]:
    """The keys in a table of the server's database."""
    return lambda server: [(str(value),) for (value,) in rows(server, f"select {key} from {name}")]


def rows(server: Pretix, select: str) -> list[tuple[Any, ...]]:
    """What a query finds in the server's database."""
    with closing(sqlite3.connect(server.database)) as database:
        return database.execute(select).fetchall()


def posted(path: str, body: Callable[[int], Mapping[str, Any]], *key: str) -> Callable[[Pretix], Key]:
    """A hand that adds a row to a list."""
    return lambda server: _key(server.api("POST", f"{path}/", dict(body(next(_NUMBERS)))), key)


def patched(path: str, body: Callable[[int], Mapping[str, Any]]) -> Callable[[Pretix, Key], object]:
    """A hand that edits a row."""
    return lambda server, key: server.api("PATCH", f"{path}/{key[0]}/", dict(body(next(_NUMBERS))))


def deleted(path: str) -> Callable[[Pretix, Key], object]:
    """A hand that takes a row away."""
    return lambda server, key: server.api("DELETE", f"{path}/{key[0]}/")


def _key(row: Mapping[str, Any], key: Iterable[str]) -> Key:
    return tuple(str(row[name]) for name in key)


def _first(server: Pretix, path: str) -> Any:
    return min(row["id"] for row in server.api("GET", f"{path}/")["results"])


def _order(server: Pretix, number: int) -> dict[str, Any]:
    item = _first(server, f"{seed.CONFERENCE}/items")
    position = {"item": item, "variation": None, "price": "120.00", "answers": [], **seed.attendee(700 + number)}
    return {
        "code": f"WRT{seed.order_code(number)[3:]}",
        "email": f"writer{number}@contract.example",
        "locale": "en",
        "sales_channel": "web",
        "status": "p",
        "payment_provider": "manual",
        "positions": [position],
    }


def _sell(server: Pretix) -> Mapping[str, Any]:
    sold: Mapping[str, Any] = server.api("POST", f"{seed.CONFERENCE}/orders/", _order(server, next(_NUMBERS) + 100))
    return sold


def _scan(server: Pretix, secret: str) -> Mapping[str, Any]:
    entrance = _first(server, f"{seed.CONFERENCE}/checkinlists")
    scan = {"lists": [entrance], "secret": secret, "type": "entry", "nonce": secret}
    answer: Mapping[str, Any] = server.api("POST", f"{seed.HOME}/checkinrpc/redeem/", scan)
    return answer


def _unscanned(server: Pretix) -> list[str]:
    """The secrets of tickets that nobody has scanned: the first of each paid order for the conference."""
    select = """
        select p.secret from pretixbase_orderposition p
        join pretixbase_order o on o.id = p.order_id join pretixbase_event e on e.id = o.event_id
        where e.slug = 'conference' and o.status = 'p' and p.positionid = 1
        and p.id not in (select position_id from pretixbase_checkin where position_id is not null)
        order by p.id
    """
    return [secret for (secret,) in rows(server, select)]


def _checked_in(server: Pretix) -> Key:
    _scan(server, _unscanned(server)[0])
    return max(table("pretixbase_checkin")(server), key=lambda key: int(key[0]))


def _event(number: int) -> dict[str, Any]:
    return {**seed._event(f"fair{number}", f"Fair {number}", series=False), "plugins": []}


def _date(number: int) -> dict[str, Any]:
    date = {"name": {"en": f"Date {number}"}, "date_from": f"2035-08-{number % 28 + 1:02}T18:00:00Z", "active": True}
    return {**date, "item_price_overrides": [], "variation_price_overrides": [], "meta_data": {}}


def _item(number: int) -> dict[str, Any]:
    return {"name": {"en": f"Item {number}"}, "default_price": "23.00", "internal_name": f"item-{number}"}


def _voucher(number: int) -> dict[str, Any]:
    return {"code": f"CONTRACT{number:04}", "max_usages": 1, "price_mode": "none", "block_quota": False}


def _customer(number: int) -> dict[str, Any]:
    return {"email": f"kim{number}@contract.example", "name_parts": {"_scheme": "full", "full_name": f"Kim {number}"}}


def _webhook(number: int) -> dict[str, Any]:
    return {
        "enabled": True,
        "target_url": f"https://hooks.contract.example/{number}",
        "all_events": True,
        "limit_events": [],
        "action_types": ["pretix.event.order.paid"],
    }


def _scans(server: Pretix) -> list[dict[str, Any]]:
    entrance = _first(server, f"{seed.CONFERENCE}/checkinlists")
    return [
        {"list": entrance, "secret": secret, "type": "entry", "datetime": f"2026-11-01T09:0{number}:00Z"}
        for number, secret in enumerate(_unscanned(server)[:3])
    ]


def _named(server: Pretix) -> list[dict[str, Any]]:
    names = "Nora", "Øyvind", "Päivi"
    return [
        {"secret": secret, "attendee_name_parts": {"_scheme": "full", "full_name": name}, "company": f"Contract {name}"}
        for secret, name in zip(_unscanned(server), names, strict=False)
    ]


def three(
    make: Callable[[int], Mapping[str, Any]], *, event: str = "", **more: Any
) -> Callable[[Pretix], list[dict[str, Any]]]:
    """Three new records, in an event where they belong to one."""
    place = {"event": event} if event else {}
    return lambda _server: [{**make(number), **place, **more} for number in (901, 902, 903)]


NO_TIME = "pretix tells no time of change for it: all are read each time"

ENTRY = Entry(
    name="pretix",
    tap="tap_pretix:TapPretix",
    target="target_pretix:TargetPretix",
    account=account,
    started=started,
    real=True,
    cases=(
        Case(
            "events",
            table("pretixbase_event", "slug"),
            ("slug",),
            posted(f"{seed.HOME}/events", _event, "slug"),
            delete=deleted(f"{seed.HOME}/events"),
            why=NO_TIME,
            last_twice=True,
            sample=Sample(
                three(_event),
                change={"is_public": False},
                fault={"slug": "no slug", "currency": "EUR"},
                said="slug",
                unread=("plugins",),
            ),
        ),
        Case(
            "subevents",
            table("pretixbase_subevent"),
            ("id",),
            posted(f"{seed.WORKSHOPS}/subevents", _date, "id"),
            patched(f"{seed.WORKSHOPS}/subevents", lambda n: {"name": {"en": f"Edited {n}"}}),
            deleted(f"{seed.WORKSHOPS}/subevents"),
            sample=Sample(
                lambda server: [
                    {**row, "comment": f"date {n}"} for n, row in enumerate(three(_date, event="workshops")(server))
                ],
                change={"is_public": False},
                fault={"comment": "none", "date_from": "some day"},
                said="date_from",
                match=("comment",),
            ),
        ),
        Case(
            "items",
            table("pretixbase_item"),
            ("id",),
            posted(f"{seed.CONFERENCE}/items", _item, "id"),
            delete=deleted(f"{seed.CONFERENCE}/items"),
            why=NO_TIME,
            sample=Sample(
                three(_item, event="conference"),
                change={"default_price": "24.00"},
                fault={"internal_name": "none", "default_price": "cheap"},
                said="default_price",
                match=("internal_name",),
            ),
        ),
        Case(
            "orders",
            table("pretixbase_order", "code"),
            ("code",),
            lambda server: (str(_sell(server)["code"]),),
            patched(f"{seed.CONFERENCE}/orders", lambda n: {"comment": f"edited {n}"}),
            why="pretix deletes no order, it cancels them",
            page=25,
            sample=Sample(
                lambda server: [{**_order(server, n), "event": "conference"} for n in (1, 2, 3)],
                change={"comment": "changed"},
                fault={"code": "WRTXX", "locale": "klingon"},
                said="locale",
                unread=("positions",),
                undeleted="only orders of the test mode can be deleted, pretix says",
            ),
        ),
        Case(
            "positions",
            table("pretixbase_orderposition"),
            ("id",),
            lambda server: (str(_sell(server)["positions"][0]["id"]),),
            patched(f"{seed.CONFERENCE}/orderpositions", lambda n: {"attendee_email": f"edited{n}@contract.example"}),
            why="pretix deletes no position, it cancels them",
            page=25,
            sample=Sample(
                _named,
                change={"company": "Changed"},
                fault={"attendee_email": "no address at all"},
                said="attendee_email",
                creates=False,
                undeleted="a position is canceled, and stays",
            ),
        ),
        Case(
            "checkin_lists",
            table("pretixbase_checkinlist"),
            ("id",),
            posted(f"{seed.CONFERENCE}/checkinlists", lambda n: {"name": f"List {n}", "all_products": True}, "id"),
            delete=deleted(f"{seed.CONFERENCE}/checkinlists"),
            why=NO_TIME,
            sample=Sample(
                three(lambda n: {"name": f"Door {n}", "all_products": True}, event="conference"),
                change={"include_pending": True},
                fault={"name": "Door none", "limit_products": [987654321], "all_products": False},
                said="limit_products",
            ),
        ),
        Case(
            "checkins",
            table("pretixbase_checkin"),
            ("id",),
            _checked_in,
            why="a scan is never changed and never deleted",
            sample=Sample(
                _scans,
                fault={"secret": "nobody has this secret"},
                said="invalid",
                unread=("secret",),
                back={"successful": True},
                twice="a ticket is scanned once; a second scan is refused, and kept as one that failed",
                undeleted="a scan is never deleted",
            ),
        ),
        Case(
            "customers",
            table("pretixbase_customer", "identifier"),
            ("identifier",),
            posted(f"{seed.HOME}/customers", _customer, "identifier"),
            patched(f"{seed.HOME}/customers", lambda n: {"notes": f"edited {n}"}),
            why="pretix deletes no customer, it anonymizes them",
            last_twice=True,
            sample=Sample(
                three(_customer),
                change={"notes": "changed"},
                fault={"email": "no address at all"},
                said="email",
                undeleted="pretix deletes no customer, it anonymizes them",
            ),
        ),
        Case(
            "vouchers",
            table("pretixbase_voucher"),
            ("id",),
            posted(f"{seed.CONFERENCE}/vouchers", _voucher, "id"),
            delete=deleted(f"{seed.CONFERENCE}/vouchers"),
            why=NO_TIME,
            sample=Sample(
                three(_voucher, event="conference"),
                change={"comment": "changed"},
                fault={"code": "CONTRACT-X", "max_usages": "many"},
                said="max_usages",
            ),
        ),
        Case(
            "webhooks",
            table("pretixapi_webhook"),
            ("id",),
            posted(f"{seed.HOME}/webhooks", _webhook, "id"),
            why="pretix tells no time of change for it, and a webhook that is deleted stays, disabled",
            sample=Sample(
                three(_webhook),
                change={"comment": "changed"},
                fault={"target_url": "no address at all"},
                said="target_url",
                undeleted="pretix disables a webhook when it is deleted, and keeps it",
            ),
        ),
    ),
)
