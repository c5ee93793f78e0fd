"""Replies to writes, as APIs of all sorts give them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.api import Read, Write
from antiphon.errors import NotFound, Refused
from antiphon.outcome import (
    ByPath,
    ByStatus,
    Change,
    Failures,
    Kind,
    Location,
    Nothing,
    One,
    PerItem,
    Said,
    fits,
    last_part,
)

from .tiny import a_client, an_api, changes, people, writes


def told(outcomes):
    return [(o.kind.value, o.id, o.problem.message if o.problem else None) for o in outcomes]


def asked(*ids):
    return [Change({"email": f"{id}@x"}, id=id, token=f"t-{id}") for id in ids]


# What fits


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (200, 200),
        ("200", 200),
        (204, "200-299"),
        ("204", "200-299"),
        ("ok", "ok"),
        ("ok", ["fine", "ok"]),
        (True, True),
        (201, [200, "201-202"]),
    ],
)
def test_a_value_fits(found, wanted):
    assert fits(found, wanted)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (300, "200-299"),
        (True, 1),
        (1, True),
        (None, "None"),
        ("ok", "okay"),
        ("x", "200-299"),
        (200, []),
        (False, "False"),
    ],
)
def test_a_value_does_not_fit(found, wanted):
    assert not fits(found, wanted)


@pytest.mark.parametrize(
    ("url", "id"),
    [
        ("https://x/Users/7", "7"),
        ("/Users/7/?v=1", "7"),
        ("https://x/People('O%27N')", "O'N"),
        ("https://x/People(7)", "7"),
        ("", ""),
    ],
)
def test_the_last_part_of_a_url_is_an_id(url, id):
    assert last_part(url) == id


# One record


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(201, ("created", "7", None)), (200, ("updated", "7", None)), (304, ("unchanged", "7", None)),
     (409, ("rejected", "7", "no")), (202, ("rejected", "7", "no"))],
)  # fmt: skip
def test_the_status_tells_what_became_of_a_record(status, outcome):
    decode = ByStatus({"201": "created", "200": "updated", "304": "unchanged", "409": "rejected"})
    assert told(decode(Said(status, {"message": "no"}), asked("7"), Kind.UPDATED)) == [outcome]


def test_a_status_that_is_accepted_is_an_answer_and_no_fault(session, adapter):
    adapter.register_uri("POST", "/people", status_code=409, json={"id": 7, "message": "is there"})
    unchanged = ByStatus({"201": "created", "409": "unchanged"})
    resource = writes(create=Write("/people", accepts=("409", "300-303"), outcomes=unchanged))
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", changes({"name": "a"}))
    assert (outcome.kind, outcome.id, adapter.call_count) == (Kind.UNCHANGED, "7", 1)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"success": True, "data": {"id": 7}}, ("created", "7", None)),
        ({"success": False, "message": "no city"}, ("rejected", None, "no city")),
        ({"success": False}, ("rejected", None, '{"success":false}')),
        ({"other": 1}, ("unknown", None, "the reply does not mention this record")),
        (None, ("unknown", None, "the reply does not mention this record")),
    ],
)
def test_a_path_in_the_reply_tells_whether_it_worked(body, outcome):
    assert told(ByPath("success", at="data")(Said(200, body), [Change({})], Kind.CREATED)) == [outcome]


def test_a_path_may_tell_what_became_of_it():
    decode = ByPath("action", kinds={"added": "created", "none": "unchanged"}, good=["done"])
    kinds = [
        decode(Said(200, {"action": word}), [Change({})], Kind.UPDATED)[0].kind
        for word in ("added", "none", "done", "?")
    ]
    assert kinds == [Kind.CREATED, Kind.UNCHANGED, Kind.UPDATED, Kind.REJECTED]


def test_one_word_may_stand_for_a_whole_batch():
    outcomes = ByPath("state", good="ok")(Said(200, {"state": "ok"}), asked("1", "2"), Kind.UPDATED)
    assert told(outcomes) == [("updated", "1", None), ("updated", "2", None)]


def test_a_header_names_the_record_that_was_written(session, adapter):
    adapter.register_uri(
        "POST", "/people", status_code=201, headers={"Location": "https://api.example.org/people/a%2Fb"}
    )
    resource = writes(create=Write("/people", outcomes=Location()))
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", changes({"name": "a"}))
    assert (outcome.kind, outcome.id) == (Kind.CREATED, "a/b")
    assert Location()(Said(201, None), [Change({})], Kind.CREATED)[0].kind is Kind.UNKNOWN
    assert told(Location()(Said(204, None), asked("7"), Kind.UPDATED)) == [("updated", "7", None)]


# Batches


def test_a_bulk_reply_has_a_key_and_a_status_for_each_record():
    body = {"Operations": [
        {"bulkId": "t-2", "status": "409", "response": {"detail": "is taken", "scimType": "uniqueness"}},
        {"bulkId": "t-1", "status": "201", "location": "https://x/v2/Users/9"},
        {"bulkId": "t-4", "status": {"code": "x"}},
    ]}  # fmt: skip
    decode = PerItem(
        "Operations", "location", "response.detail", "response.scimType", "status", "200-299", key="bulkId", url=True
    )
    outcomes = decode(Said(200, body), asked("1", "2", "3", "4"), Kind.CREATED)
    assert [(o.kind.value, o.id) for o in outcomes] == [
        ("created", "9"),
        ("rejected", "2"),
        ("unknown", "3"),
        ("rejected", "4"),
    ]
    assert outcomes[1].problem.as_dict() == {"status": 409, "code": "uniqueness", "message": "is taken"}


@pytest.mark.parametrize(
    ("key", "of"), [("id", "id"), ("mail", "record.email"), ("by.value", "match.value"), ("trace", "token")]
)
@given(order=st.permutations([0, 1, 2]))
def test_entries_are_paired_by_whatever_key_in_any_order(key, of, order):
    batch = [Change({"email": f"{n}@x"}, id=str(n), by="email", value=f"m{n}", token=f"t{n}") for n in range(3)]
    entries = [
        {"id": n, "mail": f"{n}@x", "by": {"value": f"m{n}"}, "trace": f"t{n}", "error": "no" if n == 1 else None}
        for n in range(3)
    ]
    outcomes = PerItem(key=key, of=of)(Said(200, [entries[n] for n in order]), batch, Kind.UPDATED)
    assert [o.kind.value for o in outcomes] == ["updated", "rejected", "updated"]


def test_an_entry_may_be_the_id_itself():
    assert told(PerItem(id="")(Said(200, [3, "4"]), [Change({}), Change({})], Kind.CREATED)) == [
        ("created", "3", None),
        ("created", "4", None),
    ]


def test_an_entry_may_tell_what_became_of_its_record():
    decode = PerItem("", status="result", kinds={"new": "created", "same": "unchanged"}, good="ok", error="why")
    body = [
        {"result": "new", "id": 1},
        {"result": "same", "id": 2},
        {"result": "ok", "id": 3},
        {"result": "bad", "why": "no"},
    ]
    assert told(decode(Said(200, body), [Change({})] * 4, Kind.UPDATED)) == [
        ("created", "1", None), ("unchanged", "2", None), ("updated", "3", None), ("rejected", None, "no")]  # fmt: skip


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (Failures(), {"errors": [{"index": 1, "message": "no", "code": 5}]}),
        (Failures(first=1), {"errors": [{"index": "2", "message": "no", "code": 5}]}),
        (Failures("bad", key="user", error="why", code="nr"), {"bad": [{"user": "b", "why": "no", "nr": 5}]}),
        (
            Failures("bad", key="mail", of="record.email", error="why", code="nr"),
            {"bad": [{"mail": "b@x", "why": "no", "nr": 5}]},
        ),
    ],
)
def test_a_reply_may_list_the_failures_alone(decode, body):
    outcomes = decode(Said(200, body), asked("a", "b", "c"), Kind.UPDATED)
    assert told(outcomes) == [("updated", "a", None), ("rejected", "b", "no"), ("updated", "c", None)]
    assert outcomes[1].problem.code == "5"


def test_without_failures_all_are_done_and_one_that_names_nobody_leaves_all_unknown():
    batch = asked("a", "b")
    assert [o.kind for o in Failures()(Said(200, {}), batch, Kind.UPDATED)] == [Kind.UPDATED] * 2
    kinds = [
        o.kind.value
        for o in Failures()(Said(200, {"errors": [{"index": 9}, {"index": 1, "message": "no"}]}), batch, Kind.UPDATED)
    ]
    assert kinds == ["unknown", "rejected"]


KINDS_OF = [
    One(),
    Nothing(),
    Location(),
    ByStatus(),
    ByPath("ok"),
    PerItem("x"),
    PerItem(key="id", of="id"),
    Failures("x"),
]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["x", "id", "ok", "error", "index"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("decode", KINDS_OF, ids=lambda decode: type(decode).__name__)
@given(body=ANY, status=st.sampled_from([200, 201, 204, 207]), count=st.integers(1, 3))
def test_whatever_a_reply_holds_each_change_has_one_outcome(decode, body, status, count):
    batch = asked(*map(str, range(count if isinstance(decode, Nothing | PerItem | Failures | ByPath) else 1)))
    outcomes = decode(Said(status, body), batch, Kind.CREATED)
    assert [o.change for o in outcomes] == batch


# Requests


def test_an_idempotency_key_has_the_name_and_the_quotes_that_the_api_wants(session, adapter):
    adapter.register_uri("POST", "/people", [{"status_code": 503}, {"json": {"id": 1}}])
    resource = writes(create=Write("/people", headers={"Idempotency-Key": '"{token}"'}, remembers=3600))
    [change] = changes({"name": "a"})
    list(a_client(an_api(resource), session=session).write(resource, "create", [change]))
    assert [r.headers["Idempotency-Key"] for r in adapter.request_history] == [f'"{change.token}"'] * 2


def test_a_record_that_a_path_does_not_lead_to_is_not_found_and_no_error(session, adapter):
    adapter.register_uri("GET", "/people/by-email/a%40x", status_code=404)
    adapter.register_uri("GET", "/people/by-email/b%40x", json={"id": 2, "email": "b@x"})
    resource = people(find=Read("/people/by-email/{match.value}"))
    client = a_client(an_api(resource), session=session)
    assert client.find(resource, "email", ["a@x", "b@x"]) == [{"id": 2, "email": "b@x"}]


def test_a_record_that_is_not_under_one_parent_is_looked_for_under_the_others(session, adapter):
    shops = people(name="shops", read=Read("/shops", records="items"))
    resource = people(parent="shops", find=Read("/shops/{parent.id}/people/{match.value}"))
    adapter.register_uri("GET", "/shops", json={"items": [{"id": n} for n in (1, 2, 3)]})
    for shop in 1, 3:
        adapter.register_uri("GET", f"/shops/{shop}/people/a%40x", status_code=404)
    adapter.register_uri("GET", "/shops/2/people/a%40x", json={"id": 7, "email": "a@x"})
    client = a_client(an_api(shops, resource), session=session)
    assert client.find(resource, "email", ["a@x"]) == [{"id": 7, "email": "a@x"}]


def test_a_list_of_parents_that_is_not_there_is_an_error_of_the_look_up(session, adapter):
    shops = people(name="shops", read=Read("/shops", records="items"))
    resource = people(parent="shops", find=Read("/shops/{parent.id}/people/{match.value}"))
    adapter.register_uri("GET", "/shops", status_code=404)
    client = a_client(an_api(shops, resource), session=session)
    with pytest.raises(NotFound):
        client.find(resource, "email", ["a@x"])


def test_a_status_that_is_said_to_mean_that_there_is_none_is_no_error_and_every_other_is(session, adapter):
    find = Read("/people/search", params={"email": "{match.value}"}, absent=(404,))
    resource = people(find=find)
    client = a_client(an_api(resource), session=session)
    adapter.register_uri("GET", "/people/search?email=a%40x", status_code=404)
    adapter.register_uri("GET", "/people/search?email=b%40x", json={"id": 2, "email": "b@x"})
    adapter.register_uri("GET", "/people/search?email=c%40x", status_code=400)
    assert client.find(resource, "email", ["a@x", "b@x"]) == [{"id": 2, "email": "b@x"}]
    with pytest.raises(Refused):
        client.find(resource, "email", ["c@x"])


def test_a_look_up_that_nothing_says_of_is_an_error_where_its_address_is_not_there(session, adapter):
    adapter.register_uri("GET", "/people/search", status_code=404)
    resource = people(find=Read("/people/search", params={"email": "{match.value}"}))
    with pytest.raises(NotFound):
        a_client(an_api(resource), session=session).find(resource, "email", ["a@x"])
