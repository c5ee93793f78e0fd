"""Which commands there are: ``antiphon``, a tap for every API with something to read, a target for every one to write."""

import json
import tomllib
from importlib.metadata import distribution, version
from pathlib import Path

import pytest

from antiphon import apis

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]
SCRIPTS = PROJECT["scripts"]
PLUGINS = sorted(SCRIPTS.keys() - {"antiphon"})


@pytest.fixture
def called(capsys, monkeypatch):
    """Calls a command as its script would, and gives what it prints."""
    installed = {script.name: script for script in distribution("antiphon").entry_points}

    def call(name, *arguments):
        monkeypatch.setattr("sys.argv", [name, *arguments])
        with pytest.raises(SystemExit) as ended:
            installed[name].load()()
        assert not ended.value.code
        return capsys.readouterr().out

    return call


def test_the_commands_follow_from_what_the_apis_can_do():
    known = [apis.load(name) for name in apis.names()]
    taps = {f"tap-{api.name.replace('_', '-')}" for api in known if api.readable}
    targets = {f"target-{api.name.replace('_', '-')}" for api in known if api.writable}
    assert {"antiphon"} | taps | targets == set(SCRIPTS)


def test_the_installed_commands_are_the_declared_ones():
    installed = distribution("antiphon").entry_points
    assert {s.name: s.value for s in installed if s.group == "console_scripts"} == SCRIPTS


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_the_class_of_that_name_in_the_folder_of_its_kind(name):
    module, _, attribute = SCRIPTS[name].partition(":")
    assert module == name.replace("-", "_")
    folder = "taps" if name.startswith("tap-") else "targets"
    assert (Path(__file__).parent.parent / folder / f"{module}.py").is_file()
    found, _, method = attribute.partition(".")
    assert (found.lower(), method) == (module.replace("_", ""), "cli")


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_tells_its_version(called, name):
    assert called(name, "--version").startswith(f"{name} v{version('antiphon')}")


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_tells_about_itself(called, name):
    about = json.loads(called(name, "--about", "--format=json"))
    assert about["name"] == name
    assert about["description"]
    assert "None" not in about["description"]
    described = apis.load(name.partition("-")[2])
    for setting in described.settings:
        if setting.reading if name.startswith("tap-") else setting.writing:
            shown = about["settings"]["properties"][setting.name]
            assert bool(shown.get("secret")) == setting.secret


def test_the_command_tells_its_version(called):
    assert called("antiphon", "--version") == f"antiphon {version('antiphon')}\n"
