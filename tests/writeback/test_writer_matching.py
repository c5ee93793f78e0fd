"""How a record is matched with what is there already."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from antiphon import api
from antiphon.errors import SettingError
from antiphon.outcome import Kind
from antiphon.writeback.fields import Fields
from antiphon.writeback.recent import Recent
from antiphon.writeback.writer import Writer


def kinds(outcomes):
    return [outcome.kind.value for outcome in outcomes]


def searches(account):
    return [json.loads(call.body) for call in account.app.log if call.route.endswith("/search")]


@pytest.mark.parametrize("address", ["ada@example.com", "ADA@Example.COM", " ada@example.com "])
def test_an_address_is_the_same_in_any_case(account, address):
    account.app.add("contacts", {"email": "ada@example.com", "city": "Ulm"})
    outcomes = account.writer().write([{"email": address, "city": "Jena"}])
    assert kinds(outcomes) == ["updated"]
    assert account.shown("contacts", "email", "city") == [{"email": "ada@example.com", "city": "Jena"}]


def test_a_secondary_address_finds_the_contact_and_stays_secondary(account):
    account.app.add(
        "contacts", {"email": "main@example.com", "hs_additional_emails": "old@example.com;Other@example.com"}
    )
    writer = account.writer()
    assert kinds(writer.write([{"email": "other@example.com", "city": "Ulm"}])) == ["updated"]
    assert kinds(writer.write([{"email": "OLD@example.com"}])) == ["unchanged"]
    assert account.shown("contacts", "email", "city") == [{"email": "main@example.com", "city": "Ulm"}]


def test_by_a_unique_property_the_api_itself_upserts_in_one_call(account):
    account.app.add_property("contacts", "member_no", unique=True)
    account.app.add("contacts", {"member_no": "M1", "lastname": "Old"})
    records = [{"member_no": f"M{n}", "lastname": "New"} for n in range(1, 101)]
    outcomes = account.writer(match=["member_no"]).write(records)
    assert Counter(kinds(outcomes)) == {"updated": 1, "created": 99}
    assert account.calls() == {"objects/contacts/batch/upsert": 1}
    assert outcomes[0].operation == "upsert"
    assert outcomes[0].kind is Kind.UPDATED


def test_records_that_are_matched_by_different_fields_go_in_batches_of_their_own(account):
    for name in ("member_no", "badge"):
        account.app.add_property("contacts", name, unique=True)
    some = [{"member_no": "M1"}, {"badge": "B1"}, {"email": "a@example.com"}, {"member_no": "M2"}]
    records = [{"lastname": "L", **one} for one in some]
    outcomes = account.writer(match=["member_no", "badge", "email"]).write(records)
    assert kinds(outcomes) == ["created"] * 4
    assert account.calls() == {
        "objects/contacts/batch/upsert": 2,
        "objects/contacts/batch/read": 1,
        "objects/contacts/batch/create": 1,
    }


def test_update_by_a_unique_property_looks_up_in_one_batch(account):
    account.app.add_property("contacts", "member_no", unique=True)
    account.app.add("contacts", {"member_no": "M1"})
    outcomes = account.writer(match=["member_no"], mode="update").write(
        [{"member_no": "M1", "city": "U"}, {"member_no": "M2"}]
    )
    assert kinds(outcomes) == ["updated", "skipped"]
    assert account.calls() == {"objects/contacts/batch/read": 1, "objects/contacts/batch/update": 1}


def test_the_best_match_field_that_has_a_value_is_taken(account):
    there = account.app.add("contacts", {"email": "a@example.com"})
    outcomes = account.writer(match=["id", "email"]).write(
        [{"id": str(there.id), "email": "new@example.com"}, {"id": None, "email": "b@example.com"}]
    )
    assert kinds(outcomes) == ["updated", "created"]
    assert account.shown() == [{"email": "new@example.com"}, {"email": "b@example.com"}]


def test_an_id_that_is_gone_is_no_obstacle_where_the_address_is_known(account):
    account.app.add("contacts", {"email": "a@example.com"})
    records = [
        {"id": "4", "email": "A@example.com", "city": "Ulm"},
        {"id": "5", "email": "new@example.com"},
        {"id": "6", "city": "Bonn"},
    ]
    assert kinds(account.writer(match=["id", "email"]).write(records)) == ["updated", "created", "rejected"]
    assert account.shown() == [{"email": "a@example.com", "city": "Ulm"}, {"email": "new@example.com"}]


def test_what_has_values_in_several_fields_is_looked_up_and_not_upserted_by_one(account):
    account.app.add_property("contacts", "member_no", unique=True)
    account.app.add("contacts", {"email": "a@example.com"})
    records = [{"member_no": "M1", "email": "a@example.com"}, {"member_no": "M2", "lastname": "L"}]
    assert kinds(account.writer(match=["member_no", "email"]).write(records)) == ["updated", "created"]
    shown = account.shown("contacts", "email", "member_no", "lastname")
    assert sorted(shown, key=lambda one: one["member_no"]) == [
        {"email": "a@example.com", "member_no": "M1"},
        {"member_no": "M2", "lastname": "L"},
    ]
    assert account.calls()["objects/contacts/batch/upsert"] == 1


def test_an_id_that_is_not_matched_by_is_not_sent_as_a_field(account):
    outcomes = account.writer(match=["email", "id"]).write([{"id": "99", "email": "a@example.com"}])
    assert kinds(outcomes) == ["created"]


def test_an_id_that_nobody_has_is_rejected_in_the_apis_words_and_its_neighbours_land(account):
    there = account.app.add("contacts", {"lastname": "L"})
    outcomes = account.writer(match=["id"]).write([{"id": "4", "city": "Ulm"}, {"id": there.id, "city": "Ulm"}])
    assert kinds(outcomes) == ["rejected", "updated"]
    assert outcomes[0].problem.status == 404
    assert outcomes[0].problem.code == "OBJECT_NOT_FOUND"


def test_companies_are_found_by_domain_in_any_case(account):
    account.app.add("companies", {"domain": "Acme.example", "name": "Acme"})
    writer = account.writer("companies")
    outcomes = writer.write([{"domain": "ACME.example", "city": "Ulm"}, {"domain": "new.example"}])
    assert kinds(outcomes) == ["updated", "created"]
    assert kinds(writer.write([{"domain": "One.example"}, {"domain": "one.EXAMPLE"}])) == ["superseded", "created"]


def test_a_look_up_by_search_asks_for_a_hundred_values_at_a_time(account):
    records = [{"domain": f"d{n}.example"} for n in range(250)]
    assert set(kinds(account.writer("companies").write(records))) == {"created"}
    assert [len(body["filterGroups"][0]["filters"][0]["values"]) for body in searches(account)] == [100, 100, 50]


@pytest.mark.parametrize(
    "domain", ["{:0>60}.example", '{}"\\"\\"\\"\\"\\"\\".example', "{}ééééééééééééééééééééééé.example"]
)
def test_a_look_up_by_search_stays_within_three_thousand_characters(account, domain):
    records = [{"domain": domain.format(n), "name": "N", "city": "C"} for n in range(150)]
    assert set(kinds(account.writer("companies").write(records))) == {"created"}
    lengths = [len(call.body.decode()) for call in account.app.log if call.route.endswith("/search")]
    assert max(lengths) <= 3000
    assert len(lengths) <= 6
    account.app.reset_calls()
    assert set(kinds(account.writer("companies").write(records))) == {"unchanged"}


def test_a_wide_stream_is_looked_up_by_search_and_its_fields_are_read_in_batches(account):
    names = account.app.add_properties("companies", 200, prefix="a_rather_long_name_for_a_property_")
    account.app.add("companies", {"domain": "a.example", names[150]: "old"})
    values = dict.fromkeys(names, "new")
    assert kinds(account.writer("companies").write([{"domain": "a.example", **values}])) == ["updated"]
    assert kinds(account.writer("companies").write([{"domain": "a.example", **values}])) == ["unchanged"]
    assert account.app.count("batch/read") == 2


def test_an_ambiguous_match_is_rejected_with_the_candidates_and_its_neighbours_land(account):
    ids = [str(account.app.add("companies", {"domain": "twin.example"}).id) for _ in range(2)]
    outcomes = account.writer("companies").write([{"domain": "twin.example", "city": "Ulm"}, {"domain": "new.example"}])
    assert kinds(outcomes) == ["rejected", "created"]
    assert outcomes[0].problem.code == "ambiguous"
    assert outcomes[0].problem.message == f"2 records have the domain twin.example: {ids[0]}, {ids[1]}"
    deleting = account.writer("companies", mode="delete")
    assert kinds(deleting.write([{"domain": "twin.example"}])) == ["rejected"]


def test_many_candidates_are_not_all_named(account):
    for _ in range(12):
        account.app.add("companies", {"domain": "many.example"})
    [one] = account.writer("companies").write([{"domain": "many.example"}])
    assert one.problem.message.startswith("12 records have the domain many.example: ")
    assert one.problem.message.endswith(", …")


def test_a_match_that_the_api_does_not_even_look_for_is_rejected_by_name(account):
    records = [{"domain": "a.example"}, {"domain": "x" * 5000}, {"domain": "b.example"}]
    outcomes = account.writer("companies").write(records)
    assert kinds(outcomes) == ["created", "rejected", "created"]
    assert outcomes[1].problem.status == 400
    assert outcomes[1].problem.message == "The request body must not exceed 3000 characters"


def test_numbers_match_numbers_however_they_are_written(account):
    account.app.add("deals", {"dealname": "D", "amount": "5"})
    [one] = account.writer("deals", match=["amount"], mode="update").write([{"amount": 5.0, "dealname": "E"}])
    assert one.kind is Kind.UPDATED


def test_the_options_of_an_enumeration_are_looked_up_as_they_are(account):
    account.app.add("contacts", {"email": "a@example.com", "hs_lead_status": "OPEN_DEAL"})
    [one] = account.writer(match=["hs_lead_status"], mode="update").write(
        [{"hs_lead_status": "OPEN_DEAL", "city": "U"}]
    )
    assert one.kind is Kind.UPDATED


def test_a_match_field_may_come_from_a_column_of_another_name(account):
    fields = Fields({"email": "attendee_email", "city": {"const": "Ulm"}})
    writer = account.writer(fields=fields, columns=["attendee_email", "firstname"])
    assert kinds(writer.write([{"attendee_email": "a@example.com", "firstname": "A"}])) == ["created"]
    assert account.shown() == [{"email": "a@example.com", "firstname": "A", "city": "Ulm"}]


class TestIndexLag:
    """Search does not see yet what was created moments ago."""

    def test_nothing_is_created_twice_in_a_run(self, accounts):
        account = accounts(index_lag=600)
        writer = account.writer("companies")
        assert kinds(writer.write([{"domain": "a.example", "city": "Ulm"}])) == ["created"]
        assert kinds(writer.write([{"domain": "A.example", "city": "Jena"}])) == ["updated"]
        assert account.shown("companies", "city") == [{"city": "Jena"}]

    def test_by_none_of_several_fields_is_anything_created_twice(self, accounts):
        account = accounts(index_lag=600)
        writer = account.writer("companies", match=["domain", "name"])
        assert kinds(writer.write([{"domain": "a.example", "name": "A"}])) == ["created"]
        assert kinds(writer.write([{"name": "A", "city": "Ulm"}])) == ["updated"]
        assert kinds(writer.write([{"domain": "b.example", "name": "A", "city": "Bonn"}])) == ["updated"]
        assert kinds(writer.write([{"domain": "b.example", "city": "Jena"}])) == ["updated"]
        assert account.shown("companies", "domain", "city") == [{"domain": "b.example", "city": "Jena"}]

    def test_writers_to_one_resource_share_what_they_know(self, accounts):
        account = accounts(index_lag=600)
        recent = Recent()
        assert kinds(account.writer("companies", recent=recent).write([{"domain": "a.example"}])) == ["created"]
        assert kinds(
            account.writer("companies", recent=recent, stream="b").write([{"domain": "a.example", "city": "U"}])
        ) == ["updated"]

    def test_a_value_that_search_still_shows_is_not_taken_for_the_one_that_is_there(self, accounts):
        account = accounts()
        account.app.add("companies", {"domain": "a.example", "city": "Ulm"}, at="2026-01-01T00:00:00Z")
        account.app.index_lag = 600
        writer = account.writer("companies")
        for city in ("Jena", "Ulm"):
            assert kinds(writer.write([{"domain": "a.example", "city": city}])) == ["updated"]
            assert account.shown("companies", "city") == [{"city": city}]
        assert kinds(
            account.writer("companies", recent=writer.lookup.recent).write([{"domain": "a.example", "city": ""}])
        ) == ["updated"]
        assert account.shown("companies", "city") == [{}]

    def test_create_skips_what_the_run_itself_has_created(self, accounts):
        account = accounts(index_lag=600)
        writer = account.writer("companies", mode="create")
        assert kinds(writer.write([{"domain": "a.example"}])) == ["created"]
        assert kinds(writer.write([{"domain": "a.example", "city": "U"}])) == ["skipped"]

    def test_what_was_deleted_may_be_created_anew(self, accounts):
        account = accounts(index_lag=600)
        writer = account.writer("companies", deletes="archive")
        gone = {"domain": "a.example", "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
        assert kinds(writer.write([{"domain": "a.example"}])) == ["created"]
        assert kinds(writer.write([gone])) == ["deleted"]
        assert kinds(writer.write([{"domain": "a.example", "city": "U"}])) == ["created"]
        assert len(account.shown("companies")) == 1

    def test_a_lost_creation_that_cannot_be_found_is_unknown_and_not_sent_again(self, accounts):
        account = accounts(index_lag=600, stall_seconds=0.01)
        account.app.fail_next(1, "commit-timeout", "batch/create")
        writer = account.writer("companies")
        assert kinds(writer.write([{"domain": "a.example"}])) == ["unknown"]
        [again] = writer.write([{"domain": "a.example", "city": "U"}])
        assert again.kind is Kind.UNKNOWN
        assert again.problem.message == (
            "a record with this domain was sent before and not answered, and cannot be found yet"
        )
        account.app.index_lag = 0
        for record in account.app.store("companies"):
            record.indexed_until = 0
        assert kinds(writer.write([{"domain": "a.example", "city": "U"}])) == ["updated"]
        assert len(account.shown("companies")) == 1


def test_a_record_without_what_the_path_needs_is_rejected_and_its_neighbours_land(zoo):
    client, mocked = zoo
    resource = api.Resource(
        "cages",
        {"type": "object", "properties": {"name": {}, "house": {}}},
        key=("name",),
        match=("name",),
        find=api.Read("/cages"),
        create=api.Write("/houses/{record.house}/cages", body="{record}", apart=("house",)),
    )
    mocked.get("https://zoo.example/cages", json=[])
    mocked.post("https://zoo.example/houses/h/cages", json={"id": "1"})
    outcomes = Writer(client, resource).write([{"name": "a"}, {"name": "b", "house": "h"}])
    assert kinds(outcomes) == ["rejected", "created"]
    assert outcomes[0].problem.message.startswith(
        'the path "/houses/{record.house}/cages" needs a value for {record.house}'
    )


def test_by_a_key_that_we_choose_records_are_got_where_there_is_no_search(zoo):
    client, mocked = zoo
    resource = api.Resource(
        "cages",
        {"type": "object", "properties": {"name": {}, "house": {}}},
        key=("name",),
        get=api.Read("/cages/{id}"),
        create=api.Write("/cages", body="{record}"),
        update=api.Write("/cages/{id}", "PUT", body="{record}"),
    )
    mocked.get("https://zoo.example/cages/a", json={"name": "a", "house": "old"})
    mocked.get("https://zoo.example/cages/b", status_code=404)
    mocked.put("https://zoo.example/cages/a", json={"id": "a"})
    mocked.post("https://zoo.example/cages", json={"id": "b"})
    records = [{"name": "a", "house": "h"}, {"name": "b", "house": "h"}]
    assert kinds(Writer(client, resource, match=["name"]).write(records)) == ["updated", "created"]
    with pytest.raises(SettingError, match="cages cannot be looked up by house"):
        Writer(client, resource, match=["house"])
