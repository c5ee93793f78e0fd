"""What goes without saying in a description: how requests usually are, which settings a way to sign keeps, what a check is."""

import json
from dataclasses import replace

import pytest

from antiphon import description
from antiphon.api import Api, Read, Resource, Setting, Write
from antiphon.auth import All, ApiKey, Basic, Bearer, Hmac, Jwt, OAuth1, OAuth2, SigV4
from antiphon.outcome import Nothing, One, PerItem
from antiphon.paging import Cursor, Offset, Single
from tests.core.tiny import URL, a_client, an_api, changes, people


def api(**slots):
    """Return the API of a resource whose slots are as YAML has them."""
    whole = {
        "name": "a",
        "title": "A",
        "base_url": URL,
        "resources": {"people": {"schema": {"id": "string!"}, **slots}},
    }
    return description.from_mapping(whole, "test")


def made(**slots):
    return api(**slots).resources[0]


@pytest.mark.parametrize(
    ("slot", "said", "whole"),
    [
        ("create", "/people", Write("/people", "POST", body="{record}", outcomes=One(), safe=False)),
        ("update", "/people/{id}", Write("/people/{id}", "PATCH", body="{record}", outcomes=One(), safe=True)),
        ("upsert", "/people", Write("/people", "POST", body="{record}", outcomes=One(), safe=True)),
        ("archive", "/people/{id}/archive", Write("/people/{id}/archive", "POST", outcomes=One(), safe=True)),
        ("restore", "/people/{id}/restore", Write("/people/{id}/restore", "POST", outcomes=One(), safe=True)),
        ("delete", "/people/{id}", Write("/people/{id}", "DELETE", outcomes=Nothing(), safe=True)),
        ("erase", "/people/{id}", Write("/people/{id}", "DELETE", outcomes=Nothing(), safe=True)),
        (
            "delete",
            {"path": "/delete", "body": {"id": "{id}"}},
            Write("/delete", "POST", body={"id": "{id}"}, outcomes=Nothing(), safe=True),
        ),
        (
            "create",
            {"path": "/people", "batch": 10, "outcomes": {"per_item": {}}},
            Write("/people", "POST", body="{records}", batch=10, outcomes=PerItem(), safe=False),
        ),
        (
            "update",
            {"path": "/people", "batch": 10, "into": "all", "outcomes": "nothing"},
            Write("/people", "POST", batch=10, into="all", outcomes=Nothing(), safe=True),
        ),
        (
            "create",
            {"path": "/people", "params": {"name": "{record.name}"}},
            Write("/people", "POST", params={"name": "{record.name}"}, outcomes=One(), safe=False),
        ),
        (
            "update",
            {"path": "/people/{id}", "method": "PUT", "safe": False, "outcomes": "one", "body": {"a": 1}},
            Write("/people/{id}", "PUT", body={"a": 1}, outcomes=One(), safe=False),
        ),
    ],
)
def test_a_write_is_as_its_slot_has_it_where_it_does_not_say(slot, said, whole):
    assert getattr(made(**{slot: said}), slot) == whole


def test_an_action_is_posted_and_is_not_repeated():
    action = made(actions={"greet": "/people/{id}/greet"}).actions["greet"]
    assert (action.method, action.body, action.safe) == ("POST", None, False)


def test_the_id_of_a_record_is_its_key():
    assert made(schema={"code": "string!"}, key="code", create="/people").create.outcomes == One("code")
    assert made(schema={"a": "string!", "b": "string!"}, key=["a", "b"], create="/people").create.outcomes == One()


LIST = {"path": "/people", "params": {"sort": "id"}, "records": "rows", "lift": "meta", "paging": {"offset": {}}}


def test_a_list_that_names_no_path_is_that_of_all_records_with_what_it_says():
    found = made(read=LIST, changes={"params": {"since": "{since}"}, "time": "s"}, find={"paging": "none", "values": 5})
    assert found.changes == replace(found.read, params={"sort": "id", "since": "{since}"}, time="s")
    assert found.find == replace(found.read, paging=Single(), values=5)


def test_one_that_names_a_path_takes_over_nothing_but_how_records_look():
    found = made(read=LIST, changes="/changed", get="/people/{id}", find={"path": "/find", "lift": "other"})
    assert found.changes == Read("/changed", lift=("meta",))
    assert found.get == Read("/people/{id}", lift=("meta",))
    assert found.find == Read("/find", lift=("other",))


def test_fields_of_a_body_are_added_to_those_of_the_list():
    read = {"path": "/rpc", "body": {"method": "list", "params": [1]}}
    assert made(read=read, changes={"body": {"params": [2]}}).changes.body == {"method": "list", "params": [2]}


@pytest.mark.parametrize(
    ("said", "sent"),
    [({}, "GET"), ({"body": {"a": 1}}, "POST"), ({"method": "SEARCH", "body": {"a": 1}}, "SEARCH")],
)
def test_a_read_with_a_body_is_posted_unless_it_says_otherwise(session, adapter, said, sent):
    adapter.register_uri(sent, "/people", json=[])
    client = a_client(replace(api(read={"path": "/people", **said}), auth=()), session)
    assert list(next(client.read(client.resource("people"))).records) == []


def test_a_variable_called_as_a_placeholder_is_its_value():
    found = made(
        read={"query": "query ($last: ID, $n: Int) { people }"},
        get={"query": "query ($id: ID!) { person(id: $id) { id } }"},
        update={"query": "mutation($id:ID!, $record: P!) { u(id: $id, data: $record) { id } }", "body": {"id": "x"}},
        create={"query": "mutation { c }"},
    )
    assert found.read.body == {"last": "{last}"}
    assert found.get.body == {"id": "{id}"}
    assert found.update.body == {"id": "x", "record": "{record}"}
    assert found.create.body is None


def test_fields_are_added_to_each_record_that_is_sent_and_give_way_to_its_own(session, adapter):
    adapter.register_uri("POST", "/people", json=[{"id": 1}, {"id": 2}])
    create = Write("/people", batch=5, add={"type": "{kind}", "team": "red"}, outcomes=PerItem())
    resource = people(create=create)
    client = a_client(an_api(resource, settings=(Setting("kind"),)), session, kind="person")
    list(client.write(resource, "create", changes({"name": "a"}, {"name": "b", "team": "blue"})))
    assert adapter.last_request.json() == [
        {"type": "person", "team": "red", "name": "a"},
        {"type": "person", "team": "blue", "name": "b"},
    ]


def settings_of(auth, *declared):
    found = Api("a", "A", URL, auth=auth, settings=declared).settings
    return {setting.name: (setting.secret, setting.required) for setting in found}


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        (Basic(), {"username": (False, True), "password": (True, True)}),
        (Bearer(), {"access_token": (True, True)}),
        (ApiKey(header="X"), {"api_key": (True, True)}),
        (Hmac("{body}", {"X": "{signature}"}), {"secret": (True, True)}),
        (Jwt(), {"private_key": (True, True)}),
        (
            OAuth1(),
            {"consumer_key": (False, True), "consumer_secret": (True, True), "token": (True, True), "token_secret": (True, True)},
        ),
        (OAuth2(URL), {"client_id": (False, True), "client_secret": (True, False), "refresh_token": (True, False)}),
        (
            OAuth2(URL, grant={"grant_type": "password", "username": "{username}", "password": "{password}"}),
            {"client_id": (False, True), "client_secret": (True, False), "username": (False, False), "password": (True, False)},
        ),
        (
            SigV4("s3"),
            {"region": (False, True), "access_key_id": (False, True), "secret_access_key": (True, True), "session_token": (True, False)},
        ),
        (All((Basic(), ApiKey(header="X"))), {"username": (False, True), "password": (True, True), "api_key": (True, True)}),
        ((Bearer(), Basic()), {"access_token": (True, False), "username": (False, False), "password": (True, False)}),
    ],
)  # fmt: skip
def test_the_settings_of_a_way_to_sign_need_not_be_declared(auth, names):
    assert settings_of(auth) == dict(sorted(names.items(), key=lambda pair: list(settings_of(auth)).index(pair[0])))


def test_one_that_is_declared_is_as_it_is_declared():
    assert settings_of(Basic(), Setting("password"), Setting("more")) == {
        "password": (False, False),
        "more": (False, False),
        "username": (False, True),
    }


def test_a_name_of_ones_own_has_to_be_declared():
    [line] = description.problems_of(Api("a", "A", URL, auth=Bearer("{badge}")), "a")
    assert line == "a: auth.bearer: unknown placeholder {badge}. Declare it: settings: {badge: {title: …}}."
    [line] = description.problems_of(Api("a", "A", URL, auth=Bearer("{acess_token}")), "a")
    assert line == 'a: auth.bearer: unknown placeholder {acess_token}. Did you mean "access_token"?'


def test_without_a_check_the_first_list_is_asked_for_one_record(session, adapter):
    lists = (
        people("under", parent="people"),
        people("people", read=Read("/people", records="rows", paging=Offset(size=("limit", 100)))),
    )
    adapter.register_uri("GET", "/people", json={"rows": [{"id": 1}]})
    assert a_client(an_api(*lists), session).check() == {"rows": [{"id": 1}]}
    assert adapter.last_request.qs == {"limit": ["1"], "offset": ["0"]}
    named = an_api(*lists, check=Read("/me"))
    assert named.check == Read("/me")


def test_what_goes_without_saying_is_not_shown():
    resource = {
        "schema": {"id": "string!", "name": "string"},
        "read": {"path": "/people", "records": "rows", "paging": {"cursor": "next"}},
        "changes": {"params": {"since": "{since}"}},
        "get": "/people/{id}",
        "create": "/people",
        "update": "/people/{id}",
        "delete": "/people/{id}",
        "actions": {"greet": "/people/{id}/greet"},
    }
    whole = {"name": "a", "title": "A", "base_url": URL, "auth": "bearer", "resources": {"people": resource}}
    assert json.loads(json.dumps(description.data(description.from_mapping(whole, "test")))) == whole
    assert isinstance(description.from_mapping(whole, "test").resources[0].changes.paging, Cursor)


def test_a_resource_stays_as_it_is_when_it_is_made_anew():
    found = made(read=LIST, changes={"params": {"since": "{since}"}}, create="/people", delete="/people/{id}")
    assert replace(found) == found
    assert replace(found, title="People").changes == found.changes
    assert isinstance(found, Resource)
