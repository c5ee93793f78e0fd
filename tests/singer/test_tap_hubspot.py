"""tap-hubspot on the sandbox."""

import jsonschema
import pytest

from antiphon.sandbox import start
from tap_hubspot import TapHubSpot

from .shelf import select, written


@pytest.fixture
def sandbox():
    with start("hubspot", records=230) as server:
        yield server


def sync(sandbox, *streams, state=None, catalog=None, **config):
    """Read *streams*; return what was written."""
    given = {**sandbox.config, **config}
    catalog = catalog or select(TapHubSpot(config=given).catalog_dict, *streams)
    return written(TapHubSpot(config=given, catalog=catalog, state=state).sync_all)


def test_every_record_of_every_stream_is_valid_by_its_schema(sandbox):
    out = written(TapHubSpot(config=sandbox.config).sync_all)
    validators = {}
    for message in out:
        if message["type"] == "SCHEMA":
            validators[message["stream"]] = jsonschema.Draft7Validator(
                message["schema"] | {"additionalProperties": False}, format_checker=jsonschema.FormatChecker()
            )
        elif message["type"] == "RECORD":
            validators[message["stream"]].validate(message["record"])
    assert set(out.ids("contacts")) == {record["id"] for record in sandbox.app.records("contacts")}


def test_numbers_flags_and_times_leave_as_such(sandbox):
    out = sync(sandbox, "deals")
    [deal, *_] = [record for record in out.records("deals") if record.get("amount") is not None]
    assert isinstance(deal["amount"], int | float)
    assert deal["updatedAt"].endswith("Z")


def test_a_second_read_brings_only_what_changed(sandbox):
    first = sync(sandbox, "contacts")
    ids = first.ids("contacts")
    sandbox.app.edit("contacts", ids[3], {"firstname": "Renamed"})
    new = sandbox.app.add("contacts", {"email": "new@example.org"})
    sandbox.app.reset_calls()
    second = sync(sandbox, "contacts", state=first.state)
    assert {record["firstname"] for record in second.records("contacts") if record["id"] == ids[3]} == {"Renamed"}
    assert sorted(second.ids("contacts")) == sorted([ids[3], str(new.id)])
    assert sync(sandbox, "contacts", state=second.state).ids("contacts") == [], "the lookback sends nothing twice"


def test_a_catalog_needs_no_calls_but_the_pages(sandbox):
    catalog = select(TapHubSpot(config=sandbox.config).catalog_dict, "contacts")
    sandbox.app.reset_calls()
    out = sync(sandbox, catalog=catalog)
    assert len(out.ids("contacts")) == 230
    assert sandbox.app.count() == 3


def test_archived_records_come_as_deletes(sandbox):
    first = sync(sandbox, "contacts", deletes=True)
    assert "_sdc_deleted_at" in first.schemas("contacts")[0]["properties"]
    gone = first.ids("contacts")[5]
    sandbox.app.archive("contacts", gone)
    second = sync(sandbox, "contacts", state=first.state, deletes=True)
    [record] = [record for record in second.records("contacts") if record.get("_sdc_deleted_at")]
    assert record["id"] == gone
    assert sync(sandbox, "contacts", state=second.state, deletes=True).ids("contacts") == []


def test_custom_objects_are_listed_and_get_their_fields_once_they_are_selected(sandbox):
    sandbox.app.add_schema("cars", {"plate": "string", "wheels": "number"}, records=7)
    catalog = TapHubSpot(config=sandbox.config).catalog_dict
    [cars] = [entry for entry in catalog["streams"] if entry["tap_stream_id"] == "cars"]
    assert cars["schema"]["properties"].keys() == {"id", "updatedAt"}
    out = sync(sandbox, catalog=select(catalog, "cars"))
    assert len(out.ids("cars")) == 7
    assert {"plate", "wheels"} <= out.schemas("cars")[0]["properties"].keys()


def test_a_bulk_edit_in_one_instant_is_read_whole(sandbox):
    first = sync(sandbox, "contacts")
    ids = first.ids("contacts")[:210]
    sandbox.app.bulk_edit("contacts", {"lastname": "Same"}, ids=ids)
    second = sync(sandbox, "contacts", state=first.state)
    assert sorted(second.ids("contacts")) == sorted(ids)


def test_new_properties_are_added_when_that_is_wanted(sandbox):
    catalog = select(TapHubSpot(config=sandbox.config).catalog_dict, "contacts")
    sandbox.app.add_property("contacts", "shoe_size", "number")
    sandbox.app.edit("contacts", sandbox.app.records("contacts")[0]["id"], {"shoe_size": "43"})
    assert "shoe_size" not in sync(sandbox, catalog=catalog).schemas("contacts")[-1]["properties"]
    out = sync(sandbox, catalog=catalog, new_fields="add")
    assert out.schemas("contacts")[-1]["properties"]["shoe_size"] == {"type": ["number", "null"]}
    assert 43 in [record.get("shoe_size") for record in out.records("contacts")]
