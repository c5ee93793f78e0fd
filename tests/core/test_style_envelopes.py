import json

import pytest

from antiphon.api import Read, Reply, Setting, Write
from antiphon.condition import Condition
from antiphon.errors import (
    BadReply,
    Forbidden,
    NotFound,
    QuotaSpent,
    Refused,
    Unauthorized,
    Unavailable,
)
from antiphon.formats import Xml
from antiphon.outcome import Kind, Nothing, One
from antiphon.paging import Offset, Relay
from antiphon.style import Cost, GraphQL, JsonRpc, OData, Rest

from .tiny import URL, a_client, an_api, changes, people

PATH = "/model/"


def served(adapter, *answers, method="POST", path="/rpc"):
    adapter.register_uri(
        method,
        f"{URL}{path}",
        [a if "json" in a or "status_code" in a or "text" in a else {"json": a} for a in answers],
    )


def read_all(api, session):
    client = a_client(api, session=session)
    return [record for page in client.read(api.resources[0]) for record in page.records]


# REST that hides errors, and codes that say more than the status


def test_a_fault_that_comes_with_a_good_status_is_recognised_by_a_condition(session, adapter):
    adapter.register_uri("GET", "/people", json={"ok": False, "error": "channel_not_found"})
    api = an_api(
        people(), style=Rest(failed=(Condition("ok", equals=False),), codes={"channel_not_found": "not_found"})
    )
    with pytest.raises(NotFound, match=r"^tiny: reading people -> 200 channel_not_found"):
        read_all(api, session)
    adapter.register_uri("GET", "/people", json={"ok": True, "results": [{"id": 1}]})
    assert read_all(api, session) == [{"id": 1}]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("unauthorized", Unauthorized), ("forbidden", Forbidden), ("not_found", NotFound), ("refused", Refused),
     ("unavailable", Unavailable), ("quota_spent", QuotaSpent)],
)  # fmt: skip
def test_a_code_says_what_the_status_does_not(word, kind):
    style = Rest(code=("__type",), codes={"Odd": word})
    error = style.fault(Reply(400, {}, b'{"__type": "Odd", "message": "no"}', URL))
    assert (type(error), error.code) == (kind, "Odd")
    assert type(style.fault(Reply(400, {}, b'{"__type": "Other"}', URL))) is Refused


def test_an_error_is_told_in_the_words_of_the_format_it_comes_in(session, adapter):
    adapter.register_uri(
        "GET", "/people", status_code=400, text="<Error><Code>Bad</Code><Message>no such city</Message></Error>"
    )
    api = an_api(people(), format=Xml(), style=Rest(message=("Error.Message",), code=("Error.Code",)))
    with pytest.raises(Refused, match="400 no such city"):
        read_all(api, session)


# JSON-RPC

SEARCH = Read(body={"method": "person.search", "params": [[], 0, 0]}, paging=Offset("params.1", ("params.2", 2)))


def rpc(*, read=SEARCH, **style):
    return an_api(
        people(read=read), style=JsonRpc("/rpc/{org}", **style), settings=(Setting("org"), Setting("session")), auth=()
    )


def rpc_client(session, api):
    return a_client(api, session=session, org="acme", session_="x")


def test_a_call_goes_out_in_its_envelope_and_its_result_comes_out_of_it(session, adapter):
    served(
        adapter,
        {"id": 1, "jsonrpc": "2.0", "result": [{"id": 1}, {"id": 2}]},
        {"id": 1, "result": [{"id": 2}]},
        {"id": 1, "result": []},
        path="/rpc/acme",
    )
    api = rpc(members={"auth": "{org}"}, last={"language": "de"})
    client = a_client(api, session=session, org="acme")
    assert [r["id"] for page in client.read(api.resources[0]) for r in page.records] == [1, 2]
    assert [r.json() for r in adapter.request_history] == [
        {
            "jsonrpc": "2.0",
            "id": 1,
            "auth": "acme",
            "method": "person.search",
            "params": [[], offset, 2, {"language": "de"}],
        }
        for offset in (0, 1, 2)
    ]


def test_version_1_does_not_name_itself(session, adapter):
    served(adapter, {"id": 1, "result": [], "error": None}, path="/rpc/acme")
    api = rpc(version="1.0")
    list(a_client(api, session=session, org="acme").read(api.resources[0]))
    assert "jsonrpc" not in adapter.last_request.json()


@pytest.mark.parametrize(
    ("error", "words", "code"),
    [
        ({"code": -32601, "message": "Method not found"}, "Method not found", "-32601"),
        ({"code": 7, "message": "Server Error", "data": {"message": "no city"}}, "no city", "7"),
        (["UserError", ["no city", ""]], "no city", "UserError"),
        (["UserError", "no city"], "no city", "UserError"),
        ("no city", "no city", ""),
    ],
)
def test_an_error_in_a_200_is_told(error, words, code):
    told = JsonRpc().fault(Reply(200, {}, json.dumps({"id": 1, "error": error}).encode(), URL))
    assert (type(told), told.message, told.code) == (Refused, f"200 {words}", code)


def test_an_error_of_the_way_there_is_told_by_its_status():
    assert type(JsonRpc().fault(Reply(401, {}, b"Conflict", URL))) is Unauthorized
    assert type(JsonRpc().fault(Reply(503, {}, b"<html>", URL))) is Unavailable


def test_a_call_that_answers_nothing_is_a_success(session, adapter):
    served(adapter, {"id": 1, "result": None}, path="/rpc/acme")
    write = Write(body={"method": "person.delete", "params": [["{id}"]]}, outcomes=Nothing())
    api = an_api(people(delete=write), style=JsonRpc("/rpc/{org}"), settings=(Setting("org"),), auth=())
    [outcome] = a_client(api, session=session, org="acme").write(api.resources[0], "delete", changes({"id": 7}))
    assert outcome.kind is Kind.DELETED
    assert adapter.last_request.json()["params"] == [[7]]


# GraphQL

QUERY = "query($first: Int, $after: String, $since: Time) { people(first: $first, after: $after) { nodes {id} pageInfo { x } } }"
PEOPLE = Read(query=QUERY, body={"since": "{since}"}, records="people.nodes", paging=Relay("people", size=("first", 2)))


def graph(**style):
    return an_api(people(read=PEOPLE), style=GraphQL(**style))


def connection(ids, after=None):
    info = {"hasNextPage": after is not None, "endCursor": after}
    return {"data": {"people": {"nodes": [{"id": n} for n in ids], "pageInfo": info}}}


def test_a_document_is_sent_as_it_is_and_values_go_in_as_variables(session, adapter):
    served(adapter, connection([1, 2], "c2"), connection([3]), path="/graphql")
    assert [r["id"] for r in read_all(graph(), session)] == [1, 2, 3]
    assert [r.json() for r in adapter.request_history] == [
        {"query": QUERY, "variables": {"first": 2}},
        {"query": QUERY, "variables": {"first": 2, "after": "c2"}},
    ]


def test_errors_beside_data_are_a_fault_unless_partial_data_is_taken(session, adapter, caplog):
    reply = {**connection([1]), "errors": [{"message": "no access to x", "extensions": {"code": "FORBIDDEN"}}]}
    served(adapter, reply, path="/graphql")
    with pytest.raises(Refused, match="200 no access to x"):
        read_all(graph(), session)
    assert [r["id"] for r in read_all(graph(partial=True), session)] == [1]
    assert "no access to x" in caplog.text
    served(adapter, {"data": None, "errors": reply["errors"]}, path="/graphql")
    with pytest.raises(Refused):
        read_all(graph(partial=True), session)


def test_a_bad_document_is_told_with_whatever_status(session, adapter):
    served(adapter, {"status_code": 400, "json": {"errors": [{"message": "Syntax Error: <EOF>"}]}}, path="/graphql")
    with pytest.raises(Refused, match="400 Syntax Error"):
        read_all(graph(), session)


@pytest.mark.parametrize("text", ["<html>", "[1]", '"x"'])
def test_an_answer_that_is_none_of_graphql_is_told(session, adapter, text):
    served(adapter, {"text": text}, path="/graphql")
    with pytest.raises(BadReply, match="none of GraphQL"):
        read_all(graph(), session)


CODES = {"THROTTLED": "unavailable", "BUDGET": "unavailable", "DAILY": "quota_spent"}
COST = Cost(*(f"extensions.cost.{name}" for name in ("requested", "throttle.available", "throttle.rate")))


def test_a_query_that_cannot_be_afforded_yet_waits_until_it_can(session, adapter, waits):
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
                 "extensions": {"cost": {"requested": 500, "throttle": {"available": 100, "rate": 50}}}}  # fmt: skip
    served(adapter, throttled, connection([1]), path="/graphql")
    assert [r["id"] for r in read_all(graph(codes=CODES, cost=COST), session)] == [1]
    assert waits == [8.0]


def test_the_wait_that_an_error_names_is_kept(session, adapter, waits):
    budget = {
        "data": None,
        "errors": [{"message": "Complexity", "extensions": {"code": "BUDGET", "retry_in_seconds": 21}}],
    }
    served(adapter, budget, connection([1]), path="/graphql")
    read_all(graph(codes=CODES, wait="errors.0.extensions.retry_in_seconds"), session)
    assert waits == [21.0]


def test_a_daily_budget_that_is_spent_ends_the_read(session, adapter, waits):
    served(adapter, {"errors": [{"message": "Daily limit", "extensions": {"code": "DAILY"}}]}, path="/graphql")
    with pytest.raises(QuotaSpent):
        read_all(graph(codes=CODES), session)
    assert waits == []


MUTATION = "mutation($input: Input!) { create(input: $input) { person { id } userErrors { field message } } }"


def writing(**style):
    write = Write(query=MUTATION, body={"input": "{record}"}, outcomes=One("id", "create.person"))
    return an_api(people(create=write), style=GraphQL(**style))


def test_a_mutation_takes_the_record_as_a_variable_and_gives_its_id(session, adapter):
    served(adapter, {"data": {"create": {"person": {"id": "g7"}, "userErrors": []}}}, path="/graphql")
    api = writing()
    [outcome] = a_client(api, session=session).write(api.resources[0], "create", changes({"name": 'a"}'}))
    assert (outcome.kind, outcome.id) == (Kind.CREATED, "g7")
    assert adapter.last_request.json() == {"query": MUTATION, "variables": {"input": {"name": 'a"}'}}}


def test_what_a_mutation_finds_wrong_with_the_input_rejects_the_record(session, adapter):
    served(
        adapter,
        {"data": {"create": {"person": None, "userErrors": [{"field": ["email"], "message": "is taken"}]}}},
        path="/graphql",
    )
    api = writing()
    [outcome] = a_client(api, session=session).write(api.resources[0], "create", changes({"name": "a"}))
    assert (outcome.kind, outcome.problem.message) == (Kind.REJECTED, "is taken")


def test_a_throttled_mutation_was_not_done_and_is_sent_again(session, adapter, waits):
    throttled = {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}
    served(adapter, throttled, {"data": {"create": {"person": {"id": "1"}}}}, path="/graphql")
    api = writing(codes=CODES)
    [outcome] = a_client(api, session=session).write(api.resources[0], "create", changes({"name": "a"}))
    assert (outcome.kind, outcome.attempts) == (Kind.CREATED, 2)


# OData


def odata(etag="*"):
    return an_api(
        people(
            find=Read("/People", params={"$filter": "name eq '{match.value}'", "$top": "{match.value}"}, records="value"),
            get=Read("/People('{id}')"),
            update=Write("/People({id})", "PATCH", body="{record}", outcomes=Nothing()),
            delete=Write("/People({id})", "DELETE", outcomes=Nothing(), headers={"If-Match": r"{record.@odata\.etag}"}),
        ),
        style=OData(etag=etag),
    )  # fmt: skip


def test_an_apostrophe_in_a_value_stays_within_its_text(session, adapter):
    adapter.register_uri("GET", "/People", json={"value": []})
    api = odata()
    a_client(api, session=session).find(api.resources[0], "name", ["O'Neil"])
    assert adapter.last_request.qs == {"$filter": ["name eq 'o''neil'"], "$top": ["o'neil"]}
    assert adapter.last_request.headers["OData-Version"] == "4.0"


def test_an_apostrophe_in_an_id_stays_within_its_key(session, adapter):
    adapter.register_uri("GET", "/People('O%27%27N')", json={"id": 1})
    api = odata()
    assert a_client(api, session=session).get(api.resources[0], "O'N") == {"id": 1}


@pytest.mark.parametrize(("etag", "sent"), [("*", "*"), ("", None)])
def test_a_change_names_an_etag(session, adapter, etag, sent):
    adapter.register_uri("PATCH", "/People(7)", status_code=204)
    api = odata(etag)
    [outcome] = a_client(api, session=session).write(api.resources[0], "update", changes({"id": 7}))
    assert outcome.kind is Kind.UPDATED
    assert adapter.last_request.headers.get("If-Match") == sent


@pytest.mark.parametrize("answer", [{"json": {}, "headers": {"ETag": 'W/"5"'}}, {"json": {"@odata.etag": 'W/"5"'}}])
def test_an_etag_may_be_read_right_before(session, adapter, answer):
    adapter.register_uri("GET", "/People(7)", **answer)
    adapter.register_uri("PATCH", "/People(7)", status_code=204)
    api = odata("read")
    list(a_client(api, session=session).write(api.resources[0], "update", changes({"id": 7})))
    assert [r.method for r in adapter.request_history] == ["GET", "PATCH"]
    assert adapter.last_request.headers["If-Match"] == 'W/"5"'


def test_the_etag_that_a_record_brings_is_kept(session, adapter):
    adapter.register_uri("DELETE", "/People(7)", status_code=204)
    api = odata()
    list(a_client(api, session=session).write(api.resources[0], "delete", changes({"id": 7, "@odata.etag": 'W/"3"'})))
    assert adapter.last_request.headers["If-Match"] == 'W/"3"'


@pytest.mark.parametrize(("status", "said"), [(412, "changed meanwhile"), (428, "wants an ETag")])
def test_a_change_under_another_etag_is_refused_with_what_to_do(status, said):
    error = OData().fault(Reply(status, {}, b'{"error": {"code": "E", "message": "Precondition"}}', URL))
    assert (type(error), error.code, error.message) == (Refused, "E", f"{status} Precondition")
    assert said in error.hint
