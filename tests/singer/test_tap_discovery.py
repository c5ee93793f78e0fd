import json

import pytest

from antiphon import http
from antiphon.errors import InputError, Unavailable
from antiphon.singer.tap import Tap

from . import shelf as tiny
from .shelf import Shelf, TapPeople, TapShelf, at, discovered, people, select, served, sync


@pytest.fixture
def shelf():
    found = Shelf()
    found.kinds = ["horses", "dogs"]
    found.put("people", *people(4))
    found.put("horses", {"id": 1, "name": "Hans", "born": None, "updated": at(1)})
    return found


def entry(catalog, stream):
    return next(e for e in catalog["streams"] if e["tap_stream_id"] == stream)


def root(catalog, stream):
    return next(m["metadata"] for m in entry(catalog, stream)["metadata"] if not m["breadcrumb"])


def lenient(shelf, **config):
    """Return what ``--discover`` shows."""
    with served(shelf):
        return TapShelf(config=config, validate_config=False, setup_mapper=False).catalog_dict


def test_discovery_names_all_streams_and_fetches_the_fields_of_the_common_ones(shelf):
    catalog = discovered(shelf)
    assert [e["tap_stream_id"] for e in catalog["streams"]] == ["dogs", "horses", "notes", "people", "tags"]
    assert shelf.calls() == {"/kinds": 1, "/fields": 1}
    assert entry(catalog, "people")["schema"]["properties"].keys() == {"id", "name", "born", "updated"}
    assert entry(catalog, "horses")["schema"]["properties"].keys() == {"id", "updated"}


def test_common_streams_are_selected_and_others_are_not(shelf):
    catalog = discovered(shelf)
    assert root(catalog, "people")["selected"] is True
    assert root(catalog, "horses")["selected"] is False
    assert entry(catalog, "people")["replication_method"] == "INCREMENTAL"
    assert entry(catalog, "people")["replication_key"] == "updated"
    assert entry(catalog, "tags")["replication_method"] == "FULL_TABLE"


def test_a_run_without_a_catalog_reads_the_common_streams(shelf):
    out = sync(shelf)
    assert {m["stream"] for m in out if m["type"] == "SCHEMA"} == {"notes", "people", "tags"}
    assert shelf.calls() == {"/kinds": 1, "/fields": 1, "/notes": 1, "/people": 2, "/tags": 1}


def test_a_catalog_of_known_streams_needs_no_discovery(shelf):
    catalog = select(discovered(shelf), "people", "notes")
    shelf.asked.clear()
    out = sync(shelf, catalog=catalog)
    assert out.ids("people") == [1, 2, 3, 4]
    assert shelf.calls() == {"/notes": 1, "/people": 2}


def test_a_catalog_that_has_all_fields_has_no_schema_made(shelf, monkeypatch):
    catalog = select(discovered(shelf), "people", "notes", "tags")
    made = []
    monkeypatch.setattr("antiphon.singer.tap.for_catalog", made.append)
    monkeypatch.setattr("antiphon.schema.record", made.append)
    assert sync(shelf, catalog=catalog).ids("people") == [1, 2, 3, 4]
    assert not made


def test_a_selected_stream_that_has_no_fields_yet_is_completed(shelf):
    catalog = select(discovered(shelf), "horses")
    shelf.asked.clear()
    out = sync(shelf, catalog=catalog)
    assert out.records("horses") == [{"id": 1, "name": "Hans", "born": None, "updated": at(1)}]
    assert out.schemas("horses")[0]["properties"].keys() == {"id", "name", "born", "updated"}
    assert shelf.calls() == {"/kinds": 1, "/fields": 1, "/horses": 1}


def test_a_catalog_with_names_alone_is_completed(shelf):
    catalog = {"streams": [{"tap_stream_id": "people", "schema": {}, "metadata": []}]}
    out = sync(shelf, catalog=catalog)
    assert out.ids("people") == [1, 2, 3, 4]
    assert out.bookmark("people")["replication_key"] == "updated"
    assert [m["key_properties"] for m in out if m["type"] == "SCHEMA"] == [["id"]]


def test_a_field_that_was_deselected_stays_so_when_fields_are_completed(shelf):
    catalog = select(discovered(shelf), "horses")
    entry(catalog, "horses")["metadata"].append(
        {"breadcrumb": ["properties", "born"], "metadata": {"inclusion": "available", "selected": False}}
    )
    assert "born" not in sync(shelf, catalog=catalog).records("horses")[0]


def test_a_catalog_with_an_unknown_stream_is_refused(shelf):
    catalog = {"streams": [{"tap_stream_id": "poeple", "schema": {}, "metadata": []}]}
    with served(shelf), pytest.raises(InputError) as error:
        tiny.made(catalog=catalog)
    assert str(error.value) == (
        'tap-shelf: the catalog names a stream "poeple", which does not exist. '
        'Did you mean "people"? There are: dogs, horses, notes, people, tags.'
    )


def test_an_unknown_stream_that_is_not_selected_does_no_harm(shelf):
    catalog = discovered(shelf)
    shelf.kinds = ["dogs"]
    assert sync(shelf, catalog=catalog).ids("people") == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("catalog", "said"),
    [
        ({"stream": []}, 'the catalog has no list of "streams"'),
        ({"streams": [{"stream": "people"}]}, 'stream 1 of the catalog has no "tap_stream_id"'),
        (
            {"streams": [{"tap_stream_id": "people", "metadata": [{}]}]},
            "the catalog cannot be read: KeyError 'breadcrumb'",
        ),
    ],
)
def test_what_is_no_catalog_is_refused_in_one_line(shelf, catalog, said):
    with served(shelf), pytest.raises(InputError) as error:
        tiny.made(catalog=catalog)
    assert str(error.value) == f"tap-shelf: {said}. Let `tap-shelf --discover` write one."


def test_a_replication_key_that_the_api_cannot_read_by_is_refused(shelf):
    catalog = discovered(shelf)
    entry(catalog, "people")["replication_key"] = "born"
    with served(shelf), pytest.raises(InputError, match='asks to read "people" by "born"'):
        tiny.made(catalog=catalog)


def test_without_credentials_the_streams_that_all_accounts_have_are_shown(shelf, caplog):
    catalog = lenient(shelf)
    assert [e["tap_stream_id"] for e in catalog["streams"]] == ["notes", "people", "tags"]
    assert entry(catalog, "people")["schema"]["properties"].keys() == {"id", "updated"}
    assert entry(catalog, "notes")["schema"]["properties"].keys() == {"id", "name", "born", "updated"}
    assert not shelf.asked
    assert [r.message for r in caplog.records if r.levelname == "WARNING"] == [
        "only what is the same for every account is listed: access_token not given"
    ]


def test_with_a_wrong_token_too_and_it_is_tried_once(shelf, caplog):
    catalog = lenient(shelf, access_token="wr0ng")
    assert [e["tap_stream_id"] for e in catalog["streams"]] == ["notes", "people", "tags"]
    assert shelf.calls() == {"/kinds": 1}
    assert "401 token expired" in caplog.text
    assert "wr0ng" not in caplog.text


def test_discovery_lists_what_it_may_see(shelf, caplog):
    shelf.refuse = {"/kinds": 403, "/fields": 403}
    catalog = lenient(shelf, access_token=tiny.TOKEN)
    assert [e["tap_stream_id"] for e in catalog["streams"]] == ["notes", "people", "tags"]
    assert "the fields of people are not known: shelf: GET /fields -> 403 not for you" in caplog.text


def test_discovery_fails_where_the_api_does_not_answer(shelf, monkeypatch):
    monkeypatch.setattr(http, "TRIES", 1)
    shelf.refuse = {"/kinds": 503}
    with pytest.raises(Unavailable):
        lenient(shelf, access_token=tiny.TOKEN)


def test_name_and_settings_are_drawn_from_the_api():
    assert TapPeople.name == "tap-shelf"
    properties = TapPeople.config_jsonschema["properties"]
    assert properties["access_token"] == {
        "type": "string",
        "title": "Token",
        "description": "Of your account.",
        "secret": True,
        "writeOnly": True,
    }
    assert TapPeople.config_jsonschema["required"] == ["access_token"]
    assert list(properties)[:2] == ["access_token", "start_date"]
    assert {"connection", "base_url", "deletes", "lookback", "end_date", "new_fields"} <= properties.keys()


def test_about_says_what_the_tap_is(capsys):
    TapPeople.print_about("markdown")
    said = capsys.readouterr().out
    assert "# `tap-shelf`" in said
    assert "Reads the people on the shelf, and nothing else." in said
    assert "| access_token | True | None | Of your account. |" in said
    assert "batch" not in said, "messages are written, not files"


def test_stream_maps_and_flattening_work_on_the_streams(shelf):
    maps = {"people": {"label": "name.upper()", "born": None, "__filter__": "id > 2"}}
    out = sync(shelf, TapPeople, stream_maps=maps)
    assert out.records("people")[0] == {"id": 3, "name": "person 3", "updated": at(3), "label": "PERSON 3"}


def test_the_test_option_reads_a_record_of_every_stream(shelf, capsys):
    with served(shelf):
        tap = tiny.made()
        tap.run_connection_test()
    assert not tap.failures
    out = tiny.Output(json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [m["stream"] for m in out if m["type"] == "RECORD"] == ["horses", "people"]
    assert out.records("horses") == [{"id": 1, "updated": at(1)}]
    assert out.schemas("horses")[0]["properties"].keys() == {"id", "updated"}


def test_a_tap_is_a_few_lines():
    class TapOther(Tap):
        """Reads something else."""

        api = tiny.api(discover=None)

    assert TapOther.description().name == "shelf"
