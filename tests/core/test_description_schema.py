"""The JSON Schema of descriptions says what the loader says."""

import copy
import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from antiphon import apis, description
from antiphon.api import Api
from antiphon.description import shapes
from antiphon.description.nodes import composed_of
from antiphon.description.reading import misfits
from tests.core import descriptions
from tests.core.test_description import PYTHON

SCHEMA = Draft7Validator(description.json_schema())
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def plain(api):
    return json.loads(json.dumps(description.data(api)))


def places(value, path=()):
    """Yield the path to every value within *value*."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def test_it_is_a_json_schema():
    Draft7Validator.check_schema(description.json_schema())


def test_every_kind_and_every_field_that_yaml_has_is_in_it():
    text = json.dumps(description.json_schema())
    for slot in shapes.SLOTS:
        for word, cls in shapes.kinds(slot).items():
            assert f'"{word}"' in text
            data = [field for field in shapes.fields(cls).values() if not isinstance(field.shape, shapes.Function)]
            assert all(f'"{field.name}"' in text for field in data)


@pytest.mark.parametrize("name", apis.names())
def test_the_data_of_every_api_is_valid(name):
    SCHEMA.validate(plain(descriptions.pure_object(Api, apis.load(name))))


@QUICK
@given(descriptions.apis)
def test_what_the_loader_takes_is_valid(api):
    SCHEMA.validate(plain(api))


@QUICK
@given(descriptions.apis, st.data())
def test_what_the_loader_refuses_for_its_shape_is_not_valid_and_nothing_else(api, data):
    whole = plain(api)
    path = data.draw(st.sampled_from([path for path in places(whole) if path]))
    other = data.draw(
        st.sampled_from([None, 1, 0.5, True, "x", [], ["x"], {}, {"x": 1}, {"bearer": "x", "basic": "x"}])
    )
    parent = at(whole, path[:-1])
    assume(isinstance(parent, dict | list))
    parent[path[-1]] = copy.deepcopy(other)
    assert SCHEMA.is_valid(whole) == (not misfits(composed_of(whole))), (path, other, misfits(composed_of(whole)))


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole.update(titel="x"),
        lambda whole: whole["resources"]["people"].update(raed="/people"),
        lambda whole: whole["resources"]["people"]["schema"].update(email="strng"),
        lambda whole: whole.update(auth={"beerer": {}}),
        lambda whole: whole.update(auth={"bearer": {}, "basic": {}}),
        lambda whole: whole["limits"][0].pop("calls"),
        lambda whole: whole.update(settings={"access_token": {"secret": "yes"}}),
        lambda whole: whole.update(limits=[{"calls": "100", "seconds": 60}]),
        lambda whole: whole.update(version=1.0),
    ],
)
def test_a_mistake_is_seen_by_both(change):
    whole = plain(PYTHON)
    change(whole)
    assert misfits(composed_of(whole))
    assert not SCHEMA.is_valid(whole)
