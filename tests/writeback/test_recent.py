"""A record that comes in batch after batch is looked up once; what is known of it is what was written last, or it is looked up again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from antiphon.writeback.recent import Recent
from antiphon.writeback.writer import Writer

ADA = {"email": "ada@example.com"}


def kinds(outcomes):
    return [outcome.kind.value for outcome in outcomes]


def looked_up(account):
    return sum(n for route, n in account.calls().items() if route.endswith(("batch/read", "search")))


def test_what_was_found_is_not_looked_up_again(account):
    account.app.add("contacts", {**ADA, "city": "Ulm"})
    writer = account.writer()
    for city, kind in (("Ulm", "unchanged"), ("Jena", "updated"), ("Jena", "unchanged"), ("Ulm", "updated")):
        assert kinds(writer.write([{**ADA, "city": city}])) == [kind]
        assert account.shown("contacts", "city") == [{"city": city}]
    assert looked_up(account) == 1


def test_what_was_created_is_not_looked_up_again(account):
    writer = account.writer()
    for city, kind in (("Ulm", "created"), ("Jena", "updated"), ("Jena", "unchanged")):
        assert kinds(writer.write([{**ADA, "city": city}])) == [kind]
    assert looked_up(account) == 1
    assert account.shown("contacts", "city") == [{"city": "Jena"}]


def test_of_a_batch_only_what_is_not_known_is_looked_up(account):
    writer = account.writer()
    people = [{"email": f"p{n}@example.com", "city": "Ulm"} for n in range(150)]
    writer.write(people[:100])
    account.app.reset_calls()
    assert kinds(writer.write(people)) == ["unchanged"] * 100 + ["created"] * 50
    assert account.calls() == {"objects/contacts/batch/create": 1, "objects/contacts/batch/read": 1}


def test_that_nothing_was_found_is_asked_again(account):
    writer = account.writer(mode="update")
    assert kinds(writer.write([{**ADA, "city": "Ulm"}])) == ["skipped"]
    account.app.add("contacts", ADA)
    assert kinds(writer.write([{**ADA, "city": "Ulm"}])) == ["updated"]


def test_fields_that_were_not_asked_for_before_are_asked_for(account):
    account.app.add("contacts", {**ADA, "city": "Ulm", "lastname": "L"})
    writer = account.writer()
    assert kinds(writer.write([{**ADA, "city": "Ulm"}])) == ["unchanged"]
    assert kinds(writer.write([{**ADA, "city": "Ulm", "lastname": "L"}])) == ["unchanged"]
    assert looked_up(account) == 2


def test_what_was_deleted_is_looked_up_again_and_created(account):
    writer = account.writer(deletes="archive")
    writer.write([{**ADA, "city": "Ulm"}])
    assert kinds(writer.write([{**ADA, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}])) == ["deleted"]
    assert kinds(writer.write([{**ADA, "city": "Ulm"}])) == ["created"]
    assert len(account.shown()) == 1


def test_what_was_refused_is_looked_up_again(account):
    writer = account.writer()
    writer.write([{**ADA, "city": "Ulm"}])
    assert kinds(writer.write([{**ADA, "city": "x" * 70_000}])) == ["rejected"]
    account.app.reset_calls()
    writer.write([{**ADA, "city": "Ulm"}])
    assert looked_up(account) == 1


def test_two_keys_of_one_record_know_of_each_other(account):
    account.app.add("contacts", {**ADA, "hs_additional_emails": "b@example.com"})
    writer = account.writer()
    for email, city in (("ada@example.com", "Ulm"), ("b@example.com", "Jena"), ("ada@example.com", "Ulm")):
        writer.write([{"email": email, "city": city}])
        assert account.shown("contacts", "city") == [{"city": city}]


def test_writers_to_one_resource_know_of_each_others_writes(account):
    recent = Recent()
    one, other = (account.writer(recent=recent, stream=name) for name in ("one", "other"))
    for writer, city in ((one, "Ulm"), (other, "Jena"), (one, "Ulm")):
        writer.write([{**ADA, "city": city}])
        assert account.shown("contacts", "city") == [{"city": city}]
    assert looked_up(account) == 1


def test_an_answer_that_was_on_its_way_when_something_was_written_is_not_believed():
    recent = Recent()
    turn = recent.turn
    recent.updated("1", {"city": "Jena"})
    recent.found("key", "1", {"city": "Ulm"}, turn)
    assert recent.get("key", {"city"}) is None
    recent.found("key", "1", {"city": "Jena"}, recent.turn)
    assert recent.get("key", {"city"}) == {"city": "Jena"}


def test_a_put_leaves_nothing_known(zoo):
    client, mocked = zoo
    animals = client.resource("animals")
    animals = replace(animals, update=replace(animals.update, method="PUT"))
    there = {"items": [{"id": "1", "name": "Ada", "legs": 3, "mood": "fine"}]}
    found = mocked.get("https://zoo.example/animals/find", json=there)
    mocked.put("https://zoo.example/animals/1", json={"id": "1"})
    writer = Writer(client, animals)
    for _ in range(2):
        writer.write([{"name": "Ada", "legs": 4}])
    assert found.call_count == 2


KEYS = st.sampled_from("abc")
VALUES = st.dictionaries(st.sampled_from("xy"), st.integers(0, 2), min_size=1)


@given(st.lists(st.tuples(st.sampled_from(["find", "update", "delete"]), KEYS, VALUES)))
def test_what_is_known_is_what_is_there(steps):
    recent, there = Recent(), {}
    for what, key, values in steps:
        if what == "delete":
            recent.forget(key)
            there.pop(key, None)
        elif what == "update" and key in there:
            recent.updated(key, values)
            there[key] = there[key] | values
        elif what == "update":
            recent.created(key, key, values)
            there[key] = values
        elif key in there:
            recent.found(key, key, dict(there[key]), recent.turn)
        for one in "abc":
            for field in "xy":
                known = recent.get(one, {field})
                assert known is None or known[field] == there[one][field]
