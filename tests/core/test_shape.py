import logging
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Read, Reply
from antiphon.shape import compiled


def shaped(value, word, **read):
    read = {"text": True, **read}
    return compiled(Read("/x", **read), schema.record({"it": word}))({"it": value})["it"]


@pytest.mark.parametrize(
    ("word", "value", "read"),
    [
        ("integer", "5", 5),
        ("integer", " -5 ", -5),
        ("integer", "5.0", 5),
        ("integer", "12345678901234567890123", 12345678901234567890123),
        ("integer", 5, 5),
        ("integer", "", None),
        ("number", "5", 5),
        ("number", "0.10", Decimal("0.10")),
        ("number", "1e3", Decimal("1E+3")),
        ("number", "0.1234567890123456789012345678901234567890", Decimal("0.1234567890123456789012345678901234567890")),
        ("number", "", None),
        ("number", " ", None),
        ("number", 7, 7),
        ("boolean", "true", True),
        ("boolean", "FALSE", False),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("boolean", False, False),
        ("boolean", "", None),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", "1769817600000", "2026-01-31"),
        ("date", "2026-01-31T09:05:00Z", "2026-01-31"),
        ("date", "", None),
        ("date-time", "2026-01-31T09:05:00Z", "2026-01-31T09:05:00Z"),
        ("date-time", "2026-01-31T09:05:00+01:00", "2026-01-31T08:05:00Z"),
        ("date-time", "1769850300123", "2026-01-31T09:05:00.123Z"),
        ("date-time", 1769850300123, "2026-01-31T09:05:00.123Z"),
        ("date-time", "", None),
        ("string", "5", "5"),
        ("string", "", ""),
        ("string", "true", "true"),
        ("object", "{}", "{}"),
        ("any", "5", "5"),
    ],
)
def test_text_is_read_by_the_type_of_its_field(word, value, read):
    found = shaped(value, word)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("integer", "five"),
        ("integer", "5.5"),
        ("integer", "NaN"),
        ("integer", "sNaN"),
        ("integer", "Infinity"),
        ("integer", "1e999999999"),
        ("integer", {"a": 1}),
        ("integer", [1]),
        ("number", "abc"),
        ("number", "NaN"),
        ("number", "-Infinity"),
        ("boolean", "perhaps"),
        ("boolean", {}),
        ("date", "never"),
        ("date", {"a": 1, "b": 2}),
        ("date-time", "soon"),
        ("date-time", True),
        ("date-time", [1]),
        ("date-time", "9999-12-31T23:59:59-05:00"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_null_and_one_warning_names_the_field_only(word, value, caplog):
    shape = compiled(Read("/x", text=True), schema.record({"it": word}))
    with caplog.at_level(logging.WARNING):
        assert shape({"it": value}) == {"it": None}
        assert shape({"it": value}) == {"it": None}
    assert [r.getMessage() for r in caplog.records] == [
        'field "it" holds a value that is not of its type; such values are read as null'
    ]


def test_only_date_times_are_read_where_values_have_types_already():
    read = Read("/x")
    shape = compiled(read, schema.record({"n": "integer", "flag": "boolean", "at": "date-time", "on": "date"}))
    row = {"n": "5", "flag": "yes", "at": "2026-01-31T09:05:00+01:00", "on": "1769817600000"}
    assert shape(row) == {"n": "5", "flag": "yes", "at": "2026-01-31T08:05:00Z", "on": "1769817600000"}


@pytest.mark.parametrize(
    ("nulls", "value", "read"),
    [
        ((False,), False, None),
        ((False,), 0, 0),
        ((False,), Decimal(0), Decimal(0)),
        ((False,), "", ""),
        ((0,), False, False),
        ((0,), 0, None),
        (("", "0000-00-00"), "0000-00-00", None),
        ((), False, False),
    ],
)
def test_a_value_that_means_null_is_null_and_its_likes_are_not(nulls, value, read):
    found = shaped(value, "any", nulls=nulls, text=False)
    assert found == read
    assert type(found) is type(read)


def test_where_false_means_null_a_flag_may_still_be_false():
    read = Read("/x", nulls=(False,))
    shape = compiled(read, schema.record({"active": "boolean", "name": "string", "any": "any"}))
    assert shape({"active": False, "name": False, "any": False}) == {"active": False, "name": None, "any": None}


def test_a_pair_of_id_and_name_becomes_two_fields():
    shape = compiled(Read("/x", pairs="_name"), schema.record({"partner_id": "integer"}))
    row = {"partner_id": [7, "Ada"], "lines": [7, 8], "flags": [True, "x"], "text": "x", "none": []}
    assert shape(row) == {
        "partner_id": 7,
        "partner_id_name": "Ada",
        "lines": [7, 8],
        "flags": [True, "x"],
        "text": "x",
        "none": [],
    }


def test_a_null_that_is_no_moment_is_null_without_a_warning(caplog):
    assert shaped("0000-00-00", "date-time", nulls=("0000-00-00",)) is None
    assert not caplog.records


def test_lifted_fields_become_the_records_own_and_do_not_replace_them():
    read = Read("/x", lift=("properties", "more"), text=True)
    shape = compiled(read, schema.record({"id": "string!", "size": "integer", "name": "string"}))
    row = {"id": "1", "properties": {"size": "3", "id": "9"}, "more": {"name": "Ada"}}
    assert shape(row) == {"id": "1", "size": 3, "name": "Ada"}
    assert shape({"id": "1", "properties": None}) == {"id": "1"}
    assert shape({"id": "1"}) == {"id": "1"}


def test_fields_that_the_schema_does_not_know_stay_as_they_are():
    assert compiled(Read("/x", text=True), schema.record({}))({"new": "5", "null": None}) == {"new": "5", "null": None}


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_never_pass_through_float(number):
    text = str(number)
    as_text = shaped(text, "number")
    assert Decimal(as_text) == number
    body = msgspec.json.Encoder(decimal_format="number").encode({"it": number})
    as_number = Reply(200, {}, body, "https://x").json()["it"]
    assert not isinstance(as_number, float)
    assert Decimal(shaped(as_number, "number", text=False)) == number


@given(st.integers(), st.sampled_from(["integer", "number"]))
def test_whole_numbers_of_any_size_stay_whole(number, word):
    found = shaped(str(number), word)
    assert found == number
    assert type(found) is int


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.decimals(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4),
       st.sampled_from(sorted(schema.WORDS)))  # fmt: skip
def test_no_value_whatever_makes_reading_fail(value, word):
    shaped(value, word)
    shaped(value, word, text=False)


def test_the_name_in_a_pair_that_is_null_is_null_too():
    known = schema.record({"partner_id": "integer", "partner_id_name": "string"})
    shape = compiled(Read("/x", pairs="_name", nulls=(False,)), known)
    assert shape({"partner_id": False}) == {"partner_id": None, "partner_id_name": None}
    assert shape({"name": "A"}) == {"name": "A"}


def test_a_list_that_looks_like_a_pair_is_none_where_the_schema_says_so():
    known = schema.record({"lines": "array", "bag": "object", "foo": "string", "foo_name": "string"})
    shape = compiled(Read("/x", pairs="_name", nulls=(False,)), known)
    assert shape({"lines": [1, "a"], "bag": [2, "b"], "other_id": [3, "c"], "foo": False, "foo_name": "d"}) == {
        "lines": [1, "a"],
        "bag": [2, "b"],
        "other_id": 3,
        "other_id_name": "c",
        "foo": None,
        "foo_name": "d",
    }
