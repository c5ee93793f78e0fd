"""Fields, policies and matching as a user sets them, in a run of the target."""

from __future__ import annotations

import pytest

from antiphon.errors import SettingError

from .pipes import crm as an_account
from .pipes import read, record, schema

PEOPLE = {
    "resource": "contacts",
    "fields": {
        "email": "person.mail",
        "hs_lead_status": {"from": "status", "map": {"prospect": "NEW"}},
        "city": {"from": "town", "max_length": 6},
        "date_of_birth": {"from": "born", "format": "%d/%m/%Y"},
    },
}
OBJECT = {"type": "object", "properties": {"mail": {"type": "string"}}}
COLUMNS = schema("people", "status", "town", "born", person=OBJECT)


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path) as made:
        yield made


def person(mail, **more):
    return record("people", person={"mail": mail}, **more)


def test_a_record_is_sent_as_the_policies_make_it_and_another_refused_with_all_that_is_wrong(crm):
    ran = crm.pipe(
        COLUMNS,
        person("a@example.com", status="prospect", town="Ghent", born="31/01/1990"),
        person("b@example.com", status="lost", town="Gentbrugge", born="soon"),
        streams={"people": PEOPLE},
    )
    assert ran.code == 1
    assert crm.shown("contacts", "email", "hs_lead_status", "city", "date_of_birth") == [
        {"email": "a@example.com", "hs_lead_status": "NEW", "city": "Ghent", "date_of_birth": "1990-01-31"}
    ]
    [reject] = [message for message in read(crm.rejects) if message["type"] == "RECORD"]
    said = reject["error"]["message"]
    assert said.startswith('hs_lead_status: "lost" is no option; there are: prospect, NEW')
    assert 'city: 10 characters are too many, the most is 6; date_of_birth: "soon" is no date as %d/%m/%Y' in said
    assert reject["record"]["person"] == {"mail": "b@example.com"}


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"fields": {"email": "person.email"}}, 'people.fields.email: there is no "person.email" in the stream'),
        ({"fields": {"email": "mail"}}, 'people.fields.email: the stream has no column "mail"'),
        ({"fields": {"email": "person"}}, 'people.fields.email: "person" is object and not string'),
        ({"fields": {"hs_object_id": "status"}}, "people.fields.hs_object_id: the API does not let anyone write it"),
        (
            {"fields": {"city": {"max_lenght": 5}}},
            'people.fields.city has no setting "max_lenght". Did you mean "max_length"',
        ),
        (
            {"fields": {"city": {"max_length": "5"}}},
            'the setting streams.people.fields.city.max_length cannot be "5": it is to be a whole number',
        ),
        ({"fields": {"hs_lead_status": {"map": {"a": "NWE"}}}}, '"NWE" is no option of the API. Did you mean "NEW"?'),
        ({"match_by": {"email": "upper"}}, "streams.people.match_by.email cannot be"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line_before_anything_is_sent(crm, more, says):
    entry = {**PEOPLE, **more, "fields": {**PEOPLE["fields"], **more.get("fields", {})}}
    with pytest.raises(SettingError) as error:
        crm.pipe(COLUMNS, person("a@example.com", status="prospect"), streams={"people": entry})
    assert says in str(error.value)
    assert str(error.value).startswith("target-hubspot: ")
    assert "\n" not in str(error.value)
    assert crm.shown() == []


def test_new_columns_and_options_are_added_where_the_settings_say_so(crm):
    entry = {
        "resource": "contacts",
        "unknown": "create",
        "fields": {"hs_lead_status": {"from": "status", "otherwise": "create"}},
    }
    ran = crm.pipe(
        schema("people", "email", "status", shoe_size={"type": ["integer", "null"]}),
        record("people", email="a@example.com", status="ASLEEP", shoe_size=43),
        streams={"people": entry},
    )
    assert ran.code == 0
    assert crm.shown("contacts", "hs_lead_status", "shoe_size") == [{"hs_lead_status": "ASLEEP", "shoe_size": "43"}]


def test_a_phone_number_written_differently_is_the_same_person(crm):
    crm.app.add("contacts", {"firstname": "Ada", "phone": "+32 9 123"})
    entry = {"resource": "contacts", "match": ["phone"], "match_by": {"phone": "digits"}}
    crm.pipe(
        schema("people", "phone", "city"),
        record("people", phone="0032 (9) 123", city="Ghent"),
        streams={"people": entry},
    )
    assert crm.shown("contacts", "phone", "city") == [{"phone": "+32 9 123", "city": "Ghent"}]
