"""The compiled validator: what it accepts, jsonschema accepts; and it does accept what taps send."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.singer.reader import decoded
from antiphon.singer.sink import _DRAFT
from antiphon.singer.valid import compiled

names = st.sampled_from(["a", "b", "c", "_sdc_x", "deep.name", "ü"])
texts = st.sampled_from(["", "a", "ab", "new", "🙂"]) | st.text(max_size=5)
numbers = st.one_of(st.integers(-3, 3), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
kinds = st.sampled_from(["string", "integer", "number", "boolean", "null"])
scalars = st.fixed_dictionaries(
    {"type": st.one_of(kinds, st.lists(kinds, min_size=1, max_size=3, unique=True))},
    optional={
        "format": st.sampled_from(["date-time", "date"]),
        "maxLength": st.integers(0, 3),
        "minLength": st.integers(0, 2),
        "minimum": st.integers(-2, 2),
        "maximum": st.integers(-2, 2),
        "enum": st.lists(st.one_of(texts, st.none(), st.integers(0, 2)), min_size=1, max_size=3, unique=True),
        "title": texts,
        "x-options": st.just(["a"]),
        "pattern": st.just("^a"),
    },
)

worded = st.fixed_dictionaries(
    {"type": st.sampled_from(["string", ["string", "null"]])},
    optional={
        "enum": st.lists(texts | st.none(), min_size=1, max_size=3, unique=True),
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(0, 3),
        "format": st.just("date-time"),
    },
)


def nested(children):
    objects = st.fixed_dictionaries(
        {"type": st.sampled_from(["object", ["object", "null"], ["object", "string"]])},
        optional={
            "properties": st.dictionaries(names, children, max_size=3),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.booleans(),
        },
    )
    arrays = st.fixed_dictionaries(
        {"type": st.sampled_from(["array", ["array", "null"]])}, optional={"items": st.one_of(children, st.just({}))}
    )
    return st.one_of(objects, arrays)


schemas = st.fixed_dictionaries(
    {"properties": st.dictionaries(names, st.recursive(scalars | worded, nested, max_leaves=6))},
    optional={
        "type": st.just("object"),
        "required": st.lists(names, max_size=2, unique=True),
        "additionalProperties": st.booleans(),
    },
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda children: st.one_of(st.lists(children, max_size=3), st.dictionaries(names, children, max_size=3)),
    max_leaves=6,
)


def accepts(check, raw):
    try:
        check(b'{"type":"RECORD","stream":"people","record":' + raw + b"}")
    except msgspec.MsgspecError:
        return False
    return True


def meant_for(schema):
    """Values that *schema* may well take: of its enum, of its type."""
    if not isinstance(schema, dict) or not schema:
        return values
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | values
    kind = schema.get("type", "object")
    if "object" in kind:
        known = schema.get("properties", {})
        return st.fixed_dictionaries({}, optional={name: meant_for(inner) for name, inner in known.items()}) | values
    if "array" in kind:
        return st.lists(meant_for(schema.get("items", {})), max_size=3) | values
    return values


def agrees(schema, record):
    raw = msgspec.json.encode(record)
    check = compiled("people", schema)
    if check is not None and accepts(check, raw):
        assert _DRAFT(schema).is_valid(decoded(raw))


@given(schemas, st.data())
def test_what_is_surely_valid_is_valid_by_jsonschema(schema, data):
    meant = {name: meant_for(inner) for name, inner in schema["properties"].items()}
    further = data.draw(st.dictionaries(names, values, max_size=2))
    agrees(schema, further | data.draw(st.fixed_dictionaries({}, optional=meant)))


@settings(max_examples=300)
@given(scalars | worded, st.data())
def test_the_same_of_a_single_field(schema, data):
    agrees({"properties": {"a": schema}}, {"a": data.draw(meant_for(schema))})


TYPES = {
    "id": {"type": "integer"},
    "name": {"type": ["string", "null"], "maxLength": 3},
    "amount": {"type": ["number", "null"]},
    "stage": {"type": ["string", "null"], "enum": ["new", "won", None]},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "tags": {"type": ["array", "null"], "items": {"type": "string"}},
    "address": {"type": ["object", "null"], "properties": {"city": {"type": ["string", "null"]}}},
    "any": {},
}
SCHEMA = {"type": "object", "properties": TYPES, "required": ["id"]}


@pytest.mark.parametrize(
    "record",
    [
        {"id": 1},
        {"id": 123456789012345678901234567890, "amount": 4.35},
        {
            "id": 1,
            "name": None,
            "amount": 7,
            "stage": "won",
            "at": "2026-01-31",
            "tags": ["a"],
            "any": [1, {"b": None}],
        },
        {"id": 1, "stage": None, "address": {"city": "Gent", "further": True}, "further": 1},
    ],
)
def test_what_taps_send_needs_no_second_look(record):
    assert accepts(compiled("people", SCHEMA), msgspec.json.encode(record))
    assert accepts(compiled("people", {"properties": TYPES, "required": ["id"]}), msgspec.json.encode(record))


@pytest.mark.parametrize(
    "record",
    [{}, {"id": "1"}, {"id": True}, {"id": 1, "name": "long"}, {"id": 1, "stage": "lost"}, {"id": 1, "tags": [1]}],
)
def test_what_is_not_valid_is_not_accepted(record):
    assert not accepts(compiled("people", SCHEMA), msgspec.json.encode(record))


@pytest.mark.parametrize("kind", ["null", "string", ["object", "null"]])
def test_no_record_is_accepted_that_is_no_object(kind):
    check = compiled("people", {"type": kind})
    assert check is None or not any(accepts(check, raw) for raw in (b"null", b'"a"'))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}]}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "a"}}},
        {"type": "object", "properties": {"a": {"type": "number", "multipleOf": 0.01}}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {"type": "word"}}},
        {"type": "object", "properties": {"a": {"type": ["array", "array"], "items": [{}]}}},
    ],
)
def test_a_schema_that_no_type_says_is_not_compiled(schema):
    assert compiled("people", schema) is None
