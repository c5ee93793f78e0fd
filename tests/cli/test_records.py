"""One record of one connection: check, add, get, find, update, upsert, delete, call."""

import io
import json
import sys
from decimal import Decimal

import pytest

from .conftest import URL

REX = {"id": "7", "name": "Rex", "legs": 4, "note": None}


def test_check_says_that_the_connection_works(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/me", json={})
    ran = run("check", "zoo")
    assert ran.code == 0
    assert json.loads(ran.out) == {"connection": "zoo", "api": "zoo", "base_url": URL, "works": True}
    assert requests_mock.last_request.headers["Authorization"] == "Bearer gate-secret"


def test_check_tells_which_credential_is_wrong_and_never_its_value(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/me", status_code=401, json={"message": "no entry for gate-secret"})
    ran = run("check", "zoo")
    assert ran.code == 1
    assert "401" in ran.err
    assert "access_token" in ran.err
    assert "gate-secret" not in ran.err


def test_check_names_the_missing_setting_and_its_variable(run, zoo, monkeypatch):
    monkeypatch.delenv("ZOO_ACCESS_TOKEN")
    ran = run("check", "zoo")
    assert ran.code == 1
    assert "access_token" in ran.err
    assert "ZOO_ACCESS_TOKEN" in ran.err


def test_settings_come_from_set_before_the_file_before_the_environment(run, zoo, requests_mock, tmp_path):
    (tmp_path / "zoo.json").write_text(json.dumps({"base_url": "https://file.example", "access_token": "from-file"}))
    requests_mock.get("https://set.example/me", json={})
    assert run("check", "zoo", "--config", "zoo.json", "--set", "base_url=https://set.example").code == 0
    assert requests_mock.last_request.headers["Authorization"] == "Bearer from-file"


def test_a_connection_may_name_another_api(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/me", json={})
    ran = run("check", "north", "--set", "api=zoo", "--set", "access_token=x")
    assert json.loads(ran.out)["connection"] == "north"


def test_a_connection_comes_from_the_connections_file(run, zoo, requests_mock, tmp_path, monkeypatch):
    monkeypatch.setenv("NORTH_GATE_TOKEN", "north")
    (tmp_path / "connections.yaml").write_text("north: {api: zoo, access_token: {env: NORTH_GATE_TOKEN}}\n")
    requests_mock.get(f"{URL}/me", json={})
    assert run("check", "north").code == 0
    assert requests_mock.last_request.headers["Authorization"] == "Bearer north"


def test_a_setting_is_read_by_its_type(run, zoo):
    ran = run("check", "zoo", "--set", "gate=north")
    assert ran.code == 1
    assert "gate" in ran.err
    assert "it is to be a whole number" in ran.err


def test_an_unknown_setting_names_the_nearest(run, zoo):
    ran = run("check", "zoo", "--set", "acess_token=x")
    assert ran.code == 1
    assert 'Did you mean "access_token"?' in ran.err


@pytest.mark.parametrize(
    "of_a_plugin",
    [
        {
            "streams": {"people": {"resource": "animals"}},
            "rejects": "rejects.jsonl",
            "payload": "keys",
            "max_rejects": "5%",
        },
        {"start_date": "2026-01-31", "parallel_streams": 2, "stream_maps": {}, "flattening_separator": "_"},
        {"connection": "zoo", "validate_records": False},
    ],
)
def test_the_config_of_a_tap_or_a_target_is_one_of_the_connection(run, zoo, tmp_path, requests_mock, of_a_plugin):
    requests_mock.get(f"{URL}/me", json={})
    (tmp_path / "zoo.json").write_text(json.dumps({"gate": 1, **of_a_plugin}))
    assert run("check", "zoo", "--config", "zoo.json").code == 0


@pytest.mark.parametrize("command", [("check", "zoo"), ("ledger", "show", "zoo")])
@pytest.mark.parametrize(("name", "meant"), [("rejcts", "rejects"), ("state_dri", "state_dir"), ("gte", "gate")])
def test_a_typo_in_a_config_is_told_with_all_that_might_be_meant(run, zoo, tmp_path, command, name, meant):
    for value in ("x", 5):
        (tmp_path / "zoo.json").write_text(json.dumps({name: value, "streams": {}}))
        ran = run(*command, "--config", "zoo.json")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f'antiphon: zoo: there is no setting "{name}". Did you mean "{meant}"? There are: ')
        assert "base_url" in ran.err
        assert "state_dir" in ran.err


def test_a_setting_of_the_target_s_alone_is_not_set_for_a_connection(run, zoo):
    assert 'zoo: there is no setting "rejects"' in run("check", "zoo", "--set", "rejects=x").err


@pytest.mark.parametrize("text", ["not json", "[1]", None])
def test_a_config_file_that_cannot_be_used_is_named(run, zoo, tmp_path, text):
    if text is not None:
        (tmp_path / "zoo.json").write_text(text)
    ran = run("check", "zoo", "--config", "zoo.json")
    assert ran.code == 1
    assert ran.err.startswith("antiphon: zoo.json")


def test_add_sends_text_and_json_and_prints_what_came_back(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/animals", json=REX)
    ran = run("add", "zoo", "animal", "name=Rex", "legs:=4", "note=a=b:=c")
    assert json.loads(ran.out) == REX
    assert requests_mock.last_request.json() == {"name": "Rex", "legs": 4, "note": "a=b:=c"}


def test_numbers_keep_their_digits_on_the_way_there_and_back(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/animals", text='{"id": "7", "legs": 0.10000000000000000001}')
    ran = run("add", "zoo", "animal", "legs:=12345678901234567890.10")
    assert requests_mock.last_request.text == '{"legs":12345678901234567890.10}'
    assert json.loads(ran.out, parse_float=Decimal)["legs"] == Decimal("0.10000000000000000001")


def test_add_takes_an_object_and_fields_on_top(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/animals", json=REX)
    run("add", "zoo", "animal", "--data", '{"name": "Max", "legs": 4}', "name=Rex")
    assert requests_mock.last_request.json() == {"name": "Rex", "legs": 4}


def test_add_reads_an_object_from_stdin(run, zoo, requests_mock, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO('{"name": "Rëx"}'.encode())))
    requests_mock.post(f"{URL}/animals", json=REX)
    run("add", "zoo", "animal", "--data", "-")
    assert requests_mock.last_request.json() == {"name": "Rëx"}


@pytest.mark.parametrize(
    "args",
    [
        ["name"],
        ["legs:=four"],
        ["--data", "{"],
        ["--data", "[1]"],
        [],
    ],
)
def test_fields_that_cannot_be_read_are_wrong_usage_and_nothing_is_sent(run, zoo, requests_mock, args):
    ran = run("add", "zoo", "animal", *args)
    assert ran.code == 2
    assert not requests_mock.called


def test_what_the_api_refuses_is_said_in_its_words(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/animals", status_code=422, json={"message": "The zoo is full"})
    ran = run("add", "zoo", "animal", "name=Rex")
    assert ran.code == 1
    assert ran.out == ""
    assert "422 The zoo is full" in ran.err


def test_an_unknown_resource_names_those_there_are(run, zoo, requests_mock):
    for command in (
        ["add", "zoo", "animl", "name=Rex"],
        ["get", "zoo", "animl", "7"],
        ["find", "zoo", "animl", "name=Rex"],
    ):
        ran = run(*command)
        assert ran.code == 1
        assert 'zoo has no resource "animl"' in ran.err
        assert "There are: animals, keepers." in ran.err
    assert not requests_mock.called


@pytest.mark.parametrize(
    "command",
    [
        ["add", "zoo", "animal", "nmae=Rex"],
        ["update", "zoo", "animal", "7", "nmae=Rex"],
        ["upsert", "zoo", "animal", "name=Rex", "--by", "nmae"],
        ["find", "zoo", "animal", "nmae=Rex"],
    ],
)
def test_an_unknown_field_names_those_there_are_and_nothing_is_sent(run, zoo, requests_mock, command):
    ran = run(*command)
    assert ran.code == 1
    assert 'animals has no field "nmae". Did you mean "name"? There are: id, legs, name, note.' in ran.err
    assert not requests_mock.called


def test_what_a_resource_cannot_do_is_told_with_what_it_can(run, zoo):
    ran = run("add", "zoo", "keepers", "name=Ann")
    assert ran.code == 1
    assert "zoo cannot create keepers" in ran.err
    assert "read" in ran.err


def test_get_prints_the_record(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/animals/7", json=REX)
    assert json.loads(run("get", "zoo", "animal", "7").out) == REX


def test_get_of_nothing_is_an_error(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/animals/8", status_code=404, json={"message": "no such animal"})
    ran = run("get", "zoo", "animal", "8")
    assert ran.code == 1
    assert "404 no such animal" in ran.err


def test_find_takes_several_values_of_one_field(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/animals", json={"items": [REX, {**REX, "id": "8", "name": "Max"}]})
    ran = run("find", "zoo", "animal", "name=Rex", "name=Max")
    assert [animal["id"] for animal in json.loads(ran.out)] == ["7", "8"]
    assert requests_mock.last_request.qs["name"] == ["rex,max"]


def test_find_of_nothing_is_an_empty_list(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/animals", json={"items": []})
    ran = run("find", "zoo", "animal", "name=Nobody")
    assert (ran.code, json.loads(ran.out)) == (0, [])


def test_find_by_two_fields_is_wrong_usage(run, zoo):
    assert run("find", "zoo", "animal", "name=Rex", "legs:=4").code == 2


def test_update_changes_the_record_with_that_id(run, zoo, requests_mock):
    requests_mock.patch(f"{URL}/animals/7", json={**REX, "legs": 3})
    ran = run("update", "zoo", "animal", "7", "legs:=3")
    assert json.loads(ran.out)["legs"] == 3
    assert requests_mock.last_request.json() == {"legs": 3}


def test_upsert_updates_what_is_there_and_creates_what_is_not(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/animals", json={"items": [REX]})
    requests_mock.patch(f"{URL}/animals/7", json={**REX, "legs": 3})
    assert json.loads(run("upsert", "zoo", "animal", "name=Rex", "legs:=3", "--by", "name").out)["legs"] == 3
    requests_mock.get(f"{URL}/animals", json={"items": []})
    requests_mock.post(f"{URL}/animals", json={"id": "9", "name": "Max"})
    assert json.loads(run("upsert", "zoo", "animal", "name=Max").out)["id"] == "9"


def test_delete_says_so(run, zoo, requests_mock):
    requests_mock.delete(f"{URL}/animals/7", status_code=204)
    ran = run("delete", "zoo", "animal", "7")
    assert json.loads(ran.out) == {"id": "7", "deleted": True}
    assert requests_mock.call_count == 1


def test_call_makes_any_request(run, zoo, requests_mock):
    requests_mock.get(f"{URL}/weather", json={"sun": True})
    assert json.loads(run("call", "zoo", "get", "/weather", "day=monday").out) == {"sun": True}
    assert requests_mock.last_request.qs == {"day": ["monday"]}


def test_call_puts_fields_into_the_body_and_double_equals_into_the_query(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/tickets", status_code=204)
    ran = run("call", "zoo", "POST", "/tickets", "name=Ada", "count:=2", "notify==yes")
    assert json.loads(ran.out) is None
    assert requests_mock.last_request.json() == {"name": "Ada", "count": 2}
    assert requests_mock.last_request.qs == {"notify": ["yes"]}


def test_call_takes_a_body_that_is_no_object(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/tickets", json={})
    run("call", "zoo", "POST", "/tickets", "--data", "[1, 2]")
    assert requests_mock.last_request.json() == [1, 2]


def test_call_carries_out_an_action_with_fields_of_any_name(run, zoo, requests_mock):
    requests_mock.post(f"{URL}/animals/7/feed", json={"full": True})
    ran = run("call", "zoo", "animals.feed", "id=7", "name=hay", "path=left")
    assert json.loads(ran.out) == {"full": True}
    assert requests_mock.last_request.json() == {"name": "hay", "path": "left"}


def test_an_unknown_action_names_those_there_are(run, zoo):
    ran = run("call", "zoo", "feed")
    assert ran.code == 1
    assert "There are: animals.feed." in ran.err
    ran = run("call", "zoo", "animals.fed")
    assert ran.code == 1
    assert "feed" in ran.err


def test_a_call_to_another_host_is_refused_and_gets_no_credential(run, zoo, requests_mock):
    ran = run("call", "zoo", "GET", "https://elsewhere.example/steal")
    assert ran.code == 1
    assert "elsewhere.example" in ran.err
    assert not requests_mock.called


def test_somebody_who_watches_sees_a_table_of_what_is_filled(run, zoo, requests_mock, watched):
    requests_mock.get(f"{URL}/animals/7", json=REX)
    out = run("get", "zoo", "animal", "7").out
    assert "Rex" in out
    assert "{" not in out
    assert "1 fields are empty" in out
    assert json.loads(run("get", "zoo", "animal", "7", "--json").out) == REX


def test_a_list_for_people_begins_with_what_a_record_is_known_by(run, zoo, requests_mock, watched):
    items = [{"legs": 4, "name": "Rex", "id": "7"}, {"legs": 2, "name": "Max", "id": "8"}]
    requests_mock.get(f"{URL}/animals", json={"items": items})
    out = run("find", "zoo", "animal", "name=Rex", "name=Max").out
    assert next(line for line in out.splitlines() if "legs" in line).split() == ["id", "name", "legs"]
    assert "2 records." in out


def test_a_records_text_cannot_steer_the_terminal(run, zoo, requests_mock, watched):
    requests_mock.get(f"{URL}/animals/7", json={"id": "7", "name": "\x1b]0;owned\x07[red]x[/red]"})
    out = run("get", "zoo", "animal", "7").out
    assert "\x1b]" not in out
    assert "[red]x[/red]" in out


def test_a_real_conversation_with_the_sandbox(run, hubspot, tmp_path, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", hubspot.config["access_token"])
    monkeypatch.setenv("HUBSPOT_BASE_URL", hubspot.config["base_url"])
    added = json.loads(run("add", "hubspot", "contact", "email=cli@example.org", "firstname=Ada").out)
    assert json.loads(run("get", "hubspot", "contact", added["id"]).out)["firstname"] == "Ada"
    json.loads(run("update", "hubspot", "contact", added["id"], "firstname=Augusta").out)
    [found] = json.loads(run("find", "hubspot", "contact", "email=cli@example.org").out)
    assert found["firstname"] == "Augusta"
    upserted = json.loads(run("upsert", "hubspot", "contact", "email=cli@example.org", "lastname=King").out)
    assert upserted["id"] == added["id"]
    assert run("delete", "hubspot", "contact", added["id"]).code == 0
    assert json.loads(run("find", "hubspot", "contact", "email=cli@example.org").out) == []
    owners = json.loads(run("call", "hubspot", "GET", "/crm/v3/owners", "limit=1").out)
    assert len(owners["results"]) == 1


def test_erase_asks_first_and_then_erases_for_good(run, hubspot, monkeypatch):
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", hubspot.config["access_token"])
    monkeypatch.setenv("HUBSPOT_BASE_URL", hubspot.config["base_url"])
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    made = json.loads(run("add", "hubspot", "contact", "email=gone@example.org").out)
    assert run("erase", "hubspot", "contact", made["id"]).code == 130
    assert json.loads(run("find", "hubspot", "contact", "email=gone@example.org").out)
    assert json.loads(run("erase", "hubspot", "contact", made["id"], "--yes").out) == {"id": made["id"], "erased": True}
    assert json.loads(run("find", "hubspot", "contact", "email=gone@example.org").out) == []
