"""What the API says of a batch, record by record; and what is done where it says nothing."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import requests
import requests_mock

from antiphon import api, schema
from antiphon.apis.hubspot import archived, decoded
from antiphon.client import Client
from antiphon.errors import BadReply, ForeignHost, QuotaSpent, Unauthorized, Unavailable
from antiphon.outcome import Change, Kind, Outcome, Problem, Said
from antiphon.writeback.ledger import Ledger
from antiphon.writeback.settling import settle_open
from antiphon.writeback.writer import Writer

NOTE = {"hs_timestamp": "2026-01-02T03:04:05Z"}


def kinds(outcomes):
    return [outcome.kind.value for outcome in outcomes]


def mixed(n=100, bad=(3, 50, 99)):
    return [{"email": f"bad {k}" if k in bad else f"p{k}@example.com", "firstname": f"P{k}"} for k in range(n)]


# Replies to a batch


@pytest.mark.parametrize("knobs", [{}, {"folded_errors": True}])
@pytest.mark.parametrize("version", ["2026-03", "2026-09"])
def test_each_record_of_a_batch_gets_its_own_answer(accounts, knobs, version):
    account = accounts(**knobs)
    account.client.settings["write_version"] = version
    outcomes = account.writer().write(mixed())
    assert {n for n, outcome in enumerate(outcomes) if outcome.kind is Kind.REJECTED} == {3, 50, 99}
    problem = outcomes[50].problem
    assert (problem.message, problem.status, problem.code) == (
        "Email address bad 50 is invalid",
        400,
        "VALIDATION_ERROR",
    )
    stored = {record["email"]: record["firstname"] for record in account.shown("contacts", "email", "firstname")}
    assert stored == {r["email"]: r["firstname"] for r in mixed() if "bad" not in r["email"]}
    ids = {str(record.id): record.properties["email"] for record in account.app.store("contacts")}
    assert all(ids[o.id] == o.change.value for o in outcomes if o.kind is Kind.CREATED)
    assert account.calls() == {"objects/contacts/batch/read": 1, "objects/contacts/batch/create": 1}


def test_each_update_of_a_batch_gets_its_own_answer(account):
    account.writer().write(mixed(bad=()))
    wrong = [{**record, "lifecyclestage": "nonsense" if n == 7 else "lead"} for n, record in enumerate(mixed(bad=()))]
    outcomes = account.writer().write(wrong)
    assert Counter(kinds(outcomes)) == {"updated": 99, "rejected": 1}
    assert "nonsense was not one of the allowed options" in outcomes[7].problem.message


def test_each_native_upsert_of_a_batch_gets_its_own_answer(account):
    account.app.add_property("contacts", "member_no", unique=True)
    records = [
        {"member_no": f"M{n}", "lastname": "L", "email": "bad" if n == 7 else f"p{n}@example.com"} for n in range(9)
    ]
    outcomes = account.writer(match=["member_no"]).write(records)
    assert Counter(kinds(outcomes)) == {"created": 8, "rejected": 1}
    assert outcomes[7].problem.message == "Email address bad is invalid"


def test_a_record_of_ten_megabytes_is_rejected_by_name_and_its_neighbours_land(account):
    records = [{"email": f"p{n}@example.com", "firstname": "x" * 10_000_000 if n == 1 else "P"} for n in range(3)]
    outcomes = account.writer().write(records)
    assert kinds(outcomes) == ["created", "rejected", "created"]
    assert len(outcomes[1].problem.message) < 500


CHANGES = [Change({"a": str(n)}, token=f"t{n}") for n in range(3)]


def read(body, changes=CHANGES, status=200):
    outcomes = decoded(Said(status, body), changes, Kind.CREATED)
    assert sorted(o.change.token for o in outcomes) == sorted(c.token for c in changes)
    return {o.change.token: o for o in outcomes}


def result(token, id="9", **more):
    return {"id": id, "objectWriteTraceId": token, "properties": {}, **more}


@pytest.mark.parametrize(
    "body", [None, {}, [], "x", {"results": None, "errors": None}, {"status": "PENDING"}, {"results": [{}]}]
)
def test_a_reply_that_mentions_no_record_leaves_all_unknown(body):
    assert {o.kind for o in read(body).values()} == {Kind.UNKNOWN}


def test_a_record_that_the_reply_does_not_mention_is_unknown():
    found = read({"results": [result("t2", "2"), result("t0", "0")]})
    assert [(found[t].kind, found[t].id) for t in ("t0", "t1", "t2")] == [
        (Kind.CREATED, "0"),
        (Kind.UNKNOWN, None),
        (Kind.CREATED, "2"),
    ]


def test_results_without_a_trace_are_told_by_id_by_match_or_by_what_was_sent():
    by_id = [Change({}, id="5", token="x"), Change({}, id="6", token="y")]
    assert read({"results": [{"id": "6"}]}, by_id)["y"].ok
    by_value = [Change({}, by="email", value="A@x", token="x"), Change({}, by="email", value="b@x", token="y")]
    found = read(
        {"results": [{"id": "2", "properties": {"email": "b@x"}}, {"id": "1", "properties": {"email": "a@x"}}]},
        by_value,
    )
    assert (found["x"].id, found["y"].id) == ("1", "2")
    found = read({"results": [{"id": "7", "properties": {"a": "1"}}]})
    assert (found["t1"].id, found["t0"].kind) == ("7", Kind.UNKNOWN)


def test_an_error_is_told_by_trace_or_by_id():
    error = {"message": "no", "category": "CONFLICT", "context": {"objectWriteTraceId": ["t1"]}}
    assert read({"results": [result("t0"), result("t2")], "errors": [error]})["t1"].problem.status == 409
    by_id = [Change({}, id="5", token="x"), Change({}, id="6", token="y")]
    gone = {"message": "gone", "category": "OBJECT_NOT_FOUND", "context": {"ids": ["6"]}}
    assert read({"results": [{"id": "5"}], "errors": [gone]}, by_id)["y"].problem.status == 404


def test_an_error_that_names_no_record_is_not_pinned_on_more_records_than_it_can_be_of():
    nameless = {"message": "no", "category": "VALIDATION_ERROR"}
    found = read({"results": [result("t0")], "errors": [nameless]})
    assert {found["t1"].kind, found["t2"].kind} == {Kind.UNKNOWN}
    found = read({"results": [result("t0"), result("t1")], "errors": [nameless]})
    assert (found["t2"].kind, found["t2"].problem.message) == (Kind.REJECTED, "no")


def test_an_archive_is_believed_only_if_the_api_says_so():
    assert {o.kind for o in archived(Said(204, None), CHANGES, Kind.DELETED)} == {Kind.DELETED}
    assert {o.kind for o in archived(Said(200, None), CHANGES, Kind.DELETED)} == {Kind.UNKNOWN}


@pytest.mark.parametrize(("kind", "new"), [(Kind.CREATED, True), (Kind.UPDATED, False)])
def test_an_upsert_tells_whether_the_record_is_new(kind, new):
    assert read({"results": [result("t0", new=new)]}, CHANGES[:1])["t0"].kind is kind


# Refusals of a whole batch


def refused(batch, culprit):
    return any(culprit in str(entry) for entry in batch)


def test_a_refused_atomic_batch_is_taken_apart_to_find_the_culprit(account):
    refusals = []

    def route(request, context):
        batch = json.loads(request.body)["inputs"]
        refusals.append(len(batch))
        bad = refused(batch, "p37@")
        context.status_code = 400 if bad else 201
        return {"message": "no such luck"} if bad else {"results": [result(e["objectWriteTraceId"]) for e in batch]}

    with requests_mock.Mocker(session=account.client.http.session, real_http=True) as mocked:
        mocked.post(f"{account.server.url}/crm/objects/2026-03/contacts/batch/create", json=route)
        outcomes = account.writer().write(mixed(bad=()))
    assert Counter(kinds(outcomes)) == {"created": 99, "rejected": 1}
    assert (outcomes[37].problem.message, outcomes[37].problem.status) == ("no such luck", 400)
    assert len(refusals) <= 15


def test_an_opaque_refusal_of_a_batch_that_is_neither_safe_nor_atomic_is_not_taken_apart(zoo):
    client, mocked = zoo
    mocked.get("https://zoo.example/animals/find", json={"items": []})
    route = mocked.post("https://zoo.example/animals/batch", status_code=400, json={"message": "one of them is wrong"})
    outcomes = Writer(client, client.resource("animals")).write([{"name": f"n{k}"} for k in range(10)])
    assert {(o.kind, o.problem.message) for o in outcomes} == {(Kind.REJECTED, "one of them is wrong")}
    assert route.call_count == 1


def test_entries_that_are_missing_from_a_list_of_outcomes_are_looked_for(zoo):
    client, mocked = zoo
    found = mocked.get(
        "https://zoo.example/animals/find", [{"json": {"items": []}}, {"json": {"items": [{"id": "2", "name": "b"}]}}]
    )
    mocked.post("https://zoo.example/animals/batch", json={"items": [{"id": "1"}]})
    outcomes = Writer(client, client.resource("animals")).write([{"name": "a"}, {"name": "b"}])
    assert [(o.kind, o.id) for o in outcomes] == [(Kind.CREATED, "1"), (Kind.CREATED, "2")]
    assert found.call_count == 2


def test_a_forbidden_batch_is_rejected_in_the_apis_words(account):
    with requests_mock.Mocker(session=account.client.http.session, real_http=True) as mocked:
        said = {"message": "This app hasn't been granted all required scopes", "category": "MISSING_SCOPES"}
        mocked.post(f"{account.server.url}/crm/objects/2026-03/contacts/batch/create", status_code=403, json=said)
        outcomes = account.writer().write(mixed(3, bad=()))
    assert {(o.kind, o.problem.status, o.problem.code) for o in outcomes} == {(Kind.REJECTED, 403, "MISSING_SCOPES")}


# Answers that never came


FAULTS = ["429", "500", "502-html", "cut", "timeout", "commit-timeout", "html", "empty"]
ON_A_LOOK_UP = [(fault, "batch/read") for fault in ("429", "500", "502-html", "cut", "timeout")]


@pytest.mark.parametrize(("fault", "route"), [(fault, "batch/create") for fault in FAULTS] + ON_A_LOOK_UP)
def test_whatever_befalls_a_creation_that_can_be_looked_up_it_is_created_once(accounts, fault, route):
    account = accounts(stall_seconds=0.01)
    account.app.fail_next(1, fault, route)
    with account.ledger() as ledger:
        outcomes = account.writer(ledger=ledger).write(mixed())
        assert Counter(kinds(outcomes)) == {"created": 97, "rejected": 3}
        assert ledger.open_intents() == []
    assert len(account.shown()) == 97
    assert all(o.id for o in outcomes if o.ok)


@pytest.mark.parametrize("fault", ["html", "empty"])
def test_a_look_up_that_is_no_answer_ends_the_run_in_one_line_and_writes_nothing(account, fault):
    account.app.fail_next(1, fault, "batch/read")
    with pytest.raises(BadReply, match=r"^hubspot: looking up contacts by email -> "):
        account.writer().write(mixed())
    assert account.shown() == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("route", ["batch/update", "batch/archive"])
def test_whatever_befalls_what_is_safe_to_repeat_it_is_done(accounts, fault, route):
    account = accounts(stall_seconds=0.01)
    account.writer().write(mixed(bad=()))
    account.app.fail_next(1, fault, route)
    writer = account.writer(mode="upsert" if "update" in route else "delete")
    outcomes = writer.write([{**record, "city": "Ulm"} for record in mixed(bad=())])
    assert set(kinds(outcomes)) == {"updated" if "update" in route else "deleted"}
    assert len(account.shown()) == (100 if "update" in route else 0)


@pytest.mark.parametrize(
    ("fault", "kind", "there"),
    [
        ("429", "created", 5),
        ("500", "unknown", 0),
        ("commit-timeout", "unknown", 5),
        ("cut", "unknown", 5),
        ("empty", "unknown", 0),
    ],
)
def test_a_creation_that_nothing_can_find_is_sent_once_at_most(accounts, fault, kind, there):
    account = accounts(stall_seconds=0.01)
    account.app.fail_next(1, fault, "batch/create")
    notes = [{"hs_note_body": f"N{n}", **NOTE} for n in range(5)]
    assert kinds(account.writer("notes", mode="create").write(notes)) == [kind] * 5
    assert len(account.shown("notes")) == there
    assert account.app.count("batch/create") == (2 if fault == "429" else 1)


def test_a_creation_whose_answer_is_always_lost_and_that_is_not_there_is_rejected_after_five_tries(accounts):
    account = accounts(stall_seconds=0.01)
    account.app.fail_next(10, "500", "batch/create")
    outcomes = account.writer().write(mixed(2, bad=()))
    assert {(o.kind, o.problem.message, o.problem.status) for o in outcomes} == {(Kind.REJECTED, "internal error", 500)}
    assert account.app.count("batch/create") == 5


def test_a_creation_of_which_something_comes_through_each_time_is_sent_until_all_of_it_has():
    def half(_client, _resource, changes):  # as of a batch that is taken apart, over a bad line
        done = (len(changes) + 1) // 2
        yield from (Outcome(change, Kind.CREATED, str(n)) for n, change in enumerate(changes[:done]))
        yield from (Outcome(change, Kind.UNKNOWN, problem=Problem("no answer")) for change in changes[done:])

    resource = api.Resource(
        "cages",
        schema.record({"id": "string!", "name": "string"}, readonly=["id"]),
        match=("name",),
        find=api.Read("/cages"),
        create=api.Write(via=half, batch=200),
    )
    client = Client(api.Api("zoo", "The Zoo", "https://zoo.example", resources=(resource,)), {})
    with requests_mock.Mocker() as mocked:
        mocked.get("https://zoo.example/cages", json=[])
        outcomes = Writer(client, resource).write([{"name": f"cage {n}"} for n in range(100)])
    assert kinds(outcomes) == ["created"] * 100


@pytest.mark.parametrize("fault", ["html", "empty"])
def test_an_update_that_is_never_mentioned_is_rejected_so_that_it_can_be_sent_again(account, fault):
    account.writer().write(mixed(2, bad=()))
    account.app.fail_next(10, fault, "batch/update")
    records = [{**record, "city": "Ulm"} for record in mixed(2, bad=())]
    with account.ledger() as ledger:
        writer = account.writer(ledger=ledger)
        if fault == "html":  # nothing but pages for people comes: a line of its own, and nothing is left open
            with pytest.raises(BadReply) as error:
                writer.write(records)
            assert str(error.value).startswith("hubspot: update of contacts -> no JSON but")
        else:
            assert kinds(writer.write(records)) == ["rejected", "rejected"]
        assert ledger.store.rows("select count(*) from intents") == [(0,)]
    assert account.app.count("batch/update") == 5


@pytest.mark.parametrize("fault", ["429", "token-expiry"])
def test_what_was_surely_not_done_leaves_no_open_intent(accounts, fault):
    account = accounts()
    account.app.fail_next(20, fault, "batch/create")
    with account.ledger() as ledger, pytest.raises((Unavailable, Unauthorized)):
        account.writer("notes", mode="create", ledger=ledger).write([{"hs_note_body": "N", **NOTE}])
    with account.ledger() as ledger:
        assert ledger.open_intents() == []
        assert not ledger.earlier()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            {"status_code": 429, "json": {"message": "You have reached your daily limit.", "policyName": "DAILY"}},
            QuotaSpent,
        ),
        ({"status_code": 307, "headers": {"Location": "https://elsewhere.example/"}}, ForeignHost),
        ({"status_code": 503, "text": "maintenance"}, Unavailable),
    ],
)
def test_an_api_that_sends_us_away_leaves_no_open_intent(account, reply, kind):
    with (
        requests_mock.Mocker(session=account.client.http.session, real_http=True) as mocked,
        account.ledger() as ledger,
    ):
        mocked.post(f"{account.server.url}/crm/objects/2026-03/notes/batch/create", **reply)
        with pytest.raises(kind):
            account.writer("notes", mode="create", ledger=ledger).write([{"hs_note_body": "N", **NOTE}])
    with account.ledger() as ledger:
        assert not ledger.earlier()


def test_what_was_done_before_the_api_went_away_is_in_the_ledger(accounts):
    account = accounts()
    notes = [{"hs_note_body": f"N{n}", **NOTE} for n in range(250)]
    writes = iter(range(100))

    def refuse_the_third(route, *, write, draw=account.app.faults.draw):
        return "429" if "batch/create" in route and next(writes) >= 2 else draw(route, write=write)

    account.app.faults.draw = refuse_the_third
    with account.ledger() as ledger, pytest.raises(Unavailable, match="ten_secondly_rolling"):
        account.writer("notes", mode="create", ledger=ledger, stream="s").write(notes)
    del account.app.faults.draw
    with account.ledger() as ledger:
        assert settle_open(account.client, ledger) == []
        outcomes = account.writer("notes", mode="create", ledger=ledger, stream="s").write(notes)
    assert Counter((o.kind.value, o.attempts) for o in outcomes) == {("created", 0): 200, ("created", 1): 50}
    assert len(account.shown("notes")) == 250


# After a crash


class Killed(BaseException):
    """Stands for a power cut."""


def crash(account, records, when, resource="contacts", **more):
    """Write until the process dies: as a request is about to be sent, or as soon as it was answered."""
    session = account.client.http.session
    send = session.send

    def dying(request, **kwargs):
        if "batch/read" in request.url or "search" in request.url or request.method == "GET":
            return send(request, **kwargs)
        if when == "after":
            send(request, **kwargs).close()
        raise Killed

    session.send = dying
    ledger = account.ledger()
    try:
        with pytest.raises(Killed):
            account.writer(resource, ledger=ledger, stream="s", **more).write(records)
    finally:
        session.send = send
        ledger.close()


@pytest.mark.parametrize("when", ["before", "after"])
def test_creations_under_way_in_a_crash_are_created_once(account, when):
    records = mixed(30, bad=())
    crash(account, records, when)
    account.app.reset_calls()
    with account.ledger() as ledger:
        settled = settle_open(account.client, ledger)
        assert len(settled) == (30 if when == "after" else 0)
        assert account.calls() == {"objects/contacts/batch/read": 1}
        outcomes = account.writer(ledger=ledger, stream="s").write(records)
    assert set(kinds(outcomes)) == {"created" if when == "before" else "unchanged"}
    assert len(account.shown()) == 30


@pytest.mark.parametrize("when", ["before", "after"])
def test_updates_under_way_in_a_crash_are_done(account, when):
    account.writer().write(mixed(30, bad=()))
    records = [{**record, "city": "Ulm"} for record in mixed(30, bad=())]
    crash(account, records, when)
    with account.ledger() as ledger:
        assert settle_open(account.client, ledger) == []
        assert set(kinds(account.writer(ledger=ledger, stream="s").write(records))) <= {"updated", "unchanged"}
    assert [record["city"] for record in account.shown("contacts", "city")] == ["Ulm"] * 30


@pytest.mark.parametrize("when", ["before", "after"])
def test_creations_that_nothing_can_find_end_as_unknown_after_a_crash_and_are_not_sent_again(account, when):
    notes = [{"hs_note_body": f"N{n}", **NOTE} for n in range(5)]
    crash(account, notes, when, "notes", mode="create")
    for _ in range(2):
        with account.ledger() as ledger:
            settle_open(account.client, ledger)
            outcomes = account.writer("notes", mode="create", ledger=ledger, stream="s").write(
                [*notes, {"hs_note_body": "new", **NOTE}]
            )
            assert kinds(outcomes) == ["unknown"] * 5 + ["created"]
            assert outcomes[0].problem.message == "the run ended before the answer came"
    assert len(account.shown("notes")) == (5 if when == "after" else 0) + 1


def test_companies_in_a_crash_are_found_or_stay_unknown_while_the_index_lags(accounts):
    account = accounts(index_lag=600)
    records = [{"domain": f"d{n}.example"} for n in range(3)]
    crash(account, records, "after", "companies")
    with account.ledger() as ledger:
        assert kinds(settle_open(account.client, ledger)) == ["unknown"] * 3
        changed = [{**record, "city": "Ulm"} for record in records]
        assert kinds(account.writer("companies", ledger=ledger, stream="s").write(changed)) == ["unknown"] * 3
    for record in account.app.store("companies"):
        record.indexed_until = 0
    with account.ledger() as ledger:
        writer = account.writer("companies", ledger=ledger, stream="s")
        assert kinds(writer.write(changed)) == ["updated"] * 3
        ledger.forget("s", 3)
    with account.ledger() as ledger:
        assert not ledger.earlier()
    assert len(account.shown("companies")) == 3


def test_companies_created_before_a_crash_are_known_although_the_index_lags(accounts):
    account = accounts(index_lag=600)
    with account.ledger() as ledger:
        account.writer("companies", ledger=ledger, stream="s").write([{"domain": "a.example"}])
    with account.ledger() as ledger:
        writer = account.writer("companies", ledger=ledger, stream="s")
        assert kinds(writer.write([{"domain": "a.example", "city": "Ulm"}])) == ["updated"]
    assert account.shown("companies", "city") == [{"city": "Ulm"}]


def test_what_was_superseded_before_a_crash_does_not_come_back_over_what_superseded_it(account):
    old, new = {"email": "a@example.com", "city": "Old"}, {"email": "a@example.com", "city": "New"}
    with account.ledger() as ledger:
        assert kinds(account.writer(ledger=ledger, stream="s").write([old, new])) == ["superseded", "created"]
    with account.ledger() as ledger:
        writer = account.writer(ledger=ledger, stream="s")
        writer.write([old], [1])  # the batches of the next run begin elsewhere
        writer.write([new], [2])
    assert account.shown("contacts", "city") == [{"city": "New"}]


def test_a_record_that_was_written_and_deleted_is_deleted_after_a_crash(account):
    record = {"email": "a@example.com", "city": "U"}
    both = [record, {**record, "_sdc_deleted_at": "2026-01-01T00:00:00Z"}]
    for _ in range(2):
        with account.ledger() as ledger:
            writer = account.writer(ledger=ledger, stream="s", deletes="archive")
            for position, one in enumerate(both, 1):
                writer.write([one], [position])
            assert account.shown() == []


def test_an_open_intent_on_an_object_that_is_no_more_does_not_stop_the_next_run(accounts):
    account = accounts()
    account.app.add_schema("boat", {"title": "string"})
    crash(account, [{"title": "T"}], "before", "boat", mode="create")
    account.app.portal.stores.pop("boat")
    account.app.portal.schemas.pop("boat")
    account.client._discovered = None
    with account.ledger() as ledger:
        assert kinds(settle_open(account.client, ledger)) == ["unknown"]


def test_a_write_under_an_idempotency_key_keeps_its_token_through_a_lost_answer_and_a_crash(tmp_path):
    resource = api.Resource(
        "cages",
        schema.record({"id": "string!", "name": "string"}, readonly=["id"]),
        create=api.Write("/cages", body="{record}", headers={"Idempotency-Key": "{token}"}, remembers=3600),
    )
    client = Client(api.Api("zoo", "The Zoo", "https://zoo.example", resources=(resource,)), {})
    with requests_mock.Mocker() as mocked:
        with Ledger(tmp_path, "zoo") as ledger:
            mocked.post("https://zoo.example/cages", exc=requests.exceptions.ReadTimeout)
            with pytest.raises(Unavailable):
                Writer(client, resource, ledger=ledger, stream="s").write([{"name": "a"}])
        mocked.post("https://zoo.example/cages", json={"id": "1"}, status_code=201)
        with Ledger(tmp_path, "zoo") as ledger:
            settle_open(client, ledger)
            [outcome] = Writer(client, resource, ledger=ledger, stream="s").write([{"name": "a"}])
        assert outcome.kind is Kind.CREATED
        assert len({request.headers["Idempotency-Key"] for request in mocked.request_history}) == 1


# What may not be done


def forbidden(zoo, answers):
    """What becomes of animals that are deleted one by one, and how many requests that takes: each answered with words of a 403, or done."""
    client, mocked = zoo
    replies = [{"status_code": 403, "json": {"message": words}} if words else {"status_code": 204} for words in answers]
    route = mocked.delete(re.compile("https://zoo.example/animals/"), replies)
    writer = Writer(client, client.resource("animals"), mode="delete", match=["id"])
    outcomes = writer.write([{"id": str(n)} for n in range(len(answers))])
    return Counter(kinds(outcomes)), route.call_count


def test_records_that_may_not_be_deleted_do_not_keep_others_from_it(zoo):
    assert forbidden(zoo, ["Only test orders can be deleted."] * 19 + [""] * 30) == (
        {"rejected": 19, "deleted": 30},
        49,
    )


def test_a_credential_that_may_delete_nothing_is_not_tried_with_every_record(zoo):
    assert forbidden(zoo, ["You do not have permission."] * 100) == ({"rejected": 100}, 20)


def test_refusals_in_words_of_their_own_are_about_their_records(zoo):
    assert forbidden(zoo, [f"You may not delete number {n}." for n in range(60)] + [""]) == (
        {"rejected": 60, "deleted": 1},
        61,
    )


def test_once_anything_was_done_refusals_are_about_their_records(zoo):
    assert forbidden(zoo, ["", *["Only test orders can be deleted."] * 50, ""]) == ({"rejected": 50, "deleted": 2}, 52)
