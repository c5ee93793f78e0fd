import importlib.util
import re
from pathlib import Path

from antiphon import scaffold

ROOT = Path(__file__).parent.parent


def read(name):
    return (ROOT / name).read_text("utf-8")


def writer():
    spec = importlib.util.spec_from_file_location("write_readme", ROOT / "scripts" / "write_readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_s_table_of_apis_is_what_the_descriptions_say():
    text = read("README.md")
    assert writer().filled(text, "apis", writer().table()) == text


def test_the_readme_shows_the_demo_s_real_output():
    shown = read("README.md").partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0]
    for part in (
        "$ tap-hubspot --config hubspot.json",
        "| target-hubspot",
        "created",
        "rejected",
        "every record is accounted for",
    ):
        assert part in shown


def test_contributing_opens_with_the_description_that_antiphon_new_writes():
    text = read("CONTRIBUTING.md")
    assert text.startswith("# Contributing\n\n## Add an API\n")
    assert scaffold.description("my_api").strip() in text


def test_every_link_to_a_file_of_the_repository_leads_somewhere():
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
        *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
    ):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", read(name)):
            assert ((ROOT / name).parent / target).exists(), f"{name} -> {target}"
