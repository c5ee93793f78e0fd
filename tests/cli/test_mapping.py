"""`antiphon mapping`: proposed from both sides, written to a sheet, read from one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import InputError
from antiphon.sandbox import start
from antiphon.writeback import sheet as sheet_of

COLUMNS = {
    "id": {"type": "integer"},
    "attendee_email": {"type": ["string", "null"]},
    "givenName": {"type": "string"},
    "family_name": {"type": "string"},
    "city": {"type": "string"},
    "telephone": {"type": "string"},
    "hs_lead_status": {"type": "string"},
    "basket": {"type": "array"},
    "address": {"type": "object", "properties": {"postcode": {"type": "string"}}},
    "_sdc_batched_at": {"type": "string"},
}
FIELDS = {
    "email": "attendee_email",
    "firstname": "givenName",
    "lastname": "family_name",
    "phone": "telephone",
    "zip": "address.postcode",
    "hs_lead_status": {"from": "hs_lead_status", "otherwise": "error"},
}


@pytest.fixture(scope="module")
def account():
    server = start("hubspot", records=0)
    yield server
    server.stop()


@pytest.fixture
def mapping(run, account, tmp_path):
    """Run the command on HubSpot's contacts."""
    (tmp_path / "config.json").write_text(json.dumps(account.config))

    def mapping(*args):
        return run("mapping", "hubspot", "contacts", "--config", "config.json", *args)

    return mapping


@pytest.fixture
def catalog(tmp_path):
    entry = {"tap_stream_id": "people", "stream": "people", "schema": {"properties": COLUMNS}}
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": [entry]}))
    return "catalog.json"


def sheet(tmp_path, text, name="mapping.csv"):
    (tmp_path / name).write_text(text, "utf-8")
    return name


def test_a_mapping_is_proposed_by_names_other_words_and_types(mapping, catalog):
    found = json.loads(mapping("--from", catalog).out)["streams"]["people"]
    assert found == {"resource": "contacts", "match": ["email"], "fields": FIELDS}


def test_people_see_why_and_what_is_left(mapping, catalog, watched):
    said = mapping("--from", catalog).out
    assert "attendee_email" in said
    assert "another word for it" in said
    assert "No field was found for: id, basket." in said


def test_what_is_proposed_is_what_a_target_takes(mapping, catalog, account, tmp_path):
    from antiphon.singer.plan import plan  # noqa: PLC0415

    streams = json.loads(mapping("--from", catalog).out)["streams"]
    assert plan("people", streams, "target-hubspot").fields.given == FIELDS


def test_the_messages_of_a_tap_or_plain_records_do_as_well(mapping, tmp_path):
    schema = {"type": "SCHEMA", "stream": "people", "schema": {"properties": COLUMNS}, "key_properties": ["id"]}
    record = {"type": "RECORD", "stream": "people", "record": {}}
    (tmp_path / "out.jsonl").write_text(f"{json.dumps(schema)}\n{json.dumps(record)}\n")
    assert json.loads(mapping("--from", "out.jsonl").out)["streams"]["people"]["fields"] == FIELDS
    (tmp_path / "visitors.jsonl").write_text(
        '{"Email Address": null}\n\n{"Email Address": "a@example.org", "zip": 9000}\n'
    )
    found = json.loads(mapping("--from", "visitors.jsonl").out)["streams"]
    assert found == {"visitors": {"resource": "contacts", "match": ["email"], "fields": {"email": "Email Address"}}}


def test_the_other_side_may_be_another_api(mapping, zoo):
    found = json.loads(mapping("--from", "zoo:animals").out)["streams"]["animals"]
    assert found["resource"] == "contacts"
    assert "match" not in found


def test_without_another_side_the_fields_are_listed(mapping):
    found = {field["field"]: field for field in json.loads(mapping().out)}
    assert "NEW" in found["hs_lead_status"]["options"]
    assert "hs_object_id" not in found


def test_a_template_has_a_row_for_each_field_and_reads_back_as_the_proposal(mapping, catalog, tmp_path):
    written = mapping("--from", catalog, "--template").out
    rows = {row["target"]: row for row in csv.DictReader(io.StringIO(written))}
    assert (rows["email"]["source"], rows["email"]["match"]) == ("attendee_email", "yes")
    assert "NEW | " in rows["hs_lead_status"]["options"]
    assert rows["jobtitle"]["source"] == ""
    found = json.loads(mapping("--sheet", sheet(tmp_path, written), "--stream", "people").out)["streams"]["people"]
    assert found == {"resource": "contacts", "match": ["email"], "fields": {**FIELDS, "city": "city"}}


def test_a_sheet_says_all_that_the_settings_can_say(mapping, tmp_path):
    text = (
        "target;source;constant;map;otherwise;replace;max_length;on_too_long;format;currency;allowed;note\n"
        "email;mail;;;;;;;;;;by hand\n"
        'hs_lead_status;status;;"new=NEW; open=OPEN";omit;;;;;;;\n'
        'firstname;first;;;;"{""(c)"": """"}";40;truncate;;;[A-Z];\n'
        "date_of_birth;born;;;;;;;%d/%m/%Y;;;\n"
        "city;;Ghent;;;;;;;;;\n"
        "annualrevenue;;5;;;;;;;;;\n"
    )
    found = json.loads(mapping("--sheet", sheet(tmp_path, text)).out)["streams"]["contacts"]
    assert found["match"] == ["email"]
    assert found["fields"] == {
        "email": "mail",
        "hs_lead_status": {"from": "status", "map": {"new": "NEW", "open": "OPEN"}, "otherwise": "omit"},
        "firstname": {
            "from": "first", "replace": {"(c)": ""}, "max_length": 40, "on_too_long": "truncate", "allowed": "[A-Z]",
        },
        "date_of_birth": {"from": "born", "format": "%d/%m/%Y"},
        "city": {"const": "Ghent"},
        "annualrevenue": {"const": "5"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("target,source,polcy\nemail,mail,x\n", 'the sheet has a column "polcy", which means nothing'),
        ("field,column\nemail,mail\n", 'the sheet has a column "field", which means nothing'),
        ("target\nemail\n", "a sheet needs the columns target and source. mapping --template writes one."),
        ("", "a sheet needs the columns target and source"),
        ("target,source,source\nemail,mail,m\n", "the sheet has two columns source"),
        ("target,source\nemail,mail\nemail,other\n", "mapping.csv, line 3: email stands in line 2 already"),
        ("target,source\nemail,mail,more\n", "mapping.csv, line 2: it has more cells than the sheet has columns"),
        ("target,source\n,mail\n", "mapping.csv, line 2: the cell target is empty"),
        ("target,source,constant\nemail,mail,x\n", "mapping.csv, line 2: a constant stands alone"),
        ("target,source,map\nemail,mail,a\n", 'mapping.csv, line 2: map cannot be "a". Write a=b; c=d, or JSON.'),
        (
            "target,source,map\nemail,mail,a=b; c=d; a=c\n",
            'mapping.csv, line 2: map has "a" twice, as "b" and as "c". Keep one of them.',
        ),
        ("target,source,replace\nemail,mail,a=b;a =c\n", 'mapping.csv, line 2: replace has "a" twice'),
        (
            "target,source,match\nemail,mail,yes\nfirstname,,yes\n",
            "mapping.csv, line 3: source is empty, and something is said of the field in match. Name the column that the field comes from",
        ),
        (
            "target,source,map\nemail,mail,\ncity,,a=b\n",
            "mapping.csv, line 3: source is empty, and something is said of the field in map",
        ),
        (
            "target,source,max_length\nemail,mail,ten\n",
            'mapping.csv, line 2, max_length: "ten" is neither a number nor JSON',
        ),
        ("target,source\nemial,mail\n", 'mapping.csv.fields.emial: contacts has no such field. Did you mean "email"?'),
        ("target,source,match\nemial,mail,yes\n", "mapping.csv.fields.emial: contacts has no such field. Did you mean"),
        ("target,source\nhs_object_id,mail\n", "mapping.csv.fields.hs_object_id: the API does not let anyone write it"),
        (
            "target,source,otherwise\nhs_lead_status,s,skip\n",
            'mapping.csv.fields.hs_lead_status.otherwise cannot be "skip"',
        ),
        (
            "target,source\ncity,town\n",
            "mapping.csv: no row fills a field that contacts can be matched by. Fill one of: email",
        ),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_in_one_line(mapping, tmp_path, text, says):
    ran = mapping("--sheet", sheet(tmp_path, text))
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_a_sheet_is_held_against_the_stream_too(mapping, catalog, tmp_path):
    ran = mapping("--from", catalog, "--sheet", sheet(tmp_path, "target,source\nemail,mail\n"))
    assert 'mapping.csv.fields.email: the stream has no column "mail"' in ran.err
    ran = mapping("--from", catalog, "--sheet", sheet(tmp_path, "target,source\nemail,basket\n"))
    assert 'mapping.csv.fields.email: "basket" is array and not string' in ran.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("email,mail,maybe\n", 'line 2: match cannot be "maybe". It is yes or no.'),
        (
            'city,town,\nemail,"mail,yes\ncity,town,\n',
            "line 3: a quote is opened and not closed before the end of its cell",
        ),
        (
            'email,"mail,yes\nfirstname,"first",\n',
            "line 2: a quote is opened and not closed before the end of its cell",
        ),
    ],
)
def test_a_slip_in_a_sheet_is_told_with_its_line(mapping, tmp_path, text, says):
    (tmp_path / "mapping.csv").write_text(f"target,source,match\n{text}")
    ran = mapping("--sheet", "mapping.csv")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"antiphon: mapping.csv, {says}")


@pytest.mark.parametrize(("word", "is_it"), [("Yes", True), ("x", True), ("1", True), ("no", False), ("", False)])
def test_a_row_is_matched_by_where_it_says_yes(mapping, tmp_path, word, is_it):
    (tmp_path / "mapping.csv").write_text(f"target,source,match\nemail,mail,yes\nfirstname,first,{word}\n")
    found = json.loads(mapping("--sheet", "mapping.csv").out)["streams"]["contacts"]["match"]
    assert found == ["email", *(["firstname"] if is_it else [])]


def test_where_nothing_fits_that_is_told(mapping, tmp_path):
    (tmp_path / "odd.jsonl").write_text('{"qqq": 1, "zzz": 2}\n')
    ran = mapping("--from", "odd.jsonl")
    assert json.loads(ran.out)["streams"]["odd"]["fields"] == {}
    assert ran.err.startswith("antiphon: no column of odd seems to fit a field of contacts: qqq, zzz. ")
    assert mapping("--from", "odd.jsonl", "--template").err == ran.err


def test_a_proposal_without_a_field_to_match_by_says_so_in_a_pipe_too(mapping, tmp_path):
    (tmp_path / "people.jsonl").write_text('{"firstname": "Ada"}\n')
    ran = mapping("--from", "people.jsonl")
    assert json.loads(ran.out)["streams"]["people"] == {"resource": "contacts", "fields": {}}
    assert ran.err == (
        "antiphon: No column fills a field to match by (email): map one, or name another field as match.\n"
    )


def test_what_nothing_identifies_is_mapped_to_be_created(run, account, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text(json.dumps(account.config))
    (tmp_path / "notes.csv").write_text("target,source\nhs_note_body,Body\n")
    (tmp_path / "notes.jsonl").write_text('{"hs_note_body": "x", "hs_timestamp": "2026-01-01T00:00:00Z"}\n')
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((tmp_path / "notes.jsonl").read_bytes())))
    made = {"resource": "notes", "mode": "create"}
    for given_, fields in (
        (("--sheet", "notes.csv"), {"hs_note_body": "Body"}),
        (("--from", "notes.jsonl"), {}),
        (("--from", "-"), {}),
    ):
        ran = run("mapping", "hubspot", "notes", "--config", "config.json", *given_)
        assert json.loads(ran.out)["streams"] == {"notes": {**made, "fields": fields}}


def test_a_sheet_as_a_spreadsheet_saves_it_is_read(mapping, tmp_path):
    (tmp_path / "saved.csv").write_bytes("\ufeff target ;source;;\r\n\r\nemail;mail;;\r\n".encode())
    assert json.loads(mapping("--sheet", "saved.csv").out)["streams"]["contacts"]["fields"] == {"email": "mail"}


@pytest.mark.parametrize("first", ["sep=;", "SEP=;\r", '"sep=;"', "sep=;;;"])
def test_a_first_line_that_says_what_stands_between_cells_is_heeded(mapping, tmp_path, first):
    sheet(tmp_path, f"{first}\ntarget;source;note\nemail;mail;a,b,c,d\n")
    assert json.loads(mapping("--sheet", "mapping.csv").out)["streams"]["contacts"]["fields"] == {"email": "mail"}
    sheet(tmp_path, f"{first}\ntarget;source\nemail;mail;x\n")
    assert "mapping.csv, line 3: it has more cells" in mapping("--sheet", "mapping.csv").err


@given(st.text('target,source;constant"=\n\r{[1email ', max_size=80), st.booleans())
def test_whatever_a_sheet_holds_it_is_read_or_refused_in_one_line(text, headed):
    said = ""
    with TemporaryDirectory() as folder:
        path = Path(folder, "mapping.csv")
        path.write_text(f"target,source,constant,map,max_length\n{text}" if headed else text, "utf-8")
        try:
            sheet_of.read(path, {"properties": {"email": {"type": "string"}}})
        except InputError as error:
            said = str(error)
    assert "\n" not in said


def test_a_sheet_in_another_encoding_says_how_to_save_it(mapping, tmp_path):
    (tmp_path / "old.csv").write_bytes("target,source\nemail,é\n".encode("cp1252"))
    assert mapping("--sheet", "old.csv").err == "antiphon: old.csv: it is no UTF-8. Save the sheet as CSV UTF-8.\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (
            ["--from", "nowhere.json"],
            "nowhere.json: cannot be read: No such file or directory. Give a file, or CONNECTION:RESOURCE.",
        ),
        (["--from", "nowhere:contacts"], 'there is no connection and no API "nowhere"'),
        (
            ["--from", "catalog.json", "--stream", "persons"],
            'catalog.json: it has no stream "persons". There are: people.',
        ),
        (["--from", "broken.jsonl"], "broken.jsonl, line 1: no JSON object"),
        (["--from", "empty.jsonl"], "empty.jsonl: no catalog, no SCHEMA message and no records are in it"),
        (["--sheet", "nowhere.csv"], "nowhere.csv: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_one_line(mapping, catalog, tmp_path, args, says):
    (tmp_path / "broken.jsonl").write_text("[1]\n")
    (tmp_path / "empty.jsonl").write_text("")
    ran = mapping(*args)
    assert ran.code == 1
    assert says in ran.err
    assert ran.err.count("\n") == 1


def test_of_several_streams_one_is_named(mapping, tmp_path):
    entries = [
        {"stream": name, "tap_stream_id": name, "schema": {"properties": COLUMNS}} for name in ("guests", "staff")
    ]
    (tmp_path / "catalog.json").write_text(json.dumps({"streams": entries}))
    assert (
        "it has several streams. Name one with --stream. There are: guests, staff."
        in mapping("--from", "catalog.json").err
    )
    assert "guests" in json.loads(mapping("--from", "catalog.json", "--stream", "guests").out)["streams"]
