"""The command as a whole: help, version, exit codes, and what it imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from antiphon import __version__
from antiphon.cli import COMMANDS

ROOT = Path(__file__).parents[2]


def test_version_is_that_of_the_package(run):
    ran = run("--version")
    assert (ran.code, ran.out) == (0, f"antiphon {__version__}\n")


def test_help_lists_every_subcommand_in_one_order(run):
    ran = run("--help")
    shown = [line.split()[0] for line in ran.out.split("Commands:")[1].splitlines() if line.startswith("  ")]
    assert [name for name in shown if name in COMMANDS] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_subcommand_has_help_with_an_example(run, name):
    ran = run(name, "--help")
    assert ran.code == 0
    assert f"Usage: antiphon {name}" in ran.out
    assert f"antiphon {name}" in ran.out.partition("Example")[2]


def test_no_help_shows_a_secret_on_the_command_line(run):
    for name in COMMANDS:
        text = run(name, "--help").out
        assert "access_token=" not in text
        assert "--set access" not in text


def test_an_unknown_subcommand_is_wrong_usage(run):
    ran = run("frobnicate")
    assert ran.code == 2
    assert "frobnicate" in ran.err


def test_an_error_is_one_line_on_stderr_and_exit_code_1(run):
    ran = run("check", "hubsport")
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert ran.err.startswith('antiphon: there is no connection and no API "hubsport". Did you mean "hubspot"?')


def test_a_closed_stdout_ends_silently():
    line = f"{sys.executable} -m antiphon.cli apis --json | true"
    ran = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stderr == ""


AND_TELL = """
import json, sys
from antiphon.cli import main
try:
    main(sys.argv[1:])
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def imported_by(*args):
    """Return the names of the modules that a run of the command imports, and its output."""
    command = [sys.executable, "-c", AND_TELL, *args]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(ran.stderr)), ran.stdout


def test_a_one_liner_imports_neither_singer_nor_what_it_does_not_use(hubspot, tmp_path):
    config = tmp_path / "sandbox.json"
    config.write_text(json.dumps({"config": hubspot.config}))
    modules, out = imported_by("get", "hubspot", "owner", "81200101", "--config", str(config))
    assert json.loads(out)["email"] == "grace.park@example.com"
    assert "antiphon.apis.hubspot" in modules
    unused = {
        "singer_sdk",
        "jsonschema",
        "asyncio",
        "backoff",
        "antiphon.auth.oauth2",
        "antiphon.openapi",
        "antiphon.script",
        "antiphon.sources",
        "antiphon.style.envelopes",
        "rich",
        "sqlalchemy",
        "sqlite3",
        "filelock",
        "antiphon.sandbox",
        "antiphon.apis.pretix",
        "yaml",
    }
    assert not unused & modules
    assert not [name for name in modules if name.startswith("singer")]


def test_version_imports_nothing_of_the_library(hubspot):
    modules, _ = imported_by("--version")
    assert not {"requests", "jsonschema", "rich", "msgspec", "antiphon.client", "singer_sdk"} & modules
