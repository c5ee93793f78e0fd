"""Salesforce: records written by Bulk jobs, and runs that end while a job is at work."""

from __future__ import annotations

from collections import Counter

import pytest
from salesforce_account import account, org, tapped

from antiphon.errors import ApiError, Refused, Unauthorized
from antiphon.outcome import Change, Kind
from antiphon.writeback.ledger import Ledger

COUNT = 350
ABOVE = 300
WHOLE = Counter(f"X-{n:05}" for n in range(COUNT))


@pytest.fixture
def there(tmp_path):
    with org(tmp_path) as made:
        yield made


def many(**more):
    return [account(n, **more) for n in range(COUNT)]


def kinds(outcomes):
    return Counter(outcome.kind.value for outcome in outcomes)


def test_a_job_upserts_creates_updates_and_deletes(there):
    for n in range(0, COUNT, 2):
        there.app.add("Account", {**account(n), "Phone": "1"})
    assert kinds(there.write("Account", many(), bulk_above=ABOVE)) == {"updated": COUNT // 2, "created": COUNT // 2}
    by_id = [{"Id": row["Id"], "Name": "Renamed"} for row in there.app.records("Account")]
    assert kinds(there.write("Account", by_id, bulk_above=ABOVE, match=("Id",))) == {"updated": COUNT}
    assert {row["Name"] for row in there.app.records("Account")} == {"Renamed"}
    assert kinds(there.write("Account", many(), bulk_above=ABOVE, mode="delete")) == {"deleted": COUNT}
    assert there.app.size("Account") == 0
    assert kinds(there.write("Account", many(), bulk_above=ABOVE, mode="create")) == {"created": COUNT}
    assert [job.operation for job in there.jobs()] == ["upsert", "update", "delete", "insert"]
    assert there.externals() == WHOLE


def test_as_many_as_bulk_above_take_no_job(there):
    there.write("Account", many()[:ABOVE], bulk_above=ABOVE)
    assert there.jobs() == []


def test_records_matched_by_different_fields_take_no_job_together(there):
    records = [{"Name": f"N{n}", "Phone": "1"} if n % 2 else account(n) for n in range(COUNT)]
    outcomes = there.write("Account", records, bulk_above=100, mode="create", match=("Ext_Id__c", "Name"))
    assert kinds(outcomes) == {"created": COUNT}
    assert there.app.size("Account") == COUNT


def test_texts_of_all_kinds_survive_the_table(there):
    texts = ["a,b", 'say "so"', "two\nlines", "back\rward", "in  between", "#", "山田 ✓", "=1+1", "\\N", "semi;colon"]
    there.write("Account", [account(n, Description=text) for n, text in enumerate(texts)], bulk_above=1)
    assert [row["Description"] for row in there.app.records("Account")] == texts


def test_a_column_that_the_org_does_not_know_rejects_every_row_with_the_jobs_words(there):
    people = [{"Ext_Id__c": f"C-{n}", "LastName": "Ada", "Account.Nope__c": "x"} for n in range(5)]
    outcomes = there.write("Contact", people, bulk_above=1)
    assert kinds(outcomes) == {"rejected": 5}
    assert "InvalidBatch : Field name not found : Account.Nope__c" in outcomes[0].problem.message
    assert len(there.jobs()) == 1


@pytest.mark.parametrize("state", ["Failed", "Aborted"])
def test_of_a_job_that_ends_midway_the_rest_is_rejected_and_can_be_sent_again(there, state):
    there.app.fail_next_job(100, state=state)
    ran = there.target(tapped(COUNT), bulk_above=ABOVE)
    assert ran.code == 1
    assert "100 created, 250 rejected" in ran.err
    assert f"the job ended as {state}" in there.kept()[1]["error"]["message"]
    kept = there.kept()
    there.rejects.unlink()
    assert there.target(kept, bulk_above=ABOVE).code == 0
    assert there.externals() == WHOLE
    assert Counter(job.processed for job in there.jobs()) in (Counter([100, 250]), Counter([100]))


def test_a_job_that_is_refused_is_done_without(there):
    there.app.fail_next(1, "conflict", "jobs/ingest")
    assert kinds(there.write("Account", many(), bulk_above=ABOVE)) == {"created": COUNT}
    assert there.externals() == WHOLE


def test_too_much_for_one_upload_says_what_to_lower(there, monkeypatch):
    monkeypatch.setattr("antiphon.apis.salesforce.bulk._MOST_BYTES", 1 << 10)
    with pytest.raises(ApiError, match=r"are too many for one job. Lower batch_size_rows."):
        there.write("Account", many(), bulk_above=ABOVE)
    monkeypatch.undo()
    assert kinds(there.write("Account", many(), bulk_above=ABOVE)) == {"created": COUNT}
    assert [job.state for job in there.jobs()] == ["Aborted", "JobComplete"]


def test_erasing_is_past_the_recycle_bin_for_those_who_may(there):
    ids = [there.app.add("Account", account(n)) for n in range(2)]
    there.connect().erase("account", ids[0])
    assert there.app.records("Account", deleted=True) == []
    assert there.ids() == [ids[1]]
    there.app.settings.hard_delete = False
    with pytest.raises(Refused, match="hardDelete operation requires special user profile permission"):
        there.connect().erase("account", ids[1])


def test_an_answer_that_is_lost_at_any_step_repeats_nothing(tmp_path):
    for n, (method, route) in enumerate(STEPS):
        (tmp_path / str(n)).mkdir()
        with org(tmp_path / str(n)) as there:
            there.on(step(method, route), lambda: None, done=False)
            there.app.fail_next(1, "cut", route)
            assert kinds(there.write("Account", many(), bulk_above=ABOVE)) == {"created": COUNT}
            assert sum(job.processed for job in there.jobs()) == COUNT
            assert there.externals() == WHOLE


# Runs that end

STEPS = [
    ("POST", "ingest"),
    ("PUT", "batches"),
    ("PATCH", "{id}"),
    ("GET", "{id}"),
    ("GET", "successfulResults"),
    ("GET", "unprocessedrecords"),
]


def step(method, last):
    """Whether a request is this step of a job's life."""

    def matches(request):
        path = request.segments
        if request.method != method or "ingest" not in path:
            return False
        return len(path) == path.index("ingest") + 2 if last == "{id}" else path[-1] == last

    return matches


@pytest.mark.parametrize("mode", ["upsert", "create"])
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", STEPS, ids="-".join)
def test_a_run_killed_at_any_step_is_resumed_by_the_jobs_results(tmp_path, at, done, mode):
    with org(tmp_path, job_polls=2) as there:
        how = {"bulk_above": ABOVE, "streams": {"Account": {"mode": mode}}}
        process = there.command("target-salesforce", **how)

        def kill():
            process.popen.kill()
            process.popen.wait()

        there.on(step(*at), kill, done=done)
        process.give(*tapped(COUNT), close=True)
        assert process.ended().code == -9
        ran = there.target(tapped(COUNT), **how)
        assert (ran.code, ran.states) == (0, [{"done": COUNT}]), ran.err
        assert there.externals() == WHOLE
        assert [job.processed for job in there.jobs() if job.processed] == [COUNT]
        assert there.app.count("composite") == 0
        begun = STEPS.index(at) >= 2 and (done or STEPS.index(at) > 2)
        assert ("from an interrupted run" in ran.err) == begun
        assert len(there.jobs()) == (1 if begun or (at == STEPS[0] and not done) else 2)


def test_a_job_that_is_known_no_more_is_found_out_by_looking(there):
    with Ledger(there.folder / "state", "salesforce") as ledger:
        changes = [Change(account(n), by="Ext_Id__c", value=f"X-{n:05}") for n in range(3)]
        ledger.intend("Account", "Account", "create", changes, [(b"x", None, n) for n in range(3)])
        ledger.under_way("7505g000000000zAAA", changes)
    there.app.add("Account", account(1))
    outcomes = there.write("Account", [account(n) for n in range(3)], mode="create")
    assert kinds(outcomes) == {"created": 2, "skipped": 1}
    assert there.externals() == Counter(f"X-{n:05}" for n in range(3))


def test_a_credential_that_ends_while_a_job_is_at_work_leaves_it_to_the_next_run(tmp_path):
    with org(tmp_path, job_polls=3, login="session") as there:
        there.on(step("GET", "{id}"), there.app.expire_token, done=True)
        with pytest.raises(Unauthorized):
            there.write("Account", many(), bulk_above=ABOVE)
        there.settings = {**there.server.config, "state_dir": there.settings["state_dir"]}
        again = there.write("Account", many(), bulk_above=ABOVE)
        assert {outcome.kind for outcome in again} == {Kind.UNCHANGED}
        assert [job.processed for job in there.jobs()] == [COUNT]
        assert there.externals() == WHOLE
