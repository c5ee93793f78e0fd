import json
import logging

import pytest
import requests
import requests_mock

from antiphon import schema
from antiphon.api import Page as PageOfRecords
from antiphon.api import Query, Read, Setting, Then, Write
from antiphon.errors import BadReply, DescriptionError, Lost, NotFound, Unauthorized, Unavailable, Unknown
from antiphon.outcome import Change, Kind, Nothing, One, Outcome, PerItem
from antiphon.paging import Cursor, NextUrl, Page

from .tiny import URL, a_client, an_api, changes, people, writes

NUMBERED = Page("page", 1)


def registered(adapter, path, pages, method="GET", param="page"):
    """Answer ``GET path?page=n`` with the nth page, and with an empty one after the last."""

    def answer(request, context):
        number = int(request.qs.get(param, ["1"])[0])
        return {"results": pages[number - 1] if number <= len(pages) else []}

    adapter.register_uri(method, f"{URL}{path}", json=answer)


def ids(pages):
    return [record["id"] for page in pages for record in page.records]


# Resources


def test_a_resource_is_known_by_its_name_and_its_aliases():
    client = a_client(an_api(people(aliases=("person",))))
    assert client.resource("person") is client.resource("people")


def test_an_unknown_resource_is_told_with_those_that_exist():
    with pytest.raises(
        Unknown, match=r'^tiny has no resource "poeple". Did you mean "people"\? There are: cities, people.$'
    ):
        a_client(an_api(people(), people("cities"))).resource("poeple")


def test_resources_that_only_the_api_knows_are_asked_for_once_and_only_when_needed():
    asked = []

    def discover(client):
        asked.append(client)
        return [people("cars", aliases=("car",))]

    client = a_client(an_api(people(), discover=discover))
    assert client.resource("people").name == "people"
    assert not asked
    assert client.resource("car").name == "cars"
    with pytest.raises(Unknown, match="There are: cars, people"):
        client.resource("x")
    assert len(asked) == 1


def test_a_schema_that_the_api_tells_is_asked_for_once():
    asked = []
    client = a_client(an_api(people(schema=lambda _: asked.append(1) or schema.record({"id": "string!"}))))
    for _ in range(3):
        assert client.schema(client.resource("people"))["properties"]["id"] == {"type": "string"}
    assert len(asked) == 1


def test_a_slot_that_is_not_there_is_told_with_those_that_are():
    client = a_client(an_api(people(get=Read("/people/{id}"))))
    with pytest.raises(Unknown, match=r"^tiny: people has no changes. It has: read, get.$"):
        list(client.read(client.resource("people"), slot="changes"))
    with pytest.raises(Unknown, match=r"^tiny cannot update people. It can: read, get.$"):
        list(client.write(client.resource("people"), "update", changes({"id": 1})))


# Descriptions


@pytest.mark.parametrize(
    ("slots", "named"),
    [
        ({"read": Read("/people/{sicne}")}, r"people\.read: unknown placeholder \{sicne\}. Did you mean \"since\""),
        ({"changes": Read("/people", params={"a": "{nonsense}"})}, r"people\.changes: .*\{nonsense\}"),
        ({"find": Read("/people", body={"a": [{"b": "x {mach.field}"}]})}, r"people\.find: .*\{mach\}"),
        ({"get": Read("/people", headers={"X": "{hedaer}"})}, r"people\.get: .*\{hedaer\}"),
        ({"read": Read("/people", then=Then(Read("/b", body={"p": "{feilds}"})))}, r"people\.read: .*\{feilds\}"),
        ({"create": Write("/people", body={"a": "{recrod.a}"})}, r"people\.create: .*\{recrod\}"),
        ({"actions": {"greet": Write("/people/{idd}")}}, r"people\.greet: .*\{idd\}"),
        ({"archive": Write("/people", batch=10)}, r"people\.archive: a batch needs `into`"),
        ({"create": Write("/people", batch=10)}, r"people\.create: a batch needs `outcomes`"),
    ],
)
def test_a_description_that_names_what_nobody_gives_is_refused(slots, named):
    with pytest.raises(DescriptionError, match=f"^tiny: {named}"):
        an_api(people(**slots))


def test_a_name_used_twice_is_refused():
    with pytest.raises(DescriptionError, match="more than one resource is called person"):
        an_api(people(aliases=("person",)), people("person"))


def test_settings_and_their_defaults_fill_placeholders(session, adapter):
    api = an_api(
        people(read=Read("/{org}/people", params={"v": "{version}"}, records="results")),
        base_url="https://{region}.example.org",
        settings=(Setting("org"), Setting("region"), Setting("version", default="v1")),
        auth=(),
    )
    adapter.register_uri("GET", requests_mock.ANY, json={"results": []})
    client = a_client(api, session=session, org="ä/b", region="eu")
    list(client.read(client.resource("people")))
    assert adapter.last_request.url == "https://eu.example.org/%C3%A4%2Fb/people?v=v1"


# Reading


def test_what_a_read_asks_for_is_filled_in_and_what_nobody_asked_for_left_out(session, adapter):
    read = Read(
        "/people",
        params={"fields": "{fields}", "from": "{since}", "to": "{until}", "plain": 1},
        time="ms",
        records="results",
    )
    api = an_api(people(read=read, always=("id",)))
    adapter.register_uri("GET", "/people", json={"results": []})
    client = a_client(api, session=session)
    list(
        client.read(client.resource("people"), Query(fields=("id", "name", "email"), since="2026-01-31T09:05:00.123Z"))
    )
    assert adapter.last_request.qs == {"fields": ["name,email"], "from": ["1769850300123"], "plain": ["1"]}
    list(client.read(client.resource("people"), Query(until="1970-01-01T00:00:01Z")))
    assert adapter.last_request.qs == {"fields": ["name,email,updated"], "to": ["1000"], "plain": ["1"]}


def test_records_come_in_the_shape_of_the_schema(session, adapter):
    read = Read("/people", records="data.people", lift=("attributes",), text=True, nulls=("-",))
    adapter.register_uri("GET", "/people", json={"data": {"people": [
        {"id": "7", "attributes": {"name": "-", "updated": "2026-01-31T10:05:00+01:00", "x": "1"}}]}})  # fmt: skip
    client = a_client(an_api(people(read=read)), session=session)
    [page] = client.read(client.resource("people"))
    assert page.records == [{"id": 7, "name": None, "updated": "2026-01-31T09:05:00Z", "x": "1"}]


@pytest.mark.parametrize(
    ("body", "found"), [({"results": {"id": 1}}, [1]), ({"results": None}, []), ({"results": []}, [])]
)
def test_one_record_or_none_is_a_page_too(session, adapter, body, found):
    adapter.register_uri("GET", "/people", json=body)
    client = a_client(session=session)
    assert ids(client.read(client.resource("people"))) == found


def test_numbers_come_with_all_their_digits(session, adapter):
    adapter.register_uri(
        "GET", "/people", text='{"results": [{"id": 123456789012345678901234567890, "sum": 0.10000000000000000001}]}'
    )
    client = a_client(session=session)
    [page] = client.read(client.resource("people"))
    assert str(page.records[0]["id"]) == "123456789012345678901234567890"
    assert str(page.records[0]["sum"]) == "0.10000000000000000001"


def test_lines_within_a_record_become_records_and_keep_what_they_are_told_to(session, adapter):
    read = Read("/orders/{org}", records="results", each="positions",
                keep={"order": "{record.code}", "org": "{org}", "absent": "{record.none}"})  # fmt: skip
    api = an_api(people(read=read), settings=(Setting("org"),), auth=())
    rows = [
        {"code": "A", "positions": [{"id": 1, "order": "own"}, {"id": 2}]},
        {"code": "B", "positions": []},
        {"code": "C"},
    ]
    adapter.register_uri("GET", "/orders/acme", json={"results": rows})
    client = a_client(api, session=session, org="acme")
    [page] = client.read(client.resource("people"))
    assert page.records == [{"id": 1, "order": "A", "org": "acme"}, {"id": 2, "order": "A", "org": "acme"}]


def test_a_record_on_both_sides_of_a_page_boundary_comes_once(session, adapter):
    registered(adapter, "/people", [[{"id": 1}, {"id": 2}], [{"id": 2}, {"id": 3}], [{"id": 3}], [{"id": 4}]])
    client = a_client(an_api(people(read=Read("/people", records="results", paging=NUMBERED))), session=session)
    assert ids(client.read(client.resource("people"))) == [1, 2, 3, 4]


def test_a_record_that_changed_between_two_pages_comes_again(session, adapter):
    registered(
        adapter,
        "/people",
        [[{"id": 1, "updated": "2026-01-01T00:00:00Z"}], [{"id": 1, "updated": "2026-01-02T00:00:00Z"}]],
    )
    client = a_client(
        an_api(people(updated="updated", read=Read("/people", records="results", paging=NUMBERED))), session=session
    )
    assert ids(client.read(client.resource("people"))) == [1, 1]


@pytest.mark.parametrize("key", [(), ("code",)])
def test_records_without_a_key_are_all_kept(session, adapter, key):
    registered(adapter, "/people", [[{"id": 1}], [{"id": 2}], [{"id": 3}]])
    resource = people(key=key, read=Read("/people", records="results", paging=NUMBERED))
    client = a_client(an_api(resource), session=session)
    assert ids(client.read(resource)) == [1, 2, 3]


def test_a_page_carries_the_clock_of_the_server_at_the_start(session, adapter):
    heads = [{"Date": "Sat, 31 Jan 2026 09:05:00 GMT"}, {"Date": "Sat, 31 Jan 2026 09:06:00 GMT"}]
    adapter.register_uri("GET", "/people", [
        {"json": {"results": [{"id": 1}], "next": "/people?p=2"}, "headers": heads[0]},
        {"json": {"results": [{"id": 2}]}, "headers": heads[1]}])  # fmt: skip
    client = a_client(an_api(people(read=Read("/people", records="results", paging=NextUrl()))), session=session)
    assert [page.bookmark for page in client.read(client.resource("people"))] == ["2026-01-31T09:05:00Z"] * 2


def test_a_page_carries_the_bookmark_of_the_header_that_names_it_as_it_came(session, adapter):
    stamps = ["2026-01-31T10:05:00.123+01:00", "later"]
    adapter.register_uri("GET", "/people", [
        {"json": {"results": [{"id": n}], "next": url}, "headers": {"x-page-generated": stamp, "Date": "Sat, 31 Jan 2026 09:05:00 GMT"}}
        for n, (url, stamp) in enumerate(zip(["/people?p=2", None], stamps, strict=True))])  # fmt: skip
    read = Read("/people", records="results", paging=NextUrl(), bookmark="X-Page-Generated")
    client = a_client(an_api(people(read=read)), session=session)
    assert [page.bookmark for page in client.read(client.resource("people"))] == [stamps[0]] * 2


@pytest.mark.parametrize("date", [None, "", "yesterday", "Mon, 99 Foo 2020"])
def test_a_server_without_a_clock_leaves_no_bookmark(session, adapter, date):
    adapter.register_uri("GET", "/people", json={"results": []}, headers={"Date": date} if date is not None else {})
    client = a_client(session=session)
    [page] = client.read(client.resource("people"))
    assert page.bookmark is None


def test_a_page_stays_bytes_until_its_records_are_asked_for():
    page = PageOfRecords(b'{"results": [{"id": 0.1}, {"id": 2}]}', "results")
    assert page.rows is None
    assert [str(r["id"]) for r in page.records] == ["0.1", "2"]
    assert PageOfRecords().records == []


def test_a_function_may_stand_where_a_read_does():
    def read(client, resource, query):
        yield PageOfRecords(rows=[{"id": query.since}])

    resource = people(read=read)
    assert ids(a_client(an_api(resource)).read(resource, Query(since="s"))) == ["s"]


# Wide records: page ids, then fetch fields

THEN = Then(Read("/people/batch", "POST", body={"properties": "{fields}"}, records="results"), size=2, over=9)
WIDE = Read("/people", params={"properties": "{fields}"}, records="results", paging=Cursor("next", "after"), then=THEN)


def wide(session, adapter, gone=()):
    adapter.register_uri("GET", "/people", [
        {"json": {"results": [{"id": 1}, {"id": 2}, {"id": 3}], "next": "a"}}, {"json": {"results": [{"id": 4}]}}])  # fmt: skip
    adapter.register_uri("POST", "/people/batch", json=lambda request, _: {
        "results": [{"id": i["id"], "name": f"n{i['id']}"} for i in request.json()["inputs"] if i["id"] not in gone]})  # fmt: skip
    resource = people(read=WIDE, always=("id",))
    return a_client(an_api(resource), session=session), resource


def test_many_fields_are_fetched_in_batches_by_the_ids_of_the_page(session, adapter):
    client, resource = wide(session, adapter, gone={2})
    pages = list(client.read(resource, Query(fields=("id", "name", "email"))))
    assert [page.records for page in pages] == [
        [{"id": 1, "name": "n1"}, {"id": 3, "name": "n3"}],
        [{"id": 4, "name": "n4"}],
    ]
    listed = [r for r in adapter.request_history if r.method == "GET"]
    fetched = [r.json() for r in adapter.request_history if r.method == "POST"]
    assert all("properties" not in r.qs for r in listed)
    assert fetched == [
        {"properties": ["name", "email"], "inputs": [{"id": 1}, {"id": 2}]},
        {"properties": ["name", "email"], "inputs": [{"id": 3}]},
        {"properties": ["name", "email"], "inputs": [{"id": 4}]},
    ]


def test_few_fields_are_asked_for_in_the_list_itself(session, adapter):
    client, resource = wide(session, adapter)
    list(client.read(resource, Query(fields=("name", "mail"))))
    assert {r.method for r in adapter.request_history} == {"GET"}
    assert adapter.request_history[0].qs["properties"] == ["name,mail"]


def test_a_wide_read_goes_on_from_its_cursor(session, adapter):
    client, resource = wide(session, adapter)
    pages = list(client.read(resource))
    adapter.register_uri("GET", "/people", json={"results": [{"id": 4}]})
    assert ids(client.read(resource, Query(cursor=pages[0].cursor))) == [4]


# Children under parents


def family(session, adapter, children, **more):
    """Return a client of parents in pages of two, each with its children in pages of two."""
    names = sorted(children)
    registered(adapter, "/parents", [[{"id": n} for n in names[i : i + 2]] for i in range(0, len(names), 2)])
    for name, own in children.items():
        registered(
            adapter, f"/parents/{name}/kids", [[{"id": n} for n in own[i : i + 2]] for i in range(0, len(own), 2)]
        )
    parents = people(
        "parents", schema=schema.record({"id": "string!"}), read=Read("/parents", records="results", paging=NUMBERED)
    )
    read = Read("/parents/{parent.id}/kids", records="results", paging=NUMBERED, keep={"of": "{parent.id}"})
    kids = people("kids", parent="parents", read=read, **more)
    return a_client(an_api(parents, kids), session=session), kids


KIDS = {"a": [1, 2, 3], "b": [], "c": [4], "d": [5, 6], "e": [7, 8, 9, 10, 11]}


def test_children_are_read_under_every_parent(session, adapter):
    client, kids = family(session, adapter, KIDS)
    pages = list(client.read(kids))
    assert ids(pages) == list(range(1, 12))
    assert pages[0].records[0] == {"id": 1, "of": "a"}
    assert pages[-1].cursor is None
    assert all(page.cursor for page in pages[:-1])


def test_a_read_of_children_goes_on_at_any_page(session, adapter):
    client, kids = family(session, adapter, KIDS)
    pages = list(client.read(kids))
    for n, page in enumerate(pages[:-1]):
        cursor = json.loads(json.dumps(page.cursor))
        assert ids(client.read(kids, Query(cursor=cursor))) == ids(pages[n + 1 :])


def test_finished_parents_are_not_asked_for_children_again(session, adapter):
    client, kids = family(session, adapter, KIDS)
    cursor = next(page.cursor for page in client.read(kids) if 4 in ids([page]))
    already = adapter.call_count
    list(client.read(kids, Query(cursor=cursor)))
    assert not any(f"/parents/{done}/" in r.url for r in adapter.request_history[already:] for done in "ab")


def test_where_the_parent_is_gone_at_which_a_read_stopped_all_is_read_again(session, adapter):
    client, kids = family(session, adapter, KIDS)
    assert ids(client.read(kids, Query(cursor={"parent": ["gone"], "at": {"page": 2}}))) == list(range(1, 12))


def test_no_parents_no_children(session, adapter):
    client, kids = family(session, adapter, {})
    assert list(client.read(kids)) == []


def test_wide_children_know_their_parent(session, adapter):
    then = Then(Read("/parents/{parent.id}/batch", "POST", body={"p": "{fields}"}, records="results"))
    client, kids = family(session, adapter, {"a": [1]})
    adapter.register_uri("POST", "/parents/a/batch", json={"results": [{"id": 1, "name": "x"}]})
    kids = people("kids2", parent="parents", read=Read("/parents/{parent.id}/kids", records="results", then=then))
    [page] = client.read(kids)
    assert page.records == [{"id": 1, "name": "x"}]


# Getting and finding


def test_one_record_is_got_by_its_id_which_is_encoded(session, adapter):
    adapter.register_uri("GET", "/people/a%2Fb", json={"id": 7})
    client = a_client(an_api(people(get=Read("/people/{id}"))), session=session)
    assert client.get(client.resource("people"), "a/b") == {"id": 7}


@pytest.mark.parametrize("answer", [{"status_code": 404}, {"json": []}, {"text": "null"}])
def test_a_record_that_is_not_there_is_not_found(session, adapter, answer):
    adapter.register_uri("GET", "/people/7", **answer)
    client = a_client(an_api(people(get=Read("/people/{id}"))), session=session)
    with pytest.raises(NotFound, match=r"^tiny: getting people -> "):
        client.get(client.resource("people"), "7")


def test_records_are_found_by_a_field_as_many_at_once_as_the_api_takes(session, adapter):
    find = Read("/people/search", "POST", body={"f": "{match.field}", "in": "{match.values}", "first": "{match.value}"},
                records="results", values=2)  # fmt: skip
    adapter.register_uri("POST", "/people/search", json=lambda r, _: {"results": [{"id": n} for n in r.json()["in"]]})
    client = a_client(an_api(people(find=find)), session=session)
    assert [r["id"] for r in client.find(client.resource("people"), "email", [1, 2, 3])] == [1, 2, 3]
    assert [r.json() for r in adapter.request_history] == [
        {"f": "email", "in": [1, 2], "first": 1},
        {"f": "email", "in": [3], "first": 3},
    ]


@pytest.mark.parametrize("values", [[], [None], [""], [None, ""]])
def test_nothing_is_found_by_no_value_rather_than_everything(session, adapter, values):
    adapter.register_uri("GET", "/people", json={"results": [{"id": 1}, {"id": 2}]})
    client = a_client(
        an_api(people(find=Read("/people", params={"email": "{match.value}"}, records="results"))), session=session
    )
    assert client.find(client.resource("people"), "email", values) == []
    assert adapter.call_count == 0


def test_a_value_of_zero_is_a_value(session, adapter):
    adapter.register_uri("GET", "/people?size=0", json={"results": [{"id": 1}]})
    client = a_client(
        an_api(people(find=Read("/people", params={"size": "{match.value}"}, records="results"))), session=session
    )
    assert client.find(client.resource("people"), "size", [0]) == [{"id": 1}]


@pytest.mark.parametrize(
    ("word", "id", "sent"), [("integer!", "7", 7), ("string!", "7", "7"), ("integer!", "x7", "x7")]
)
def test_an_id_in_a_body_is_a_number_where_the_schema_says_so(session, adapter, word, id, sent):
    body = {"ids": ["{id}"]}
    slots = {"get": Read("/get", "POST", body=body), "update": Write("/update", "POST", body=body, outcomes=Nothing())}
    resource = people(schema=schema.record({"id": word, "name": "string"}), **slots)
    for path in "/get", "/update":
        adapter.register_uri("POST", path, json={"id": id})
    client = a_client(an_api(resource), session=session)
    client.get(resource, id)
    list(client.write(resource, "update", [Change({"name": "Ada"}, id=id)]))
    assert [request.json() for request in adapter.request_history] == [{"ids": [sent]}] * 2


def test_by_their_key_records_are_got_one_by_one_where_there_is_no_search(session, adapter):
    for id in 1, 3:
        adapter.register_uri("GET", f"/people/{id}", json={"id": id})
    adapter.register_uri("GET", "/people/2", status_code=404, json={})
    client = a_client(an_api(people(get=Read("/people/{id}"))), session=session)
    assert client.find(client.resource("people"), "id", [1, 2, 3]) == [{"id": 1}, {"id": 3}]
    with pytest.raises(Unknown, match="people has no find"):
        client.find(client.resource("people"), "name", ["Ada"])


def test_a_space_in_a_query_is_no_plus(session, adapter):
    adapter.register_uri("GET", "/people", json={"results": []})
    params = {"$filter": "name eq 'A+B & C'"}
    client = a_client(an_api(people(read=Read("/people", params=params, records="results"))), session=session)
    list(client.read(client.resource("people")))
    assert adapter.last_request.url == f"{URL}/people?%24filter=name%20eq%20%27A%2BB%20%26%20C%27"


# Writing

BATCH = {"batch": 3, "into": "inputs", "each": {"id": "{id}", "p": "{record}"}}


def batch_server(adapter, bad=(), status=400, method="POST"):
    """Refuse a batch that holds one of the *bad* names; else answer with an id for each."""

    def answer(request, context):
        names = [item["p"]["name"] for item in request.json()["inputs"]]
        if set(names) & set(bad):
            context.status_code = status
            return {"message": "a name is bad", "code": "BAD"}
        return {"results": [{"id": f"id-{name}"} for name in names]}

    adapter.register_uri(method, "/people/batch", json=answer)
    return lambda: [[item["p"]["name"] for item in r.json()["inputs"]] for r in adapter.request_history]


def told(outcomes):
    return [(o.change.record["name"], o.kind.value) for o in outcomes]


def named(names):
    return changes(*({"name": name} for name in names))


def test_many_changes_are_sent_in_batches(session, adapter):
    sent = batch_server(adapter)
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named("abcdefg")))
    assert sent() == [["a", "b", "c"], ["d", "e", "f"], ["g"]]
    assert [(o.change.record["name"], o.id, o.kind) for o in outcomes] == [
        (n, f"id-{n}", Kind.CREATED) for n in "abcdefg"
    ]


@pytest.mark.parametrize("bad", ["a", "d", "h", "ah"])
@pytest.mark.parametrize("kind", [{"atomic": True}, {"safe": True}])
@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_refused_batch_is_taken_apart_until_the_bad_record_stands_alone(session, adapter, bad, kind, status):
    batch_server(adapter, bad, status)
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **{**BATCH, "batch": 8}, **kind))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named("abcdefgh")))
    assert told(outcomes) == [(n, "rejected" if n in bad else "created") for n in "abcdefgh"]
    problem = next(o.problem for o in outcomes if not o.ok)
    assert problem.as_dict() == {"status": status, "code": "BAD", "message": "a name is bad"}
    assert adapter.call_count <= 1 + 6 * len(bad)


def test_a_refused_batch_that_may_have_been_done_in_part_is_rejected_whole(session, adapter):
    sent = batch_server(adapter, "b")
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named("abcd")))
    assert told(outcomes) == [("a", "rejected"), ("b", "rejected"), ("c", "rejected"), ("d", "created")]
    assert sent() == [["a", "b", "c"], ["d"]]


def test_a_batch_that_is_too_large_is_sent_in_smaller_ones_whatever_it_may_have_done(session, adapter):
    def answer(request, context):
        inputs = request.json()["inputs"]
        context.status_code = 413 if len(request.body) > 90 else 200
        return {"results": [{"id": one["p"]["name"]} for one in inputs]}

    adapter.register_uri("POST", "/people/batch", json=answer)
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **{**BATCH, "batch": 8}))
    names = ["a", "b", "c" * 90, "d", "e"]
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named(names)))
    assert told(outcomes) == [(name, "rejected" if len(name) > 1 else "created") for name in names]
    assert [o.problem.status for o in outcomes if o.problem] == [413]


@pytest.mark.parametrize("answer", [{"status_code": 500}, {"exc": requests.exceptions.ReadTimeout}])
def test_changes_whose_answer_was_lost_are_unknown_and_not_sent_again(session, adapter, answer):
    adapter.register_uri("POST", "/people/batch", [answer, {"json": {"results": [{"id": 9}]}}])
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named("abcd")))
    assert told(outcomes) == [("a", "unknown"), ("b", "unknown"), ("c", "unknown"), ("d", "created")]
    assert not outcomes[0].problem.message.startswith("tiny:")
    assert adapter.call_count == 2


@pytest.mark.parametrize("text", ["<html>", '{"results": [', "[", ""])
def test_changes_are_unknown_where_the_answer_to_them_is_no_answer(session, adapter, text):
    adapter.register_uri("POST", "/people", text=text)
    resource = writes()
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", named("a"))
    assert outcome.kind is Kind.UNKNOWN
    assert outcome.problem is not None


@pytest.mark.parametrize("error", [(401, Unauthorized), (503, Unavailable)])
def test_what_concerns_all_records_ends_the_write_and_what_was_answered_stays_answered(session, adapter, error):
    status, kind = error
    adapter.register_uri("POST", "/people/batch", [{"json": {"results": [{"id": 1}] * 3}}, {"status_code": status}])
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), **BATCH))
    outcomes = []
    with pytest.raises(kind):
        outcomes.extend(a_client(an_api(resource), session=session).write(resource, "create", named("abcdefg")))
    assert told(outcomes) == [(n, "created") for n in "abc"]


def test_a_write_that_is_forbidden_is_rejected_with_the_words_of_the_api(session, adapter):
    adapter.register_uri("POST", "/people", status_code=403, json={"message": "no -> way"})
    resource = writes()
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", named("a"))
    assert outcome.problem.as_dict() == {"status": 403, "code": "", "message": "no -> way"}


@pytest.mark.parametrize("operation", ["delete", "archive", "erase"])
@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_any_more_counts_as_deleted(session, adapter, operation, status):
    adapter.register_uri("DELETE", "/people/7", status_code=status)
    adapter.register_uri("GET", "/people", json={"results": []})  # which shows that the address is right
    resource = writes(**{operation: Write("/people/{id}", "DELETE", outcomes=Nothing())})
    [outcome] = a_client(an_api(resource), session=session).write(resource, operation, changes({"id": 7}))
    assert (outcome.kind, outcome.id) == (Kind.DELETED, "7")


def test_in_a_batch_of_deletes_each_that_is_gone_counts_as_deleted(session, adapter):
    batch_server(adapter, "b", status=404)
    resource = writes(delete=Write("/people/batch", outcomes=PerItem("results"), safe=True, **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "delete", named("abc")))
    assert told(outcomes) == [(n, "deleted") for n in "abc"]


def test_an_update_of_what_is_not_there_is_rejected(session, adapter):
    adapter.register_uri("PATCH", "/people/7", status_code=404, json={"detail": "No such person"})
    resource = writes(update=Write("/people/{id}", "PATCH", body="{record}"))
    [outcome] = a_client(an_api(resource), session=session).write(resource, "update", changes({"id": 7}))
    assert (outcome.kind, outcome.problem.message) == (Kind.REJECTED, "No such person")


@pytest.mark.parametrize(
    ("operation", "kind"),
    [("create", "created"), ("update", "updated"), ("upsert", "updated"), ("archive", "deleted"), ("delete", "deleted"),
     ("erase", "deleted"), ("greet", "done")],
)  # fmt: skip
def test_each_operation_has_its_outcome(session, adapter, operation, kind):
    adapter.register_uri(requests_mock.ANY, "/people", status_code=204)
    slot = {"actions": {"greet": Write("/people", outcomes=Nothing())}} if operation == "greet" else {
        operation: Write("/people", outcomes=Nothing())}  # fmt: skip
    resource = writes(**slot)
    [outcome] = a_client(an_api(resource), session=session).write(resource, operation, changes({"id": 1}))
    assert outcome.kind.value == kind


def test_a_write_is_filled_from_the_record_the_match_and_the_settings(session, adapter):
    adapter.register_uri("PUT", "/x/acme/7", json={"id": 7})
    update = Write("/x/{org}/{id}", "PUT", params={"by": "{match.field}"}, headers={"Idempotency-Key": "{token}"},
                   body={"email": "{match.value}", "all": "{record}", "n": "{record.n}", "none": "{record.x}"})  # fmt: skip
    resource = people(update=update)
    client = a_client(an_api(resource, settings=(Setting("org"),), auth=()), session=session, org="acme")
    change = Change({"n": 5, "null": None}, id="7", by="email", value="a@b.c")
    [outcome] = client.write(resource, "update", [change])
    sent = adapter.last_request
    assert sent.json() == {"email": "a@b.c", "all": {"n": 5, "null": None}, "n": 5}
    assert (sent.qs, sent.headers["Idempotency-Key"]) == ({"by": ["email"]}, change.token)
    assert outcome.record == {"id": 7}


def test_a_change_is_sent_again_with_the_same_token(session, adapter):
    adapter.register_uri("POST", "/people", [{"status_code": 503}, {"status_code": 429}, {"json": {"id": 1}}])
    resource = writes(create=Write("/people", headers={"Idempotency-Key": "{token}"}))
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", named("a"))
    assert len({r.headers["Idempotency-Key"] for r in adapter.request_history}) == 1
    assert outcome.attempts == 3


def test_an_action_without_a_body_sends_none(session, adapter):
    adapter.register_uri("POST", "/people/7/greet", json={"id": 1})
    resource = people(actions={"greet": Write("/people/{id}/greet")})
    list(a_client(an_api(resource), session=session).write(resource, "greet", changes({"id": 7})))
    assert adapter.last_request.body is None


def test_a_record_that_no_json_can_hold_is_rejected_and_its_neighbours_land(session, adapter):
    batch_server(adapter)
    resource = writes(create=Write("/people/batch", outcomes=PerItem("results"), atomic=True, **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named(["a", "\ud800", "c"])))
    assert [o.kind.value for o in outcomes] == ["created", "rejected", "created"]


def test_a_record_without_what_the_path_needs_is_rejected_and_its_neighbours_land(session, adapter):
    adapter.register_uri("PATCH", requests_mock.ANY, json={"id": 1})
    resource = writes(update=Write("/cities/{record.city}/people/{id}", "PATCH"))
    records = [{"id": 1, "city": "x"}, {"id": 2}, {"id": 3, "city": ".."}, {"city": "x"}, {"id": 5, "city": "y"}]
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "update", changes(*records)))
    assert [o.kind.value for o in outcomes] == ["updated", "rejected", "rejected", "rejected", "updated"]
    assert "{record.city}" in outcomes[1].problem.message
    assert adapter.call_count == 2


def test_a_change_that_the_answer_leaves_out_is_unknown_whatever_decodes_it(session, adapter):
    adapter.register_uri("POST", "/people/batch", json={})
    decode = lambda said, batch, kind: [Outcome(batch[1], kind)]  # noqa: E731
    resource = writes(create=Write("/people/batch", outcomes=decode, **BATCH))
    outcomes = list(a_client(an_api(resource), session=session).write(resource, "create", named("abc")))
    assert sorted(told(outcomes)) == [("a", "unknown"), ("b", "created"), ("c", "unknown")]


def test_a_change_is_not_altered_by_being_sent(session, adapter):
    adapter.register_uri("POST", "/people", json={"id": 1})
    resource = writes(create=Write("/people", body="{record}", into="list", each="{record}"))
    [change] = named("a")
    list(a_client(an_api(resource), session=session).write(resource, "create", [change]))
    assert change.record == {"name": "a"}


def test_a_function_may_stand_where_a_write_does():
    def write(client, resource, batch):
        for change in batch:
            yield Outcome(change, Kind.CREATED, "1")

    resource = writes(create=write)
    assert told(a_client(an_api(resource)).write(resource, "create", named("ab"))) == [
        ("a", "created"),
        ("b", "created"),
    ]


def test_no_changes_no_requests(session, adapter):
    resource = writes()
    assert list(a_client(an_api(resource), session=session).write(resource, "create", [])) == []
    assert adapter.call_count == 0


def test_the_decoder_of_one_reply_finds_the_id_where_it_is_told(session, adapter):
    adapter.register_uri("POST", "/people", json={"data": {"pk": 5}})
    resource = writes(create=Write("/people", outcomes=One("pk", "data")))
    [outcome] = a_client(an_api(resource), session=session).write(resource, "create", named("a"))
    assert (outcome.id, outcome.record, outcome.kind) == ("5", {"pk": 5}, Kind.CREATED)


# Any call


@pytest.mark.parametrize(
    ("method", "lost"), [("get", False), ("PUT", False), ("DELETE", False), ("POST", True), ("PATCH", True)]
)
def test_any_call_is_repeated_only_where_its_method_is_safe(session, adapter, method, lost):
    adapter.register_uri(method.upper(), "/x", [{"status_code": 500}, {"json": {"ok": 1}}])
    client = a_client(session=session)
    if lost:
        with pytest.raises(Lost, match=f"^tiny: {method} /x -> 500"):
            client.call(method, "/x")
    else:
        assert client.call(method, "/x") == {"ok": 1}
    adapter.register_uri(method.upper(), "/x", [{"status_code": 500}, {"text": ""}])
    assert client.call(method, "/x", safe=True) is None


def test_a_check_that_is_not_described_is_told():
    with pytest.raises(Unknown, match="names no request to check"):
        a_client(an_api(people(read=None))).check()


def test_a_check_may_be_a_page_of_a_list(session, adapter):
    adapter.register_uri("GET", "/people", json={"results": []})
    a_client(an_api(check=Read("/people", paging=Cursor("next", "after", ("limit", 1)))), session=session).check()
    assert adapter.last_request.qs == {"limit": ["1"]}


def test_a_check_may_be_a_function(session):
    def check(client, resource, query):
        raise BadReply("tiny: checking -> odd")
        yield

    with pytest.raises(BadReply, match="odd"):
        a_client(an_api(check=check), session=session).check()


def test_reading_and_writing_show_no_secret_in_the_log(session, adapter, caplog):
    caplog.set_level(logging.DEBUG)
    adapter.register_uri(
        "GET", "/people", [{"status_code": 500, "json": {"message": "t0k3n-of-mine"}}, {"json": {"results": []}}]
    )
    client = a_client(session=session)
    list(client.read(client.resource("people")))
    assert "***" in caplog.text
    assert "t0k3n-of-mine" not in caplog.text
