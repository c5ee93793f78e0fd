"""What was perhaps written: a run died, or gave up, before it heard. What the ledger knew before of these records counts no more."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from base64 import b64encode

import pytest
import requests

from antiphon.errors import Unavailable
from antiphon.outcome import Change, Kind, Outcome
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.mirror import Kept, take_away
from antiphon.writeback.settling import settle_open
from antiphon.writeback.writer import Writer

from .test_ledger import as_in, change, intend, killed, known, left_open
from .test_writer_replies import crash, kinds

ZOO = "https://zoo.example"


def people(city, numbers=range(5), **more):
    return [{"email": f"p{n}@example.com", "city": city, **more} for n in numbers]


def run(account, records, version=None, **how):
    """Write *records* as one run of a target does, and take away what a mirror is to; return what became of them."""
    with account.ledger() as ledger:
        settle_open(account.client, ledger)
        writer = account.writer(ledger=ledger, stream="s", **how)
        outcomes = writer.write(records, version=version)
        if version is not None:
            gone = take_away(writer, ledger, version, lambda _by, _records: None)
            outcomes += [] if isinstance(gone, Kept) else gone
    return kinds(outcomes)


def cities(account):
    return [record.get("city") for record in account.shown("contacts", "city")]


# What is safe to repeat


@pytest.mark.parametrize("when", ["before", "after"])
def test_after_a_crash_in_an_update_the_record_as_it_was_before_is_not_taken_for_unchanged(account, when):
    run(account, people("Ulm"))
    crash(account, people("Bonn"), when)
    assert set(run(account, people("Ulm"))) == {"updated" if when == "after" else "unchanged"}
    assert cities(account) == ["Ulm"] * 5
    account.app.reset_calls()
    assert set(run(account, people("Ulm"))) == {"unchanged"}
    assert account.calls() == {}


def test_after_a_crash_in_an_archiving_the_record_is_created_again(account):
    run(account, people("Ulm"), deletes="archive")
    crash(account, people("Ulm", _sdc_deleted_at="2026-01-01T00:00:00Z"), "after", deletes="archive")
    assert cities(account) == []
    assert run(account, people("Ulm"), deletes="archive") == ["created"] * 5
    assert cities(account) == ["Ulm"] * 5


@pytest.mark.parametrize("then", ["500", "429", "cut", "commit-timeout"])
def test_after_an_update_that_was_given_up_the_record_as_it_was_before_is_not_taken_for_unchanged(accounts, then):
    account = accounts(stall_seconds=0.01)
    run(account, people("Ulm"))
    account.app.fail_next(1, "commit-timeout", "batch/update")
    account.app.fail_next(200, then, "batch/update")
    with contextlib.suppress(Unavailable):
        assert run(account, people("Bonn")) == ["rejected"] * 5
    account.app.faults.clear()
    assert cities(account) == ["Bonn"] * 5
    assert run(account, people("Ulm")) == ["updated"] * 5
    assert cities(account) == ["Ulm"] * 5


def test_a_write_that_was_unanswered_and_then_refused_was_perhaps_done(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        for kind in (Kind.REJECTED, Kind.UNKNOWN):
            one = change(city="Ulm")
            intend(ledger, one)
            ledger.answered([*_outcomes(one, Kind.CREATED)])
            assert known(ledger, one).content
            other = change(city="Bonn")
            intend(ledger, other, operation="update")
            ledger.answered([*_outcomes(other, kind)])
            assert (known(ledger, one).content, known(ledger, one).ours) == (b"", True)


def _outcomes(one, kind):
    return [Outcome(one, kind, "7")]


def test_what_was_under_way_is_doubted_once_though_it_stays_open(tmp_path):
    one = change()
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
        intend(ledger, one)
        ledger.answered(_outcomes(one, Kind.CREATED))
    with Ledger(tmp_path, "hubspot") as ledger:
        ledger.doubt()
        assert known(ledger, one).content == b""
        intend(ledger, one)
        ledger.answered(_outcomes(one, Kind.UPDATED))
    with Ledger(tmp_path, "hubspot") as ledger:
        ledger.doubt()
        assert len(left_open(ledger)) == 1
        assert known(ledger, one).content != b""


@pytest.mark.parametrize(
    ("how", "then"),
    [
        ({"deletes": "archive"}, people("Ulm", _sdc_deleted_at="2026-01-01T00:00:00Z")),
        ({"mode": "update"}, people("Bonn")),
    ],
)
def test_what_was_looked_for_and_is_not_there_is_not_taken_for_unchanged_later(account, how, then):
    run(account, people("Ulm"))
    account.writer(mode="delete").write(people("Ulm"))  # somebody else
    assert run(account, then, **how) == ["skipped"] * 5
    assert run(account, people("Ulm")) == ["created"] * 5


# Creations that a look-up finds


def mirrored(account, records, version):
    return run(account, records, version, mode="mirror")


def test_what_was_meant_to_be_sent_and_was_not_is_not_taken_for_ours(account):
    crash(account, people("Ulm", range(150)), "after", mode="mirror")
    assert len(cities(account)) == 100
    account.app.add("contacts", {"email": "p120@example.com", "city": "Theirs"})
    account.app.add("contacts", {"email": "p121@example.com", "city": "Ulm"})
    outcomes = mirrored(account, people("Ulm", [*range(120), *range(122, 150)]), 2)
    assert (outcomes.count("unchanged"), outcomes.count("created"), len(outcomes)) == (100, 48, 148)
    assert "Theirs" in cities(account)
    assert len(cities(account)) == 150
    assert mirrored(account, people("Bonn", range(150)), 3) == ["updated"] * 150
    left = mirrored(account, people("Bonn", [*range(117), *range(122, 150)]), 4)
    assert (left.count("unchanged"), left.count("deleted")) == (145, 3)  # neither what others made, 120 and 121


@pytest.mark.parametrize("mode", ["upsert", "create", "mirror"])
def test_what_others_made_while_a_creation_of_ours_was_in_doubt_is_theirs(account, mode):
    crash(account, people("Ulm", [1, 2]), "before", mode=mode)
    account.app.add("contacts", {"email": "p1@example.com", "city": "Theirs"})
    version = 2 if mode == "mirror" else None
    outcomes = run(account, people("Ulm", [1, 2]), version, mode=mode)
    assert sorted(outcomes) == ["created", "skipped" if mode == "create" else "updated"]
    assert sorted(cities(account)) == ["Theirs" if mode == "create" else "Ulm", "Ulm"]
    if mode == "mirror":
        assert mirrored(account, people("Ulm", [3]), 3) == ["created", "deleted"]
        assert len(cities(account)) == 2


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("mode", ["upsert", "create", "mirror"])
def test_what_was_created_without_an_answer_is_ours_once_it_is_seen_to_hold_what_was_sent(account, mode, full):
    crash(account, people("Ulm", [1, 2]), "after", mode=mode)
    version = 2 if mode == "mirror" else None
    assert run(account, people("Ulm", [1, 2]), version, mode=mode, full=full) == ["unchanged"] * 2
    if mode == "mirror":
        assert mirrored(account, people("Ulm", [1]), 3) == ["unchanged", "deleted"]
    assert run(account, people("Ulm", [1]), version and 4, mode=mode) == ["unchanged"]


def test_what_was_created_without_an_answer_and_comes_with_other_values_or_never_again_is_nobodys_to_take_away(account):
    crash(account, people("Ulm", [1, 2]), "after", mode="mirror")
    assert mirrored(account, people("Bonn", [1]), 2) == ["updated"]
    assert mirrored(account, people("Bonn", [3]), 3) == ["created"]
    assert len(cities(account)) == 3


def test_a_key_alone_shows_nothing_of_who_made_the_record(account):
    crash(account, [{"email": "p1@example.com"}], "after", mode="mirror")
    assert mirrored(account, [{"email": "p1@example.com"}], 2) == ["unchanged"]
    assert mirrored(account, people("Ulm", [2]), 3) == ["created"]
    assert len(account.shown()) == 2


@pytest.mark.parametrize(("mode", "kind", "legs"), [("upsert", Kind.UPDATED, 4), ("create", Kind.SKIPPED, 2)])
def test_one_that_others_made_while_an_answer_was_lost_is_looked_at_again(zoo, tmp_path, mode, kind, legs):
    client, mocked = zoo
    there = {"id": "1", "name": "a", "legs": 2}
    mocked.get(f"{ZOO}/animals/find", [{"json": {"items": []}}, {"json": {"items": [there]}}])
    mocked.post(f"{ZOO}/animals/batch", exc=requests.exceptions.ReadTimeout)
    mocked.patch(f"{ZOO}/animals/1", json=lambda request, _: there.update(request.json()) or there)
    with Ledger(tmp_path, "zoo") as ledger:
        writer = Writer(client, client.resource("animals"), mode=mode, ledger=ledger, stream="s")
        [outcome] = writer.write([{"name": "a", "legs": 4}])
        key = ledger.key("animals", writer.match.key_of(Change({}, by="name", value="a")))
        assert (outcome.kind, there["legs"]) == (kind, legs)
        assert not ledger.records.known("s", [key])[key].ours
        assert ledger.store.rows("select count(*) from intents") == [(0,)]


def test_of_two_by_that_name_the_one_with_our_values_is_the_one_that_was_created(zoo):
    client, mocked = zoo
    both = [{"id": "2", "name": "a", "legs": 4}, {"id": "1", "name": "a", "legs": 2}]
    mocked.get(f"{ZOO}/animals/find", [{"json": {"items": []}}, {"json": {"items": both}}])
    mocked.post(f"{ZOO}/animals/batch", exc=requests.exceptions.ReadTimeout)
    [outcome] = Writer(client, client.resource("animals")).write([{"name": "a", "legs": 4}])
    assert (outcome.kind, outcome.id) == (Kind.CREATED, "2")


# What runs beside this one leave when they die


def test_what_a_run_that_died_meanwhile_was_creating_is_taken_over_when_it_is_met(account, tmp_path):
    with killed(account.folder, "intend(ledger, change('p1@example.com'))"):
        ledger = account.ledger()
        writer = account.writer(ledger=ledger, stream="s")
        assert kinds(writer.write(people("Ulm", [2]))) == ["created"]
    with ledger:
        assert kinds(writer.write(people("Ulm", [1]))) == ["created"]
        assert not ledger.store.others()
        assert ledger.store.rows("select count(*) from intents") == [(0,)]


def test_what_a_run_that_died_meanwhile_was_changing_is_looked_at_again(account):
    run(account, people("Ulm", [1]))
    with killed(account.folder, "intend(ledger, change('p1@example.com'), operation='update', stream='s')"):
        ledger = account.ledger()
        writer = account.writer(ledger=ledger, stream="s")
        assert kinds(writer.write(people("Ulm", [1]))) == ["unchanged"]
    [record] = account.app.store("contacts")
    record.properties["city"] = "Bonn"
    with ledger:
        assert kinds(writer.write(people("Ulm", [1]))) == ["updated"]
    assert cities(account) == ["Ulm"]


# How far it had come


def test_what_of_a_set_had_begun_is_known_after_a_kill(tmp_path):
    lines = ("c = [change(f'{n}@x') for n in range(5)]", "intend(ledger, *c, each=2)", "ledger.begun(c[1])")
    with killed(tmp_path, *lines):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == (["0@x", "1@x"], ["2@x", "3@x", "4@x"])


def test_what_goes_along_with_what_has_begun_has_begun_and_no_more_after_a_kill(tmp_path):
    lines = ("c = [change(f'{n}@x') for n in range(7)]", "intend(ledger, *c, each=2, along=2)", "ledger.begun(c[1])")
    with killed(tmp_path, *lines):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == (["0@x", "1@x", "2@x", "3@x"], ["4@x", "5@x", "6@x"])


@pytest.mark.parametrize("last", [6, 5])
def test_a_last_request_that_is_smaller_has_begun_with_all_before_it(tmp_path, last):
    lines = (
        "c = [change(f'{n}@x') for n in range(7)]",
        "intend(ledger, *c, each=2, along=3)",
        f"ledger.begun(c[{last}])",
    )
    with killed(tmp_path, *lines):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger)[1] == ([] if last == 6 else ["6@x"])


def test_what_is_left_when_some_is_struck_has_begun_as_far_as_it_had(tmp_path):
    lines = (
        "c = [change(f'{n}@x') for n in range(9)]",
        "intend(ledger, *c, each=2)",
        "ledger.begun(c[3])",
        "ledger.not_sent([c[1], c[8]])",
        "ledger.begun(c[5])",
        "ledger.not_sent([c[0], c[2], c[7]])",
    )
    with killed(tmp_path, *lines):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == (["3@x", "4@x", "5@x"], ["6@x"])
        ledger.not_sent([i.change() for written in ledger.open_intents() for i in written.not_begun()])
        assert begun(ledger) == (["3@x", "4@x", "5@x"], [])


def test_what_had_begun_before_under_the_same_number_tells_nothing(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        one = change("0@x")
        intend(ledger, one, each=1)
        ledger.begun(one)
        ledger.not_sent([one])
        (left,) = ledger.store.rows("select count(*) from progress")
    assert left == (0,)
    with killed(tmp_path, "intend(ledger, change('9@x'), each=1)"):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == ([], ["9@x"])


def begun(ledger):
    """The values of what is open: what had perhaps begun, and what surely had not."""
    left = [i.value for written in ledger.open_intents() for i in written.not_begun()]
    open = [i.value for written in ledger.open_intents() for i in written.intents.values()]
    return [value for value in open if value not in left], left


def earlier(folder, version, *stages):
    """Make a ledger of version 3 to 5, in which a run left a row of intents for each of *stages*: not begun, begun, doubted."""
    with Ledger(folder, "hubspot") as ledger:
        number = ledger.records.stream("people")
        made = [(ledger.identity("contacts", {}, "email", "a@x"), ledger.key("contacts", ("email", "a@x")))]
        kept = [[b64encode(one).decode() for one in marks] for marks in made]
    with contextlib.closing(sqlite3.connect(ledger.path)) as db:
        as_in(db, version)
        for n, stage in enumerate(stages):
            intents = [[f"token{n}{m}", m, *kept[0], None, "email", f"{n}{m}@x"] for m in range(2)]
            of = (7, number, "contacts", "create", "2026", None, json.dumps(intents).encode())
            row = (n, *of, stage) if version > 3 else (n, *of)
            db.execute(f"insert into intents values ({','.join('?' * len(row))})", row)
        db.execute("insert into runs values (7)")
        db.commit()
    return made[0]


def test_in_a_ledger_of_version_3_all_that_is_open_had_perhaps_begun(tmp_path):
    earlier(tmp_path, 3, 0)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == (["00@x", "01@x"], [])


@pytest.mark.parametrize("version", [4, 5])
def test_how_far_requests_had_come_in_an_earlier_version_is_known(tmp_path, version):
    identity, key = earlier(tmp_path, version, 0, 1, 2)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert begun(ledger) == (["10@x", "11@x", "20@x", "21@x"], ["00@x", "01@x"])
        assert [written.doubted for written in ledger.open_intents()] == [False, False, True]
        assert {(i.identity, i.key) for i in left_open(ledger)} == {(identity, key)}
        assert [i.change().token for i in left_open(ledger)][:2] == ["token00", "token01"]
