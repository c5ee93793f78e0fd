"""Attendees of a real pretix become contacts in HubSpot, in the pipes that a user would write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.sandbox import Server, start

from . import pretix_seed as seed
from .pipes import Ran, catalog, lines, outcomes, put, shell

if TYPE_CHECKING:
    from .pretix import Pretix

SYNC = (
    "tap-pretix --config tap.json --catalog catalog.json --state state.json"
    " | target-hubspot --config target.json > states.jsonl"
    " && tail --lines=1 states.jsonl > state.json"
)
#: Whose place is canceled is no attendee, and who left no address cannot be a contact.
ATTENDEES = {
    "__filter__": "attendee_email and not canceled and order_status in ['p', 'n']",
    "first_name": "attendee_name_parts.get('given_name')",
    "last_name": "attendee_name_parts.get('family_name')",
}
CONTACTS = {
    "resource": "contacts",
    "match": ["email"],
    "fields": {
        "email": "attendee_email",
        "firstname": "first_name",
        "lastname": "last_name",
        "hs_lead_status": {"const": "NEW"},
    },
}


@pytest.fixture
def hubspot() -> Iterator[Server]:
    with ExitStack() as stack:
        server = stack.enter_context(start("hubspot", records=0))
        server.app.add("contacts", {"email": "attendee000@example.org", "firstname": "A.", "city": "London"})
        yield server


@pytest.fixture
def folder(fresh_pretix: Pretix, hubspot: Server, tmp_path: Path) -> Path:
    """Where the user works: the two configs, a catalog, and a state of nothing yet."""
    put(tmp_path, "tap.json", {**fresh_pretix.config, "stream_maps": {"positions": ATTENDEES}})
    put(tmp_path, "target.json", {**hubspot.config, "streams": {"positions": CONTACTS}, "receipts": "receipts.jsonl"})
    put(tmp_path, "catalog.json", catalog("positions"))
    put(tmp_path, "state.json", {})
    return tmp_path


def sync(folder: Path, line: str = SYNC) -> Ran:
    (folder / "receipts.jsonl").unlink(missing_ok=True)
    return shell(folder, line)


def due(pretix: Pretix) -> dict[str, str]:
    """The given names of all who come, by address."""
    return {
        position["attendee_email"]: position["attendee_name_parts"]["given_name"]
        for order in pretix.every(f"{seed.HOME}/orders/")
        for position in order["positions"]
        if order["status"] in "pn" and position["attendee_email"]
    }


def contacts(hubspot: Server) -> dict[str, dict[str, Any]]:
    app: Any = hubspot.app
    return {contact["properties"]["email"]: contact["properties"] for contact in app.records("contacts")}


def writes(hubspot: Server) -> list[list[dict[str, Any]]]:
    """What was written, call by call; and nothing was asked for that the limits do not allow."""
    app: Any = hubspot.app
    assert app.rate_limited == 0
    calls = [call for call in app.log if "batch/" in call.route and not call.route.endswith("batch/read")]
    return [json.loads(call.body)["inputs"] for call in calls]


def test_attendees_become_contacts_and_then_only_what_changed_is_sent(
    fresh_pretix: Pretix, hubspot: Server, folder: Path
) -> None:
    first = sync(folder)
    assert first.code == 0
    everybody = due(fresh_pretix)
    found = contacts(hubspot)
    assert {email: contact["firstname"] for email, contact in found.items()} == everybody
    assert (found["attendee000@example.org"]["city"], found["attendee000@example.org"]["hs_lead_status"]) == (
        "London",
        "NEW",
    )
    said = outcomes(folder / "receipts.jsonl")
    assert (said.count("created"), said.count("updated")) == (len(everybody) - 1, 1)
    assert len(writes(hubspot)) == 3  # one update, and the creations in batches of a hundred

    hubspot.app.reset_calls()
    second = sync(folder)
    assert second.code == 0
    assert not (folder / "receipts.jsonl").exists()
    made = {route for _, route in hubspot.app.calls}
    assert made <= {"properties/contacts", "account-info/v3/details"}  # the fields, and whose account it is, at most
    assert sum(hubspot.app.calls.values()) <= 2

    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(5)}/")
    assert len(order["positions"]) == 3
    renamed = order["positions"][1]
    name = {"_scheme": "given_family", "given_name": "Noor", "family_name": "Peeters"}
    fresh_pretix.api(
        "PATCH",
        f"{seed.CONFERENCE}/orderpositions/{renamed['id']}/",
        {"attendee_name_parts": name, "company": "Peeters NV"},
    )
    third = sync(folder)
    assert third.code == 0
    assert sorted(outcomes(folder / "receipts.jsonl")) == ["unchanged", "unchanged", "updated"]
    [[change]] = writes(hubspot)
    assert (change["properties"]["firstname"], change["properties"]["company"]) == ("Noor", "Peeters NV")
    assert contacts(hubspot)[renamed["attendee_email"]]["lastname"] == "Peeters"

    hubspot.app.reset_calls()
    put(folder, "state.json", {})
    assert sync(folder).code == 0
    assert set(outcomes(folder / "receipts.jsonl")) == {"unchanged"}
    assert writes(hubspot) == []


def test_a_new_order_brings_new_contacts_and_a_canceled_one_takes_none_away(
    fresh_pretix: Pretix, hubspot: Server, folder: Path
) -> None:
    assert sync(folder).code == 0
    before = contacts(hubspot).keys()
    item = min(row["id"] for row in fresh_pretix.every(f"{seed.CONFERENCE}/items/"))
    position = {"item": item, "variation": None, "price": "120.00", "answers": [], **seed.attendee(800)}
    order = {"email": "late@example.org", "locale": "en", "sales_channel": "web", "status": "p"}
    fresh_pretix.api(
        "POST", f"{seed.CONFERENCE}/orders/", {**order, "payment_provider": "manual", "positions": [position]}
    )
    fresh_pretix.api("POST", f"{seed.CONFERENCE}/orders/{seed.order_code(8)}/mark_canceled/", {"send_email": False})
    assert sync(folder).code == 0
    assert outcomes(folder / "receipts.jsonl") == ["created"]
    assert contacts(hubspot).keys() - before == {"attendee800@example.org"}


def test_attendees_without_an_address_are_rejected_by_name_where_nobody_filters_them(
    fresh_pretix: Pretix, hubspot: Server, folder: Path
) -> None:
    order = fresh_pretix.api("GET", f"{seed.CONFERENCE}/orders/{seed.order_code(4)}/")
    nameless = order["positions"][0]["id"]
    fresh_pretix.api("PATCH", f"{seed.CONFERENCE}/orderpositions/{nameless}/", {"attendee_email": None})
    put(folder, "tap.json", fresh_pretix.config)
    plan = {"resource": "contacts", "match": ["email"], "fields": {"email": "attendee_email"}}
    config = {**hubspot.config, "streams": {"positions": plan}, "rejects": "rejects.jsonl"}
    put(folder, "target.json", config)
    strict = sync(folder)
    assert strict.code == 1
    assert "1 rejected, kept in rejects.jsonl" in strict.err
    rejected = [json.loads(line) for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert [row["record"]["id"] for row in rejected if row["type"] == "RECORD"] == [nameless]
    assert rejected[-1]["error"]["message"] == "no value in email, the field it is matched by"
    put(folder, "target.json", {**config, "max_rejects": "5%"})
    put(folder, "state.json", {})
    assert sync(folder).code == 0


def test_a_check_in_is_written_to_pretix_and_read_back(fresh_pretix: Pretix, folder: Path) -> None:
    put(folder, "catalog.json", catalog("checkins", "positions"))
    put(folder, "tap.json", fresh_pretix.config)
    before = shell(folder, "tap-pretix --config tap.json --catalog catalog.json")
    put(folder, "state.json", before.state)
    entrance = min(row["id"] for row in fresh_pretix.every(f"{seed.CONFERENCE}/checkinlists/"))
    codes = {seed.order_code(number) for number in (20, 21)}
    tickets = {p["order"]: p for p in before.records("positions") if p["order"] in codes and p["positionid"] == 1}
    scans = [{"list": entrance, "secret": p["secret"], "type": "entry"} for p in tickets.values()]
    (folder / "scans.jsonl").write_bytes(lines("checkins", scans))
    put(folder, "door.json", {**fresh_pretix.config, "receipts": "receipts.jsonl"})
    at_the_door = "cat scans.jsonl | target-pretix --config door.json"
    assert shell(folder, at_the_door).code == 0
    assert outcomes(folder / "receipts.jsonl") == ["created", "created"]

    after = shell(folder, "tap-pretix --config tap.json --catalog catalog.json --state state.json")
    checkins = after.records("checkins")
    assert {(row["position"], row["list"], row["successful"]) for row in checkins} == {
        (ticket["id"], entrance, True) for ticket in tickets.values()
    }
    assert {p["order"] for p in after.records("positions")} == codes
    assert all(len(p["checkins"]) == 1 for p in after.records("positions") if p["positionid"] == 1)

    again = shell(folder, at_the_door)
    assert again.code == 1
    assert "already_redeemed" in again.err
    put(folder, "state.json", after.state)
    last = shell(folder, "tap-pretix --config tap.json --catalog catalog.json --state state.json")
    assert [row["error_reason"] for row in last.records("checkins")] == ["already_redeemed"] * 2
