"""Search: its operators, its caps, its lag."""

from __future__ import annotations

import pytest

SEARCH = "/crm/objects/2026-09/contacts/search"


@pytest.fixture
def sandbox(made):
    return made(records=0, searches_per_second=1000)


def where(*filters, **more):
    named = [dict(zip(("propertyName", "operator", "value", "highValue"), one, strict=False)) for one in filters]
    for one in named:
        if one["operator"] in {"IN", "NOT_IN"}:
            one["values"] = one.pop("value")
    return {"filterGroups": [{"filters": named}], **more}


def ids(sandbox, body):
    return [int(record["id"]) for record in sandbox.post(SEARCH, body)["results"]]


@pytest.fixture
def people(sandbox):
    app = sandbox.app
    app.add_property("contacts", "shoe_size", "number")
    rows = [
        {"email": "ada@example.com", "city": "Berlin", "shoe_size": "9", "hs_buying_role": "CHAMPION;BUDGET_HOLDER"},
        {"email": "bob@example.org", "city": "berlin", "shoe_size": "10"},
        {"email": "cy@example.net", "shoe_size": "100.5"},
    ]
    return [app.add("contacts", row, at=1_700_000_000_000 + n).id for n, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("one", "found"),
    [
        (("shoe_size", "GT", "9"), [1, 2]),
        (("shoe_size", "LTE", "10"), [0, 1]),
        (("shoe_size", "BETWEEN", "10", "101"), [1, 2]),
        (("city", "EQ", "BERLIN"), [0, 1]),
        (("city", "IN", ["berlin"]), [0, 1]),
        (("city", "IN", ["Berlin"]), []),
        (("email", "NEQ", "ada@example.com"), [1, 2]),
        (("email", "NOT_IN", ["ada@example.com"]), [1, 2]),
        (("city", "HAS_PROPERTY"), [0, 1]),
        (("city", "NOT_HAS_PROPERTY"), [2]),
        (("email", "CONTAINS_TOKEN", "example.org"), [1]),
        (("email", "CONTAINS_TOKEN", "*@example.n*"), [2]),
        (("email", "NOT_CONTAINS_TOKEN", "ada"), [1, 2]),
        (("hs_buying_role", "EQ", "BUDGET_HOLDER"), [0]),
        (("createdate", "GTE", "1700000000001"), [1, 2]),
        (("createdate", "LT", "2023-11-14T22:13:20.001Z"), [0]),
        (("lastmodifieddate", "EQ", "1700000000002"), [2]),
    ],
)
def test_operators_mean_what_the_vendor_says(sandbox, people, one, found):
    assert ids(sandbox, where(one)) == [people[n] for n in found]


def test_ids_compare_as_numbers(sandbox):
    made = [sandbox.app.add("contacts", {"lastname": "X"}).id for _ in range(60)]
    body = where(
        ("hs_object_id", "GT", "998"), limit=100, sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    )
    assert ids(sandbox, body) == [number for number in made if number > 998]
    body["sorts"][0]["direction"] = "DESCENDING"
    assert ids(sandbox, body) == [number for number in made[::-1] if number > 998]


def test_groups_are_alternatives_and_filters_are_not(sandbox, people):
    both = where(("city", "HAS_PROPERTY"), ("shoe_size", "EQ", "9"))
    either = {"filterGroups": [*both["filterGroups"], *where(("shoe_size", "EQ", "100.5"))["filterGroups"]]}
    assert (ids(sandbox, both), ids(sandbox, either)) == ([people[0]], [people[0], people[2]])


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "9801", "limit": 200},
        {"after": "x"},
        {"filterGroups": [{"filters": []}] * 6},
        where(*[("city", "HAS_PROPERTY")] * 7),
        {"filterGroups": where(*[("city", "HAS_PROPERTY")] * 5)["filterGroups"] * 4},
        where(("nope", "EQ", "1")),
        where(("city", "LIKE", "1")),
        where(("city", "EQ")),
        where(("createdate", "GTE", "yesterday")),
        {"sorts": [{"propertyName": "city"}, {"propertyName": "email"}]},
        {"properties": ["x" * 3000]},
    ],
)
def test_what_the_vendor_will_not_search_is_refused(sandbox, body):
    sandbox.post(SEARCH, body, expect=400)


def test_nothing_is_found_past_10000_results(made):
    sandbox = made(records=10_001, counts=dict.fromkeys(("companies", "deals", "tickets", "products"), 0))
    page = sandbox.post(SEARCH, {"limit": 200, "after": "9800"})
    assert (page["total"], page["paging"]["next"]["after"]) == (10_001, "10000")
    sandbox.post(SEARCH, {"limit": 200, "after": "10000"}, expect=400)


def test_archived_records_are_not_found(sandbox, people):
    sandbox.app.archive("contacts", people[0])
    assert ids(sandbox, {}) == people[1:]


def test_a_bulk_edit_stamps_every_record_alike(sandbox, people):
    sandbox.app.bulk_edit("contacts", {"city": "Rome"}, at="2026-01-01T00:00:00Z")
    assert ids(sandbox, where(("lastmodifieddate", "EQ", "1767225600000"))) == people


def test_the_index_lags_when_told_to(sandbox, people, later):
    sandbox.app.index_lag = 600
    sandbox.app.edit("contacts", people[0], {"city": "Rome"})
    new = sandbox.app.add("contacts", {"lastname": "X"}).id
    assert ids(sandbox, where(("city", "EQ", "rome"))) == []
    assert (
        sandbox.post(SEARCH, where(("email", "EQ", "ada@example.com"), properties=["city"]))["results"][0][
            "properties"
        ]["city"]
        == "Berlin"
    )
    assert new not in ids(sandbox, {})
    later(601)
    assert ids(sandbox, where(("city", "EQ", "rome"))) == [people[0]]
    assert new in ids(sandbox, {})


def test_five_a_second_is_the_most(made):
    sandbox = made()
    assert sandbox.app.search_limit.seconds == 1
    sandbox.app.search_limit.seconds = 600  # however slow the machine is
    statuses = [sandbox("POST", SEARCH, {}).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    assert sandbox.app.rate_limited == 2
