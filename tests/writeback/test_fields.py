"""From columns to fields."""

from __future__ import annotations

import pytest

from antiphon import schema
from antiphon.api import Resource
from antiphon.errors import InputError, SettingError
from antiphon.writeback.fields import Fields, Mapper

PEOPLE = Resource(
    "people",
    schema.record({"id": "string!", "email": "string", "name": "string", "source": "string"}, readonly=["id"]),
    cleared="",
)


def mapper(given=None, *, unknown="ignore", nulls="omit", matched=(), resource=PEOPLE):
    return Mapper(Fields(given or {}, unknown, nulls), resource, resource.schema, where="zoo: people", matched=matched)


def test_columns_that_have_a_fields_name_are_passed_and_others_are_not():
    assert mapper()({"email": "a", "shoe": 43, "id": "7"}) == {"email": "a"}


def test_a_field_is_renamed_and_the_column_is_not_passed_a_second_time():
    assert mapper({"email": "name"})({"email": "old", "name": "new"}) == {"email": "new"}


def test_one_column_may_fill_several_fields():
    both = mapper({"email": "mail", "name": "mail"})
    assert both({"mail": "a"}) == {"email": "a", "name": "a"}
    assert both.fields(["mail"]) == {"email", "name"}


def test_a_constant_stands_in_every_record_and_wins_over_a_column():
    assert mapper({"source": {"const": "pretix"}})({"source": "x", "name": "n"}) == {"source": "pretix", "name": "n"}


def test_nulls_are_left_out_or_clear_the_field():
    assert mapper()({"name": None}) == {}
    assert mapper(nulls="clear")({"name": None, "shoe": None}) == {"name": ""}


def test_false_and_nought_and_the_empty_text_are_values():
    assert mapper()({"name": "", "email": 0, "source": False}) == {"name": "", "email": 0, "source": False}


def test_a_column_without_a_field_is_told_once(caplog):
    ignoring = mapper()
    ignoring.check(["email", "shoe", "_sdc_batched_at"])
    ignoring({"shoe": 1})
    ignoring({"shoe": 2})
    assert [record.getMessage() for record in caplog.records] == [
        'zoo: people: column "shoe" is not written: the API has no such field that can be written'
    ]


def test_a_record_with_a_column_without_a_field_may_be_refused():
    refusing = mapper(unknown="reject")
    assert refusing({"email": "a"}) == {"email": "a"}
    with pytest.raises(InputError, match="no field that can be written for shoe, id"):
        refusing({"shoe": 1, "id": "7"})


def test_a_stream_with_a_column_without_a_field_may_be_refused():
    with pytest.raises(SettingError, match=r"zoo: people: the API has no field .* shoe\. Map them with fields"):
        mapper(unknown="fail").check(["email", "shoe"])


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"emial": "mail"}, 'zoo: people.fields.emial: people has no such field. Did you mean "email"?'),
        ({"id": "number"}, "zoo: people.fields.id: the API does not let anyone write it"),
        ({"email": {"constant": 1}}, 'zoo: people.fields.email has no setting "constant". Did you mean "const"?'),
        (
            {"email": 5},
            "zoo: people.fields.email must be a column's name, {const: value} or an object with from, not 5",
        ),
        ({"email": None}, "zoo: people.fields.email must be a column's name, {const: value} or an object"),
        ({"email": {"const": 1, "max_length": 2}}, "zoo: people.fields.email: const stands alone"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_one_line(given, says):
    with pytest.raises(SettingError) as error:
        mapper(given)
    assert str(error.value).startswith(says)
    assert "\n" not in str(error.value)


def test_a_field_that_is_read_only_may_be_mapped_to_when_records_are_matched_by_it():
    assert mapper({"id": "number"}, matched=["id"])({"number": "7"}) == {"id": "7"}


def test_a_resource_of_open_fields_takes_any_column():
    resource = Resource("things", {"type": "object", "properties": {}, "additionalProperties": True})
    assert mapper({"b": "a"}, resource=resource)({"a": 1, "c": 2}) == {"b": 1, "c": 2}
