"""CSV files read through a client, as any other API (S4-9)."""

from __future__ import annotations

import csv as stdlib_csv
import errno
import gzip
import io
import json
import logging
import os
import re
import tracemalloc
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon import apis, connection
from antiphon.api import Query
from antiphon.apis.csv import csv
from antiphon.client import Client
from antiphon.errors import AntiphonError, InputError, SettingError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """The working folder: empty, so that paths in messages are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_http(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a request was sent")

    monkeypatch.setattr(requests.Session, "send", refuse)


def write(name, text, encoding="utf-8"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def client(*files, **more):
    return Client(csv, {"files": list(files), **more})


def pages(*files, query=None, **more):
    found = client(*files, **more)
    [resource] = found.discovered()
    yield from found.read(resource, query)


def records(*files, **more):
    return [record for page in pages(*files, **more) for record in page.records]


def types(*files, **more):
    found = client(*files, **more)
    [resource] = found.discovered()
    return {
        name: field.get("format") or next(kind for kind in [field["type"]].pop() if kind != "null")
        for name, field in found.schema(resource)["properties"].items()
    }


def refused(*files, kind=AntiphonError, **more):
    with pytest.raises(kind) as caught:
        records(*files, **more)
    said = str(caught.value)
    assert "\n" not in said
    return said


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


# What a file becomes


def test_csv_is_known_as_an_api_that_can_only_be_read():
    assert apis.load("csv") is csv
    assert (csv.readable, csv.writable) == (True, False)


def test_a_path_and_its_keys_are_all_that_has_to_be_said():
    write("people.csv", "email,name,age\nada@example.org,Ada,36\nbob@example.org,,\n")
    found = client({"path": "people.csv", "keys": ["email"]})
    [people] = found.discovered()
    assert (people.name, people.key) == ("people", ("email",))
    assert found.schema(people)["properties"] == {
        "email": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "age": {"type": ["integer", "null"]},
    }
    [page] = found.read(people)
    assert page.cursor is None
    assert page.records == [
        {"email": "ada@example.org", "name": "Ada", "age": 36},
        {"email": "bob@example.org", "name": None, "age": None},
    ]


def test_a_text_in_files_is_a_path():
    write("people.csv", "name\nAda\n")
    assert records("people.csv") == [{"name": "Ada"}]


def test_each_entry_is_a_resource_of_its_own():
    write("people.csv", "name\nAda\n")
    write("orders.csv", "number\n1\n")
    found = client("people.csv", {"path": "orders.csv", "entity": "sales"})
    assert [resource.name for resource in found.discovered()] == ["people", "sales"]
    [page] = found.read(found.resource("sales"))
    assert page.records == [{"number": 1}]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("people.csv", "people"),
        ("exports/people-2026.csv.gz", "people_2026"),
        ("people_*.csv", "people"),
        ("people_[0-9]*.tsv", "people"),
        ("exports/*.csv", "exports"),
        ("Kunden Stamm.CSV", "Kunden_Stamm"),
        ("orders", "orders"),
    ],
)
def test_a_stream_is_called_after_its_file(path, name):
    [resource] = client(path).discovered()
    assert resource.name == name


def test_only_the_fields_asked_for_and_the_keys_come():
    write("people.csv", "email,name,age\na@b.c,Ada,36\n")
    entry = {"path": "people.csv", "keys": ["email"]}
    [page] = pages(entry, query=Query(fields=("age",)))
    assert page.records == [{"email": "a@b.c", "age": 36}]


def test_records_tell_where_they_are_from_if_asked_to():
    write("people.csv", 'name\n"A\nda"\n\nBob\n')
    entry = "people.csv"
    assert [list(record) for record in records(entry)] == [["name"], ["name"]]
    assert records(entry, add_metadata_columns=True) == [
        {"name": "A\nda", "_sdc_source_file": "people.csv", "_sdc_source_lineno": 2},
        {"name": "Bob", "_sdc_source_file": "people.csv", "_sdc_source_lineno": 5},
    ]


def test_a_column_that_has_the_name_of_a_metadata_column_is_not_overwritten():
    write("people.csv", "_sdc_source_file\nx\n")
    assert records("people.csv") == [{"_sdc_source_file": "x"}]
    assert "_sdc_source_file already" in refused("people.csv", kind=SettingError, add_metadata_columns=True)


def test_lines_without_any_text_are_passed_over():
    write("people.csv", "\nname,age\n\nAda,36\n,\n\nBob,7\n\n")
    assert [record["name"] for record in records("people.csv")] == ["Ada", "Bob"]


def test_a_file_of_a_header_alone_has_no_records_and_columns_of_text():
    write("people.csv", "name,age")
    assert list(pages("people.csv")) == []
    assert types("people.csv") == {"name": "string", "age": "string"}


def test_pages_hold_a_thousand_records_and_the_last_has_no_cursor():
    write("numbers.csv", "n\n" + "".join(f"{n}\n" for n in range(1, 2002)))
    found = list(pages("numbers.csv"))
    assert [len(page.records) for page in found] == [1000, 1000, 1]
    assert [page.cursor is None for page in found] == [False, False, True]
    assert [record["n"] for page in found for record in page.records] == list(range(1, 2002))


def test_exactly_a_thousand_records_are_one_page():
    write("numbers.csv", "n\n" + "1\n" * 1000)
    [page] = pages("numbers.csv")
    assert page.cursor is None


def test_pages_of_large_records_are_short():
    large = "x" * 1_000_000
    write("texts.csv", "text\n" + f"{large}\n" * 20)
    found = list(pages("texts.csv"))
    assert max(len(page.records) for page in found) < 10
    assert sum(len(page.records) for page in found) == 20


def test_a_record_of_ten_megabytes_is_read_and_so_are_its_neighbours():
    large = "x" * 10_000_000
    write("texts.csv", f'text\nbefore\n"{large}"\nafter\n')
    assert [record["text"] for record in records("texts.csv")] == ["before", large, "after"]


# Anything that a writer of CSV writes

CELLS = {
    "utf-8": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "utf-16": st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    "latin-1": st.text(st.characters(max_codepoint=255), max_size=8),
}


@st.composite
def tables(draw):
    """A table of texts with a header, and the delimiter, line end, quoting and encoding to write it with."""
    encoding = draw(st.sampled_from(sorted(CELLS)))
    width = draw(st.integers(1, 4))
    names = draw(
        st.lists(
            st.from_regex("[A-Za-zé][A-Za-z é]{0,6}[a-z]", fullmatch=True), min_size=width, max_size=width, unique=True
        )
    )
    rows = draw(st.lists(st.lists(CELLS[encoding], min_size=width, max_size=width), max_size=6))
    quoting = draw(st.sampled_from([stdlib_csv.QUOTE_MINIMAL, stdlib_csv.QUOTE_ALL]))
    # Python's writer leaves a \r or \n that is not in its line end without quotes
    ends = ["\n", "\r\n", "\r"] if quoting == stdlib_csv.QUOTE_ALL else ["\r\n"]
    end, delimiter = draw(st.sampled_from(ends)), draw(st.sampled_from(",;\t|"))
    return names, rows, {"delimiter": delimiter, "lineterminator": end, "quoting": quoting}, encoding


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(), zipped=st.booleans())
def test_any_table_of_texts_comes_back_as_it_was_written(table, zipped):
    names, rows, form, encoding = table
    text = io.StringIO(newline="")
    stdlib_csv.writer(text, **form).writerows([names, *rows])
    data = text.getvalue().encode(encoding)
    write("table.csv", gzip.compress(data) if zipped else data)
    entry = {
        "path": "table.csv",
        "delimiter": form["delimiter"],
        "encoding": encoding,
        "types": dict.fromkeys(names, "string"),
    }
    expected = [{name: cell or None for name, cell in zip(names, row, strict=True)} for row in rows if any(row)]
    assert records(entry) == expected


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    delimiter=st.sampled_from(",;\t|"),
    rows=st.lists(
        st.lists(st.text('ab1 "\n.', min_size=1, max_size=5), min_size=2, max_size=2), min_size=1, max_size=5
    ),
)
def test_the_delimiter_is_found(delimiter, rows):
    text = io.StringIO(newline="")
    stdlib_csv.writer(text, delimiter=delimiter).writerows([["first", "second"], *rows])
    write("table.csv", text.getvalue())
    entry = {"path": "table.csv", "types": {"first": "string", "second": "string"}}
    assert [list(record.values()) for record in records(entry)] == rows


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("name;note\nAda;one, two, three\nBob;four, five\n", ["name", "note"]),
        ('"last, first";age\n"Love, Ada";36\n', ["last, first", "age"]),
        ("a|b,c|d\n1|2|3\n1|2,5|3\n", ["a", "b,c", "d"]),
        ("price;tax\n1,50;0,19\n2,50;0,19\n", ["price", "tax"]),
        ("name\nAda; and Bob\n", ["name"]),
        ("a,b,c\n1,2,3\n1;2\n1,2,3\n", ["a", "b", "c"]),
    ],
)
def test_the_delimiter_is_the_one_by_which_lines_are_as_long_as_the_header(text, columns):
    write("table.csv", text)
    found = client("table.csv")
    [resource] = found.discovered()
    assert list(found.schema(resource)["properties"]) == columns


def test_a_delimiter_that_is_given_is_not_looked_for():
    write("table.csv", "a,b:c,d\n1,2:3,4\n")
    assert records({"path": "table.csv", "delimiter": ":"}) == [{"a,b": "1,2", "c,d": "3,4"}]


# How a file is written


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_tells_the_encoding_and_is_no_part_of_the_first_name(encoding):
    write("people.csv", '"näme",city\nÄda,Łódź\n', encoding)
    assert records("people.csv") == [{"näme": "Äda", "city": "Łódź"}]


def test_a_byte_order_mark_is_dropped_though_utf_8_is_given():
    write("people.csv", '"name"\nÄda\n', "utf-8-sig")
    assert records({"path": "people.csv", "encoding": "UTF-8"}) == [{"name": "Äda"}]


def test_an_encoding_that_is_given_is_used():
    write("people.csv", "name\nRenée “x” 5 €\n", "cp1252")
    assert records({"path": "people.csv", "encoding": "cp1252"}) == [{"name": "Renée “x” 5 €"}]


@pytest.mark.parametrize("before", [0, 1, 5_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_cannot_be_decoded_is_told_by_line_with_the_setting_to_change(before, end):
    text = "name" + end + f"a plain \ufffd line{end}" * before
    write("people.csv", text.encode() + f"Ren\xe9e{end}".encode("latin-1"))
    said = refused("people.csv", kind=InputError)
    assert said.startswith(f"csv: reading people.csv -> line {before + 2}: the byte 0xe9 is not utf-8.")
    assert "`encoding`" in said


@pytest.mark.parametrize("encoding", ["utf-16", "shift_jis", "utf-7"])
def test_bytes_that_are_not_of_the_given_encoding_end_in_one_line(encoding):
    write("people.csv", b"name\nx\xff\xfe\xe9\n\xff")
    assert f"is not {encoding}" in refused({"path": "people.csv", "encoding": encoding}, kind=InputError)


def test_utf_16_without_a_mark_is_recognised_by_its_null_characters():
    write("people.csv", "name,age\nAda,36\n", "utf-16-le")
    assert "utf-16-le" in refused("people.csv", kind=InputError)
    assert records({"path": "people.csv", "encoding": "utf-16-le"}) == [{"name": "Ada", "age": 36}]


def test_gzip_is_known_by_its_first_bytes_whatever_the_name():
    write("people.csv", gzip.compress(b"name\nAda\n"))
    write("plain.csv.gz", "name\nBob\n")
    assert records("people.csv") == [{"name": "Ada"}]
    assert records("plain.csv.gz") == [{"name": "Bob"}]


def test_all_members_of_a_gzip_file_are_read():
    write("people.csv.gz", gzip.compress(b"name\nAda\nBo") + gzip.compress(b"b\nEve\n"))
    assert [record["name"] for record in records("people.csv.gz")] == ["Ada", "Bob", "Eve"]


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: data[:200] + b"\0" * 50 + data[250:]])
def test_a_damaged_gzip_file_is_an_error_of_one_line(damage):
    data = gzip.compress("".join(f"{hash(str(n))}\n" for n in range(500)).encode())
    write("people.csv.gz", damage(data))
    assert refused("people.csv.gz", kind=InputError).startswith(
        "csv: reading people.csv.gz -> the gzip file is damaged:"
    )


def test_lines_are_dropped_at_the_top_and_names_given_where_there_is_no_header():
    write("people.csv", 'exported "today\n\nAda;36\nBob;7\n')
    entry = {"path": "people.csv", "skip_rows": 2, "header": ["name", "age"]}
    assert records(entry, add_metadata_columns=True)[0] == {
        "name": "Ada",
        "age": 36,
        "_sdc_source_file": "people.csv",
        "_sdc_source_lineno": 3,
    }


def test_a_header_after_dropped_lines_is_found():
    write("people.csv", "Report of May\n\nname,age\nAda,36\n")
    assert records({"path": "people.csv", "skip_rows": 1}) == [{"name": "Ada", "age": 36}]


def test_quotes_escapes_and_spaces_are_as_the_settings_say():
    write("a.csv", "name,note\n'Ada, L.', 'it''s'\n")
    write("b.csv", 'name\tnote\nAda\t"6 ft\n')
    write("c.csv", 'name,note\n"Ada \\"A\\"",x\n')
    assert records({"path": "a.csv", "quotechar": "'", "skipinitialspace": True}) == [
        {"name": "Ada, L.", "note": "it's"}
    ]
    assert records({"path": "b.csv", "quotechar": ""}) == [{"name": "Ada", "note": '"6 ft'}]
    assert records({"path": "c.csv", "escapechar": "\\"}) == [{"name": 'Ada "A"', "note": "x"}]


def test_texts_that_mean_null_are_those_given():
    write("people.csv", "name,age\nNULL,-\n-,36\n")
    assert records({"path": "people.csv", "nulls": ["", "NULL", "-"]}) == [
        {"name": None, "age": None},
        {"name": None, "age": 36},
    ]
    assert records("people.csv")[0] == {"name": "NULL", "age": "-"}


# Several files


def test_the_files_of_a_glob_are_one_stream_in_the_order_of_their_names():
    write("in/people-2.csv", "age;name\n7;Bob\n")
    write("in/people-1.csv", "name,age\nAda,36\n")
    write("in/more/people-3.csv.gz", gzip.compress(b"name\tage\nEve\t9\n"))
    write("in/other.csv", "x\n1\n")
    assert records({"path": "in/**/people-*", "entity": "people"}) == [
        {"name": "Eve", "age": 9},
        {"name": "Ada", "age": 36},
        {"age": 7, "name": "Bob"},
    ]


def test_types_are_inferred_from_all_files_of_a_glob():
    write("n-1.csv", "n\n1\n")
    write("n-2.csv", "n\nx\n")
    assert [record["n"] for record in records("n-*.csv")] == ["1", "x"]


def test_files_of_a_glob_with_other_columns_are_refused():
    write("people-1.csv", "name,age\nAda,36\n")
    write("people-2.csv", "name,years\nBob,7\n")
    said = refused("people-*.csv", kind=InputError)
    assert said.startswith("csv: people-2.csv has not the columns of people-1.csv; only one of them has age, years.")


def test_a_file_whose_name_looks_like_a_glob_is_read():
    write("people[1].csv", "name\nAda\n")
    assert records("people[1].csv") == [{"name": "Ada"}]


# Bad lines


def test_bad_lines_are_told_by_number_and_the_others_are_read(caplog):
    write(
        "people.csv",
        'email,age\na@b.c,1\ntoo,2,many\nfew\nd@e.f,3\n"quo"te,4\n"two\nlines",x,y\n,5\ng@h.i,6\n"open,7\n',
    )
    entry = {"path": "people.csv", "keys": ["email"]}
    found = client(entry)
    [people] = found.discovered()
    read = []
    with pytest.raises(InputError) as caught:
        read.extend(record for page in found.read(people) for record in page.records)
    assert [record["email"] for record in read] == ["a@b.c", "d@e.f", "g@h.i"]
    assert str(caught.value) == (
        "csv: reading people -> bad lines left out: 7 (people.csv line 3, people.csv line 4, people.csv line 6, "
        "people.csv lines 7-8, people.csv line 9, …). All others were passed on. Mend these, or set bad_lines to "
        '"skip".'
    )
    assert warnings(caplog) == [
        "csv: reading people -> people.csv line 3: it has 3 cells, the header 2",
        "csv: reading people -> people.csv line 4: it has 1 cells, the header 2",
        "csv: reading people -> people.csv line 6: a quote within a quoted cell is not doubled",
        "csv: reading people -> people.csv lines 7-8: it has 3 cells, the header 2",
        'csv: reading people -> people.csv line 9: the key column "email" is empty',
        "csv: reading people -> people.csv line 11: a quote is opened and never closed",
    ]


def test_bad_lines_end_in_a_warning_if_they_are_to_be_skipped(caplog):
    write("people.csv", "name,age\nAda,36\nBob\n")
    assert records("people.csv", bad_lines="skip") == [{"name": "Ada", "age": 36}]
    assert warnings(caplog)[-1] == "csv: reading people -> bad lines left out: 1 (people.csv line 3)"


def test_a_file_of_bad_lines_alone_is_an_error():
    write("people.csv", "name,age\nBob\n")
    assert "bad lines left out: 1 (people.csv line 2)." in refused("people.csv", kind=InputError)


def test_the_log_is_not_flooded_but_every_bad_line_is_counted(caplog):
    caplog.set_level(logging.DEBUG, "antiphon")
    write("people.csv", "name,age\nAda,36\n" + "Bob\n" * 300)
    said = refused("people.csv", kind=InputError)
    assert "bad lines left out: 300 (" in said
    assert "all in the log at level DEBUG" in said
    assert len(warnings(caplog)) == 100
    assert caplog.messages[-1].startswith("csv: reading people -> people.csv line 302:")


def test_a_quote_left_open_swallows_no_more_than_a_bounded_cell(caplog):
    write("people.csv", 'name,age\nAda,36\n"open,1\n' + "Bob,7\n" * 500)
    previous = stdlib_csv.field_size_limit(1000)
    try:
        read = records({"path": "people.csv", "delimiter": ","}, bad_lines="skip")
    finally:
        stdlib_csv.field_size_limit(previous)
    assert read == [{"name": "Ada", "age": 36}] + [{"name": "Bob", "age": 7}] * 334
    assert previous == 16 * 2**20
    assert "people.csv lines 3-169: a cell is longer than" in warnings(caplog)[0]
    assert "bad lines left out: 167 (people.csv lines 3-169)" in warnings(caplog)[1]


# Types


@pytest.mark.parametrize(
    ("cells", "type", "values"),
    [
        (["1", "-20", "0"], "integer", [1, -20, 0]),
        (["9223372036854775807", "-9223372036854775808"], "integer", [2**63 - 1, -(2**63)]),
        (["9223372036854775808"], "string", None),
        (["007", "1"], "string", None),
        (["-0"], "string", None),
        (["+49301234", "1"], "string", None),
        (["1_000"], "string", None),
        (["١٢"], "string", None),
        (["1", " 2"], "string", None),
        (["1.50", "2", "-0.25"], "number", [Decimal("1.50"), 2, Decimal("-0.25")]),
        (["0.1000000000000000055"], "number", [Decimal("0.1000000000000000055")]),
        (["1.5", "NaN"], "string", None),
        (["Infinity"], "string", None),
        (["1e5"], "string", None),
        (["1,5"], "string", None),
        (["01.5"], "string", None),
        (["true", "FALSE", "True"], "boolean", [True, False, True]),
        (["yes", "no"], "string", None),
        (["true", "1"], "string", None),
        (["2024-02-29", "1999-12-31"], "date", ["2024-02-29", "1999-12-31"]),
        (["2023-02-29"], "string", None),
        (["20240229"], "integer", [20240229]),
        (["29.02.2024"], "string", None),
        (["2024-01-31T09:05:00Z"], "date-time", ["2024-01-31T09:05:00Z"]),
        (["2024-01-31 09:05:00.250+02:00"], "date-time", ["2024-01-31T07:05:00.250Z"]),
        (["2024-01-31T09:05:00"], "string", None),
        (["2024-01-31", "2024-01-31T09:05:00Z"], "string", None),
        (["0001-01-01T00:00:00+14:00"], "string", None),
        (["", ""], "string", [None, None]),
    ],
)
def test_a_type_is_inferred_only_where_nothing_is_lost(cells, type, values):
    write("table.csv", "row,cell\n" + "".join(f'x,"{cell}"\n' for cell in cells))
    assert types("table.csv")["cell"] == type
    found = [record["cell"] for record in records("table.csv")]
    expected = cells if values is None else values
    assert found == expected
    assert [*map(repr, found)] == [*map(repr, expected)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.from_regex(r"[+-]?[0-9]{0,20}([.,][0-9]{0,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
        min_size=1,
        max_size=3,
    )
)
def test_numbers_that_are_inferred_are_written_as_they_stand(cells):
    write("table.csv", "row,cell\n" + "".join(f'x,"{cell}"\n' for cell in cells))
    for cell, record in zip(cells, records("table.csv"), strict=True):
        assert not isinstance(record["cell"], float)
        assert str(record["cell"]) == (cell or "None")


@pytest.mark.parametrize(
    ("type", "cell", "value"),
    [
        ("string", "007", "007"),
        ("integer", "007", 7),
        ("integer", " +12 ", 12),
        ("integer", "5.0", 5),
        ("integer", "123456789012345678901", 123456789012345678901),
        ("number", "1e5", Decimal("1e5")),
        ("number", ".5", Decimal(".5")),
        ("number", "-3", -3),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("date", " 2024-01-31", "2024-01-31"),
        ("date-time", "2024-01-31 09:05:00", "2024-01-31T09:05:00Z"),
        ("date-time", "2024-01-31", "2024-01-31T00:00:00Z"),
        ("date-time", "2024-01-31T09:05:00,5+0200", "2024-01-31T07:05:00.500Z"),
        ("date-time", "2024-01-31T09:05:00.123456789Z", "2024-01-31T09:05:00.123456Z"),
    ],
)
def test_a_type_that_is_given_is_read_generously(type, cell, value):
    write("table.csv", f'row,cell\nx,"{cell}"\n')
    [record] = records({"path": "table.csv", "types": {"cell": type}})
    assert repr(record["cell"]) == repr(value)


@pytest.mark.parametrize(
    ("type", "cell"),
    [
        ("integer", "1.5"),
        ("integer", "1_000"),
        ("integer", "9" * 5000),
        ("number", "1,5"),
        ("number", "NaN"),
        ("number", "1e99999999"),
        ("boolean", "perhaps"),
        ("date", "2024-02-30"),
        ("date", "2024-W05-3"),
        ("date-time", "2024-01-31T25:00:00Z"),
        ("date-time", "1700000000"),
        ("date-time", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_a_value_that_is_not_of_its_given_type_makes_a_bad_line(type, cell, caplog):
    write("table.csv", f'row,cell\na,"{cell}"\nb,\n')
    entry = {"path": "table.csv", "types": {"cell": type}}
    assert records(entry, bad_lines="skip") == [{"row": "b", "cell": None}]
    assert re.search(
        rf'line 2: column "cell" holds "{re.escape(cell[:40])}…?", which is not of the type {type}', caplog.text
    )


def test_a_value_that_breaks_an_inferred_type_makes_a_bad_line_that_says_what_to_do(caplog, monkeypatch):
    monkeypatch.setattr("antiphon.apis.csv.SAMPLE", 100)
    write("table.csv", "row,phone\n" + "x,49301234\n" * 100 + "y,007\nz,5\n")
    read = records("table.csv", bad_lines="skip")
    assert (len(read), read[-1]) == (101, {"row": "z", "phone": 5})
    assert warnings(caplog)[0] == (
        'csv: reading table -> table.csv line 102: column "phone" holds "007", unlike the first lines, which are of the '
        'type integer; give `types`, such as {"phone": "string"}'
    )
    assert records({"path": "table.csv", "types": {"phone": "string"}})[100]["phone"] == "007"


def test_a_column_that_is_not_asked_for_makes_no_bad_line():
    write("table.csv", "row,n\nx,1\ny,oops\n")
    entry = {"path": "table.csv", "types": {"n": "integer"}}
    [page] = pages(entry, query=Query(fields=("row",)))
    assert page.records == [{"row": "x"}, {"row": "y"}]


def test_every_record_is_valid_by_its_schema():
    write("t.csv", "id,a,b,c,d,e\n1,x,1.5,true,2024-01-31,2024-01-31T09:05:00Z\n2,,,,,\n")
    found = client({"path": "t.csv", "keys": ["id"]}, add_metadata_columns=True)
    [resource] = found.discovered()
    [page] = found.read(resource)
    for record in page.records:
        jsonschema.validate(record, found.schema(resource))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**page.records[0], "id": None}, found.schema(resource))


# Reading on


def resumed(entry, cursor, **more):
    cursor = json.loads(json.dumps(cursor))
    return [record for page in pages(entry, query=Query(cursor=cursor), **more) for record in page.records]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_an_interrupted_read_goes_on_after_any_page(encoding, zipped):
    for part in (1, 2, 3):
        text = "n,text\r\n" + "".join(f'{part * 10_000 + n},"two\r\nlines é"\r\n\r\n' for n in range(1_700))
        data = text.encode(encoding)
        write(f"part-{part}.csv", gzip.compress(data) if zipped else data)
    entry = {"path": "part-*.csv", "keys": ["n"]}
    found = list(pages(entry))
    assert len(found) == 6
    seen = []
    for page in found:
        seen += page.records
        if page.cursor is not None:
            assert seen + resumed(entry, page.cursor) == [record for page in found for record in page.records]


def test_the_first_lines_of_a_file_without_a_header_are_read_once_when_reading_goes_on():
    for part in (1, 2):
        write(f"part-{part}.csv", "".join(f"{part * 10_000 + n}\n" for n in range(1_000)))
    entry = {"path": "part-*.csv", "header": ["n"]}
    first, second = pages(entry)
    assert resumed(entry, first.cursor) == second.records


def test_bad_lines_before_the_interruption_are_still_counted_at_the_end():
    write("n.csv", "n,m\nbad\n" + "1,2\n" * 1000 + "bad\n1,2\n")
    found = client("n.csv")
    [resource] = found.discovered()
    first = next(iter(found.read(resource)))
    with pytest.raises(InputError, match=r"bad lines left out: 2 \(n.csv line 2, n.csv line 1003\)"):
        resumed("n.csv", first.cursor)


def test_a_file_that_has_changed_since_is_read_from_the_start():
    write("n.csv", "n\n" + "1\n" * 1500)
    first, _ = pages("n.csv")
    write("n.csv", "n\n" + "2\n" * 1500)
    os.utime("n.csv", ns=(1, 1))
    assert resumed("n.csv", first.cursor) == [{"n": 2}] * 1500


@pytest.mark.parametrize("cursor", ["x", 7, {}, {"file": "n.csv", "line": "x", "mark": None}, {"after": None}])
def test_a_cursor_that_is_not_ours_starts_from_the_top(cursor):
    write("n.csv", "n\n1\n2\n")
    assert resumed("n.csv", cursor) == [{"n": 1}, {"n": 2}]


def test_a_cursor_before_the_first_record_does_not_make_the_header_one():
    write("n.csv", "n\n" + "1\n" * 1500)
    first, _ = pages("n.csv")
    assert resumed("n.csv", {**first.cursor, "line": 0}) == [{"n": 1}] * 1500


# Memory


def test_a_large_file_is_read_in_little_memory():
    with Path("large.csv").open("w", encoding="utf-8") as file:
        file.write("id,email,note\n")
        file.writelines(f"{n},person{n}@example.org,{'some words ' * 20}\n" for n in range(50_000))
    assert Path("large.csv").stat().st_size > 12_000_000
    tracemalloc.start()
    try:
        count = sum(len(page.records) for page in pages("large.csv"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 50_000
    assert peak < 5_000_000


# Mistakes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no header line"),
        ("\n\n", "there is no header line"),
        ("a,b,a\n", "more than one column is called a"),
        ("a, a\n", "more than one column is called a"),
        ("a,,b\n", "column 2 of the header has no name"),
        ("a,b,\n", "column 3 of the header has no name"),
        ('"a,b\n1,2\n', "the header cannot be read: a quote is opened and never closed"),
        ("a" * 300_000, "there is no header line"),
    ],
)
def test_a_header_that_names_no_columns_is_refused_with_the_file(text, said):
    write("people.csv", text)
    assert refused("people.csv", kind=InputError).startswith(f"csv: reading people.csv -> {said}")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"path": "people.csv", "key": ["email"]}, 'csv: files[0]: there is no "key". Did you mean "keys"?'),
        ({"path": "people.csv", "keys": "email"}, "csv: files[0]: Expected `array`, got `str` - at `$.keys`"),
        ({"keys": ["email"]}, "csv: files[0]: Object missing required field `path`"),
        ({"path": "people.csv", "types": {"age": "int"}}, "csv: files[0]: Invalid enum value 'int'"),
        ({"path": "people.csv", "delimiter": ";;"}, "csv: files[0]: Expected `str` of length <= 1 - at `$.delimiter`"),
        ({"path": "people.csv", "encoding": "utf-99"}, "csv: files[0]: unknown encoding: utf-99"),
        ({"path": "people.csv", "encoding": "base64"}, "csv: files[0]: 'base64' is not a text encoding"),
        ({"path": "people.csv", "keys": ["e-mail"]}, 'csv: people.csv has no column "e-mail". Did you mean "email"?'),
        (
            {"path": "people.csv", "types": {"Email": "date"}},
            'csv: people.csv has no column "Email". Did you mean "email"?',
        ),
        ({"path": "*"}, 'csv: files[0]: "*" gives the stream no name. Give it as `entity`.'),
        ({"path": "nobody.csv"}, "csv: files: there is no file nobody.csv"),
        ({"path": "no*.csv"}, "csv: files: there is no file no*.csv"),
        ({"path": "folder"}, "csv: files: folder is a folder. To read the files in it, give folder/*.csv."),
        ({"path": "pipe"}, "csv: files: pipe is no regular file."),
        ({"path": "~nobody-here/x.csv"}, "csv: files: ~nobody-here/x.csv -> "),
        (7, "csv: files[0]: Expected `object`, got `int`"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line_that_says_what_is_wrong(entry, said):
    write("people.csv", "email\na@b.c\n")
    Path("folder").mkdir()
    os.mkfifo("pipe")
    assert refused(entry, kind=SettingError).startswith(said)


def test_two_entries_of_one_name_are_refused():
    with pytest.raises(SettingError, match="more than one entry is called people"):
        client("a/people.csv", "b/people.csv").discovered()


def test_a_file_that_may_not_be_read_is_refused_in_one_line(monkeypatch):
    write("people.csv", "name\n")

    def forbidden(*_args, **_kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert refused("people.csv") == "csv: reading people.csv -> Permission denied"


def test_check_looks_at_every_file():
    write("people.csv", "name\nAda\n")
    write("orders.csv", "a,a\n")
    client("people.csv").check()
    with pytest.raises(InputError, match=r"reading orders\.csv -> more than one column is called a"):
        client("people.csv", "orders.csv").check()


def test_a_missing_file_does_not_keep_the_others_from_being_read():
    write("people.csv", "name\nAda\n")
    found = client("nobody.csv", "people.csv")
    [page] = found.read(found.resource("people"))
    assert page.records == [{"name": "Ada"}]


def test_a_connection_takes_and_checks_the_settings():
    write("people.csv", "name,age\nAda,36\n")
    people = connection.connect("csv", files=["people.csv"])
    people.check()
    assert list(people.read("people", fields=["age"])) == [{"age": 36}]
    for wrong in (
        [],
        "people.csv",
        [{"path": ""}],
        [{"path": "x", "skip_rows": -1}],
        [{"path": "x", "types": {"a": "int"}}],
    ):
        with pytest.raises(SettingError, match=r"the setting files(\.\d\S*)? cannot be"):
            connection.connect("csv", files=wrong)
    with pytest.raises(SettingError, match='the setting bad_lines cannot be "ignore"'):
        connection.connect("csv", files=["people.csv"], bad_lines="ignore")
    with pytest.raises(SettingError, match=r"the setting files .* is missing"):
        connection.connect("csv")
