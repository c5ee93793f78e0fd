"""What is kept of the records that were refused, and what is told of all of them."""

from __future__ import annotations

import json
import re
import stat
from datetime import datetime

import pytest
import requests_mock as mocking

from antiphon.errors import ApiError, InputError, SettingError, Storage
from antiphon.singer.rejects import MessageFile

from .pipes import crm as an_account
from .pipes import encoded, read, record, schema, state

PEOPLE = schema("contacts", "email", "firstname", keys=["email"])
FIELDS = {
    "run_id",
    "stream",
    "resource",
    "operation",
    "key",
    "remote_id",
    "outcome",
    "error",
    "attempts",
    "sent_at",
    "done_at",
}


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path) as made:
        yield made


def person(email, **more):
    return record("contacts", email=email, **more)


def test_rejects_are_kept_as_they_came_with_the_apis_words(crm):
    ran = crm.pipe(
        PEOPLE, person("a@example.com"), {**person("bad 1", shoe=43), "time_extracted": "x"}, person("bad 2")
    )
    assert ran.code == 1
    error = {"status": 400, "code": "VALIDATION_ERROR", "message": "Email address bad 1 is invalid"}
    assert crm.kept() == [
        PEOPLE,
        {**person("bad 1", shoe=43), "error": error},
        {**person("bad 2"), "error": {**error, "message": "Email address bad 2 is invalid"}},
    ]


def test_the_summary_tells_what_became_of_all_and_where_the_rejects_are(crm):
    ran = crm.pipe(PEOPLE, person("a@example.com"), person("bad"), person("a@example.com", firstname="A"))
    assert ran.err.splitlines() == [
        "target-hubspot: contacts: 1 created, 1 superseded, 1 rejected",
        f"target-hubspot: 1 rejected, kept in {crm.rejects} to be mended and piped in again",
    ]


def test_rejects_can_be_piped_into_the_same_target_again_and_land_when_mended(crm):
    crm.pipe(PEOPLE, person("a@example.com"), person("bad"), person("worse"))
    first = crm.folder / "first.jsonl"
    crm.rejects.rename(first)
    again = crm.pipe(*first.read_bytes().splitlines())
    assert again.code == 1
    assert [m["record"]["email"] for m in crm.kept()[1:]] == ["bad", "worse"]
    assert "error" in crm.kept()[1]
    mended = [
        json.dumps({**m, "record": {"email": f"{n}@example.com"}}).encode() for n, m in enumerate(read(first)[1:])
    ]
    assert crm.pipe(PEOPLE, *mended).code == 0
    assert set(crm.emails()) == {"a@example.com", "0@example.com", "1@example.com"}


def test_rejects_are_on_by_default_in_the_state_folder_for_their_owner_alone(crm):
    assert crm.pipe(PEOPLE, person("bad"), rejects=None, receipts=None).code == 1
    [path] = (crm.folder / "state" / "rejects").iterdir()
    assert re.fullmatch(r"target-hubspot-\d+\.jsonl", path.name)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(read(path)) == 2


def test_without_rejects_there_is_no_file(crm):
    assert crm.pipe(PEOPLE, person("a@example.com"), rejects=None).code == 0
    assert not (crm.folder / "state" / "rejects").exists()


def test_a_file_that_is_there_is_added_to(crm):
    crm.pipe(PEOPLE, person("bad"))
    crm.pipe(PEOPLE, person("worse"))
    assert [m["type"] for m in crm.kept()] == ["SCHEMA", "RECORD", "SCHEMA", "RECORD"]


def test_rejects_of_several_streams_come_with_the_schema_of_each(crm):
    firms = schema("companies", "domain", numberofemployees={"type": "string"})
    crm.pipe(
        PEOPLE,
        firms,
        person("bad"),
        record("companies", domain="a.example", numberofemployees="many"),
        person("worse"),
        batch_size_rows=1,
    )
    assert [(m["type"], m["stream"]) for m in crm.kept()] == [
        ("SCHEMA", "contacts"),
        ("RECORD", "contacts"),
        ("SCHEMA", "companies"),
        ("RECORD", "companies"),
        ("RECORD", "contacts"),
    ]


def test_the_path_may_begin_at_home(crm, monkeypatch):
    monkeypatch.setenv("HOME", str(crm.folder))
    crm.pipe(PEOPLE, person("bad"), rejects="~/mine.jsonl")
    assert len(read(crm.folder / "mine.jsonl")) == 2


@pytest.mark.parametrize("setting", ["rejects", "receipts"])
def test_the_file_that_is_read_from_is_refused(crm, setting):
    path = crm.folder / "given.jsonl"
    path.write_bytes(encoded([PEOPLE, person("bad")]))
    before = path.read_bytes()
    with path.open("rb") as source, pytest.raises(SettingError) as error:
        crm.pipe(source=source, **{setting: str(path)})
    assert str(error.value) == (
        f"target-hubspot: {setting}: {path} is the very file that is read from. "
        "Give another path, or rename the file before piping it in."
    )
    assert path.read_bytes() == before


def test_rejects_and_receipts_are_not_one_file(crm):
    with pytest.raises(SettingError, match="target-hubspot: rejects and receipts cannot be one file"):
        crm.pipe(PEOPLE, receipts=str(crm.rejects))


def test_a_path_that_cannot_be_written_is_one_line_and_the_state_stays(crm, capsys):
    (crm.folder / "file").write_text("")
    with pytest.raises(Storage) as error:
        crm.pipe(PEOPLE, person("bad"), state({"a": 1}), rejects=str(crm.folder / "file" / "rejects.jsonl"))
    assert str(error.value) == (
        f"target-hubspot: rejects: {crm.folder}/file/rejects.jsonl cannot be written: File exists. "
        "The state was not moved: free space or mend the rights, then run again."
    )
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("allowed", "good", "code"),
    [(0, 1, 1), (1, 1, 1), (2, 1, 0), ("2", 1, 0), ("5%", 37, 1), ("5%", 38, 0), ("100%", 0, 0)],
)
def test_so_many_rejects_are_no_error(crm, allowed, good, code):
    people = [person(f"p{n}@example.com") for n in range(good)]
    assert crm.pipe(PEOPLE, *people, person("bad"), person("worse"), max_rejects=allowed).code == code
    assert len(crm.kept()) == 3


# What is said of them


FORGED = "\x1b[31mx\nWARNING fake\r"


def warned(caplog):
    return [said.getMessage() for said in caplog.records if " rejected: " in said.getMessage()]


def test_a_record_forges_no_line_and_steers_no_terminal(crm, caplog):
    ran = crm.pipe(PEOPLE, person(FORGED), person("y" * 3000), record("contacts", email="c@example.com", _sdc_x=FORGED))
    told, long = warned(caplog)
    clean = "\\x1b[31mx WARNING fake"
    assert told == f"contacts: {clean} rejected: Email address {clean} is invalid"
    assert len(long) < 700
    assert "\x1b" not in ran.err
    done = crm.command(PEOPLE, person(FORGED), schema("contacts", "email", **{FORGED: {"type": "string"}}))
    assert "\x1b" not in done.err
    assert "\r" not in done.err
    assert not [line for line in done.err.splitlines() if line.startswith("WARNING fake")]


def test_a_record_whose_key_is_spaces_alone_is_called_by_its_number(crm, caplog):
    crm.pipe(PEOPLE, record("contacts", email="  ", firstname="Ada"))
    assert "contacts: record 1 rejected: no value in email" in caplog.text


def test_a_record_that_we_refuse_is_called_by_its_key(crm, caplog):
    keyed = schema("people", "no", "mail", "town", keys=["no"], age={"type": "integer"})
    entry = {"resource": "contacts", "fields": {"email": "mail", "city": {"from": "town", "max_length": 2}}}
    crm.pipe(
        keyed,
        record("people", no="7", mail="a@example.com", town="Ghent"),
        record("people", no="8", town="Ghent"),
        record("people", no="9", mail="b@example.com", age="old"),
        record("people", town="Ghent"),
        streams={"people": entry},
    )
    assert [line.partition(" rejected: ")[0] for line in warned(caplog)] == [
        "people: a@example.com",
        "people: 8",
        "people: b@example.com",
        "people: record 4",
    ]


UNREADABLE = {
    "a whole number with too many digits": b"9" * 5000,
    "a number whose exponent is too long": b"1e99999999999999999999",
}
"""Numbers that Python does not read, by what is said of them."""
LONG = UNREADABLE["a whole number with too many digits"]


def with_number(email, number):
    return b'{"type":"RECORD","stream":"contacts","record":{"email":"%s","shoe":%s}}' % (email.encode(), number)


@pytest.mark.parametrize("said", UNREADABLE)
@pytest.mark.parametrize("shoe", [{}, {"type": "integer"}, {"type": "number"}, {"pattern": "a"}])
def test_a_number_that_cannot_be_read_is_a_reject_and_the_others_land(crm, caplog, shoe, said):
    number = UNREADABLE[said]
    typed = schema("contacts", "email", keys=["email"], shoe=shoe)
    ran = crm.pipe(typed, person("a@example.com"), with_number("b@example.com", number), person("c@example.com"))
    assert ran.code == 1
    assert crm.emails() == {"a@example.com": 1, "c@example.com": 1}
    assert warned(caplog) == [f"contacts: b@example.com rejected: it holds {said} to be read"]
    assert b'"record":{"email":"b@example.com","shoe":%s}' % number in crm.rejects.read_bytes()


@pytest.mark.parametrize("said", UNREADABLE)
def test_where_stream_maps_need_a_number_that_cannot_be_read_its_line_is_told(crm, said):
    number = UNREADABLE[said]
    with pytest.raises(InputError, match=f"^line 3 holds {said} to be read"):
        crm.pipe(
            PEOPLE,
            person("a@example.com"),
            with_number("b@example.com", number),
            stream_maps={"contacts": {"city": "'Gent'"}},
        )
    with pytest.raises(InputError, match=f"^line 2 holds {said} to be read: «"):
        crm.pipe(PEOPLE, b'{"type":"STATE","value":%s}' % number)


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ({"shoe": "int(firstname)"}, "ValueError: invalid literal for int() with base 10: 'SECRETX'"),
        ({"__filter__": "int(firstname) > 0"}, "ValueError: invalid literal for int() with base 10: 'SECRETX'"),
        ({"shoe": "str(1 / (firstname != 'SECRETX'))"}, "ZeroDivisionError: division by zero"),
        ({"shoe": "age if firstname == 'SECRETX' else '1'"}, "MapExpressionError: Failed to evaluate"),
    ],
)
@pytest.mark.parametrize("payload", ["full", "keys", "none"])
def test_a_record_for_which_a_stream_map_fails_is_a_reject_and_the_others_land(crm, caplog, payload, maps, said):
    people = [person(f"{n}@example.com", firstname=name) for n, name in enumerate(["1", "SECRETX", "3"])]
    ran = crm.pipe(PEOPLE, *people, state({"a": 1}), payload=payload, stream_maps={"contacts": maps})
    assert (ran.code, ran.states) == (1, [{"a": 1}])
    assert crm.emails() == {"0@example.com": 1, "2@example.com": 1}
    [line] = warned(caplog)
    if payload == "full":
        assert line.startswith(f"contacts: 1@example.com rejected: stream_maps cannot be applied to it: {said}")
        assert crm.kept()[1]["record"] == people[1]["record"]
    else:
        assert line.endswith(f" rejected: stream_maps (payload: {payload} keeps back the words)")
        assert "SECRETX" not in ran.err + caplog.text + crm.rejects.read_text("utf-8")


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        ("keys", ["badmail SECRETX rejected: 400 VALIDATION_ERROR", "a@example.com rejected: hs_lead_status: not what fields allows"]),
        ("none", ["record 1 rejected: 400 VALIDATION_ERROR", "record 2 rejected: hs_lead_status: not what fields allows"]),
    ],
)  # fmt: skip
def test_what_may_not_be_kept_of_a_record_is_not_said_either(crm, caplog, payload, lines):
    entry = {"resource": "contacts", "fields": {"hs_lead_status": {"otherwise": "error"}}}
    people = [person("badmail SECRETX"), person("a@example.com", hs_lead_status="SECRETY")]
    ran = crm.pipe(
        schema("contacts", "email", "hs_lead_status", keys=["email"]),
        *people,
        payload=payload,
        streams={"contacts": entry},
    )
    ended = f" (payload: {payload} keeps back the words)"
    assert warned(caplog) == [f"contacts: {line}{ended}" for line in lines]
    said = ran.err + caplog.text
    assert "SECRETY" not in said
    assert ("SECRETX" in said) == (payload == "keys")
    assert "is invalid" not in said


@pytest.mark.parametrize(
    ("entry", "row", "error"),
    [
        ({}, {"email": "a", "city": 5}, ("schema", "city")),
        ({}, {"city": "SECRETX"}, ("", "no value in email, the field it is matched by")),
        (
            {"unknown": "reject"},
            {"email": "a", "shoe": "SECRETX"},
            ("", "the API has no field that can be written for shoe"),
        ),
        (
            {"fields": {"city": {"max_length": 2}, "zip": {"allowed": "[0-9]"}}},
            {"email": "a", "city": "SECRETX", "zip": "SECRETX"},
            ("", "city, zip: not what fields allows"),
        ),
    ],
)
@pytest.mark.parametrize("payload", ["keys", "none"])
def test_why_we_refused_a_record_is_said_all_the_same(crm, caplog, payload, entry, row, error):
    streams = {"contacts": {"resource": "contacts", **entry}}
    crm.pipe(
        schema("contacts", "email", "city", "shoe", "zip"), record("contacts", **row), payload=payload, streams=streams
    )
    [_, reject] = crm.kept()
    assert (reject["error"]["code"], reject["error"]["message"]) == error
    [line] = warned(caplog)
    assert line.endswith(f" rejected: {' '.join(filter(None, error))} (payload: {payload} keeps back the words)")
    assert "SECRETX" not in caplog.text + crm.rejects.read_text("utf-8")


@pytest.mark.parametrize("payload", ["full", "keys", "none"])
@pytest.mark.parametrize(("status", "tries"), [(500, 8), (404, 1)])
def test_nor_what_the_api_says_when_it_cannot_be_spoken_to(crm, caplog, payload, status, tries):
    said = {"message": "no such SECRETX", "category": "ODD"}
    with mocking.Mocker(real_http=True) as mocked:
        mocked.post(mocking.ANY, real_http=True)
        mocked.post(f"{crm.server.url}/crm/objects/2026-09/contacts/batch/read", status_code=status, json=said)
        with pytest.raises(ApiError) as ended:
            crm.pipe(PEOPLE, person("SECRETX"), payload=payload)
    again = [one.getMessage() for one in caplog.records if "trying again" in one.getMessage()]
    assert len(again) == max(tries - 2, 0)
    told = "\n".join([str(ended.value), *again])
    assert ("SECRETX" in told) == (payload == "full")
    if payload != "full":
        assert f"looking up contacts by email -> {status} ODD (payload: {payload} keeps back the words)" in str(
            ended.value
        )
        assert all(f"hubspot: {status} ODD; trying again in " in line for line in again)


def test_a_line_that_cannot_be_read_is_not_shown_either(crm):
    for payload in ("keys", "none"):
        with pytest.raises(InputError) as error:
            crm.pipe(PEOPLE, b'{"type": "RECORD", "stream": "contacts", "record": {"email": "SECRETX"', payload=payload)
        assert str(error.value).startswith("line 2 is no JSON object: what it holds is not shown. Only Singer messages")
        assert "SECRETX" not in str(error.value)


# Receipts


def test_there_is_a_receipt_for_every_record_without_its_content(crm):
    crm.app.add("contacts", {"email": "old@example.com", "firstname": "Old"})
    crm.app.add("contacts", {"email": "same@example.com", "firstname": "Secret"})
    ran = crm.pipe(
        PEOPLE,
        person("old@example.com", firstname="Secret"),
        person("same@example.com", firstname="Secret"),
        person("new@example.com", firstname="Secret"),
        person("new@example.com", firstname="Secret 2"),
        person("bad", firstname="Secret"),
        record("contacts", firstname="Secret"),
    )
    receipts = crm.receipted()
    assert ran.code == 1
    assert all(set(receipt) == FIELDS for receipt in receipts)
    assert [(r["outcome"], r["operation"], r["key"]) for r in receipts] == [
        ("updated", "update", "old@example.com"),
        ("unchanged", None, "same@example.com"),
        ("superseded", None, "new@example.com"),
        ("created", "create", "new@example.com"),
        ("rejected", "create", "bad"),
        ("rejected", None, None),
    ]
    assert {(r["stream"], r["resource"]) for r in receipts} == {("contacts", "contacts")}
    assert len({r["run_id"] for r in receipts}) == 1
    ids = {one.properties["email"]: str(one.id) for one in crm.app.store("contacts")}
    assert [r["remote_id"] for r in receipts[:4]] == [
        ids["old@example.com"],
        ids["same@example.com"],
        None,
        ids["new@example.com"],
    ]
    assert "Secret" not in crm.receipts.read_text()
    assert receipts[4]["error"] == "Email address bad is invalid"
    for receipt in receipts:
        if receipt["operation"]:
            sent, done = (datetime.fromisoformat(receipt[name]) for name in ("sent_at", "done_at"))
            assert sent <= done
            assert receipt["attempts"] == 1
        else:
            assert (receipt["sent_at"], receipt["done_at"], receipt["attempts"]) == (None, None, 0)


def test_receipts_are_messages_of_a_stream_of_their_own_for_their_owner_alone(crm):
    crm.pipe(PEOPLE, *[person(f"p{n}@example.com") for n in range(5)], batch_size_rows=2)
    messages = read(crm.receipts)
    assert [m["type"] for m in messages] == ["SCHEMA"] + ["RECORD"] * 5
    assert {m["stream"] for m in messages} == {"antiphon_receipts"}
    assert set(messages[0]["schema"]["properties"]) == FIELDS
    assert stat.S_IMODE(crm.receipts.stat().st_mode) == 0o600


def test_receipts_count_the_attempts(crm):
    crm.app.fail_next(2, "429", "batch/create")
    crm.pipe(PEOPLE, person("a@example.com"))
    assert crm.receipted()[0]["attempts"] == 3


def test_the_outcome_of_a_call_that_was_not_answered_is_told_and_counted(tmp_path):
    with an_account(tmp_path, stall_seconds=0.01) as crm:
        crm.app.fail_next(1, "commit-timeout", "batch/create")
        plans = {"notes": {"mode": "create"}}
        notes = [record("notes", hs_note_body=f"N{n}", hs_timestamp="2026-01-02T03:04:05Z") for n in range(2)]
        ran = crm.pipe(schema("notes", "hs_note_body", "hs_timestamp"), *notes, state({"a": 1}), streams=plans)
        assert (ran.code, ran.states) == (1, [{"a": 1}])
        said = "2 records were sent and not answered, and could not be found out; they will not be sent again"
        assert ran.err.splitlines() == [
            "target-hubspot: notes: 2 unknown",
            f"target-hubspot: {said}. Look them up by hand; antiphon ledger show hubspot, with --config as here, lists them (from {crm.ledger()})",
        ]
        assert [r["outcome"] for r in crm.receipted()] == ["unknown", "unknown"]
        assert not crm.rejects.exists()
        again = crm.pipe(schema("notes", "hs_note_body", "hs_timestamp"), *notes, streams=plans)
        assert (again.code, len(crm.shown("notes"))) == (1, 2)


# What the ledger keeps between runs


NOTES = schema("notes", "hs_note_body", "hs_timestamp")
NOTE = record("notes", hs_note_body="N", hs_timestamp="2026-01-02T03:04:05Z")
PLANS = {"notes": {"mode": "create"}}


def test_a_source_that_sends_no_state_is_written_anew_each_time(crm):
    for _ in range(2):
        assert crm.pipe(NOTES, NOTE, streams=PLANS).code == 0
    assert len(crm.shown("notes")) == 2
    for outcome in ("created", "unchanged"):
        crm.receipts.unlink()
        assert crm.pipe(PEOPLE, person("a@example.com", firstname="A")).code == 0
        assert [r["outcome"] for r in crm.receipted()] == [outcome]


def test_what_the_last_state_does_not_cover_is_recognised_in_the_next_run(crm):
    crm.pipe(NOTES, NOTE, state({"a": 1}), NOTE, streams=PLANS)
    assert crm.pipe(NOTES, NOTE, state({"a": 2}), streams=PLANS).states == [{"a": 2}]
    assert len(crm.shown("notes")) == 2
    assert crm.receipted()[-1]["attempts"] == 0
    crm.pipe(NOTES, NOTE, state({"a": 3}), streams=PLANS)
    assert len(crm.shown("notes")) == 3


def test_what_one_server_was_sent_is_not_taken_for_sent_to_another(crm, tmp_path):
    crm.pipe(NOTES, state({"a": 1}), NOTE, streams=PLANS)
    with an_account(tmp_path) as other:
        assert other.settings["state_dir"] == crm.settings["state_dir"]
        other.pipe(NOTES, NOTE, state({"a": 2}), streams=PLANS)
        assert len(other.shown("notes")) == 1
    assert len(list((tmp_path / "state").glob("*.ledger.sqlite3"))) == 2


def test_a_run_of_other_streams_forgets_nothing_of_these(crm):
    crm.pipe(NOTES, state({"a": 1}), NOTE, streams=PLANS)
    crm.pipe(PEOPLE, person("a@example.com"), state({"b": 1}))
    crm.pipe(PEOPLE, person("b@example.com"))
    crm.pipe(NOTES, NOTE, state({"a": 2}), streams=PLANS)
    assert len(crm.shown("notes")) == 1


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ('{"type":"STATE"}\n{"type":"RECORD","stream":"pe', ['{"type":"STATE"}']),
        ('{"type":"RECORD","stream":"' + "p" * 200_000, []),
        ('{"type":"STATE"}\n{"type":"STATE","value":1}', ['{"type":"STATE"}', '{"type":"STATE","value":1}']),
        ('{"type":"STATE"}\n', ['{"type":"STATE"}']),
        ("a note of somebody's own", ["a note of somebody's own"]),
        ("", []),
    ],
)
def test_what_is_added_begins_a_line_whatever_a_killed_run_has_left(tmp_path, there, kept):
    path = tmp_path / "rejects.jsonl"
    path.write_text(there)
    file = MessageFile(path, "rejects")
    file.write("people", {}, ["id"], [{"record": {"id": 1}}])
    file.write("people", {}, ["id"], [{"record": {"id": 2}}])
    file.close()
    *before, head, one, two = path.read_text().splitlines()
    assert before == kept
    assert [json.loads(line)["type"] for line in (head, one, two)] == ["SCHEMA", "RECORD", "RECORD"]
