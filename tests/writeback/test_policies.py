"""What a field's values must be and are made into."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Resource
from antiphon.errors import InputError, Refused, SettingError
from antiphon.writeback.currency import BY_SYMBOL, CODES
from antiphon.writeback.entry import ENTRY_SCHEMA
from antiphon.writeback.fields import Fields, Mapper
from antiphon.writeback.growth import Growth

START, END = datetime(1971, 1, 1), datetime(2037, 1, 1)  # noqa: DTZ001 - of no zone
LEADS = {"x-options": ["NEW", "OPEN"], "x-labels": {"NEW": "Brand new", "OPEN": "Under way"}}
THINGS = Resource(
    "things",
    schema.record(
        {
            "id": "string!",
            "name": "string",
            "code": {"type": "string", "maxLength": 5},
            "lead": {"type": "string", **LEADS},
            "tags": {"type": "string", **LEADS, "x-several": ";"},
            "born": "date",
            "at": "date-time",
            "legs": "integer",
            "flag": "boolean",
            "address": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "zip": {"type": "string", "maxLength": 6}},
            },
        },
        readonly=["id"],
    ),
)
WHERE = "target-zoo: streams.things"


def mapper(fields, columns=None, *, resource=THINGS, **more):
    mapped = Mapper(Fields(fields, where=WHERE, **more), resource, resource.schema, where="zoo: things")
    if columns is not None:
        mapped.refuse_absent(columns)
    return mapped


def made(entry, value, field="name"):
    """Return what becomes of *value* in *field* with the settings *entry*."""
    return mapper({field: {"from": "column", **entry}})({"column": value}).get(field, "nothing")


def refused(entry, value, field="name"):
    """Return why *value* is refused."""
    with pytest.raises(InputError) as error:
        made(entry, value, field)
    return str(error.value)


# Where values come from, and go to


def test_a_path_leads_into_an_object_on_either_side():
    nested = mapper({"name": "person.name.first", "address.city": "town"})
    assert nested({"person": {"name": {"first": "Ada"}}, "town": "Ghent"}) == {
        "name": "Ada",
        "address": {"city": "Ghent"},
    }
    assert nested({"person": {}}) == {}


def test_a_column_that_is_called_like_a_path_is_that_column():
    assert mapper({"name": "a.b"})({"a.b": 1, "a": {"b": 2}}) == {"name": 1}


def test_fields_put_into_an_object_leave_the_source_s_own_object_alone():
    record = {"address": {"zip": "9000"}, "town": "Ghent"}
    assert mapper({"address.city": "town"})(record) == {"address": {"zip": "9000", "city": "Ghent"}}
    assert record == {"address": {"zip": "9000"}, "town": "Ghent"}


def test_an_entry_without_a_column_takes_the_one_of_the_field_s_name():
    assert mapper({"name": {"max_length": 9}})({"name": "Ada"}) == {"name": "Ada"}


# Drop-downs


def test_a_value_is_mapped_to_an_option():
    assert made({"map": {"prospect": "NEW"}}, "prospect", "lead") == "NEW"


def test_an_option_is_taken_by_its_label_too_whatever_its_case():
    assert made({"otherwise": "error"}, "under WAY ", "lead") == "OPEN"
    assert made({"map": {"x": "Brand new"}}, "x", "lead") == "NEW"


def test_a_value_that_is_no_option_is_refused_with_those_there_are():
    assert (
        refused({"map": {"prospect": "NEW"}}, "lost", "lead")
        == 'lead: "lost" is no option; there are: prospect, NEW, OPEN'
    )
    assert refused({"map": {"": "NEW"}}, "lost", "lead") == 'lead: "lost" is no option; there are: NEW, OPEN'


def test_a_value_that_is_no_option_may_be_left_out_or_replaced():
    assert made({"otherwise": "omit"}, "lost", "lead") == "nothing"
    assert made({"otherwise": "default", "default": "OPEN"}, "lost", "lead") == "OPEN"


def test_a_default_may_be_named_by_its_label_and_so_may_what_a_map_leads_to():
    entry = {"otherwise": "default", "default": "Brand new", "map": {"o": "under way"}}
    assert [made(entry, word, "lead") for word in ("lost", "o", "NEW")] == ["NEW", "OPEN", "NEW"]
    entry = {"otherwise": "default", "default": "Brand new;OPEN", "map": {"o": "Under way; new"}}
    assert [made(entry, word, "tags") for word in ("lost", "o")] == ["NEW;OPEN", "OPEN;NEW"]


def test_spaces_around_a_value_do_not_count_and_one_of_spaces_alone_is_empty():
    assert made({"map": {" prospect ": "NEW"}}, "prospect", "lead") == "NEW"
    assert made({"map": {"": "NEW"}}, " ", "lead") == "NEW"
    for entry, field in [
        ({"otherwise": "error"}, "lead"), ({"otherwise": "error"}, "tags"), ({"format": "epoch"}, "born"), ({"currency": "code"}, "name")
    ]:  # fmt: skip
        assert [made(entry, empty, field) for empty in ("", " \t")] == ["", ""]
    assert made({"otherwise": "error"}, ["", None, "open", " "], "tags") == "OPEN"


def test_where_the_api_lists_no_options_the_map_s_results_are_the_options():
    assert made({"map": {"B": "Belgium"}}, "B") == "Belgium"
    assert made({"map": {"B": "Belgium"}}, "Belgium") == "Belgium"
    assert refused({"map": {"B": "Belgium"}}, "F").startswith('name: "F" is no option')


def test_flags_and_numbers_are_mapped_by_their_text():
    assert made({"map": {"true": "NEW", "7": "OPEN"}}, True, "lead") == "NEW"
    assert made({"map": {"true": "NEW", "7": "OPEN"}}, 7, "lead") == "OPEN"


@pytest.mark.parametrize("number", [1, 1.0, Decimal("1.0"), Decimal("1.00")])
def test_a_number_is_mapped_however_its_fraction_is_written(number):
    assert made({"map": {"1": "NEW"}}, number, "lead") == "NEW"
    assert made({"map": {"1": "NEW"}}, [number, "open"], "tags") == "NEW;OPEN"
    assert refused({"map": {"2": "NEW"}}, number, "lead").startswith('lead: "1" is no option')
    assert made({"map": {"1": "NEW", "1.0": "OPEN"}}, Decimal("1.0"), "lead") == "OPEN"


def test_several_options_come_as_a_list_or_in_one_text():
    entry = {"map": {"n": "NEW"}, "otherwise": "omit"}
    assert made(entry, ["n", "open", "what", "NEW"], "tags") == "NEW;OPEN"
    assert made(entry, "n;OPEN", "tags") == "NEW;OPEN"


# Dates


def test_a_date_stays_that_date_whatever_the_zones():
    zones = {"source_zone": "Pacific/Auckland", "target_zone": "America/Los_Angeles"}
    assert made(zones, "2026-01-31", "born") == "2026-01-31"
    assert made({**zones, "format": "%d/%m/%Y"}, "31/01/2026", "born") == "2026-01-31"
    assert made(zones, "20260131", "born") == "2026-01-31"


@pytest.mark.parametrize(
    ("entry", "value", "day"),
    [
        ({"source_zone": "Europe/Brussels"}, "2026-01-31T00:30:00", "2026-01-31"),
        ({"target_zone": "Europe/Brussels"}, "2026-01-30T23:30:00Z", "2026-01-31"),
        ({"source_zone": "UTC", "target_zone": "America/New_York"}, "2026-01-31T03:00:00", "2026-01-30"),
        ({"source_zone": "Europe/Brussels"}, "2026-01-30T23:30:00Z", "2026-01-31"),
        ({"format": "%d/%m/%Y"}, "2026-01-31T00:30:00+01:00", "2026-01-31"),
        ({"format": "epoch"}, 13046400, "1970-06-01"),
        ({"format": "epoch-ms"}, "13046400000", "1970-06-01"),
        ({"format": ["%d/%m/%Y", "%d.%m.%y %H:%M"], "source_zone": "Europe/Brussels"}, "31.01.26 00:10", "2026-01-31"),
    ],
)
def test_a_time_becomes_the_date_it_is_in_the_target_zone(entry, value, day):
    assert made(entry, value, "born") == day


def test_a_time_without_a_zone_is_one_of_the_source_zone():
    assert made({"source_zone": "Europe/Brussels"}, "2026-07-01 10:00", "at") == "2026-07-01T08:00:00Z"
    assert made({"source_zone": "Europe/Brussels"}, "2026-07-01T10:00:00Z", "at") == "2026-07-01T10:00:00Z"


def test_a_zone_that_the_format_has_by_name_is_heeded_or_the_value_refused():
    entry = {"format": "%d/%m/%Y %H:%M %Z", "source_zone": "Europe/Brussels"}
    for name in ("UTC", "GMT", "utc"):
        assert made(entry, f"01/02/2026 00:30 {name}", "at") == "2026-02-01T00:30:00Z"
        assert made({**entry, "target_zone": "America/New_York"}, f"01/02/2026 00:30 {name}", "born") == "2026-01-31"
    offset = {**entry, "format": "%d/%m/%Y %H:%M %Z%z"}
    assert made(offset, "01/02/2026 00:30 GMT+0200", "at") == "2026-01-31T22:30:00Z"
    assert refused(entry, "01/02/2026 00:30 EST", "at") == (
        'at: "01/02/2026 00:30 EST" is no date as %d/%m/%Y %H:%M %Z; of the names of zones %Z reads UTC and GMT alone'
    )


def test_the_machine_s_own_name_of_its_zone_is_no_other_than_the_rest(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert "is no date" in refused({"format": "%d/%m/%Y %H:%M %Z"}, "01/02/2026 00:30 EST", "at")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_time_is_written_in_the_target_zone_where_there_is_one():
    assert made({"target_zone": "Europe/Brussels"}, "2026-07-01T10:00:00Z", "at") == "2026-07-01T12:00:00+02:00"


def test_a_date_for_a_field_of_times_begins_in_the_target_zone():
    assert made({"target_zone": "Europe/Brussels"}, "2026-07-01", "at") == "2026-07-01T00:00:00+02:00"


@pytest.mark.parametrize(
    ("zone", "time", "written"),
    [
        ("Europe/Brussels", "2026-03-29T02:30:00", "2026-03-29T03:30:00+02:00"),
        ("America/Sao_Paulo", "2017-10-15T00:00:00", "2017-10-15T01:00:00-02:00"),
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T01:00:00-02:00"),
    ],
)
def test_a_time_that_the_clocks_skipped_is_written_as_the_one_they_went_on_with(zone, time, written):
    zones = {"source_zone": zone, "target_zone": zone}
    assert made(zones, time, "at") == written
    assert made(zones, written, "at") == written
    assert made(zones, time, "born") == time[:10]


def test_a_field_of_plain_text_may_be_told_which_it_holds():
    assert made({"as": "date"}, "2026-01-31T00:30:00+01:00") == "2026-01-31"
    assert made({"as": "date-time"}, "2026-01-31") == "2026-01-31T00:00:00Z"


def test_a_currency_may_be_one_of_the_options():
    resource = Resource("deals", schema.record({"money": {"type": "string", "x-options": ["EUR", "USD"]}}))
    assert mapper({"money": {"currency": "code"}}, resource=resource)({"money": "€"}) == {"money": "EUR"}
    with pytest.raises(InputError, match='"GBP" is no option; there are: EUR, USD'):
        mapper({"money": {"currency": "code"}}, resource=resource)({"money": "£"})


def test_a_field_of_plain_text_keeps_dates_dates_and_times_times():
    assert made({"format": "%d/%m/%Y"}, "31/01/2026") == "2026-01-31"
    assert made({"source_zone": "UTC"}, "2026-01-31T10:00:00.250") == "2026-01-31T10:00:00.250Z"


@pytest.mark.parametrize(
    "value", ["soon", "31/02/2026", "0001-01-01T00:00:00+14:00", 1e300, "nan", True, "1e999999999", {}]
)
def test_what_is_no_date_is_refused(value):
    assert refused({"format": ["%d/%m/%Y", "epoch"], "target_zone": "Etc/GMT+12"}, value, "at").startswith("at: ")


@given(
    st.datetimes(START, END),
    st.sampled_from(["Pacific/Kiritimati", "America/Adak", "UTC"]),
)
def test_a_local_day_is_never_another_day(moment, zone):
    entry = {"source_zone": zone}
    assert made(entry, moment.isoformat(), "born") == moment.date().isoformat()
    there = moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    back = there.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assume(abs(back - moment) < timedelta(seconds=1))  # a time that was
    assert made(entry, there.isoformat(), "born") == moment.date().isoformat()


# Currencies


def test_a_currency_is_written_as_its_code_or_its_symbol():
    assert [made({"currency": "code"}, word) for word in ("€", "eur", "£", "US$")] == ["EUR", "EUR", "GBP", "USD"]
    assert [made({"currency": "symbol"}, word) for word in ("EUR", "€", "usd", "CHF")] == ["€", "€", "$", "CHF"]


@pytest.mark.parametrize("symbol", ["$", "kr", "¥"])
def test_an_ambiguous_symbol_needs_a_default(symbol):
    assert refused({"currency": "code"}, symbol).startswith(f'name: "{symbol}" may be ')
    assert made({"currency": {"to": "code", "default": ["USD", "SEK", "JPY"]}}, symbol) in {"USD", "SEK", "JPY"}


def test_a_symbol_that_stands_for_another_currency_here_is_not_written():
    assert refused({"currency": {"to": "symbol", "default": "USD"}}, "AUD") == (
        'name: "$" stands for USD, and cannot be written for AUD'
    )
    entry = {"currency": {"to": "symbol", "default": ["USD", "SEK"]}}
    assert [made(entry, word) for word in ("USD", "SEK", "EUR", "A$", "CHF")] == ["$", "kr", "€", "A$", "CHF"]


def test_what_is_no_currency_is_refused():
    assert refused({"currency": "code"}, "doubloons") == 'name: "doubloons" is no currency'


# Texts


def test_texts_are_replaced_in_one_pass_the_longest_first():
    assert made({"replace": {"a": "b", "b": "a", "ab": "-"}}, "a b ab") == "b a -"


@pytest.mark.parametrize(
    "pattern", ["[a-c]", "(?i)[A-C]", "^[a-c]$", "a|b|c", "(a|b|c)", r"(?i)(?s)[abc]", "[一-龥a-c]"]
)
def test_each_character_is_allowed_by_itself(pattern):
    assert made({"allowed": pattern}, "abcab") == "abcab"
    assert 'name: "xy" is not allowed in it' in refused({"allowed": pattern}, "abxcyx")


def test_a_character_that_is_not_allowed_is_named():
    assert refused({"allowed": "[0-9+ ]"}, "+32 (9) x1") == 'name: "()x" is not allowed in it, only [0-9+ ]'
    assert made({"replace": {"(": "", ")": "", "x": ""}, "allowed": "[0-9+ ]"}, "+32 (9) x1") == "+32 9 1"


def test_what_is_too_long_is_refused_or_cut():
    assert refused({"max_length": 3}, "Ghent") == "name: 5 characters are too many, the most is 3"
    assert made({"max_length": 3, "on_too_long": "truncate"}, "Ghent") == "Ghe"


def test_a_text_is_cut_without_the_spaces_around_it_and_never_to_nothing():
    entry = {"max_length": 3, "on_too_long": "truncate"}
    assert [made(entry, text) for text in ("    Alice", "    Al", "Al    ", "\t\n \u00a0x y")] == [
        "Ali",
        "Al",
        "Al",
        "x y",
    ]
    assert made(entry, "      ") == ""


def test_spaces_that_are_too_many_are_refused_as_any_text_where_nothing_is_cut():
    assert refused({"max_length": 5}, " " * 9) == "name: 9 characters are too many, the most is 5"


def test_a_number_is_taken_as_it_is_written():
    assert made({"replace": {"0": "-"}}, 101) == "1-1"
    assert made({"replace": {"7": "-"}}, 101) == 101
    assert refused({"allowed": "[a-z]"}, 12345) == 'name: "12345" is not allowed in it, only [a-z]'
    assert refused({"max_length": 3}, Decimal("1.25")) == "name: 4 characters are too many, the most is 3"
    assert made({"max_length": 2}, Decimal("50.0")) == Decimal("50.0")
    assert made({"allowed": "[0-9]"}, 50.0) == 50.0
    assert made({"replace": {"5": "6"}}, Decimal("5.0")) == "6"
    assert refused({"max_length": 1}, 50.0) == "name: 2 characters are too many, the most is 1"
    assert refused({"max_length": 3}, True) == "name: 4 characters are too many, the most is 3"


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("Zoe\u0308y", 3, "Zo"),
        ("Zoe\u0308y", 4, "Zoe\u0308"),
        ("ab\U0001f1e7\U0001f1ea\U0001f1f3\U0001f1f1", 5, "ab\U0001f1e7\U0001f1ea"),
        ("a\U0001f468\u200d\U0001f469\u200d\U0001f467", 5, "a"),
        ("I \u2764\ufe0f", 3, "I"),
        ("a\U0001f44d\U0001f3fd", 2, "a"),
        ("a\u1112\u1161\u11ab", 3, "a"),
        ("abc", 2, "ab"),
    ],
)
def test_a_text_is_not_cut_within_what_its_readers_take_for_one_character(text, most, cut):
    assert made({"max_length": most, "on_too_long": "truncate"}, text) == cut


def test_a_text_whose_first_character_is_too_long_is_not_cut_to_nothing():
    entry = {"max_length": 1, "on_too_long": "truncate"}
    assert refused(entry, "e\u0308") == "name: 2 characters are too many, the most is 1"


def test_the_api_s_own_length_holds_too():
    assert refused({"max_length": 9}, "123456", "code") == "code: 6 characters are too many, the most is 5"
    assert made({"on_too_long": "truncate"}, "123456", "code") == "12345"


def test_what_the_api_says_of_a_field_within_an_object_holds_too():
    assert refused({"otherwise": "error", "map": {"x": "1234567"}}, "x", "address.zip").startswith(
        "address.zip: 7 characters"
    )
    with pytest.raises(SettingError, match=r'address\.zip: "x" is object and not string'):
        mapper({"address.zip": "x"}, {"x": {"type": "object"}})


def test_characters_and_length_are_told_of_one_field_together():
    strict = mapper({"name": {"allowed": "[0-9]", "max_length": 3}})
    with pytest.raises(InputError) as wrong:
        strict({"name": "a1234"})
    assert str(wrong.value) == (
        'name: "a" is not allowed in it, only [0-9]; name: 5 characters are too many, the most is 3'
    )


def test_everything_that_is_wrong_with_a_record_is_said_at_once():
    strict = mapper(
        {"lead": {"otherwise": "error"}, "born": {"format": "%d/%m/%Y"}, "code": {"from": "c", "max_length": 2}},
        unknown="reject",
    )
    with pytest.raises(InputError) as error:
        strict({"lead": "lost", "born": "soon", "c": "abc", "shoe": 43})
    assert str(error.value) == (
        'lead: "lost" is no option; there are: NEW, OPEN; born: "soon" is no date as %d/%m/%Y; '
        "code: 3 characters are too many, the most is 2; the API has no field that can be written for shoe"
    )


# A record that was mapped, mapped again

texts = st.text("abcXYZ 12;€$é-\u0308\u200d\U0001f1e7\U0001f468", max_size=12)
zones = st.sampled_from(
    ["Europe/Brussels", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Tokyo", "UTC"]
)
zoned = {"source_zone": zones, "target_zone": zones}
stable = st.dictionaries(st.sampled_from("XYZ"), st.text("abc", max_size=3), min_size=1)  # no result is replaced again
currencies = {"currency": {"to": "code", "default": ["USD", "SEK", "JPY", "PKR"]}}
mappings = st.dictionaries(texts, st.sampled_from(["NEW", "Open"])).filter(
    lambda found: len(found) == len({key.strip() for key in found})
)
entries = {
    "name": st.fixed_dictionaries({}, optional={
        "replace": stable, "max_length": st.integers(1, 9), "on_too_long": st.sampled_from(["error", "truncate"]),
        "allowed": st.just("[^é]"),
    }).filter(lambda entry: "on_too_long" not in entry or "max_length" in entry),
    "lead": st.one_of(
        st.fixed_dictionaries({"map": mappings}, optional={
            "otherwise": st.sampled_from(["error", "omit"])
        }),
        st.builds(lambda default: {"otherwise": "default", "default": default}, st.sampled_from(["OPEN", "under way", "new"])),
    ),
    "tags": st.sampled_from([
        {"map": {"a": "NEW"}, "otherwise": "omit"}, {"otherwise": "default", "default": "Brand new;open"},
    ]),
    "born": st.fixed_dictionaries({"format": st.just(["%d/%m/%Y", "epoch-ms"])}, optional=zoned),
    "at": st.fixed_dictionaries({"format": st.just(["%d/%m/%Y", "%d/%m/%Y %H:%M"])}, optional=zoned),
    "code": st.sampled_from([currencies, {"currency": "symbol"}, {"currency": {"to": "symbol", "default": "USD"}}]),
}  # fmt: skip
days = st.dates().map(lambda day: day.strftime("%d/%m/%Y"))
times = st.datetimes(START, END).map(str)
records = st.fixed_dictionaries({}, optional={
    "name": st.one_of(texts, st.integers()), "lead": st.one_of(texts, st.sampled_from(["NEW", "under way"])),
    "tags": st.one_of(texts, st.lists(st.sampled_from(["a", "NEW", "open", "?"]))),
    "born": st.one_of(days, times, st.integers(-(10**11), 10**12)), "at": st.one_of(days, times),
    "code": st.sampled_from([*CODES, *BY_SYMBOL]), "legs": st.integers(), "flag": st.booleans(),
})  # fmt: skip


@given(st.fixed_dictionaries({}, optional=entries), records)
def test_mapping_a_mapped_record_changes_nothing(fields, record):
    again = mapper(fields)
    try:
        once = again(record)
    except InputError:
        return
    assert again(once) == once


# Settings that cannot be


@pytest.mark.parametrize(
    ("field", "entry", "says"),
    [
        ("name", {"from": "x", "max_lenght": 5}, '.name has no setting "max_lenght". Did you mean "max_length"?'),
        ("name", {"from": 5}, ".name.from must be a column's name, not 5"),
        ("name", {"max_length": "5"}, '.name.max_length cannot be "5": it is a number of characters'),
        ("name", {"max_length": 0}, ".name.max_length cannot be 0"),
        ("name", {"on_too_long": "truncate"}, ".name: the API tells no length for it. Give max_length."),
        (
            "name",
            {"max_length": 5, "on_too_long": "cut"},
            '.name.on_too_long cannot be "cut". It is one of: error, truncate.',
        ),
        ("name", {"format": "%m/%d"}, '.name.format cannot be "%m/%d". Give epoch or epoch-ms'),
        ("name", {"format": "%%"}, '.name.format cannot be "%%". Give epoch or epoch-ms'),
        ("name", {"format": "%d %d %Y"}, '.name.format cannot be "%d %d %Y". Give epoch or epoch-ms'),
        ("name", {"format": "%d/%m/%Y | %Y"}, '.name.format cannot be "%d/%m/%Y | %Y". Give epoch or epoch-ms'),
        ("name", {"allowed": ""}, ".name.allowed is empty: then nothing would be allowed. Give one for a single"),
        (
            "lead",
            {"map": {"a": "NEW", "a ": "OPEN"}},
            '.lead.map has "a" twice, for spaces around a value do not count',
        ),
        *(
            (
                "name",
                {"allowed": pattern},
                f'.name.allowed cannot be "{pattern}": it is for no single character, or for more. Give',
            )
            for pattern in ("A+", "[a-z]*", "0-9+ ", "ab", "ab?", "ab|c", "^[a-z]+$", "[0-9]{4}", "^", "x?")
        ),
        ("name", {"allowed": 5}, '.name.allowed cannot be "5": '),
        ("name", {"allowed": "[a-"}, '.name.allowed cannot be "[a-": '),
        ("name", {"replace": ["a"]}, '.name.replace cannot be ["a"]: it is an object'),
        ("name", {"replace": {"a": 1}}, '.name.replace cannot be {"a":1}'),
        (
            "name",
            {"format": "dd/mm"},
            '.name.format cannot be "dd/mm". Give epoch or epoch-ms, or one such as %d/%m/%Y.',
        ),
        (
            "name",
            {"source_zone": "Brussels"},
            '.name.source_zone: there is no time zone "Brussels". For example: Europe/Brussels.',
        ),
        ("name", {"source_zone": "../../etc/passwd"}, ".name.source_zone: there is no time zone"),
        ("name", {"currency": "sign"}, '.name.currency.to cannot be "sign". It is one of: code, symbol.'),
        (
            "name",
            {"currency": {"default": ["USD", "EUR", "AUD"]}},
            '.name.currency.default: "$" would be both USD and AUD. Name one of them.',
        ),
        ("name", {"currency": {"default": "US"}}, '.name.currency.default: "US" is no code of a currency'),
        ("name", {"otherwise": "omit"}, ".name: the API lists no options for it. Give a map of values."),
        (
            "lead",
            {"otherwise": "skip"},
            '.lead.otherwise cannot be "skip". It is one of: error, default, omit, create.',
        ),
        ("lead", {"otherwise": "default"}, ".lead: default and otherwise: default need each other. Give default, or "),
        ("lead", {"default": "NEW"}, ".lead: default and otherwise: default need each other. Leave default out, or "),
        ("lead", {"map": {"a": "NWE"}}, '.lead: "NWE" is no option of the API. Did you mean "NEW"?'),
        ("lead", {"map": "NEW"}, '.lead.map cannot be "NEW": it is an object'),
        ("lead", {"const": "LOST"}, '.lead: "LOST" is no option of the API. There are: NEW, OPEN.'),
        ("lead", {"otherwise": "create"}, ".lead.otherwise: there is no way to add an option through this API"),
        (
            "name",
            {"map": {"a": "b"}, "currency": "code"},
            ".name: a map and a date or currency do not go together. Use replace.",
        ),
        ("name", {"as": "day"}, '.name.as cannot be "day". It is one of: date, date-time.'),
        ("born", {"as": "date-time"}, '.born.as cannot be "date-time": the field holds a date'),
        ("legs", {"format": "%Y"}, ".legs: dates are set for it, and it holds integer"),
        ("address.town", "x", ".address.town: address has no town. There are: city, zip."),
        ("name.first", "x", ".name.first: things has no such field"),
        (
            "id",
            "x",
            ".id: the API does not let anyone write it. Leave it out of fields; if records are to be found by it",
        ),
        ("adress.city", "x", '.adress.city: things has no such field. Did you mean "address"?'),
    ],
)
def test_a_setting_that_cannot_be_is_one_line_with_its_place(field, entry, says):
    with pytest.raises(SettingError) as error:
        mapper({field: entry})
    assert str(error.value).startswith(f"{WHERE}.fields{says}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("field", "column", "says"),
    [
        (
            "name",
            {"type": "object", "properties": {"first": {}}},
            '.name: "x" is object and not string. Take a part of it, such as "x.first".',
        ),
        ("name", {"type": "object"}, '.name: "x" is object and not string. Map another column to it, or none.'),
        ("legs", {"type": ["array", "null"]}, '.legs: "x" is array and not integer'),
        ("born", {"type": "boolean"}, '.born: "x" is boolean and not date'),
        ("address", {"type": "integer"}, '.address: "x" is integer and not object'),
    ],
)
def test_a_column_of_a_type_that_the_field_cannot_hold_is_refused_at_the_schema(field, column, says):
    with pytest.raises(SettingError) as error:
        mapper({field: "x"}, {"x": column})
    assert str(error.value).startswith(f"{WHERE}.fields{says}")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("y", ': the stream has no column "y". There are: x.'),
        ("x.town", ': there is no "x.town" in the stream. There are: city.'),
    ],
)
def test_a_column_that_is_not_there_is_refused_at_the_schema(source, says):
    with pytest.raises(SettingError) as error:
        mapper({"name": source}, {"x": {"type": "object", "properties": {"city": {"type": "string"}}}})
    assert str(error.value) == f"{WHERE}.fields.name{says}"


def test_columns_of_the_types_that_fit_are_taken():
    mapper(
        {
            "name": "i",
            "legs": "s",
            "lead": {"from": "b", "map": {"true": "NEW"}},
            "tags": {"from": "l", "otherwise": "omit"},
        },
        {"i": {"type": "integer"}, "s": {"type": ["null", "string"]}, "b": {"type": "boolean"}, "l": {"type": "array"}},
    )


# What is added in the API


@pytest.fixture
def growing(account):
    """Return what makes a mapper of HubSpot's contacts that may add to them."""
    contacts = account.client.resource("contacts")

    def make(fields=None, columns=None, **more):
        growth = Growth(account.client, contacts)
        made = Mapper(
            Fields(fields or {}, where=WHERE, **more),
            contacts,
            account.client.schema(contacts),
            where="x",
            growth=growth,
        )
        if columns:
            made.check(columns)
        return made

    return make


def test_a_new_column_becomes_a_field_of_its_type(account, growing):
    columns = {
        "shoe_size": {"type": ["integer", "null"]},
        "vip": {"type": "boolean"},
        "met": {"type": "string", "format": "date-time"},
    }
    adding = growing(columns=columns, unknown="create")
    assert adding({"shoe_size": 43, "vip": True}) == {"shoe_size": 43, "vip": True}
    known = account.client.schema(account.client.resource("contacts"))["properties"]
    assert schema.types(known["shoe_size"]) == ("number",)
    assert schema.types(known["vip"]) == ("boolean",)
    assert known["met"]["format"] == "date-time"


def test_a_record_with_a_new_column_lands(account):
    columns = {"email": {"type": "string"}, "shoe_size": {"type": "integer"}}
    writer = account.writer(columns=columns, fields=Fields(unknown="create"))
    assert [o.kind for o in writer.write([{"email": "a@example.org", "shoe_size": 43}])] == ["created"]
    assert account.shown("contacts", "shoe_size") == [{"shoe_size": "43"}]


def test_a_name_that_the_api_does_not_take_is_refused_with_its_words(growing):
    with pytest.raises(
        SettingError, match=r'^target-zoo: streams\.things\.unknown: adding the field "Shoe Size": .*lower-case'
    ):
        growing(columns={"Shoe Size": {"type": "integer"}}, unknown="create")


def test_the_hint_for_such_a_name_leads_to_a_field(account, growing):
    columns = {
        "Shoe Size": {"type": "integer"},
        "address": {"type": "object", "properties": {"town": {"type": "string"}}},
    }
    with pytest.raises(SettingError) as refused:
        growing(columns={"Shoe Size": columns["Shoe Size"]}, unknown="create")
    assert refused.value.hint == 'Name it in fields: {"shoe_size": "Shoe Size"}.'
    fields = {"shoe_size": "Shoe Size", "birth_town": {"from": "address.town", "max_length": 9}}
    adding = growing(fields, columns, unknown="create")
    assert adding({"Shoe Size": 43, "address": {"town": "Ghent"}}) == {"shoe_size": 43, "birth_town": "Ghent"}
    known = account.client.schema(account.client.resource("contacts"))["properties"]
    assert (schema.types(known["shoe_size"]), schema.types(known["birth_town"])) == (("number",), ("string",))
    again = growing(fields, columns, unknown="create")
    assert again({"Shoe Size": 44}) == {"shoe_size": 44}


def test_no_field_is_added_where_another_of_them_cannot_be_called_so(account, growing):
    columns = {"Shoe Size": {"type": "integer"}, "hat_size": {"type": "integer"}, "Other Col": {"type": "string"}}
    with pytest.raises(SettingError, match=r'unknown: adding the field "Other Col": .*lower-case'):
        growing({"shoe_size": "Shoe Size"}, columns, unknown="create")
    with pytest.raises(SettingError, match=r"no column|has no such field|is array"):
        growing({"shoe_size": "Shoe Size", "toes": "t"}, {**columns, "t": {"type": "array"}}, unknown="create")
    assert not [path for method, path in account.app.calls if method == "POST" and "properties" in path]


@pytest.mark.parametrize(
    ("fields", "columns", "says"),
    [
        ({"fristname": "x"}, {"x": {}}, '.fristname: contacts has no such field. Did you mean "firstname"?'),
        ({"shoe_size": "x"}, {"y": {}}, ".shoe_size: contacts has no such field"),
        ({"shoe_size": "x"}, ["x"], ".shoe_size: contacts has no such field"),
        ({"shoe_size": {"const": 4}}, {"y": {}}, ".shoe_size: contacts has no such field"),
        ({"shoe.size": "x"}, {"x": {}}, ".shoe.size: contacts has no such field"),
        (
            {"shoes": "x"},
            {"x": {"type": ["array", "null"]}},
            '.shoes: "x" is array, for which no field is added. Map a',
        ),
    ],
)
def test_a_field_that_is_not_to_be_added_is_refused(account, growing, fields, columns, says):
    with pytest.raises(SettingError) as error:
        growing(fields, columns, unknown="create")
    assert str(error.value).startswith(f"{WHERE}.fields{says}")
    assert not [path for method, path in account.app.calls if method == "POST" and "properties" in path]


def test_no_field_is_added_for_what_has_parts(account, growing, caplog):
    columns = {
        "notes_of": {"type": ["array", "null"]},
        "home": {"type": ["object", "string"]},
        "shoe_size": {"type": "integer"},
    }
    adding = growing(columns=columns, unknown="create")
    assert adding({"notes_of": ["a"], "home": {}, "shoe_size": 4}) == {"shoe_size": 4}
    said = [line for line in map(str, (record.getMessage() for record in caplog.records)) if "not written" in line]
    assert said == [
        'x: column "notes_of" is not written: no field is added for what is array',
        'x: column "home" is not written: no field is added for what is object',
    ]


def test_a_new_option_is_added_once(account, growing):
    adding = growing({"hs_lead_status": {"from": "status", "otherwise": "create"}})
    for _ in range(2):
        assert adding({"status": "SLEEPING"}) == {"hs_lead_status": "SLEEPING"}
    [again] = [growing({"hs_lead_status": {"otherwise": "error"}})]
    assert again({"hs_lead_status": "SLEEPING"}) == {"hs_lead_status": "SLEEPING"}
    assert sum(n for (method, _), n in account.app.calls.items() if method == "PATCH") == 1


def test_values_that_are_one_to_readers_become_one_option_and_an_empty_one_none(account, growing):
    adding = growing({"hs_lead_status": {"from": "status", "otherwise": "create"}})
    before = account.client.schema(account.client.resource("contacts"))["properties"]["hs_lead_status"]["x-options"]
    words = ["Brand New é", "brand  new É", "BRAND NEW e\u0301 ", " ", "", "in progress"]
    found = [adding({"status": word})["hs_lead_status"] for word in words]
    assert found == ["Brand New é"] * 3 + ["", "", "IN_PROGRESS"]
    for word in ("x" * 300, "a\x1bb"):
        with pytest.raises(InputError, match=r"hs_lead_status: .* option"):
            adding({"status": word})
    another = growing({"hs_lead_status": {"from": "status", "otherwise": "create"}})
    adding({"status": "Later"})
    assert another({"status": "later"}) == {"hs_lead_status": "Later"}
    after = account.client.schema(account.client.resource("contacts"))["properties"]["hs_lead_status"]["x-options"]
    assert after == [*before, "Brand New é", "Later"]


def test_several_new_options_of_one_record_are_each_added_once(account, growing):
    contacts = account.client.schema(account.client.resource("contacts"))["properties"]
    field = next(name for name, known in contacts.items() if known.get("x-several") and known.get("x-options"))
    adding = growing({field: {"from": "words", "otherwise": "create"}})
    assert adding({"words": "Red; red;Blue"}) == {field: "Red;Blue"}
    assert adding({"words": ["RED", "blue"]}) == {field: "Red;Blue"}
    with pytest.raises(InputError, match='"a;b" cannot be an option: ";" stands between options'):
        adding({"words": ["a;b"]})


def test_a_record_that_is_refused_adds_no_option(account, growing):
    adding = growing({"hs_lead_status": {"from": "status", "otherwise": "create"}, "city": {"max_length": 1}})
    with pytest.raises(InputError, match=r"^city: 5 characters"):
        adding({"status": "SLEEPING", "city": "Ghent"})
    assert not [method for method, _ in account.app.calls if method == "PATCH"]


def test_an_option_that_the_api_refuses_refuses_the_record(growing, monkeypatch):
    adding = growing({"hs_lead_status": {"from": "status", "otherwise": "create"}})
    monkeypatch.setattr("antiphon.client.Client.call", lambda *_, **__: (_ for _ in ()).throw(Refused("hubspot: no")))
    with pytest.raises(InputError, match='hs_lead_status: adding the option "X": hubspot: no'):
        adding({"status": "X"})


def test_an_api_without_a_way_to_add_fields_says_so():
    with pytest.raises(SettingError, match=r"streams\.things\.unknown: there is no way to add a field to things"):
        mapper({}, unknown="create")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("aNE[%dW(;é", max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aNEW", max_size=4), inner, max_size=3),
    max_leaves=5,
)
settings_of_a_field = (
    st.dictionaries(st.sampled_from(sorted(ENTRY_SCHEMA["properties"])), anything, max_size=4) | anything
)
values = st.dictionaries(st.sampled_from(["x", "name", "lead", "born", "tags", "address"]), anything, max_size=4)


@settings(max_examples=400)
@given(st.sampled_from(["name", "lead", "tags", "born", "code", "address.city", "legs"]), settings_of_a_field, values)
def test_whatever_the_settings_and_the_values_are_all_ends_in_one_line(field, entry, record):
    said = ""
    try:
        mapper({field: entry}, {"x": {}, field.partition(".")[0]: {}})(record)
    except (SettingError, InputError) as error:
        said = str(error)
    assert "\n" not in said
