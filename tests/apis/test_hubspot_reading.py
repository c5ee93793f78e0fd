"""Reading HubSpot: what its API does not make easy. The sandbox answers, and keeps the vendor's limits."""

from __future__ import annotations

import contextlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import requests_mock

from antiphon import apis
from antiphon.api import Query
from antiphon.client import Client
from antiphon.connection import Connection, connect
from antiphon.errors import Forbidden, NotFound, QuotaSpent, Refused, Unavailable
from antiphon.outcome import Change, Kind
from antiphon.sandbox import Server, start
from tap_hubspot import TapHubSpot

URL = "https://api.hubapi.com"
#: Above HubSpot's limits the tests would wait; where the limits are the matter, the real description is taken.
UNLIMITED = replace(apis.load("hubspot"), limits=())
THEN = 1_750_000_000_000
"""Milliseconds; 2025-06-15T15:06:40Z."""
DAY = 86_400_000
Made = Callable[..., Server]


class Quick(TapHubSpot):
    """tap-hubspot without waiting for the rate limit."""

    api = UNLIMITED


@pytest.fixture
def made() -> Iterator[Made]:
    with contextlib.ExitStack() as stack:

        def make(**knobs: Any) -> Server:
            return stack.enter_context(start("hubspot", **{"records": 0, "searches_per_second": 1000, **knobs}))

        yield make


def sync(
    server: Server,
    *streams: str,
    state: Any = None,
    tap: type[TapHubSpot] = Quick,
    side_by_side: bool = False,
    **config: Any,
) -> list[Any]:
    selected = [{"breadcrumb": [], "metadata": {"selected": True}}]
    entries = [{"tap_stream_id": name, "stream": name, "schema": {}, "metadata": selected} for name in streams]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        running = tap(config={**server.config, **config}, catalog={"streams": entries}, state=state)
        running.read_all() if side_by_side else running.sync_all()
        running.message_writer.flush()
        running.tell_failures()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def records(messages: list[Any], stream: str) -> list[dict[str, Any]]:
    return [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == stream]


def state(messages: list[Any]) -> Any:
    return [m["value"] for m in messages if m["type"] == "STATE"][-1]


def ids(messages: list[Any], stream: str = "contacts") -> Counter[str]:
    return Counter(record["id"] for record in records(messages, stream))


def client(server: Server, **settings: Any) -> Client:
    return Client(UNLIMITED, {**server.config, **settings})


def read(server: Server, name: str, slot: str = "read", **query: Any) -> list[dict[str, Any]]:
    speaking = client(server)
    return [row for page in speaking.read(speaking.resource(name), Query(**query), slot=slot) for row in page.records]


# All, and then what changed


def test_a_first_read_lists_and_the_next_ones_search(made: Made) -> None:
    server = made(records=250)
    first = sync(server, "contacts")
    assert ids(first) == Counter(record["id"] for record in server.app.records("contacts"))
    assert (server.app.count("objects/contacts", "GET"), server.app.count("search")) == (3, 0)
    server.app.reset_calls()
    assert records(sync(server, "contacts", state=state(first)), "contacts") == []
    assert (server.app.count("objects/contacts", "GET"), server.app.count("search")) == (0, 1)


def test_twelve_thousand_changes_are_read_past_the_cap_though_most_are_of_one_instant(made: Made) -> None:
    server = made()
    there = [server.app.add("contacts", {"firstname": f"n{n}"}, at=THEN).id for n in range(12_500)]
    server.app.bulk_edit("contacts", {"city": "Gent"}, ids=there[:10_500], at=THEN + DAY)
    for number, changed in enumerate(there[10_500:12_000]):
        server.app.edit("contacts", changed, {"city": "Brugge"}, at=THEN + DAY + number)
    rows = read(server, "contacts", "changes", since="2025-06-16T15:06:40Z", fields=("id", "city"))
    assert Counter(row["id"] for row in rows) == Counter(map(str, there[:12_000]))
    assert Counter(row["city"] for row in rows) == {"Gent": 10_500, "Brugge": 1_500}
    assert server.app.count("search") == 12_000 / 200


def test_a_change_that_the_index_shows_late_is_read_all_the_same(made: Made) -> None:
    server = made(records=20)
    first = sync(server, "contacts")
    server.app.index_lag = 3600
    late = server.app.edit("contacts", server.app.records("contacts")[4]["id"], {"city": "Oostende"})
    second = sync(server, "contacts", state=state(first))
    assert records(second, "contacts") == []
    late.indexed_until = 0
    third = sync(server, "contacts", state=state(second))
    assert [(row["id"], row["city"]) for row in records(third, "contacts")] == [(str(late.id), "Oostende")]
    assert records(sync(server, "contacts", state=state(third)), "contacts") == []


def test_a_record_taken_out_of_the_bin_is_read_again(made: Made) -> None:
    server = made(records=5)
    first = sync(server, "contacts", deletes=True)
    chosen = server.app.records("contacts")[2]["id"]
    server.app.archive("contacts", chosen)
    second = sync(server, "contacts", state=state(first), deletes=True)
    assert [row["_sdc_deleted_at"] is None for row in records(second, "contacts")] == [False]
    server.app.restore("contacts", chosen)
    third = sync(server, "contacts", state=state(second), deletes=True)
    assert [(row["id"], row.get("_sdc_deleted_at")) for row in records(third, "contacts")] == [(chosen, None)]


# Many fields


@pytest.mark.parametrize("count", [30, 60, 90, 120, 200, 400, 800])
@pytest.mark.parametrize(
    ("slot", "query"), [("read", {}), ("changes", {"since": "2020-01-01T00:00:00Z"}), ("deleted", {})]
)
def test_however_many_fields_no_request_is_too_long(made: Made, count: int, slot: str, query: Any) -> None:
    server = made(records=15)
    names = server.app.add_properties("contacts", count, prefix="a_property_of_ours_")
    for record in server.app.records("contacts")[:5]:
        server.app.archive("contacts", record["id"])
    rows = read(server, "contacts", slot, **query)
    assert len(rows) == (5 if slot == "deleted" else 10)
    assert all(row[name] == str(int(row["id"]) + n) for row in rows for n, name in enumerate(names))
    assert {call.status for call in server.app.log} <= {200, 207}
    assert max(len(call.target) for call in server.app.log) < server.app.portal.quirks.max_url
    assert max(len(call.body) for call in server.app.log if call.route.endswith("search") or call.body == b"") <= 3000


@pytest.mark.parametrize(
    ("slot", "query", "paged", "pages"),
    [("read", {}, "objects/contacts", 3), ("changes", {"since": "2020-01-01T00:00:00Z"}, "objects/contacts/search", 2)],
)
def test_of_a_wide_object_ids_are_paged_and_fields_fetched_by_the_hundred(
    made: Made, slot: str, query: Any, paged: str, pages: int
) -> None:
    server = made(records=250)
    server.app.add_properties("contacts", 800)
    assert len(read(server, "contacts", slot, **query)) == 250
    calls = Counter({route: n for (_, route), n in server.app.calls.items()})
    assert calls == {"properties/contacts": 1, paged: pages, "objects/contacts/batch/read": 3}


def test_only_the_fields_asked_for_come(made: Made) -> None:
    server = made(records=3)
    server.app.add_properties("contacts", 800)
    rows = read(server, "contacts", fields=("id", "email"))
    assert {name for row in rows for name in row} >= {"id", "email"}
    assert not any(name.startswith("custom_property") for row in rows for name in row)
    assert server.app.count("batch/read") == 0


# What hangs together


def test_associations_are_paged_for_each_record_and_tell_their_labels(made: Made) -> None:
    server = made(counts={"contacts": 3, "companies": 5}, association_page=2)
    contacts, companies = (list(server.app.store(name).live) for name in ("contacts", "companies"))
    for contact in contacts:
        for company in companies:
            server.app.portal.associations.unlink(("contacts", "companies"), contact, company)
    for company in companies:
        server.app.associate("contacts", contacts[0], "companies", company)
    server.app.associate("contacts", contacts[1], "companies", companies[0], 1)
    server.app.reset_calls()
    rows = read(server, "contacts_companies")
    pairs = {(row["contact_id"], row["company_id"]): {kind["label"] for kind in row["types"]} for row in rows}
    assert pairs == {
        **{(str(contacts[0]), str(company)): {None} for company in companies},
        (str(contacts[1]), str(companies[0])): {None, "Primary"},
    }
    assert len(rows) == 6
    assert server.app.count("associations") == 3


def test_associations_are_asked_for_of_a_thousand_records_at_once(made: Made) -> None:
    server = made(counts={"contacts": 1150, "companies": 5})
    server.app.reset_calls()
    rows = read(server, "contacts_companies")
    assert server.app.count("associations") == 2
    assert len({(row["contact_id"], row["company_id"]) for row in rows}) == len(rows) > 0


def pairs(messages: list[Any], stream: str) -> list[list[str]]:
    return sorted([record["contact_id"], list(record.values())[1]] for record in records(messages, stream))


def test_associations_of_one_object_that_are_read_side_by_side_list_its_ids_once(made: Made) -> None:
    server = made(counts={"contacts": 3450, "companies": 5, "deals": 70})
    names = ("contacts_companies", "contacts_deals")
    alone = [pairs(sync(server, name), name) for name in names]
    server.app.reset_calls()
    together = sync(server, *names, side_by_side=True)
    assert [pairs(together, name) for name in names] == alone
    assert all(alone)
    assert server.app.calls["GET", "objects/contacts"] == 35
    assert server.app.count("associations") == 8


def test_an_error_of_the_ids_that_associations_share_names_neither_of_them() -> None:
    adapter = requests_mock.Adapter()
    session = requests.Session()
    session.mount("https://", adapter)
    more = {"results": [{"id": str(n)} for n in range(1000)], "paging": {"next": {"after": "7"}}}
    adapter.register_uri("GET", requests_mock.ANY, json=more)
    adapter.register_uri("POST", requests_mock.ANY, json={"results": []})
    made = Client(UNLIMITED, {"access_token": "x"}, session=session)
    one, other = (made.read(made.resource(name)) for name in ("contacts_companies", "contacts_deals"))
    next(one)
    next(other)
    adapter.register_uri("GET", requests_mock.ANY, status_code=403, json={"message": "no scope"})
    with pytest.raises(Forbidden, match=r"^hubspot: reading the ids of contacts -> "):
        next(other)


def test_custom_objects_come_with_their_own_fields_and_names(made: Made) -> None:
    server = made()
    server.app.add_schema("rooms", {"title": "string", "seats": "number", "opened": "date", "open": "bool"}, records=3)
    server.app.bulk_edit("rooms", {"seats": "12.5", "opened": "1999-12-31", "open": "true"}, at=THEN)
    assert [resource.name for resource in client(server).discovered()] == ["rooms"]
    [kind] = client(server).discovered()[0].aliases
    rows = records(sync(server, "rooms"), "rooms")
    assert [(row["seats"], row["opened"], row["open"]) for row in rows] == [(12.5, "1999-12-31", True)] * 3
    assert client(server).resource(kind).name == "rooms"


def test_a_custom_object_that_is_named_like_an_object_of_hubspots_goes_by_its_full_name(
    requests_mock: requests_mock.Mocker,
) -> None:
    found = [
        {"name": "contact", "fullyQualifiedName": "p1_contact", "objectTypeId": "2-9", "labels": {"plural": "Kontakte"}}
    ]
    requests_mock.get(f"{URL}/crm-object-schemas/2026-09/schemas", json={"results": found})
    [resource] = Client(UNLIMITED, {"access_token": "pat-eu1-nobodys"}).discovered()
    assert (resource.name, resource.aliases, resource.title) == ("p1_contact", ("2-9",), "Kontakte")


def test_owners_and_pipelines_are_streams(made: Made) -> None:
    server = made()
    said = sync(server, "owners", "pipelines")
    assert {row.get("email") for row in records(said, "owners")} >= {
        "grace.park@example.com",
        "omar.haddad@example.com",
    }
    pipelines = {(row["objectType"], row["id"]): row for row in records(said, "pipelines")}
    assert pipelines.keys() == {("deals", "default"), ("deals", "75e28846"), ("tickets", "0")}
    assert [stage["id"] for stage in pipelines["deals", "75e28846"]["stages"]] == ["1193", "1194"]
    gone = read(server, "owners", "deleted")
    assert [(row["email"], row["archived"]) for row in gone] == [("wanda.kim@example.com", True)]


def test_the_versions_for_reading_and_for_writing_are_settings(made: Made) -> None:
    server = made(admin_required={"contacts": ("jobtitle",)})
    assert connect("hubspot", **server.config).add("contact", email="old@example.org")["email"] == "old@example.org"
    strict = connect("hubspot", **server.config, read_version="2026-03", write_version="2026-09")
    with pytest.raises(Refused, match="Required properties are missing: jobtitle"):
        strict.add("contact", email="new@example.org")
    assert [row["email"] for row in strict.read("contact")] == ["old@example.org"]
    targets = [call.target for call in server.app.log]
    assert any(target.startswith("/crm/objects/2026-03/contacts?") for target in targets)
    assert any(target.startswith("/crm/objects/2026-09/contacts/batch/create") for target in targets)


# Finding


@pytest.fixture
def people(made: Made) -> tuple[Server, Connection]:
    server = made()
    app: Any = server.app
    app.add_property("contacts", "badge", unique=True)
    app.add("contacts", {"email": "ada@example.org", "badge": "B-1", "city": "Gent", "lifecyclestage": "lead"})
    app.add(
        "contacts",
        {"email": "bob@example.org", "badge": "B-2", "city": "GENT", "hs_additional_emails": "bobby@example.org"},
    )
    app.add("contacts", {"email": "cy@example.org", "badge": "B-3", "city": "Brugge", "lifecyclestage": "customer"})
    app.reset_calls()
    return server, connect("hubspot", **server.config)


@pytest.mark.parametrize(
    ("field", "value", "found", "route"),
    [
        ("email", "ada@example.org", ["ada@example.org"], "batch/read"),
        ("email", "Ada@Example.ORG", ["ada@example.org"], "batch/read"),
        ("email", ["cy@example.org", "nobody@example.org"], ["cy@example.org"], "batch/read"),
        ("badge", "B-2", ["bob@example.org"], "batch/read"),
        ("city", "Gent", ["ada@example.org", "bob@example.org"], "search"),
        ("city", ["gent", "brugge"], ["ada@example.org", "bob@example.org", "cy@example.org"], "search"),
        ("lifecyclestage", "customer", ["cy@example.org"], "search"),
        ("city", "nowhere", [], "search"),
    ],
)
def test_somebody_is_found_by_any_field(
    people: tuple[Server, Connection], field: str, value: Any, found: list[str], route: str
) -> None:
    server, hubspot = people
    rows = hubspot.find("contact", **{field: value})
    assert sorted(row["email"] for row in rows) == found
    assert [name for (_, name), n in server.app.calls.items() if "objects" in name] == [f"objects/contacts/{route}"]


def test_somebody_is_found_by_a_secondary_address_and_keeps_the_first(people: tuple[Server, Connection]) -> None:
    server, hubspot = people
    [bob] = hubspot.find("contact", email="bobby@example.org")
    assert (bob["badge"], bob["email"]) == ("B-2", "bob@example.org")
    hubspot.upsert("contact", by="email", email="bobby@example.org", city="Luik")
    [held] = [record["properties"] for record in server.app.records("contacts") if record["id"] == bob["id"]]
    assert (held["email"], held["hs_additional_emails"], held["city"]) == (
        "bob@example.org",
        "bobby@example.org",
        "Luik",
    )
    assert len(server.app.records("contacts")) == 3


def test_many_values_are_looked_up_in_as_few_requests_as_fit(made: Made) -> None:
    server = made()
    for n in range(250):
        server.app.add("contacts", {"email": f"p{n}@example.org", "city": f"{'a long name of a city ' * 4}{n}"})
    speaking = client(server)
    contacts = speaking.resource("contacts")
    addresses = [f"p{n}@example.org" for n in range(250)]
    assert len(speaking.find(contacts, "email", addresses, ("id",))) == 250
    assert server.app.count("batch/read") == 3
    cities = [f"{'a long name of a city ' * 4}{n}" for n in range(250)]
    assert len(speaking.find(contacts, "city", cities, ("id", "city"))) == 250
    assert {call.status for call in server.app.log} <= {200, 207}
    assert server.app.count("search") < 20


def test_a_record_is_got_by_its_id(people: tuple[Server, Connection]) -> None:
    server, hubspot = people
    number = server.app.records("contacts")[0]["id"]
    assert hubspot.get("contact", number)["badge"] == "B-1"
    with pytest.raises(NotFound):
        hubspot.get("contact", "999999999")


def test_a_person_is_erased_for_good(people: tuple[Server, Connection]) -> None:
    server, hubspot = people
    number = server.app.records("contacts")[0]["id"]
    hubspot.erase("contact", number)
    assert number not in {
        record["id"] for archived in (True, False) for record in server.app.records("contacts", archived=archived)
    }
    assert len(server.app.records("contacts")) == 2
    assert hubspot.find("contact", email="ada@example.org") == []


# Limits


def test_the_limit_of_searches_is_never_met(made: Made) -> None:
    server = made(records=12, searches_per_second=5, limit=(100, 10))
    names = [resource.name for resource in apis.load("hubspot").resources if resource.changes]
    first = sync(server, *names, tap=TapHubSpot)
    sync(server, *names, tap=TapHubSpot, state=state(first))
    assert server.app.count("search") == len(names) == 11
    assert server.app.rate_limited == 0


def limited(policy: str) -> dict[str, Any]:
    said = f"You have reached your {policy.lower()} limit."
    return {"status": "error", "message": said, "errorType": "RATE_LIMIT", "policyName": policy}


def test_a_daily_quota_is_not_tried_again(requests_mock: requests_mock.Mocker) -> None:
    requests_mock.get(f"{URL}/crm/owners/2026-09", status_code=429, json=limited("DAILY"))
    speaking = Client(UNLIMITED, {"access_token": "pat-eu1-nobodys"})
    with pytest.raises(QuotaSpent, match="hubspot: reading owners -> 429 You have reached your daily limit"):
        list(speaking.read(speaking.resource("owners")))
    assert requests_mock.call_count == 1


@pytest.mark.parametrize("policy", ["TEN_SECONDLY_ROLLING", "SECONDLY"])
def test_a_limit_of_seconds_is_waited_for(
    requests_mock: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    monkeypatch.setattr("antiphon.http.random.uniform", lambda low, _high: low)
    answers = [{"status_code": 429, "json": limited(policy)}, {"json": {"results": [{"id": "1"}]}}]
    requests_mock.get(f"{URL}/crm/owners/2026-09", answers)
    speaking = Client(UNLIMITED, {"access_token": "pat-eu1-nobodys"})
    assert [row["id"] for page in speaking.read(speaking.resource("owners")) for row in page.records] == ["1"]
    assert requests_mock.call_count == 2


def test_a_lock_is_waited_for_and_a_quota_spent_on_a_write_leaves_it_undone(
    requests_mock: requests_mock.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("antiphon.http.random.uniform", lambda low, _high: low)
    created = f"{URL}/crm/objects/2026-03/contacts/batch/create"
    requests_mock.post(created, status_code=429, json=limited("DAILY"))
    requests_mock.get(f"{URL}/crm/properties/2026-09/contacts", json={"results": []})
    speaking = Client(UNLIMITED, {"access_token": "pat-eu1-nobodys"})
    contacts = speaking.resource("contacts")
    with pytest.raises(Unavailable):
        list(speaking.write(contacts, "create", [Change({"email": "a@example.org"})]))
    assert requests_mock.call_count == 1
    change = Change({"email": "a@example.org"}, id="1")
    done = {"results": [{"id": "1", "properties": {}, "objectWriteTraceId": change.token}]}
    requests_mock.post(
        f"{URL}/crm/objects/2026-03/contacts/batch/update",
        [{"status_code": 423, "json": {"message": "locked"}}, {"json": done}],
    )
    [outcome] = speaking.write(contacts, "update", [change])
    assert (outcome.kind, outcome.attempts) == (Kind.UPDATED, 2)


def test_an_error_is_told_in_hubspots_words(requests_mock: requests_mock.Mocker) -> None:
    problems = [{"isValid": False, "message": "Email address x is invalid", "error": "INVALID_EMAIL", "name": "email"}]
    said = f"Property values were not valid: {json.dumps(problems)}"
    requests_mock.get(
        f"{URL}/crm/owners/2026-09", status_code=400, json={"message": said, "category": "VALIDATION_ERROR"}
    )
    speaking = Client(UNLIMITED, {"access_token": "pat-eu1-nobodys"})
    with pytest.raises(Refused, match=r"^hubspot: reading owners -> 400 Email address x is invalid$") as caught:
        list(speaking.read(speaking.resource("owners")))
    assert caught.value.code == "VALIDATION_ERROR"
