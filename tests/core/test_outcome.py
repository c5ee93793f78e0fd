import multiprocessing

import pytest

from antiphon.outcome import Change, Kind, Nothing, One, Outcome, PerItem, Problem, Said, rejected


def test_only_rejected_and_unknown_are_not_ok():
    bad = {kind for kind in Kind if not Outcome(Change({}), kind).ok}
    assert bad == {Kind.REJECTED, Kind.UNKNOWN}


def test_every_change_has_a_token_of_its_own_that_stays():
    one, other = Change({}), Change({})
    assert one.token != other.token
    assert one.values()["token"] == one.token


def tell_a_token(pipe):
    pipe.send(Change({}).token)


def test_no_child_of_a_process_gives_the_tokens_that_another_gives():
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    children = [context.Process(target=tell_a_token, args=(there,)) for _ in range(2)]
    for child in children:
        child.start()
        child.join(30)
    assert len({here.recv(), here.recv(), Change({}).token}) == 3


def test_a_change_gives_its_values_to_placeholders():
    values = Change({"a": 1}, id="7", by="email", value="x@y.z").values()
    assert values["record"] == {"a": 1}
    assert values["id"] == "7"
    assert values["match"] == {"field": "email", "value": "x@y.z"}


def test_a_refusal_tells_status_code_and_words():
    outcome = rejected(Change({}, id="3"), "no such city", status=422, code="CITY")
    assert (outcome.kind, outcome.id) == (Kind.REJECTED, "3")
    assert outcome.problem is not None
    assert outcome.problem.as_dict() == {"status": 422, "code": "CITY", "message": "no such city"}


@pytest.mark.parametrize(
    ("one", "body", "id", "record"),
    [
        (One(), {"id": 7, "name": "Ada"}, "7", {"id": 7, "name": "Ada"}),
        (One(at="data"), {"data": {"id": "x"}}, "x", {"id": "x"}),
        (One(id="pk.value"), {"pk": {"value": 0}}, "0", {"pk": {"value": 0}}),
        (One(), {"name": "Ada"}, "old", {"name": "Ada"}),
    ],
)
def test_the_reply_to_one_record_holds_its_id(one, body, id, record):
    [outcome] = one(Said(200, body), [Change({}, id="old")], Kind.UPDATED)
    assert (outcome.kind, outcome.id, outcome.record) == (Kind.UPDATED, id, record)


def test_a_reply_that_is_empty_is_trusted_only_where_its_status_says_so():
    [told] = One()(Said(204, None), [Change({}, id="7")], Kind.UPDATED)
    [silent] = One()(Said(200, None), [Change({}, id="7")], Kind.UPDATED)
    assert told.kind is Kind.UPDATED
    assert silent.kind is Kind.UNKNOWN
    assert silent.problem == Problem("the reply does not mention this record")


def test_where_the_status_speaks_for_all_every_change_is_done():
    changes = [Change({}, id="1"), Change({}, id="2")]
    outcomes = Nothing()(Said(204, None), changes, Kind.DELETED)
    assert [(o.id, o.kind) for o in outcomes] == [("1", Kind.DELETED), ("2", Kind.DELETED)]


def test_entries_are_paired_with_changes_in_their_order():
    changes = [Change({"n": n}) for n in range(3)]
    body = {"results": [{"id": 5}, {"error": {"text": "too long"}, "code": 9}, {"id": 6}]}
    decoded = PerItem(at="results", error="error.text")(Said(207, body), changes, Kind.CREATED)
    assert [o.change for o in decoded] == changes
    assert [(o.kind, o.id) for o in decoded] == [(Kind.CREATED, "5"), (Kind.REJECTED, None), (Kind.CREATED, "6")]
    assert decoded[1].problem == Problem("too long", code="9")


def test_entries_that_do_not_come_leave_their_changes_unknown():
    changes = [Change({}), Change({}), Change({})]
    for body in ({"results": [{"id": 1}, None]}, [], None, {"results": "done"}):
        kinds = [o.kind for o in PerItem(at="results")(Said(200, body), changes, Kind.CREATED)]
        assert len(kinds) == 3
        assert set(kinds[1:]) == {Kind.UNKNOWN}


@pytest.mark.parametrize("error", [None, "", [], {}, False])
def test_an_entry_whose_error_is_empty_is_a_success(error):
    [outcome] = PerItem()(Said(200, [{"id": 1, "error": error}]), [Change({})], Kind.CREATED)
    assert outcome.kind is Kind.CREATED


def test_where_a_field_says_success_any_other_value_is_a_failure():
    decode = PerItem(status="ok", good=True, error="why")
    body = [{"ok": True, "id": 1, "why": "note"}, {"ok": False, "why": "no"}, {"id": 3}]
    kinds = [o.kind for o in decode(Said(200, body), [Change({})] * 3, Kind.CREATED)]
    assert kinds == [Kind.CREATED, Kind.REJECTED, Kind.REJECTED]
