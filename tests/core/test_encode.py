"""Pages written as they come mean what their records, decoded one and all, would have meant."""

import contextlib
import itertools
import json
import logging
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
import requests_mock
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Query, Read, Reply, Resource
from antiphon.encode import Encoder, lines, wrapped
from antiphon.errors import BadReply, PagingError
from antiphon.layout import Layout, written
from antiphon.pages import _lines
from antiphon.paging import Cursor, Keyset, Offset, Page
from antiphon.sent import Sent
from antiphon.shape import NATIVE, Shape

from .tiny import URL, a_client, an_api, mounted, people

ENVELOPE = (b'{"type":"RECORD","record":', b',"time":1}')
NAMES = ["name", "größe", "flag", "count", "price", "born", "seen", "more", "list", "owner", "owner_name", "x y", "any"]
WORDS = ["string", "integer", "number", "boolean", "date", "date-time", "object", "array", "any"]
TIMES = st.sampled_from(
    [
        "2026-01-31T09:05:00Z",
        "2026-01-31T09:05:00.123Z",
        "2026-01-31T09:05:00.000Z",
        "2026-01-31T10:05:00+01:00",
        "2026-01-31",
        "",
        1769850300,
        "soon",
    ]
)
NUMBERS = st.sampled_from(
    [
        "",
        "0",
        "7",
        "007",
        "-0",
        "1.50",
        "1e3",
        "1E400",
        "9007199254740993.0",
        " 5 ",
        "1_0",
        "NaN",
        "sNaN",
        "-Infinity",
        "x",
    ]
)
FLAGS = st.sampled_from(["true", "TRUE", "0", "-0", "1", "yes", "no", "null", "", True, False, 1, 2])
RAW = st.sampled_from([b"1.10000000000000000000000001", b"123456789012345678901234567890", b"1e400", b"42.0"])
TEXT = st.text(max_size=5)
VALUES = st.one_of(
    st.none(), TIMES, NUMBERS, FLAGS, st.integers(), TEXT, st.sampled_from(["NaN", '{"a":1}\n{', "antiphon:joint"]),
    st.tuples(st.integers(), TEXT), st.lists(st.integers() | st.none(), max_size=2),
    st.dictionaries(st.sampled_from(NAMES), st.integers() | st.booleans() | TEXT, max_size=2),
    RAW.map(msgspec.Raw),
)  # fmt: skip


def page_of(rows, path, indent):
    """Return the body of a page: numbers as they were drawn, indented or not."""
    body = rows
    for part in reversed(path.split(".") if path else []):
        body = {"before": 1, part: body, "next": {"after": "7"}}
    return msgspec.json.format(msgspec.json.encode(body), indent=indent)


@st.composite
def cases(draw):
    """Draw a schema, a selection, a shape and pages."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=8))
    words = {"id": draw(st.sampled_from(["integer!", "string!"])), "updated": "date-time"}
    words |= {name: draw(st.sampled_from(WORDS)) for name in names}
    lift = draw(st.sampled_from([(), ("properties",), ("properties", "attributes")]))
    read = Read(
        "/x",
        records=draw(st.sampled_from(["", "results", "data.items"])),
        lift=lift,
        text=draw(st.booleans()),
        nulls=draw(st.sampled_from([(), (False,), ("",), (False, 0)])),
        pairs="" if lift else draw(st.sampled_from(["", "_name"])),
        keep=draw(st.sampled_from([{}, {}, {}, {"owner": "{parent.id}"}, {"more": "{record.id}"}])),
        paging=draw(st.sampled_from([None, Cursor("next.after", "after"), Keyset()])),
    )
    chosen = [name for name in words if name == "id" or draw(st.integers(0, 4))]
    regular = draw(st.booleans())  # one page like the next, as from a real server
    places = {name: draw(st.sampled_from([*lift, ""])) for name in [*words, "unknown"]}
    likely = {name: _likely(word) for name, word in words.items()}

    def row(number):
        made = {"id": number if words["id"] == "integer!" else str(number)}
        for name in [*words, "unknown"]:
            if name == "id" or not draw(st.integers(0, 5)):
                continue
            value = draw(likely[name] if regular and name in likely else VALUES)
            place = places[name] if regular else draw(st.sampled_from([*lift, ""]))
            if place:
                made.setdefault(place, {})[name] = value
            else:
                made[name] = value
        return made

    pages = [[row(10 * page + number) for number in range(1, 1 + draw(st.integers(0, 4)))] for page in range(3)]
    indent = draw(st.sampled_from([-1, 0, 2]))
    made_of_others = "more" in read.keep
    fits = regular and not made_of_others and not (read.pairs and read.keep)
    return words, read, chosen, [page_of(rows, read.records, indent) for rows in pages], fits


def _likely(word):
    by_word = {
        "date-time": TIMES,
        "number": st.sampled_from(["", "7", "1.50", None]),
        "boolean": st.sampled_from(["true", "false", "-0", None]),
    }
    return by_word.get(word.rstrip("!"), VALUES)


def meaning(text):
    """Return what lines of JSON say; a number is what it is worth, however it is written."""
    return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in text.splitlines()]


def ordinary(read, described, chosen, body, values):
    """Return the records as they are when each is decoded."""
    found = Reply(200, {}, body, "u").json()
    for part in read.records.split(".") if read.records else []:
        found = found[part]
    shaped = Shape(read, described)
    return [shaped(row) for row in _lines(read, found, values)]


@settings(max_examples=400, deadline=None)
@given(cases())
def test_what_both_ways_write_means_the_same(case):
    words, read, chosen, bodies, fits = case
    described = schema.record(words)
    resource = Resource("things", described, updated="updated")
    encoder = Encoder(resource, described, chosen)
    values = {"parent": {"id": "false"}}
    for body in bodies:
        reply = Reply(200, {}, body, "u")
        due = ordinary(read, described, chosen, body, values)
        rows = encoder.rows(read, [reply], values)
        if rows is None:
            assert not fits
            continue
        assert rows.count == len(due) == len(rows.came)
        assert list(rows.keys) == [Sent(resource).key(record) for record in due]
        assert list(rows.changed) == [record.get("updated") for record in due]
        sent = [{name: value for name, value in record.items() if name in chosen} for record in due]
        assert meaning(wrapped(rows.records, ENVELOPE)) == meaning(lines(sent, ENVELOPE))
        whole = Reply(200, {}, body, "u")
        if read.paging:
            first = read.paging.first()
            found = whole.json()
            for part in read.records.split(".") if read.records else []:
                found = found[part]
            if read.records or not isinstance(read.paging, Cursor):
                assert read.paging.following(first, rows.around, rows.came) == read.paging.following(
                    first, whole, found
                )


PAGINGS = {
    "after": Cursor("next", "after"),
    "page": Page("page", 0, overlap=False),
    "offset": Offset(overlap=False),
    "offset that overlaps": Offset(size=("limit", 5)),
    "page that overlaps": Page("page", 0, ("size", 5)),
}


def served(pages):
    """Answer with *pages*, one after the other; where records are asked for by their number, with those of all."""
    every = [row for page in pages for row in page]

    def answer(request, _context):
        asked = {name: int(values[0]) for name, values in request.qs.items()}
        number = asked.get("after", asked.get("page", 0))
        if "offset" in asked or "size" in asked:
            size = asked.get("limit", asked.get("size", 3))
            start = asked.get("offset", number * size)
            rows = every[start : start + size]
        else:
            rows = pages[number] if number < len(pages) else []
        return {"rows": rows, "next": number + 1 if number + 1 < len(pages) else None}

    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", f"{URL}/people", json=answer)
    return mounted(adapter)


def walked(resource, pages, *, fast):
    """Return what came of each page, its records and its cursor, or the error that it ended in."""
    client, encoder = a_client(an_api(resource), session=served(pages)), None
    if fast:
        encoder = Encoder(resource, resource.schema, tuple(resource.schema["properties"]))
    try:
        read = list(client.read(resource, Query(encoder=encoder)))
    except PagingError as error:
        return str(error)
    assert all(page.written for page in read) or not fast
    return [
        (meaning(page.written.records) if page.written else [dict(row) for row in page.records], page.cursor)
        for page in read
    ]


few = st.fixed_dictionaries(
    {"id": st.integers(1, 12)}, optional={"updated": st.sampled_from(["2026-01-31T09:05:00Z", "2026-02-01T09:05:00Z"])}
)


@pytest.mark.parametrize("kind", PAGINGS)
@settings(max_examples=60, deadline=None)
@given(pages=st.lists(st.lists(few, max_size=6), min_size=1, max_size=6))
def test_a_list_that_repeats_itself_comes_alike_both_ways(kind, pages):
    resource = people(read=Read("/people", records="rows", paging=PAGINGS[kind]))
    assert walked(resource, pages, fast=True) == walked(resource, pages, fast=False)


def test_pages_with_nothing_new_end_a_list_only_in_a_row():
    pages = [[{"id": 1}], *([{"id": number}] if number % 2 else [{"id": 1}] for number in range(2, 150))]
    resource = people(read=Read("/people", records="rows", paging=PAGINGS["page"]))
    read = walked(resource, pages, fast=True)
    assert read == walked(resource, pages, fast=False)
    assert len(read) == 150


@pytest.mark.parametrize(
    ("rank", "said"),
    [
        (b"9" * 5000, "a whole number with too many digits to be read"),
        (b"1e99999999999999999999", "a number whose exponent is too long to be read"),
        (b"1e-99999999999999999999", "a number whose exponent is too long to be read"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_a_key_that_cannot_be_read_is_an_error_of_the_list_told_in_one_line(fast, rank, said):
    answers = [b'{"rows":[{"id":1,"rank":1}]}', b'{"rows":[{"id":2,"rank":%s}]}' % rank]
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", f"{URL}/people", [{"content": body} for body in answers])
    resource = people(read=Read("/people", records="rows", paging=Keyset("rank", param="after")))
    client = a_client(an_api(resource), session=mounted(adapter))
    encoder = Encoder(resource, resource.schema, ("id",)) if fast else None
    pages = client.read(resource, Query(encoder=encoder))
    assert next(pages).cursor == {"last": 1}
    with pytest.raises(
        BadReply,
        match=rf"^tiny: reading people -> {said}. The server is at fault.$",
    ):
        next(pages)


def test_what_is_read_of_a_page_is_what_its_own_paging_looks_at():
    """Two lists of one shape share a layout; the cursor of one stands within its records."""
    body = b'{"rows":[{"id":1,"more":"7"}],"next":"8"}'
    beside = Read("/x", records="rows", paging=Cursor("next", "after"))
    within = Read("/y", records="rows", paging=Cursor("rows.0.more", "after"))
    described = schema.record({"id": "integer!"})
    encoder = Encoder(Resource("things", described), described, ("id",))
    for read, due in ((beside, {"after": "8"}), (within, {"after": "7"}), (beside, {"after": "8"})):
        rows = encoder.rows(read, [Reply(200, {}, body, "u")], {})
        assert read.paging.following({}, rows.around, rows.came) == due


def taken(read, words, *bodies, chosen=None, **values):
    """Return what an encoder makes of each of *bodies*."""
    described = schema.record({"id": "integer!", **words})
    resource = Resource("things", described, updated="updated" if "updated" in words else "")
    encoder = Encoder(resource, described, chosen or tuple(described["properties"]))
    return [encoder.rows(read, [Reply(200, {}, body, "u")], values) for body in bodies]


HUB = Read("/x", records="results", lift=("properties",), text=True)
HUB_WORDS = {"email": "string", "amount": "number", "happy": "boolean", "updated": "date-time", "born": "date-time"}


def hub(**properties):
    row = {"id": 1, "properties": properties, "updated": "2026-01-31T09:05:00.123Z", "archived": False}
    return msgspec.json.encode({"results": [row], "paging": {"next": {"after": "1"}}})


def test_lifted_fields_and_numbers_written_as_text_go_as_bytes():
    [rows] = taken(HUB, HUB_WORDS, hub(email="a@b.c", amount="1.50", happy="true", hidden="x"))
    assert rows.records == (
        b'{"id":1,"updated":"2026-01-31T09:05:00.123Z","email":"a@b.c","amount":1.50,"happy":true}\n'
    )


def test_a_field_that_comes_late_is_learned():
    first, second = taken(HUB, HUB_WORDS, hub(email="a"), hub(email="b", born="2026-01-31T00:00:00.000Z"))
    assert b"born" not in first.records
    assert meaning(second.records)[0]["born"] == "2026-01-31T00:00:00Z"


@pytest.mark.parametrize("odd", ["", "yes", "+5", "NaN", "-Infinity", "9" * 5000])
def test_an_odd_value_does_not_end_it(odd):
    first, second = taken(HUB, HUB_WORDS, hub(amount="1", happy="true"), hub(amount=odd, happy=odd))
    assert first is not None
    [row] = meaning(second.records)
    assert row["amount"] == (int(odd) if odd == "+5" else None)
    assert row["happy"] is (True if odd == "yes" else None)


@pytest.mark.parametrize("convert", NATIVE)
def test_what_a_decoder_reads_from_text_the_shape_reads_alike(convert):
    decode = msgspec.json.Decoder(NATIVE[convert], strict=False, float_hook=Decimal).decode
    short = ("".join(signs) for length in range(1, 5) for signs in itertools.product("01-+. eEn", repeat=length))
    read = {}
    for text in [*short, "true", "True", "FALSE", "null", "None"]:
        with contextlib.suppress(msgspec.ValidationError):
            read[text] = decode(msgspec.json.encode(text))
    assert {"0", "1"} <= read.keys()
    assert {text: read_by(convert, text) for text in read} == read


def read_by(convert, text):
    try:
        return convert(text)
    except (ValueError, ArithmeticError):
        return None


def test_only_the_field_with_an_odd_value_is_read_in_python_from_then_on():
    described = schema.record({"id": "integer!", **HUB_WORDS})
    layout = Layout(("results",), Shape(HUB, described), described, tuple(described["properties"]), ["id"], ())
    layout.taken(hub(amount="1", happy="true"), {})
    assert layout.native == {"amount", "happy"}
    layout.taken(hub(amount="", happy="false"), {})
    assert layout.native == {"happy"}


def test_a_page_is_what_it_was_taken_for_whatever_is_learned_in_another_thread_meanwhile():
    described = schema.record({"id": "integer!", **HUB_WORDS})
    layout = Layout(("results",), Shape(HUB, described), described, tuple(described["properties"]), ["id"], ())
    first = layout.taken(hub(email="a", amount="1"), {})
    more = {"total": 1, "at": {"next": 2}}
    second = layout.taken(
        hub(amount="", born="2026-01-31T00:00:00.000Z")[:-1] + b"," + msgspec.json.encode(more)[1:], {}
    )
    assert first.around() == {"results": {}, "paging": {"next": {"after": "1"}}}
    assert second.around() == first.around() | more
    one, other = (msgspec.json.decode(page.text()) for page in (first, second))
    assert (one["email"], one["amount"]) == ("a", 1)
    assert (other["amount"], other["born"]) == (None, "2026-01-31T00:00:00Z")


def test_a_name_beside_the_records_that_comes_late_is_learned():
    first, second = taken(
        replace(HUB, paging=Cursor("paging.next.after", "after")),
        HUB_WORDS,
        b'{"results":[{"id":1,"properties":{}}]}',
        b'{"results":[{"id":2,"properties":{}}],"paging":{"next":{"after":"2"}},"total":1.5}',
    )
    assert first.around.json() == {"results": {}}
    assert second.around.json() == {"results": {}, "paging": {"next": {"after": "2"}}, "total": Decimal("1.5")}


def test_names_beside_the_records_that_are_data_do_no_harm():
    bodies = [
        msgspec.json.encode({f"{page}-{name}": name for name in range(40)} | {"results": [{"id": page}], "next": page})
        for page in range(1, 7)
    ]
    pages = taken(Read("/x", records="results", paging=Cursor("next", "after")), {}, *bodies)
    assert [page.records for page in pages] == [b'{"id":%d}\n' % page for page in range(1, 7)]
    assert [Cursor("next").following({}, page.around, page.came) for page in pages] == [
        {"after": page} for page in range(1, 7)
    ]


def test_a_key_may_be_one_that_the_parent_gives():
    read = Read("/x", keep={"owner": "{parent.id}"})
    described = schema.record({"id": "integer!", "owner": "integer"})
    encoder = Encoder(Resource("things", described, key=("owner", "id")), described, ("id",))
    rows = encoder.rows(read, [Reply(200, {}, b'[{"id":1,"owner":2}]', "u")], {"parent": {"id": 7}})
    assert (rows.keys, rows.records) == ([(7, 1)], b'{"id":1}\n')


def test_empty_lifted_objects_leave_no_comma():
    two = Read("/x", records="results", lift=("a", "b"))
    body = msgspec.json.encode(
        {
            "results": [
                {"id": 1},
                {"id": 2, "a": {}, "b": None},
                {"id": 3, "a": {"n": 1}},
                {"a": {"n": 2}, "id": 4, "b": {"m": 3}},
            ]
        }
    )
    [rows] = taken(two, {"n": "integer", "m": "integer"}, body)
    assert rows.records == b'{"id":1}\n{"id":2}\n{"id":3,"n":1}\n{"id":4,"n":2,"m":3}\n'


def test_pairs_are_taken_apart():
    odoo = Read("/x", nulls=(False,), pairs="_name")
    body = msgspec.json.encode([{"id": 1, "owner": [3, "Ann"]}, {"id": 2, "owner": False}])
    [rows] = taken(odoo, {"owner": "integer", "owner_name": "string"}, body, chosen=("id", "owner_name"))
    assert meaning(rows.records) == [{"id": 1, "owner_name": "Ann"}, {"id": 2, "owner_name": None}]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": 1, "a": "\xff"}]',
        b'[{"id": 1, "a": "\\ud800x"}]',
        b'[{"id": 1, "a": NaN}]',
        b'[{"id": 1}',
        b"<html>",
        b"",
    ],
)
def test_what_is_no_json_is_left_to_the_ordinary_way_which_refuses_it(body):
    assert taken(Read("/x"), {"a": "string"}, body) == [None]
    with pytest.raises(BadReply):
        Reply(200, {}, body, "u").json()


SHORT, LONG = b"plain", "größer".encode() * 20
"""What lets texts be decoded, and what lets them stay a piece of the page."""


@pytest.mark.parametrize("first", [SHORT, LONG])
@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b'"\xff"', None),
        (b'"\xed\xa0\x80"', None),
        (b'"\\ud800x"', None),
        ('"größe"'.encode(), "größe"),
        (b'"\\ud83d\\ude00 \\u00e9\\/ \\n"', "\U0001f600 é/ \n"),
        (b'"null"', "null"),
        (b"null", None),
        (b"1.50", Decimal("1.50")),
        (b'{"b": [1,\n2]}', {"b": [1, 2]}),
    ],
)
def test_a_later_text_is_checked_and_read_alike_whether_texts_are_decoded_or_left_as_they_came(first, value, read):
    page = b'[{"id": %d, "a": %b}]'
    before, odd, after = taken(
        Read("/x"), {"a": "string"}, *(page % one for one in ((1, b'"%b"' % first), (2, value), (3, b'"x"')))
    )
    assert meaning(before.records) == [{"id": 1, "a": first.decode()}]
    if read is None and value != b"null":
        assert odd is None
    else:
        assert meaning(odd.records) == [{"id": 2, "a": read}]
        assert odd.records.count(b"\n") == 1
    assert meaning(after.records) == [{"id": 3, "a": "x"}]


def test_what_stands_behind_a_byte_order_mark_is_left_to_the_ordinary_way_which_reads_it():
    body = b'\xef\xbb\xbf[{"id": 1}]'
    assert taken(Read("/x"), {"a": "string"}, body) == [None]
    assert Reply(200, {}, body, "u").json() == [{"id": 1}]


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (Read("/x", each="lines"), 'the lines in "lines"'),
        (Read("/x", keep={"a": "{record.id}"}), "fields that are made of others"),
        (Read("/x", lift=("id",)), '"id", which is lifted and a field as well'),
    ],
)
def test_why_a_stream_goes_record_by_record_is_told(read, why, caplog):
    with caplog.at_level(logging.DEBUG, "antiphon.encode"):
        assert taken(read, {"a": "string"}, b'[{"id":1}]') == [None]
    assert f"record by record, for {why}" in caplog.text


def test_pages_that_never_fit_are_not_tried_for_ever(caplog):
    with caplog.at_level(logging.DEBUG, "antiphon.encode"):
        assert taken(Read("/x"), {"a": "string"}, *[b'[{"a":1}]'] * 5) == [None] * 5
    assert caplog.text.count("a page goes record by record") == 3


def test_records_made_in_python_are_written_alike():
    assert (
        lines([{"id": 1, "price": Decimal("0.10")}], ENVELOPE)
        == b'{"type":"RECORD","record":{"id":1,"price":0.10},"time":1}\n'
    )
    assert lines([], ENVELOPE) == b""
    assert written([{"a": "é\n"}]) == '{"a":"é\\n"}\n'.encode()
