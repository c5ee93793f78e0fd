"""How streams are written: by which plan, to which resource, through which maps."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from antiphon.errors import InputError, SettingError, Unauthorized, Unknown
from antiphon.singer.plan import plan, share

from .pipes import crm as an_account
from .pipes import encoded, record, run, schema, state

DATED = {"type": ["string", "null"], "format": "date-time"}


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path) as made:
        yield made


def outcomes(crm):
    return [receipt["outcome"] for receipt in crm.receipted()]


@pytest.mark.parametrize("name", ["contacts", "contact"])
def test_a_stream_called_like_a_resource_or_its_alias_needs_no_entry(crm, name):
    assert crm.pipe(schema(name, "email"), record(name, email="a@example.com")).code == 0
    assert crm.shown() == [{"email": "a@example.com"}]


def test_an_entry_says_how_a_stream_is_written(crm):
    crm.app.add("contacts", {"email": "old@example.com", "city": "Ulm"})
    entry = {
        "resource": "contacts",
        "mode": "update",
        "match": "email",
        "fields": {"email": "attendee_email", "hs_lead_status": {"const": "NEW"}},
        "nulls": "clear",
    }
    ran = crm.pipe(
        schema("people", "attendee_email", "city"),
        record("people", attendee_email="old@example.com", city=None),
        record("people", attendee_email="new@example.com", city="Bonn"),
        streams={"people": entry},
    )
    assert ran.code == 0
    assert outcomes(crm) == ["updated", "skipped"]
    assert crm.shown("contacts", "email", "city", "hs_lead_status") == [
        {"email": "old@example.com", "hs_lead_status": "NEW"}
    ]


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"resource": "contatcs"}, 'hubspot has no resource "contatcs". Did you mean "contacts"?'),
        ({"mod": "update"}, 'target-hubspot: streams.contacts has no setting "mod". Did you mean "mode"?'),
        (
            {"mode": "mirrror"},
            'the setting streams.contacts.mode cannot be "mirrror". Did you mean "mirror"? There are: ',
        ),
        ({"match": ["emial"]}, 'match names "emial", which contacts does not have. Did you mean "email"?'),
        (
            {"match": []},
            "streams.contacts.match names no field. Name one, or leave match out: then it is the resource's",
        ),
        ({"match": ""}, "streams.contacts.match names no field. Name one, or leave match out"),
        ({"match": ["email", ""]}, "streams.contacts.match names no field. Name one, or leave match out"),
        ({"fields": {"emial": "email"}}, 'fields.emial: contacts has no such field. Did you mean "email"?'),
        ({"max_delete": "many"}, 'streams.contacts.max_delete cannot be "many". Give a number of records, or a share'),
        ({"max_delete": "-5%"}, 'streams.contacts.max_delete cannot be "-5%". Give a number of records, or a share'),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line(crm, entry, says):
    with pytest.raises((SettingError, Unknown)) as error:
        crm.pipe(schema("contacts", "email"), record("contacts", email="a@example.com"), streams={"contacts": entry})
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert crm.shown() == []


def test_a_stream_that_the_api_has_no_resource_for_is_refused_at_its_schema(crm):
    with pytest.raises(Unknown) as error:
        crm.pipe(schema("people", "email"), record("people", email="a@example.com"))
    said = str(error.value)
    assert said.startswith(
        'target-hubspot: the stream "people" cannot be written: hubspot has no resource "people". There are: '
    )
    assert 'Or say which one it is: streams: {"people": {"resource": …}}.' in said


def test_a_stream_without_a_match_field_is_refused_at_its_schema(crm):
    with pytest.raises(
        SettingError, match="hubspot: contacts: no column of the stream is a field to match contacts by"
    ):
        crm.pipe(schema("contacts", "firstname"))


def test_a_schema_without_properties_tells_nothing_of_them(crm):
    bare = {"type": "SCHEMA", "stream": "contacts", "schema": {"type": "object"}, "key_properties": ["email"]}
    assert crm.pipe(bare, record("contacts", email="a@example.com", shoe=43), record("contacts", shoe=1)).code == 1
    assert outcomes(crm) == ["created", "rejected"]


def test_streams_are_written_in_the_order_of_their_schemas(crm):
    crm.pipe(
        schema("companies", "domain"),
        schema("contacts", "email"),
        record("contacts", email="a@example.com"),
        record("companies", domain="a.example"),
    )
    written = [call.route for call in crm.app.log if "batch/create" in call.route]
    assert written == ["objects/companies/batch/create", "objects/contacts/batch/create"]


def test_a_batch_is_as_large_as_the_setting_says_and_a_request_as_large_as_the_api_takes(crm):
    people = [record("contacts", email=f"p{n}@example.com") for n in range(250)]
    crm.pipe(schema("contacts", "email"), *people, batch_size_rows=125, parallel=1)
    sizes = [len(crm_inputs(call)) for call in crm.app.log if call.route == "objects/contacts/batch/create"]
    assert sizes == [100, 25, 100, 25]


@pytest.mark.parametrize("maps", [{}, {"contacts": {"__filter__": "True"}}])
def test_a_batch_of_large_records_is_smaller(crm, monkeypatch, maps):
    monkeypatch.setattr("antiphon.singer.sink._ROOM", 100_000)
    people = [record("contacts", email=f"p{n}@example.com", firstname="x" * 20_000) for n in range(12)]
    crm.pipe(schema("contacts", "email", "firstname"), *people, parallel=1, stream_maps=maps)
    sizes = [len(crm_inputs(call)) for call in crm.app.log if call.route == "objects/contacts/batch/create"]
    assert sizes == [5, 5, 2]


@pytest.mark.parametrize("maps", [{}, {"contacts": {"__filter__": "True"}}])
def test_large_records_that_were_read_with_those_of_the_batch_before_count_as_well(crm, monkeypatch, maps):
    monkeypatch.setattr("antiphon.singer.sink._ROOM", 2500)
    small = [record("contacts", email=f"a{n}@example.com", firstname="x") for n in range(4)]
    large = [record("contacts", email=f"p{n}@example.com", firstname="x" * 1000) for n in range(4)]
    piped = crm.folder / "piped.jsonl"
    people = [*small, *large[:2], state(1), large[2], state(2), large[3]]
    piped.write_bytes(encoded([schema("contacts", "email", "firstname"), *people]))
    with piped.open("rb") as source:
        crm.pipe(source=source, parallel=1, stream_maps=maps, batch_size_rows=4)
    sizes = [len(crm_inputs(call)) for call in crm.app.log if call.route == "objects/contacts/batch/create"]
    assert sizes == [4, 3, 1]


def crm_inputs(call):
    return json.loads(call.body)["inputs"]


# Deletes


@pytest.mark.parametrize(("deletes", "left"), [(None, 1), ("ignore", 1), ("archive", 0), ("delete", 0)])
def test_the_mark_of_a_deleted_record_survives(crm, deletes, left):
    crm.app.add("contacts", {"email": "a@example.com"})
    gone = record("contacts", email="a@example.com", _sdc_deleted_at="2026-01-01T00:00:00Z")
    ran = crm.pipe(
        schema("contacts", "email", _sdc_deleted_at=DATED),
        gone,
        streams={"contacts": {"deletes": deletes} if deletes else {}},
    )
    assert ran.code == 0
    assert len(crm.shown()) == left
    assert outcomes(crm) == ["skipped" if left else "deleted"]


def test_a_mark_that_is_null_deletes_nothing_and_metadata_is_not_written(crm, caplog):
    alive = record("contacts", email="a@example.com", _sdc_deleted_at=None, _sdc_sequence=5, _sdc_extracted_at="x")
    columns = {"_sdc_deleted_at": DATED, "_sdc_sequence": {}, "_sdc_extracted_at": {}}
    assert (
        crm.pipe(
            schema("contacts", "email", **columns),
            alive,
            streams={"contacts": {"deletes": "delete", "unknown": "fail"}},
        ).code
        == 0
    )
    assert outcomes(crm) == ["created"]
    assert "_sdc" not in caplog.text


def test_what_is_over_max_delete_is_rejected_and_lands_when_it_is_raised(crm):
    people = [f"p{n}@example.com" for n in range(30)]
    for email in people:
        crm.app.add("contacts", {"email": email})
    gone = [record("contacts", email=email, _sdc_deleted_at="2026-01-01T00:00:00Z") for email in people]
    plans = {"contacts": {"deletes": "archive"}}
    marked = schema("contacts", "email", _sdc_deleted_at=DATED)
    assert crm.pipe(marked, *gone, streams=plans).code == 1
    assert Counter(outcomes(crm)) == {"deleted": 10, "rejected": 20}
    kept = crm.folder / "kept.jsonl"
    crm.rejects.rename(kept)
    plans["contacts"]["max_delete"] = 100
    assert crm.pipe(*kept.read_bytes().splitlines(), streams=plans).code == 0
    assert crm.shown() == []


# Records


def test_a_record_that_is_not_valid_by_its_schema_is_rejected_and_its_neighbours_land(crm):
    numbered = schema("contacts", "email", associatedcompanyid={"type": ["integer", "null"]})
    ran = crm.pipe(
        numbered,
        record("contacts", email="a@example.com", associatedcompanyid=1),
        record("contacts", email="b@example.com", associatedcompanyid="one"),
        record("contacts", email="c@example.com"),
        state({"a": 1}),
    )
    assert (ran.code, ran.states) == (1, [{"a": 1}])
    assert outcomes(crm) == ["created", "rejected", "created"]
    assert crm.kept()[1]["error"] == {
        "status": 0,
        "code": "schema",
        "message": "not valid by its own SCHEMA: 'one' is not of type 'integer', 'null'",
    }


def test_a_whole_number_with_a_point_is_an_integer(crm):
    numbered = schema("contacts", "email", associatedcompanyid={"type": ["integer", "null"]})
    assert (
        crm.pipe(
            numbered,
            b'{"type":"RECORD","stream":"contacts","record":{"email":"a@example.com","associatedcompanyid":5.0}}',
        ).code
        == 0
    )


def test_records_are_not_held_against_their_schema_if_told_so(crm):
    numbered = schema("contacts", "email", zip={"type": "integer"})
    ran = crm.pipe(numbered, record("contacts", email="a@example.com", zip="x"), validate_records=False)
    assert ran.code == 0


def test_numbers_keep_their_digits(crm):
    crm.app.add_property("contacts", "exact")
    line = b'{"type":"RECORD","stream":"contacts","record":{"email":"a@example.com","exact":"0.1"}}'
    decimal = b'{"type":"RECORD","stream":"deals","record":{"dealname":"D","dealstage":"closedwon","amount":1234567890123456.789}}'
    crm.pipe(
        schema("contacts", "email", "exact"),
        schema("deals", "dealname", "dealstage", amount={"type": "number"}),
        line,
        decimal,
        streams={"deals": {"mode": "create"}},
    )
    assert crm.shown("contacts", "exact") == [{"exact": "0.1"}]
    sent = next(call.body for call in crm.app.log if call.route == "objects/deals/batch/create")
    assert b"1234567890123456.789" in sent


def test_a_bad_date_is_the_apis_to_judge(crm):
    dated = schema("contacts", "email", closedate=DATED)
    ran = crm.pipe(
        dated, record("contacts", email="a@example.com", closedate="someday"), record("contacts", email="b@example.com")
    )
    assert ran.code == 1
    assert outcomes(crm) == ["rejected", "created"]
    assert "not a valid datetime" in crm.kept()[1]["error"]["message"]


# Stream maps


def test_a_stream_map_renames_computes_and_removes(crm):
    maps = {
        "people": {"__alias__": "contacts", "email": "mail.lower()", "mail": None, "city": "'Ulm'"},
        "noise": None,
        "hush": "__NULL__",
    }
    ran = crm.pipe(
        schema("people", "mail", "firstname"),
        schema("noise", "x"),
        schema("hush", "x"),
        record("people", mail="A@EXAMPLE.com", firstname="A"),
        record("noise", x="1"),
        record("hush", x="1"),
        state({"a": 1}),
        stream_maps=maps,
    )
    assert (ran.code, ran.states) == (0, [{"a": 1}])
    assert crm.shown() == [{"email": "a@example.com", "firstname": "A", "city": "Ulm"}]


def test_a_record_that_a_stream_map_filters_out_holds_no_state_back(crm):
    maps = {"contacts": {"__filter__": "firstname == 'keep'"}}
    ran = crm.pipe(
        schema("contacts", "email", "firstname"),
        record("contacts", email="a@example.com", firstname="drop"),
        record("contacts", email="b@example.com", firstname="keep"),
        state({"a": 1}),
        stream_maps=maps,
    )
    assert ran.states == [{"a": 1}]
    assert crm.shown("contacts", "email") == [{"email": "b@example.com"}]


def test_rejects_of_a_mapped_stream_are_kept_as_they_came_and_can_be_piped_in_again(crm):
    maps = {"people": {"__alias__": "contacts", "email": "mail.replace(' at ', '@')", "mail": None}}
    broken, mended = record("people", mail="a at b at example.com"), record("people", mail="a at example.com")
    assert crm.pipe(schema("people", "mail"), broken, stream_maps=maps).code == 1
    kept = crm.kept()
    assert kept[0] == schema("people", "mail")
    assert kept[1]["record"] == broken["record"]
    assert crm.pipe(kept[0], {**kept[1], "record": mended["record"]}, stream_maps=maps).code == 0
    assert crm.shown() == [{"email": "a@example.com"}]


def test_nested_columns_are_flattened_if_told_so(crm):
    nested = schema("contacts", "email", address={"type": "object", "properties": {"city": {"type": "string"}}})
    ran = crm.pipe(
        nested,
        record("contacts", email="a@example.com", address={"city": "Ulm"}),
        flattening_enabled=True,
        flattening_max_depth=1,
        streams={"contacts": {"fields": {"city": "address__city"}}},
    )
    assert ran.code == 0
    assert crm.shown("contacts", "city") == [{"city": "Ulm"}]


# Messages of other kinds


def test_activate_version_deletes_nothing(crm):
    crm.app.add("contacts", {"email": "old@example.com"})
    version = {"type": "ACTIVATE_VERSION", "stream": "contacts", "version": 5}
    assert crm.pipe(version, schema("contacts", "email"), record("contacts", email="a@example.com"), version).code == 0
    assert len(crm.shown()) == 2


def test_a_batch_of_files_is_refused_in_one_line(crm):
    with pytest.raises(
        InputError, match=r'the stream "contacts" comes as a BATCH of files\. Run the tap without batch_config\.'
    ):
        crm.pipe(schema("contacts", "email"), {"type": "BATCH", "stream": "contacts", "manifest": []})


def test_the_stream_with_which_meltano_tests_a_target_checks_the_connection_and_writes_nothing(crm):
    ran = crm.pipe(
        schema("meltano_test_stream", "id", keys=["id"]),
        record("meltano_test_stream", id="1"),
        state({"a": 1}),
        {"type": "ACTIVATE_VERSION", "stream": "meltano_test_stream", "version": 1},
    )
    assert (ran.code, ran.states) == (0, [{"a": 1}])
    assert [call.route for call in crm.app.log] == ["account-info/v3/details"]


def test_the_stream_with_which_meltano_tests_a_target_fails_with_a_wrong_token(crm):
    with pytest.raises(
        Unauthorized, match=r"hubspot: checking the connection -> 401 .* Check the setting access_token"
    ):
        crm.pipe(schema("meltano_test_stream", "id"), access_token="wrong")


# Small parts


@pytest.mark.parametrize(
    ("text", "value"), [(5, 5), ("5", 5), ("5%", 0.05), (" 12.5 % ", 0.125), (0, 0), ("0%", 0.0), ("100%", 1.0)]
)
def test_a_share_or_a_number(text, value):
    assert (share(text, "w"), type(share(text, "w"))) == (value, type(value))


@pytest.mark.parametrize("text", ["", "many", "5 records", "-1", -1, "-5%", "101%", "nan%", "1.5", None])
def test_what_is_neither_is_refused(text):
    with pytest.raises(SettingError, match=r'^w cannot be ".*"\. Give a number of records, or a share such as "5%"'):
        share(text, "w")


def test_an_entry_that_is_empty_leaves_the_defaults():
    assert plan("a", {"a": None}, "w") == plan("a", {}, "w") == plan("a", {"b": {"mode": "create"}}, "w")
    assert plan("a", {"a": {"match": "email"}}, "w").match == ("email",)


def test_a_second_run_with_nothing_changed_asks_for_no_record_and_writes_none_unless_it_is_to_be_full(tmp_path):
    with an_account(tmp_path) as crm:
        people = [
            schema("contacts", "email"),
            *(record("contacts", email=f"p{n}@example.com") for n in range(300)),
            state({"a": 1}),
        ]
        crm.pipe(*people)
        for full, look_ups in ((False, 0), (True, 3)):
            crm.app.reset_calls()
            ran = crm.pipe(*people, full=full)
            assert (ran.code, ran.last) == (0, "target-hubspot: contacts: 300 unchanged")
            assert crm.app.count("batch") == look_ups
        config = str(crm.write_config())
        crm.app.reset_calls()
        assert run("--config", config, "--full", given=encoded(people), folder=tmp_path).code == 0
        assert crm.app.count("batch") == 3
