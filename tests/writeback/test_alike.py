"""Values that are written differently and are one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import SettingError
from antiphon.outcome import Kind
from antiphon.writeback import alike
from antiphon.writeback.alike import WAYS, plain
from antiphon.writeback.writer import Writer

PHONE = {"phone": ("digits",)}


def kinds(outcomes):
    return [str(outcome.kind) for outcome in outcomes]


@pytest.mark.parametrize(
    ("ways", "one", "other"),
    [
        (("digits",), "+32 (9) 123.45", "0032912345"),
        (("lower",), "Ada@Example.ORG", "ada@example.org"),
        (("spaces",), " Ada   King\u00a0Lovelace", "Ada King Lovelace"),
        (("lower", "spaces"), "ADA  KING", "ada king"),
        (("lower", "spaces"), "Jos\u00e9  Ng\u1ecdc", "JOSE\u0301 ngo\u0323c"),
        (("spaces",), "\u212bsa", "A\u030asa"),
        (("lower",), "Stra\u00dfe \u1fb3", "STRASSE \u03b1\u0345"),
    ],
)
def test_two_spellings_are_one(ways, one, other):
    assert plain(one, ways) == plain(other, ways)


@given(st.text(), st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=3).map(tuple))
def test_what_is_plain_stays_plain_and_nothing_becomes_empty(text, ways):
    once = plain(text, ways)
    assert plain(once, ways) == once
    assert bool(once) == bool(text)
    assert {plain(unicodedata.normalize(form, text), ways) for form in ("NFC", "NFD")} == {once}


def test_a_record_is_found_in_the_form_that_the_api_has(account):
    account.writer(mode="create").write([{"email": "a@example.org", "phone": "+32 9 123"}])
    writer = account.writer(match=["phone"], alike=PHONE)
    outcomes = writer.write(
        [
            {"firstname": "Ada", "phone": "00329123", "city": "Ghent"},
            {"firstname": "Ada", "phone": "(+32) 9 124", "city": "Bruges"},
        ]
    )
    assert kinds(outcomes) == ["updated", "created"]
    assert account.shown("contacts", "phone", "city") == [
        {"phone": "+32 9 123", "city": "Ghent"},
        {"phone": "(+32) 9 124", "city": "Bruges"},
    ]


def test_a_record_made_in_this_run_is_found_in_another_form(account):
    writer = account.writer(match=["phone"], alike=PHONE)
    assert kinds(writer.write([{"firstname": "Ada", "phone": "+32 9 123", "city": "Ghent"}])) == ["created"]
    assert kinds(writer.write([{"firstname": "Ada", "phone": "0032 9123", "city": "Bruges"}])) == ["updated"]
    assert account.shown("contacts", "phone", "city") == [{"phone": "+32 9 123", "city": "Bruges"}]


def test_of_two_spellings_in_one_batch_the_last_is_written(account):
    writer = account.writer(match=["phone"], alike=PHONE)
    assert kinds(
        writer.write(
            [{"firstname": "Ada", "phone": "+32 9", "city": "a"}, {"firstname": "Ada", "phone": "00329", "city": "b"}]
        )
    ) == [
        "superseded",
        "created",
    ]


def test_a_name_is_found_however_its_accents_are_composed(account):
    account.writer(mode="create").write([{"firstname": "Jos\u00e9", "email": "a@example.org"}])
    writer = account.writer(match=["firstname"], alike={"firstname": ("lower", "spaces")})
    assert kinds(writer.write([{"firstname": "Jose\u0301", "city": "Ghent"}])) == ["updated"]
    assert kinds(writer.write([{"firstname": "JOSE\u0301", "city": "Ghent"}])) == ["unchanged"]
    assert account.shown("contacts", "firstname", "city") == [{"firstname": "Jos\u00e9", "city": "Ghent"}]


def test_two_records_of_one_plain_value_are_ambiguous(account):
    account.writer(mode="create").write(
        [{"firstname": "Ada", "phone": "+32 9"}, {"firstname": "Ada", "phone": "00329"}]
    )
    [outcome] = account.writer(match=["phone"], alike=PHONE).write(
        [{"firstname": "Ada", "phone": "0032 9", "city": "Ghent"}]
    )
    assert outcome.kind is Kind.REJECTED
    assert outcome.problem.code == "ambiguous"


def test_what_is_there_is_read_once_in_a_run(account):
    writer = account.writer(match=["phone"], alike=PHONE)
    for number in range(3):
        writer.write([{"firstname": "Ada", "phone": f"+32 {number}", "city": "Ghent"}])
    assert account.calls()["objects/contacts"] == 1


def test_where_the_api_knows_of_case_itself_nothing_is_read_for_it(account):
    account.writer(mode="create").write([{"email": "ada@example.org"}])
    writer = account.writer(alike={"email": ("lower",)})
    assert kinds(writer.write([{"email": "ADA@Example.org", "city": "Ghent"}])) == ["updated"]
    assert "objects/contacts" not in account.calls()


def test_a_resource_that_cannot_be_listed_is_not_matched_by_other_forms(zoo):
    client, _ = zoo
    with pytest.raises(
        SettingError, match=r"zoo: animals: animals cannot be listed, to find name in other forms\. Take name"
    ):
        Writer(client, client.resource("animals"), alike={"name": ("spaces",)})


def test_match_by_names_fields_that_are_matched_by(account):
    with pytest.raises(
        SettingError, match=r'contacts: match_by names "phone", which is not matched by\. There are: email'
    ):
        account.writer(alike=PHONE)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (
            {"email": "upper"},
            'x.match_by.email cannot be "upper". There are: digits, lower, spaces.',
        ),
        (["email"], 'x.match_by cannot be ["email"]: it is an object of fields'),
    ],
)
def test_a_way_that_there_is_not_is_refused(setting, says):
    with pytest.raises(SettingError) as error:
        alike.read(setting, "x.match_by")
    assert str(error.value) == says
