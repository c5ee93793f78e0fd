"""Descriptions in YAML and JSON: read, printed, and the same as in Python."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from antiphon import apis, description
from antiphon.api import Api, LimitHeaders, RateLimit, Read, Resource, Setting, Then, Write
from antiphon.auth import ApiKey, Bearer
from antiphon.description import shapes
from antiphon.errors import DescriptionError
from antiphon.outcome import Nothing, One
from antiphon.paging import Cursor, LinkHeader
from antiphon.schema import record
from tests.core import descriptions

SMALL = """\
name: my_api
title: My API
base_url: https://api.example.com/v1
auth: {bearer: "{access_token}"}
settings:
  access_token: {title: Access token, secret: true, required: true}
limits: {calls: 100, seconds: 60}
check: /me
resources:
  people:
    schema: {id: string! readonly, email: string, name: string, updated_at: date-time readonly}
    aliases: person
    updated: updated_at
    match: email
    read: &list
      path: /people
      records: items
      paging: {cursor: {next: next, param: cursor, size: {limit: 100}}}
    changes: {<<: *list, params: {updated_since: "{since}"}}
    get: /people/{id}
    create: {path: /people, body: "{record}"}
    delete: {path: "/people/{id}", method: DELETE, outcomes: nothing, safe: true}
"""
PAGES = Cursor(next="next", param="cursor", size=("limit", 100))
PYTHON = Api(
    "my_api",
    title="My API",
    base_url="https://api.example.com/v1",
    auth=Bearer("{access_token}"),
    settings=(Setting("access_token", "Access token", secret=True, required=True),),
    limits=(RateLimit(100, 60),),
    check=Read("/me"),
    resources=(
        Resource(
            "people",
            record(
                {"id": "string!", "email": "string", "name": "string", "updated_at": "date-time"},
                readonly=["id", "updated_at"],
            ),
            aliases=("person",),
            updated="updated_at",
            match=("email",),
            read=Read("/people", records="items", paging=PAGES),
            changes=Read("/people", params={"updated_since": "{since}"}, records="items", paging=PAGES),
            get=Read("/people/{id}"),
            create=Write("/people", body="{record}"),
            delete=Write("/people/{id}", "DELETE", outcomes=Nothing(), safe=True),
        ),
    ),
)


def parsed(**slots):
    """Return the small API with some slots of its resource in YAML's place."""
    whole = json.loads(json.dumps(description.data(PYTHON)))
    whole["resources"]["people"] |= slots
    return description.from_mapping(whole, "test").resources[0]


def test_yaml_is_the_same_as_python():
    assert description.parse(SMALL, "my.yaml") == PYTHON


def test_json_is_the_same_as_python(tmp_path):
    file = tmp_path / "my.json"
    file.write_text(json.dumps(description.data(PYTHON), indent="\t"), "utf-8")
    assert description.load(file) == PYTHON


def test_what_is_printed_reads_back():
    assert description.parse(description.dump(PYTHON), "printed") == PYTHON


def test_a_path_alone_is_a_request_and_one_stands_for_a_list_of_one():
    people = parsed(read="/people", match="name", always=["a", "b"])
    assert (people.read, people.match, people.always) == (Read("/people"), ("name",), ("a", "b"))


def test_a_kind_without_arguments_is_a_bare_word_and_one_argument_needs_no_name():
    assert parsed(read={"path": "/", "paging": "link_header"}).read.paging == LinkHeader()
    assert parsed(read={"path": "/", "paging": {"link_header": "after"}}).read.paging == LinkHeader("after")
    assert parsed(update={"path": "/", "outcomes": {"one": "key"}}).update.outcomes == One("key")


def test_a_name_and_its_value_are_a_list_or_a_mapping():
    sizes = [
        parsed(read={"path": "/", "paging": {"cursor": {"next": "a", "param": "b", "size": size}}}).read.paging.size
        for size in (["limit", 5], {"limit": 5})
    ]
    assert sizes == [("limit", 5), ("limit", 5)]


def test_several_ways_to_sign_are_a_list():
    whole = {**description.data(PYTHON), "auth": [{"bearer": {}}, {"api_key": {"header": "X-Key"}}]}
    found = description.from_mapping(whole, "test")
    assert found.auth == (Bearer(), ApiKey(header="X-Key"))
    assert [(s.name, s.secret, s.required) for s in found.settings] == [
        ("access_token", True, False),
        ("api_key", True, False),
    ]


def test_nested_parts_are_objects_too():
    read = parsed(read={"path": "/", "then": {"read": {"path": "/more", "method": "POST"}, "size": 5}}).read
    assert read.then == Then(Read("/more", "POST"), size=5)
    whole = {**description.data(PYTHON), "limits": [{"calls": 1, "seconds": 2, "headers": {"limit": "X-Limit"}}]}
    assert description.from_mapping(whole, "test").limits == (RateLimit(1, 2, headers=LimitHeaders("X-Limit")),)


def test_a_schema_is_words_or_a_json_schema():
    fields = {"id": "integer!", "kind": {"type": "string", "enum": ["a"]}, "code": "string unique writeonly"}
    whole = record({**fields, "code": {"type": ["string", "null"], "x-unique": True, "writeOnly": True}})
    assert parsed(schema=fields, match="code", updated="").schema == whole
    assert parsed(schema=whole, match="code", updated="").schema == whole


def test_words_are_what_they_look_like():
    body = description.parse(
        SMALL.replace('body: "{record}"', "body: {a: no, b: 2026-01-01, c: 010, d: 1_000, e: 1e3, f: ~, g: True, h: 0o7, 5: 12:30}"),
        "my.yaml",
    ).resources[0].create.body  # fmt: skip
    told = {
        "a": "no",
        "b": "2026-01-01",
        "c": "010",
        "d": "1_000",
        "e": 1000.0,
        "f": None,
        "g": True,
        "h": "0o7",
        "5": "12:30",
    }
    assert body == told


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(descriptions.apis)
def test_any_description_reads_back_from_yaml_and_json(api):
    assert description.parse(description.dump(api), "yaml") == api
    assert description.parse(json.dumps(description.data(api)), "json") == api


KINDS = [(slot, word) for slot in shapes.SLOTS for word in shapes.kinds(slot)]


def using(slot, kind):
    """Return an API in which *kind* fills the *slot*."""
    match slot:
        case "auth" | "style":
            return descriptions.declared(Api("a", "A", "", **{"auth": (), slot: kind}))
        case "schema":
            return Api("a", "A", "", (Resource("people", kind),))
        case "reader":
            return Api("a", "A", "", (Resource("people", record({}), deleted=kind),))
        case "outcomes":
            return Api("a", "A", "", (Resource("people", record({}), create=Write("/", outcomes=kind)),))
        case _:
            return Api("a", "A", "", (Resource("people", record({}), read=Read("/", **{slot: kind})),))


@pytest.mark.parametrize(("slot", "word"), KINDS)
def test_every_kind_reads_back(slot, word):
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(descriptions.objects(shapes.kinds(slot)[word]))
    def every(kind):
        assert description.parse(description.dump(using(slot, kind)), "test") == using(slot, kind)

    every()


@pytest.mark.parametrize("name", apis.names())
def test_what_is_data_in_an_api_reads_back(name):
    data = descriptions.pure_object(Api, apis.load(name))
    assert [resource.name for resource in data.resources] == [resource.name for resource in apis.load(name).resources]
    assert description.parse(description.dump(data), name) == data


@pytest.mark.parametrize("name", ["hubspot", "odoo", "pretix", "salesforce"])
def test_what_is_no_data_is_named_and_not_read_back(name):
    text = description.dump(apis.load(name))
    assert f"function: 'antiphon.apis.{name}" in text
    with pytest.raises(DescriptionError, match=r"function .* Functions are for descriptions in Python"):
        description.parse(text, name)


def test_a_file_that_is_not_there_is_one_line():
    with pytest.raises(DescriptionError, match=r"reading nowhere\.yaml -> No such file or directory"):
        description.load(Path("nowhere.yaml"))
