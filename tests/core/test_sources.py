"""Schemas that the API tells itself: from an endpoint of metadata, and from its OpenAPI document."""

import logging

import pytest

from antiphon import schema
from antiphon.api import Api, Read, Resource
from antiphon.client import Client
from antiphon.errors import BadReply, DescriptionError, NotFound
from antiphon.paging import Page
from antiphon.sources import Metadata, OpenApi

URL = "https://shop.example/v1"
TYPES = {"text": "string", "whole": "integer", "moment": "date-time", "key": "string!"}
DOCUMENT = {"openapi": "3.0.0", "components": {"schemas": {
    "Order": {"required": ["id"], "properties": {"id": {"type": "string"}, "paid": {"type": "boolean"}}},
    "Odd": {"properties": {"x": {"$ref": "elsewhere.json"}}},
}}}  # fmt: skip


@pytest.fixture
def asked(requests_mock):
    """Asks for the schema that a source gives; the routes are what the API answers with."""

    def ask(source, **routes):
        for path, reply in routes.items():
            requests_mock.get(
                f"{URL}/{path}", **(reply if "json" in reply or "status_code" in reply else {"json": reply})
            )
        client = Client(Api("shop", "The shop", URL, resources=(Resource("orders", source),)), {})
        return client.schema(client.api.resources[0])

    return ask


def fields(**more):
    return Metadata(Read("/fields", records="fields"), types=TYPES, **more)


# An endpoint of metadata


def test_each_record_of_the_endpoint_is_a_field(asked):
    listed = [
        {"name": "code", "type": "text"},
        {"name": "seats", "type": "whole"},
        {"name": "paid", "type": "Boolean"},
        {"name": "at", "type": "moment"},
        {"name": "where", "type": "geo"},
    ]
    found = asked(fields(also={"id": "string!"}), fields={"fields": listed})
    assert found == schema.record(
        {
            "id": "string!",
            "code": "string",
            "seats": "integer",
            "paid": "boolean",
            "at": "date-time",
            "where": "any",
        }
    )


def test_what_else_it_says_of_a_field_is_found_at_paths(asked):
    listed = [
        {"key": "code", "schema": {"kind": "text", "unique": True}, "title": "Code", "must": True, "can": {"edit": True}},
        {"key": "state", "schema": {"kind": "text"}, "must": False, "can": {"edit": False},
         "choices": [{"value": "new"}, {"value": "paid"}]},
    ]  # fmt: skip
    source = fields(
        name="key", type="schema.kind", label="title", required="must", unique="schema.unique", writable="can.edit",
        options="choices", option="value",
    )  # fmt: skip
    assert asked(source, fields={"fields": listed})["properties"] == {
        "code": {"type": "string", "x-unique": True, "title": "Code"},
        "state": {"type": ["string", "null"], "readOnly": True, "x-options": ["new", "paid"]},
    }


def test_null_may_be_said_either_way_round(asked):
    listed = [
        {"name": "a", "type": "text", "nil": False},
        {"name": "b", "type": "text", "nil": True},
        {"name": "c", "type": "text"},
    ]
    found = asked(fields(nullable="nil"), fields={"fields": listed})["properties"]
    assert [field["type"] for field in found.values()] == ["string", ["string", "null"], ["string", "null"]]


def test_the_fields_may_be_named_by_the_keys_of_an_object(asked):
    listed = {"code": {"type": "text"}, "total": {"type": "number", "calculated": True}}
    found = asked(fields(name="", readonly="calculated"), fields={"fields": listed})
    assert found["properties"] == {"code": schema.of("string"), "total": schema.of("number", readOnly=True)}


def test_a_list_of_fields_has_pages_as_any_other(asked, requests_mock):
    pages = [{"json": [{"name": "a", "type": "text"}]}, {"json": [{"name": "b", "type": "text"}]}, {"json": []}]
    requests_mock.get(f"{URL}/fields", pages)
    found = asked(Metadata(Read("/fields", paging=Page()), types=TYPES))
    assert list(found["properties"]) == ["a", "b"]


def test_types_that_are_not_translated_are_told_once_each_field(asked, caplog):
    with caplog.at_level(logging.INFO):
        asked(fields(), fields={"fields": [{"name": "where", "type": "geo"}]})
    assert "the type geo of the field where is not in `types`: any value is let through" in caplog.messages


def test_a_word_that_is_none_of_ours_is_refused_at_once():
    with pytest.raises(DescriptionError, match='no type of field is called "txt"'):
        fields(also={"a": "txt"})


def test_a_field_without_a_name_is_an_error_of_the_api(asked):
    with pytest.raises(BadReply, match="shop: asking for the fields -> a field without a name at label"):
        asked(fields(name="label"), fields={"fields": [{"name": "a"}]})


def test_the_api_is_asked_once(asked, requests_mock):
    requests_mock.get(f"{URL}/fields", json={"fields": []})
    client = Client(Api("shop", "The shop", URL, resources=(Resource("orders", fields()),)), {})
    for _ in range(3):
        client.schema(client.api.resources[0])
    assert requests_mock.call_count == 1


# An OpenAPI document


def test_a_component_of_the_document_is_the_schema(asked):
    found = asked(OpenApi(url="/openapi.json", component="Order"), **{"openapi.json": DOCUMENT})
    assert found["properties"] == {"id": {"type": "string"}, "paid": {"type": ["boolean", "null"]}}


def test_the_document_may_be_a_file_and_yaml(asked, tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text("components: {schemas: {Order: {properties: {id: {type: string}}}}}")
    assert asked(OpenApi(file=str(path), component="Order"))["properties"] == {"id": {"type": ["string", "null"]}}


def test_the_document_is_got_once_for_all_resources(requests_mock):
    requests_mock.get(f"{URL}/openapi.json", json=DOCUMENT)
    sources = [OpenApi(url="/openapi.json", component=name) for name in ("Order", "Odd")]
    resources = tuple(Resource(f"r{n}", source) for n, source in enumerate(sources))
    client = Client(Api("shop", "The shop", URL, resources=resources), {})
    for resource in resources:
        client.schema(resource)
    assert requests_mock.call_count == 1


def test_what_the_document_leaves_open_is_told(asked, caplog):
    asked(OpenApi(url="/doc", component="Odd"), doc=DOCUMENT)
    assert "/doc: elsewhere.json is in another document" in caplog.messages


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "a schema from an OpenAPI document needs either `url` or `file`"),
        (
            {"url": "/a", "file": "b", "component": "c"},
            "a schema from an OpenAPI document needs either `url` or `file`",
        ),
        ({"url": "/a"}, "a schema from an OpenAPI document needs either `component` or `path`"),
    ],
)
def test_what_leaves_open_which_schema_is_refused_at_once(given, said):
    with pytest.raises(DescriptionError) as caught:
        OpenApi(**given)
    assert str(caught.value) == said


def test_a_document_that_cannot_be_had_is_one_clear_error(asked, tmp_path):
    with pytest.raises(DescriptionError, match=r"none\.json -> No such file or directory. Check the path\."):
        asked(OpenApi(file=str(tmp_path / "none.json"), component="Order"))
    with pytest.raises(NotFound, match="shop: asking for the OpenAPI document -> 404"):
        asked(OpenApi(url="/doc", component="Order"), doc={"status_code": 404})
