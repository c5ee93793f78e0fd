"""What is in the tests' pretix: two events, their tickets, and sixty orders, the same every time.

=============  =====================================================================================================
organizer      ``acme``, customer accounts on, twelve customers (``customer00@example.org``...)
conference     event ``conference``: tickets Regular and Student, two questions, lists "Main entrance" and "Dinner"
               (Regular only), forty-eight orders, of which four pending, three canceled, and ten people checked in
workshops      event series ``workshops`` with three dates, one check-in list for each, twelve orders
orders         coded ``ANTAA``, ``ANTAB``... by `order_code`; buyers ``buyer00@example.org``..., one to three positions
attendees      ``attendee000@example.org``..., counted over all positions in the order they were sold
vouchers       ``WELCOME00``... ``WELCOME04``, for the conference
=============  =====================================================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Api = Callable[[str, str, Any], Any]

ORGANIZER = "acme"
HOME = f"/organizers/{ORGANIZER}"
CONFERENCE = f"{HOME}/events/conference"
WORKSHOPS = f"{HOME}/events/workshops"

CONFERENCE_ORDERS = 48
WORKSHOP_ORDERS = 12
PENDING = range(40, 44)
CANCELED = range(45, 48)
CHECKED_IN = 10
CUSTOMERS = 12
VOUCHERS = 5

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ379"
"""The characters pretix accepts in an order code."""

GIVEN = "Ada", "Björn", "Chloé", "Dilan", "Elif", "Femke", "Goran", "Håkon", "Inês", "Jürgen", "Kazuko"
FAMILY = "Lovelace", "Ångström", "D'Hondt", "van der Berg", "Øster", "O'Neil", "Škoda", "Çelik", "山田"
NAME_SCHEME = "given_family"
PLUGINS = ["pretix.plugins.manualpayment"]


def order_code(number: int) -> str:
    """The code of the order sold as the `number`-th: 0 is ``ANTAA``, 27 is ``ANTBA``."""
    return "ANT" + CODE_LETTERS[number // len(CODE_LETTERS)] + CODE_LETTERS[number % len(CODE_LETTERS)]


def attendee(number: int) -> dict[str, Any]:
    """Name and e-mail address of the `number`-th attendee, as an order position takes them."""
    return {"attendee_name_parts": _name(number), "attendee_email": f"attendee{number:03}@example.org"}


def sell_tickets(api: Api) -> None:
    """Fill an organizer that has nothing but a token, through the REST API, as `api` (method, path, body) calls it."""
    api("PATCH", f"{HOME}/settings/", {"customer_accounts": True})
    customers = [
        api("POST", f"{HOME}/customers/", {"email": f"customer{n:02}@example.org", "name_parts": _name(n)})[
            "identifier"
        ]
        for n in range(CUSTOMERS)
    ]
    conference = _conference(api)
    workshops = _workshops(api)
    attendees = iter(range(10_000))
    for number in range(CONFERENCE_ORDERS + WORKSHOP_ORDERS):
        event, choices = (CONFERENCE, conference) if number < CONFERENCE_ORDERS else (WORKSHOPS, workshops)
        positions = [choices[(number + n) % len(choices)] | attendee(next(attendees)) for n in range(number % 3 + 1)]
        order = {
            "code": order_code(number),
            "email": f"buyer{number:02}@example.org",
            "locale": "en",
            "sales_channel": "web",
            "status": "n" if number in PENDING else "p",
            "payment_provider": "manual",
            "positions": positions,
        }
        if number < CUSTOMERS:
            order["customer"] = customers[number]
        sold = api("POST", f"{event}/orders/", order)
        if number in CANCELED:
            api("POST", f"{event}/orders/{sold['code']}/mark_canceled/", {"send_email": False})
        if number < CHECKED_IN:
            _check_in(api, sold)


def _conference(api: Api) -> list[dict[str, Any]]:
    """Create the conference; returns one order position, without its attendee, for each thing on sale."""
    api("POST", f"{HOME}/events/", _event("conference", "Antiphon Conference", series=False))
    items = [
        _item(api, CONFERENCE, {"name": {"en": "Regular", "de": "Normalpreis"}, "default_price": "120.00"}),
        _item(api, CONFERENCE, {"name": {"en": "Student", "de": "Studierende"}, "default_price": "40.00"}),
    ]
    api("POST", f"{CONFERENCE}/quotas/", {"name": "Seats", "size": 500, "items": items, "variations": []})
    diet = {"question": {"en": "Dietary needs"}, "type": "S", "identifier": "DIET", "required": False, "items": items}
    shirt = {"question": {"en": "Shirt size"}, "type": "C", "identifier": "SHIRT", "required": False, "items": items}
    shirt["options"] = [{"identifier": size, "answer": {"en": size}} for size in "SML"]
    diet, shirt = (api("POST", f"{CONFERENCE}/questions/", question) for question in (diet, shirt))
    api("POST", f"{CONFERENCE}/checkinlists/", {"name": "Main entrance", "all_products": True})
    api("POST", f"{CONFERENCE}/checkinlists/", {"name": "Dinner", "all_products": False, "limit_products": items[:1]})
    vouchers = [
        {"code": f"WELCOME{n:02}", "max_usages": 1, "price_mode": "percent", "value": "10.00", "item": items[0]}
        for n in range(VOUCHERS)
    ]
    api("POST", f"{CONFERENCE}/vouchers/batch_create/", vouchers)
    vegan = {"question": diet["id"], "answer": "vegan", "options": []}
    medium = {"question": shirt["id"], "answer": "M", "options": [shirt["options"][1]["id"]]}
    return [
        {"item": items[0], "variation": None, "price": "120.00", "answers": [vegan, medium]},
        {"item": items[0], "variation": None, "price": "120.00", "answers": []},
        {"item": items[1], "variation": None, "price": "40.00", "answers": [medium]},
    ]


def _workshops(api: Api) -> list[dict[str, Any]]:
    """Create the series; returns one order position, without its attendee, for each date."""
    api("POST", f"{HOME}/events/", _event("workshops", "Singing Workshops", series=True))
    item = _item(api, WORKSHOPS, {"name": {"en": "Seat"}, "default_price": "15.00"})
    choices = []
    for day in range(1, 4):
        name = f"Workshop {day}"
        date = {"name": {"en": name}, "date_from": f"2035-07-0{day}T18:00:00+02:00", "active": True}
        date |= {"item_price_overrides": [], "variation_price_overrides": [], "meta_data": {}}
        subevent = api("POST", f"{WORKSHOPS}/subevents/", date)["id"]
        quota = {"name": name, "size": 100, "items": [item], "variations": [], "subevent": subevent}
        api("POST", f"{WORKSHOPS}/quotas/", quota)
        api("POST", f"{WORKSHOPS}/checkinlists/", {"name": name, "all_products": True, "subevent": subevent})
        choices.append({"item": item, "variation": None, "price": "15.00", "subevent": subevent, "answers": []})
    return choices


def _event(slug: str, name: str, *, series: bool) -> dict[str, Any]:
    return {
        "name": {"en": name},
        "slug": slug,
        "currency": "EUR",
        "date_from": "2035-06-14T09:00:00+02:00",
        "date_to": "2035-06-16T17:00:00+02:00",
        "timezone": "Europe/Brussels",
        "location": {"en": "Brussels"},
        "is_public": True,
        "has_subevents": series,
        "plugins": PLUGINS,
    }


def _item(api: Api, event: str, item: dict[str, Any]) -> int:
    common = {"active": True, "admission": True, "personalized": True, "tax_rate": "0.00"}
    created: int = api("POST", f"{event}/items/", common | item)["id"]
    return created


def _name(number: int) -> dict[str, str]:
    given, family = GIVEN[number % len(GIVEN)], FAMILY[number % len(FAMILY)]
    return {"_scheme": NAME_SCHEME, "given_name": given, "family_name": family}


def _check_in(api: Api, order: dict[str, Any]) -> None:
    """Scan the first ticket of an order at the conference's main entrance."""
    lists = {row["name"]: row["id"] for row in api("GET", f"{CONFERENCE}/checkinlists/", None)["results"]}
    secret = order["positions"][0]["secret"]
    scan = {"lists": [lists["Main entrance"]], "secret": secret, "type": "entry", "nonce": f"seed-{order['code']}"}
    api("POST", f"{HOME}/checkinrpc/redeem/", scan)
