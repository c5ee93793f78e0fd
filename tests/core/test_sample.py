"""What a sample of records shows of their fields."""

from decimal import Decimal

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import sample, schema


def fields(*values):
    return sample.seen([{"f": value} for value in values], ()).fields["f"]


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (["a", "b"], "string"),
        ([1, 2], "integer"),
        ([1, Decimal("1.5")], "number"),
        ([True, None], "boolean"),
        ([[1], []], "array"),
        ([{"a": 1}], "object"),
        (["2026-01-31"], "date"),
        (["2026-01-31T09:05:00Z", "2026-01-31 09:05:00+02:00", "2026-01-31T09:05:00.123456"], "date-time"),
        (["2026-01-31", "2026-01-31T09:05:00Z"], "string"),
        (["2026-01-31", ""], "string"),
        (["2026-13-31"], "string"),
        (["31.01.2026"], "string"),
        (["1767225600"], "string"),
        ([1, "a"], "any"),
        ([None], "any"),
    ],
)
def test_the_word_covers_every_value(values, word):
    assert fields(*values) == word


def test_the_key_has_a_value_in_each_record_and_other_fields_may_be_null():
    found = sample.seen([{"id": 1, "name": "a"}, {"id": 2, "name": "b", "note": "x"}], ("id",))
    assert found.fields == {"id": "integer!", "name": "string", "note": "string"}
    assert (found.records, found.sometimes, found.notes) == (2, {"note"}, ())


def test_what_there_is_to_say_is_said():
    records = [{"code": "a", "x": None, "y": 1}, {"code": None, "x": None, "y": "b"}]
    assert sample.seen(records, ("code",)).notes == (
        "x is null in each: any",
        "y is now integer and now string: any",
        "1 have no value in code, which is of the key: name what is the key as `key`",
    )
    assert sample.seen(records, ("id",)).notes[-1].startswith("none has a value in id, which is of the key")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (["1", "-20", ""], "integer"),
        (["1", "2.50"], "number"),
        (["true", "false"], "boolean"),
        (["2026-01-31"], "date"),
        (["007"], "string"),  # a number would lose its zeros
        (["1", "a"], "any"),
        (["", " "], "any"),
    ],
)
def test_where_all_values_are_text_they_are_what_they_look_like(values, word):
    assert sample.seen([{"f": value} for value in values], (), text=True).fields["f"] == word


def test_no_records_show_nothing():
    assert sample.seen([], ("id",)) == sample.Sample(0, {}, frozenset(), ())


@pytest.mark.parametrize(
    ("word", "found", "nullable", "settled"),
    [
        ("string", "string", False, "string"),
        ("string readonly", "date-time", False, "string readonly"),  # what was written covers it
        ("number", "integer!", False, "number"),
        ("integer", "number", False, "number"),
        ("integer! readonly", "string!", False, "any readonly"),
        ("date", "date-time", False, "string"),
        ("any", "integer", True, "any"),
        ("string", "any", True, "string"),
        ("string! unique", "string", True, "string unique"),
        ("string!", "string!", False, "string!"),
    ],
)
def test_what_was_written_stays_unless_the_sample_contradicts_it(word, found, nullable, settled):
    assert sample.settled(word, found, nullable=nullable) == settled


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
    | st.dates().map(str) | st.datetimes().map(lambda at: at.isoformat()),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from("abc"), _values), max_size=5))
def test_every_record_of_the_sample_is_valid_by_what_was_seen(records):
    found = sample.seen(records, ("a",))
    validator = jsonschema.Draft7Validator(schema.record(found.fields))
    for record in records:
        plain = {name: float(value) if isinstance(value, Decimal) else value for name, value in record.items()}
        assert validator.is_valid(plain)
    again = {name: sample.settled(word, word, nullable=name in found.sometimes) for name, word in found.fields.items()}
    assert again == found.fields
