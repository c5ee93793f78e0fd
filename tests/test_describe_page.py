"""What is drawn from the types of a description is up to date; what the page on descriptions shows, works."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parent.parent


def writer():
    spec = importlib.util.spec_from_file_location("write_description", ROOT / "scripts" / "write_description.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_json_schema_in_the_repository_is_up_to_date():
    assert writer().SCHEMA.read_text("utf-8") == writer().schema(), "run: make describe"
