"""The examples in docs/fields.md do what the page says."""

import json
import re
from pathlib import Path

import pytest

from antiphon import apis
from antiphon.client import Client
from antiphon.errors import InputError
from antiphon.sandbox import start
from antiphon.singer.plan import plan
from antiphon.writeback.fields import Mapper

PAGE = Path(__file__).parent.parent / "docs" / "fields.md"
EXAMPLES = re.findall(r"```json\n(.*?)\n```\n(?:\n```text\n(.*?)\n```)?", PAGE.read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def client():
    server = start("hubspot", records=0)
    client = Client(apis.load("hubspot"), server.config)
    yield client
    client.http.session.close()
    server.stop()


def sent(mapper, record):
    try:
        return mapper(record)
    except InputError as error:
        return str(error)


@pytest.mark.parametrize(("settings", "lines"), EXAMPLES)
def test_an_example_does_what_it_says(client, settings, lines):
    found = plan("contacts", {"contacts": json.loads(settings)}, "target-hubspot")
    resource = client.resource(found.resource)
    mapper = Mapper(found.fields, resource, client.schema(resource), where="contacts")
    for line in lines.splitlines():
        record, _, becomes = line.partition(" -> ")
        assert sent(mapper, json.loads(record)) == (json.loads(becomes) if becomes.startswith("{") else becomes)


def test_there_are_examples():
    assert sum(lines.count(" -> ") for _, lines in EXAMPLES) > 8
