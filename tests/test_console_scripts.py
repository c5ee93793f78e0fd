"""Which commands there are: ``antiphon``, a tap for every API with something to read, a target for every one to write."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon import apis, launch
from antiphon.singer.universal import ANY

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
    known = [apis.load(name) for name in apis.shipped()]
    taps = {f"tap-{api.name.replace('_', '-')}" for api in known if api.readable}
    targets = {f"target-{api.name.replace('_', '-')}" for api in known if api.writable}
    assert {"antiphon"} | {"tap-universal", "target-universal"} | taps | targets == set(SCRIPTS)


def test_the_installed_commands_are_the_declared_ones():
    installed = distribution("antiphon").entry_points
    assert {s.name: s.value for s in installed if s.group == "console_scripts"} == SCRIPTS


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_is_the_class_of_that_name_in_the_folder_of_its_kind(name):
    module = name.replace("-", "_")
    assert SCRIPTS[name] == f"antiphon.launch:{module}"
    folder = "taps" if name.startswith("tap-") else "targets"
    assert (Path(__file__).parent.parent / folder / f"{module}.py").is_file()
    assert launch.plugin(module).__name__.lower() == module.replace("_", "")


def test_only_plugins_are_launched():
    with pytest.raises(AttributeError):
        _ = launch.nothing


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_tells_its_version_as_the_sdk_would_and_does_not_load_it(name):
    module = name.replace("-", "_")
    said = f"import sys; from antiphon.launch import {module}; sys.argv = [{name!r}, '--version']; {module}()"
    watched = f"import atexit, sys; atexit.register(lambda: print('singer_sdk' in sys.modules)); {said}"
    light = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, check=True).stdout
    told, loaded = light.splitlines()
    assert loaded == "False"
    plain = CliRunner().invoke(launch.plugin(module).cli, ["--version"]).output
    assert plain.splitlines() == [told]


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_tells_its_version(called, name):
    assert called(name, "--version").startswith(f"{name} v{version('antiphon')}")


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_tells_about_itself(called, name):
    about = json.loads(called(name, "--about", "--format=json"))
    assert about["name"] == name
    assert about["description"]
    assert "None" not in about["description"]
    described = ANY if name.endswith("-universal") else apis.load(name.partition("-")[2])
    for setting in described.settings:
        if setting.reading if name.startswith("tap-") else setting.writing:
            shown = about["settings"]["properties"][setting.name]
            assert bool(shown.get("secret")) == setting.secret


def test_the_command_tells_its_version(called):
    assert called("antiphon", "--version") == f"antiphon {version('antiphon')}\n"
