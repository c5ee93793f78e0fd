"""Where schemas come from, on a Directus: its list of fields, its OpenAPI document, and its records."""

import subprocess
import sys

import jsonschema
import pytest

from antiphon import connect, schema

WORDS = {
    "id": "integer! readonly",
    "email": "string",
    "name": "string",
    "age": "integer",
    "vip": "boolean",
    "date_created": "date-time",
    "date_updated": "date-time",
}
SOURCES = {
    "by its list of fields": "{metadata: {read: {path: /fields/people, records: data}, name: field, types: {timestamp: date-time}, "
    "nullable: schema.is_nullable, unique: schema.is_unique}}",
    "by a component": "{openapi: {url: /server/specs/oas, component: ItemsPeople}}",
    "by what is answered": "{openapi: {url: /server/specs/oas, path: /items/people, records: data}}",
}
DIRECTUS = """\
name: directus
title: Directus
base_url: {base_url}
auth: {{bearer: "{{access_token}}"}}
settings: {{access_token: {{secret: true, required: true}}}}
resources:
  people:
    schema: {schema}
    match: email
    read: {{path: /items/people, records: data, paging: {{page: {{size: {{limit: 2}}}}}}}}
"""


@pytest.fixture
def described(served, tmp_path):
    """Writes the description with a schema, and connects by it."""
    directus = served("directus")
    for row in directus.table.rows():  # of the tests before
        directus.table.remove(row)
    directus.table.add(
        [{"email": f"p{n}@example.org", "name": None if n else "P", "age": n, "vip": n > 1} for n in range(3)]
    )

    def write(source):
        path = tmp_path / "directus.yaml"
        path.write_text(DIRECTUS.format(base_url=directus.config["base_url"], schema=source))
        return path, directus.config["access_token"]

    yield write
    for row in directus.table.rows():
        directus.table.remove(row)


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_the_schema_that_the_server_gives_has_every_field_and_every_record_is_valid_by_it(described, source):
    path, token = described(source)
    directus = connect(path, access_token=token)
    told = directus.client.schema(directus.client.resource("people"))
    rows = list(directus.read("people"))
    assert len(rows) == 3
    assert told["properties"].keys() == rows[0].keys()
    assert told["properties"]["date_created"]["format"] == "date-time"
    for row in rows:
        jsonschema.validate(row, told)


def test_a_sample_of_its_records_shows_them_as_well(described):
    path, token = described("")
    command = [sys.executable, "-m", "antiphon.cli", "infer", path, "--set", f"access_token={token}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[0] == "people: 3 records"
    assert connect(path, access_token=token).api.resources[0].schema == schema.record(WORDS)
