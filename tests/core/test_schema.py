import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from jsonschema.exceptions import best_match

from antiphon import schema
from antiphon.errors import DescriptionError


@pytest.mark.parametrize("word", sorted(schema.WORDS))
def test_every_word_is_a_json_schema_that_takes_null(word):
    Draft7Validator.check_schema(schema.of(word))
    assert Draft7Validator(schema.of(word)).is_valid(None)


@pytest.mark.parametrize("word", sorted(set(schema.WORDS) - {"any"}))
def test_a_word_with_an_exclamation_mark_takes_no_null(word):
    assert not Draft7Validator(schema.of(f"{word}!")).is_valid(None)


def test_a_word_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(DescriptionError, match=r'"strng".*Did you mean "string"'):
        schema.of("strng")


def test_what_is_done_to_one_field_leaves_all_others_alone():
    schema.of("string")["type"].append("number")
    schema.of("array")["items"]["type"] = "string"
    assert schema.of("string") == {"type": ["string", "null"]}
    assert schema.of("array")["items"] == {}


def test_a_record_is_an_object_whose_fields_are_words_or_schemas():
    made = schema.record({"id": "string!", "sum": {"type": "number", "x-unique": True}}, readonly=["id"])
    assert made == {
        "type": "object",
        "properties": {"id": {"type": "string", "readOnly": True}, "sum": {"type": "number", "x-unique": True}},
    }


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ({}, ()),
        ({"type": "string"}, ("string",)),
        ({"type": ["null", "integer", "string"]}, ("integer", "string")),
        ({"type": "null"}, ()),
    ],
)
def test_the_types_of_a_field_are_told_without_null(field, found):
    assert schema.types(field) == found


def test_unique_fields_are_those_the_api_keeps_unique():
    made = schema.record({"id": "string!", "email": schema.of("string", **{"x-unique": True})})
    assert schema.unique_fields(made) == ("email",)
    assert schema.unique_fields({}) == ()


def test_a_catalog_carries_no_keyword_of_ours_and_the_schema_keeps_them():
    field = schema.of("string", readOnly=True, title="Name", **{"x-unique": True, "x-options": ["a"]})
    made = {**schema.record({"name": field}), "additionalProperties": False}
    shown = schema.for_catalog(made)
    assert shown["properties"] == {"name": {"type": ["string", "null"], "title": "Name"}}
    assert shown["additionalProperties"] is False
    assert made["properties"]["name"]["x-unique"] is True


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "number", "boolean", ["string", "null"]]),
        "pattern": st.sampled_from(["^https?://", "b", ""]),
        "enum": st.just(["a", 1]),
        "minLength": st.integers(0, 3),
        "title": st.just("A setting"),
        "format": st.just("date-time"),
        "default": st.just(7),
    },
)
VALUES = st.one_of(st.sampled_from(["", "a", "b", "https://b.example"]), st.integers(0, 2), st.booleans(), st.none())


@given(SETTINGS, VALUES)
def test_what_does_not_fit_is_what_jsonschema_says(setting, value):
    error = best_match(Draft7Validator(setting).iter_errors(value))
    found = schema.misfit(setting, value)
    assert (found and found.message) == (error and error.message)
