"""What the docs promise is what the descriptions say."""

import importlib
from pathlib import Path

import pytest

from antiphon import apis, schema
from antiphon.api import Read, Resource, Write
from antiphon.writeback.guarantee import guarantee

ROOT = Path(__file__).parent.parent
FIND = Read("/things")


def thing(create, **more):
    return Resource(
        "things", more.pop("schema", schema.record({"id": "string!", "code": "string"})), create=create, **more
    )


def test_the_tables_in_the_docs_are_current():
    text = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
    writer = importlib.import_module("write_guarantees")
    assert writer.filled(text, "guarantees", writer.tables()) == text, "run scripts/write_guarantees.py"


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (thing(Write("/t", remembers=86400)), "exactly once: idempotency key, for 1 day"),
        (thing(Write("/t", safe=True)), "exactly once: repeatable"),
        (thing(Write("/t"), find=FIND), "exactly once: look-up by any match field; without one at most once"),
        (
            thing(Write("/t"), find=FIND, match=("code",), prompt=("code",)),
            "exactly once: look-up by code; else at most once",
        ),
        (thing(Write("/t"), find=FIND, match=("code",), prompt=()), "at most once: a look-up may lag"),
        (
            thing(Write("/t"), find=FIND, match=("code",), prompt=(), schema=lambda _: {}),
            "exactly once: look-up by a unique field; by code, or without, at most once",
        ),
        (thing(Write("/t")), "at most once"),
        (thing(lambda *_: iter(())), "at most once"),
        (thing(None), ""),
    ],
)
def test_a_creation_is_promised_what_its_description_can_keep(resource, says):
    assert guarantee(resource, "create") == says


def test_what_can_be_repeated_is_done_exactly_once_and_what_cannot_at_most_once():
    resource = thing(None, update=Write("/t", safe=True), delete=Write("/t", safe=False), find=FIND)
    assert guarantee(resource, "update") == "exactly once: repeatable"
    assert guarantee(resource, "delete") == "at most once"


@pytest.mark.parametrize("name", apis.names())
def test_every_operation_of_every_api_is_promised_something(name):
    for resource in apis.load(name).resources:
        for operation in set(resource.WRITING) & set(resource.operations):
            assert guarantee(resource, operation).startswith(("exactly once", "at most once"))
