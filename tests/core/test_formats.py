import csv
import gzip
import io
import json
import tracemalloc
from decimal import Decimal
from email import message_from_bytes
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from antiphon import schema
from antiphon.api import Read, Write
from antiphon.errors import BadReply, Refused
from antiphon.formats import Csv, Form, Json, JsonLines, Multipart, Xml
from antiphon.formats.packed import unpacked
from antiphon.outcome import One, PerItem

from .tiny import a_client, an_api, changes, mounted, people

# JSON, and lines of it


def test_json_keeps_all_digits_both_ways():
    value = Json().decode(b'{"sum": 0.10000000000000000001}')
    assert Json().encode(value) == (b'{"sum":0.10000000000000000001}', "application/json")


@pytest.mark.parametrize("form", [Json(), JsonLines()])
def test_json_that_is_nested_too_deeply_is_refused(form):
    with pytest.raises(BadReply, match="nested too deeply"):
        form.decode(b"[" * 1_000_000)


@given(st.lists(st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.none()), max_size=5), st.booleans())
def test_lines_of_json_end_at_a_line_feed_alone(rows, last):
    body = b"\n".join(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass") for row in rows)
    if not any(0xD800 <= ord(c) < 0xE000 for c in body.decode("utf-8", "surrogatepass")):
        assert JsonLines().decode(body + b"\n" * last) == rows


def test_lines_within_texts_are_no_lines():
    assert JsonLines().decode('{"a": "x\u2028y\x85z"}\r\n\n{"a": 1}'.encode()) == [{"a": "x\u2028y\x85z"}, {"a": 1}]


@pytest.mark.parametrize("body", [b'{"id": 1}\n{"id": 2', b'{"id": 1}\n{"id": 2}\n{', b'{"id": 1}\n"x'])
def test_a_last_line_that_is_cut_off_is_an_error_that_names_it(body):
    last = len(body.split(b"\n"))
    with pytest.raises(BadReply, match=f"^line {last}: no JSON"):
        JsonLines().decode(body)


# CSV

CELL = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=6)


@given(st.lists(st.tuples(CELL, CELL), max_size=5), st.sampled_from([",", ";", "\t", "|"]), st.booleans())
def test_csv_as_another_writes_it_is_read(rows, delimiter, marked):
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows([("a", "b"), *rows])
    body = written.getvalue().encode("utf-8-sig" if marked else "utf-8")
    assert Csv(delimiter=delimiter).decode(body) == [{"a": a, "b": b} for a, b in rows]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a,b\n1,2\n1,2,3\n", "line 3: 3 values under 2 names"),
        (b"a,b\n1\n", "line 2: 1 values under 2 names"),
        (b"a,a\n1,2\n", "two columns have one name"),
        (b'a,b\n"1,2\n', "unexpected end of data"),
        (b'a,b\n"1"x,2\n', "expected after"),
        (b"a\n\xff\n", "no CSV in utf-8-sig"),
    ],
)
def test_csv_that_would_shift_or_lose_values_is_an_error(body, said):
    with pytest.raises(BadReply, match=said):
        Csv().decode(body)


def test_csv_has_options_for_what_nobody_can_know():
    form = Csv(";", "'", "cp1252", ("name", "city"), empty_is_null=False)
    assert form.decode("'Zo\xeb; x';\n\nb;c\r\n".encode("cp1252")) == [
        {"name": "Zo\xeb; x", "city": ""}, {"name": "b", "city": "c"}]  # fmt: skip
    assert Csv().decode(b"a,b\n,2\n") == [{"a": None, "b": "2"}]
    assert Csv().decode(b"") == []


# XML


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"<a>x</a>", {"a": "x"}),
        (b"<a/>", {"a": None}),
        (b"<a> </a>", {"a": None}),
        (b"<a><b>1</b><b/><c>&lt;&#65;</c></a>", {"a": {"b": ["1", None], "c": "<A"}}),
        (b'<a x="1"> t <b/></a>', {"a": {"@x": "1", "b": None, "#text": "t"}}),
        (b'<a x="1">t</a>', {"a": {"@x": "1", "#text": "t"}}),
        (b"<a><![CDATA[<x>&]]></a>", {"a": "<x>&"}),
        (b'<n:a xmlns:n="urn:n"><n:b n:c="1"/></n:a>', {"a": {"b": {"@c": "1"}}}),
        (b'<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><b i:nil="true"/></a>', {"a": {"b": None}}),
        ("<?xml version='1.0' encoding='iso-8859-1'?><a>Zo\xeb</a>".encode("latin-1"), {"a": "Zo\xeb"}),
        ("<?xml version='1.0'?><a>Zo\xeb</a>".encode("utf-16"), {"a": "Zo\xeb"}),
    ],
)
def test_xml_becomes_plain_values(body, value):
    assert Xml().decode(body) == value


def test_what_may_come_several_times_is_always_a_list():
    form = Xml(lists=("person", "all.people.tag"))
    one, none = b"<all><people><person>a</person><tag>t</tag></people></all>", b"<all><people/></all>"
    assert form.decode(one) == {"all": {"people": {"person": ["a"], "tag": ["t"]}}}
    assert form.decode(none) == {"all": {"people": {"tag": []}}}
    assert form.decode(b"<tag>t</tag>") == {"tag": "t"}


def test_a_namespace_may_keep_a_prefix():
    form = Xml(namespaces={"urn:n": "n", "": "top"})
    assert form.decode(b'<a xmlns="urn:n" xmlns:o="urn:o"><o:b/></a>') == {"n:a": {"b": None}}


BOMB = b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>".encode() for n in range(9)) + b"]><a>&j;</a>"  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    ],
)
def test_a_document_type_is_refused_and_nothing_is_expanded(body):
    tracemalloc.start()
    try:
        with pytest.raises(BadReply, match="document type"):
            Xml().decode(body)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_xml_that_is_nested_too_deeply_is_refused():
    with pytest.raises(BadReply, match="nested too deeply"):
        Xml().decode(b"<a>" * 100_000)


@pytest.mark.parametrize(
    "body", [b"", b"x", b"<a>", b"<a>&x;</a>", b"<a></b>", b"<?xml version='1.0' encoding='no'?><a/>", b"\xff"]
)
def test_what_is_no_xml_is_told(body):
    with pytest.raises(BadReply, match="no XML"):
        Xml().decode(body)


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,3}", fullmatch=True)
WORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1
)
TREES = st.recursive(
    WORDS,
    lambda inner: st.dictionaries(NAMES, inner | st.lists(WORDS, min_size=2, max_size=3), min_size=1, max_size=3),
    max_leaves=8,
)


@given(NAMES, TREES)
def test_xml_that_we_write_is_well_formed_and_reads_as_what_it_was_made_of(name, tree):
    written, _ = Xml().encode({name: tree})
    ET.fromstring(written)
    assert Xml().decode(written) == {name: tree}


def test_xml_is_written_with_attributes_and_values_of_any_type():
    body = {
        "order": {"@id": 7, "line": [{"sku": "a&b"}, {"sku": None}], "paid": True, "sum": Decimal("1E+2"), "@no": None}
    }
    written, kind = Xml().encode(body)
    assert written.decode().splitlines()[1] == (
        '<order id="7"><line><sku>a&amp;b</sku></line><line><sku></sku></line><paid>true</paid><sum>100</sum></order>'
    )
    assert kind == "application/xml; charset=utf-8"


@pytest.mark.parametrize(
    "body", [{}, [], {"a": 1, "b": 2}, {"a b": 1}, {"a": {"@x y": 1}}, {"a": "\x00"}, {"a": {"<b>": 1}}, "x"]
)
def test_what_no_xml_can_hold_is_refused(body):
    with pytest.raises(Refused):
        Xml().encode(body)


# Forms


@pytest.mark.parametrize(
    ("lists", "pairs"),
    [
        ("index", [("items[0][price]", "p"), ("items[0][n]", "2"), ("tags[0]", "a"), ("tags[1]", "b"), ("m[k]", "true"), ("x", "")]),
        ("brackets", [("items[][price]", "p"), ("items[][n]", "2"), ("tags[]", "a"), ("tags[]", "b"), ("m[k]", "true"), ("x", "")]),
        ("repeat", [("items[price]", "p"), ("items[n]", "2"), ("tags", "a"), ("tags", "b"), ("m[k]", "true"), ("x", "")]),
    ],
)  # fmt: skip
def test_a_form_writes_what_is_nested_in_brackets(lists, pairs):
    body = {"items": [{"price": "p", "n": 2}], "tags": ["a", "b"], "m": {"k": True}, "x": None}
    written, kind = Form(lists).encode(body)
    assert parse_qsl(written.decode(), keep_blank_values=True) == pairs
    assert kind == "application/x-www-form-urlencoded"


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_form_reads_as_what_it_was_made_of(body):
    if not any(0xD800 <= ord(c) < 0xE000 for name in body for c in name):
        assert dict(parse_qsl(Form().encode(body)[0].decode(), keep_blank_values=True)) == body


def test_a_multipart_form_has_fields_and_files_and_the_same_bytes_each_time():
    body = {"name": "Zo\xeb", "meta": {"a": [1]}, "none": None, "raw": "hello",
            "doc": {"name": "a.pdf", "type": "application/pdf", "base64": "AP9/"}}  # fmt: skip
    form = Multipart(files=("doc", "raw"))
    written, kind = form.encode(body)
    assert form.encode(body) == (written, kind)
    parsed = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + written)
    found = {part.get_param("name", header="content-disposition"): part for part in parsed.get_payload()}
    assert set(found) == {"name", "meta", "raw", "doc"}
    assert found["name"].get_payload(decode=True) == "Zo\xeb".encode()
    assert json.loads(found["meta"].get_payload(decode=True)) == {"a": [1]}
    assert (found["doc"].get_filename(), found["doc"].get_content_type()) == ("a.pdf", "application/pdf")
    assert found["doc"].get_payload(decode=True) == b"\x00\xff\x7f"
    assert found["raw"].get_filename() == "raw"


@pytest.mark.parametrize("body", [{"doc": {"base64": "?"}}, [1], "x"])
def test_what_no_multipart_form_can_hold_is_refused(body):
    with pytest.raises(Refused):
        Multipart(files=("doc",)).encode(body)


# gzip files


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4))
def test_a_gzip_file_is_unpacked_with_all_its_members(members):
    assert unpacked(b"".join(gzip.compress(one) for one in members), 1000) == b"".join(members)


def test_what_is_no_gzip_file_stays_as_it_is():
    assert unpacked(b"{}", 1) == b"{}"


def test_a_gzip_file_that_is_cut_off_or_damaged_is_an_error():
    packed = gzip.compress(b"x" * 1000 + bytes(range(256)))
    for end in (3, 12, len(packed) // 2, len(packed) - 1):
        with pytest.raises(BadReply, match="cut off"):
            unpacked(packed[:end], 10_000)
    with pytest.raises(BadReply, match="damaged"):
        unpacked(packed[:20] + b"\xff\xff\xff" + packed[23:], 10_000)


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory():
    bomb = gzip.compress(bytes(200 << 20), 9)
    tracemalloc.start()
    try:
        with pytest.raises(BadReply, match="a gzip file of more than 5 MB"):
            unpacked(bomb + bomb, 5 << 20)
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


# In a description

PERSON = schema.record({"id": "integer!", "name": "string", "born": "date-time", "vip": "boolean"})
ROW = {"id": 7, "name": "Zo\xeb", "born": "2026-01-31T09:05:00Z", "vip": True}


@pytest.mark.parametrize(
    ("form", "records", "body"),
    [
        (Xml(("person",)), "all.person",
         "<all><person><id>7</id><name>Zo\xeb</name><born>2026-01-31T10:05:00+01:00</born><vip>1</vip></person></all>"),
        (Csv(), "", "id,name,born,vip\n7,Zo\xeb,2026-01-31,yes\n".replace("2026-01-31", "2026-01-31T09:05:00Z")),
        (JsonLines(), "", json.dumps(ROW)),
        (None, "", json.dumps([ROW])),
    ],
)  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("of", ["api", "read"])
def test_records_come_alike_in_whatever_format(form, records, body, packed, of):
    adapter = requests_mock.Adapter()
    content = gzip.compress(body.encode()) if packed else body.encode()
    adapter.register_uri("GET", "/people", content=content)
    read = Read("/people", records=records, format=form if of == "read" else None)
    api = an_api(people(schema=PERSON, read=read), format=form if of == "api" else None)
    client = a_client(api, session=mounted(adapter))
    [page] = client.read(client.resource("people"))
    assert page.records == [ROW]
    assert adapter.last_request.headers["Accept"] == (form.accept if form else "application/json")


@pytest.mark.parametrize("body", ["<all/>", "<all><people/></all>", '<all><people total="0"/></all>'])
def test_an_empty_list_in_xml_is_no_records(body):
    adapter = requests_mock.Adapter()
    adapter.register_uri("GET", "/people", text=body)
    read = Read("/people", records="all.people.person", format=Xml(("all.people.person",)))
    client = a_client(an_api(people(read=read)), session=mounted(adapter))
    [page] = client.read(client.resource("people"))
    assert page.records == []


def test_no_content_is_no_records(session, adapter):
    adapter.register_uri("GET", "/people", status_code=204)
    client = a_client(session=session)
    assert [page.records for page in client.read(client.resource("people"))] == [[]]


@pytest.mark.parametrize(
    ("encoding", "body", "sent", "kind"),
    [
        (Form(), "{record}", b"name=a&tags%5B0%5D=b", "application/x-www-form-urlencoded"),
        (Xml(), {"person": "{record}"}, b"<?xml version='1.0' encoding='utf-8'?>\n<person><name>a</name><tags>b</tags></person>",
         "application/xml; charset=utf-8"),
        (None, "{record}", b'{"name":"a","tags":["b"]}', "application/json"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("of", ["api", "write"])
def test_a_record_is_sent_in_whatever_encoding(session, adapter, encoding, body, sent, kind, of):
    adapter.register_uri("POST", "/people", json={"id": 1})
    write = Write("/people", body=body, encoding=encoding if of == "write" else None)
    api = an_api(people(create=write), encoding=encoding if of == "api" else None)
    [outcome] = a_client(api, session=session).write(api.resources[0], "create", changes({"name": "a", "tags": ["b"]}))
    assert (adapter.last_request.body, adapter.last_request.headers["Content-Type"]) == (sent, kind)
    assert outcome.id == "1"


def test_what_an_xml_answer_says_of_a_written_record_is_read(session, adapter):
    adapter.register_uri("POST", "/people", text="<person><id>7</id></person>")

    api = an_api(people(create=Write("/people", body="{record}", outcomes=One("id", "person"), format=Xml())))
    [outcome] = a_client(api, session=session).write(api.resources[0], "create", changes({"name": "a"}))
    assert outcome.id == "7"


def test_a_body_that_is_a_bare_list_of_records(session, adapter):
    adapter.register_uri("POST", "/people", json=[{"id": 1}, {"id": 2}])

    api = an_api(
        people(create=Write("/people", body="{records}", each={"n": "{record.name}"}, batch=5, outcomes=PerItem()))
    )
    outcomes = list(
        a_client(api, session=session).write(api.resources[0], "create", changes({"name": "a"}, {"name": "b"}))
    )
    assert adapter.last_request.json() == [{"n": "a"}, {"n": "b"}]
    assert [o.id for o in outcomes] == ["1", "2"]
