"""What target-odoo writes: matched, loaded, related, refused row by row; each record once, whatever goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from contract import plugins
from odoo_account import EACH, odoo, written

from antiphon.errors import Refused, SettingError
from antiphon.outcome import Change
from target_odoo import TargetOdoo

TARGET = Path(sys.executable).with_name("target-odoo")
FAULTS = {"429": 0.05, "500": 0.03, "cut": 0.03, "timeout": 0.02, "commit-timeout": 0.05, "conflict": 0.05}
BAD = {"type": "nowhere"}


def people(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"name": f"P{n}", "ref": f"R{n}", "email": f"p{n}@example.org", **more} for n in range(count)]


def loaded(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"external_id": f"shop.p{n}", **row} for n, row in enumerate(people(count, **more))]


def ours(row: dict[str, Any]) -> bool:
    """Whether a record is one of those that are written here, and not of the sandbox's own."""
    return str(row["ref"]).startswith("R")


def errors(said: plugins.Written) -> dict[str, str]:
    return {reject["record"]["name"]: reject["error"]["message"] for reject in said.rejects}


# Matching


@EACH
def test_what_the_first_field_does_not_find_the_next_does(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.app.add("res.partner", {"name": "Ada", "email": "ada@example.org", "ref": "R1"})
        rows = [
            {"name": "Ada", "ref": "R2", "email": "ada@example.org"},
            {"name": "Bo", "ref": "R3", "email": "bo@example.org"},
            {"name": "Bo", "ref": "R4", "email": "bo@example.org"},
        ]
        for outcome in ({"updated": 2, "created": 1}, {"unchanged": 2, "superseded": 1}):
            assert written(account.write(rows, match=["ref", "email"])) == outcome
            there = account.partners("ref", "email")
            assert [(row["ref"], row["email"]) for row in there if ours(row)] == [
                ("R2", "ada@example.org"),
                ("R4", "bo@example.org"),
            ]


@EACH
def test_records_are_upserted_by_external_id_in_batches(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        assert written(account.write(loaded(450))) == {"created": 450}
        assert account.called("res.partner/load") == 3
        assert account.called("res.partner/create") == 0
        assert written(account.write(loaded(450, city="Gent"))) == {"updated": 450}
        there = account.partners("ref", "city")
        assert Counter(row["ref"] for row in there if ours(row)) == Counter(f"R{n}" for n in range(450))
        assert all(row["city"] == "Gent" for row in there if ours(row))


@EACH
def test_records_are_upserted_by_any_field(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        assert written(account.write(people(450), match=["email"])) == {"created": 450}
        assert account.called("res.partner/create") == 3
        assert written(account.write(people(450), match=["email"])) == {"unchanged": 450}
        assert written(account.write(people(450, city="Gent"), match=["ref"])) == {"updated": 450}


def test_records_that_get_the_same_values_are_updated_in_one_call(tmp_path):
    with odoo(tmp_path) as account:
        account.write(people(400), match=["ref"])
        account.app.reset_calls()
        rows = [{"ref": f"R{n}", "city": "Gent" if n % 2 else "Lier"} for n in range(400)]
        assert written(account.write(rows, match=["ref"])) == {"updated": 400}
        assert account.called("res.partner/write") == 4


@EACH
def test_records_are_updated_by_id(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        said = account.write([{"id": 3, "city": "Gent"}, {"id": 99999, "city": "Gent"}], match=["id"])
        assert written(said) == {"rejected": 1, "updated": 1}
        [reject] = said.rejects
        assert reject["record"]["id"] == 99999
        assert "does not exist" in reject["error"]["message"]


@EACH
def test_a_value_that_several_records_have_is_ambiguous(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        twins = account.app.add("res.partner", {"name": "Twin", "ref": "T"}, {"name": "Twin", "ref": "T"})
        said = account.write([{"ref": "T", "name": "One"}], match=["ref"])
        assert written(said) == {"rejected": 1}
        assert all(str(id) in errors(said)["One"] for id in twins)


@EACH
def test_an_external_id_without_a_module_or_with_more_dots_is_found_again(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        rows = [{"external_id": "bare", "name": "A"}, {"external_id": "shop.a.b", "name": "B"}]
        assert written(account.write(rows)) == {"created": 2}
        assert written(account.write(rows)) == {"unchanged": 2}
        assert written(account.write(rows, full=True)) == {"updated": 2}
        found = account.connection().find("partner", external_id=["bare", "shop.a.b", "__import__.bare"])
        assert sorted(row["external_id"] for row in found) == ["__import__.bare", "bare", "shop.a.b"]


@EACH
def test_records_that_are_gone_at_the_source_are_deleted_or_archived_when_asked_for(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        account.write(loaded(4))
        rows = [{**row, "_sdc_deleted_at": "2026-05-05T10:00:00Z"} for row in loaded(4)]
        assert written(account.write(rows[:1])) == {"skipped": 1}
        assert written(account.write(rows[:2], deletes="archive")) == {"deleted": 2}
        assert written(account.write(rows[2:], deletes="delete")) == {"deleted": 2}
        there = {row["ref"]: row["active"] for row in account.partners("ref", "active") if ours(row)}
        assert there == {"R0": False, "R1": False}


def test_what_another_record_needs_cannot_be_deleted_and_its_neighbours_go(tmp_path):
    with odoo(tmp_path) as account:
        account.write(loaded(3))
        ids = {row["ref"]: row["id"] for row in account.app.records("res.partner")}
        account.app.add("sale.order", {"partner_id": ids["R1"]})
        rows = [{**row, "_sdc_deleted_at": "2026-05-05T10:00:00Z"} for row in loaded(3)]
        said = account.write(rows, deletes="delete")
        assert written(said) == {"deleted": 2, "rejected": 1}
        assert "If possible, archive it instead" in errors(said)["P1"]


def test_a_field_that_is_costly_to_read_can_be_written(tmp_path):
    with odoo(tmp_path) as account:
        image = "R0lGODlhAQABAAAAACw="
        assert written(account.write(people(1, image_1920=image), match=["ref"])) == {"created": 1}
        assert account.partners("image_1920")[-1] == {"image_1920": image}
        assert written(account.write(people(1, image_1920=image), match=["ref"])) == {"unchanged": 1}


def test_what_batch_after_batch_points_to_is_looked_up_once(tmp_path):
    with odoo(tmp_path) as account:
        rows = [{**row, "country_id": "Belgium" if n % 2 else "base.fr"} for n, row in enumerate(people(3000))]
        assert written(account.write(rows, match=["ref"])) == {"created": 3000}
        assert account.called("res.partner/create") == 15
        # Four requests are under way at a time: the first four may ask before any has its answer.
        assert account.called("res.country/search_read") <= 4
        assert account.called("ir.model.data/search_read") <= 4


def test_what_was_pointed_to_in_vain_is_looked_up_again(tmp_path):
    with odoo(tmp_path) as account:
        partner = account.connection()
        with pytest.raises(Refused, match=r'no record of res\.country is called "Elbonia"'):
            partner.add("partner", name="P", country_id="Elbonia")
        account.app.add("res.country", {"name": "Elbonia", "code": "EL"})
        assert partner.add("partner", name="P", country_id="Elbonia")["id"]


def test_a_look_up_takes_one_call(tmp_path):
    with odoo(tmp_path) as account:
        account.write(people(200), match=["ref"])
        account.app.reset_calls()
        account.write(people(200), match=["ref"], full=True)
        assert account.called("res.partner/search_read") == 1
        assert account.called("res.partner/write") == 0


# Relations


@EACH
@pytest.mark.parametrize("native", [True, False])
def test_a_relation_is_given_by_id_external_id_or_name(tmp_path, protocol, native):
    with odoo(tmp_path, protocol) as account:
        given = [1, "1", "base.be", "Belgium"]
        make = loaded if native else people
        rows = [{**row, "country_id": value} for row, value in zip(make(4), given, strict=True)]
        plan = {} if native else {"match": ["ref"]}
        assert written(account.write(rows, **plan)) == {"created": 4}
        assert [row["country_id"] for row in account.partners("ref", "country_id") if ours(row)] == [1] * 4


@EACH
@pytest.mark.parametrize("native", [True, False])
def test_a_relation_that_is_not_clear_is_refused_with_words_and_its_neighbours_land(tmp_path, protocol, native):
    with odoo(tmp_path, protocol) as account:
        twins = account.app.add("res.partner", {"name": "Twin"}, {"name": "Twin"})
        given = ["Nobody", "Twin", "shop.nobody", False, ""]
        make = loaded if native else people
        rows = [{**row, "parent_id": value} for row, value in zip(make(5), given, strict=True)]
        said = account.write(rows, **({} if native else {"match": ["ref"]}))
        assert written(said) == {"created": 2, "rejected": 3}
        told = errors(said)
        assert 'parent_id: no record of res.partner is called "Nobody"' in told["P0"]
        assert '2 records of res.partner are called "Twin"' in told["P1"]
        assert ", ".join(map(str, twins)) in told["P1"]
        assert "shop.nobody" in told["P2"]


def test_the_same_relation_by_name_is_no_change(tmp_path):
    with odoo(tmp_path) as account:
        rows = people(3, country_id="Belgium")
        assert written(account.write(rows, match=["ref"])) == {"created": 3}
        assert written(account.write(rows, match=["ref"])) == {"unchanged": 3}
        assert written(account.write(people(3, country_id="France"), match=["ref"])) == {"updated": 3}


@EACH
def test_a_record_may_point_to_one_of_the_same_batch(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        rows = [
            {"external_id": "shop.a", "name": "Mother"},
            {"external_id": "shop.b", "name": "Child", "parent_id": "shop.a"},
        ]
        assert written(account.write(rows)) == {"created": 2}
        [mother, child] = account.app.records("res.partner")[-2:]
        assert child["parent_id"] == mother["id"]


def test_a_relation_to_records_that_are_not_called_by_a_name_is_looked_up_as_odoo_does(tmp_path):
    with odoo(tmp_path, custom={"x_hall": {"x_name": "char"}}) as account:
        [hall] = account.app.add("x_hall", {"x_name": "Grand"})
        account.app.add_field("res.partner", "x_hall_id", "many2one:x_hall")
        said = account.write(people(2, x_hall_id="Grand"), match=["ref"])
        assert written(said) == {"created": 2}
        assert account.partners("x_hall_id")[-1] == {"x_hall_id": hall}
        assert "no record of x_hall" in errors(account.write(people(1, x_hall_id="Petit"), match=["ref"]))["P0"]


def test_a_relation_that_may_not_be_looked_up_says_so(tmp_path):
    with odoo(tmp_path, deny={"res.country": ["read"]}) as account:
        said = account.write([*people(1), {"ref": "X", "name": "X", "country_id": "Belgium"}], match=["ref"])
        assert written(said) == {"created": 1, "rejected": 1}
        assert '"Belgium" could not be looked up: ' in errors(said)["X"]


@EACH
def test_lists_of_links_go_with_an_external_id_and_other_commands_do_not(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        given = [[1, 2], [[6, 0, [2, 3]]], [[4, 1], [4, 3, 0]], [], [[0, 0, {"name": "New"}]], "1,2"]
        rows = [{**row, "category_id": value} for row, value in zip(loaded(6), given, strict=True)]
        said = account.write(rows[:5])
        assert sorted(said.outcomes) == ["created"] * 4 + ["rejected"]
        assert "no other command" in errors(said)["P4"]
        there = {row["ref"]: row["category_id"] for row in account.partners("ref", "category_id") if ours(row)}
        assert there == {"R0": [1, 2], "R1": [2, 3], "R2": [1, 3], "R3": []}


# Batches with something wrong in them


@EACH
@pytest.mark.parametrize("native", [True, False])
def test_a_bad_row_is_named_and_its_neighbours_land(tmp_path, protocol, native):
    with odoo(tmp_path, protocol) as account:
        rows = loaded(200) if native else people(200)
        rows[77] |= BAD
        said = account.write(rows, **({} if native else {"match": ["ref"]}))
        assert written(said) == {"created": 199, "rejected": 1}
        assert "nowhere" in errors(said)["P77"]
        assert 400 <= said.rejects[0]["error"]["status"] < 600
        assert len([row for row in account.partners("ref") if ours(row)]) == 199
        assert account.called("res.partner/load" if native else "res.partner/create") <= (2 if native else 17)


def test_many_bad_rows_are_all_named(tmp_path):
    with odoo(tmp_path) as account:
        rows = loaded(200)
        for n in range(0, 200, 4):
            rows[n] |= BAD
        rows[3] |= {"email": None, "name": None}
        said = account.write(rows, nulls="clear")
        assert written(said) == {"created": 149, "rejected": 51}
        assert "Contacts require a name" in errors(said)[None]
        assert "not found in selection field" in errors(said)["P4"]
        assert "There are: Contact, " in errors(said)["P4"]


def test_a_batch_that_the_import_breaks_over_is_taken_apart(tmp_path):
    with odoo(tmp_path) as account:
        answer = account.app.answer

        def answering(request: Any) -> Any:
            if request.target.endswith("/load") and b'"P5"' in request.body:
                return account.app._refused(account.app._understand(request), broken)
            return answer(request)

        from antiphon.sandbox.odoo.failures import wrong_type  # noqa: PLC0415

        broken = wrong_type("unhashable type: 'dict'")
        account.app.answer = answering
        said = account.write(loaded(20))
        assert written(said) == {"created": 19, "rejected": 1}
        assert errors(said) == {"P5": "unhashable type: 'dict'"}


def test_a_user_without_the_right_is_told_so_for_each_record(tmp_path):
    with odoo(tmp_path, deny={"res.partner": ["create", "write"]}) as account:
        said = account.write(loaded(3))
        assert written(said) == {"rejected": 3}
        said = account.write([{"id": 3, "name": "X"}], match=["id"])
        assert written(said) == {"rejected": 1}


def test_external_ids_that_may_not_be_read_are_no_hindrance_to_the_import(tmp_path):
    with odoo(tmp_path, deny={"ir.model.data": ["read"]}) as account:
        client = account.client()
        changes = [Change({"external_id": "shop.a", "name": "A"}, by="external_id", value="shop.a")]
        [outcome] = client.write(client.resource("partner"), "upsert", changes)
        assert outcome.ok


def test_a_bad_time_is_refused_by_name(tmp_path):
    with odoo(tmp_path) as account:
        rows = [{"external_id": f"e.{n}", "name": f"E{n}", "date_begin": at, "date_end": "2026-09-01T10:00:00Z"}
                for n, at in enumerate(["2026-08-01T10:00:00Z", "the day before"])]  # fmt: skip
        for plan in ({}, {"match": ["name"]}):
            said = account.write(rows, "event", **plan)
            assert "the day before" in errors(said)["E1"]
            assert len(said.rejects) == 1


def test_a_column_that_cannot_be_written_is_named(tmp_path, caplog):
    with odoo(tmp_path) as account:
        account.write(people(1, create_date="2026-01-01", nane="x"), match=["ref"])
        assert 'column "create_date" is not written' in caplog.text
        assert 'column "nane" is not written' in caplog.text


@pytest.mark.parametrize("answer", [b"null", b"{}", b"7", b'{"ids": [1]}', b'{"ids": false, "messages": []}', b"[]"])
def test_an_answer_of_the_import_that_says_nothing_is_not_taken_for_done(tmp_path, answer):
    from antiphon.sandbox.exchange import Response  # noqa: PLC0415

    with odoo(tmp_path) as account:
        real = account.app.answer
        account.app.answer = lambda r: Response(200, answer, {}) if r.target.endswith("/load") else real(r)
        client = account.client()
        changes = [Change({"external_id": f"shop.{n}", "name": "A"}) for n in range(3)]
        assert {o.kind for o in client.write(client.resource("partner"), "upsert", changes)} == {"unknown"}


def test_a_write_whose_override_returns_nothing_is_done_by_xmlrpc(tmp_path):
    from antiphon.sandbox.odoo import marshalling  # noqa: PLC0415
    from antiphon.sandbox.odoo.failures import wrong_type  # noqa: PLC0415

    with odoo(tmp_path, "xmlrpc") as account:
        connection = account.connection()
        real = account.app._legacy

        def answering(request: Any, asked: Any) -> Any:
            said = real(request, asked)
            if asked.called.endswith("/write"):
                said.body = marshalling.fault(wrong_type("cannot marshal None unless allow_none is enabled"), old=False)
            return said

        account.app._legacy = answering
        assert connection.update("partner", id=3, city="Gent")["city"] == "Gent"
        assert connection.get("partner", 3)["city"] == "Gent"


def test_an_action_without_a_record_is_refused(tmp_path):
    with odoo(tmp_path) as account, pytest.raises(Refused, match="no id of a record"):
        account.connection().call("invoice.action_post")


# Faults: none lost, none twice


@EACH
@pytest.mark.parametrize(
    ("rows", "plan"),
    [
        (loaded, {}),
        (people, {"match": ["email"]}),
        (people, {"mode": "create", "match": ["email"]}),
        (loaded, {"mode": "create"}),
    ],
    ids=["upsert-xid", "upsert-email", "create-email", "create-xid"],
)
def test_faults_lose_nothing_and_double_nothing(tmp_path, protocol, rows, plan):
    with odoo(tmp_path, protocol, faults=FAULTS, seed=7) as account:
        given = rows(2000)
        given[1234] |= BAD
        said = account.write(given, **plan)
        assert written(said).get("unknown", 0) == 0
        assert written(said)["rejected"] == 1
        assert "nowhere" in errors(said)["P1234"]
        there = Counter(row["ref"] for row in account.partners("ref") if ours(row))
        assert there == Counter(f"R{n}" for n in range(2000) if n != 1234)


# New columns


@EACH
def test_new_columns_become_custom_fields_where_the_settings_say_so(tmp_path, protocol):
    with odoo(tmp_path, protocol) as account:
        typed = {"x_shoe_size": "integer", "x_vip": "boolean", "x_height": "number", "x_nick": "string"}
        streams = {"people": {"resource": "partner", "match": ["ref"], "unknown": "create"}}

        def write(**more: Any) -> dict[str, int]:
            head, *records = plugins.stream("people", people(3, **more))
            head["schema"]["properties"] |= {name: {"type": typed[name]} for name in more}
            return written(
                plugins.write(TargetOdoo, {**account.config, "streams": streams}, [head, *records], tmp_path)
            )

        assert write(x_shoe_size=43, x_vip=True, x_height=1.5, x_nick="Bo") == {"created": 3}
        account.app.reset_calls()
        assert write(x_shoe_size=44) == {"updated": 3}
        assert account.called("ir.model.fields/create") == 0
        shown = account.partners("ref", *typed)
        made = {"ref": "R0", "x_shoe_size": 44, "x_vip": True, "x_height": 1.5, "x_nick": "Bo"}
        assert next(row for row in shown if ours(row)) == made


def test_a_column_that_odoo_cannot_have_a_field_for_is_refused_with_what_to_do(tmp_path):
    with odoo(tmp_path) as account:
        with pytest.raises(SettingError, match=r'adding the field "shoe": .*begins with "x_"') as refused:
            account.write(people(1, shoe=43), match=["ref"], unknown="create")
        assert refused.value.hint == 'Name it in fields: {"x_shoe": "shoe"}.'
        account.app.deny("ir.model.fields", "create")
        with pytest.raises(SettingError, match=r'adding the field "x_shoe": .*You are not allowed to create'):
            account.write(people(1, x_shoe=43), match=["ref"], unknown="create")


# Kills


def lines(rows: list[dict[str, Any]], done: int) -> bytes:
    """What a tap sends that was told it is *done* with so many: a STATE after every 200 records."""
    said = [plugins.stream("people", rows)[0]]
    for number, row in enumerate(rows[done:], done + 1):
        said.append({"type": "RECORD", "stream": "people", "record": row})
        if number % 200 == 0 or number == len(rows):
            said.append({"type": "STATE", "value": {"done": number}})
    return b"".join(json.dumps(message).encode() + b"\n" for message in said)


def run(account: Any, plan: dict[str, Any], given: bytes, *, kill_after: int | None) -> tuple[int, int | None, str]:
    """Run the command; kill it after so many calls. Its exit code, how far its last state is, what it said."""
    config = account.folder / "config.json"
    plan = {"resource": "partner", **plan}
    config.write_text(json.dumps({**account.config, "streams": {"people": plan}, "batch_size_rows": 200}))
    source = account.folder / "people.jsonl"
    source.write_bytes(given)
    environment = {"PATH": os.environ["PATH"], "HOME": str(account.folder), "LOGLEVEL": "WARNING"}
    struck, handle, gone = threading.Event(), account.app.handle, threading.Event()

    def held(request: Any) -> Any:
        """Do what is asked for; from the call on after which it is killed, nobody hears of it."""
        response = handle(request)
        if kill_after is not None and sum(account.app.calls.values()) >= kill_after:
            struck.set()
            gone.wait(60)
        return response

    account.app.reset_calls()
    account.app.handle = held
    with source.open("rb") as stdin:
        process = subprocess.Popen([TARGET, "--config", config], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=account.folder, env=environment)  # fmt: skip
        if kill_after is not None:
            struck.wait(120)
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    gone.set()
    account.app.handle = handle
    states = [json.loads(line)["done"] for line in out.decode().splitlines()]
    return process.returncode, states[-1] if states else None, err.decode()


@pytest.mark.parametrize(
    ("protocol", "rows", "plan"),
    [
        ("json2", people, {"mode": "create", "match": ["email"]}),
        ("json2", loaded, {"mode": "create"}),
        ("json2", loaded, {}),
        ("xmlrpc", people, {"match": ["email"]}),
        ("jsonrpc", people, {"mode": "create", "match": ["email"]}),
    ],
    ids=["json2-create-email", "json2-create-xid", "json2-upsert-xid", "xmlrpc-upsert-email", "jsonrpc-create-email"],
)
def test_after_a_kill_each_record_is_there_once(tmp_path, protocol, rows, plan):
    with odoo(tmp_path, protocol, latency_ms=5) as account:
        given, done = rows(2000), 0
        for calls in (4, 7, 6):
            code, stated, err = run(account, plan, lines(given, done), kill_after=calls)
            assert code == -signal.SIGKILL, err
            done = stated if stated is not None else done
        code, stated, err = run(account, plan, lines(given, done), kill_after=None)
        assert (code, stated) == (0, 2000), err
        there = Counter(row["ref"] for row in account.partners("ref") if ours(row))
        assert there == Counter(f"R{n}" for n in range(2000))
