"""What is drawn from the types of a description is up to date; what the page on descriptions shows, works."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from antiphon import description
from antiphon.api import Api
from antiphon.cli import COMMANDS
from antiphon.description import shapes
from antiphon.description.completion import explained, summary

ROOT = Path(__file__).parent.parent


def writer():
    spec = importlib.util.spec_from_file_location("write_description", ROOT / "scripts" / "write_description.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_json_schema_in_the_repository_is_up_to_date():
    assert writer().SCHEMA.read_text("utf-8") == writer().schema(), "run: make describe"


PAGE = (ROOT / "docs" / "describe.md").read_text("utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
LOGGING_IN = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "login.md").read_text("utf-8"), re.DOTALL)
#: What a snippet that shows a part stands in: the settings of every kind are declared, and a resource is there.
AROUND = {
    "name": "around",
    "title": "Around",
    "base_url": "https://api.example.com",
    "settings": {
        name: {}
        for name in (
            "access_token",
            "api_key",
            "username",
            "password",
            "client_id",
            "client_secret",
            "private_key",
            "secret",
        )
    },
}
RESOURCE = {"schema": {"id": "integer!", "updated_at": "date-time"}, "updated": "updated_at"}


def whole(snippet):
    """Return the description that a snippet is, or is a part of."""
    part = yaml.safe_load(snippet)
    if set(part) <= {"name", *shapes.fields(Api)}:
        settings = {**AROUND["settings"], **part.get("settings", {})}
        return {**AROUND, **part, "settings": settings}
    return {**AROUND, "resources": {"orders": {**RESOURCE, **part}}}


def test_there_are_snippets():
    assert len(SNIPPETS) > 20


@pytest.mark.parametrize("snippet", [*SNIPPETS, *LOGGING_IN], ids=lambda snippet: snippet.splitlines()[0][:40])
def test_a_snippet_is_a_description_or_a_part_of_one(snippet):
    assert description.from_mapping(whole(snippet), "snippet")


def test_the_first_snippet_is_a_whole_file_of_some_twenty_lines():
    assert description.parse(SNIPPETS[0], "shop.yaml").writable
    assert len(SNIPPETS[0].splitlines()) < 30


def test_the_tables_of_kinds_are_up_to_date_and_leave_none_out():
    assert writer().filled(PAGE) == PAGE, "run: make describe"
    for slot in shapes.SLOTS:
        for word in shapes.kinds(slot):
            assert slot == "reader" or f"| `{word}` |" in PAGE


def test_everything_that_can_be_said_is_explained():
    kinds = [cls for slot in shapes.SLOTS for cls in shapes.kinds(slot).values()]
    for cls in (*writer().TYPES.values(), *kinds):
        assert summary(cls), cls
        assert set(shapes.fields(cls)) <= set(explained(cls)), cls


def test_every_command_on_the_page_exists():
    used = {
        name
        for pair in re.findall(r"^(?:\S+=\S+ )?antiphon (\w+)|`antiphon (\w+)", PAGE, re.MULTILINE)
        for name in pair
        if name
    }
    assert used <= set(COMMANDS)
