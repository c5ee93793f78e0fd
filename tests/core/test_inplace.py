"""Fields are put into a description's text where they belong, and nothing else of it changes."""

import json
from textwrap import dedent

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from antiphon import inplace
from antiphon.errors import DescriptionError

FIELDS = {"id": "string!", "seats": "integer"}


def put(text, fields=FIELDS, resource="orders", **more):
    return inplace.with_fields(dedent(text).lstrip("\n"), resource, fields, **more)


def is_now(text):
    return dedent(text).lstrip("\n")


def test_a_resource_without_a_schema_gets_one_after_what_it_is_called():
    assert put("""
        # The shop.
        resources:
          orders:
            aliases: [order]  # as the till says
            match: code

            # All of them, page by page.
            read: {path: /orders}

          lines:  # of orders
            read: /lines
        """) == is_now("""
        # The shop.
        resources:
          orders:
            aliases: [order]  # as the till says
            match: code
            schema:
              id: string!
              seats: integer

            # All of them, page by page.
            read: {path: /orders}

          lines:  # of orders
            read: /lines
        """)


def test_it_stands_first_where_nothing_is_said_of_the_name():
    assert put("""
        resources:
            orders:
                read:
                    path: /orders
        """) == is_now("""
        resources:
            orders:
                schema:
                    id: string!
                    seats: integer
                read:
                    path: /orders
        """)


def test_new_fields_come_after_those_there_are_and_changed_ones_keep_their_place():
    assert put("""
        resources:
          orders:
            schema:
              seats: string  # how many
              'code': |-
                string
              # and no more

            read: /orders""") == is_now("""
        resources:
          orders:
            schema:
              seats: integer  # how many
              'code': |-
                string
              id: string!
              # and no more

            read: /orders""")


def test_a_schema_in_braces_stays_in_braces():
    assert put("""
        resources:
          orders:
            schema: {seats: "string", code: string}  # two
            read: /orders
        """) == is_now("""
        resources:
          orders:
            schema: {seats: integer, code: string, id: string!}  # two
            read: /orders
        """)


@pytest.mark.parametrize("nothing", ["", " {}", " ~", "  # to be inferred"])
def test_an_empty_schema_is_filled(nothing):
    text = put(f"resources:\n  orders:\n    schema:{nothing}\n    read: /orders\n")
    assert yaml.safe_load(text)["resources"]["orders"] == {"schema": FIELDS, "read": "/orders"}
    assert text.count("#") == nothing.count("#")


@pytest.mark.parametrize(
    "text",
    ["resources: {orders: {read: /orders}}", "resources:\n  orders: {}", "resources: {orders: {schema: {}, read: /o}}"],
)
def test_a_resource_in_braces_gets_its_schema_in_braces(text):
    found = yaml.safe_load(put(text))["resources"]["orders"]
    assert found["schema"] == FIELDS


def test_json_stays_json():
    text = json.dumps({"resources": {"orders": {"read": "/orders"}, "lines": {"schema": {"id": "string"}}}}, indent=2)
    made = put(text, as_json=True)
    assert json.loads(made)["resources"]["orders"] == {"schema": FIELDS, "read": "/orders"}
    assert [line for line in made.splitlines() if "schema" not in line] == [
        line for line in text.splitlines() if "schema" not in line
    ]
    again = put(made, {"x": "any", "id": "integer!"}, "lines", as_json=True)
    assert json.loads(again)["resources"]["lines"]["schema"] == {"id": "integer!", "x": "any"}


def test_line_ends_and_the_last_line_stay_as_they_are():
    assert put("resources:\r\n  orders:\r\n    read: /o").encode() == (
        b"resources:\r\n  orders:\r\n    schema:\r\n      id: string!\r\n      seats: integer\r\n    read: /o"
    )
    assert put("resources:\n  orders:\n    name: x") == (
        "resources:\n  orders:\n    name: x\n    schema:\n      id: string!\n      seats: integer\n"
    )


def test_a_resource_that_is_written_elsewhere_is_left_alone():
    text = "x: &o {read: /o}\nresources:\n  orders: *o\n"
    with pytest.raises(DescriptionError, match="the resource orders is written elsewhere in the file"):
        put(text)
    with pytest.raises(DescriptionError, match="the resource lines does not stand in the file"):
        put(text, resource="lines")


@pytest.mark.parametrize(
    ("schema", "fields", "by_words"),
    [
        ("{a: string, b: {type: string}}", {"a": "string", "b": None}, True),
        ("", {}, True),
        ("{type: object, properties: {a: {}}}", {"type": "object", "properties": None}, False),
        ("[a]", {}, False),
    ],
)
def test_a_schema_is_read_as_it_is_written(schema, fields, by_words):
    found = inplace.schema(f"resources:\n  orders:\n    schema: {schema}\n", "orders")
    assert (found.fields, found.by_words) == (fields, by_words)


_names = st.text("ab:#{}[],&*!|>'\"%@`- \\é0", min_size=1, max_size=6) | st.sampled_from(
    ["yes", "null", "1", "1.5", "<<", "2026-01-01"]
)
_words = st.sampled_from(["string", "integer!", "date-time readonly", "any"])
_rest = st.dictionaries(
    st.sampled_from(["title", "read", "key", "get", "match"]),
    st.sampled_from(["x", ["a", "b"], {"p": "q", "r": ["s"]}, "two\nlines\n"]),
)


@given(
    st.dictionaries(_names, _words, max_size=4),
    st.dictionaries(_names, _words, min_size=1, max_size=4),
    _rest,
    st.sampled_from(["block", "flow", "json", "mixed"]),
    st.booleans(),
)  # fmt: skip
def test_whatever_the_style_the_fields_are_there_and_the_rest_is_as_it_was(old, new, rest, style, after):
    orders = {**rest, **({"schema": old} if old else {})} if after else {**({"schema": old} if old else {}), **rest}
    whole = {"name": "shop", "resources": {"first": {"read": "/f"}, "orders": orders, "last": {"read": "/l"}}}
    if style == "json":
        text = json.dumps(whole, indent=2)
    else:
        flow = {"block": False, "flow": True, "mixed": None}[style]
        text = yaml.safe_dump(whole, default_flow_style=flow, sort_keys=False, width=60)
    made = inplace.with_fields(text, "orders", new, as_json=style == "json")
    read = json.loads(made) if style == "json" else yaml.safe_load(made)
    expected = {**whole, "resources": {**whole["resources"], "orders": {**orders, "schema": {**old, **new}}}}
    assert read == expected
