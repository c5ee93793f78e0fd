"""Salesforce: records written by two hundred, with a result for each."""

from __future__ import annotations

from collections import Counter

import pytest
from salesforce_account import account, org, tapped

from antiphon.errors import Refused
from antiphon.outcome import Kind
from antiphon.writeback.fields import Fields


@pytest.fixture
def there(tmp_path):
    with org(tmp_path) as made:
        yield made


def kinds(outcomes):
    return [outcome.kind.value for outcome in outcomes]


def said(outcome):
    return outcome.problem.message


def test_an_upsert_creates_what_is_not_there_and_changes_what_is(there):
    there.app.add("Account", {**account(1), "Phone": "1"})
    outcomes = there.write("Account", [account(0), account(1)])
    assert kinds(outcomes) == ["created", "updated"]
    assert [outcome.id for outcome in outcomes] == [there.ids()[1], there.ids()[0]]
    assert {row["Phone"] for row in there.app.records("Account")} == {"2"}
    assert there.app.count("query") == 0


def test_five_hundred_take_three_requests(there):
    assert set(kinds(there.write("Account", [account(n) for n in range(500)]))) == {"created"}
    assert there.app.count("composite/sobjects") == 3
    assert len(there.externals()) == 500


def test_a_field_that_is_no_external_id_is_looked_up_and_then_created_or_updated(there):
    there.app.add("Account", {"Name": "Acme", "Phone": "1"})
    outcomes = there.write(
        "Account", [{"Name": "Acme", "Phone": "2"}, {"Name": "O'New", "Phone": "2"}], match=("Name",)
    )
    assert kinds(outcomes) == ["updated", "created"]
    assert Counter(row["Name"] for row in there.app.records("Account")) == {"Acme": 1, "O'New": 1}


def test_an_address_in_capitals_is_the_same_person(there):
    there.app.add("Contact", {"LastName": "Ada", "Email": "ada@example.org", "Title": "old"})
    people = [{"Email": "ADA@example.org", "LastName": "Ada", "Title": "new"}]
    assert kinds(there.write("Contact", people, match=("Email",))) == ["updated"]
    assert there.app.size("Contact") == 1


def test_deletions_by_external_id_and_by_id(there):
    for n in range(3):
        there.app.add("Account", account(n))
    ids = there.ids()
    assert kinds(there.write("Account", [account(0), account(9)], mode="delete")) == ["deleted", "skipped"]
    assert kinds(there.write("Account", [{"Id": ids[1]}], mode="delete", match=("Id",))) == ["deleted"]
    assert there.ids() == [ids[2]]
    again = there.write("Account", [{"Id": ids[1]}], mode="delete", match=("Id",), full=True)
    assert kinds(again) == ["deleted"]


def test_an_id_that_cannot_be_deleted_leaves_its_neighbours_deleted(there):
    ids = [there.app.add("Account", account(n)) for n in range(3)]
    outcomes = there.write(
        "Account", [{"Id": ids[0]}, {"Id": "nonsense"}, {"Id": ids[2]}], mode="delete", match=("Id",)
    )
    assert kinds(outcomes) == ["deleted", "rejected", "deleted"]
    assert there.ids() == [ids[1]]


@pytest.mark.parametrize("above", [0, 2])
def test_each_refusal_is_told_in_words_and_its_neighbours_land(there, above):
    bad = [
        account(1, Tier__c="Platinum"),
        account(2, Name="x" * 256),
        account(3, Name=None),
        account(4, OwnerId="001000000000000AAA"),
    ]
    outcomes = there.write("Account", [account(0), *bad, account(5)], bulk_above=above)
    assert kinds(outcomes) == ["created", *["rejected"] * 4, "created"]
    picklist, long, missing, reference = (said(outcome) for outcome in outcomes[1:5])
    assert picklist.endswith('"Platinum" is no option of Tier__c. There are: Gold, Silver, Bronze.')
    assert "STRING_TOO_LONG" in long
    assert "max length=255" in long
    assert long.endswith("(Name)")
    assert missing.startswith("REQUIRED_FIELD_MISSING")
    assert missing.endswith("(Name)")
    assert "INVALID_CROSS_REFERENCE_KEY" in reference or "FIELD_INTEGRITY_EXCEPTION" in reference
    assert len(there.jobs()) == (1 if above else 0)


def test_the_hint_of_a_one_liner_names_the_options_once(there):
    id = there.app.add("Account", account(1))
    with pytest.raises(Refused) as told:
        there.connect().update("account", id=id, Tier__c="Platinum")
    assert str(told.value).count("There are: Gold, Silver, Bronze.") == 1
    with pytest.raises(Refused, match=r'There is no field "Teir__c". Did you mean "Tier__c"\?'):
        there.connect().update("account", id=id, Teir__c="Gold")


@pytest.mark.parametrize("above", [0, 2])
def test_rows_that_somebody_holds_are_tried_again(there, above):
    there.app.lock_rows(3)
    outcomes = there.write("Account", [account(n) for n in range(6)], bulk_above=above)
    assert kinds(outcomes) == ["created"] * 6
    assert len(there.externals()) == 6


def test_rows_that_are_held_for_long_are_rejected_in_words(there):
    there.app.settings.lock_share = 1.0
    [outcome] = there.write("Account", [account(1)])
    assert kinds([outcome]) == ["rejected"]
    assert said(outcome).startswith("UNABLE_TO_LOCK_ROW")
    assert outcome.attempts == 4


@pytest.mark.parametrize("above", [0, 1])
def test_a_parent_is_named_by_its_external_id(there, above):
    parent = there.app.add("Account", account(1))
    people = [{"Ext_Id__c": f"C-{n}", "LastName": "Ada", "Account.Ext_Id__c": "X-00001"} for n in (1, 2)]
    people.append({"Ext_Id__c": "C-3", "LastName": "Bo", "Account.Ext_Id__c": "nowhere"})
    outcomes = there.write("Contact", people, bulk_above=above)
    assert kinds(outcomes) == ["created", "created", "rejected"]
    assert "nowhere" in said(outcomes[2])
    assert [row["AccountId"] for row in there.app.records("Contact")] == [parent, parent]


@pytest.mark.parametrize("above", [0, 1])
def test_of_several_with_one_external_id_the_last_stands(there, above):
    records = [account(1, Phone="first"), account(2), account(1, Phone="last")]
    assert kinds(there.write("Account", records, bulk_above=above)) == ["superseded", "created", "created"]
    assert [row["Phone"] for row in there.app.records("Account") if row["Ext_Id__c"] == "X-00001"] == ["last"]


@pytest.mark.parametrize("above", [0, 1])
def test_an_external_id_that_several_have_is_rejected(there, above):
    for _ in range(2):
        there.app.add("Account", {"Name": "Twin", "Legacy_Code__c": "L1"})
    records = [{"Legacy_Code__c": "L1", "Name": "x"}, {"Legacy_Code__c": "L2", "Name": "y"}]
    outcomes = there.write("Account", records, bulk_above=above, match=("Legacy_Code__c",))
    assert kinds(outcomes) == ["rejected", "created"]
    assert "more than one record" in said(outcomes[0])


@pytest.mark.parametrize("above", [0, 1])
def test_null_clears_and_what_is_not_sent_stays(there, above):
    for n in (1, 2):
        there.app.add("Account", {**account(n), "Industry": "Energy", "Score__c": 5})
    records = [{"Ext_Id__c": "X-00001", "Phone": None}, {"Ext_Id__c": "X-00002", "Score__c": None}]
    there.write("Account", records, bulk_above=above, fields=Fields(nulls="clear"))
    one, two = there.app.records("Account")
    assert (one["Phone"], one["Score__c"], one["Industry"]) == (None, 5, "Energy")
    assert (two["Phone"], two["Score__c"], two["Industry"]) == ("2", None, "Energy")


def test_a_refused_batch_is_taken_apart(there):
    there.app.fail_next(1, "conflict")
    outcomes = there.write("Account", [account(n) for n in range(10)])
    assert {outcome.kind for outcome in outcomes} == {Kind.CREATED}
    assert len(there.externals()) == 10


def test_a_reject_is_piped_in_again_once_it_is_mended(there):
    messages = tapped(5)
    messages[2]["record"]["Name"] = "x" * 300
    ran = there.target(messages)
    assert ran.code == 1
    assert "4 created, 1 rejected" in ran.err
    kept = there.kept()
    kept[1]["record"]["Name"] = "Short"
    there.rejects.unlink()
    assert there.target(kept).code == 0
    assert there.externals() == Counter(f"X-{n:05}" for n in range(5))


FAULTS = {"429": 0.05, "500": 0.05, "cut": 0.03, "commit-timeout": 0.03}


@pytest.mark.parametrize("above", [0, 300])
@pytest.mark.parametrize("mode", ["upsert", "create"])
def test_two_thousand_land_once_through_faults(tmp_path, mode, above):
    faults = {kind: share * 3 if above else share for kind, share in FAULTS.items()}  # jobs are few calls
    with org(tmp_path, faults=faults, seed=7, stall_seconds=0.02) as there:
        size = 500 if above else 40
        ran = there.target(tapped(2000), batch_size_rows=size, bulk_above=above, streams={"Account": {"mode": mode}})
        assert (ran.code, ran.states) == (0, [{"done": 2000}]), ran.err
        assert there.externals() == Counter(f"X-{n:05}" for n in range(2000))
        assert len({call.fault for call in there.app.log if call.fault}) > 2
        if above:
            assert sum(job.processed for job in there.jobs()) == 2000


@pytest.mark.parametrize("above", [0, 100])
@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("calls", [4, 9, 13])
def test_a_killed_run_is_resumed(tmp_path, mode, above, calls):
    with org(tmp_path, latency_ms=3) as there:
        how = {"batch_size_rows": 250, "bulk_above": above, "streams": {"Account": {"mode": mode}}}
        process = there.command("target-salesforce", **how)
        left = [calls]

        def counted(request):
            left[0] -= "oauth2" not in request.segments
            return left[0] == 0

        there.on(counted, process.popen.kill, done=True)
        process.give(*tapped(2000), close=True)
        assert process.ended().code == -9
        ran = there.target(tapped(2000), **how)
        assert (ran.code, ran.states) == (0, [{"done": 2000}]), ran.err
        assert there.externals() == Counter(f"X-{n:05}" for n in range(2000))
