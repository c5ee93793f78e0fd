"""What a connection remembers of its writes."""

from __future__ import annotations

import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from antiphon.errors import Busy, Storage
from antiphon.outcome import Change, Kind, Outcome, Problem
from antiphon.writeback.journal import Journal, identity


def change(email="a@example.com", **fields):
    return Change({"email": email, **fields}, by="email", value=email)


def note(text):
    return Change({"hs_note_body": text})


def intend(journal, *changes, operation="create", stream="people", first=1, resource="contacts"):
    keys = [(key(c, resource), position) for position, c in enumerate(changes, first)]
    journal.intend(stream, resource, operation, changes, keys)


def key(c, resource="contacts"):
    return identity(resource, c.record, c.by, c.value)


def recall(journal, *changes, stream="people", first=1):
    return journal.recall(stream, [(c, key(c), position) for position, c in enumerate(changes, first)])


def created(c, id="1"):
    return Outcome(c, Kind.CREATED, id)


def rows(journal):
    return journal._db.execute("select token, kind from entries order by id").fetchall()


def test_it_is_a_file_for_its_owner_alone(tmp_path):
    with Journal(tmp_path / "new" / "folder", "my crm/2") as journal:
        assert journal.path == tmp_path / "new" / "folder" / "my_crm_2.journal.sqlite3"
        intend(journal, change())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in journal.path.parent.iterdir()}
    assert len(modes) == 4  # the file, its lock, and what SQLite keeps beside it
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_two_runs_at_once_are_refused_in_one_line(tmp_path):
    with Journal(tmp_path, "hubspot"):
        with pytest.raises(Busy) as error:
            Journal(tmp_path, "hubspot")
        Journal(tmp_path, "other").close()
    assert str(error.value) == (
        f"hubspot: another run is writing through this connection ({tmp_path}/hubspot.journal.sqlite3). "
        "Wait until it ends, or give this one a connection or state_dir of its own."
    )
    Journal(tmp_path, "hubspot").close()


def test_the_lock_of_a_killed_run_is_free(tmp_path):
    code = """
        import os, pathlib, signal, sys
        from antiphon.writeback.journal import Journal
        Journal(pathlib.Path(sys.argv[1]), "hubspot")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    Journal(tmp_path, "hubspot").close()


def test_what_was_under_way_is_open_until_it_is_answered(tmp_path):
    one, two, three = change("a@x"), change("b@x"), note("c")
    with Journal(tmp_path, "hubspot") as journal:
        intend(journal, one, two, three)
        journal.answered([created(one)])
        assert journal.open_intents() == []  # this run's own are not left behind
    with Journal(tmp_path, "hubspot") as journal:
        left = journal.open_intents()
        assert [(i.token, i.resource, i.operation, i.by, i.value) for i in left] == [
            (two.token, "contacts", "create", "email", "b@x"),
            (three.token, "contacts", "create", None, None),
        ]
        assert left[0].change().token == two.token
        journal.not_sent([two])
        journal.answered([Outcome(three, Kind.UNKNOWN, problem=Problem("lost"))])
        assert journal.open_intents() == []


def test_a_later_run_recalls_what_was_done_and_what_is_unknown_but_no_rejects(tmp_path):
    done, unknown, refused = note("a"), note("b"), note("c")
    with Journal(tmp_path, "hubspot") as journal:
        intend(journal, done, unknown, refused)
        lost = Problem("lost", 500, "X")
        journal.answered(
            [
                created(done, "9"),
                Outcome(unknown, Kind.UNKNOWN, problem=lost),
                Outcome(refused, Kind.REJECTED, problem=lost),
            ]
        )
        assert recall(journal, note("a")) == []  # its own run sends what the source has twice
    with Journal(tmp_path, "hubspot") as journal:
        assert journal.earlier()
        again = [note("a"), note("b"), note("c"), note("d")]
        told = recall(journal, *again)
        assert [(o.change, o.kind, o.id, o.problem, o.attempts, o.operation) for o in told] == [
            (again[0], Kind.CREATED, "9", None, 0, "create"),
            (again[1], Kind.UNKNOWN, None, lost, 0, "create"),
        ]
        assert recall(journal, note("a")) == []


def test_a_record_that_the_source_has_twice_has_two_entries(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        twins = [note("same"), note("same")]
        intend(journal, *twins)
        journal.answered([created(twins[0], "1"), created(twins[1], "2")])
    with Journal(tmp_path, "hubspot") as journal:
        assert [o.id for o in recall(journal, note("same"), note("same"), note("same"))] == ["1", "2"]


def test_another_stream_recalls_nothing_of_it(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        done = note("a")
        intend(journal, done)
        journal.answered([created(done)])
    with Journal(tmp_path, "hubspot") as journal:
        assert recall(journal, note("a"), stream="others") == []


def test_what_is_recalled_can_be_recalled_again_after_another_crash(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        done = note("a")
        intend(journal, done)
        journal.answered([created(done)])
    for _ in range(2):
        with Journal(tmp_path, "hubspot") as journal:
            assert len(recall(journal, note("a"))) == 1


def test_of_several_writes_to_one_key_only_the_last_is_recalled(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        for position, city in enumerate(("Ulm", "Jena"), 1):
            moved = change(city=city)
            intend(journal, moved, first=position)
            journal.answered([created(moved)])
    with Journal(tmp_path, "hubspot") as journal:
        assert recall(journal, change(city="Ulm")) == []
        assert len(recall(journal, change(city="Jena"))) == 1


def test_what_is_written_now_overtakes_what_an_earlier_run_wrote_to_the_key(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        old = change(city="Jena")
        intend(journal, old)
        journal.answered([created(old)])
    with Journal(tmp_path, "hubspot") as journal:
        new = change(city="Ulm")
        intend(journal, new)
        journal.answered([created(new)])
        journal.forget("people", 1)
        assert recall(journal, change(city="Jena")) == []


def test_creations_of_earlier_runs_are_known_by_what_they_are_matched_by(tmp_path):
    done, unknown, updated = change("a@x"), change("b@x"), change("c@x")
    with Journal(tmp_path, "hubspot") as journal:
        intend(journal, done, unknown)
        intend(journal, updated, operation="update")
        journal.answered([created(done, "9"), Outcome(unknown, Kind.UNKNOWN), Outcome(updated, Kind.UPDATED, "3")])
        assert journal.created("contacts") == []
    with Journal(tmp_path, "hubspot") as journal:
        assert journal.created("contacts") == [("email", "a@x", "9"), ("email", "b@x", None)]
        assert journal.created("companies") == []
        journal.found("contacts", "email", "b@x")
        assert journal.created("contacts") == [("email", "a@x", "9")]


def test_a_creation_that_can_be_looked_up_is_not_recalled_as_unknown(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        lost = change()
        intend(journal, lost)
        journal.answered([Outcome(lost, Kind.UNKNOWN)])
    with Journal(tmp_path, "hubspot") as journal:
        assert recall(journal, change()) == []


def test_a_state_lets_it_forget_what_it_covers(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        several = [change(f"{n}@x") for n in range(4)]
        intend(journal, *several)
        journal.answered([created(several[0]), created(several[1]), Outcome(several[2], Kind.UNKNOWN)])
        journal.forget("others", 9)
        journal.forget("people", 1)
        assert rows(journal) == [(several[1].token, "created"), (several[2].token, "unknown"), (several[3].token, None)]
        journal.forget("people", 9)
        assert rows(journal) == [(several[2].token, "unknown"), (several[3].token, None)]


def test_a_state_does_not_cover_what_an_earlier_run_wrote_and_this_one_has_not_met(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        done = [note("a"), note("b")]
        intend(journal, *done)
        journal.answered([created(c) for c in done])
    with Journal(tmp_path, "hubspot") as journal:
        assert len(recall(journal, note("a"), first=9)) == 1
        journal.forget("people", 9)
        assert rows(journal) == [(done[1].token, "created")]
        journal.forget_all(["others"])
        assert rows(journal) == [(done[1].token, "created")]
        journal.forget_all(["others", "people"])
        assert rows(journal) == []
        assert not journal.earlier()


def test_what_is_sent_again_under_its_token_has_one_entry(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        lost = change()
        intend(journal, lost)
        journal.answered([Outcome(lost, Kind.UNKNOWN)])
        intend(journal, lost)
        assert rows(journal) == [(lost.token, None)]


def test_tokens_of_what_was_not_answered_are_found_again_once_each(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        twins = [note("same"), note("same")]
        intend(journal, *twins)
    with Journal(tmp_path, "hubspot") as journal:
        again = [note("same"), note("same"), note("same"), note("other")]
        asked = [(c, key(c), n) for n, c in enumerate(again)]
        found = journal.tokens("people", asked, "2000-01-01T00:00:00Z")
        assert found == {again[0].token: twins[0].token, again[1].token: twins[1].token}
        assert journal.tokens("people", asked, "2999-01-01T00:00:00Z") == {}


def test_values_of_every_kind_are_kept(tmp_path):
    several = [Change({"n": 1}, by="n", value=value) for value in (5, 1.5, "é\n'", True)]
    with Journal(tmp_path, "hubspot") as journal:
        intend(journal, *several)
    with Journal(tmp_path, "hubspot") as journal:
        assert [intent.value for intent in journal.open_intents()] == [5, 1.5, "é\n'", True]


def test_a_failed_transaction_leaves_nothing_half_written(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        one, two = change("a@x"), change("b@x")
        with pytest.raises(ValueError):
            journal.intend("people", "contacts", "create", [one, two], [(b"k", 1)])
        assert rows(journal) == []
        intend(journal, one)
        assert len(rows(journal)) == 1


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_corrupt_file_is_one_clear_line(tmp_path, content):
    path = tmp_path / "hubspot.journal.sqlite3"
    path.write_bytes(content)
    with pytest.raises(Storage) as error:
        Journal(tmp_path, "hubspot")
    assert str(error.value).startswith(f"the journal {path} is damaged: ")
    assert "move the file away" in str(error.value)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content
    path.unlink()
    Journal(tmp_path, "hubspot").close()  # the lock was given back


def test_a_journal_of_a_later_version_is_refused(tmp_path):
    with Journal(tmp_path, "hubspot") as journal:
        path = journal.path
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(Storage, match="a later version of antiphon"):
        Journal(tmp_path, "hubspot")


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Storage, match=r"the journal .*/file/hubspot\.journal\.sqlite3 cannot be used: File exists"):
        Journal(tmp_path / "file", "hubspot")


def test_a_full_disk_is_one_clear_line_and_the_entries_before_it_stand(tmp_path):
    code = """
        import pathlib, resource, sys
        from antiphon.errors import Storage
        from antiphon.outcome import Change
        from antiphon.writeback.journal import Journal
        journal = Journal(pathlib.Path(sys.argv[1]), "hubspot")
        journal.intend("s", "r", "create", [Change({})], [(b"first", 1)])
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            for n in range(200):
                journal.intend("s", "r", "create", [Change({}, value="x" * 9000)], [(b"k", n)])
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
    assert done.stdout.startswith(f"the journal {tmp_path}/hubspot.journal.sqlite3 cannot be used: ")
    assert "Nothing more was sent, and the state was not moved." in done.stdout
    assert done.stdout.count("\n") == 1
    with Journal(tmp_path, "hubspot") as journal:
        assert 1 <= len(journal.open_intents()) < 200
