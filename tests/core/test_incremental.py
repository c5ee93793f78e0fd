"""Asking for what is new, in every form that APIs have for it."""

import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import moment, schema
from antiphon.api import Query, Read
from antiphon.errors import DescriptionError, Refused
from antiphon.singer.state import Bookmark
from antiphon.singer.walk import Bounds, Walk

from .tiny import URL, a_client, an_api, mounted, people

SINCE = "2026-01-31T09:05:00Z"


@pytest.mark.parametrize(
    ("params", "more", "asked"),
    [
        ({"since": "{since}"}, {}, {"since": [SINCE.lower()]}),
        ({"updated": "gte:{since}"}, {"time": "s"}, {"updated": ["gte:1769850300"]}),
        ({"updated[gte]": "{since}"}, {"time": "ms"}, {"updated[gte]": ["1769850300000"]}),
        ({"$filter": "modified ge {since} and modified le {until}"}, {"latest": "2027-01-01T00:00:00Z"},
         {"$filter": [f"modified ge {SINCE.lower()} and modified le 2027-01-01t00:00:00z"]}),
        ({"after": "{since}"}, {"time": "%Y-%m-%d %H:%M:%S", "zone": "Europe/Berlin"}, {"after": ["2026-01-31 10:05:00"]}),
        ({"after": "{since}"}, {"time": "s", "strict": True}, {"after": ["1769850299"]}),
    ],
)  # fmt: skip
def test_the_time_is_asked_from_as_the_api_wants_it_and_left_out_where_there_is_none(
    session, adapter, params, more, asked
):
    adapter.register_uri("GET", "/people", json={"results": []})
    client = a_client(an_api(people(read=Read("/people", params=params, records="results", **more))), session=session)
    list(client.read(client.resource("people"), Query(since=SINCE)))
    assert adapter.last_request.qs == asked
    list(client.read(client.resource("people")))
    assert "{" not in adapter.last_request.url
    assert not any(
        "gte:" in value or "after" in name for name, values in adapter.last_request.qs.items() for value in values
    )


def test_a_zone_that_nobody_knows_is_refused():
    with pytest.raises(
        DescriptionError, match=r'people.read: there is no time zone "Berlin". For example: Europe/Berlin'
    ):
        an_api(people(read=Read("/people", zone="Berlin")))


CONDITIONAL = Read(
    "/people", headers={"If-Modified-Since": "{since}"}, records="results", time="http", bookmark="Last-Modified"
)


def test_what_was_not_modified_is_nothing_new_and_keeps_its_time(session, adapter):
    resource = people(updated="updated", read=CONDITIONAL)
    client = a_client(an_api(resource), session=session)
    changed = {"Last-Modified": "Sat, 31 Jan 2026 10:00:00 GMT"}
    adapter.register_uri("GET", "/people", json={"results": [{"id": 1}]}, headers=changed)
    [page] = client.read(resource, Query(since=SINCE))
    assert adapter.last_request.headers["If-Modified-Since"] == "Sat, 31 Jan 2026 09:05:00 GMT"
    assert page.bookmark == changed["Last-Modified"]
    adapter.register_uri("GET", "/people", status_code=304)
    [page] = client.read(resource, Query(since=page.bookmark))
    assert adapter.last_request.headers["If-Modified-Since"] == changed["Last-Modified"]
    assert (page.records, page.bookmark) == ([], changed["Last-Modified"])


def test_a_304_that_nobody_asked_for_is_an_error(session, adapter):
    adapter.register_uri("GET", "/people", status_code=304)
    client = a_client(session=session)
    with pytest.raises(Refused, match="304"):
        list(client.read(client.resource("people")))


# Runs, one after the other


def walked(client, resource, bookmark):
    kept = []
    fields = tuple(client.schema(resource)["properties"])
    walk = Walk(client, resource, bookmark, Bounds(), fields=fields, keep=kept.append)
    return [record["id"] for rows in walk.pages() for record in rows or ()], kept[-1]


def seconds(minute):
    return 1_769_850_000 + 60 * minute


FORMS = {
    "inclusive": (Read("/people", params={"from": "{since}"}, time="s"), "integer", lambda at, since: at >= since),
    "strict": (
        Read("/people", params={"from": "{since}"}, time="s", strict=True),
        "integer",
        lambda at, since: at > since,
    ),
    "no filter": (Read("/people"), "integer", lambda at, since: True),
    "no filter, fractions": (Read("/people"), "number", lambda at, since: True),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sets(st.integers(1, 8)), st.integers(0, 2)), min_size=1, max_size=5))
def test_run_after_run_no_change_is_missed(form, rounds):
    """What is made in the very second in which a run asks, and after it asked, is what a filter loses."""
    read, word, takes = FORMS[form]
    changed, now = {}, 0

    def answer(request, context):
        context.headers["Date"] = moment.written(moment.rfc3339(seconds(now)), "http")
        since = int(request.qs.get("from", ["0"])[0])
        return [{"id": id, "updated": at} for id, at in sorted(changed.items()) if takes(at, since)]

    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", f"{URL}/people", json=answer)
    resource = people(read=read, updated="updated", schema=schema.record({"id": "integer!", "updated": word}))
    client = a_client(an_api(resource), session=mounted(adapter))
    bookmark, late = Bookmark("updated", None), set()
    for now, (ids, after) in enumerate(rounds):
        changed |= dict.fromkeys(ids, seconds(now))
        found, bookmark = walked(client, resource, bookmark)
        assert ids | late <= set(found)
        assert len(found) == len(set(found))
        late = set(range(len(changed) + 100, len(changed) + 100 + after))
        changed |= dict.fromkeys(late, seconds(now))
    found, bookmark = walked(client, resource, bookmark)
    assert late <= set(found)
    assert form == "strict" or set(found) == late
