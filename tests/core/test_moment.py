from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon import moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("2026-01-31T09:05:00Z", "2026-01-31T09:05:00Z"),
        ("2026-01-31T09:05:00.000Z", "2026-01-31T09:05:00Z"),
        ("2026-01-31T09:05:00.120Z", "2026-01-31T09:05:00.120Z"),
        ("2026-01-31T09:05:00.123456Z", "2026-01-31T09:05:00.123456Z"),
        ("2026-01-31T09:05:00.123456789Z", "2026-01-31T09:05:00.123456Z"),
        ("2026-01-31T09:05:00+02:00", "2026-01-31T07:05:00Z"),
        ("2026-01-31T09:05:00-0330", "2026-01-31T12:35:00Z"),
        ("2026-01-31t09:05:00z", "2026-01-31T09:05:00Z"),
        ("2026-01-31 09:05:00", "2026-01-31T09:05:00Z"),
        ("  2026-01-31  ", "2026-01-31T00:00:00Z"),
        ("20260131", "2026-01-31T00:00:00Z"),
        (date(2026, 1, 31), "2026-01-31T00:00:00Z"),
        (datetime(2026, 1, 31, 9, 5), "2026-01-31T09:05:00Z"),  # noqa: DTZ001
        (datetime(2026, 1, 31, 9, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T07:05:00Z"),
        (1769850300, "2026-01-31T09:05:00Z"),
        ("1769850300", "2026-01-31T09:05:00Z"),
        (1769850300.5, "2026-01-31T09:05:00.500Z"),
        (Decimal("1769850300.123456"), "2026-01-31T09:05:00.123456Z"),
        (1769850300123, "2026-01-31T09:05:00.123Z"),
        ("1769850300123", "2026-01-31T09:05:00.123Z"),
        ("253402300799999", "9999-12-31T23:59:59.999Z"),
        ("-62135596800000", "0001-01-01T00:00:00Z"),
        ("Sat, 31 Jan 2026 09:05:00 GMT", "2026-01-31T09:05:00Z"),
        ("Saturday, 31-Jan-26 09:05:00 GMT", "2026-01-31T09:05:00Z"),
        ("Sat Jan 31 09:05:00 2026", "2026-01-31T09:05:00Z"),
        ("Sat, 31 Jan 2026 09:05:00 -0000", "2026-01-31T09:05:00Z"),
    ],
)
def test_whatever_an_api_writes_is_told_in_rfc_3339_and_utc(value, read):
    assert moment.rfc3339(value) == read


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "soon", "2026-13-01", "12:00", [], {}, {"a": 1, "b": 2}, "1e400", "nan", "inf", 10**30, "9" * 400,
     "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "Mon, 99 Foo 2020", "--123456789", "-" * 20],
)  # fmt: skip
def test_what_names_no_moment_is_a_value_error(value):
    with pytest.raises(ValueError):
        moment.parse(value)


@given(
    st.text()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.from_regex(r"-?[0-9]{6,20}(\.[0-9]{0,9})?", fullmatch=True)
)
def test_nothing_but_a_value_error_ever_comes_of_junk(value):
    with suppress(ValueError):
        assert moment.parse(value).tzinfo is UTC


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.timezones()))  # noqa: DTZ001
def test_a_moment_written_and_read_again_is_the_same_moment(value):
    written = moment.rfc3339(value)
    assert moment.parse(written) == value.astimezone(UTC)
    assert written.endswith("Z")


@given(st.integers(10**11, 253402300799999))
@example(253402300799999)
def test_milliseconds_since_the_epoch_lose_nothing(ms):
    assert moment.parse(str(ms)) - EPOCH == timedelta(milliseconds=ms)
    assert moment.written(moment.rfc3339(ms), "ms") == ms


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("iso", "2026-01-31T09:05:00.999999Z"),
        ("s", 1769850300),
        ("ms", 1769850300999),
        ("%Y-%m-%d %H:%M", "2026-01-31 09:05"),
    ],
)
def test_a_request_never_asks_from_later_than_was_meant(form, asked):
    assert moment.written("2026-01-31T09:05:00.999999Z", form) == asked


def test_now_is_now():
    assert abs(moment.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert moment.parse(moment.EPOCH) == EPOCH


# What a request asks for

AT = "2026-01-31T09:05:00.123456Z"


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("iso", "2026-01-31T09:04:59.123456Z"),
        ("s", 1769850299),
        ("ms", 1769850300122),
        ("ms-text", "1769850300122"),
        ("%Y-%m-%dT%H:%M:%S.%fZ", "2026-01-31T09:05:00.123455Z"),
        ("%d.%m.%Y %H:%M:%S", "31.01.2026 09:04:59"),
    ],
)
def test_of_an_api_that_gives_later_ones_alone_a_tick_earlier_is_asked(form, asked):
    assert moment.written(AT, form, strict=True) == asked


def test_the_date_of_http_is_english_and_gmt():
    assert moment.written(AT, "http") == "Sat, 31 Jan 2026 09:05:00 GMT"


@pytest.mark.parametrize(
    ("at", "zone", "asked"),
    [
        ("2026-01-31T09:05:00Z", "Europe/Berlin", "2026-01-31 10:05"),
        ("2026-07-31T23:05:00Z", "Europe/Berlin", "2026-08-01 01:05"),
        ("2026-07-31T00:00:00Z", "Asia/Kolkata", "2026-07-31 05:30"),
        ("2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-25 01:30"),  # 02:30 comes twice
        ("2026-10-25T01:30:00Z", "Europe/Berlin", "2026-10-25 01:30"),
        ("2026-10-25T02:30:00Z", "Europe/Berlin", "2026-10-25 03:30"),
    ],
)
def test_local_time_is_never_later_than_was_meant(at, zone, asked):
    assert moment.written(at, "%Y-%m-%d %H:%M", zone) == asked


def test_an_offset_says_which_hour_is_meant():
    assert moment.written("2026-10-25T01:30:00Z", "%H:%M%z", "Europe/Berlin") == "02:30+0100"


def test_a_zone_that_nobody_knows_is_none():
    assert moment.is_zone("Europe/Berlin")
    assert not any(moment.is_zone(name) for name in ("Europe/Nowhere", "", "../etc/passwd"))


def test_a_moment_may_be_told_part_by_part():
    whole = {
        "__class__": "datetime",
        "year": 2026,
        "month": 1,
        "day": 31,
        "hour": 9,
        "minute": 5,
        "second": 7,
        "microsecond": 189686,
    }
    assert moment.rfc3339(whole) == "2026-01-31T09:05:07.189686Z"
    assert moment.rfc3339({"year": 2026, "month": 1, "day": 31}) == "2026-01-31T00:00:00Z"
    for wrong in ({}, {"year": 2026}, {"year": 2026, "month": 13, "day": 1}, {"year": "x", "month": 1, "day": 1}):
        with pytest.raises(ValueError):
            moment.parse(wrong)
