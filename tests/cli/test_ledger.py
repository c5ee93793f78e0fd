"""``antiphon ledger``: what a connection remembers of its writes, shown and forgotten."""

from __future__ import annotations

import io
import json
import re
import threading
from pathlib import Path

import pytest
from singer.pipes import crm as an_account
from singer.pipes import record, schema

from antiphon.cli import main

PEOPLE = schema("contacts", "email")
NOTES = schema("notes", "hs_note_body", "hs_timestamp")


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path, stall_seconds=0.01) as made:
        yield made


@pytest.fixture
def ledger(crm, tmp_path, capsys):
    """Run ``antiphon ledger`` on the account, and return its exit code and what it says."""
    config = tmp_path / "settings.json"
    config.write_text(json.dumps(crm.settings))

    def run(command, *args):
        with pytest.raises(SystemExit) as ended:
            main(["ledger", command, "hubspot", *args, "--config", str(config)])
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_the_command_that_lists_what_is_unknown_does_so_for_a_connection_that_the_config_alone_names(
    crm, tmp_path, capsys
):
    crm.app.fail_next(1, "commit-timeout", "notes/batch/create")
    note = record("notes", hs_note_body="Hi", hs_timestamp="2026-01-01T00:00:00Z")
    config = {"connection": "crm", "streams": {"notes": {"mode": "create"}}}
    ran = crm.pipe(NOTES, note, **config)
    command = re.search("antiphon (ledger show [^,]+), with --config as here", ran.err)[1].split()
    with pytest.raises(SystemExit) as ended:
        main([*command, "--config", str(crm.write_config(**config))])
    assert not ended.value.code
    assert len(json.loads(capsys.readouterr().out)["unknown"]) == 1


def test_without_a_ledger_there_is_one_line(ledger):
    code, out, err = ledger("show")
    assert (code, out) == (1, "")
    assert err.startswith("antiphon: there is no ledger of hubspot. Nothing was written through it yet: ")


def test_it_shows_how_much_is_known_and_all_of_one_record(crm, ledger):
    there = crm.app.add("contacts", {"email": "old@example.com"})
    crm.pipe(PEOPLE, record("contacts", email="Ada@example.com"), record("contacts", email="old@example.com"))
    code, out, _ = ledger("show")
    [stream] = json.loads(out)["streams"]
    assert (code, stream["stream"], stream["records"], stream["made here"]) == (0, "contacts", 2, 1)
    [one] = json.loads(ledger("show", "contacts", "ada@example.com")[1])
    assert (one["outcome"], one["made here"]) == ("created", True)
    [one] = json.loads(ledger("show", "contacts", str(there.id))[1])
    assert (one["outcome"], one["made here"]) == ("unchanged", False)
    assert "ada@example.com" not in out


def test_what_was_deleted_is_counted_apart_from_the_records_that_are_there(crm, ledger):
    crm.pipe(PEOPLE, *(record("contacts", email=f"p{n}@example.com") for n in range(3)))
    crm.pipe(PEOPLE, record("contacts", email="p1@example.com"), streams={"contacts": {"mode": "delete"}})
    [stream] = json.loads(ledger("show")[1])["streams"]
    assert (stream["records"], stream["made here"], stream["deleted"]) == (2, 2, 1)


@pytest.mark.parametrize(
    ("field", "ways", "value"),
    [
        ("phone", "digits", "+32 (9) 12"),
        ("lastname", ["lower", "spaces"], "Van  DER Mé"),
        ("lastname", "spaces", "Van  DER Mé"),
    ],
)
def test_a_record_goes_by_its_value_however_that_is_matched(crm, ledger, field, ways, value):
    entry = {"resource": "contacts", "match": [field], "match_by": {field: ways}}
    crm.pipe(
        schema("people", field, "firstname"),
        record("people", firstname="Ada", **{field: value}),
        streams={"people": entry},
    )
    assert json.loads(ledger("show", "people", value)[1])[0]["outcome"] == "created"
    assert ledger("forget", "people", value, "--yes")[1].startswith("1 forgotten")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("contcats",), 'antiphon: the ledger knows no stream "contcats". Did you mean "contacts"?'),
        (("contacts", "nobody@example.com"), "antiphon: the ledger knows no nobody@example.com of contacts."),
    ],
)
def test_what_it_does_not_know_is_one_line(crm, ledger, args, says):
    crm.pipe(PEOPLE, record("contacts", email="ada@example.com"))
    code, out, err = ledger("show", *args)
    assert (code, out, err.startswith(says)) == (1, "", True), err


@pytest.mark.parametrize(("args", "count"), [((), 3), (("contacts",), 3), (("contacts", "p1@example.com"), 1)])
def test_what_is_forgotten_is_looked_up_again(crm, ledger, args, count):
    people = [PEOPLE, *(record("contacts", email=f"p{n}@example.com") for n in range(3))]
    crm.pipe(*people)
    assert ledger("forget", *args, "--yes")[:2] == (0, f"{count} forgotten.\n")
    crm.app.reset_calls()
    assert crm.pipe(*people).last == "target-hubspot: contacts: 3 unchanged"
    assert crm.app.count("batch/read") == 1


def test_what_is_unknown_is_shown_and_sent_again_once_it_is_forgotten(crm, ledger):
    crm.app.fail_next(1, "500", "batch/create")
    note = record("notes", hs_note_body="N", hs_timestamp="2026-01-02T03:04:05Z")
    plan = {"streams": {"notes": {"mode": "create"}}}
    for _ in range(2):
        assert crm.pipe(NOTES, note, **plan).code == 1
    [unknown] = json.loads(ledger("show")[1])["unknown"]
    assert (unknown["stream"], unknown["operation"], unknown["record"]) == ("notes", "create", 1)
    assert ledger("forget", "notes", "--unknown", "--yes")[1] == "1 forgotten.\n"
    assert crm.pipe(NOTES, note, **plan).code == 0
    assert len(crm.shown("notes")) == 1


def test_what_is_under_way_is_shown_and_nothing_is_forgotten_meanwhile(crm, ledger):
    handle, sent, go = crm.app.handle, threading.Event(), threading.Event()

    def held(request):
        response = handle(request)
        if request.target.endswith("batch/create"):
            sent.set()
            go.wait(60)
        return response

    crm.app.handle = held
    process = crm.started(batch_size_rows=300)
    process.give(PEOPLE, *(record("contacts", email=f"p{n}@example.com") for n in range(300)))
    assert sent.wait(30)
    [going] = json.loads(ledger("show", "contacts")[1])["under way"]
    assert (going["stream"], going["operation"], going["run"]) == ("contacts", "create", "going on")
    assert 0 < going["records"] <= 300
    code, _, err = ledger("forget", "--yes")
    assert (code, err.startswith("antiphon: a run is writing through this connection now (")) == (1, True), err
    process.popen.kill()
    process.ended()
    go.set()
    [left] = json.loads(ledger("show")[1])["under way"]
    assert left["run"] == "ended"
    assert ledger("forget", "--yes")[0] == 0


@pytest.fixture
def two(crm, ledger, tmp_path):
    """Two jobs that write streams of one name through one connection, of which the config is that of one."""
    for pipeline, *names in (("north", "ada", "bea"), ("south", "cid"), ("", "dan")):
        crm.pipe(PEOPLE, *(record("contacts", email=f"{name}@example.com") for name in names), pipeline=pipeline)
    (tmp_path / "settings.json").write_text(json.dumps(crm.config(pipeline="north", streams={})))


def test_the_config_of_a_target_says_whose_streams_are_shown(two, ledger):
    for args in (), ("contacts",), ("north/contacts",):
        [stream] = json.loads(ledger("show", *args)[1])["streams"]
        assert (stream["stream"], stream["records"]) == ("north/contacts", 2)
    [one] = json.loads(ledger("show", "contacts", "ada@example.com")[1])
    assert (one["outcome"], one["stream"]) == ("created", "north/contacts")
    code, _, err = ledger("show", "contacts", "cid@example.com")
    assert (code, err.startswith("antiphon: the ledger knows no cid@example.com of contacts.")) == (1, True), err
    assert 'knows no stream "north/deals"' in ledger("show", "deals")[2]


@pytest.mark.parametrize(("args", "count"), [((), 2), (("contacts",), 2), (("contacts", "ada@example.com"), 1)])
def test_the_config_of_a_target_says_whose_streams_are_forgotten(two, ledger, crm, tmp_path, args, count):
    assert ledger("forget", *args, "--yes")[:2] == (0, f"{count} forgotten.\n")
    (tmp_path / "settings.json").write_text(json.dumps(crm.settings))
    left = {one["stream"]: one["records"] for one in json.loads(ledger("show")[1])["streams"]}
    assert left == {"contacts": 1, "north/contacts": 2 - count, "south/contacts": 1}


def test_a_pipeline_with_a_slash_in_its_name_is_another_than_the_one_before_the_slash(crm, ledger, tmp_path):
    for pipeline in "north", "north/crm":
        crm.pipe(PEOPLE, record("contacts", email="ada@example.com"), pipeline=pipeline)
    (tmp_path / "settings.json").write_text(json.dumps(crm.config(pipeline="north/crm", streams={})))
    assert json.loads(ledger("show", "contacts")[1])["streams"][0]["stream"] == "/north%2Fcrm/contacts"
    (tmp_path / "settings.json").write_text(json.dumps(crm.config(pipeline="north", streams={})))
    assert ledger("forget", "--yes")[1] == "1 forgotten.\n"


def test_the_config_of_a_target_says_which_connection_is_meant(crm, ledger, tmp_path):
    config = crm.config(connection="crm")
    crm.pipe(PEOPLE, record("contacts", email="ada@example.com"), connection="crm")
    crm.pipe(PEOPLE, *(record("contacts", email=f"{n}@example.com") for n in range(3)))
    (tmp_path / "settings.json").write_text(json.dumps(config))
    found = json.loads(ledger("show")[1])
    assert (Path(found["path"]).name.partition("-")[0], found["streams"][0]["records"]) == ("crm", 1)


def test_the_variables_of_the_target_say_as_much_as_its_config(crm, ledger, tmp_path, monkeypatch):
    for pipeline, connection in ("north", "crm"), ("south", "crm"), ("north", "hubspot"):
        crm.pipe(PEOPLE, record("contacts", email="ada@example.com"), pipeline=pipeline, connection=connection)
    (tmp_path / "settings.json").write_text("{}")
    for name in "connection", "base_url", "state_dir":
        monkeypatch.setenv(f"TARGET_HUBSPOT_{name.upper()}", {**crm.settings, "connection": "crm"}[name])
    monkeypatch.setenv("TARGET_HUBSPOT_PIPELINE", "north")
    found = json.loads(ledger("show", "contacts")[1])
    assert Path(found["path"]).name.startswith("crm-")
    assert [one["stream"] for one in found["streams"]] == ["north/contacts"]
    assert ledger("forget", "--yes")[:2] == (0, "1 forgotten.\n")
    (tmp_path / "settings.json").write_text(json.dumps({"pipeline": "south", "connection": "hubspot"}))
    assert 'knows no stream "south/contacts"' in ledger("show", "contacts")[2]
    assert ledger("compact")[0] == 0


def test_the_config_of_a_target_that_has_variables_alone_is_taken_as_it_is(crm, monkeypatch, capsys):
    crm.pipe(PEOPLE, record("contacts", email="ada@example.com"), connection="crm")
    for name in "connection", "base_url", "state_dir":
        monkeypatch.setenv(f"TARGET_HUBSPOT_{name.upper()}", {**crm.settings, "connection": "crm"}[name])
    with pytest.raises(SystemExit) as ended:
        main(["ledger", "show", "hubspot", "--config", "ENV"])
    said = capsys.readouterr()
    assert (ended.value.code or 0, said.err) == (0, "")
    assert Path(json.loads(said.out)["path"]).name.startswith("crm-")


def test_a_connection_to_another_api_that_a_variable_names_is_refused(crm, ledger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("connections.yaml").write_text("crm: {api: odoo}")
    monkeypatch.setenv("TARGET_HUBSPOT_CONNECTION", "crm")
    code, _, err = ledger("show")
    assert (code, err.startswith('antiphon: TARGET_HUBSPOT_CONNECTION: the connection "crm" is one to Odoo')) == (
        1,
        True,
    ), err


def test_a_connection_to_another_api_is_refused(crm, ledger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("connections.yaml").write_text("crm: {api: odoo}")
    (tmp_path / "settings.json").write_text(json.dumps(crm.config(connection="crm")))
    code, _, err = ledger("show")
    assert (code, 'settings.json: the connection "crm" is one to Odoo' in err) == (1, True), err


def test_an_api_of_ones_own_is_called_by_its_file_or_as_the_config_has_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    people = "{schema: {id: string!}, read: /people}"
    Path("till.yaml").write_text(
        f"{{name: till, title: Till, base_url: 'http://127.0.0.1:9', resources: {{people: {people}}}}}"
    )
    config = {"api": "till.yaml", "state_dir": str(tmp_path), "streams": {}}
    Path("target.json").write_text(json.dumps(config))
    for name in ("till", "till.yaml", "./till.yaml"):
        with pytest.raises(SystemExit):
            main(["ledger", "show", name, "--config", "target.json"])
        assert f"{tmp_path}/till-127.0.0.1_9.ledger.sqlite3 is not there" in capsys.readouterr().err


def test_it_asks_before_it_forgets(crm, ledger, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    crm.pipe(PEOPLE, record("contacts", email="ada@example.com"))
    assert ledger("forget")[0] == 130
    assert json.loads(ledger("show")[1])["streams"][0]["records"] == 1


def test_where_nobody_can_be_asked_nothing_is_forgotten_and_that_is_said(crm, ledger, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    crm.pipe(PEOPLE, record("contacts", email="ada@example.com"))
    code, _, err = ledger("forget")
    assert (code, err.splitlines()[-1]) == (130, "antiphon: nothing was forgotten. --yes forgets without asking.")
    assert json.loads(ledger("show")[1])["streams"][0]["records"] == 1


def test_it_gives_back_room(crm, ledger):
    crm.pipe(PEOPLE, *(record("contacts", email=f"p{n}@example.com") for n in range(500)))
    before = crm.ledger().stat().st_size
    ledger("forget", "--yes")
    code, out, _ = ledger("compact", "--older-than", "30")
    assert (code, out.startswith("0 forgotten; ")) == (0, True)
    assert crm.ledger().stat().st_size < before
