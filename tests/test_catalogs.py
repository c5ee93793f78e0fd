"""The catalogs in ``catalogs/`` are what discovery prints."""

import json

import pytest

import write_catalogs
from antiphon import apis


def test_every_api_with_streams_of_its_own_has_a_catalog():
    assert {path.stem for path in write_catalogs.FOLDER.glob("*.json")} == set(write_catalogs.names())
    assert {"hubspot", "pretix"} <= set(write_catalogs.names())


@pytest.mark.parametrize("name", write_catalogs.names())
def test_the_catalog_is_what_discovery_prints(name):
    kept = (write_catalogs.FOLDER / f"{name}.json").read_text("utf-8")
    assert kept == write_catalogs.discovered(name), "run `make catalogs`, and look at what changed"


@pytest.mark.parametrize("name", write_catalogs.names())
def test_the_streams_of_a_catalog_have_their_keys_and_those_that_the_account_has_their_fields(name):
    streams = json.loads((write_catalogs.FOLDER / f"{name}.json").read_text("utf-8"))["streams"]
    complete = set()
    for stream in streams:
        fields = stream["schema"]["properties"]
        needed = {*stream["key_properties"], stream.get("replication_key")} - {None}
        assert needed <= fields.keys(), stream["tap_stream_id"]
        if len(fields) > len(needed):
            complete.add(stream["tap_stream_id"])
    first = apis.load(name).resources[0].name
    assert first in complete
