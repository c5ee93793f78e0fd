"""What each mode does, in the fewest calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from antiphon.errors import InputError, SettingError
from antiphon.outcome import Change, Kind
from antiphon.writeback.fields import Fields
from antiphon.writeback.writer import Allowance, Writer


def kinds(outcomes):
    return [outcome.kind.value for outcome in outcomes]


def people(n, **fields):
    return [{"email": f"p{k}@example.com", "firstname": f"P{k}", **fields} for k in range(n)]


def test_an_upsert_creates_what_is_new_updates_what_differs_and_leaves_the_rest(account):
    account.app.add("contacts", {"email": "old@example.com", "firstname": "Old", "city": "Ulm"})
    account.app.add("contacts", {"email": "same@example.com", "firstname": "Same"})
    outcomes = account.writer().write(
        [
            {"email": "new@example.com", "firstname": "New"},
            {"email": "old@example.com", "firstname": "Older"},
            {"email": "same@example.com", "firstname": "Same"},
        ]
    )
    assert kinds(outcomes) == ["created", "updated", "unchanged"]
    assert [o.operation for o in outcomes] == ["create", "update", ""]
    assert all(o.id for o in outcomes)
    assert account.shown("contacts", "email", "firstname", "city") == [
        {"email": "old@example.com", "firstname": "Older", "city": "Ulm"},
        {"email": "same@example.com", "firstname": "Same"},
        {"email": "new@example.com", "firstname": "New"},
    ]


def test_outcomes_come_in_the_order_of_the_records_and_tell_when(account):
    records = people(250)
    outcomes = account.writer().write(records)
    assert [o.change.value for o in outcomes] == [record["email"] for record in records]
    assert all(o.sent_at and o.done_at and o.attempts == 1 for o in outcomes)


def test_a_thousand_new_contacts_cost_ten_reads_and_ten_writes(account):
    assert Counter(kinds(account.writer().write(people(1000)))) == {"created": 1000}
    assert account.calls() == {"objects/contacts/batch/read": 10, "objects/contacts/batch/create": 10}


def test_a_thousand_unchanged_contacts_cost_ten_reads(account):
    account.writer().write(people(1000))
    account.app.reset_calls()
    assert Counter(kinds(account.writer().write(people(1000)))) == {"unchanged": 1000}
    assert account.calls() == {"objects/contacts/batch/read": 10}


def test_updates_and_creations_of_a_batch_are_not_mixed_into_more_calls(account):
    account.writer().write(people(50))
    account.app.reset_calls()
    assert Counter(kinds(account.writer().write(people(150, city="Ulm")))) == {"updated": 50, "created": 100}
    assert account.calls() == {
        "objects/contacts/batch/read": 2,
        "objects/contacts/batch/update": 1,
        "objects/contacts/batch/create": 1,
    }


def test_a_hundred_by_id_cost_one_call_and_no_look_up(account):
    ids = [account.app.add("contacts", {"lastname": "L"}).id for _ in range(100)]
    writer = account.writer(match=["id"])
    assert set(kinds(writer.write([{"id": str(id), "city": "Ulm"} for id in ids]))) == {"updated"}
    assert account.calls() == {"objects/contacts/batch/update": 1}
    assert {record["city"] for record in account.shown("contacts", "city")} == {"Ulm"}


def test_creations_without_a_match_field_cost_no_look_up(account):
    notes = [{"hs_note_body": f"N{n}", "hs_timestamp": "2026-01-02T03:04:05Z"} for n in range(100)]
    assert set(kinds(account.writer("notes", mode="create").write(notes))) == {"created"}
    assert account.calls() == {"objects/notes/batch/create": 1}


def test_create_skips_what_is_there(account):
    there = account.app.add("contacts", {"email": "a@example.com", "city": "Ulm"})
    skipped, created = account.writer(mode="create").write(
        [{"email": "A@example.com", "city": "Jena"}, {"email": "b@example.com"}]
    )
    assert (skipped.kind, skipped.id, skipped.problem.message) == (
        Kind.SKIPPED,
        str(there.id),
        "there is one with this email",
    )
    assert created.kind is Kind.CREATED
    assert account.shown("contacts", "city") == [{"city": "Ulm"}, {}]


def test_create_takes_a_record_without_the_match_field(account):
    [one] = account.writer(mode="create").write([{"lastname": "L"}])
    assert one.kind is Kind.CREATED


def test_update_skips_what_is_not_there(account):
    account.app.add("contacts", {"email": "a@example.com", "city": "Ulm"})
    updated, skipped = account.writer(mode="update").write(
        [{"email": "a@example.com", "city": "Jena"}, {"email": "b@example.com", "city": "Bonn"}]
    )
    assert (updated.kind, skipped.kind) == (Kind.UPDATED, Kind.SKIPPED)
    assert skipped.problem.message == "there is no record with email b@example.com"
    assert account.shown("contacts", "city") == [{"city": "Jena"}]


def test_delete_deletes_what_is_there(account):
    account.app.add("contacts", {"email": "a@example.com"})
    account.app.add("contacts", {"email": "keep@example.com"})
    deleted, skipped = account.writer(mode="delete").write([{"email": "a@example.com"}, {"email": "b@example.com"}])
    assert (deleted.kind, skipped.kind) == (Kind.DELETED, Kind.SKIPPED)
    assert account.shown() == [{"email": "keep@example.com"}]


def test_delete_takes_records_that_are_marked_as_deleted_as_well(account):
    account.app.add("contacts", {"email": "a@example.com"})
    [deleted] = account.writer(mode="delete").write(
        [{"email": "a@example.com", "_sdc_deleted_at": "2026-01-01T00:00:00Z"}]
    )
    assert deleted.kind is Kind.DELETED


def test_delete_by_id_costs_one_call(account):
    ids = [account.app.add("contacts", {"lastname": "L"}).id for _ in range(100)]
    assert set(kinds(account.writer(mode="delete", match=["id"]).write([{"id": id} for id in ids]))) == {"deleted"}
    assert account.calls() == {"objects/contacts/batch/archive": 1}
    assert account.shown() == []


GONE = {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("deletes", "kind", "left"), [("ignore", "skipped", 1), ("archive", "deleted", 0), ("delete", "deleted", 0)]
)
def test_what_is_deleted_at_the_source_is_deleted_only_if_asked(account, deletes, kind, left):
    account.app.add("contacts", {"email": "a@example.com"})
    assert kinds(account.writer(deletes=deletes).write([{"email": "a@example.com", **GONE}])) == [kind]
    assert len(account.shown()) == left


def test_no_more_is_deleted_than_max_delete_allows_and_the_rest_is_rejected(account):
    account.writer().write(people(40))
    outcomes = account.writer(deletes="archive", allowance=Allowance(3)).write([{**r, **GONE} for r in people(5)])
    assert Counter(kinds(outcomes)) == {"deleted": 3, "rejected": 2}
    assert outcomes[-1].problem.code == "max_delete"
    assert len(account.shown()) == 37


def test_without_max_delete_ten_may_go_and_beyond_that_a_tenth_of_what_was_received(account):
    account.writer().write(people(40))
    few = account.writer(deletes="archive")
    assert Counter(kinds(few.write([{**r, **GONE} for r in people(12)]))) == {"deleted": 10, "rejected": 2}
    allowance = Allowance(received=300)
    many = account.writer(deletes="archive", allowance=allowance)
    assert Counter(kinds(many.write([{**r, **GONE} for r in people(40)[10:]]))) == {"deleted": 30}
    assert allowance.room(330) == 3


@pytest.mark.parametrize(
    ("share", "of", "most"),
    [
        (0.01, 25, 1),
        (0.1, 19, 1),
        (0.1, 20, 2),
        (0.29, 100, 29),
        (0.07, 100, 7),
        (0.5, 3, 1),
        (1.0, 7, 7),
        (0.0, 100, 0),
        (0.001, 5, 1),
    ],
)
def test_a_share_is_what_it_says_rounded_down_but_one_at_least(share, of, most):
    assert Allowance(share).of(of, usual=99) == most


def test_mode_delete_deletes_all_that_comes_unless_max_delete_is_set(account):
    account.writer().write(people(40))
    outcomes = account.writer(mode="delete", allowance=Allowance(3)).write(people(20))
    assert Counter(kinds(outcomes)) == {"deleted": 3, "rejected": 17}
    assert outcomes[-1].problem.code == "max_delete"
    assert Counter(kinds(account.writer(mode="delete").write(people(40)))) == {"deleted": 37, "skipped": 3}


def test_of_records_with_one_key_the_last_stands_for_all(account):
    outcomes = account.writer().write(
        [
            {"email": "a@example.com", "city": "Ulm"},
            {"email": "b@example.com", "city": "Bonn"},
            {"email": " A@Example.com", "city": "Jena"},
        ]
    )
    assert kinds(outcomes)[:2] == ["superseded", "created"]
    assert outcomes[0].problem.message == "a later record has the same email"
    both = [{"email": "b@example.com", "city": "B"}, {"email": "b@example.com", **GONE}]
    assert kinds(account.writer().write(both)) == ["updated", "skipped"]
    assert kinds(account.writer(deletes="archive").write(both)) == ["superseded", "deleted"]


def test_two_records_that_turn_out_to_be_one_are_not_sent_in_one_batch(account):
    account.app.add("contacts", {"email": "a@example.com", "hs_additional_emails": "b@example.com;c@example.com"})
    outcomes = account.writer().write(
        [
            {"email": "b@example.com", "city": "Ulm"},
            {"email": "a@example.com", "city": "Bonn"},
            {"email": "c@example.com", "city": "Jena"},
        ]
    )
    assert kinds(outcomes) == ["superseded", "superseded", "updated"]
    assert account.shown("contacts", "city") == [{"city": "Jena"}]


def test_nothing_to_write_is_refused_by_name(account):
    [one] = account.writer(match=["id"]).write([{"id": "5", "shoe": 43}])
    assert (one.kind, one.problem.message) == (
        Kind.REJECTED,
        "none of its columns is a field that the API lets one write",
    )


def test_a_record_without_its_match_key_is_rejected_and_its_neighbours_land(account):
    outcomes = account.writer().write(
        [{"email": "a@example.com"}, {"firstname": "B"}, {"email": "", "city": "C"}, {"email": None}]
    )
    assert kinds(outcomes) == ["created", "rejected", "rejected", "rejected"]
    assert outcomes[1].problem.message == "no value in email, the field it is matched by"


@pytest.mark.parametrize("mode", ["update", "delete", "upsert"])
def test_a_resource_without_match_fields_is_not_upserted_blindly(account, mode):
    [one] = account.writer("notes", mode=mode).write([{"hs_note_body": "N", "hs_timestamp": "2026-01-02T03:04:05Z"}])
    assert (one.kind, one.problem.message) == (Kind.REJECTED, "no value in any field, the field it is matched by")
    assert account.shown("notes") == []


def test_a_deletion_without_any_match_field_is_rejected(account):
    [one] = account.writer("notes", mode="create", deletes="archive").write([{"hs_note_body": "N", **GONE}])
    assert one.kind is Kind.REJECTED


def test_an_unknown_column_may_refuse_the_record_alone(account):
    outcomes = account.writer(fields=Fields(unknown="reject")).write(
        [{"email": "a@example.com", "shoe": 43}, {"email": "b@example.com"}]
    )
    assert kinds(outcomes) == ["rejected", "created"]
    assert "shoe" in outcomes[0].problem.message


def test_nulls_clear_what_is_there_and_only_if_asked(account):
    account.app.add("contacts", {"email": "a@example.com", "city": "Ulm"})
    record = {"email": "a@example.com", "city": None}
    assert kinds(account.writer().write([record])) == ["unchanged"]
    clearing = account.writer(fields=Fields(nulls="clear"))
    assert kinds(clearing.write([record])) == ["updated"]
    assert account.shown() == [{"email": "a@example.com"}]
    assert kinds(clearing.write([record])) == ["unchanged"]


def test_clearing_by_id_is_sent_for_nobody_looked(account):
    one = account.app.add("contacts", {"lastname": "L", "city": "Ulm"})
    [outcome] = account.writer(match=["id"], fields=Fields(nulls="clear")).write([{"id": str(one.id), "city": None}])
    assert outcome.kind is Kind.UPDATED
    assert account.shown("contacts", "city") == [{}]


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ({"numemployees": "1-5"}, {"numemployees": "1-5"}),
        ({"closedate": "2026-01-02T03:04:05.000Z"}, {"closedate": "2026-01-02T04:04:05+01:00"}),
        ({"closedate": "2026-01-02T03:04:05Z"}, {"closedate": "2026-01-02T03:04:05.000Z"}),
        ({"hs_email_optout": "true"}, {"hs_email_optout": True}),
        ({"zip": "12345"}, {"zip": 12345}),
        ({"associatedcompanyid": "5"}, {"associatedcompanyid": Decimal("5.0")}),
        ({"associatedcompanyid": "1.50"}, {"associatedcompanyid": Decimal("1.5")}),
        ({}, {"city": ""}),
    ],
)
def test_values_that_mean_the_same_are_not_sent(account, there, ours):
    account.app.add("contacts", {"email": "a@example.com", **there})
    assert kinds(account.writer().write([{"email": "A@EXAMPLE.com", **ours}])) == ["unchanged"]


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ({"zip": "01234"}, {"zip": 1234}),
        ({"city": "ulm"}, {"city": "Ulm"}),
        ({"hs_email_optout": "true"}, {"hs_email_optout": False}),
        ({"closedate": "2026-01-02T03:04:05Z"}, {"closedate": "2026-01-02T03:04:06Z"}),
        ({"hs_email_optout": "false"}, {"hs_email_optout": ""}),
        ({"associatedcompanyid": "5"}, {"associatedcompanyid": 50}),
    ],
)
def test_values_that_differ_are_sent(account, there, ours):
    account.app.add("contacts", {"email": "a@example.com", **there})
    assert kinds(account.writer().write([{"email": "a@example.com", **ours}])) == ["updated"]


def test_an_action_is_done(zoo):
    client, mocked = zoo
    mocked.post("https://zoo.example/animals/7/feed", json={"id": "7", "fed": True})
    [outcome] = client.write(client.resource("animals"), "feed", [Change({"hay": 2}, id="7")])
    assert (outcome.kind, outcome.id, outcome.ok) == (Kind.DONE, "7", True)


@pytest.mark.parametrize(
    ("resource", "more", "says"),
    [
        ("owners", {}, "hubspot: owners: owners cannot be written in mode create. It has: read, deleted, get."),
        (
            "contacts",
            {"match": ["emial"]},
            'hubspot: contacts: match names "emial", which contacts does not have. Did you mean "email"?',
        ),
        (
            "contacts",
            {"columns": ["city"]},
            "hubspot: contacts: no column of the stream is a field to match contacts by. Map a column to one of them",
        ),
        (
            "contacts",
            {"columns": ["email"], "match": ["id"]},
            "hubspot: contacts: no column of the stream is a field to match contacts by.",
        ),
        (
            "notes",
            {"columns": ["hs_note_body"]},
            "hubspot: notes: no column of the stream is a field to match notes by.",
        ),
        (
            "contacts",
            {"columns": ["email", "shoe"], "fields": Fields(unknown="fail")},
            "hubspot: contacts: the API has no field that can be written for shoe.",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_the_start_in_one_line(account, resource, more, says):
    with pytest.raises((SettingError, InputError)) as error:
        account.writer(resource, **more)
    assert str(error.value).startswith(says)


def test_a_hidden_unique_field_that_nobody_can_write_is_not_matched_by(account):
    with pytest.raises(SettingError, match="no column of the stream is a field to match deals by"):
        account.writer("deals", columns=["dealname", "hs_unique_creation_key"])


def test_an_update_sends_the_fields_that_differ_and_no_others(zoo):
    client, mocked = zoo
    there = {"items": [{"id": "1", "name": "Ada", "legs": 3, "mood": "fine"}]}
    mocked.get("https://zoo.example/animals/find", json=there)
    route = mocked.patch("https://zoo.example/animals/1", json={"id": "1"})
    Writer(client, client.resource("animals")).write([{"name": "Ada", "legs": 4, "mood": "fine"}])
    assert route.last_request.json() == {"legs": 4}


def test_an_update_by_put_sends_the_whole_record_for_it_replaces_what_is_there(zoo):
    client, mocked = zoo
    animals = client.resource("animals")
    animals = replace(animals, update=replace(animals.update, method="PUT"))
    mocked.get(
        "https://zoo.example/animals/find", json={"items": [{"id": "1", "name": "Ada", "legs": 3, "mood": "fine"}]}
    )
    route = mocked.put("https://zoo.example/animals/1", json={"id": "1"})
    Writer(client, animals).write([{"name": "Ada", "legs": 4, "mood": "fine"}])
    assert route.last_request.json() == {"legs": 4, "mood": "fine"}
