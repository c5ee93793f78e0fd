import io
import json
import re
import threading
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from antiphon import schema
from antiphon.errors import AntiphonError, InputError, Unauthorized
from antiphon.singer import stream as stream_module
from antiphon.singer.tap import Tap

from . import shelf as tiny
from .shelf import NOON, PAGE, Killed, Shelf, TapPeople, at, discovered, people, select, served, sync, written


@pytest.fixture(autouse=True, scope="module", params=[True, False], ids=["by page", "by record"])
def _way(request):
    Tap.by_page = request.param
    yield
    Tap.by_page = True


@pytest.fixture
def shelf():
    found = Shelf()
    found.put("people", *people(8))
    return found


@pytest.fixture
def every_page(monkeypatch):
    """A STATE after every page."""
    monkeypatch.setattr(stream_module, "STATE_RECORDS", 1)


# The first read


def test_a_first_read_brings_every_record_once_under_its_schema(shelf):
    out = sync(shelf, TapPeople)
    assert out.ids("people") == list(range(1, 9))
    [written_schema] = out.schemas("people")
    for record in out.records("people"):
        jsonschema.validate(record, written_schema)
    assert out[-1]["type"] == "STATE"
    assert [m["key_properties"] for m in out if m["type"] == "SCHEMA"] == [["id"]]


def test_a_first_read_lists_and_does_not_search(shelf):
    sync(shelf, TapPeople)
    assert shelf.calls() == {"/fields": 1, "/people": 3}


def test_the_bookmark_is_the_time_that_the_server_gave_for_the_first_page(shelf):
    def later(path, params):
        shelf.now += timedelta(minutes=5)

    shelf.before = later
    out = sync(shelf, TapPeople)
    assert out.bookmark("people") == {
        "version": 1,
        "replication_key": "updated",
        "replication_key_value": at(70),  # after the call for the fields and the first page
    }


def test_numbers_with_fractions_are_written_as_they_came():
    shelf = Shelf()
    shelf.fields = {"id": "integer!", "price": "number", "updated": "date-time"}
    shelf.put("people", {"id": 1, "price": 0.1, "updated": at(1)})
    with served(shelf):
        tap = tiny.made(TapPeople)
        stream = tap.streams["people"]
        lines = []
        tap.message_writer.write_lines = lines.append
        stream.sync()
    assert any(b'"price":0.1,' in line for line in lines)


def test_a_stream_without_times_is_read_as_a_whole_each_time():
    shelf = Shelf()
    shelf.put("tags", *({"id": n, "name": f"tag {n}"} for n in range(1, 6)))
    first = sync(shelf)
    assert first.ids("tags") == [1, 2, 3, 4, 5]
    assert first.bookmark("tags") == {"version": 1}
    assert sync(shelf, state=first.state).ids("tags") == [1, 2, 3, 4, 5]


def test_the_records_of_a_page_leave_before_the_next_is_asked_for(shelf):
    seen = []
    out = io.TextIOWrapper(io.BytesIO())
    shelf.before = lambda path, params: seen.append(out.buffer.getvalue().count(b'"RECORD"'))
    with served(shelf), redirect_stdout(out):
        tiny.made(TapPeople).sync_all()
    assert seen == [0, 0, 3, 6]


def test_incremental_in_the_catalog_of_a_stream_without_times_is_full_table():
    shelf = Shelf()
    shelf.put("tags", {"id": 1, "name": "tag"})
    catalog = select(discovered(shelf), "tags", **{"forced-replication-method": "INCREMENTAL"})
    out = sync(shelf, catalog=catalog, start_date=at(1))
    assert out.ids("tags") == [1]
    assert out.bookmark("tags") == {"version": 1}


# The reads after it


def test_a_second_read_asks_for_what_changed_since_the_bookmark(shelf):
    state = sync(shelf, TapPeople).state
    shelf.asked.clear()
    shelf.put("people", {"id": 3, "name": "renamed", "updated": at(61)}, {"id": 9, "name": "new", "updated": at(62)})
    out = sync(shelf, TapPeople, state=state)
    assert out.ids("people") == [3, 9]
    assert shelf.calls() == {"/fields": 1, "/people/changes": 1}
    assert shelf.asked[-1][1]["since"].upper() == at(60)


def test_a_record_that_changed_at_the_very_time_of_the_bookmark_is_sent_once(shelf):
    shelf.put("people", {"id": 9, "name": "tie", "updated": at(60)})
    first = sync(shelf, TapPeople)
    shelf.now += timedelta(minutes=1)
    second = sync(shelf, TapPeople, state=first.state)
    assert 9 in first.ids("people")
    assert second.ids("people") == []


def test_a_record_that_changes_twice_within_one_tick_is_sent_again(shelf):
    shelf.put("people", {"id": 9, "name": "before", "updated": at(60)})
    first = sync(shelf, TapPeople)
    shelf.put("people", {"id": 9, "name": "after", "updated": at(60)})
    assert [r["name"] for r in sync(shelf, TapPeople, state=first.state).records("people")] == ["after"]


def test_the_lookback_starts_a_read_earlier_and_sends_only_what_was_not_sent(shelf):
    first = sync(shelf, TapPeople, lookback=3600)
    assert len(first.bookmark("people")["seen"]) == 8
    shelf.put("people", {"id": 9, "name": "late", "updated": at(30)})  # not visible before
    second = sync(shelf, TapPeople, state=first.state, lookback=3600)
    assert shelf.asked[-1][1]["since"].upper() == at(0)
    assert second.ids("people") == [9]
    assert sync(shelf, TapPeople, state=second.state, lookback=3600).ids("people") == []


def test_a_lookback_of_zero_keeps_marks_of_the_boundary_only(shelf):
    assert "seen" not in sync(shelf, TapPeople, lookback=0).bookmark("people")


def test_more_than_a_thousand_marks_are_none_and_all_are_sent_again():
    shelf = Shelf()
    shelf.put("people", *people(1001, minutes=lambda n: 59))
    first = sync(shelf, TapPeople, lookback=3600)
    assert "seen" not in first.bookmark("people")
    assert len(sync(shelf, TapPeople, state=first.state, lookback=3600).ids("people")) == 1001


def test_a_bookmark_never_goes_back(shelf):
    state = {"bookmarks": {"people": {"version": 1, "replication_key": "updated", "replication_key_value": at(90)}}}
    assert sync(shelf, TapPeople, state=state).bookmark("people")["replication_key_value"] == at(90)


def test_a_bookmark_of_another_replication_key_is_not_used(shelf):
    state = {"bookmarks": {"people": {"replication_key": "created", "replication_key_value": at(90)}}}
    assert len(sync(shelf, TapPeople, state=state).ids("people")) == 8


def test_full_table_in_the_catalog_reads_all_and_leaves_the_bookmark(shelf):
    state = sync(shelf, TapPeople).state
    catalog = select(discovered(shelf, TapPeople), "people", **{"forced-replication-method": "FULL_TABLE"})
    out = sync(shelf, TapPeople, catalog=catalog, state=state, start_date=at(5))
    assert len(out.ids("people")) == 8
    assert out.state == state


# Bounds


def test_start_date_leaves_out_what_is_older(shelf):
    out = sync(shelf, TapPeople, start_date=at(6))
    assert out.ids("people") == [6, 7, 8]
    assert shelf.calls()["/people/changes"] == 1


def test_a_start_date_past_the_bookmark_wins(shelf):
    state = {"bookmarks": {"people": {"replication_key": "updated", "replication_key_value": at(2)}}}
    assert sync(shelf, TapPeople, state=state, start_date=at(7)).ids("people") == [7, 8]
    assert sync(shelf, TapPeople, state=state, start_date=at(1)).ids("people") == [2, 3, 4, 5, 6, 7, 8]


def test_where_the_list_cannot_be_filtered_older_records_are_dropped_here():
    shelf = Shelf()
    shelf.put("notes", *people(8), {"id": 9, "name": "timeless", "updated": None})
    assert sync(shelf, start_date=at(6)).ids("notes") == [6, 7, 8, 9]
    first = sync(shelf)
    shelf.put("notes", {"id": 2, "name": "changed", "updated": at(61)})
    assert sync(shelf, state=first.state).ids("notes") == [2, 9]


def test_a_date_without_a_time_is_a_whole_day():
    notes = replace(tiny.NOTES, schema=schema.record({"id": "integer!", "updated": "date"}))

    class TapDays(Tap):
        api = tiny.api(notes, discover=None)

    shelf = Shelf()
    shelf.put("notes", *({"id": n, "updated": f"2026-03-0{n}"} for n in (1, 2, 3, 4)))
    bounds = {"start_date": "2026-03-02T09:00:00Z", "end_date": "2026-03-03T01:00:00Z"}
    assert sync(shelf, TapDays, **bounds).ids("notes") == [2, 3]


def test_end_date_ends_a_backfill_and_the_bookmark_does_not_pass_it(shelf):
    out = sync(shelf, TapPeople, start_date=at(2), end_date=at(5))
    assert out.ids("people") == [2, 3, 4, 5]
    assert out.bookmark("people")["replication_key_value"] == at(5)
    assert sync(shelf, TapPeople, state=out.state).ids("people") == [6, 7, 8]


# Interruptions


@pytest.mark.usefixtures("every_page")
@given(st.integers(min_value=0, max_value=9), st.integers(min_value=0, max_value=25))
def test_a_read_that_is_killed_at_any_page_goes_on_there(page, count):
    shelf = Shelf()
    shelf.put("people", *people(count))
    asked = 0

    def kill(path, params):
        nonlocal asked
        if path == "/people":
            if asked == page:
                raise Killed
            asked += 1

    shelf.before = kill
    first = sync(shelf, TapPeople)
    shelf.before = lambda path, params: None
    shelf.asked.clear()
    shelf.now += timedelta(minutes=30)
    second = sync(shelf, TapPeople, state=first.state)
    assert first.ids("people") + second.ids("people") == list(range(1, count + 1))
    if first.ids("people") and count > page * PAGE:
        assert shelf.calls()["/people"] == -(-count // PAGE) - page
        assert second.bookmark("people")["replication_key_value"] == at(60), "the first run's, not the second's"
    assert "reading" not in second.bookmark("people")


@pytest.mark.usefixtures("every_page")
def test_what_changed_during_an_interrupted_read_comes_with_the_next(shelf):
    def kill(path, params):
        if params.get("after") == "6":
            raise Killed

    shelf.before = kill
    first = sync(shelf, TapPeople)
    shelf.before = lambda path, params: None
    shelf.put("people", {"id": 1, "name": "changed", "updated": at(65)})
    shelf.now += timedelta(minutes=30)
    second = sync(shelf, TapPeople, state=first.state)
    assert 1 not in second.ids("people")
    assert [r["name"] for r in sync(shelf, TapPeople, state=second.state).records("people")] == ["changed"]


@pytest.mark.usefixtures("every_page")
def test_a_page_whose_place_the_api_has_forgotten_starts_the_list_anew(shelf, caplog):
    shelf.refuse = {}

    def kill(path, params):
        if params.get("after") == "6":
            raise Killed

    shelf.before = kill
    first = sync(shelf, TapPeople)

    def forget(path, params):
        shelf.refuse = {"/people": 400} if params.get("after") == "6" and len(shelf.asked) == 2 else {}

    shelf.asked.clear()
    shelf.before = forget
    second = sync(shelf, TapPeople, state=first.state)
    assert second.ids("people") == list(range(1, 9))
    assert "reading anew" in caplog.text


@pytest.mark.usefixtures("every_page")
def test_other_bounds_start_an_interrupted_read_anew(shelf):
    def kill(path, params):
        if params.get("after") == "6":
            raise Killed

    shelf.before = kill
    first = sync(shelf, TapPeople)
    assert first.bookmark("people")["reading"]["cursor"] == {"after": 6}
    shelf.before = lambda path, params: None
    assert sync(shelf, TapPeople, state=first.state, start_date=at(2)).ids("people") == [2, 3, 4, 5, 6, 7, 8]


def test_a_state_follows_a_page_once_a_thousand_records_were_sent():
    shelf = Shelf()
    shelf.put("people", *people(2500))
    out = sync(shelf, TapPeople)
    places = [n for n, m in enumerate(out) if m["type"] == "STATE"]
    assert len(places) == 3
    assert places[0] == 1 + 1002, "the SCHEMA, and the first whole page past a thousand"
    before = [m["record"]["id"] for m in out[: places[0]] if m["type"] == "RECORD"]
    assert out[places[0]]["value"]["bookmarks"]["people"]["reading"]["cursor"] == {"after": before[-1]}


# Deletes


def test_deletes_since_the_bookmark_come_with_their_time(shelf):
    first = sync(shelf, TapPeople, deletes=True)
    shelf.put(
        "gone",
        {"id": 1, "name": "old", "updated": at(1), "archivedAt": at(10)},
        {"id": 2, "name": "new", "updated": at(2), "archivedAt": at(61)},
    )
    second = sync(shelf, TapPeople, deletes=True, state=first.state)
    assert [(r["id"], r["_sdc_deleted_at"]) for r in second.records("people")] == [(2, at(61))]
    assert "_sdc_deleted_at" in second.schemas("people")[0]["properties"]


def test_a_first_read_has_no_deletes_and_one_without_the_setting_neither(shelf):
    shelf.put("gone", {"id": 99, "name": "gone", "updated": at(1), "archivedAt": at(10)})
    state = sync(shelf, TapPeople, deletes=True).state
    sync(shelf, TapPeople, state=state)
    assert "/people/gone" not in shelf.calls()


def test_a_delete_at_the_boundary_is_sent_once(shelf):
    first = sync(shelf, TapPeople, deletes=True)
    shelf.put("gone", {"id": 2, "name": "gone", "updated": at(2), "archivedAt": at(61)})
    shelf.now = NOON + timedelta(minutes=61)
    second = sync(shelf, TapPeople, deletes=True, state=first.state)
    assert second.ids("people") == [2]
    assert sync(shelf, TapPeople, deletes=True, state=second.state).ids("people") == []


def test_a_catalog_made_without_deletes_does_for_them(shelf):
    catalog = discovered(shelf, TapPeople)
    state = sync(shelf, TapPeople, catalog=catalog).state
    shelf.put("gone", {"id": 2, "name": "gone", "updated": at(2), "archivedAt": at(61)})
    out = sync(shelf, TapPeople, catalog=catalog, state=state, deletes=True)
    assert out.records("people") == [{"id": 2, "name": "gone", "updated": at(2), "_sdc_deleted_at": at(61)}]


def test_a_kill_before_the_deletes_goes_on_with_them(shelf, every_page):
    state = sync(shelf, TapPeople, deletes=True).state
    shelf.put("people", {"id": 9, "name": "new", "updated": at(61)})
    shelf.put("gone", {"id": 1, "name": "", "updated": at(1), "archivedAt": at(61)})

    def kill(path, params):
        if path == "/people/gone":
            raise Killed

    shelf.before = kill
    first = sync(shelf, TapPeople, deletes=True, state=state)
    shelf.before = lambda path, params: None
    shelf.asked.clear()
    second = sync(shelf, TapPeople, deletes=True, state=first.state)
    assert (first.ids("people"), second.ids("people")) == ([9], [1])
    assert shelf.calls() == {"/fields": 1, "/people/gone": 1}


def test_a_kill_among_the_deletes_goes_on_among_them(shelf, monkeypatch):
    monkeypatch.setattr(stream_module, "STATE_RECORDS", 1)
    state = sync(shelf, TapPeople, deletes=True).state
    gone = [{"id": n, "name": "", "updated": at(1), "archivedAt": at(61)} for n in range(1, 6)]
    shelf.put("gone", *gone)

    def kill(path, params):
        if path == "/people/gone" and params.get("after") == "3":
            raise Killed

    shelf.before = kill
    first = sync(shelf, TapPeople, deletes=True, state=state)
    shelf.before = lambda path, params: None
    shelf.asked.clear()
    second = sync(shelf, TapPeople, deletes=True, state=first.state)
    assert first.ids("people") + second.ids("people") == [1, 2, 3, 4, 5]
    assert shelf.calls() == {"/fields": 1, "/people/gone": 1}


# Fields


def test_only_the_selected_fields_are_asked_for_and_sent(shelf):
    catalog = select(discovered(shelf, TapPeople), "people", fields={"born": False})
    shelf.asked.clear()
    out = sync(shelf, TapPeople, catalog=catalog)
    assert {params["fields"] for _, params in shelf.asked} == {"id,updated,name"}
    assert out.schemas("people")[0]["properties"].keys() == {"id", "name", "updated"}
    assert all(record.keys() == {"id", "name", "updated"} for record in out.records("people"))


def test_new_fields_are_left_out_unless_wanted(shelf):
    catalog = discovered(shelf, TapPeople)
    shelf.put("people", {"id": 1, "name": "", "updated": at(1), "shoe": 43})
    out = sync(shelf, TapPeople, catalog=catalog)
    assert len(out.schemas("people")) == 1
    assert all("shoe" not in record for record in out.records("people"))


def test_new_fields_are_added_with_the_type_that_the_api_declares(shelf):
    catalog = discovered(shelf, TapPeople)
    shelf.fields["shoe"] = "number"
    shelf.put("people", {"id": 1, "name": "", "updated": at(1), "shoe": 43})
    out = sync(shelf, TapPeople, catalog=catalog, new_fields="add")
    assert out.schemas("people")[-1]["properties"]["shoe"] == {"type": ["number", "null"]}
    assert out.records("people")[0]["shoe"] == 43
    assert "shoe" in shelf.asked[-1][1]["fields"]


def test_new_fields_that_nobody_declares_are_added_with_the_type_of_their_values(shelf):
    for id, shoe in ((2, None), (4, 43), (5, 42.5), (6, "XL")):
        shelf.put("people", {"id": id, "name": "", "updated": at(id), "shoe": shoe})
    out = sync(shelf, TapPeople, new_fields="add")
    types = [found["properties"].get("shoe", {}).get("type") for found in out.schemas("people")]
    assert types == [None, ["integer", "null"], ["number", "null"], ["number", "string", "null"]]
    last = None
    for message in out:
        if message["type"] == "SCHEMA":
            last = message["schema"]
        elif message["type"] == "RECORD":
            jsonschema.validate(message["record"], last)
            assert message["record"].keys() <= last["properties"].keys()
    assert [record.get("shoe") for record in out.records("people")][3:6] == [43, 42.5, "XL"]


def test_new_fields_end_the_stream_where_they_are_not_wanted(shelf):
    shelf.put("people", {"id": 4, "name": "", "updated": at(4), "shoe": 43})
    tap = None

    def run():
        nonlocal tap
        tap = tiny.made(TapPeople, new_fields="fail")
        tap.sync_all()

    with served(shelf):
        out = written(run)
    assert out.ids("people") == [1, 2, 3]
    assert str(tap.failures["people"]) == (
        'shelf: reading people -> it has fields that are new: "shoe". '
        "Discover the catalog again, or set new_fields to add or ignore."
    )


# Failures


def test_one_stream_that_fails_does_not_end_the_others(shelf):
    shelf.put("tags", {"id": 1, "name": "tag"})
    shelf.refuse = {"/notes": 403}
    tap = None

    def run():
        nonlocal tap
        tap = tiny.made()
        tap.sync_all()

    with served(shelf):
        out = written(run)
    assert out.ids("people") == list(range(1, 9))
    assert out.ids("tags") == [1]
    assert "notes" not in out.state["bookmarks"] or "replication_key_value" not in out.bookmark("notes")
    with pytest.raises(AntiphonError) as error:
        tap.tell_failures()
    assert str(error.value) == (
        "tap-shelf: 1 of 3 streams failed: notes: shelf: reading notes -> 403 not for you. The others are complete."
    )


def test_a_stream_whose_fields_are_refused_fails_alone(shelf):
    shelf.put("tags", {"id": 1, "name": "tag"})
    shelf.refuse = {"/fields": 403}
    out = sync(shelf)
    assert out.schemas("people") == []
    assert out.ids("tags") == [1]


def test_a_token_that_is_refused_ends_the_run(shelf):
    with served(shelf), pytest.raises(Unauthorized) as error:
        written(lambda: tiny.made(TapPeople, access_token="wr0ng").sync_all())
    assert "Check the setting access_token" in str(error.value)
    assert "wr0ng" not in str(error.value)


def test_a_token_that_is_refused_midway_ends_the_run_with_all_its_streams(shelf):
    catalog = discovered(shelf)
    with served(shelf), pytest.raises(Unauthorized):
        written(lambda: tiny.made(catalog=catalog, access_token="wr0ng").sync_all())
    assert shelf.calls()["/notes"] == 1, "the first of three streams"
    assert not {"/people", "/tags"} & shelf.calls().keys()


# States of others


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"bookmarks": {"persons": {}}}, "tap-shelf: the state is another tap's: it knows persons"),
        ({"people": 1}, "tap-shelf: the state is none of a tap"),
        ({"bookmarks": ["people"]}, "tap-shelf: the state is none of a tap"),
        (
            {"bookmarks": {"people": {"version": 2}}},
            'the state of the stream "people" has the version 2, and this release knows 1. A newer release wrote it',
        ),
        (
            {"bookmarks": {"people": {"replication_key_value": "yesterday"}}},
            "the state of the stream \"people\" has a bookmark that is no time: 'yesterday'. ",
        ),
        (
            {"bookmarks": {"people": {"reading": {"page": 3}}}},
            'the state of the stream "people" is not as a tap writes it',
        ),
    ],
)
def test_a_state_that_this_tap_cannot_have_written_is_refused(shelf, state, said):
    with served(shelf), pytest.raises(InputError) as error:
        tiny.made(state=state)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_state_keeps_the_streams_that_are_not_read_now(shelf):
    state = {"bookmarks": {"people": {}, "horses": {"version": 1, "replication_key_value": at(1)}}}
    out = sync(shelf, TapPeople, state=state)
    assert out.bookmark("horses") == state["bookmarks"]["horses"]


def test_a_state_that_goes_through_json_is_the_same(shelf):
    first = sync(shelf, TapPeople, lookback=3600)
    assert json.loads(json.dumps(first.state)) == first.state


# Calls and their order


def test_what_has_not_changed_takes_one_call_for_each_resource(shelf):
    shelf.put("notes", *people(2))
    shelf.put("tags", {"id": 1, "name": "red"})
    catalog = select(discovered(shelf), "people", "notes", "tags")
    state = sync(shelf, catalog=catalog).state
    shelf.asked.clear()
    out = sync(shelf, catalog=catalog, state=state)
    assert shelf.calls() == {"/people/changes": 1, "/notes": 1, "/tags": 1}
    assert not out.records("people") + out.records("notes")


def test_resources_are_read_side_by_side(shelf):
    shelf.put("notes", *people(5))
    shelf.put("tags", *({"id": n, "name": "red"} for n in range(1, 5)))
    catalog = select(discovered(shelf), "people", "notes", "tags")
    all_at_once = threading.Barrier(3, timeout=60)
    shelf.before = lambda path, params: None if "after" in params else all_at_once.wait()
    with served(shelf):
        tap = tiny.made(catalog=catalog)
    adapter = requests_mock.Adapter()  # unlike a Mocker, it answers in several threads at once
    adapter.register_uri(requests_mock.ANY, re.compile(tiny.URL), json=shelf.answer)
    tap.client.http.session.mount(tiny.URL, adapter)
    out = written(tap.read_all)
    assert (out.ids("people"), out.ids("notes"), out.ids("tags")) == ([*range(1, 9)], [*range(1, 6)], [*range(1, 5)])


@pytest.mark.parametrize("most", [1, 2, 4])
def test_a_read_side_by_side_leaves_states_that_are_true(shelf, every_page, most):
    shelf.put("notes", *people(5))
    catalog = select(discovered(shelf), "people", "notes")
    whole = sync(shelf, catalog=catalog, parallel_streams=most)
    for number, message in enumerate(whole):
        if message["type"] == "STATE":
            rest = sync(shelf, catalog=catalog, state=message["value"])
            for stream, count in (("people", 8), ("notes", 5)):
                before = [m["record"]["id"] for m in whole[:number] if m["type"] == "RECORD" and m["stream"] == stream]
                assert sorted({*before, *rest.ids(stream)}) == list(range(1, count + 1))


@pytest.mark.parametrize(("most", "order"), [(1, ["notes", "people", "tags"]), (2, ["notes", "tags", "people"])])
def test_lists_that_can_have_several_requests_under_way_are_begun_last(shelf, monkeypatch, most, order):
    monkeypatch.setattr(stream_module.ResourceStream, "parted", property(lambda stream: stream.name == "people"))
    shelf.put("notes", *people(5))
    shelf.put("tags", {"id": 1, "name": "red"})
    out = sync(shelf, catalog=select(discovered(shelf), "people", "notes", "tags"), parallel_streams=most)
    streams = [message["stream"] for message in out if message["type"] == "SCHEMA"]
    assert sorted(streams, key=order.index) == streams


def test_no_more_are_read_side_by_side_than_is_set(shelf):
    shelf.put("notes", *people(5))
    catalog = select(discovered(shelf), "people", "notes")
    out = sync(shelf, catalog=catalog, parallel_streams=1)
    streams = [m["stream"] for m in out if m["type"] == "RECORD"]
    assert streams == sorted(streams, key=streams.index)
