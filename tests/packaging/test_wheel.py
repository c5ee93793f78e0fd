"""The distribution, built, installed alone and run from another directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from antiphon import __version__

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
PEOPLE = "email,firstname,lastname\nada@example.org,Ada,Lovelace\nno-address,No,Address\n"


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The folder with the source distribution, and the wheel built from that."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="session")
def wheel(built):
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def environment(wheel, tmp_path_factory):
    """The folder of an environment with the wheel in it, and what it asks for."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return folder


@pytest.fixture
def elsewhere(environment, tmp_path):
    """Runs a shell line in an empty folder, where the commands are the installed ones."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_ENV"))
    }
    own = {
        **kept,
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }

    def line(text):
        return run("bash", "-o", "pipefail", "-c", text, cwd=tmp_path, env=own)

    return line


def test_the_wheel_holds_the_whole_library_the_plugins_at_its_top_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    library = {str(path.relative_to(ROOT)) for path in (ROOT / "antiphon").rglob("*") if path.is_file()}
    library = {name for name in library if "__pycache__" not in name}
    plugins = {path.name for folder in ("taps", "targets") for path in (ROOT / folder).glob("*.py")}
    assert {"antiphon/py.typed", "antiphon/sandbox/hubspot/emulator.py"} <= library
    assert {f"{name.replace('-', '_')}.py" for name in SCRIPTS.keys() - {"antiphon"}} == plugins
    assert {name for name in names if ".dist-info/" not in name} == library | plugins
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_source_distribution_holds_what_the_wheel_is_built_from(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as members:
        names = {name.partition("/")[2] for name in members.getnames()}
    assert {
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "antiphon/py.typed",
        "taps/tap_csv.py",
        "targets/target_hubspot.py",
    } <= names


def test_the_wheel_asks_for_what_users_need_and_for_no_tool_of_ours(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(name).decode())
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    needs = " ".join(need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need)
    assert "singer-sdk~=0.54.9" in needs
    assert not any(tool in needs for tool in ("pytest", "ruff", "mypy", "meltano", "hubspot"))


def test_nothing_that_it_needs_is_missing_or_of_a_wrong_version(elsewhere):
    assert "No broken requirements" in elsewhere("python -m pip check")


def test_it_is_imported_from_where_it_was_installed(elsewhere, environment):
    for module in ("antiphon", "tap_hubspot", "target_hubspot"):
        assert Path(elsewhere(f"python -c 'import {module}; print({module}.__file__)'")).is_relative_to(environment)


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_command_tells_its_version(elsewhere, name):
    assert __version__ in elsewhere(f"{name} --version")


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - {"antiphon"}))
def test_every_plugin_tells_about_itself(elsewhere, name):
    assert json.loads(elsewhere(f"{name} --about --format=json"))["name"] == name


def test_a_csv_goes_into_the_sandbox_and_comes_out_again(elsewhere, environment, tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "csv.json").write_text(
        json.dumps({"files": [{"path": "people.csv", "entity": "contacts", "keys": ["email"]}]})
    )
    command = [environment / "bin" / "antiphon", "sandbox", "hubspot", "--records", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as sandbox:
        try:
            config = json.loads(sandbox.stdout.readline())["config"]
            (tmp_path / "hubspot.json").write_text(json.dumps({**config, "max_rejects": 1, "rejects": "rejects.jsonl"}))
            elsewhere("tap-csv --config csv.json | target-hubspot --config hubspot.json")
            (tmp_path / "hubspot.json").write_text(json.dumps(config))
            messages = map(json.loads, elsewhere("tap-hubspot --config hubspot.json").splitlines())
        finally:
            sandbox.terminate()
    contacts = [m["record"] for m in messages if m["type"] == "RECORD" and m["stream"] == "contacts"]
    assert [c["lastname"] for c in contacts if c["email"] == "ada@example.org"] == ["Lovelace"]
    assert len(contacts) == 6
    rejects = map(json.loads, (tmp_path / "rejects.jsonl").read_text().splitlines())
    assert [m["record"]["email"] for m in rejects if m["type"] == "RECORD"] == ["no-address"]
