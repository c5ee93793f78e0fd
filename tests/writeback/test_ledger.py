"""What a connection remembers of its writes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from decimal import Decimal
from itertools import product
from pathlib import Path

import filelock
import msgspec
import pytest

from antiphon.errors import Busy, Storage
from antiphon.outcome import Change, Kind, Outcome, Problem
from antiphon.writeback import inspection, records
from antiphon.writeback.intent import unpacked
from antiphon.writeback.ledger import Ledger

TESTS = Path(__file__).parent.parent


def change(email="a@example.com", **fields):
    return Change({"email": email, **fields}, by="email", value=email)


def note(text):
    return Change({"hs_note_body": text})


def marks(ledger, *changes, first=1, resource="contacts"):
    """Return the identity, key and position of each of *changes*."""
    return [
        (
            ledger.identity(resource, c.record, c.by, c.value),
            ledger.key(resource, (c.by, c.value)) if c.by else None,
            position,
        )
        for position, c in enumerate(changes, first)
    ]


def intend(ledger, *changes, operation="create", stream="people", first=1, resource="contacts", **more):
    given = marks(ledger, *changes, first=first, resource=resource)
    return ledger.intend(stream, resource, operation, changes, given, **more)


def recall(ledger, *changes, stream="people", first=1):
    asked = [
        (c, identity, n) for c, (identity, _, n) in zip(changes, marks(ledger, *changes, first=first), strict=True)
    ]
    return ledger.recall(stream, asked)


def created(c, id="1"):
    return Outcome(c, Kind.CREATED, id)


def entries(ledger):
    """Return token and outcome of what is under way (None), and of what has ended and is not known by a key."""
    rows = ledger.store.rows("select changes from intents")
    under_way = [(i.position, i.token, None) for (changes,) in rows for i in unpacked(changes).values()]
    ended = ledger.store.rows("select position, token, kind from entries")
    return [(token, kind) for _, token, kind in sorted([*under_way, *ended])]


def left_open(ledger):
    """Return the intents that earlier runs have left open."""
    return [intent for written in ledger.open_intents() for intent in written.intents.values()]


def known(ledger, c, stream="people"):
    [(_, key, _)] = marks(ledger, c)
    return ledger.records.known(stream, [key]).get(key)


@contextlib.contextmanager
def killed(folder, *lines):
    """Let another process open the ledger, do *lines* and be killed; or stay alive until the block ends, if it says so."""
    code = "\n".join(
        [
            "import os, pathlib, signal, sys, time",
            "sys.path.insert(0, sys.argv[2])",
            "from writeback.test_ledger import *",
            "ledger = Ledger(pathlib.Path(sys.argv[1]), 'hubspot')",
            *lines,
            "print('ready', flush=True)",
            "sys.stdin.read()",
            "os.kill(os.getpid(), signal.SIGKILL)",
        ]
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(TESTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def test_it_is_a_file_for_its_owner_alone(tmp_path):
    with Ledger(tmp_path / "new" / "folder", "my crm/2") as ledger:
        assert ledger.path == tmp_path / "new" / "folder" / "my_crm_2.ledger.sqlite3"
        intend(ledger, change())
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode) for path in ledger.path.parent.rglob("*") if path.is_file()
        }
    assert (
        len(modes) == 6
    )  # the file, what SQLite keeps beside it, the key of its hashes, the locks of opening and of this run
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def test_nothing_of_a_record_stands_in_it_in_plain_words_once_it_is_answered(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        done = change("ada@example.com", city="Brussel")
        intend(ledger, done)
        ledger.answered([created(done)])
    there = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"ada@example" not in there
    assert b"Brussel" not in there


def test_hashes_are_of_this_ledger_alone(tmp_path):
    with Ledger(tmp_path / "a", "hubspot") as one, Ledger(tmp_path / "b", "hubspot") as other:
        assert marks(one, change()) == marks(one, change())
        assert not {*marks(one, change())[0][:2]} & {*marks(other, change())[0][:2]}


# What is under way


def test_no_two_streams_of_pipelines_go_by_one_name():
    names = ["".join(letters) for length in range(4) for letters in product("a/%", repeat=length)]
    called = {inspection.known_as(stream, pipeline) for stream in names for pipeline in names}
    assert len(called) == len(names) ** 2


@pytest.mark.parametrize(
    ("stream", "pipeline", "name"),
    [("people", None, "people"), ("people", "50%", "50%/people"), ("crm/people", "north", "north/crm/people")],
)
def test_what_streams_are_called_in_earlier_ledgers_stands(stream, pipeline, name):
    assert inspection.known_as(stream, pipeline) == name


def test_what_was_under_way_is_open_until_it_is_answered(tmp_path):
    one, two, three = change("a@x"), change("b@x"), note("c")
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, one, two, three)
        ledger.answered([created(one)])
        assert ledger.open_intents() == []  # this run's own are not left behind
    with Ledger(tmp_path, "hubspot") as ledger:
        [left] = ledger.open_intents()
        assert (left.resource, left.operation) == ("contacts", "create")
        assert [(i.token, i.by, i.value) for i in left.intents.values()] == [
            (two.token, "email", "b@x"),
            (three.token, None, None),
        ]
        assert left.intents[two.token].change().token == two.token
        ledger.not_sent([two])
        ledger.answered([Outcome(three, Kind.UNKNOWN, problem=Problem("lost"))])
        assert ledger.open_intents() == []


def test_a_later_run_recalls_what_was_done_and_what_is_unknown_but_no_rejects(tmp_path):
    done, unknown, refused = note("a"), note("b"), note("c")
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, done, unknown, refused)
        lost = Problem("lost", 500, "X")
        ledger.answered(
            [
                created(done, "9"),
                Outcome(unknown, Kind.UNKNOWN, problem=lost),
                Outcome(refused, Kind.REJECTED, problem=lost),
            ]
        )
        assert recall(ledger, note("a")) == []  # its own run sends what the source has twice
    with Ledger(tmp_path, "hubspot") as ledger:
        assert ledger.earlier()
        again = [note("a"), note("b"), note("c"), note("d")]
        told = recall(ledger, *again)
        assert [(o.change, o.kind, o.id, o.problem, o.attempts, o.operation) for o in told] == [
            (again[0], Kind.CREATED, "9", None, 0, "create"),
            (again[1], Kind.UNKNOWN, None, lost, 0, "create"),
        ]
        assert recall(ledger, note("a")) == []


def test_a_record_that_the_source_has_twice_has_two_entries(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        twins = [note("same"), note("same")]
        intend(ledger, *twins)
        ledger.answered([created(twins[0], "1"), created(twins[1], "2")])
    with Ledger(tmp_path, "hubspot") as ledger:
        assert [o.id for o in recall(ledger, note("same"), note("same"), note("same"))] == ["1", "2"]


def test_another_stream_recalls_nothing_of_it(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        done = note("a")
        intend(ledger, done)
        ledger.answered([created(done)])
    with Ledger(tmp_path, "hubspot") as ledger:
        assert recall(ledger, note("a"), stream="others") == []


def test_what_is_recalled_can_be_recalled_again_after_another_crash(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        done = note("a")
        intend(ledger, done)
        ledger.answered([created(done)])
    for _ in range(2):
        with Ledger(tmp_path, "hubspot") as ledger:
            assert len(recall(ledger, note("a"))) == 1


def test_a_creation_that_can_be_looked_up_is_not_recalled_as_unknown_but_known_by_its_key(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        lost = change()
        intend(ledger, lost)
        ledger.answered([Outcome(lost, Kind.UNKNOWN)])
    with Ledger(tmp_path, "hubspot") as ledger:
        assert recall(ledger, change()) == []
        [(_, key, _)] = marks(ledger, change())
        assert ledger.unknown([key, b"other"]) == {key}
        ledger.found(key)
        assert ledger.unknown([key]) == set()


def test_a_state_lets_it_forget_what_it_covers(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        several = [note(f"{n}") for n in range(4)]
        intend(ledger, *several)
        ledger.answered([created(several[0]), created(several[1]), Outcome(several[2], Kind.UNKNOWN)])
        ledger.forget("others", 9)
        ledger.forget("people", 1)
        assert entries(ledger) == [
            (several[1].token, "created"), (several[2].token, "unknown"), (several[3].token, None)
        ]  # fmt: skip
        ledger.forget("people", 9)
        assert entries(ledger) == [(several[2].token, "unknown"), (several[3].token, None)]


def test_a_state_does_not_cover_what_an_earlier_run_wrote_and_this_one_has_not_met(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        done = [note("a"), note("b")]
        intend(ledger, *done)
        ledger.answered([created(c) for c in done])
    with Ledger(tmp_path, "hubspot") as ledger:
        assert len(recall(ledger, note("a"), first=9)) == 1
        ledger.forget("people", 9)
        assert entries(ledger) == [(done[1].token, "created")]
        ledger.forget_all(["others"])
        assert entries(ledger) == [(done[1].token, "created")]
        ledger.forget_all(["others", "people"])
        assert entries(ledger) == []
        assert not ledger.earlier()


def test_what_is_sent_again_under_its_token_has_one_entry(tmp_path):
    lost, other = note("a"), note("b")
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, lost, other)
        intend(ledger, lost)
        assert sorted(entries(ledger)) == sorted([(lost.token, None), (other.token, None)])
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, lost)
        assert [i.token for i in left_open(ledger)] == [other.token]
        ledger.answered([created(lost)])
        assert sorted(entries(ledger)) == sorted([(lost.token, "created"), (other.token, None)])


def test_tokens_of_what_was_not_answered_are_found_again_once_each(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        twins = [note("same"), note("same")]
        intend(ledger, *twins)
    with Ledger(tmp_path, "hubspot") as ledger:
        again = [note("same"), note("same"), note("same"), note("other")]
        asked = [(c, identity, n) for c, (identity, _, n) in zip(again, marks(ledger, *again), strict=True)]
        found = ledger.tokens("people", asked, "2000-01-01T00:00:00Z")
        assert found == {again[0].token: twins[0].token, again[1].token: twins[1].token}
        assert ledger.tokens("people", asked, "2999-01-01T00:00:00Z") == {}


def test_values_of_every_kind_are_kept(tmp_path):
    values = [5, 1.5, "é\n'", True, 2**70, Decimal("0.10000000000000000000001"), Decimal("1e400"), "a\0b"]
    several = [Change({"n": 1}, by="n", value=value) for value in values]
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, *several)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert [intent.value for intent in left_open(ledger)] == values


def test_ids_of_every_kind_are_kept(tmp_path):
    ids = ["a\0b", "a\0c", "\\u0000", "0012", "1e5", "", "null", '"', "é😀\u2028", "9" * 100_000, None]
    several = [change(f"{n}@x") for n in range(len(ids))]
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, *several)
        ledger.answered([created(c, id) for c, id in zip(several, ids, strict=True)])
        assert [known(ledger, c).remote_id for c in several] == ids


def test_a_failed_transaction_leaves_nothing_half_written(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        one, two = change("a@x"), change("b@x")
        with pytest.raises(ValueError):
            ledger.intend("people", "contacts", "create", [one, two], [(b"k", None, 1)])
        assert entries(ledger) == []
        with pytest.raises(TypeError):
            ledger.intend("people", "contacts", "create", [Change({}, by="n", value=object())], [(b"k", None, 1)])
        assert entries(ledger) == []
        intend(ledger, one)
        assert len(entries(ledger)) == 1


def test_what_cannot_be_written_down_as_answered_stays_under_way(tmp_path):
    class Full:
        """A database whose disk is full when it commits."""

        def __init__(self, db):
            self.db = db

        def __getattr__(self, name):
            return getattr(self.db, name)

        def execute(self, sql, *values):
            if sql == "commit":
                raise sqlite3.OperationalError("database or disk is full")
            return self.db.execute(sql, *values)

    several = [change("a@x"), note("b"), change("c@x")]
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, *several)
        ledger.store._db = Full(ledger.store._db)
        with pytest.raises(Storage, match="disk is full"):
            ledger.answered([created(c) for c in several[:2]])
        with pytest.raises(Storage, match="disk is full"):
            intend(ledger, change("d@x"))
        ledger.store._db = ledger.store._db.db
        assert entries(ledger) == [(c.token, None) for c in several]
        ledger.answered([created(several[2])])
        assert entries(ledger) == [(c.token, None) for c in several[:2]]
        assert known(ledger, several[0]) is None


def test_what_a_job_of_the_apis_carries_out_is_noted_with_it(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        by_job, others = [change("a@x"), change("b@x")], [change("c@x")]
        intend(ledger, *by_job)
        intend(ledger, *others)
        ledger.under_way("job 1", by_job)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert [(one.job, list(one.intents)) for one in ledger.open_intents()] == [
            ("job 1", [c.token for c in by_job]), (None, [c.token for c in others])
        ]  # fmt: skip


# What is there


def test_what_was_written_is_known_by_its_key_and_has_no_entry_any_more(tmp_path):
    one = change(city="Ulm")
    with Ledger(tmp_path, "hubspot") as ledger:
        assert known(ledger, one) is None
        intend(ledger, one)
        ledger.answered([created(one, "7")])
        assert entries(ledger) == []
        assert known(ledger, one, stream="others") is None
    with Ledger(tmp_path, "hubspot") as ledger:
        found = known(ledger, change())
        assert (found.remote_id, found.kind, found.ours) == ("7", "created", True)
        assert found.content == marks(ledger, one)[0][0]
        assert found.content != marks(ledger, change(city="Jena"))[0][0]


def test_what_was_answered_is_known_after_a_kill_and_to_a_run_beside_it(tmp_path):
    lines = ("c = change('a@x')", "intend(ledger, c)", "ledger.answered([created(c, '7')], sure=False)")
    with killed(tmp_path, *lines), Ledger(tmp_path, "hubspot") as beside:
        assert known(beside, change("a@x")).remote_id == "7"
    with killed(tmp_path, *(line.replace("a@x", "b@x").replace("7", "8") for line in lines)):
        pass
    with Ledger(tmp_path, "hubspot") as ledger:
        assert known(ledger, change("b@x")).remote_id == "8"
        assert known(ledger, change("a@x")).remote_id == "7"


def test_the_last_answer_to_a_key_stands(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        for n in range(200):  # more than one statement keeps
            one = change(f"{n % 90}@x", n=n)
            intend(ledger, one)
            ledger.answered([created(one, str(n))])
        assert ledger.store.rows("select count(*) from records") == [(0,)]  # nobody has asked yet
        assert known(ledger, change("5@x")).remote_id == "185"
        assert known(ledger, change("25@x")).remote_id == "115"
        assert ledger.store.rows("select count(*) from records") == [(90,)]
        assert ledger.store.rows("select count(*) from answers") == [(0,)]


def test_what_waits_to_be_sorted_in_is_never_more_than_a_bounded_number(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "_WAITING", 10)
    with Ledger(tmp_path, "hubspot") as ledger:
        for n in range(50):
            one = change(f"{n}@x")
            intend(ledger, one)
            ledger.answered([created(one)])
            [(waiting,)] = ledger.store.rows("select count(*) from answers")
            assert waiting < 10
    with contextlib.closing(sqlite3.connect(ledger.path)) as db:
        assert db.execute("select count(*) from records").fetchall() == [(50,)]


def test_what_waits_is_sorted_in_as_it_was_heard(tmp_path):
    mine, others, again = change("a@x"), change("b@x"), change("a@x", city="Ulm")
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, mine, others, again)
        ledger.answered([created(mine)])
        ledger.answered([Outcome(others, Kind.UPDATED, "2")], version=7)
        ledger.answered([Outcome(again, Kind.UPDATED, "1")], version=8)
        assert ledger.store.rows("select count(*) from answers") == [(3,)]
        [(identity, *_)] = marks(ledger, again)
        assert known(ledger, again)[:4] == (identity, "1", "updated", True)
        assert known(ledger, again).version == 8
        assert known(ledger, others)[1:4] == ("2", "updated", False)


def test_who_made_a_record_is_kept_until_it_is_deleted(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:

        def answered(c, kind, operation):
            intend(ledger, c, operation=operation)
            ledger.answered([Outcome(c, kind, "7")])
            return known(ledger, c).ours

        assert answered(change(city="Ulm"), Kind.CREATED, "create")
        assert answered(change(city="Jena"), Kind.UPDATED, "update")
        assert answered(change(), Kind.DELETED, "delete")
        assert not answered(change(city="Bonn"), Kind.UPDATED, "update")  # somebody else has made it anew
        assert answered(change("b@x"), Kind.UPDATED, "update") is False


def test_what_a_deletion_costs_does_not_grow_with_what_is_known(tmp_path):
    def steps(known):
        with Ledger(tmp_path, f"of {known}") as ledger:
            ledger.describe("people", "contacts", ["email"])
            ledger.records.keep("people", [(n.to_bytes(16), b"", str(n), "created") for n in range(known)])
            counted = []
            ledger.store._db.set_progress_handler(lambda: counted.append(1), 100)
            for n in range(3):
                counted.clear()
                ada = Change({}, str(n), by="email", value=f"{n}@example.com")
                intend(ledger, ada, operation="delete")
                ledger.answered([Outcome(ada, Kind.DELETED, str(n), operation="delete")])
            deleted = len(counted)
            counted.clear()
            assert ledger.records.hand_over("people", ["5"]) == set()
            return deleted + len(counted)

    assert steps(20_000) <= 2 * steps(200)


def test_what_was_found_there_is_kept_as_found_there(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        [(identity, key, _)] = marks(ledger, change())
        ledger.records.keep("people", [(key, identity, "5", "unchanged")])
        assert known(ledger, change())[1:4] == ("5", "unchanged", False)


def test_what_was_created_moments_ago_is_known_to_every_stream(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        one, other = change("a@x"), change("b@x")
        intend(ledger, one)
        intend(ledger, other, operation="update")
        ledger.answered([created(one, "9"), Outcome(other, Kind.UPDATED, "3")])
        keys = [key for _, key, _ in marks(ledger, one, other)]
        assert ledger.records.made(keys, 0) == {keys[0]: "9"}
        assert ledger.records.made(keys, 2**40) == {}


# Two runs at once


def test_what_a_run_that_is_alive_has_under_way_is_left_to_it(tmp_path):
    with killed(tmp_path, "intend(ledger, change('a@x'), note('b'))"), Ledger(tmp_path, "hubspot") as ledger:
        assert ledger.open_intents() == []
        assert not ledger.earlier()
        assert ledger.store.others()
    with Ledger(tmp_path, "hubspot") as ledger:
        assert len(left_open(ledger)) == 2
        assert not ledger.store.others()
        with Ledger(tmp_path, "hubspot") as another:
            assert another.open_intents() == []  # it is being settled


def test_what_one_run_after_another_leaves_is_taken_over(tmp_path):
    """SQLite gives the number of a row that was struck to the next one."""
    with Ledger(tmp_path, "hubspot") as ledger:
        for email in ("a@x", "b@x", "c@x"):
            with killed(tmp_path, f"intend(ledger, change({email!r}))"):
                pass
            assert ledger.take_over()
            left = left_open(ledger)
            assert [intent.value for intent in left] == [email]
            ledger.not_sent([intent.change() for intent in left])


def test_what_another_run_is_creating_is_not_created_as_well(tmp_path):
    with (
        killed(
            tmp_path,
            "intend(ledger, change('a@x'))",
            "c = change('b@x')",
            "intend(ledger, c)",
            "ledger.answered([created(c)])",
        ),
        Ledger(tmp_path, "hubspot") as ledger,
    ):
        mine = [change("a@x"), change("b@x"), change("c@x"), note("n")]
        assert intend(ledger, *mine, seen=False) == mine[:2]
        assert intend(ledger, *mine[:2], seen=True) == mine[:1]
        assert intend(ledger, mine[0], operation="update") == []


def test_what_a_run_created_that_has_ended_since_this_one_began_is_not_created_as_well(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        with Ledger(tmp_path, "hubspot") as another:
            c = change("a@x")
            intend(another, c)
            another.answered([created(c)])
        mine = [change("a@x"), change("b@x")]
        assert intend(ledger, *mine, seen=False) == mine[:1]
        assert intend(ledger, mine[0], seen=True) == []


# Files that are not as they should be


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_kept_aside_in_one_clear_line_and_a_new_one_begun(tmp_path, content, caplog):
    path = tmp_path / "hubspot.ledger.sqlite3"
    path.write_bytes(content)
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
    [line] = caplog.messages
    [aside] = tmp_path.glob("*.corrupt-*")
    assert line.startswith("hubspot: the ledger was damaged (")
    assert str(aside) in line
    assert aside.read_bytes() == content


def test_damage_that_is_met_later_ends_the_run_and_the_next_one_begins_anew(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        for n in range(50):
            one = change(f"{n}@x")
            intend(ledger, one)
            ledger.answered([created(one)])
    content = bytearray(ledger.path.read_bytes())
    with contextlib.closing(sqlite3.connect(ledger.path)) as db:
        [(page,)] = db.execute("select rootpage from sqlite_master where name = 'records'")
        [(size,)] = db.execute("pragma page_size")
    content[(page - 1) * size : page * size] = b"\xff" * size
    ledger.path.write_bytes(content)
    with (
        Ledger(tmp_path, "hubspot") as ledger,
        pytest.raises(Storage, match=r"is damaged: .* The next run keeps it aside"),
    ):
        known(ledger, change("1@x"))
    with Ledger(tmp_path, "hubspot") as ledger:
        assert known(ledger, change("1@x")) is None
    assert len(list(tmp_path.glob("*.corrupt-*"))) == 1


def a_folder(path):
    path.mkdir()
    (path / "file").write_text("theirs")


def another_database(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("create table records (a)")


def a_database_of_a_version_of_ours(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("create table meta (a); pragma user_version = 2")


def a_table_without_a_column(path):
    with Ledger(path.parent, "hubspot"), contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("alter table records drop column content")


@pytest.mark.parametrize(
    "make", [a_folder, another_database, a_database_of_a_version_of_ours, a_table_without_a_column]
)
def test_what_is_no_ledger_is_kept_aside_as_well(tmp_path, make, caplog):
    make(tmp_path / "hubspot.ledger.sqlite3")
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
    [line] = caplog.messages
    [aside] = tmp_path.glob("*.corrupt-*")
    assert line.startswith("hubspot: the ledger was damaged (")
    assert aside.is_dir() == (make is a_folder)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert left_open(ledger)


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 31, b"x" * 32, b"x" * 64])
def test_a_key_that_is_damaged_or_another_is_refused_and_nothing_is_lost(tmp_path, content):
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
    key = tmp_path / "hubspot.ledger.key"
    right = key.read_bytes()
    key.write_bytes(content)
    for _ in range(2):
        with pytest.raises(Storage, match=r"hubspot\.ledger\.key is damaged, or that of another ledger"):
            Ledger(tmp_path, "hubspot")
    key.write_bytes(right)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert left_open(ledger)
    key.unlink()
    for _ in range(2):
        with Ledger(tmp_path, "hubspot") as ledger:
            assert left_open(ledger)


@pytest.mark.parametrize(
    "moment", ["antiphon.writeback.store.Store._refuse_other_key", "pathlib.Path.replace", "os.fsync"]
)
def test_who_is_killed_while_a_lost_key_is_made_anew_locks_nobody_out(tmp_path, monkeypatch, moment):
    def killed(*_args, **_more):
        raise SystemExit

    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
    key = tmp_path / "hubspot.ledger.key"
    key.unlink()
    with monkeypatch.context() as patched:
        patched.setattr(moment, killed)
        with pytest.raises(SystemExit):
            Ledger(tmp_path, "hubspot")
    for _ in range(2):
        with Ledger(tmp_path, "hubspot") as ledger:
            assert left_open(ledger)
    key.write_bytes(b"x" * 32)
    with pytest.raises(Storage, match="that of another ledger"):
        Ledger(tmp_path, "hubspot")


def test_a_key_that_no_ledger_was_begun_with_is_made_anew_if_it_is_not_whole(tmp_path):
    key = tmp_path / "hubspot.ledger.key"
    key.write_bytes(b"abc")
    with Ledger(tmp_path, "hubspot"):
        assert len(key.read_bytes()) == 32


def test_a_ledger_of_an_earlier_release_keeps_its_key(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        intend(ledger, change())
    with contextlib.closing(sqlite3.connect(ledger.path)) as db:
        db.execute("delete from notes where name = 'key'")
        db.commit()
    for _ in range(2):
        with Ledger(tmp_path, "hubspot") as ledger:
            assert left_open(ledger)


def test_a_ledger_of_a_later_version_is_refused(tmp_path):
    with Ledger(tmp_path, "hubspot") as ledger:
        path = ledger.path
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("pragma user_version = 99")
    with pytest.raises(Storage, match="a later version of antiphon"):
        Ledger(tmp_path, "hubspot")


JOURNAL = """
create table entries (id integer primary key, run text not null, stream text not null, position integer not null,
    resource text not null, operation text not null, identity blob not null, token text not null unique, remote_id text,
    matched_by text, matched_value text, sent_at text not null, job text, kind text, problem text);
create index entries_by_identity on entries (identity);
create index entries_by_match on entries (matched_value) where matched_by is not null;
pragma user_version = 1;
insert into entries (run, stream, position, resource, operation, identity, token, matched_by, matched_value, sent_at) values
    ('20260101T000000.000000', 'people', 1, 'contacts', 'create', x'00', 'open', 'email', '"a@x"', '2026-01-01T00:00:00Z');
insert into entries (run, stream, position, resource, operation, identity, token, matched_by, matched_value, sent_at, kind,
    remote_id) values ('20260101T000000.000000', 'people', 2, 'contacts', 'create', x'01', 'done', 'email', '"b@x"',
    '2026-01-01T00:00:00Z', 'created', '9');
"""


def test_the_journal_of_an_earlier_version_is_taken_over(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "hubspot.journal.sqlite3")) as db:
        db.executescript(JOURNAL)
    with contextlib.closing(sqlite3.connect(tmp_path / "hubspot.journal.sqlite3")) as db:
        plain = hashed_as_the_first_version_did(note("n"))
        db.execute(
            "insert into entries (run, stream, position, resource, operation, identity, token, sent_at, kind)"
            " values ('20260101T000000.000000', 'people', 3, 'contacts', 'create', ?, 'note', '2026', 'created')", [plain]
        )  # fmt: skip
        db.commit()
    with Ledger(tmp_path, "hubspot") as ledger:
        assert [(i.token, i.value) for i in left_open(ledger)] == [("open", "a@x")]
        assert known(ledger, change("b@x")).remote_id == "9"
        assert [o.kind for o in recall(ledger, note("n"))] == [Kind.CREATED]
        assert sorted(token for token, _ in entries(ledger)) == ["note", "open"]
    assert not (tmp_path / "hubspot.journal.sqlite3").exists()


SECOND = """
create table notes (name text primary key, value text not null);
create table runs (run integer primary key);
create table streams (id integer primary key, name text not null unique, resource text, fields text);
create table entries (token text primary key, run integer not null, stream text not null, position integer not null,
    resource text not null, operation text not null, identity blob not null, key blob, remote_id text, matched_by text,
    matched_value text, sent_at text not null, job text, kind text, problem text) without rowid;
create index entries_by_identity on entries (identity) where key is null;
create index entries_by_key on entries (key) where key is not null;
create table records (stream integer not null, key blob not null, content blob not null, remote_id text, kind text not null,
    ours integer not null, run integer not null, at integer not null, version integer, primary key (stream, key)) without rowid;
pragma user_version = 2;
insert into notes values ('account', '42');
insert into runs values (7);
insert into streams values (3, 'people', 'contacts', '["email"]');
"""


def second(folder, run=7):
    """Make a ledger of version 2, with all that a run of that number could leave in it; return the changes it had."""
    several = [
        change("open@x"),
        change("job@x"),
        note("open"),
        change("lost@x"),
        note("lost"),
        note("done"),
        change("there@x"),
    ]
    with Ledger(folder, "hubspot") as ledger:
        known_by = [(identity, key) for identity, key, _ in marks(ledger, *several)]
    ledger.path.unlink()
    ended = [(None, None), (None, "j1"), (None, None), ("unknown", None), ("unknown", None), ("created", None)]
    with contextlib.closing(sqlite3.connect(ledger.path)) as db:
        db.executescript(SECOND.replace("(7)", f"({run})"))
        for n, (c, (identity, key), (kind, job)) in enumerate(zip(several, known_by, ended, strict=False)):
            value = None if c.value is None else json.dumps(c.value)
            row = (
                c.token,
                run,
                "people",
                n,
                "contacts",
                "create",
                identity,
                key,
                None,
                c.by,
                value,
                "2026",
                job,
                kind,
                None,
            )
            db.execute(f"insert into entries values ({','.join('?' * 15)})", row)
        identity, key = known_by[-1]
        db.execute("insert into records values (3, ?, ?, '9', 'created', 1, 7, 1, 5)", (key, identity))
        db.commit()
    return several


def test_the_ledger_of_the_version_before_is_taken_over(tmp_path):
    a, b, c, d, e, _, g = second(tmp_path)
    with Ledger(tmp_path, "hubspot") as ledger:
        ledger.claim("42", "hubspot")
        assert [(one.job, list(one.intents)) for one in ledger.open_intents()] == [
            (None, [a.token, c.token]), ("j1", [b.token])
        ]  # fmt: skip
        assert ledger.open_intents()[0].intents[a.token].change() == Change({}, None, "email", "open@x", a.token)
        assert ledger.unknown([key for _, key, _ in marks(ledger, d, g)]) == {marks(ledger, d)[0][1]}
        told = recall(ledger, note("lost"), note("done"), note("open"))
        assert [(o.kind, o.operation) for o in told] == [(Kind.UNKNOWN, "create"), (Kind.CREATED, "create")]
        assert known(ledger, g)[1:] == ("9", "created", True, 1, 5)
        assert inspection.unknowns(ledger)[0]["stream"] == "people"
        ledger.not_sent([a, b, c])
        ledger.found(marks(ledger, d)[0][1])
        inspection.strike(ledger, "people", (), unknown=True)
        assert e.token not in dict(entries(ledger))
    with Ledger(tmp_path, "hubspot") as ledger:
        assert ledger.open_intents() == []


EARLIER = """
drop table intents;
drop table progress;
create table intents (id integer primary key, run integer not null, stream integer not null, resource text not null,
    operation text not null, sent_at text not null, job text, changes blob not null, stage integer not null);
"""


def as_in(db, version):
    """Bring what is under way in a ledger into the form of version 3 to 5, where nothing is."""
    db.executescript(f"{EARLIER}pragma user_version = {version}")
    if version == 3:
        db.execute("alter table intents drop column stage")


def test_what_waits_in_a_ledger_of_version_4_is_sorted_in(tmp_path):
    """There each record that was heard of was packed with all that is known of it."""
    one = change()
    with Ledger(tmp_path, "hubspot") as ledger:
        number = ledger.records.stream("people")
        [(identity, key, _)] = marks(ledger, one)
        made = (number, key, b"made", "5", "created", 1, 1, 2, None)
        done = (number, key, identity, "5", "updated", 0, 1, 3, 9)
    with contextlib.closing(sqlite3.connect(ledger.path)) as db, db:
        for rows in ([made], [done]):
            db.execute("insert into answers (rows) values (?)", (msgspec.msgpack.encode(rows),))
        as_in(db, 4)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert known(ledger, one) == (identity, "5", "updated", True, 3, 9)
        assert ledger.store.rows("select count(*) from answers") == [(0,)]


def test_what_waits_in_a_ledger_of_version_5_is_sorted_in(tmp_path):
    """There each record had the time at which it was heard of."""
    one = change()
    with Ledger(tmp_path, "hubspot") as ledger:
        number = ledger.records.stream("people")
        [(identity, key, _)] = marks(ledger, one)
    heard = [
        (number, "created", 1, 1, None, [(key, b"made", "5", 2)]),
        (number, "updated", 0, 1, 9, [(key, identity, "5", 3)]),
    ]
    with contextlib.closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute("insert into answers (rows) values (?)", (msgspec.msgpack.encode(heard),))
        as_in(db, 5)
    with Ledger(tmp_path, "hubspot") as ledger:
        assert known(ledger, one) == (identity, "5", "updated", True, 3, 9)


@pytest.mark.parametrize("version", [3, 4])
def test_what_a_mirror_took_away_before_the_ledger_was_brought_up_is_its_own_when_it_is_back(tmp_path, version):
    one = change()
    with Ledger(tmp_path, "hubspot") as ledger:
        [(identity, key, _)] = marks(ledger, one)
        gone = (ledger.records.stream("people"), key, identity, "5", "deleted", 1, 1, 2, None)
    with contextlib.closing(sqlite3.connect(ledger.path)) as db, db:
        db.execute("insert into records values (?, ?, ?, ?, ?, ?, ?, ?, ?)", gone)
        as_in(db, version)
    with Ledger(tmp_path, "hubspot") as ledger:
        ledger.records.back("people", ["5"])
        assert known(ledger, one) == (b"", "5", "updated", True, 2, None)


def test_the_ledger_of_the_version_before_is_left_to_a_run_that_uses_it(tmp_path):
    run = 1795000000000
    second(tmp_path, run)
    (tmp_path / "hubspot.ledger.runs").mkdir(exist_ok=True)
    with (
        filelock.FileLock(tmp_path / "hubspot.ledger.runs" / f"{run}.lock"),
        pytest.raises(Busy, match="earlier version"),
    ):
        Ledger(tmp_path, "hubspot")
    with Ledger(tmp_path, "hubspot") as ledger:
        assert len(left_open(ledger)) == 3


def hashed_as_the_first_version_did(c):
    whole = json.dumps(["contacts", c.by, c.value, c.record, False], separators=(",", ":")).encode()
    return hashlib.blake2b(whole, digest_size=16).digest()


def test_an_sqlite_that_cannot_do_what_is_needed_is_told_and_no_ledger_is_taken_for_damaged(tmp_path, monkeypatch):
    second(tmp_path)
    monkeypatch.setattr("antiphon.writeback.store.NEEDED", "select 1 from json_each_that_it_lacks('[]')")
    said = r"SQLite [\d.]+, which this Python has, cannot do what the ledger needs \(no such table: json_each_that_it_lacks\)"
    with pytest.raises(Storage, match=said):
        Ledger(tmp_path, "hubspot")
    monkeypatch.undo()
    with Ledger(tmp_path, "hubspot") as ledger:
        assert len(left_open(ledger)) == 3


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Storage, match=r"the ledger .*/file/hubspot\.ledger\.sqlite3 cannot be used: File exists"):
        Ledger(tmp_path / "file", "hubspot")


def test_a_full_disk_is_one_clear_line_and_the_entries_before_it_stand(tmp_path):
    code = """
        import pathlib, resource, sys
        from antiphon.errors import Storage
        from antiphon.outcome import Change
        from antiphon.writeback.ledger import Ledger
        ledger = Ledger(pathlib.Path(sys.argv[1]), "hubspot")
        ledger.intend("s", "r", "create", [Change({})], [(b"first", None, 1)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            for n in range(200):
                ledger.intend("s", "r", "create", [Change({}, value="x" * 9000)], [(b"k", None, n)])
        except Storage as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith(f"the ledger {tmp_path}/hubspot.ledger.sqlite3 cannot be used: ")
    assert "Nothing more was sent, and the state was not moved." in done.stdout
    assert done.stdout.count("\n") == 1
    with Ledger(tmp_path, "hubspot") as ledger:
        assert 1 <= len(left_open(ledger)) < 200


def test_a_ledger_without_its_key_says_what_that_means(tmp_path, caplog):
    for _ in range(2):
        Ledger(tmp_path, "hubspot").close()
    assert not caplog.records
    (tmp_path / "hubspot.ledger.key").unlink()
    for _ in range(2):
        Ledger(tmp_path, "hubspot").close()
    [said] = [one.getMessage() for one in caplog.records]
    assert said.startswith(
        f"hubspot: the ledger {tmp_path / 'hubspot.ledger.sqlite3'} is without its key (hubspot.ledger.key)"
    )
