"""What is as it was written last costs no call; what is not, or is asked for in full, is looked up."""

from __future__ import annotations

from collections import Counter

import pytest

from antiphon.outcome import Kind
from antiphon.writeback import records

GONE = {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}


def people(n, **fields):
    return [{"email": f"p{k}@example.com", "firstname": f"P{k}", **fields} for k in range(n)]


@pytest.fixture
def written(account):
    """Write records in a run of its own, and count the calls it takes."""

    def write(records, resource="contacts", **how):
        account.app.reset_calls()
        with account.ledger() as ledger:
            outcomes = account.writer(resource, ledger=ledger, **how).write(records)
        return [o.kind.value for o in outcomes], sum(account.calls().values())

    return write


def test_a_second_run_with_nothing_changed_makes_no_call_at_all(account, written):
    kinds, _ = written(people(250))
    assert Counter(kinds) == {"created": 250}
    assert written(people(250)) == (["unchanged"] * 250, 0)


def test_what_was_found_as_it_is_to_be_is_known_from_then_on(account, written):
    account.app.add("contacts", {"email": "p0@example.com", "firstname": "P0"})
    assert written(people(1)) == (["unchanged"], 1)
    assert written(people(1)) == (["unchanged"], 0)


@pytest.mark.parametrize("waiting", [1000, 10])
def test_what_comes_twice_in_the_first_run_of_a_stream_is_written_once(account, monkeypatch, waiting):
    monkeypatch.setattr(records, "_WAITING", waiting)
    with account.ledger() as ledger:
        writer = account.writer(ledger=ledger)
        assert Counter(o.kind for o in writer.write(people(20))) == {"created": 20}
        account.app.reset_calls()
        assert Counter(o.kind for o in writer.write(people(20))) == {"unchanged": 20}
    assert account.app.count("batch/create") + account.app.count("batch/update") == 0


def test_only_what_has_changed_is_looked_up_and_sent(account, written):
    written(people(200))
    changed = [*people(199), {**people(200)[199], "city": "Ulm"}]
    kinds, calls = written(changed)
    assert (Counter(kinds), calls) == ({"unchanged": 199, "updated": 1}, 2)


def test_a_change_back_is_a_change(account, written):
    for city in ("Ulm", "Jena", "Ulm"):
        written(people(1, city=city))
        assert account.shown("contacts", "city") == [{"city": city}]


A = {"email": "a@example.com"}
W0, W9 = A | {"website": "w0.example"}, A | {"website": "w9.example"}


@pytest.mark.parametrize(
    "batches",
    [
        [[W0], [W9], [W0], [W9]],
        [[W0 | {"city": "Ulm"}], [A | {"city": "Jena"}], [W0 | {"city": "Ulm"}]],
        [[A | {"city": "Ulm"}], [W0 | {"city": "Jena"}], [A | {"city": "Ulm"}], [W0 | {"city": "Jena"}]],
        [[W0], [W9, W0], [W9, W0]],
        [[W0 | {"city": "Ulm"}], [A | {"city": "Jena"}, W0 | {"city": "Ulm"}]],
    ],
)
@pytest.mark.parametrize("runs", [1, 2])
def test_a_record_that_is_known_by_several_values_is_as_the_last_one_says(account, batches, runs):
    match = ["website", "email"]
    with account.ledger() as ledger:
        one = account.writer(match=match, ledger=ledger)
        for batch in batches:
            if runs == 1:
                one.write(batch)
            else:
                with account.ledger() as another:
                    account.writer(match=match, ledger=another).write(batch)
            for name, value in batch[-1].items():
                assert account.shown("contacts", name) == [{name: value}]


def test_what_somebody_else_gave_another_value_to_be_matched_by_gets_its_own_back(account, written):
    written([W0], match=["website", "email"])
    next(iter(account.app.store("contacts"))).properties["website"] = "w9.example"
    for record in (W9 | {"city": "Ulm"}, W0):
        written([record], match=["website", "email"])
        assert account.shown("contacts", "website") == [{"website": record["website"]}]


def test_what_has_not_changed_costs_no_call_where_one_record_has_several_rows(account, written):
    rows = [A | {"city": "Ulm"}, W0 | {"city": "Jena"}, W9 | {"city": "Bonn"}]
    for _ in range(2):
        kinds, calls = written(rows, match=["website", "email"])
    assert (kinds, calls) == (["superseded", "superseded", "unchanged"], 0)


def test_an_edit_by_somebody_else_stands_until_the_source_changes_or_a_full_run(account, written):
    written(people(1, city="Ulm"))
    next(iter(account.app.store("contacts"))).properties["city"] = "Jena"
    assert written(people(1, city="Ulm")) == (["unchanged"], 0)
    assert written(people(1, city="Ulm"), full=True) == (["updated"], 2)
    assert account.shown("contacts", "city") == [{"city": "Ulm"}]


def test_a_rejected_record_is_tried_again_and_one_that_was_deleted_is_not(account, written):
    for _ in range(2):
        kinds, calls = written([{"email": "bad"}])
        assert (kinds, calls > 0) == (["rejected"], True)
    written(people(1))
    assert written([{**people(1)[0], **GONE}], deletes="archive")[0] == ["deleted"]
    assert written([{**people(1)[0], **GONE}], deletes="archive") == (["skipped"], 0)
    assert written(people(1))[0] == ["created"]


def test_create_leaves_alone_what_it_knows_to_be_there_and_upsert_does_not(account, written):
    account.app.add("contacts", {"email": "p0@example.com"})
    assert written(people(1), mode="create") == (["skipped"], 1)
    assert written(people(1), mode="create") == (["skipped"], 0)
    assert written(people(1))[0] == ["updated"]
    assert written(people(1), mode="create") == (["unchanged"], 0)


def test_what_is_not_there_to_be_updated_is_looked_up_each_time(account, written):
    assert written(people(1), mode="update") == (["skipped"], 1)
    account.app.add("contacts", {"email": "p0@example.com"})
    assert written(people(1), mode="update")[0] == ["updated"]


def test_records_that_are_one_there_come_to_rest(account, written):
    account.app.add("contacts", {"email": "a@example.com", "hs_additional_emails": "b@example.com"})
    both = [{"email": "b@example.com", "city": "Ulm"}, {"email": "a@example.com", "city": "Bonn"}]
    assert written(both)[0] == ["superseded", "updated"]
    assert written(both) == (["superseded", "unchanged"], 0)


def test_another_stream_of_the_same_records_is_a_matter_of_its_own(account, written):
    written(people(3), stream="a")
    assert written(people(3), stream="b") == (["unchanged"] * 3, 1)


def test_what_another_run_created_moments_ago_is_known_although_search_does_not_see_it_yet(accounts):
    account = accounts(index_lag=600)
    for city, kind in (("Ulm", Kind.CREATED), ("Jena", Kind.UPDATED)):
        with account.ledger() as ledger:
            [outcome] = account.writer("companies", ledger=ledger).write([{"domain": "a.example", "city": city}])
            assert outcome.kind is kind
    assert account.shown("companies", "city") == [{"city": "Jena"}]


@pytest.mark.parametrize("match", ["email", "phone"])
def test_what_one_stream_took_away_is_looked_up_when_another_has_it_still(account, written, match):
    one = [{"email": "p0@example.com", "phone": "1", "firstname": "P0"}]
    written(one, stream="first")
    written(one, stream="second", match=[match])
    assert written([{**one[0], **GONE}], stream="first", deletes="delete")[0] == ["deleted"]
    assert written(one, stream="second", match=[match])[0] == ["created"]
    assert len(account.shown()) == 1


def test_what_was_taken_away_is_gone_by_each_field_that_it_was_matched_by(account, written):
    one = [{"email": "p0@example.com", "phone": "1", "firstname": "P0"}]
    written(one, match=["phone"])
    written(one, match=["email"])
    assert written([{**one[0], **GONE}], match=["email"], deletes="delete")[0] == ["deleted"]
    assert written(one, match=["phone"])[0] == ["created"]
    assert len(account.shown()) == 1


def test_what_was_written_long_before_in_the_same_run_is_not_unchanged_by_another_address(account, monkeypatch):
    monkeypatch.setattr(records, "_WAITING", 1)
    account.app.add("contacts", {"email": "a@example.com", "hs_additional_emails": "b@example.com"})
    with account.ledger() as ledger:
        writer = account.writer(ledger=ledger)
        for email, city in (("a@example.com", "Ulm"), ("b@example.com", "Bonn")):
            writer.write([{"email": email, "city": city}])
    with account.ledger() as ledger:
        [outcome] = account.writer(ledger=ledger).write([{"email": "a@example.com", "city": "Ulm"}])
    assert outcome.kind is Kind.UPDATED
