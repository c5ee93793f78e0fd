"""Schemas out of OpenAPI documents, valid or not quite."""

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import openapi
from antiphon.errors import DescriptionError
from antiphon.openapi import Document

ORDER = {
    "type": "object",
    "required": ["id", "code", "note"],
    "properties": {
        "id": {"type": "integer", "format": "int64", "readOnly": True},
        "code": {"type": "string", "title": "Order\ncode"},
        "note": {"type": "string", "nullable": True},
        "placed": {"type": "string", "format": "date-time"},
        "due": {"type": "string", "format": "date"},
        "state": {"type": "string", "enum": ["new", "paid"]},
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
        "shop": {"$ref": "#/components/schemas/Shop"},
    },
}
V3 = {
    "openapi": "3.0.3",
    "paths": {
        "/orders": {
            "get": {"responses": {200: {"$ref": "#/components/responses/Orders"}}},
            "post": {"responses": {"201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}}}},
            "delete": {"responses": {"204": {"description": "gone"}}},
        },
        "/orders/{orderId}": {"get": {"responses": {"default": {"content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/hal+json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Order"}}}}}}},
    },
    "components": {
        "responses": {"Orders": {"content": {"application/json": {"schema": {
            "properties": {"data": {"properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Order"}}}}}}}}}},
        "schemas": {
            "Order": ORDER,
            "Line": {"properties": {"item": {"type": "string"}, "price": {"type": "number"}}},
            "Shop": {"type": "object", "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/components/schemas/Shop"}}},
            "a/b~c": {"properties": {"x": {"type": "string"}}},
            "Pointed": {"properties": {"x": {"$ref": "#/components/schemas/a~1b~0c"}}},
        },
    },
}  # fmt: skip


def field(schema, **more):
    """Return what becomes of one field's schema; *more* are components beside it."""
    root = {"openapi": "3.1.0", "components": {"schemas": {"R": {"properties": {"f": schema}}, **more}}}
    document = Document(root, "doc")
    return document.component("R")["properties"]["f"], document.warnings


def test_a_component_becomes_a_schema():
    found = Document(V3, "doc").component("Order")["properties"]
    assert found["id"] == {"type": "integer", "readOnly": True}
    assert found["code"] == {"type": "string", "title": "Order code"}
    assert found["note"] == {"type": ["string", "null"]}
    assert found["placed"] == {"type": ["string", "null"], "format": "date-time"}
    assert found["due"] == {"type": ["string", "null"], "format": "date"}
    assert found["state"] == {"type": ["string", "null"], "x-options": ["new", "paid"]}
    assert found["lines"]["type"] == ["array", "null"]
    assert found["lines"]["items"]["properties"]["price"] == {"type": ["number", "null"]}


@pytest.mark.parametrize(
    ("path", "method", "records"),
    [("/orders", "get", "data.items"), ("/orders", "POST", ""), ("/orders/{id}", "get", "")],
)
def test_what_an_operation_answers_with_becomes_a_schema(path, method, records):
    document = Document(V3, "doc")
    assert document.answer(path, method, records) == document.component("Order")


def test_swagger_2_says_the_same():
    text = json.dumps({**V3, "definitions": V3["components"]["schemas"], "swagger": "2.0", "components": None})
    old = json.loads(text.replace("components/schemas", "definitions").replace('"nullable"', '"x-nullable"'))
    old["paths"]["/orders"]["get"] = {
        "responses": {"200": {"schema": {"type": "array", "items": {"$ref": "#/definitions/Order"}}}}
    }
    document = Document(old, "doc")
    assert document.component("Order") == Document(V3, "doc").component("Order")
    assert document.answer("/orders") == document.component("Order")


@pytest.mark.parametrize(
    "nullable",
    [
        {"type": "string", "nullable": True},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"oneOf": [{"$ref": "#/components/schemas/Text"}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/components/schemas/Text"}], "nullable": True},
        {"type": "string", "x-nullable": True},
        {"$ref": "#/components/schemas/Text", "nullable": True},
    ],
)
def test_null_is_said_in_each_of_its_ways(nullable):
    root = {
        "R": {"required": ["f", "g"], "properties": {"f": nullable, "g": {"type": "string"}}},
        "Text": {"type": "string"},
    }
    found = Document({"components": {"schemas": root}}, "doc").component("R")["properties"]
    assert found == {"f": {"type": ["string", "null"]}, "g": {"type": "string"}}


def test_parts_are_put_together():
    named = {"properties": {"name": {"type": "string"}}, "required": ["name"]}
    dated = {"properties": {"on": {"type": "string", "format": "date"}}, "required": ["on"]}
    root = {"components": {"schemas": {
        "Both": {"allOf": [named, dated]},
        "Either": {"oneOf": [named, dated]},
        "Own": {"allOf": [{"$ref": "#/components/schemas/Both"}], "properties": {"name": {"type": "integer"}}},
    }}}  # fmt: skip
    document = Document(root, "doc")
    name, on = {"type": "string"}, {"type": "string", "format": "date"}
    assert document.component("Both")["properties"] == {"on": on, "name": name}
    either = document.component("Either")["properties"]
    assert [f["type"] for f in either.values()] == [["string", "null"]] * 2  # one of them may not be there
    assert document.component("Own")["properties"]["name"]["type"] == "integer"
    assert field({"oneOf": [{"type": "string"}, {"type": "integer"}]})[0] == {"type": ["string", "integer", "null"]}


def test_a_description_without_end_has_one():
    shop = Document(V3, "doc").component("Order")["properties"]["shop"]
    assert shop["properties"]["parent"] == {}


def test_escapes_in_references_are_understood():
    assert Document(V3, "doc").component("Pointed")["properties"]["x"]["properties"] == {
        "x": {"type": ["string", "null"]}
    }


@pytest.mark.parametrize(
    ("schema", "made", "warned"),
    [
        ({"$ref": "#/components/schemas/Nowhere"}, {}, "#/components/schemas/Nowhere leads nowhere"),
        ({"$ref": "other.yaml#/Order"}, {}, "other.yaml#/Order is in another document"),
        ({"$ref": "#/components/schemas/R/properties/f"}, {}, "#/components/schemas/R/properties/f is a reference to itself"),
        ({"type": "strnig"}, {}, ""),
        ({"type": 7, "enum": "x", "properties": [], "allOf": {}}, {}, ""),
        ("string", {}, ""),
        (None, {}, ""),
        ({"type": "file"}, {"type": ["string", "null"]}, ""),
        ({"type": "string", "format": "dateTime"}, {"type": ["string", "null"], "format": "date-time"}, ""),
        ({"type": "integer", "format": "timestamp"}, {"type": ["integer", "null"]}, ""),
        ({"enum": ["a", None]}, {"type": ["string", "null"], "x-options": ["a"]}, ""),
        ({"items": {"type": "integer"}}, {"type": ["array", "null"], "items": {"type": "integer"}}, ""),
        ({"additionalProperties": {"type": "string"}}, {"type": ["object", "null"], "additionalProperties": True}, ""),
    ],
)  # fmt: skip
def test_what_is_not_quite_valid_is_let_through(schema, made, warned):
    found, warnings = field(schema)
    assert found == made
    assert warnings == ([warned] if warned else [])


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda d: d.component("Ordr"), 'doc -> there is no component "Ordr". Did you mean "Order"? '),
        (lambda d: d.answer("/order"), 'doc -> there is no path /order. Did you mean "/orders"? '),
        (lambda d: d.answer("/orders", "put"), "doc -> /orders has no PUT. It has: GET, POST, DELETE."),
        (lambda d: d.answer("/orders", records="data.item"),
         'doc -> the answer to GET /orders has no "item". Did you mean "items"? There are: items.'),
        (lambda d: d.answer("/orders", "delete"), "doc -> the answer to DELETE /orders has no schema"),
        (lambda d: d.answer("/orders", records="data.items.code"),
         "doc -> the answer to GET /orders at data.items.code is no object with properties"),
    ],
)  # fmt: skip
def test_what_is_not_described_is_told_with_what_is(ask, said):
    with pytest.raises(DescriptionError) as caught:
        ask(Document(V3, "doc"))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html></html>: [", "doc, line 2 -> neither JSON nor YAML"),
        (b"a: *nobody", "doc, line 1 -> neither JSON nor YAML"),
        (b"!!python/object/apply:os.system [ls]", "doc, line 1 -> neither JSON nor YAML"),
        (b"[1, 2]", "doc -> no OpenAPI document"),
        (b'"text"', "doc -> no OpenAPI document"),
        (b"title: no openapi", "doc -> no OpenAPI document"),
        (b"[" * 100_000, "doc"),
    ],
)
def test_what_is_no_document_is_refused(body, said):
    with pytest.raises(DescriptionError) as caught:
        Document(openapi.parsed(body, "doc"), "doc")
    assert str(caught.value).startswith(said)


def test_yaml_and_json_are_both_read():
    text = "openapi: 3.1.0\ncomponents:\n  schemas:\n    R: {properties: {on: {type: string, example: 2026-01-31}}}\n"
    assert Document(openapi.parsed(text.encode(), "doc"), "doc").component("R")["properties"] == {
        "on": {"type": ["string", "null"]}
    }


def test_aliases_that_stand_for_more_and_more_fill_no_memory():
    layers = "".join(f"l{n}: &l{n} {{<<: [*l{n - 1}, *l{n - 1}], k{n}: *l{n - 1}}}\n" for n in range(1, 60))
    root = openapi.parsed(f"openapi: 3.0.0\nl0: &l0 {{x: 1}}\n{layers}".encode(), "doc")
    wide = {"properties": {f"p{n}": {"$ref": "#/components/schemas/W1"} for n in range(40)}}
    schemas = {
        f"W{n}": {"properties": {f"p{m}": {"$ref": f"#/components/schemas/W{n + 1}"} for m in range(40)}}
        for n in range(9)
    }
    document = Document({**root, "components": {"schemas": {**schemas, "R": wide}}}, "doc")
    assert len(json.dumps(document.component("R"))) < 4 << 20
    assert document.warnings[-1] == "there are more than 20,000 schemas in one record"


_names = st.sampled_from(["a", "b", "c"])
_junk = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["string", "object", "array", "null", "#/components/schemas/a"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["type", "properties", "items", "allOf", "anyOf", "$ref", "required", "nullable", "enum", "a"]), inner, max_size=4
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(_names, _junk, min_size=1))
def test_whatever_a_document_says_a_schema_or_one_clear_error_comes_of_it(schemas):
    document = Document({"components": {"schemas": schemas}}, "doc")
    for name in schemas:
        try:
            found = document.component(name)
        except DescriptionError:
            continue
        jsonschema.Draft7Validator.check_schema(found)
