"""What is kept of records, and whose ledger it is; and what ends a stream."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sqlite3
import sys
import time

import pytest
import requests_mock as mocking

from antiphon import apis
from antiphon.client import Client
from antiphon.errors import InputError, NotFound, SettingError
from antiphon.outcome import Change, Kind
from antiphon.singer.rejects import expire

from .pipes import crm as an_account
from .pipes import read, record, schema, state, until

with contextlib.suppress(ImportError):
    import fcntl

PEOPLE = schema("contacts", "email", "firstname", keys=["email"])


@pytest.fixture
def crm(tmp_path):
    with an_account(tmp_path, stall_seconds=0.01) as made:
        yield made


@pytest.mark.parametrize(
    ("payload", "kept", "words"),
    [("full", {"email": "bad", "firstname": "Ada"}, True), ("keys", {"email": "bad"}, False), ("none", {}, False)],
)
def test_a_reject_keeps_what_it_may(crm, payload, kept, words):
    crm.pipe(PEOPLE, record("contacts", email="bad", firstname="Ada"), payload=payload)
    [_, reject] = crm.kept()
    assert reject["record"] == kept
    assert (reject["error"]["code"], bool(reject["error"]["message"])) == ("VALIDATION_ERROR", words)
    [receipt] = crm.receipted()
    assert (receipt["key"], bool(receipt["error"])) == (None if payload == "none" else "bad", words)


@pytest.mark.parametrize("payload", ["keys", "none"])
def test_what_is_kept_without_its_content_is_not_written_when_it_comes_again(crm, payload):
    ran = crm.pipe(PEOPLE, record("contacts", email="bad", firstname="Ada"), payload=payload)
    assert ran.last == (
        f"target-hubspot: 1 rejected, listed in {crm.rejects} without what is in them (payload: {payload}):"
        " mend them in their source"
    )
    lines = crm.rejects.read_bytes().replace(b"bad", b"good@example.com").splitlines()
    with pytest.raises(InputError, match="comes from rejects without what was in them"):
        crm.pipe(*lines)
    assert crm.shown() == []


@pytest.mark.parametrize("payload", ["full", "none"])
def test_the_ledger_keeps_the_key_of_what_is_unknown_if_it_may(tmp_path, payload):
    with an_account(tmp_path, stall_seconds=0.01, index_lag=600) as crm:
        crm.app.fail_next(1, "commit-timeout", "batch/create")
        assert (
            crm.pipe(schema("companies", "domain"), record("companies", domain="a.example"), payload=payload).code == 1
        )
        assert (b"a.example" in crm.ledger().read_bytes()) == (payload == "full")
        again = crm.pipe(schema("companies", "domain"), record("companies", domain="a.example"), payload=payload)
        assert (again.code, len(crm.shown("companies"))) == (1, 1)  # known to be unknown all the same


@pytest.mark.parametrize("payload", ["full", "none"])
def test_each_record_that_an_earlier_run_sent_without_an_answer_has_a_line(crm, caplog, payload):
    notes = schema("notes", "hs_note_body", "hs_timestamp")
    rows = [record("notes", hs_note_body=f"N{n}", hs_timestamp="2026-01-01T00:00:00Z") for n in range(2)]
    crm.app.fail_next(1, "commit-timeout", "notes/batch/create")
    for again in (False, True):
        caplog.clear()
        assert crm.pipe(notes, *rows, payload=payload, streams={"notes": {"mode": "create"}}).code == 1
        lines = [one.getMessage() for one in caplog.records if " unknown: " in one.getMessage()]
        assert [line.partition(" unknown: ")[0] for line in lines] == ["notes: record 1", "notes: record 2"], again
    assert len(crm.shown("notes", "hs_note_body")) == 2


@pytest.mark.parametrize("before", ["full", "none"])
def test_what_was_sent_is_not_told_as_refused_before_it_was(crm, caplog, before):
    one = [schema("notes", "hs_note_body", "hs_timestamp")]
    one.append(record("notes", hs_note_body="Ada", hs_timestamp="2026-01-01T00:00:00Z"))
    crm.app.fail_next(1, "commit-timeout", "notes/batch/create")
    crm.pipe(*one, payload=before, streams={"notes": {"mode": "create"}})
    crm.pipe(*one, payload="none", streams={"notes": {"mode": "create"}})
    said = [line for line in caplog.messages if line.endswith("(payload: none keeps back the words)")]
    assert len(said) == (1 if before == "full" else 2)
    assert not [line for line in said if "before it was sent" in line]


def test_a_mirror_is_refused_where_it_may_not_keep_what_it_takes_away(crm):
    with pytest.raises(SettingError, match="contacts: a mirror keeps what it takes away, which payload: keys forbids"):
        crm.pipe(PEOPLE, streams={"contacts": {"mode": "mirror"}}, payload="keys")


def test_what_is_older_than_its_days_is_deleted(crm):
    crm.pipe(PEOPLE, record("contacts", email="bad"), rejects=None)
    [path] = (crm.folder / "state" / "rejects").iterdir()
    crm.pipe(PEOPLE, retention_days=1)
    assert path.exists()
    os.utime(path, (time.time() - 2 * 86400,) * 2)
    crm.pipe(PEOPLE, retention_days=1)
    assert not path.exists()


def test_a_damaged_ledger_that_was_kept_aside_goes_as_well(crm):
    crm.pipe(PEOPLE, record("contacts", email="a@example.com"))
    crm.ledger().write_bytes(b"no ledger" * 500)
    crm.pipe(PEOPLE, record("contacts", email="a@example.com"))
    [aside] = (crm.folder / "state").glob("*.corrupt-*")
    crm.pipe(PEOPLE, retention_days=1)
    assert aside.exists()
    os.utime(aside, (time.time() - 2 * 86400,) * 2)
    crm.pipe(PEOPLE, retention_days=1)
    assert not aside.exists()


LOCKS = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks, and no pipes in folders")


@LOCKS
@pytest.mark.parametrize("rights", [0o600, 0o400])
@pytest.mark.parametrize("code", [errno.EBADF, errno.ENOLCK, errno.ENOTSUP])
def test_what_is_old_is_deleted_where_there_are_no_locks_too(tmp_path, monkeypatch, code, rights):
    def refused(*_):
        raise OSError(code, os.strerror(code))

    path = tmp_path / "old.jsonl"
    path.touch(rights)
    monkeypatch.setattr("fcntl.flock", refused)
    expire(tmp_path.iterdir(), -1, ())
    assert not path.exists()


@LOCKS
def test_what_is_old_is_locked_for_writing_alone_which_network_file_systems_ask_for(tmp_path, monkeypatch):
    modes = []
    monkeypatch.setattr("fcntl.flock", lambda fd, _: modes.append(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE))
    (tmp_path / "old.jsonl").touch()
    expire(tmp_path.iterdir(), -1, ())
    assert modes == [os.O_RDWR]


@LOCKS
@pytest.mark.timeout(20)
def test_what_is_no_file_is_let_be_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "old.jsonl").touch()
    expire(tmp_path.iterdir(), -1, ())
    assert {path.name for path in tmp_path.iterdir()} == {"pipe.jsonl", "folder.jsonl"}


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no open file of itself")
def test_what_a_run_that_is_alive_has_open_is_not_deleted(crm):
    running = crm.started(rejects=None, retention_days=0, batch_size_rows=1)
    folder = crm.folder / "state" / "rejects"
    running.give(PEOPLE, record("contacts", email="bad 1"))
    until(lambda: list(folder.glob("*")))
    crm.pipe(PEOPLE, rejects=None, retention_days=0)
    running.give(record("contacts", email="bad 2"), close=True)
    assert running.ended().code == 1
    [path] = folder.iterdir()
    assert [one["record"]["email"] for one in read(path)[1:]] == ["bad 1", "bad 2"]
    crm.pipe(PEOPLE, rejects=None, retention_days=0)
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="it deletes no open file of itself")
def test_what_is_read_from_is_not_deleted(crm):
    crm.pipe(PEOPLE, record("contacts", email="bad"), rejects=None)
    [path] = (crm.folder / "state" / "rejects").iterdir()
    with path.open("rb") as source:
        crm.pipe(source=source, retention_days=0)
    assert path.exists()


def test_a_file_that_is_named_is_not_deleted_in_the_state_folder_either(crm):
    mine = crm.folder / "state" / "rejects" / "mine.jsonl"
    crm.pipe(PEOPLE, record("contacts", email="bad"), rejects=str(mine))
    crm.pipe(PEOPLE, rejects=str(mine), retention_days=0)
    assert mine.exists()


def aged(crm, days):
    """Let the ledger be so many days older."""
    with contextlib.closing(sqlite3.connect(crm.ledger())) as db:
        db.execute("update records set at = at - ?", (days * 86400,))
        db.execute("update entries set sent_at = datetime(sent_at, ?) || 'Z'", (f"-{days} days",))
        db.commit()


def known(crm):
    with contextlib.closing(sqlite3.connect(crm.ledger())) as db:
        return int(db.execute("select count(*) from records").fetchone()[0])


def test_what_comes_again_is_still_known_after_its_days_and_what_does_not_is_forgotten(crm):
    people = [record("contacts", email=f"{name}@example.com") for name in "ab"]
    crm.pipe(PEOPLE, *people)
    aged(crm, 2)
    crm.app.reset_calls()
    assert crm.pipe(PEOPLE, people[0], retention_days=1).last == "target-hubspot: contacts: 1 unchanged"
    assert (crm.app.count("batch/read"), known(crm)) == (0, 1)
    crm.pipe(PEOPLE, people[0], retention_days=1)
    assert known(crm) == 1
    crm.pipe(PEOPLE, people[0], retention_days=0)
    assert known(crm) == 0


def test_what_is_unknown_stays_so_after_its_days_and_its_key_does_not(tmp_path):
    with an_account(tmp_path, stall_seconds=0.01, index_lag=600) as crm:
        crm.app.fail_next(1, "commit-timeout", "batch/create")
        firm = schema("companies", "domain"), record("companies", domain="a.example")
        assert crm.pipe(*firm).code == 1
        aged(crm, 2)
        for _ in range(2):
            assert crm.pipe(*firm, retention_days=1).code == 1
            assert len(crm.shown("companies")) == 1
        with contextlib.closing(sqlite3.connect(crm.ledger())) as db:
            assert db.execute("select kind, matched_value, problem from entries").fetchall() == [
                ("unknown", None, None)
            ]


def test_a_file_of_rejects_of_one_s_own_is_left_alone(crm):
    crm.pipe(PEOPLE, record("contacts", email="bad"))
    os.utime(crm.rejects, (time.time() - 9 * 86400,) * 2)
    crm.pipe(PEOPLE, retention_days=1)
    assert crm.rejects.exists()


def test_the_ledger_of_another_account_is_refused(crm):
    crm.pipe(PEOPLE, record("contacts", email="a@example.com"))
    crm.app.portal.id += 1
    with pytest.raises(
        SettingError, match=r"hubspot: the ledger .* is of the account \d+, and this is \d+. Nothing was sent."
    ):
        crm.pipe(PEOPLE, record("contacts", email="b@example.com"))
    assert crm.emails() == {"a@example.com": 1}


def forbidden(crm):
    mocked = mocking.Mocker(real_http=True)
    said = {"message": "This app hasn't been granted all required scopes", "category": "MISSING_SCOPES"}
    mocked.post(mocking.ANY, real_http=True)
    mocked.post(f"{crm.server.url}/crm/objects/2026-03/contacts/batch/create", status_code=403, json=said)
    return mocked


def test_a_credential_that_may_not_write_ends_the_stream_in_one_line_and_the_others_go_on(crm):
    companies = schema("companies", "domain")
    people = [record("contacts", email=f"p{n}@example.com") for n in range(500)]
    with forbidden(crm) as mocked:
        ran = crm.pipe(PEOPLE, companies, *people, record("companies", domain="a.example"), state({"a": 1}), parallel=1)
        assert sum("contacts/batch/create" in call.url for call in mocked.request_history) == 1
    assert (ran.code, ran.states, len(crm.shown("companies"))) == (1, [{"a": 1}], 1)
    assert sum("required scopes" in line for line in ran.err.splitlines()) == 1
    assert len(crm.kept()) == 501
    assert crm.pipe(*crm.kept(), rejects=str(crm.folder / "again.jsonl")).code == 0
    assert len(crm.emails()) == 500


def test_a_deletion_is_not_believed_at_an_address_where_nothing_ever_was(requests_mock):
    client = Client(
        apis.load("pretix"), {"api_token": "pretix-token", "organizer": "o", "base_url": "https://pretix.example"}
    )
    gone = requests_mock.delete(re.compile("/events/a/"), status_code=404, text="no such page")
    requests_mock.get(re.compile("/events/"), status_code=404, text="no such page")
    events, deletion = client.resource("events"), Change({}, "a")
    with pytest.raises(NotFound, match="pretix: checking the connection -> 404"):
        list(client.write(events, "delete", [deletion]))
    assert gone.call_count == 1
    requests_mock.get(re.compile("/events/"), json={"results": []})
    [outcome] = client.write(events, "delete", [deletion])
    assert outcome.kind is Kind.DELETED
